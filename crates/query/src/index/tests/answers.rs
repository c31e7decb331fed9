use std::path::PathBuf;

use tempfile::TempDir;

use crate::Error;
use crate::analysis::Analysis;
use crate::analysis::Statistics;
use crate::count::count;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::select::{Order, Sink, Summary, matching, show};
use crate::source::Tuning;
use crate::source::{Entry, Source};
use crate::zone::Zone;

/// Everything that can be asked with a filter, answered.
#[derive(Debug, PartialEq)]
pub(super) struct Answers {
    shown: Vec<(Vec<Shown>, Option<Summary>, Findings)>,
    matching: (u64, Findings),
    statistics: (Statistics, Findings),
    report: String,
    findings: Findings,
}

#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    number: Option<u64>,
    path: PathBuf,
    offset: u64,
    line: String,
}

#[derive(Default)]
pub(super) struct Kept {
    wants_counts: bool,
    summary: Option<Summary>,
    pub(super) shown: Vec<Shown>,
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
pub(super) fn answers(source: &Source, ordered: &Source, filter: &Filter) -> Answers {
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

pub(super) fn open(dir: &TempDir, tuning: Tuning) -> Source {
    let mut source = Source::all(dir.path()).unwrap();
    source.tuning = tuning;
    source
}

/// Asserts that the answers are the same with indexes and without.
pub(super) fn assert_same(dir: &TempDir, criteria: &Criteria, tuning: Tuning) {
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
