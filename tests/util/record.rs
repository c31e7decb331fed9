//! A line of the journal, read by a parser of the tests' own that keeps order and spelling.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The fields that every record starts with.
pub(crate) const FIXED: [&str; 9] = [
    "message_num",
    "topic",
    "sender",
    "timestamp",
    "tier",
    "chain_type",
    "shl_tags",
    "message_id",
    "content",
];

/// One line: names and the exact text of their values, in the order of the line.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    fields: Vec<(String, String)>,
}

impl Record {
    /// Parses a line without its newline.
    #[track_caller]
    pub(crate) fn parse(line: &str) -> Self {
        Self::try_parse(line)
            .unwrap_or_else(|error| panic!("a line that is no record: {error}\n{line}"))
    }

    /// Parses a line without its newline that may be torn.
    pub(crate) fn try_parse(line: &str) -> serde_json::Result<Self> {
        let Fields(fields) = serde_json::from_str(line)?;
        Ok(Self { fields })
    }

    /// Names in the order of the line.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The exact text of a field's value.
    #[track_caller]
    pub(crate) fn raw(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(field, _)| field == name);
        &field
            .unwrap_or_else(|| panic!("no field {name:?} in {:?}", self.names()))
            .1
    }

    /// The parsed value of a field.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> Value {
        serde_json::from_str(self.raw(name)).expect("a raw value is JSON")
    }

    /// The number of the message.
    #[track_caller]
    pub(crate) fn num(&self) -> u64 {
        self.value("message_num")
            .as_u64()
            .expect("message_num is a number")
    }

    /// The message's own id.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.value("message_id")
            .as_str()
            .expect("message_id is a string")
            .to_owned()
    }
}

/// An object whose fields keep their order.
struct Fields(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            fields.push((name, value.get().to_owned()));
        }
        Ok(Fields(fields))
    }
}
