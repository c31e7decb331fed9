//! Who speaks where a line tells only what it is.

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
const FRONTS: [(&str, &str); 9] = [
    ("user", "user"),
    ("assistant", "assistant"),
    ("tool", "tool"),
    ("system", "system"),
    ("choice", "assistant"),
    ("agent", "assistant"),
    ("session", "system"),
    ("thread", "system"),
    ("turn", "system"),
];

const KINDS: [(&str, &str); 59] = [
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
    ("developer", "developer"),
    ("warning", "system"),
    ("tool_call", "assistant"),
    ("toolCall", "assistant"),
    ("toolResult", "tool"),
    ("function_response", "tool"),
    ("local_shell_call_output", "tool"),
    ("web_search", "assistant"),
    ("mcp_tool_call", "assistant"),
    ("command_execution", "tool"),
    ("file_change", "tool"),
    ("todo_list", "assistant"),
    ("task_complete", "assistant"),
    ("AIMessageChunk", "ai"),
    ("HumanMessageChunk", "human"),
    ("FunctionMessage", "tool"),
    ("init", "system"),
    ("result", "assistant"),
    ("agent_reasoning_raw_content", "assistant"),
    ("exec_command_begin", "assistant"),
];
