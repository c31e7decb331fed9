//! The shapes that are known, and where in them what stands.

use super::path::find;
use crate::escape::text;
use crate::line::Line;

/// Lines of one program, or of one kind.
#[derive(Debug)]
pub(super) struct Shape {
    /// What the messages have for a topic where they name none.
    pub(super) name: &'static str,
    /// Who said what nobody is named for.
    pub(super) default: &'static str,
    /// All of this holds of such a line.
    pub(super) when: &'static [When],
    /// Where what stands, besides the usual places; the first counts.
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
    /// A text that may hold another message as JSON, or as base64 of it.
    pub(super) inner: &'static [&'static str],
}

/// A mark of a shape.
#[derive(Debug)]
pub(super) enum When {
    /// Something stands at this place.
    Has(&'static str),
    /// Something stands at one of these places.
    Any(&'static [&'static str]),
    /// This text stands there.
    Is(&'static str, &'static str),
}

impl Shape {
    pub(super) fn fits(&self, line: &Line<'_>) -> bool {
        self.when.iter().all(|mark| match mark {
            When::Has(path) => find(line, path).is_some(),
            When::Any(paths) => paths.iter().any(|path| find(line, path).is_some()),
            When::Is(path, word) => {
                let token = find(line, path).and_then(text);
                token.is_some_and(|found| found == *word)
            }
        })
    }
}

/// Says who speaks where a line tells only what it is.
pub(super) fn sender_of_kind(kind: &str) -> Option<&'static str> {
    let known = KINDS.iter().find(|(word, _)| *word == kind);
    let by_front = || {
        let kind = kind.strip_prefix("gen_ai.").unwrap_or(kind);
        let (front, _) = kind.split_once('.')?;
        let fronts = FRONTS.iter().find(|(word, _)| *word == front);
        fronts.map(|(_, sender)| *sender)
    };
    known.map(|(_, sender)| *sender).or_else(by_front)
}

/// The words before a dot.
const FRONTS: [(&str, &str); 6] = [
    ("user", "user"),
    ("assistant", "assistant"),
    ("tool", "tool"),
    ("system", "system"),
    ("choice", "assistant"),
    ("agent", "assistant"),
];

const KINDS: [(&str, &str); 39] = [
    ("user", "user"),
    ("human", "human"),
    ("assistant", "assistant"),
    ("ai", "ai"),
    ("gpt", "gpt"),
    ("gemini", "gemini"),
    ("qwen", "qwen"),
    ("model", "model"),
    ("system", "system"),
    ("tool", "tool"),
    ("function", "tool"),
    ("info", "system"),
    ("error", "system"),
    ("tool_use", "assistant"),
    ("tool_result", "tool"),
    ("text", "assistant"),
    ("reasoning", "assistant"),
    ("thinking", "assistant"),
    ("function_call", "assistant"),
    ("function_call_output", "tool"),
    ("custom_tool_call", "assistant"),
    ("custom_tool_call_output", "tool"),
    ("local_shell_call", "assistant"),
    ("web_search_call", "assistant"),
    ("user_message", "user"),
    ("agent_message", "assistant"),
    ("agent_reasoning", "assistant"),
    ("exec_command_end", "tool"),
    ("HumanMessage", "human"),
    ("AIMessage", "ai"),
    ("SystemMessage", "system"),
    ("ToolMessage", "tool"),
    ("TurnBegin", "user"),
    ("ContentPart", "assistant"),
    ("ToolCall", "assistant"),
    ("ToolResult", "tool"),
    ("client_to_server", "client"),
    ("server_to_client", "server"),
    ("gen_ai.choice", "assistant"),
];

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
    inner: &[],
};

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
        "service",
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
    ..NONE
};

use When::{Any, Has, Is};

