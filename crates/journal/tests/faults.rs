//! Every operation on the disk fails once, and fails from then on, and the
//! machine stops at every one of them. What was acknowledged must be in the
//! journal exactly once afterwards, and the journal must work.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::raw::{self, FileSystem as _, Group, Writer};
use journal::{CommitError, Integrity, Item, Options, Reader, Tail};
use support::{Dice, Fault, Keep, Op, Plan, ROOT, SimFs};

fn dir() -> PathBuf {
    Path::new(ROOT).join("data").join("logs")
}

fn options(fs: &SimFs) -> Options {
    Options {
        fs: Arc::new(fs.clone()),
        stamp: Arc::new(|| "20251120_143022".to_owned()),
        checkpoint_every: 64,
        ..Options::default()
    }
}

/// What a writer was told, and what it was not.
#[derive(Debug, Default)]
struct Told {
    /// Bodies by number.
    acknowledged: BTreeMap<u64, u64>,
    next_body: u64,
}

impl Told {
    fn group(&mut self, writer: &Writer, records: usize) -> (Group, Vec<(u64, u64)>) {
        let mut group = writer.group();
        let mut bodies = Vec::new();
        for _ in 0..records {
            let body = self.next_body;
            self.next_body += 1;
            let pad = "x".repeat(usize::try_from(body * 37 % 150).unwrap());
            let record = serde_json::json!({"body": body, "pad": pad});
            bodies.push((group.push(&record).unwrap(), body));
        }
        (group, bodies)
    }

    /// Commits a group; one that found no room is tried again once.
    fn commit(&mut self, writer: &mut Writer, records: usize) -> bool {
        let (group, bodies) = self.group(writer, records);
        let mut result = writer.commit(&[&group]);
        if matches!(result, Err(CommitError::NoRoom { .. })) {
            result = writer.commit(&[&group]);
        }
        if result.is_ok() {
            self.acknowledged.extend(bodies);
        }
        result.is_ok()
    }
}

/// Opens, commits, archives, commits, and all of that again. Goes on after
/// errors as far as that goes.
fn workload(fs: &SimFs, told: &mut Told) {
    for round in 0..2 {
        let Ok((mut writer, _)) = Writer::open(dir(), options(fs)) else {
            continue;
        };
        told.commit(&mut writer, 1);
        told.commit(&mut writer, 3);
        let _archived = writer.archive(None);
        told.commit(&mut writer, 2);
        if round == 0 {
            let _archived = writer.archive(Some("phase"));
            let _archived = writer.archive(None);
        }
        told.commit(&mut writer, 2);
    }
}

/// All records of all sessions: (number, body, integrity) in the order of the
/// archives and then the current session; and whether there is damage.
struct Contents {
    verified: Vec<(u64, u64)>,
    damaged: u64,
}

fn read_file(fs: &SimFs, path: &Path, into: &mut Contents) {
    assert!(fs.open_read(path).is_ok());
    let mut reader = Reader::open_in(fs, path).unwrap();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Record(record) if record.integrity == Integrity::Verified => {
                let json: serde_json::Value = serde_json::from_slice(record.line).unwrap();
                let body = json["body"].as_u64().unwrap();
                into.verified.push((record.number, body));
            }
            Item::Record(record) => panic!("{record:?}"),
            Item::Damage(_) => into.damaged += 1,
        }
    }
}

fn read_all(fs: &SimFs) -> Contents {
    let archive = dir().join("archive");
    let mut sessions: Vec<Contents> = Vec::new();
    let mut paths: Vec<PathBuf> = fs
        .list(&archive)
        .unwrap()
        .into_iter()
        .map(|entry| archive.join(entry.name))
        .collect();
    paths.push(journal::current_session(dir()));
    for path in paths {
        let mut contents = Contents {
            verified: Vec::new(),
            damaged: 0,
        };
        read_file(fs, &path, &mut contents);
        sessions.push(contents);
    }
    sessions.sort_by_key(|session| session.verified.first().map_or(u64::MAX, |first| first.0));
    Contents {
        damaged: sessions.iter().map(|session| session.damaged).sum(),
        verified: sessions
            .into_iter()
            .flat_map(|session| session.verified)
            .collect(),
    }
}

