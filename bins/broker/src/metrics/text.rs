//! A broker's status in Prometheus' text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::{Peer, Status};
use transport::{CommitTimes, Flow};

/// Writes all metrics.
pub(super) fn write(status: &Status, commits: &CommitTimes, flow: Flow) -> String {
    let mut out = Exposition::default();
    recording(&mut out, status);
    moved(&mut out, flow);
    commit_times(&mut out, commits);
    refused(&mut out, status);
    journal(&mut out, status);
    peers(&mut out, status);
    consumers(&mut out, status);
    out.0
}

fn recording(out: &mut Exposition, status: &Status) {
    out.gauge(
        "up_seconds",
        "For how long the broker runs.",
        status.uptime_seconds,
    );
    out.begin("build_info", "gauge", "The broker's version.");
    out.sample("build_info", &[("version", &status.version)], 1);
    out.counter(
        "messages_recorded_total",
        "Messages recorded in this run.",
        status.recorded.messages,
    );
    out.counter(
        "recorded_bytes_total",
        "Bytes of the lines recorded in this run.",
        status.recorded.bytes,
    );
    out.gauge(
        "stalled",
        "1 while nothing can be recorded, such as on a full disk.",
        u8::from(status.stalled.is_some()),
    );
    let in_flight = status.publishing.in_flight;
    out.gauge(
        "publishes_in_flight",
        "Acknowledged publishes that wait for their reply.",
        in_flight,
    );
}

fn moved(out: &mut Exposition, flow: Flow) {
    for (name, help, value) in [
        (
            "messages_received_total",
            "Messages taken from publishers in this run.",
            flow.received_messages,
        ),
        (
            "received_bytes_total",
            "Their bytes on the wire.",
            flow.received_bytes,
        ),
        (
            "messages_delivered_total",
            "Messages handed to subscribers in this run, each to each.",
            flow.delivered_messages,
        ),
        (
            "delivered_bytes_total",
            "Their bytes on the wire.",
            flow.delivered_bytes,
        ),
    ] {
        out.counter(name, help, value);
    }
}

fn commit_times(out: &mut Exposition, commits: &CommitTimes) {
    const NAME: &str = "commit_duration_seconds";
    out.begin(
        NAME,
        "histogram",
        "How long commits took, one write and one fsync each.",
    );
    for (bound, count) in &commits.buckets {
        out.sample(
            &format!("{NAME}_bucket"),
            &[("le", &bound.to_string())],
            count,
        );
    }
    out.sample(&format!("{NAME}_bucket"), &[("le", "+Inf")], commits.count);
    out.sample(&format!("{NAME}_sum"), &[], commits.sum);
    out.sample(&format!("{NAME}_count"), &[], commits.count);
}

fn refused(out: &mut Exposition, status: &Status) {
    let refused = &status.refused;
    out.begin(
        "refused_total",
        "counter",
        "What was refused, by what it was.",
    );
    for (what, count) in [
        ("message", refused.messages),
        ("publisher", refused.disconnected),
        ("request", refused.requests),
        ("socket_type", refused.strangers),
    ] {
        out.sample("refused_total", &[("what", what)], count);
    }
}

fn journal(out: &mut Exposition, status: &Status) {
    out.gauge(
        "last_message_number",
        "The number of the newest message.",
        status.last_message_num,
    );
    let session = &status.session;
    out.gauge(
        "session_messages",
        "Messages in the session being written.",
        session.messages,
    );
    out.gauge(
        "session_bytes",
        "The length of the session being written.",
        session.bytes,
    );
    if let Some(age) = status.last_commit_age_ms {
        let last = SystemTime::now().checked_sub(Duration::from_millis(age));
        let last = last.and_then(|last| last.duration_since(UNIX_EPOCH).ok());
        out.gauge(
            "last_commit_timestamp_seconds",
            "When the last commit was, in seconds since 1970.",
            last.unwrap_or_default().as_secs_f64(),
        );
    }
    if let Some(room) = status.disk_room_bytes {
        out.gauge("disk_free_bytes", "What can still be written.", room);
    }
    out.gauge(
        "unread_files",
        "Files in the archive that were not read at the start.",
        status.unread.len(),
    );
    let missing: u64 = status
        .missing
        .iter()
        .map(|one| one.last - one.first + 1)
        .sum();
    out.gauge(
        "missing_messages",
        "Numbers that the journal's files lacked at the start.",
        missing,
    );
    let damage = &status.damage;
    out.begin(
        "damaged_lines",
        "gauge",
        "Damage that was seen in this run, by where.",
    );
    for (place, count) in [
        ("at_start", damage.at_start),
        ("altered_at_start", damage.altered_at_start),
        ("read_since", damage.passed_over),
    ] {
        out.sample("damaged_lines", &[("seen", place)], count);
    }
}