/// All shapes; the first that fits counts.
pub(super) const TABLE: &[Shape] = &[
    // ---- programs that write code with people
    Shape {
        name: "qwen",
        default: "qwen",
        when: &[Has("uuid"), Has("message/parts")],
        sender: &["type"],
        text: &["message/parts"],
        ..NONE
    },
    Shape {
        name: "claude_code",
        default: "claude_code",
        when: &[Has("uuid"), Has("message/content")],
        sender: &["message/role"],
        text: &["message/content"],
        ..NONE
    },
    Shape {
        name: "claude_code",
        default: "claude_code",
        when: &[Any(&["leafUuid", "parentUuid", "isSidechain", "userType"])],
        text: &["content", "summary"],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "codex",
        when: &[Has("payload"), Has("type"), Has("timestamp")],
        sender: &["payload/role"],
        kind: &["payload/type"],
        id: &["payload/id", "payload/call_id"],
        context: &["payload/session_id"],
        text: &[
            "payload/content",
            "payload/message",
            "payload/text",
            "payload",
        ],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "user",
        when: &[Has("session_id"), Has("ts"), Has("text")],
        text: &["text"],
        ..NONE
    },
    Shape {
        name: "kimi",
        default: "kimi",
        when: &[Has("message/payload"), Has("message/type")],
        kind: &["message/type"],
        text: &[
            "message/payload/user_input",
            "message/payload/text",
            "message/payload",
        ],
        ..NONE
    },
    Shape {
        name: "kimi",
        default: "kimi",
        when: &[Any(&["token_count"]), Is("role", "_usage")],
        ..NONE
    },
    Shape {
        name: "copilot",
        default: "copilot",
        when: &[Has("data"), Has("type"), Has("timestamp")],
        text: &["data/content", "data"],
        ..NONE
    },
    Shape {
        name: "gemini",
        default: "gemini",
        when: &[Has("sessionId"), Has("messageId"), Has("message")],
        sender: &["type"],
        text: &["message"],
        ..NONE
    },
    Shape {
        name: "gemini",
        default: "gemini",
        when: &[
            Any(&["toolCalls", "thoughts", "tokens"]),
            Has("content"),
            Has("type"),
        ],
        sender: &["type"],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "gemini",
        default: "gemini",
        when: &[
            Is("type", "user"),
            Has("id"),
            Has("timestamp"),
            Has("content"),
        ],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "cursor",
        default: "cursor",
        when: &[Has("role"), Has("message/content")],
        sender: &["role"],
        text: &["message/content"],
        ..NONE
    },
    Shape {
        name: "opencode",
        default: "opencode",
        when: &[Has("info/role"), Has("parts")],
        sender: &["info/role"],
        time: &["info/time/created"],
        id: &["info/id"],
        reply: &["info/parentID"],
        context: &["info/sessionID"],
        text: &["parts"],
        ..NONE
    },
    Shape {
        name: "opencode",
        default: "opencode",
        when: &[Has("sessionID"), Has("part")],
        id: &["part/id"],
        text: &["part/text", "part"],
        ..NONE
    },
    Shape {
        name: "opencode",
        default: "opencode",
        when: &[Has("sessionID")],
        reply: &["messageID", "parentID"],
        text: &["text"],
        ..NONE
    },
    // ---- conversations of models
    Shape {
        name: "autogen",
        default: "autogen",
        when: &[Is("type", "LLMCall")],
        sender: &["agent_id"],
        ..NONE
    },
    Shape {
        name: "autogen",
        default: "autogen",
        when: &[Has("receiver"), Has("payload")],
        text: &["payload"],
        ..NONE
    },
    Shape {
        name: "autogen",
        default: "autogen",
        when: &[Has("source"), Has("models_usage"), Has("content")],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "openai",
        default: "assistant",
        when: &[Has("choices/0")],
        sender: &["choices/0/message/role"],
        text: &[
            "choices/0/message/content",
            "choices/0/message",
            "choices/0/text",
            "choices",
        ],
        ..NONE
    },
    Shape {
        name: "sharegpt",
        default: "unknown",
        when: &[Has("value"), Has("from")],
        text: &["value"],
        ..NONE
    },
    Shape {
        name: "langchain",
        default: "langchain",
        when: &[Has("lc"), Has("kwargs/content")],
        sender: &["kwargs/name"],
        kind: &["kwargs/type", "id/3", "id/2"],
        id: &["kwargs/id"],
        text: &["kwargs/content", "kwargs"],
        ..NONE
    },
    Shape {
        name: "langchain",
        default: "langchain",
        when: &[Has("data/content"), Has("type")],
        sender: &["data/name"],
        id: &["data/id"],
        text: &["data/content", "data"],
        ..NONE
    },
    Shape {
        name: "langchain",
        default: "langchain",
        when: &[
            Any(&["additional_kwargs", "response_metadata"]),
            Has("content"),
        ],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "crewai",
        default: "crewai",
        when: &[Has("agent"), Any(&["task", "task_name"])],
        ..NONE
    },
    // ---- traffic and telemetry
    Shape {
        name: "mcp",
        default: "server",
        when: &[
            Has("message/jsonrpc"),
            Any(&["message/result", "message/error"]),
        ],
        id: &["message/none"],
        reply: &["message/id"],
        text: &["message"],
        ..NONE
    },
    Shape {
        name: "mcp",
        default: "client",
        when: &[Has("message/jsonrpc")],
        id: &["message/id"],
        text: &["message"],
        ..NONE
    },
    Shape {
        name: "mcp",
        default: "server",
        when: &[Has("jsonrpc"), Any(&["result", "error"])],
        reply: &["id"],
        ..NONE
    },
    Shape {
        name: "mcp",
        default: "client",
        when: &[Has("jsonrpc")],
        id: &["id"],
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[Any(&["timeUnixNano", "observedTimeUnixNano"]), Has("body")],
        sender: &["body/role", "attributes/@gen_ai.agent.name"],
        kind: &["eventName", "attributes/@event.name"],
        time: &["timeUnixNano", "observedTimeUnixNano"],
        text: &[
            "body/stringValue",
            "body/kvlistValue/values/@content",
            "body",
        ],
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[
            Any(&["startTimeUnixNano", "spanId", "span_id"]),
            Has("attributes"),
        ],
        sender: &[
            "attributes/@gen_ai.agent.name",
            "attributes/gen_ai.agent.name",
            "body/role",
            "attributes/@gen_ai.system",
            "attributes/gen_ai.system",
        ],
        kind: &["eventName", "event_name", "attributes/event.name"],
        time: &["startTimeUnixNano"],
        id: &["spanId", "span_id"],
        reply: &["parentSpanId"],
        text: &["body/content", "body/message/content", "body", "attributes"],
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[Has("body"), Any(&["attributes", "event_name", "eventName"])],
        sender: &["body/role"],
        kind: &["attributes/event.name", "event_name", "eventName", "name"],
        text: &["body/content", "body/message/content", "body"],
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[Has("attributes/event.name")],
        sender: &["attributes/role"],
        kind: &["attributes/event.name"],
        text: &["attributes/content", "attributes"],
        ..NONE
    },
    // ---- logs
    Shape {
        name: "loguru",
        default: "unknown",
        when: &[Has("record/message")],
        sender: &["record/name"],
        time: &["record/time/timestamp", "record/time/repr"],
        text: &["record/message"],
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
        text: &["text"],
        ..NONE
    },
    Shape {
        name: "docker",
        default: "unknown",
        when: &[Has("log"), Any(&["stream", "time"])],
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
        inner: &["message/data", "message/payload"],
        ..NONE
    },
    Shape {
        name: "nats",
        default: "unknown",
        when: &[Has("subject"), Any(&["data", "payload", "Data"])],
        topic: &["subject"],
        id: &["seq", "stream_seq", "sequence"],
        text: &["data", "payload", "Data"],
        inner: &["data", "payload", "Data"],
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
        inner: &["Data", "data"],
        ..NONE
    },
    Shape {
        name: "log",
        default: "unknown",
        when: &[
            Any(&["level", "levelname", "severity"]),
            Any(&["msg", "message", "event"]),
        ],
        ..NONE
    },
];
