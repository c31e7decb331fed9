use super::*;
use crate::archives::Begins;
use crate::inspect::take_inventory;
use crate::journal::Journal;
use crate::removed::{removed_in, removed_sessions};
use crate::support::{Fault, Keep, Plan as Faults, ROOT, SimFs};
use crate::testing::sealed;

const DAY: Duration = Duration::from_secs(86_400);
const NONE: [u64; 0] = [];

fn session(number: u64, days_ago: u32, stored: u64) -> ClosedSession {
    let name = format!("session_{number}.jsonl");
    ClosedSession {
        archive: Archive {
            path: name.clone().into(),
            name,
            bytes: stored,
            stored,
            first: number,
            begins: Begins::Numbered,
        },
        last: number + 9,
        closed: SystemTime::UNIX_EPOCH + 1000 * DAY - days_ago * DAY,
    }
}

fn around() -> Surroundings {
    Surroundings {
        now: SystemTime::UNIX_EPOCH + 1000 * DAY,
        current: 5,
        disk: Some((100, 1000)),
        needed_from: u64::MAX,
    }
}

fn firsts(plan: &Plan) -> Vec<u64> {
    let expired = plan.expired.iter();
    expired.map(|one| one.session.archive.first).collect()
}

#[test]
fn the_oldest_go_by_age_size_and_room_and_the_newest_never() {
    let sessions = [session(1, 9, 100), session(11, 5, 100), session(21, 1, 100)];
    let plan = |rules: Retention| firsts(&rules.plan(&sessions, &around()));
    assert_eq!(plan(Retention::default()), NONE);
    let age = |days: u32| Retention {
        age: Some(days * DAY),
        ..Retention::default()
    };
    assert_eq!(plan(age(6)), [1]);
    assert_eq!(plan(age(9)), NONE, "exactly so old is not older");
    assert_eq!(plan(age(0)), [1, 11]);
    let size = |most| Retention {
        size: Some(most),
        ..Retention::default()
    };
    assert_eq!(plan(size(305)), NONE);
    assert_eq!(plan(size(304)), [1]);
    assert_eq!(plan(size(0)), [1, 11]);
    let free = |percent| Retention {
        free_percent: Some(percent),
        ..Retention::default()
    };
    assert_eq!(plan(free(10)), NONE);
    assert_eq!(plan(free(11)), [1]);
    assert_eq!(plan(free(25)), [1, 11]);
    let unknown = Surroundings {
        disk: None,
        ..around()
    };
    assert_eq!(free(99).plan(&sessions, &unknown), Plan::default());
}

#[test]
fn what_somebody_needs_stays_and_so_does_what_comes_behind_it() {
    let sessions = [session(1, 9, 100), session(11, 5, 100), session(21, 1, 100)];
    let rules = Retention {
        age: Some(Duration::ZERO),
        ..Retention::default()
    };
    for (needed_from, goes, held) in [
        (21, vec![1, 11], None),
        (20, vec![1], Some(11)),
        (1, vec![], Some(1)),
    ] {
        let plan = rules.plan(
            &sessions,
            &Surroundings {
                needed_from,
                ..around()
            },
        );
        assert_eq!(firsts(&plan), goes);
        assert_eq!(plan.held.map(|held| held.session.archive.first), held);
    }
}

#[test]
fn nothing_goes_from_behind_a_session_that_stays() {
    // Its file was touched, so that it looks young: the numbers before it stay, too.
    let sessions = [session(1, 1, 100), session(11, 9, 100), session(21, 0, 100)];
    let rules = Retention {
        age: Some(6 * DAY),
        ..Retention::default()
    };
    assert_eq!(rules.plan(&sessions, &around()), Plan::default());
}

#[test]
fn a_session_without_numbers_is_nobodys_to_remove() {
    let (dir, _journal) = journal();
    let older = dir.path().join("archive/session_0.jsonl");
    std::fs::write(&older, "{\"Id\":\"1\"}\n").unwrap();
    let sessions = Upkeep::begin(dir.path()).unwrap().sessions().unwrap();
    let names: Vec<u64> = sessions.iter().map(|one| one.archive.first).collect();
    assert_eq!(names, [1, 3, 5], "{sessions:?}");
    assert!(sessions.iter().all(|one| one.archive.path != older));
}

#[test]
fn what_a_crash_has_torn_of_the_history_costs_no_other_line_of_it() {
    let (dir, _journal) = journal();
    let upkeep = Upkeep::begin(dir.path()).unwrap();
    let sessions = upkeep.sessions().unwrap();
    let first = upkeep.remove(&expired(&sessions[0])).unwrap();
    let path = Layout::new(dir.path()).removed();
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_within(..torn.len() / 2);
    std::fs::write(&path, torn).unwrap();
    let second = upkeep.remove(&expired(&sessions[1])).unwrap();
    assert_eq!(removed_sessions(dir.path()).unwrap(), [first, second]);
}

