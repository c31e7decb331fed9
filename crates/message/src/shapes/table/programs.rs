//! Programs that write code with people.

use super::When::{Any, Has, Is};
use super::{NONE, NOWHERE, Shape};

pub(super) const SHAPES: &[Shape] = &[
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
        when: &[Any(&["uuid", "parent_tool_use_id"]), Has("message/content")],
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
        name: "claude_code",
        default: "claude_code",
        when: &[Has("messageId"), Has("snapshot")],
        time: &["snapshot/timestamp"],
        id: NOWHERE,
        ..NONE
    },
    Shape {
        name: "claude_code",
        default: "user",
        when: &[Is("type", &["queue-operation"]), Has("sessionId")],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "claude_code",
        default: "user",
        when: &[Has("display"), Has("project"), Has("timestamp")],
        text: &["display"],
        beside: &["pastedContents"],
        ..NONE
    },
    Shape {
        name: "claude_code",
        default: "claude_code",
        when: &[
            Is("type", &["system", "result"]),
            Has("session_id"),
            Any(&["mcp_servers", "slash_commands", "num_turns"]),
        ],
        text: &["result"],
        ..NONE
    },
    Shape {
        name: "cursor",
        default: "cursor",
        when: &[Is("type", &["tool_call"]), Has("tool_call"), Has("call_id")],
        kind: &["type"],
        id: &["call_id"],
        text: &["tool_call"],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "codex",
        when: &[Has("payload/output"), Has("payload/call_id")],
        kind: &["payload/type"],
        id: NOWHERE,
        reply: &["payload/call_id"],
        text: &["payload"],
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
        default: "codex",
        when: &[Has("call_id"), Has("output")],
        kind: &["type"],
        id: NOWHERE,
        reply: &["call_id"],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "codex",
        when: &[Has("call_id"), Has("type")],
        kind: &["type"],
        id: &["call_id"],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "codex",
        when: &[Has("item/type"), Has("type")],
        kind: &["item/type"],
        id: &["item/id"],
        text: &["item"],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "codex",
        when: &[Any(&["record_type"])],
        ..NONE
    },
    Shape {
        name: "codex",
        default: "codex",
        when: &[Has("instructions"), Has("timestamp"), Has("id")],
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
        id: &["message/payload/id"],
        reply: &["message/payload/tool_call_id"],
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
        when: &[Is("role", &["_usage", "_checkpoint", "_system_prompt"])],
        ..NONE
    },
    Shape {
        name: "kimi",
        default: "kimi",
        when: &[Is("type", &["metadata"]), Has("protocol_version")],
        ..NONE
    },
    Shape {
        name: "copilot",
        default: "copilot",
        when: &[
            Has("data"),
            Has("type"),
            Has("timestamp"),
            Any(&["parentId", "id"]),
        ],
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
            Is("type", &["user", "gemini"]),
            Has("id"),
            Has("timestamp"),
            Has("content"),
        ],
        sender: &["type"],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "gemini",
        default: "gemini",
        when: &[
            Is("type", &["info", "error", "warning"]),
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
        reply: &["part/messageID"],
        text: &["part/text", "part"],
        ..NONE
    },
    Shape {
        name: "opencode",
        default: "opencode",
        when: &[Has("sessionID")],
        sender: &["role"],
        time: &["time/created", "time/start", "state/time/start"],
        reply: &["messageID", "parentID"],
        text: &["text"],
        ..NONE
    },
];
