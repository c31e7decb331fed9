//! The values that messages have, and which of them was probably meant.

use std::collections::HashMap;

use crate::analysis::{Accumulator, Analysis, Found, ValueKind};
use crate::count::count;
use crate::error::Error;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::source::Source;
use crate::time::{Clock, Instant};
use crate::zone::Zone;

/// A value that messages have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value itself.
    pub name: String,
    /// How many messages have it.
    pub messages: u64,
    /// When the last of them was recorded, as `2025-11-20 04:30:00`.
    pub last: Option<String>,
}

/// A value that was asked for and that no message has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The option that asked for it, such as `sender`.
    pub field: &'static str,
    /// What was asked for.
    pub value: String,
    /// Values that there are and that are spelled alike, the likeliest first.
    pub similar: Vec<String>,
}

/// Lists the values of a field, those with most messages first.
///
/// # Errors
/// [`Error::Read`] where a file can't be read.
pub fn values(source: &Source, kind: ValueKind, zone: &Zone) -> Result<Vec<Value>, Error> {
    let (all, ignored) = (Filter::default(), &mut Findings::default());
    let last = |time: Option<i64>| {
        let time = zone.at(Instant::from_milliseconds(time?))?;
        Some(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
    };
    let value = |(name, messages, time): (String, u64, Option<i64>)| Value {
        name,
        messages,
        last: last(time),
    };
    let found = match kind {
        ValueKind::Chain => count::<Chains>(source, &all, ignored)?.by_count(),
        _ => count::<Analysis>(source, &all, ignored)?.values(kind),
    };
    Ok(found.into_iter().map(value).collect())
}

/// Finds what was asked for and none of the messages that were counted has, with what
/// may have been meant.
#[must_use]
pub fn unknown_values(known: &Analysis, criteria: &Criteria) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    for (field, kind, wanted) in asked(criteria) {
        let names: Vec<_> = known
            .values(kind)
            .into_iter()
            .map(|(name, ..)| name)
            .collect();
        for value in wanted.iter().filter(|value| !value.starts_with('!')) {
            let is_known = |name: &String| match kind {
                ValueKind::Topic => name.starts_with(value),
                _ => name == value,
            };
            if !names.iter().any(is_known) {
                unknown.push(Unknown {
                    field,
                    value: value.clone(),
                    similar: similar(value, &names),
                });
            }
        }
    }
    unknown
}

/// Tells whether a value of a field is asked for, so that [`unknown_values`] has something
/// to find.
#[must_use]
pub fn asks_for_values(criteria: &Criteria) -> bool {
    asked(criteria)
        .iter()
        .any(|(.., wanted)| !wanted.is_empty())
}

fn asked(criteria: &Criteria) -> [(&'static str, ValueKind, &Vec<String>); 5] {
    [
        ("sender", ValueKind::Sender, &criteria.sender),
        ("key", ValueKind::Key, &criteria.key),
        ("topic", ValueKind::Topic, &criteria.topic),
        ("tag", ValueKind::Tag, &criteria.tag),
        ("chain", ValueKind::Chain, &criteria.chain),
    ]
}

/// Finds the names that are spelled alike.
fn similar(value: &str, names: &[String]) -> Vec<String> {
    const MOST: usize = 3;
    const ALIKE: f64 = 0.8;
    let wanted = letters(value);
    let mut alike: Vec<(f64, &String)> = names
        .iter()
        .map(|name| {
            let known = letters(name);
            let contains = wanted.len() > 2 && (known.contains(&wanted) || wanted.contains(&known));
            let by_letters = strsim::jaro_winkler(&wanted, &known);
            let likeness = if contains && !known.is_empty() {
                0.9
            } else {
                0.0
            };
            (by_letters.max(likeness), name)
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike
        .into_iter()
        .take(MOST)
        .map(|(_, name)| name.clone())
        .collect()
}

/// Returns a name's letters and digits in lower case.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// How many messages each chain has, and when the last of them came.
#[derive(Debug, Default)]
struct Chains {
    counts: HashMap<Box<[u8]>, (u64, Option<i64>)>,
    clock: Clock,
}

impl Chains {
    fn by_count(self) -> Vec<(String, u64, Option<i64>)> {
        let counts = self.counts.into_iter();
        let mut counts: Vec<_> = counts
            .map(|(name, (messages, last))| {
                (String::from_utf8_lossy(&name).into_owned(), messages, last)
            })
            .collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }

    fn count(&mut self, name: &[u8], messages: u64, time: Option<i64>) {
        // More than anybody looks through are not told apart.
        const MOST: usize = 10_000;
        if let Some((known, last)) = self.counts.get_mut(name) {
            *known += messages;
            *last = time.max(*last);
        } else if self.counts.len() < MOST {
            self.counts.insert(name.into(), (messages, time));
        }
    }
}

impl Accumulator for Chains {
    fn add(&mut self, found: &Found<'_>) {
        let fields = found.fields;
        let time = fields.recorded_at.as_ref().unwrap_or(&fields.timestamp);
        let time = self.clock.read(time);
        self.count(&fields.chain, 1, time);
    }

    fn merge(&mut self, other: Self) {
        for (name, (messages, time)) in other.counts {
            self.count(&name, messages, time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_spellings_are_found() {
        let names = ["claude_code", "gemini_cli", "@Decision", "llama"].map(str::to_owned);
        for (value, expected) in [
            ("Claude_Code", Some("claude_code")),
            ("Decision", Some("@Decision")),
            ("decisoin", Some("@Decision")),
            ("gemini", Some("gemini_cli")),
            ("zzz", None),
        ] {
            let found = similar(value, &names);
            assert_eq!(found.first().map(String::as_str), expected, "{value}");
        }
    }
}
