use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::build::build;
use super::directory::Shape;
use super::*;
use crate::analysis::Analysis;
use crate::archives::archive_dir;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::scan::Tuning;
use crate::select::{Order, Sink, Summary, matching, show};
use crate::source::{Entry, Source};
use crate::stats::{Statistics, count};
use crate::testing::{criteria, journal, recorded};
use crate::zone::Zone;
use crate::{Error, IndexState};

/// A journal's directory with these closed sessions.
fn archived(sessions: &[Vec<u8>]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(archive_dir(dir.path())).unwrap();
    for (at, session) in sessions.iter().enumerate() {
        fs::write(path(&dir, at), session).unwrap();
    }
    dir
}

fn path(dir: &TempDir, at: usize) -> PathBuf {
    archive_dir(dir.path()).join(format!("session_20251120_14302{at}.jsonl"))
}

/// A directory with one closed session of so many messages and its index.
fn indexed(count: u64) -> (TempDir, PathBuf) {
    let lines = (1..=count).flat_map(|number| {
        let sender = if number % 2 == 0 { "even" } else { "odd" };
        recorded(
            number,
            "t",
            &format!(r#"{{"sender":"{sender}","content":"c"}}"#),
        )
    });
    let dir = archived(&[lines.collect()]);
    let path = path(&dir, 0);
    let shape = Shape {
        block: 1_000,
        group: 3,
    };
    let built = build(&path, shape, &mut || true).unwrap();
    let bytes = fs::metadata(index_path(&path)).unwrap().len();
    assert_eq!(built, Built::Done { bytes });
    (dir, path)
}

fn even() -> Filter {
    let sender = vec!["even".to_owned()];
    Filter::compile(&Criteria {
        sender,
        ..Criteria::default()
    })
    .unwrap()
}

/// How many messages match, and why an index was not used.
fn asked(dir: &TempDir, filter: &Filter) -> (u64, Option<String>) {
    let source = Source::all(dir.path()).unwrap();
    let count = matching(&source, filter, &mut Findings::default()).unwrap();
    let reason = source.unused_indexes().next();
    (count, reason.map(|(_, reason)| reason.to_owned()))
}

/// Changes the sender of the first even message, and nothing else.
fn tamper(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let changed = text.replacen("\"sender\":\"even\"", "\"sender\":\"evil\"", 1);
    assert_ne!(changed, text);
    fs::write(path, changed).unwrap();
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(archive_dir(dir.path())).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn what_is_only_counted_is_not_read() {
    let (dir, path) = indexed(1_000);
    assert_eq!(asked(&dir, &even()), (500, None));
    // Nobody could tell that it was changed: its end and its time are the same.
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    tamper(&path);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(changed).unwrap();
    assert_eq!(asked(&dir, &even()), (500, None), "the index was asked");
    let source = Source::all(dir.path()).unwrap().without_index();
    let count = matching(&source, &even(), &mut Findings::default()).unwrap();
    assert_eq!(count, 499);
}

#[test]
fn an_index_that_tells_of_other_messages_is_not_used_further() {
    let (dir, path) = indexed(1_000);
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    tamper(&path);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(changed).unwrap();
    let source = Source::all(dir.path()).unwrap();
    let mut kept = Kept::default();
    let (order, mut findings) = (Order::default(), Findings::default());
    show(&source, &even(), order, &mut findings, &mut kept).unwrap();
    assert_eq!(kept.shown.len(), 499, "what is shown was read");
    assert_eq!(findings.altered, 1);
    let reasons: Vec<_> = source.unused_indexes().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["it tells of other messages than there are"]);
}

#[test]
fn a_session_that_was_changed_is_read() {
    let (dir, path) = indexed(100);
    // Later than the first time by more than any clock's step.
    let long_ago = std::time::UNIX_EPOCH;
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let shape = Shape::default();
    build(&path, shape, &mut || true).unwrap();
    assert_eq!(asked(&dir, &even()), (50, None));
    tamper(&path);
    let reason = "the session is not the one that it was made from";
    assert_eq!(asked(&dir, &even()), (49, Some(reason.to_owned())));
    assert!(!has_index(&path));
    // A new one is true again, and leaves the altered message to be read.
    build(&path, shape, &mut || true).unwrap();
    assert_eq!(asked(&dir, &even()), (49, None));
}

#[test]
fn an_index_of_another_session_or_version_is_not_used() {
    let (dir, path) = indexed(10);
    let index = index_path(&path);
    let whole = fs::read(&index).unwrap();
    let mut bytes = whole.clone();
    bytes[8] = 99;
    fs::write(&index, bytes).unwrap();
    assert_eq!(
        asked(&dir, &even()),
        (5, Some("it is of another version".to_owned()))
    );
    fs::write(&index, "no index").unwrap();
    assert_eq!(asked(&dir, &even()), (5, Some("it is damaged".to_owned())));
    fs::remove_file(&index).unwrap();
    assert_eq!(asked(&dir, &even()), (5, None));
    fs::create_dir(&index).unwrap();
    assert_eq!(asked(&dir, &even()), (5, Some("it is damaged".to_owned())));
    fs::remove_dir(&index).unwrap();
    fs::write(&index, &whole).unwrap();
    let other = path.with_file_name("session_20251121_000000.jsonl");
    fs::write(&other, recorded(11, "t", "{}")).unwrap();
    fs::copy(&index, index_path(&other)).unwrap();
    assert!(matches!(
        index_state(&other),
        IndexState::Bad(Unusable::OtherSession)
    ));
    assert!(matches!(index_state(&path), IndexState::Good(_)));
}

#[test]
fn whoever_stops_leaves_nothing_behind() {
    let (dir, path) = indexed(100);
    let before = names(&dir);
    fs::remove_file(index_path(&path)).unwrap();
    let shape = Shape {
        block: 500,
        group: 2,
    };
    let mut left = 3;
    let mut go_on = || {
        left -= 1;
        left > 0
    };
    assert_eq!(build(&path, shape, &mut go_on).unwrap(), Built::Stopped);
    assert_eq!(names(&dir).len(), 1);
    // What a program left that was killed goes with the next index.
    let leftover = path.with_file_name("session_20251120_143020.jsonl.index.aBc.tmp");
    fs::write(&leftover, "half").unwrap();
    assert_eq!(asked(&dir, &even()), (50, None));
    build(&path, shape, &mut || true).unwrap();
    assert_eq!(names(&dir), before);
}

#[test]
fn what_another_program_is_writing_is_left_alone() {
    let (dir, path) = indexed(10);
    let held = path.with_file_name("session_20251120_143020.jsonl.index.aBc.tmp");
    let file = fs::File::create(&held).unwrap();
    file.lock().unwrap();
    build(&path, Shape::default(), &mut || true).unwrap();
    assert_eq!(names(&dir).len(), 3);
}

#[test]
fn indexes_are_no_sessions() {
    let (dir, path) = indexed(10);
    assert_eq!(crate::list_archives(dir.path()).unwrap().len(), 1);
    let report = crate::verify(dir.path(), crate::Scope::All, &mut |_| Ok(())).unwrap();
    assert_eq!((report.files, report.records), (1, 10));
    // A session that was renamed or removed leaves an index that nobody asks.
    fs::rename(&path, path.with_file_name("session_x.jsonl")).unwrap();
    assert_eq!(asked(&dir, &even()), (5, None));
    assert_eq!(crate::archives::list(dir.path()).unwrap().len(), 1);
}

/// Gives an index right checksums, whatever is in it.
fn reseal(bytes: &mut [u8]) {
    let directory = header::Header::SIZE - 4 - 4 - header::Span::SIZE;
    let number = |at: usize, size: usize| {
        let mut value = [0; 8];
        value[..size].copy_from_slice(&bytes[at..at + size]);
        usize::try_from(u64::from_le_bytes(value)).unwrap_or(usize::MAX)
    };
    let (offset, length) = (number(directory, 8), number(directory + 8, 4));
    if let Some(piece) = bytes.get(offset..offset.saturating_add(length)) {
        let crc = crc32c::crc32c(piece).to_le_bytes();
        bytes[directory + 12..directory + 16].copy_from_slice(&crc);
    }
    let size = header::Header::SIZE;
    let body = crc32c::crc32c(&bytes[size..]).to_le_bytes();
    bytes[size - 8..size - 4].copy_from_slice(&body);
    let crc = crc32c::crc32c(&bytes[..size - 4]).to_le_bytes();
    bytes[size - 4..size].copy_from_slice(&crc);
}

/// Everything that can be asked with a filter, answered.
#[derive(Debug, PartialEq)]
struct Answers {
    shown: Vec<(Vec<Shown>, Option<Summary>, Findings)>,
    matching: (u64, Findings),
    statistics: (Statistics, Findings),
    report: String,
    findings: Findings,
}

#[derive(Debug, PartialEq)]
struct Shown {
    number: u64,
    path: PathBuf,
    offset: u64,
    line: String,
}

#[derive(Default)]
struct Kept {
    wants_counts: bool,
    summary: Option<Summary>,
    shown: Vec<Shown>,
}

impl Sink for Kept {
    fn wants_counts(&self) -> bool {
        self.wants_counts
    }

    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        self.summary = Some(*summary);
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.shown.push(Shown {
            number: entry.number,
            path: entry.path.to_owned(),
            offset: entry.offset,
            line: String::from_utf8_lossy(entry.line).into_owned(),
        });
        Ok(())
    }
}

