//! Conversations of models, and of the frameworks around them.

use super::When::{Any, Has, Is};
use super::{NONE, NOWHERE, Shape};

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "autogen",
        default: "autogen",
        when: &[Is("type", &["LLMCall"])],
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
        name: "autogen",
        default: "autogen",
        when: &[
            Has("source_name"),
            Any(&["json_state", "invocation_id", "event_name"]),
        ],
        sender: &["source_name"],
        inner: &["json_state"],
        ..NONE
    },
    Shape {
        name: "openai",
        default: "assistant",
        when: &[Has("choices/0")],
        sender: &["choices/0/message/role", "choices/0/delta/role"],
        text: &[
            "choices/0/message/content",
            "choices/0/message",
            "choices/0/text",
            "choices/0/delta",
            "choices",
        ],
        ..NONE
    },
    Shape {
        name: "openai",
        default: "assistant",
        when: &[Has("response/body/choices/0")],
        sender: &["response/body/choices/0/message/role"],
        time: &["response/body/created"],
        reply: &["custom_id"],
        text: &[
            "response/body/choices/0/message/content",
            "response/body/choices/0/message",
        ],
        ..NONE
    },
    Shape {
        name: "openai",
        default: "assistant",
        when: &[Is("object", &["response"]), Has("output")],
        reply: &["previous_response_id"],
        text: &["output"],
        ..NONE
    },
    Shape {
        name: "openai",
        default: "unknown",
        when: &[Is("object", &["thread.message"]), Has("content")],
        sender: &["role"],
        text: &["content"],
        ..NONE
    },
    Shape {
        name: "chatgpt",
        default: "unknown",
        when: &[Has("author/role"), Has("content/content_type")],
        sender: &["author/name", "author/role"],
        text: &["content"],
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
        name: "langchain",
        default: "langchain",
        when: &[Has("event"), Has("run_id"), Has("data")],
        sender: &["name"],
        id: NOWHERE,
        text: &["data"],
        ..NONE
    },
    Shape {
        name: "",
        default: "assistant",
        when: &[Is(
            "type",
            &[
                "tool_use",
                "tool_call",
                "function_call",
                "tool_result",
                "thinking",
            ],
        )],
        kind: &["type"],
        ..NONE
    },
    Shape {
        name: "crewai",
        default: "crewai",
        when: &[Has("agent"), Any(&["task", "task_name"])],
        ..NONE
    },
];