#[derive(Debug, Default)]
struct Cases {
    run: u64,
    hit: BTreeMap<Op, u64>,
    acknowledged: u64,
    /// Records that stand in two files, since a crash brought back what was
    /// cut off a file after its fsync had failed.
    twice: u64,
}

/// Checks everything that is promised, on a disk on which nothing fails any more.
fn check(fs: &SimFs, told: &Told, may_stand_twice: bool, cases: &mut Cases, case: &str) {
    cases.run += 1;
    cases.acknowledged += told.acknowledged.len() as u64;
    fs.plan(None);
    let (mut writer, found) =
        Writer::open(dir(), options(fs)).unwrap_or_else(|error| panic!("{case}: {error:?}"));
    let mut contents = read_all(fs);
    if may_stand_twice {
        let before = contents.verified.len();
        contents.verified.sort_unstable();
        contents.verified.dedup();
        cases.twice += (before - contents.verified.len()) as u64;
    }
    for pair in contents.verified.windows(2) {
        assert!(
            pair[0].0 < pair[1].0,
            "{case}: {pair:?} in {:?}",
            contents.verified
        );
        let gap = pair[1].0 - pair[0].0 - 1;
        assert!(gap == 0 || contents.damaged > 0, "{case}: gap {pair:?}");
    }
    let there: BTreeMap<u64, u64> = contents.verified.iter().copied().collect();
    for (number, body) in &told.acknowledged {
        assert_eq!(there.get(number), Some(body), "{case}: number {number}");
    }
    let last = there.keys().next_back().copied().unwrap_or(0);
    assert!(found.next > last, "{case}");
    assert!(found.damaged == 0 || contents.damaged > 0, "{case}");
    // The journal works, and the next start finds it as it was left.
    let mut group = writer.group();
    let number = group.push(&serde_json::json!({"body": 999})).unwrap();
    assert_eq!(number, found.next, "{case}");
    writer.commit(&[&group]).unwrap();
    drop(writer);
    let (_, again) = Writer::open(dir(), options(fs)).unwrap();
    assert_eq!(
        (again.next, again.damaged, again.tail),
        (number + 1, found.damaged, Tail::Whole),
        "{case}"
    );
    let after = read_all(fs);
    assert!(after.verified.contains(&(number, 999)), "{case}");
}

/// Runs the workload with every single operation hit, until none is. The
/// second operation to be hit is so far behind the first.
fn every_operation(fault: Fault, on: bool, distance: Option<u64>, cases: &mut Cases) {
    for at in 0.. {
        let (fs, mut told) = (SimFs::new(), Told::default());
        let and = distance.map(|distance| at + distance);
        fs.plan(Some(Plan { at, and, on, fault }));
        workload(&fs, &mut told);
        let (count, hit) = (fs.count(), fs.hit());
        for op in &hit {
            *cases.hit.entry(*op).or_default() += 1;
        }
        let case = format!("{fault:?} at {at}, {and:?}, on {on}, hit {hit:?}");
        let sync_failed = hit.contains(&Op::Sync);
        let some = [
            Keep::Some(at),
            Keep::Some(at + 10_000),
            Keep::Some(at + 20_000),
        ];
        let keeps = [Keep::Nothing, Keep::Everything].into_iter().chain(some);
        for keep in keeps.take(if distance.is_some() { 3 } else { 5 }) {
            let image = fs.crashed(keep);
            let case = format!("{case}, then a crash that keeps {keep:?}");
            // See `Cases::twice`; a failed fsync is all that can do it.
            check(&image, &told, sync_failed, cases, &case);
        }
        // The program was started again, the machine was not.
        check(&fs, &told, false, cases, &case);
        if at >= count {
            break;
        }
    }
}

