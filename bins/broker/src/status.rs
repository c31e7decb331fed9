//! `broker status`: what a running broker does, for people and as JSON.

use std::io::{self, Write};

use client::Client;
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::report::line;
use crate::shown::shown;
pub(crate) use crate::shown::size;

/// So many subscribers and consumers are listed.
const LISTED: usize = 20;

pub(crate) fn run(client: &mut Client, json: bool, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut status = client.status()?;
    let exit = if finding(&status).is_some() || !missing(&status).is_empty() {
        Exit::Found
    } else {
        Exit::Done
    };
    if json {
        status.remove("id");
        status.remove("type");
        line(out, &serde_json::to_string_pretty(&status)?)?;
    } else {
        print(&status, out)?;
    }
    Ok(exit)
}

/// Says what somebody should look at.
pub(crate) fn finding(status: &Map<String, Value>) -> Option<String> {
    let status = Value::Object(status.clone());
    if let Some(reason) = status["stalled"]["reason"].as_str() {
        let since = text(&status["stalled"]["since"]);
        return Some(format!(
            "NOTHING IS RECORDED since {since}: {}",
            shown(reason)
        ));
    }
    let count = |name: &str| status["damage"][name].as_u64().unwrap_or(0);
    let (damaged, altered) = (
        count("at_start") + count("passed_over"),
        count("altered_at_start"),
    );
    (damaged + altered > 0).then(|| {
        format!(
            "damage was seen: {damaged} stretches that are no record, {altered} altered records; \
             `viewer verify --all` says where"
        )
    })
}

/// Says which messages are not in the journal's files any more.
fn missing(status: &Map<String, Value>) -> Vec<String> {
    let list = status.get("missing").and_then(Value::as_array);
    let say = |one: &Value| {
        let there = match one["there"].as_str() {
            Some(there) => format!("they were there at {}", shown(there)),
            None => "the journal never had them, but a consumer has".to_owned(),
        };
        format!(
            "MISSING: messages {} to {} are not in the journal's files; {there}; noticed at {}",
            one["first"],
            one["last"],
            text(&one["since"])
        )
    };
    list.map_or(&[][..], Vec::as_slice)
        .iter()
        .take(LISTED)
        .map(say)
        .collect()
}

fn print(status: &Map<String, Value>, out: &mut impl Write) -> io::Result<()> {
    match finding(status) {
        Some(finding) => line(out, &format!("[!] {finding}"))?,
        None => line(out, "[*] Recording")?,
    }
    for missing in missing(status) {
        line(out, &format!("[!] {missing}"))?;
    }
    let status = Value::Object(status.clone());
    for text in [overview(&status), speed(&status), refused(&status)] {
        line(out, &text)?;
    }
    let lists = [
        peers(&status, "Publishers", "publishers"),
        subscribers(&status),
        peers(&status, "Clients of the control port", "clients"),
        consumers(&status),
    ];
    for text in lists.iter().flatten() {
        line(out, text)?;
    }
    Ok(())
}

fn overview(status: &Value) -> String {
    let session = &status["session"];
    let room = match status["disk_room_bytes"].as_u64() {
        Some(room) => format!("{} free on its disk", size(room)),
        None => "the system does not tell how much is free on its disk".to_owned(),
    };
    format!(
        "[*] Broker {} (process {}), up for {}\n\
         [*] Session {}: {} messages, {}; {room}\n\
         [*] Last message: {}; {} recorded in this run",
        text(&status["version"]),
        status["pid"],
        duration(status["uptime_seconds"].as_u64().unwrap_or(0)),
        text(&session["file"]),
        session["messages"],
        size(session["bytes"].as_u64().unwrap_or(0)),
        status["last_message_num"],
        status["recorded"]["messages"],
    )
}

fn speed(status: &Value) -> String {
    let commits = &status["commits"];
    let Some(age) = status["last_commit_age_ms"].as_u64() else {
        return "[*] Nothing was recorded in this run yet".to_owned();
    };
    let ms = |name: &str| commits[name].as_f64().unwrap_or(0.0) / 1000.0;
    format!(
        "[*] Last write and fsync {} ago; {} of them took {:.2} ms at the median, {:.2} ms at 99%, {:.2} ms at most",
        duration(age / 1000),
        commits["count"],
        ms("p50_us"),
        ms("p99_us"),
        ms("max_us"),
    )
}