/// In analyses it makes a difference in which order workers come upon more than
/// fits, and very little fits here: `ordered` has a single worker.
fn answers(source: &Source, ordered: &Source, filter: &Filter) -> Answers {
    let orders = [
        (None, false),
        (None, true),
        (Some(1), false),
        (Some(3), true),
        (Some(7), false),
    ];
    let mut shown = Vec::new();
    for (limit, newest_first) in orders {
        for wants_counts in [false, true] {
            let order = Order {
                limit,
                newest_first,
            };
            let mut findings = Findings::default();
            let mut kept = Kept {
                wants_counts,
                ..Kept::default()
            };
            show(source, filter, order, &mut findings, &mut kept).unwrap();
            shown.push((kept.shown, kept.summary, findings));
        }
    }
    let mut findings = Findings::default();
    let number = matching(source, filter, &mut findings).unwrap();
    let mut counted = Findings::default();
    let statistics: Statistics = count(source, filter, &mut counted).unwrap();
    let mut all = Findings::default();
    let analysis: Analysis = count(ordered, filter, &mut all).unwrap();
    let report = analysis
        .report(ordered, filter, &all, &Zone::utc())
        .unwrap();
    Answers {
        shown,
        matching: (number, findings),
        statistics: (statistics, counted),
        report: serde_json::to_string_pretty(&report).unwrap(),
        findings: all,
    }
}

