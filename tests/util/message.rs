//! Messages as agents send them.

/// A multipart message.
pub(crate) type Frames = Vec<Vec<u8>>;

/// Two frames: topic, and a payload with this id.
pub(crate) fn agent(topic: &str, sender: &str, id: &str) -> Frames {
    let payload = format!(
        r#"{{"sender_id": "{sender}", "message_id": "{id}", "timestamp": "2025-11-20T04:30:00Z", "content": {{"message": "this is {id}", "action": "greet"}}, "metadata": {{"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}}}}"#
    );
    frames([topic.as_bytes(), payload.as_bytes()])
}

/// Messages on one topic with the ids `<topic>-<first>` and so on.
pub(crate) fn agents(topic: &str, first: usize, count: usize) -> Vec<Frames> {
    ids(topic, first, count)
        .iter()
        .map(|id| agent(topic, "claude_code", id))
        .collect()
}

/// The ids `<start>-<first>`, `<start>-<first + 1>` and so on.
pub(crate) fn ids(start: &str, first: usize, count: usize) -> Vec<String> {
    (first..first + count)
        .map(|number| format!("{start}-{number}"))
        .collect()
}

/// Any frames.
pub(crate) fn frames<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Frames {
    frames.into_iter().map(<[u8]>::to_vec).collect()
}