fn peers(out: &mut Exposition, status: &Status) {
    out.begin(
        "connections",
        "gauge",
        "Who is connected, by port and mechanism.",
    );
    let subscribers = status.subscribers.list.iter().map(|one| &one.peer);
    let ports: [(&str, Vec<&Peer>); 3] = [
        ("publish", status.publishers.list.iter().collect()),
        ("subscribe", subscribers.collect()),
        ("control", status.clients.list.iter().collect()),
    ];
    for (port, peers) in ports {
        let mut counts = BTreeMap::from([("NULL", 0_u64), ("CURVE", 0)]);
        for peer in peers {
            *counts.entry(&peer.mechanism).or_default() += 1;
        }
        for (mechanism, count) in counts {
            out.sample(
                "connections",
                &[("port", port), ("mechanism", mechanism)],
                count,
            );
        }
    }
    let lag = status.subscribers.list.iter().map(|one| one.lag).max();
    out.gauge(
        "subscriber_lag_messages",
        "How many messages the slowest subscriber is behind.",
        lag.unwrap_or(0),
    );
}

fn consumers(out: &mut Exposition, status: &Status) {
    out.begin(
        "consumer_lag_messages",
        "gauge",
        "How many messages a named consumer has not acknowledged.",
    );
    for consumer in &status.consumers {
        if let (Some(name), Some(acked)) = (&consumer.name, consumer.acked) {
            let lag = status.last_message_num.saturating_sub(acked);
            out.sample("consumer_lag_messages", &[("consumer", name)], lag);
        }
    }
}

/// Metrics as they are written; all have the same prefix.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    const PREFIX: &str = "recorder_";

    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let prefix = Self::PREFIX;
        self.line(&format!("# HELP {prefix}{name} {help}"));
        self.line(&format!("# TYPE {prefix}{name} {kind}"));
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, "gauge", help);
        self.sample(name, &[], value);
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, "counter", help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        self.line(&format!("{}{name}{labels} {value}", Self::PREFIX));
    }

    fn line(&mut self, line: &str) {
        let _infallible: std::fmt::Result = writeln!(self.0, "{line}");
    }
}

/// Escapes what would end a label's value.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_value_or_its_line() {
        let mut out = Exposition::default();
        out.sample("lag", &[("consumer", "a\"} 1\nevil \\")], 7);
        assert_eq!(out.0, "recorder_lag{consumer=\"a\\\"} 1\\nevil \\\\\"} 7\n");
    }

    #[test]
    fn commit_times_are_a_cumulative_histogram_with_sum_and_count() {
        let mut out = Exposition::default();
        let commits = CommitTimes {
            buckets: vec![(0.001, 2), (0.01, 5)],
            count: 6,
            sum: 0.5,
        };
        commit_times(&mut out, &commits);
        let samples: Vec<&str> = out.0.lines().skip(2).collect();
        assert_eq!(
            samples,
            [
                "recorder_commit_duration_seconds_bucket{le=\"0.001\"} 2",
                "recorder_commit_duration_seconds_bucket{le=\"0.01\"} 5",
                "recorder_commit_duration_seconds_bucket{le=\"+Inf\"} 6",
                "recorder_commit_duration_seconds_sum 0.5",
                "recorder_commit_duration_seconds_count 6",
            ]
        );
    }
}