fn open(dir: &TempDir, tuning: Tuning) -> Source {
    let mut source = Source::all(dir.path()).unwrap();
    source.tuning = tuning;
    source
}

/// Asserts that the answers are the same with indexes and without.
fn assert_same(dir: &TempDir, criteria: &Criteria, tuning: Tuning) {
    let filter = Filter::compile(criteria).unwrap();
    let ordered = Tuning {
        threads: 1,
        ..Tuning::default()
    };
    let plain = answers(
        &open(dir, tuning).without_index(),
        &open(dir, ordered).without_index(),
        &filter,
    );
    let indexed = answers(&open(dir, tuning), &open(dir, ordered), &filter);
    let differing = indexed.report.lines().zip(plain.report.lines());
    let differing: Vec<_> = differing.filter(|(a, b)| a != b).collect();
    assert_eq!(differing, []);
    assert_eq!(indexed.matching, plain.matching);
    assert_eq!(indexed.statistics, plain.statistics);
    assert_eq!(indexed.findings, plain.findings);
    assert_eq!(indexed.report, plain.report);
    assert_eq!(indexed, plain);
}

/// How the work is cut up.
fn cuts() -> impl Strategy<Value = Tuning> {
    let chunk = prop_oneof![100..5_000_u64, Just(1 << 20)];
    (chunk, 1..3_usize).prop_map(|(chunk, threads)| Tuning {
        chunk,
        threads,
        ..Tuning::default()
    })
}

