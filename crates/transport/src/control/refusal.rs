//! Why a request is not done, in words and as a code.

use serde_json::{Map, Value};

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    code: &'static str,
    message: String,
    more: Map<String, Value>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            more: Map::new(),
        }
    }

    /// The request can't be understood, or asks for what there is not.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new("bad_request", message)
    }

    /// Adds a member that programs can use.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// For a publish request: certain that nothing was recorded.
    pub(crate) fn not_recorded(self) -> Self {
        self.with("recorded", false)
    }

    /// Returns the header of the error reply.
    pub(crate) fn reply(self, id: &Value) -> String {
        let mut reply = Map::new();
        reply.insert("type".to_owned(), "error".into());
        reply.insert("id".to_owned(), id.clone());
        reply.insert("code".to_owned(), self.code.into());
        reply.insert("message".to_owned(), self.message.into());
        reply.extend(self.more);
        Value::Object(reply).to_string()
    }
}

/// Returns the header of a reply with these members.
pub(crate) fn reply(id: &Value, members: Value) -> String {
    let mut reply = Map::new();
    reply.insert("type".to_owned(), "reply".into());
    reply.insert("id".to_owned(), id.clone());
    if let Value::Object(members) = members {
        reply.extend(members);
    }
    Value::Object(reply).to_string()
}
