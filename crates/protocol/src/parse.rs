//! Reading requests, as the broker does.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::id::Id;
use crate::request::Request;
use crate::{MAX_HEADER, MAX_ID};

/// Why a header is no request. It is said in words that tell what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// It is too long to be read.
    #[error(
        "the header has {length} bytes: at most {MAX_HEADER} are read; messages go in frames of their own behind it"
    )]
    Long {
        /// Its length in bytes.
        length: usize,
    },
    /// It is no JSON.
    #[error("the header is no JSON ({reason}): {OBJECT}")]
    Json {
        /// What is wrong with it.
        reason: String,
    },
    /// It is JSON of another kind.
    #[error("the header is JSON but no object: {OBJECT}")]
    NoObject,
    /// Its id is missing or none.
    #[error(
        "\"id\" must be an integer or a string of at most {MAX_ID} bytes; every reply carries it"
    )]
    Id,
    /// It does not say what is asked for.
    #[error("\"op\" must be one of {}", operations())]
    NoOperation,
    /// Nothing like that can be asked for.
    #[error("there is no op {shown:?}: it must be one of {}", operations())]
    Operation {
        /// The beginning of what was asked for.
        shown: String,
    },
    /// A member is missing, too much, or of the wrong kind.
    #[error("{op}: {reason}; expected {expected}")]
    Members {
        /// What was asked for.
        op: &'static str,
        /// What is wrong.
        reason: String,
        /// What such a request looks like.
        expected: &'static str,
    },
}

const OBJECT: &str = "expected one JSON object such as {\"op\":\"hello\",\"id\":1,\"protocol\":1}";

/// Reads what is left of a request's members.
type Read = fn(Value) -> serde_json::Result<Request>;

/// Each operation, what it looks like for whoever got it wrong, and how it is read.
const OPERATIONS: [(&str, &str, Read); 11] = [
    (
        "hello",
        r#"{"op":"hello","id":1,"protocol":1}"#,
        |members| with(members, Request::Hello),
    ),
    ("ping", r#"{"op":"ping","id":1}"#, |members| {
        nothing(members, Request::Ping)
    }),
    (
        "publish",
        r#"{"op":"publish","id":1} and, each optional, "sequence":N and "origin":{"journal":"...","name":"...","message_num":N,"after":N}, followed by the message's frames"#,
        |members| with(members, Request::Publish),
    ),
    (
        "consume",
        r#"{"op":"consume","id":1,"credit":1..10000} and, each optional, "name":"...","from":number|"start"|"session"|"now"|"after"|{"time":"..."},"initial":...,"filter":{"topic","sender","tier","chain","tag"},"follow":true|false,"pace":number"#,
        |members| with(members, |it| Request::Consume(Box::new(it))),
    ),
    (
        "credit",
        r#"{"op":"credit","id":1,"consumer":N,"credit":0..10000,"received":message_num}"#,
        |members| with(members, Request::Credit),
    ),
    (
        "ack",
        r#"{"op":"ack","id":1,"consumer":N,"message_num":N}"#,
        |members| with(members, Request::Ack),
    ),
    (
        "cancel",
        r#"{"op":"cancel","id":1,"consumer":N}"#,
        |members| with(members, Request::Cancel),
    ),
    (
        "forget",
        r#"{"op":"forget","id":1,"name":"..."}"#,
        |members| with(members, Request::Forget),
    ),
    ("origins", r#"{"op":"origins","id":1}"#, |members| {
        nothing(members, Request::Origins)
    }),
    ("status", r#"{"op":"status","id":1}"#, |members| {
        nothing(members, Request::Status)
    }),
    (
        "archive",
        r#"{"op":"archive","id":1,"label":"optional"}"#,
        |members| with(members, Request::Archive),
    ),
];

/// Reads a header. The id is returned also where the rest is wrong, as far as it can be
/// read.
///
/// # Errors
/// [`Wrong`] where it is no request.
pub fn parse(header: &[u8]) -> (Id, Result<Request, Wrong>) {
    let mut members = match object(header) {
        Ok(members) => members,
        Err(wrong) => return (Id::Unknown, Err(wrong)),
    };
    let Some(id) = Id::of(members.remove("id")) else {
        return (Id::Unknown, Err(Wrong::Id));
    };
    let request = match members.remove("op") {
        Some(Value::String(op)) => request(&op, members),
        _ => Err(Wrong::NoOperation),
    };
    (id, request)
}

fn object(header: &[u8]) -> Result<Map<String, Value>, Wrong> {
    let length = header.len();
    if length > MAX_HEADER {
        return Err(Wrong::Long { length });
    }
    match serde_json::from_slice(header) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Wrong::NoObject),
        Err(error) => Err(Wrong::Json {
            reason: error.to_string(),
        }),
    }
}

fn request(op: &str, members: Map<String, Value>) -> Result<Request, Wrong> {
    let Some(&(op, expected, read)) = OPERATIONS.iter().find(|(known, ..)| *known == op) else {
        let shown = op.chars().take(40).collect();
        return Err(Wrong::Operation { shown });
    };
    read(Value::Object(members)).map_err(|error| Wrong::Members {
        op,
        reason: error.to_string(),
        expected,
    })
}

fn with<T: DeserializeOwned>(
    members: Value,
    request: impl Fn(T) -> Request,
) -> serde_json::Result<Request> {
    serde_json::from_value(members).map(request)
}

fn nothing(members: Value, request: Request) -> serde_json::Result<Request> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let Nothing {} = serde_json::from_value(members)?;
    Ok(request)
}

fn operations() -> String {
    OPERATIONS.map(|(op, ..)| op).join(", ")
}
