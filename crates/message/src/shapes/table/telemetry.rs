//! Traffic between programs, and telemetry.

use super::When::{Any, Has};
use super::{NONE, NOWHERE, Shape};

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "mcp",
        default: "server",
        when: &[
            Has("message/jsonrpc"),
            Any(&["message/result", "message/error"]),
        ],
        id: NOWHERE,
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
        when: &[
            Any(&["msg/jsonrpc", "data/jsonrpc", "payload/jsonrpc"]),
            Any(&[
                "msg/result",
                "msg/error",
                "data/result",
                "data/error",
                "payload/result",
                "payload/error",
            ]),
        ],
        id: NOWHERE,
        reply: &["msg/id", "data/id", "payload/id"],
        text: &["msg", "data", "payload"],
        ..NONE
    },
    Shape {
        name: "mcp",
        default: "client",
        when: &[Any(&["msg/jsonrpc", "data/jsonrpc", "payload/jsonrpc"])],
        id: &["msg/id", "data/id", "payload/id"],
        text: &["msg", "data", "payload"],
        ..NONE
    },
    Shape {
        name: "mcp",
        default: "server",
        when: &[Has("jsonrpc"), Any(&["result", "error"])],
        id: NOWHERE,
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
        maker: &[
            "attributes/@gen_ai.system",
            "attributes/@gen_ai.provider.name",
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
            "body/message/role",
        ],
        kind: &[
            "eventName",
            "event_name",
            "attributes/event.name",
            "attributes/@event.name",
        ],
        time: &["startTimeUnixNano"],
        id: &["spanId", "span_id"],
        reply: &["parentSpanId"],
        text: &["body/content", "body/message/content", "body", "attributes"],
        beside: &["events"],
        maker: OTEL_MAKERS,
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[
            Has("context/trace_id"),
            Any(&["start_time", "startTime", "attributes"]),
        ],
        sender: &["attributes/gen_ai.agent.name"],
        id: &["context/span_id"],
        reply: &["parent_id"],
        context: &["context/trace_id"],
        text: &["attributes"],
        beside: &["events"],
        maker: OTEL_MAKERS,
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[Has("body"), Any(&["attributes", "event_name", "eventName"])],
        sender: &["body/role", "body/message/role"],
        kind: &["attributes/event.name", "event_name", "eventName", "name"],
        text: &["body/content", "body/message/content", "body"],
        maker: OTEL_MAKERS,
        ..NONE
    },
    Shape {
        name: "otel",
        default: "otel",
        when: &[Has("attributes/event.name")],
        sender: &["attributes/role"],
        kind: &["attributes/event.name"],
        text: &["attributes/content", "attributes"],
        maker: OTEL_MAKERS,
        ..NONE
    },
];

const OTEL_MAKERS: &[&str] = &[
    "attributes/@gen_ai.system",
    "attributes/gen_ai.system",
    "attributes/@gen_ai.provider.name",
    "attributes/gen_ai.provider.name",
    "resource/attributes/service.name",
];
