//! What does a client ask for? The header frame of a request, checked.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::limits;
use super::refusal::Refusal;
use crate::keys::Member;

/// A request, all of whose members are within the limits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Hello,
    Ping,
    Publish,
    Consume(Box<Consume>),
    Credit(Credit),
    Ack(Ack),
    Cancel(Cancel),
    Forget(Forget),
    Status,
    Archive(Archive),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consume {
    pub(crate) name: Option<String>,
    pub(crate) from: Option<From>,
    /// Where to begin when the broker keeps no position for the name yet.
    pub(crate) initial: Option<From>,
    #[serde(default)]
    pub(crate) filter: Filter,
    pub(crate) credit: u64,
    #[serde(default = "yes")]
    pub(crate) follow: bool,
    pub(crate) pace: Option<f64>,
    /// Who asks, where a key is needed: it may have rights to some topics only.
    #[serde(skip)]
    pub(crate) member: Option<Arc<Member>>,
}

/// Where a consumer begins.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum From {
    /// At the message with this number.
    Number(u64),
    Time {
        time: String,
    },
    /// `start`, `session`, `now` or `after`.
    Word(String),
}

/// All of it has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// How the topic begins.
    pub(crate) topic: Option<String>,
    pub(crate) sender: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) chain: Option<String>,
    pub(crate) tag: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credit {
    pub(crate) consumer: u64,
    pub(crate) credit: u64,
    pub(crate) received: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ack {
    pub(crate) consumer: u64,
    pub(crate) message_num: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    pub(crate) consumer: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forget {
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archive {
    pub(crate) label: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    protocol: u64,
    #[serde(rename = "client")]
    _client: Option<String>,
}

fn yes() -> bool {
    true
}

/// What each operation looks like, for whoever got it wrong.
const EXPECTED: [(&str, &str); 10] = [
    ("hello", r#"{"op":"hello","id":1,"protocol":1}"#),
    ("ping", r#"{"op":"ping","id":1}"#),
    (
        "publish",
        r#"{"op":"publish","id":1}, followed by the message's frames"#,
    ),
    (
        "consume",
        r#"{"op":"consume","id":1,"credit":1..10000} and, each optional, "name":"...","from":number|"start"|"session"|"now"|"after"|{"time":"..."},"initial":...,"filter":{"topic","sender","tier","chain","tag"},"follow":true|false,"pace":number"#,
    ),
    (
        "credit",
        r#"{"op":"credit","id":1,"consumer":N,"credit":0..10000,"received":message_num}"#,
    ),
    ("ack", r#"{"op":"ack","id":1,"consumer":N,"message_num":N}"#),
    ("cancel", r#"{"op":"cancel","id":1,"consumer":N}"#),
    ("forget", r#"{"op":"forget","id":1,"name":"..."}"#),
    ("status", r#"{"op":"status","id":1}"#),
    ("archive", r#"{"op":"archive","id":1,"label":"optional"}"#),
];

/// Reads a header. The id is returned also where the rest is wrong, as far as
/// it can be read; it is `null` where it can't.
pub(crate) fn parse(header: &[u8]) -> (Value, Result<Request, Refusal>) {
    let mut members = match object(header) {
        Ok(members) => members,
        Err(refusal) => return (Value::Null, Err(refusal)),
    };
    let id = match id(members.remove("id")) {
        Ok(id) => id,
        Err(refusal) => return (Value::Null, Err(refusal)),
    };
    let request = match members.remove("op") {
        Some(Value::String(op)) => request(&op, members),
        _ => Err(Refusal::bad(format!(
            "\"op\" must be one of {}",
            operations()
        ))),
    };
    (id, request)
}

fn object(header: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if header.len() > limits::HEADER {
        let length = header.len();
        return Err(Refusal::bad(format!(
            "the header has {length} bytes: at most {} are read; messages go in frames of their own behind it",
            limits::HEADER
        )));
    }
    let expected = "expected one JSON object such as {\"op\":\"hello\",\"id\":1,\"protocol\":1}";
    match serde_json::from_slice(header) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::bad(format!(
            "the header is JSON but no object: {expected}"
        ))),
        Err(error) => Err(Refusal::bad(format!(
            "the header is no JSON ({error}): {expected}"
        ))),
    }
}

fn id(id: Option<Value>) -> Result<Value, Refusal> {
    match id {
        Some(id @ Value::Number(_)) if id.is_u64() || id.is_i64() => Ok(id),
        Some(Value::String(text)) if text.len() <= limits::ID => Ok(Value::String(text)),
        _ => Err(Refusal::bad(format!(
            "\"id\" must be an integer or a string of at most {} bytes; every reply carries it",
            limits::ID
        ))),
    }
}

fn operations() -> String {
    EXPECTED.map(|(op, _)| op).join(", ")
}

fn request(op: &str, members: Map<String, Value>) -> Result<Request, Refusal> {
    let Some((_, expected)) = EXPECTED.iter().find(|(known, _)| *known == op) else {
        let shown: String = op.chars().take(40).collect();
        let message = format!(
            "there is no op {shown:?}: it must be one of {}",
            operations()
        );
        return Err(Refusal::bad(message));
    };
    read(op, members).map_err(|wrong| match wrong {
        Wrong::Members(error) => Refusal::bad(format!("{op}: {error}; expected {expected}")),
        Wrong::Value(refusal) => refusal,
    })
}

/// What is wrong with a request whose operation is known.
enum Wrong {
    Members(serde_json::Error),
    Value(Refusal),
}

impl std::convert::From<serde_json::Error> for Wrong {
    fn from(error: serde_json::Error) -> Self {
        Self::Members(error)
    }
}

impl std::convert::From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self::Value(refusal)
    }
}

fn read(op: &str, members: Map<String, Value>) -> Result<Request, Wrong> {
    let members = Value::Object(members);
    Ok(match op {
        "hello" => {
            let hello: Hello = serde_json::from_value(members)?;
            check_protocol(hello.protocol)?;
            Request::Hello
        }
        "consume" => {
            let consume: Consume = serde_json::from_value(members)?;
            check_consume(&consume)?;
            Request::Consume(Box::new(consume))
        }
        "credit" => {
            let credit: Credit = serde_json::from_value(members)?;
            check_credit(credit.credit, 0)?;
            Request::Credit(credit)
        }
        "ack" => Request::Ack(serde_json::from_value(members)?),
        "cancel" => Request::Cancel(serde_json::from_value(members)?),
        "forget" => {
            let forget: Forget = serde_json::from_value(members)?;
            check_name(&forget.name)?;
            Request::Forget(forget)
        }
        "archive" => Request::Archive(serde_json::from_value(members)?),
        op => {
            let Nothing {} = serde_json::from_value(members)?;
            match op {
                "publish" => Request::Publish,
                "status" => Request::Status,
                _ => Request::Ping,
            }
        }
    })
}

fn check_protocol(protocol: u64) -> Result<(), Refusal> {
    if protocol == limits::PROTOCOL {
        return Ok(());
    }
    let message = format!(
        "version {protocol} of the protocol is not spoken here: this broker speaks version {}",
        limits::PROTOCOL
    );
    let spoken = vec![Value::from(limits::PROTOCOL)];
    Err(Refusal::new("unsupported_protocol", message).with("protocols", spoken))
}

fn check_consume(consume: &Consume) -> Result<(), Refusal> {
    check_credit(consume.credit, 1)?;
    if let Some(name) = &consume.name {
        check_name(name)?;
    }
    for from in [&consume.from, &consume.initial].into_iter().flatten() {
        check_from(from)?;
    }
    if matches!(&consume.initial, Some(From::Word(word)) if word == "after") {
        return Err(Refusal::bad(
            "\"initial\" says where to begin instead of \"after\"",
        ));
    }
    if consume.from.is_none() && consume.name.is_none() {
        let message = "a consumer without a \"name\" says where to begin: \"from\" is missing";
        return Err(Refusal::bad(message));
    }
    let after = matches!(&consume.from, Some(From::Word(word)) if word == "after");
    if after && consume.name.is_none() {
        let message = "\"from\":\"after\" needs a \"name\": the broker keeps positions by name";
        return Err(Refusal::bad(message));
    }
    let pace_is_fine = consume.pace.is_none_or(|pace| limits::PACE.contains(&pace));
    if !pace_is_fine {
        let message = format!(
            "\"pace\" must be from {} to {}: 1 is the original pace, 10 is ten times as fast",
            limits::PACE.start(),
            limits::PACE.end()
        );
        return Err(Refusal::bad(message));
    }
    check_filter(&consume.filter)
}

fn check_from(from: &From) -> Result<(), Refusal> {
    let fine = match from {
        From::Number(number) => *number > 0,
        From::Word(word) => matches!(&**word, "start" | "session" | "now" | "after"),
        From::Time { time } => super::moment::parse(time).is_some(),
    };
    if fine {
        return Ok(());
    }
    Err(Refusal::bad(
        "a position must be a message_num from 1 on, \"start\", \"session\", \"now\", \"after\" \
         or {\"time\":\"2025-11-20T04:30:00Z\"}",
    ))
}

fn check_filter(filter: &Filter) -> Result<(), Refusal> {
    let Filter {
        topic,
        sender,
        tier,
        chain,
        tag,
    } = filter;
    let texts = [topic, sender, tier, chain, tag];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.len() > limits::FILTER)
    {
        let message = format!("a filter's text has at most {} bytes", limits::FILTER);
        return Err(Refusal::bad(message));
    }
    Ok(())
}

fn check_credit(credit: u64, least: u64) -> Result<(), Refusal> {
    if (least..=limits::CREDIT).contains(&credit) {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "\"credit\" is {credit}: it must be from {least} to {}",
        limits::CREDIT
    )))
}

/// Names become file names: what is allowed in them is harmless on every
/// system, also where upper and lower case are the same.
fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if !name.is_empty() && name.len() <= limits::NAME && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "a consumer's name has 1 to {} characters out of a-z, 0-9, _ and -",
        limits::NAME
    )))
}

#[cfg(test)]
mod tests;
