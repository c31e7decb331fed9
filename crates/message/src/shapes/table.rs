//! The shapes that are known, and where in them what stands.

mod logs;
mod models;
mod programs;
mod telemetry;

/// Lines of one program, or of one kind.
#[derive(Debug)]
pub(super) struct Shape {
    /// What the messages have for a topic where they name none.
    pub(super) name: &'static str,
    /// Who said what nobody is named for.
    pub(super) default: &'static str,
    /// All of this holds of such a line.
    pub(super) when: &'static [When],
    /// Where what stands, before the usual places; the first counts. Where a shape
    /// has places of its own for a name or a reply, the usual ones do not count.
    pub(super) sender: &'static [&'static str],
    /// A word that tells the sender where nothing else does.
    pub(super) kind: &'static [&'static str],
    pub(super) topic: &'static [&'static str],
    pub(super) time: &'static [&'static str],
    pub(super) id: &'static [&'static str],
    pub(super) reply: &'static [&'static str],
    pub(super) context: &'static [&'static str],
    /// What was said; without any of these it is the whole line.
    pub(super) text: &'static [&'static str],
    /// What is said beside it, in the object in which it stands.
    pub(super) beside: &'static [&'static str],
    /// What was said as JSON in a text, or as the numbers of its bytes: another message.
    pub(super) inner: &'static [&'static str],
    /// What may be another message, and counts only if it is one for certain.
    pub(super) carried: &'static [&'static str],
    /// The same, or a text, in base64.
    pub(super) base64: &'static [&'static str],
    /// Who made the line, where it tells neither who spoke nor what it is.
    pub(super) maker: &'static [&'static str],
}

/// A mark of a shape.
#[derive(Debug)]
pub(super) enum When {
    /// Something stands at this place.
    Has(&'static str),
    /// A text stands there.
    Text(&'static str),
    /// Something stands at one of these places.
    Any(&'static [&'static str]),
    /// One of these texts stands there.
    Is(&'static str, &'static [&'static str]),
}

/// No shape.
pub(super) const NONE: Shape = Shape {
    name: "",
    default: "",
    when: &[],
    sender: &[],
    kind: &[],
    topic: &[],
    time: &[],
    id: &[],
    reply: &[],
    context: &[],
    text: &[],
    beside: &[],
    inner: &[],
    carried: &[],
    base64: &[],
    maker: &[],
};

/// Where nothing stands.
const NOWHERE: &[&str] = &[""];

/// The usual places, whatever the shape is.
pub(super) const ANY: Shape = Shape {
    sender: &[
        "sender_id",
        "sender",
        "from",
        "agent",
        "sender/name",
        "from/name",
        "agent/name",
        "source",
        "speaker",
        "author",
        "author/name",
        "author/role",
        "name",
        "agent_id",
        "agent_name",
        "agentName",
        "message/role",
        "role",
        "user",
        "user/name",
        "username",
        "actor",
        "logger",
        "logger_name",
        "loggerName",
        "log.logger",
        "log/logger",
        "service",
        "service/name",
        "service.name",
    ],
    kind: &["type", "kind", "event", "direction"],
    time: &[
        "timestamp",
        "time",
        "ts",
        "@timestamp",
        "created_at",
        "createdAt",
        "create_time",
        "created",
        "date",
        "datetime",
        "asctime",
        "Timestamp",
        "timestamp_ms",
        "time/created",
        "time/start",
        "message/timestamp",
        "start_time",
        "startTime",
    ],
    id: &[
        "message_id",
        "id",
        "uuid",
        "messageId",
        "msg_id",
        "event_id",
        "message/id",
    ],
    reply: &[
        "in_reply_to",
        "metadata/in_reply_to",
        "parent_id",
        "parentId",
        "parentUuid",
        "reply_to",
        "parent_message_id",
    ],
    context: &[
        "context_id",
        "metadata/context_id",
        "conversation_id",
        "session_id",
        "sessionId",
        "sessionID",
        "thread_id",
        "run_id",
        "trace_id",
        "traceId",
    ],
    text: &[
        "text", "message", "msg", "output", "body", "value", "result", "error", "parts",
    ],
    beside: &[
        "reasoning_content",
        "reasoning",
        "thinking",
        "thoughts",
        "tool_calls",
        "toolCalls",
        "toolRequests",
        "function_call",
    ],
    ..NONE
};

/// All shapes; the first that fits counts.
pub(super) const TABLE: [&[Shape]; 4] = [
    programs::SHAPES,
    models::SHAPES,
    telemetry::SHAPES,
    logs::SHAPES,
];