fn refused(status: &Value) -> String {
    let refused = &status["refused"];
    format!(
        "[*] Refused: {} messages, {} requests; {} publishers disconnected; {} sockets of the \
         wrong kind",
        refused["messages"], refused["requests"], refused["disconnected"], refused["strangers"],
    )
}

/// Who is connected to a port.
fn peers(status: &Value, title: &str, name: &str) -> Vec<String> {
    let all = &status[name];
    let mut lines = vec![format!("[*] {title}: {}", all["count"])];
    let list = all["list"].as_array().map_or(&[][..], Vec::as_slice);
    let say = |one: &Value| format!("      {} ({})", text(&one["peer"]), kind(one));
    lines.extend(list.iter().take(LISTED).map(say));
    more(&mut lines, list.len());
    lines
}

/// What a peer is, which version it speaks, and whose key it has shown.
fn kind(one: &Value) -> String {
    let key = match one["key"].as_str() {
        Some(key) => format!(", key {}", shown(key)),
        None => String::new(),
    };
    format!(
        "{}, ZMTP {}, {}{key}",
        text(&one["socket"]),
        text(&one["protocol"]),
        text(&one["mechanism"])
    )
}

fn subscribers(status: &Value) -> Vec<String> {
    let all = &status["subscribers"];
    let mut lines = vec![format!("[*] Subscribers: {}", all["count"])];
    let list = all["list"].as_array().map_or(&[][..], Vec::as_slice);
    lines.extend(list.iter().take(LISTED).map(|one| {
        let topics: Vec<String> = one["topics"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|topic| format!("{:?}", topic.as_str().unwrap_or_default()))
            .collect();
        let topics = match one["topic_count"].as_u64() {
            Some(0) | None => "nothing yet".to_owned(),
            Some(count) if count > topics.len() as u64 => {
                format!(
                    "{} and {} more topics",
                    topics.join(", "),
                    count - topics.len() as u64
                )
            }
            Some(_) => topics.join(", "),
        };
        format!(
            "      {} ({}) wants {topics}; {} behind",
            text(&one["peer"]),
            kind(one),
            one["lag"]
        )
    }));
    more(&mut lines, list.len());
    lines
}

fn consumers(status: &Value) -> Vec<String> {
    let list = status["consumers"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut lines = vec![format!("[*] Consumers: {}", list.len())];
    lines.extend(list.iter().take(LISTED).map(|one| {
        let name = one["name"].as_str().unwrap_or("(without a name)");
        let place = match (one["connected"].as_bool(), one["position"].as_u64()) {
            (_, None) => "its position can't be read".to_owned(),
            (Some(true), Some(position)) => format!("at {position}, {} behind", one["lag"]),
            (_, Some(position)) => format!("away at {position}, {} behind", one["lag"]),
        };
        format!("      {}: {place}", shown(name))
    }));
    more(&mut lines, list.len());
    lines
}

fn more(lines: &mut Vec<String>, count: usize) {
    if count > LISTED {
        lines.push(format!("      and {} more", count - LISTED));
    }
}

/// A text that can't drive a terminal, whatever the broker answers.
fn text(value: &Value) -> String {
    shown(value.as_str().unwrap_or_default())
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_and_durations_are_for_people() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(u64::MAX), "17179869183.9 GiB");
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(3_700), "1 h 1 min");
        assert_eq!(duration(200_000), "2 d 7 h");
    }

    #[test]
    fn an_answer_of_any_shape_is_printed_and_drives_no_terminal() {
        let odd = json!({
            "stalled": {"reason": "\u{1b}[2J", "since": "\u{202e}"},
            "subscribers": {"count": 1, "list": [{"peer": "\u{1b}", "key": "\u{1b}", "mechanism": "\u{1b}", "topics": ["\u{1b}", 7], "topic_count": 9}]},
            "consumers": [{"name": "\u{1b}"}, 5],
            "missing": [{"first": 1, "there": "\u{1b}", "since": "\u{202e}"}, 5],
        });
        for status in [json!({}), odd] {
            let mut out = Vec::new();
            print(status.as_object().unwrap(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        }
    }
}