/// Sessions of any lines, and how they are cut up for their indexes.
fn sessions() -> impl Strategy<Value = (Vec<Vec<u8>>, Shape)> {
    let shape = (1..3_000_u32, 1..5_u32).prop_map(|(block, group)| Shape { block, group });
    let ours = (1..40_u64).prop_map(|count| {
        let lines = (1..=count).flat_map(|number| {
            let sender = ["claude", "gemini", "llama"][usize::try_from(number % 3).unwrap()];
            let text = ["gem", "xx", "word"][usize::try_from(number / 3 % 3).unwrap()];
            let tier = if number % 7 == 0 { "A" } else { "E" };
            let payload = format!(
                r#"{{"sender_id":"{sender}","message_id":"id-{}","content":{{"text":"{text}?"}},"in_reply_to":"id-{}","metadata":{{"ace_tier":"{tier}","shl_tags":["@a"]}}}}"#,
                number % 5,
                number % 4,
            );
            crate::testing::recorded_at(
                number,
                &format!("2025-11-20T04:30:{:02}.123Z", number.min(59)),
                ["design", "design_review", "x"][usize::try_from(number % 3).unwrap()],
                &payload,
            )
        });
        lines.collect::<Vec<u8>>()
    });
    let any = journal().prop_map(|parts| {
        let bytes = parts.iter().flat_map(|part| part.bytes.clone());
        bytes.collect::<Vec<u8>>()
    });
    let session = prop_oneof![2 => ours, 1 => any]
        .prop_filter("an empty file is no archive", |bytes| !bytes.is_empty());
    (prop::collection::vec(session, 1..4), shape)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn with_and_without_an_index_the_answers_are_the_same(
        (sessions, shape) in sessions(),
        asked in criteria(),
        tuning in cuts(),
        indexed in prop::collection::vec(any::<bool>(), 3),
    ) {
        let dir = archived(&sessions);
        for (at, is_indexed) in (0..sessions.len()).zip(indexed) {
            if is_indexed {
                let path = path(&dir, at);
                build(&path, shape, &mut || true).unwrap();
                prop_assert!(matches!(index_state(&path), IndexState::Good(_)));
            }
        }
        assert_same(&dir, &asked, tuning);
        assert_same(&dir, &Criteria::default(), tuning);
    }

    #[test]
    fn an_index_that_was_changed_in_any_way_is_not_believed(
        (sessions, shape) in sessions(),
        asked in criteria(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        more in prop::option::weighted(0.1, prop::collection::vec(any::<u8>(), 1..40)),
    ) {
        let dir = archived(&sessions[..1]);
        let path = path(&dir, 0);
        build(&path, shape, &mut || true).unwrap();
        let index = index_path(&path);
        let whole = fs::read(&index).unwrap();
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(more.unwrap_or_default());
        fs::write(&index, &bytes).unwrap();
        if bytes != whole {
            prop_assert!(matches!(index_state(&path), IndexState::Bad(_)));
        }
        assert_same(&dir, &asked, Tuning::default());
        assert_same(&dir, &Criteria::default(), Tuning::default());
    }

    #[test]
    fn a_forged_index_does_no_more_than_tell_lies(
        (sessions, shape) in sessions(),
        asked in criteria(),
        // Most of the directory stands at the end.
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let dir = archived(&sessions[..1]);
        let path = path(&dir, 0);
        build(&path, shape, &mut || true).unwrap();
        let index = index_path(&path);
        let mut bytes = fs::read(&index).unwrap();
        for (at, byte, is_late) in changes {
            let range = if is_late { bytes.len() - bytes.len() / 3 } else { 0 };
            let at = range + at.index(bytes.len() - range);
            bytes[at] = byte;
        }
        reseal(&mut bytes);
        fs::write(&index, &bytes).unwrap();
        let filter = Filter::compile(&asked).unwrap();
        for filter in [&filter, &Filter::default()] {
            let source = Source::all(dir.path()).unwrap();
            answers(&source, &source, filter);
        }
    }
}