#[test]
fn a_removal_that_was_interrupted_and_repeated_is_told_once() {
    let (dir, _journal) = journal();
    let upkeep = Upkeep::begin(dir.path()).unwrap();
    let sessions = upkeep.sessions().unwrap();
    let first = upkeep.remove(&expired(&sessions[0])).unwrap();
    // Killed behind the note, and before the file was gone.
    std::fs::copy(&sessions[1].archive.path, &sessions[0].archive.path).unwrap();
    let again = upkeep.remove(&expired(&sessions[0])).unwrap();
    let second = upkeep.remove(&expired(&sessions[1])).unwrap();
    assert_eq!((first.first, first.last), (again.first, again.last));
    assert_eq!(removed_sessions(dir.path()).unwrap(), [again, second]);
}

/// Three closed sessions of two records each.
fn journal() -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    for _ in 0..3 {
        journal
            .append_all(&[serde_json::json!({}), serde_json::json!({})])
            .unwrap();
        journal.archive(None).unwrap();
    }
    (dir, journal)
}

fn expired(session: &ClosedSession) -> Expired {
    Expired {
        session: session.clone(),
        reason: "a test".to_owned(),
    }
}

#[test]
fn removed_numbers_are_told_from_missing_ones_and_never_given_again() {
    let (dir, journal) = journal();
    let upkeep = Upkeep::begin(dir.path()).unwrap();
    let sessions = upkeep.sessions().unwrap();
    let index = sessions[0].archive.path.with_extension("jsonl.index");
    std::fs::write(&index, "derived").unwrap();
    let removed = upkeep.remove(&expired(&sessions[0])).unwrap();
    assert_eq!((removed.first, removed.last), (1, 2));
    assert!(!sessions[0].archive.path.exists() && !index.exists());
    let inventory = take_inventory(dir.path()).unwrap();
    assert!(inventory.missing.is_empty(), "{:?}", inventory.missing);
    assert_eq!(inventory.removed, [removed]);
    // One that somebody else takes away is missing.
    std::fs::remove_file(&sessions[1].archive.path).unwrap();
    let missing = take_inventory(dir.path()).unwrap().missing;
    assert_eq!((missing[0].first, missing[0].last), (3, 4));
    drop(journal);
    let (_, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(recovery.next, 7);
    assert_eq!(recovery.missing.len(), 1);
}

#[test]
fn only_one_looks_after_a_journal_at_a_time() {
    let (dir, _journal) = journal();
    let first = Upkeep::begin(dir.path()).unwrap();
    assert!(matches!(
        Upkeep::begin(dir.path()),
        Err(UpkeepError::Busy { .. })
    ));
    drop(first);
    Upkeep::begin(dir.path()).unwrap();
}

#[test]
fn wherever_the_machine_stops_numbers_are_there_or_known_to_be_removed() {
    let dir = Path::new(ROOT).join("logs");
    let line = |number| [sealed(number, ""), b"\n".to_vec()].concat();
    for at in 0..60 {
        for (fault, keep) in [
            (Fault::Stop, Keep::Nothing),
            (Fault::Stop, Keep::Everything),
            (Fault::Stop, Keep::Some(at)),
            (Fault::Io, Keep::Some(at)),
            (Fault::Full, Keep::Some(at)),
        ] {
            let fs = SimFs::new();
            let archive = dir.join("archive");
            fs.put(&archive.join("session_a.jsonl"), &line(1));
            fs.put(&archive.join("session_b.jsonl"), &line(2));
            fs.plan(Some(Faults {
                at,
                and: None,
                on: false,
                fault,
            }));
            let done = Upkeep::begin_in(Arc::new(fs.clone()), &dir).is_ok_and(|upkeep| {
                let sessions = upkeep.sessions();
                sessions.is_ok_and(|sessions| upkeep.remove(&expired(&sessions[0])).is_ok())
            });
            fs.plan(None);
            let fs = fs.crashed(keep);
            let known = removed_in(&fs, &Layout::new(&dir)).unwrap();
            let is_known = known
                .iter()
                .any(|removed| (removed.first, removed.last) == (1, 1));
            let is_there = fs.exists(&archive.join("session_a.jsonl"));
            assert!(is_there || is_known, "{fault:?} at {at}");
            assert!(!done || is_known, "{fault:?} at {at}");
            assert!(fs.exists(&archive.join("session_b.jsonl")));
        }
    }
}