fn report(what: &str, cases: &Cases) {
    let Cases {
        run,
        hit,
        acknowledged,
        twice,
    } = cases;
    println!(
        "{what}: {run} cases, {acknowledged} acknowledged records looked for, {twice} found twice, hit {hit:?}"
    );
}

#[test]
fn every_operation_fails_once() {
    let mut cases = Cases::default();
    for fault in [Fault::Io, Fault::Full, Fault::DoneButIo, Fault::Short] {
        every_operation(fault, false, None, &mut cases);
    }
    report("one failure", &cases);
    // Cutting back comes only after another failure.
    assert_eq!(cases.hit.len(), 15, "{:?}", cases.hit);
}

#[test]
fn two_operations_fail() {
    let mut cases = Cases::default();
    for fault in [Fault::Io, Fault::Full, Fault::DoneButIo] {
        for distance in (1..16).chain([20, 30, 40, 60]) {
            every_operation(fault, false, Some(distance), &mut cases);
        }
    }
    report("two failures", &cases);
    assert_eq!(cases.hit.len(), 16, "{:?}", cases.hit);
}

#[test]
fn every_operation_fails_and_all_behind_it() {
    let mut cases = Cases::default();
    for fault in [Fault::Io, Fault::Full, Fault::DoneButIo, Fault::Short] {
        every_operation(fault, true, None, &mut cases);
    }
    report("failures from one on", &cases);
}

#[test]
fn the_machine_stops_at_every_operation() {
    let mut cases = Cases::default();
    for at in 0.. {
        let (fs, mut told) = (SimFs::new(), Told::default());
        let fault = Fault::Stop;
        fs.plan(Some(Plan {
            at,
            and: None,
            on: true,
            fault,
        }));
        workload(&fs, &mut told);
        let count = fs.count();
        let mut keeps = vec![Keep::Nothing, Keep::Everything];
        keeps.extend((0..40).map(|seed| Keep::Some(seed * 1000 + at)));
        for keep in keeps {
            let image = fs.crashed(keep);
            check(
                &image,
                &told,
                false,
                &mut cases,
                &format!("stop at {at}, {keep:?}"),
            );
        }
        if at >= count {
            break;
        }
    }
    report("the machine stops", &cases);
}

#[test]
fn the_machine_stops_again_while_it_recovers() {
    let mut cases = Cases::default();
    let mut dice = Dice(7);
    for _ in 0..500 {
        let (mut fs, mut told) = (SimFs::new(), Told::default());
        for _ in 0..4 {
            let at = dice.below(150) as u64;
            let fault = Fault::Stop;
            fs.plan(Some(Plan {
                at,
                and: None,
                on: true,
                fault,
            }));
            workload(&fs, &mut told);
            fs = fs.crashed(Keep::Some(dice.roll()));
        }
        check(&fs, &told, false, &mut cases, "four crashes");
    }
    report("crashes in a row", &cases);
}

#[test]
fn a_full_disk_is_waited_for_and_every_record_is_there_once_and_in_order() {
    let mut cases = Cases::default();
    for at in 0..40 {
        let (fs, mut told) = (SimFs::new(), Told::default());
        let (mut writer, _) = Writer::open(dir(), options(&fs)).unwrap();
        let fault = Fault::Full;
        fs.plan(Some(Plan {
            at,
            and: None,
            on: true,
            fault,
        }));
        for records in [1, 3, 2] {
            let (group, bodies) = told.group(&writer, records);
            let mut tries = 0;
            while let Err(error) = writer.commit(&[&group]) {
                assert!(matches!(error, CommitError::NoRoom { .. }), "{error:?}");
                tries += 1;
                if tries == 3 {
                    fs.plan(None);
                }
                assert!(tries < 10);
            }
            told.acknowledged.extend(bodies);
        }
        drop(writer);
        // An fsync may be what found the disk full.
        check(&fs.crashed(Keep::Nothing), &told, false, &mut cases, "full");
        check(&fs, &told, false, &mut cases, "full");
    }
    report("a full disk", &cases);
}
