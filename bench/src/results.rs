//! What was measured, as JSON, and as a table for people.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::platform;
use crate::stats::{median, ratio};
use crate::subject::workspace;

/// The results of one case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The name of the case, which is also the file's.
    pub(crate) case: String,
    /// When it ended, RFC 3339.
    pub(crate) date: String,
    /// What it ran on.
    pub(crate) machine: String,
    /// The commit that was checked out.
    pub(crate) commit: String,
    /// The command line's arguments.
    pub(crate) arguments: Vec<String>,
    /// What [`Row::x`] is.
    pub(crate) x: String,
    /// What is shown of the measures, in order.
    pub(crate) columns: Vec<Column>,
    /// The measurements.
    pub(crate) rows: Vec<Row>,
}

/// A measure that is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Column {
    /// Its key in [`Row::measures`].
    pub(crate) measure: String,
    /// What stands above it.
    pub(crate) heading: String,
    /// How many decimals are shown.
    pub(crate) decimals: usize,
    /// The subject to which the ratio is shown as well.
    pub(crate) beside: Option<String>,
}

/// What was measured of one subject in one setting.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The kind of setting, such as the number of agents.
    pub(crate) group: String,
    /// The setting's number, such as the message size.
    pub(crate) x: u64,
    /// What was measured.
    pub(crate) subject: String,
    /// Each measure's value in each round.
    pub(crate) measures: BTreeMap<String, Vec<f64>>,
}

impl Column {
    /// Makes a column.
    pub(crate) fn new(measure: &str, heading: &str, decimals: usize) -> Self {
        Self {
            measure: measure.to_owned(),
            heading: heading.to_owned(),
            decimals,
            beside: None,
        }
    }

    /// Adds the ratio to a subject.
    pub(crate) fn beside(mut self, subject: &str) -> Self {
        self.beside = Some(subject.to_owned());
        self
    }
}

impl Results {
    /// Makes the results of a case that is about to run.
    pub(crate) fn new(case: &str, x: &str, columns: Vec<Column>) -> Self {
        Self {
            case: case.to_owned(),
            date: message::format_time(SystemTime::now()).to_string(),
            machine: platform::machine(),
            commit: commit().unwrap_or_default(),
            arguments: std::env::args().skip(1).collect(),
            x: x.to_owned(),
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a round's value.
    pub(crate) fn add(&mut self, group: &str, x: u64, subject: &str, measure: &str, value: f64) {
        let same = |row: &Row| row.group == group && row.x == x && row.subject == subject;
        let index = self.rows.iter().position(same).unwrap_or_else(|| {
            self.rows.push(Row {
                group: group.to_owned(),
                x,
                subject: subject.to_owned(),
                measures: BTreeMap::new(),
            });
            self.rows.len() - 1
        });
        let measures = &mut self.rows[index].measures;
        measures.entry(measure.to_owned()).or_default().push(value);
    }

    /// Returns the rounds of a measure in the setting of a row.
    fn rounds(&self, row: &Row, subject: &str, measure: &str) -> Option<&[f64]> {
        let same =
            |other: &&Row| other.group == row.group && other.x == row.x && other.subject == subject;
        let row = self.rows.iter().find(same)?;
        row.measures.get(measure).map(Vec::as_slice)
    }

    /// Returns the medians as a table in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut lines = vec![self.head()];
        let dashes = self.columns.iter().map(|column| match column.beside {
            Some(_) => "---:|---:|",
            None => "---:|",
        });
        lines.push(format!("|---|---:|---|{}", dashes.collect::<String>()));
        lines.extend(self.rows.iter().map(|row| self.line(row)));
        lines.push(String::new());
        lines.join("\n")
    }

    fn head(&self) -> String {
        let headings = self.columns.iter().map(|column| match &column.beside {
            Some(other) => format!(" {} | / {other} |", column.heading),
            None => format!(" {} |", column.heading),
        });
        format!("| | {} | |{}", self.x, headings.collect::<String>())
    }

    fn line(&self, row: &Row) -> String {
        let cells = self.columns.iter().map(|column| {
            let rounds = row
                .measures
                .get(&column.measure)
                .map_or(&[][..], Vec::as_slice);
            let value = number(median(rounds), column.decimals);
            let Some(other) = &column.beside else {
                return format!(" {value} |");
            };
            let others = self.rounds(row, other, &column.measure).unwrap_or_default();
            format!(" {value} | {} |", number(ratio(rounds, others), 2))
        });
        let (group, x, subject) = (&row.group, row.x, &row.subject);
        format!("| {group} | {x} | {subject} |{}", cells.collect::<String>())
    }

    /// Writes the JSON.
    ///
    /// # Errors
    /// An error with the file's name.
    pub(crate) fn save(&self, dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let path = dir.join(format!("{}.json", self.case));
        let json = serde_json::to_vec_pretty(self)?;
        fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Reads the results of the cases of which there are some.
///
/// # Errors
/// An error with the file's name.
pub(crate) fn load(dir: &Path, cases: &[&str]) -> anyhow::Result<Vec<Results>> {
    let paths = cases.iter().map(|case| dir.join(format!("{case}.json")));
    let read = paths.filter(|path| path.exists()).map(|path| {
        let json = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))
    });
    read.collect()
}

fn number(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return String::new();
    }
    format!("{value:.decimals$}")
}

fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(workspace())
        .args(["describe", "--always", "--dirty"]);
    let output = git.output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
