use std::fs;
use std::path::Path;

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
use crate::select::{Counts, Order, Sink, Summary, matching, show};
use crate::source::{Entry, Source};
use crate::stats::{Statistics, count};
use crate::testing::{criteria, dir_with, in_order, journal, recorded, tuning};
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

fn path(dir: &TempDir, at: usize) -> std::path::PathBuf {
    archive_dir(dir.path()).join(format!("session_20251120_14302{at}.jsonl"))
}

fn build_with(path: &Path, block: u32, group: u32) -> Built {
    build(path, Shape { block, group }, &mut || true).unwrap()
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
    path: std::path::PathBuf,
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
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn with_and_without_an_index_the_answers_are_the_same(
        (sessions, shape) in sessions(),
        asked in criteria(),
        tuning in tuning(),
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
}
