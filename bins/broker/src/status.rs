//! `broker status`: what a running broker does, for people and as JSON.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context as _;
use client::{Client, Status};
use protocol::{Consumer, Missing, Peer, Peers, Subscriber};
use render::{duration, size};
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::line::line;
use crate::shown::shown;

/// How many subscribers and consumers are listed.
const LISTED: usize = 20;

pub(crate) fn run(client: &mut Client, json: bool, out: &mut impl Write) -> anyhow::Result<Exit> {
    let answer = client.status_json()?;
    let status: Status = protocol::read(&answer).context("this broker answers otherwise")?;
    let exit = if finding(&status).is_some() || !status.missing.is_empty() {
        Exit::Found
    } else {
        Exit::Done
    };
    if json {
        // All of it, also what only a newer broker has to tell.
        let mut all: Map<String, Value> = serde_json::from_slice(&answer)?;
        protocol::open_envelope(&mut all);
        line(out, &serde_json::to_string_pretty(&all)?)?;
    } else {
        print(&status, out)?;
    }
    Ok(exit)
}

/// Says what somebody should look at.
pub(crate) fn finding(status: &Status) -> Option<String> {
    if let Some(stalled) = &status.stalled {
        return Some(format!(
            "NOTHING IS RECORDED since {}: {}",
            shown(&stalled.since),
            shown(&stalled.reason)
        ));
    }
    let damage = &status.damage;
    let damaged = damage.at_start.saturating_add(damage.passed_over);
    let altered = damage.altered_at_start;
    (damaged > 0 || altered > 0).then(|| {
        format!(
            "damage was seen: {damaged} stretches that are no record, {altered} altered records; \
             `viewer verify --all` says where"
        )
    })
}

/// Says which messages are not in the journal's files any more.
fn missing(one: &Missing) -> String {
    let there = match &one.there {
        Some(there) => format!("they were there at {}", shown(there)),
        None => "the journal never had them, but a consumer has".to_owned(),
    };
    format!(
        "MISSING: messages {} to {} are not in the journal's files; {there}; noticed at {}",
        one.first,
        one.last,
        shown(&one.since)
    )
}

fn print(status: &Status, out: &mut impl Write) -> io::Result<()> {
    match finding(status) {
        Some(finding) => line(out, &format!("[!] {finding}"))?,
        None => line(out, "[*] Recording")?,
    }
    for one in status.missing.iter().take(LISTED) {
        line(out, &format!("[!] {}", missing(one)))?;
    }
    for text in [overview(status), speed(status), refused(status)] {
        line(out, &text)?;
    }
    let lists = [
        peers("Publishers", &status.publishers),
        list(
            "Subscribers",
            status.subscribers.count,
            status.subscribers.list.iter().map(subscriber),
        ),
        peers("Clients of the control port", &status.clients),
        list(
            "Consumers",
            status.consumers.len() as u64,
            status.consumers.iter().map(consumer),
        ),
    ];
    for text in lists.iter().flatten() {
        line(out, text)?;
    }
    Ok(())
}

fn overview(status: &Status) -> String {
    let session = &status.session;
    let room = match status.disk_room_bytes {
        Some(room) => format!("{} free on its disk", size(room)),
        None => "the system does not tell how much is free on its disk".to_owned(),
    };
    format!(
        "[*] Broker {} (process {}), up for {}\n\
         [*] Session {}: {} messages, {}; {room}\n\
         [*] Last message: {}; {} recorded in this run",
        shown(&status.version),
        status.pid,
        duration(Duration::from_secs(status.uptime_seconds).as_secs_f64()),
        shown(&session.file),
        session.messages,
        size(session.bytes),
        status.last_message_num,
        status.recorded.messages,
    )
}

fn speed(status: &Status) -> String {
    let (Some(age), Some(commits)) = (status.last_commit_age_ms, &status.commits) else {
        return "[*] Nothing was recorded in this run yet".to_owned();
    };
    let ms = |us: u64| Duration::from_micros(us).as_secs_f64() * 1000.0;
    format!(
        "[*] Last write and fsync {} ago; {} of them took {:.2} ms at the median, {:.2} ms at 99%, {:.2} ms at most",
        duration(Duration::from_millis(age).as_secs_f64()),
        commits.count,
        ms(commits.p50_us),
        ms(commits.p99_us),
        ms(commits.max_us),
    )
}

