//! What an address asks for.

use std::str::FromStr;

use query::{Criteria, Filter, parse_time};

use crate::answer::Refusal;

/// The names and values behind the question mark of an address.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    criteria: Criteria,
    others: Vec<(String, String)>,
}

/// What belongs to single questions.
const OTHERS: [&str; 7] = ["limit", "order", "draw", "full", "buckets", "after", "only"];

impl Asked {
    /// Reads the query of an address. Filters have the names of the viewer's options.
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let mut asked = Self::default();
        let query = query.unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            asked.add(&name, value.into_owned())?;
        }
        Ok(asked)
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        let criteria = &mut self.criteria;
        match name {
            "tier" => criteria.tier.push(value),
            "chain" => criteria.chain.push(value),
            "sender" => criteria.sender.push(value),
            "key" => criteria.key.push(value),
            "topic" => criteria.topic.push(value),
            "id" => criteria.id.push(value),
            "tag" => criteria.tag.push(value),
            "grep" => criteria.grep.push(value),
            "ignore_case" => criteria.ignore_case = flag(name, &value)?,
            "from" => criteria.from = Some(number(name, &value)?),
            "to" => criteria.to = Some(number(name, &value)?),
            "since" | "until" => {
                let time = parse_time(&value).map_err(|error| wrong(name, &value, error))?;
                let bound = if name == "since" {
                    &mut criteria.since
                } else {
                    &mut criteria.until
                };
                *bound = Some(time);
            }
            _ if OTHERS.contains(&name) => self.others.push((name.to_owned(), value)),
            _ => return Err(Refusal::wrong(format!("there is no parameter '{name}'"))),
        }
        Ok(())
    }

    pub(crate) fn filter(&self) -> Result<Filter, Refusal> {
        Ok(Filter::compile(&self.criteria)?)
    }

    /// The filter for one message that is known by its number.
    pub(crate) fn only(number: u64) -> Result<Filter, Refusal> {
        let criteria = Criteria {
            from: Some(number),
            to: Some(number),
            ..Criteria::default()
        };
        Ok(Filter::compile(&criteria)?)
    }

    /// The same filter for messages with these numbers.
    pub(crate) fn within(&self, from: u64, to: u64) -> Result<Filter, Refusal> {
        let mut criteria = self.criteria.clone();
        criteria.from = Some(from.max(criteria.from.unwrap_or(0)));
        criteria.to = Some(to.min(criteria.to.unwrap_or(u64::MAX)));
        Ok(Filter::compile(&criteria)?)
    }

    /// What else was asked for by that name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.others.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.text(name).map(|value| number(name, value)).transpose()
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.text(name).map_or(Ok(false), |value| flag(name, value))
    }
}

fn number(name: &str, value: &str) -> Result<u64, Refusal> {
    u64::from_str(value).map_err(|_| wrong(name, value, "expected a whole number"))
}

fn flag(name: &str, value: &str) -> Result<bool, Refusal> {
    match value {
        "" | "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(wrong(name, value, "expected 1 or 0")),
    }
}

fn wrong(name: &str, value: &str, reason: impl std::fmt::Display) -> Refusal {
    Refusal::wrong(format!("{name}={value}: {reason}"))
}
