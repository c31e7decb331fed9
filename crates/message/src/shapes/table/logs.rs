//! Logs, chats of people, and lines that carry others.

use super::When::{Any, Has, Text};
use super::{NONE, Shape};

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "loguru",
        default: "unknown",
        when: &[Has("record/message")],
        sender: &["record/name"],
        time: &["record/time/timestamp", "record/time/repr"],
        text: &["record/message"],
        carried: &["record/message"],
        ..NONE
    },
    Shape {
        name: "slack",
        default: "unknown",
        when: &[
            Has("ts"),
            Has("text"),
            Any(&["user", "bot_id", "username", "user_profile"]),
        ],
        sender: &[
            "user_profile/real_name",
            "user_profile/display_name",
            "username",
            "user",
            "bot_id",
        ],
        topic: &["channel"],
        time: &["ts"],
        id: &["ts"],
        reply: &["thread_ts"],
        text: &["text", "attachments", "blocks", "files"],
        ..NONE
    },
    Shape {
        name: "docker",
        default: "unknown",
        when: &[Text("log"), Any(&["stream", "time"])],
        text: &["log"],
        inner: &["log"],
        ..NONE
    },
    Shape {
        name: "journald",
        default: "unknown",
        when: &[Has("MESSAGE")],
        sender: &["SYSLOG_IDENTIFIER", "_COMM"],
        time: &["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"],
        text: &["MESSAGE"],
        inner: &["MESSAGE"],
        ..NONE
    },
    Shape {
        name: "nats",
        default: "unknown",
        when: &[
            Has("message/subject"),
            Any(&["message/data", "message/payload"]),
        ],
        topic: &["message/subject"],
        time: &["message/time"],
        id: &["message/seq"],
        text: &["message/data", "message/payload"],
        base64: &["message/data", "message/payload"],
        ..NONE
    },
    Shape {
        name: "nats",
        default: "unknown",
        when: &[Has("subject"), Any(&["data", "payload", "Data"])],
        topic: &["subject"],
        id: &["seq", "stream_seq", "sequence"],
        text: &["data", "payload", "Data"],
        base64: &["data", "payload", "Data"],
        ..NONE
    },
    Shape {
        name: "nats",
        default: "unknown",
        when: &[Has("Subject"), Any(&["Data", "data"])],
        topic: &["Subject"],
        time: &["Time", "Timestamp"],
        id: &["Seq", "Sequence"],
        text: &["Data", "data"],
        base64: &["Data", "data"],
        ..NONE
    },
    Shape {
        name: "",
        default: "unknown",
        when: &[Any(RECORDS)],
        text: CARRIED,
        carried: CARRIED,
        ..NONE
    },
    Shape {
        name: "log",
        default: "unknown",
        when: &[
            Any(&["level", "levelname", "severity", "log.level", "log/level"]),
            Any(&["msg", "message", "event"]),
        ],
        carried: &["message", "msg", "event"],
        ..NONE
    },
    Shape {
        name: "log",
        default: "unknown",
        when: &[
            Any(&["level", "levelname", "severity", "log.level", "log/level"]),
            Any(&["time", "ts", "timestamp", "@timestamp"]),
        ],
        carried: CARRIED,
        ..NONE
    },
    Shape {
        name: "",
        default: "unknown",
        when: &[Any(CARRIED)],
        carried: CARRIED,
        ..NONE
    },
];

/// A journal's line in a line.
const RECORDS: &[&str] = &[
    "record/message_num",
    "message/message_num",
    "data/message_num",
    "payload/message_num",
    "value/message_num",
    "event/message_num",
    "jsonPayload/message_num",
];

/// Where programs that collect lines keep what they carry.
const CARRIED: &[&str] = &[
    "record",
    "message",
    "log",
    "line",
    "value",
    "data",
    "payload",
    "@message",
    "textPayload",
    "jsonPayload",
];
