//! The name of a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::MAX_ID;

/// What a client calls its request: everything that the broker sends because of it
/// carries the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// A number from 0 on.
    Number(u64),
    /// A number below 0.
    Negative(i64),
    /// A text of up to [`MAX_ID`] bytes.
    Text(String),
    /// The request's id could not be read.
    #[default]
    Unknown,
}

impl Id {
    /// Returns the id, where a request may have this one.
    pub(crate) fn of(value: Option<Value>) -> Option<Self> {
        match value? {
            Value::Number(number) => {
                let natural = number.as_u64().map(Self::Number);
                natural.or_else(|| number.as_i64().map(Self::Negative))
            }
            Value::String(text) if text.len() <= MAX_ID => Some(Self::Text(text)),
            _ => None,
        }
    }
}

impl std::convert::From<u64> for Id {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}