fn refused(status: &Status) -> String {
    let refused = &status.refused;
    format!(
        "[*] Refused: {} messages, {} requests; {} publishers disconnected; {} sockets of the \
         wrong kind",
        refused.messages, refused.requests, refused.disconnected, refused.strangers,
    )
}

/// Who is connected to a port.
fn peers(title: &str, all: &Peers) -> Vec<String> {
    let say = |one: &Peer| format!("{} ({})", shown(&one.peer), kind(one));
    list(title, all.count, all.list.iter().map(say))
}

/// What a peer is, which version it speaks, and whose key it has shown.
fn kind(one: &Peer) -> String {
    let key = match &one.key {
        Some(key) => format!(", key {}", shown(key)),
        None => String::new(),
    };
    format!(
        "{}, ZMTP {}, {}{key}",
        shown(one.socket.as_deref().unwrap_or_default()),
        shown(&one.protocol),
        shown(&one.mechanism)
    )
}

fn subscriber(one: &Subscriber) -> String {
    let topics: Vec<String> = one
        .topics
        .iter()
        .map(|topic| format!("{topic:?}"))
        .collect();
    let topics = match one.topic_count.checked_sub(topics.len() as u64) {
        _ if one.topic_count == 0 => "nothing yet".to_owned(),
        Some(more) if more > 0 => format!("{} and {more} more topics", topics.join(", ")),
        _ => topics.join(", "),
    };
    format!(
        "{} ({}) wants {topics}; {} behind",
        shown(&one.peer.peer),
        kind(&one.peer),
        one.lag
    )
}

fn consumer(one: &Consumer) -> String {
    let name = one.name.as_deref().unwrap_or("(without a name)");
    let lag = one.lag.unwrap_or(0);
    let place = match (one.connected, one.position) {
        (_, None) => "its position can't be read".to_owned(),
        (true, Some(position)) => format!("at {position}, {lag} behind"),
        (false, Some(position)) => format!("away at {position}, {lag} behind"),
    };
    format!("{}: {place}", shown(name))
}

/// A title with a number, and the first lines of what it stands for.
fn list(title: &str, count: u64, mut all: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = all.len().saturating_sub(LISTED);
    let mut lines = vec![format!("[*] {title}: {count}")];
    lines.extend(all.by_ref().take(LISTED).map(|one| format!("      {one}")));
    if more > 0 {
        lines.push(format!("      and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_answer_drives_the_terminal() {
        let page = include_str!("../../../docs/protocol.md");
        let start = page.find(r#"{"type":"reply","id":12,"version""#).unwrap();
        let example = page[start..].split("```").next().unwrap();
        let mut status: Status = protocol::read(example.as_bytes()).unwrap();
        let odd = || "\u{1b}[2J\u{202e}".to_owned();
        status.stalled = Some(protocol::Stalled {
            reason: odd(),
            since: odd(),
        });
        (status.version, status.session.file) = (odd(), odd());
        status.missing.push(Missing {
            first: 1,
            last: 2,
            there: Some(odd()),
            since: odd(),
        });
        let peer = Peer {
            peer: odd(),
            socket: Some(odd()),
            protocol: odd(),
            mechanism: odd(),
            key: Some(odd()),
        };
        status.publishers.list = vec![peer.clone(); 30];
        status.subscribers.list.push(Subscriber {
            peer,
            topics: vec![odd()],
            topic_count: 9,
            position: 1,
            lag: 2,
        });
        status.consumers.push(Consumer {
            consumer: None,
            name: Some(odd()),
            connected: false,
            position: None,
            lag: None,
            acked: None,
        });
        let mut out = Vec::new();
        print(&status, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert!(
            text.contains("and 10 more\n") && text.contains("and 8 more topics"),
            "{text}"
        );
    }
}
