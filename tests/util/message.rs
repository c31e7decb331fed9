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

/// Messages of every shape; the last one is plain.
pub(crate) fn shapes() -> Vec<Frames> {
    let five: [&[u8]; 5] = [b"five", b"", b"{\"a\":1}", b"\x00\xff", b"last"];
    vec![
        frames([b"one frame".as_slice()]),
        frames([b"{\"one\": \"frame of JSON\"}".as_slice()]),
        frames([b"".as_slice()]),
        frames([b"".as_slice(), b""]),
        frames([b"topic".as_slice(), b""]),
        frames([b"".as_slice(), b"{}"]),
        frames(five),
        frames([b"t".as_slice(), b"not json: {"]),
        frames([b"t".as_slice(), b" {\"b\" :1,\n\"a\":\t2, \"b\": 1e400 } "]),
        frames([b"t".as_slice(), b"{\"n\": NaN, \"i\": -Infinity}"]),
        frames([b"t".as_slice(), b"{\"s\": \"\\ud800 \\u0000 \\/\"}"]),
        frames([
            b"t".as_slice(),
            "{\"s\": \"\u{2028}\u{202e}\u{feff}\"}".as_bytes(),
        ]),
        frames([b"t".as_slice(), b"\xff\xfe\x00\n\r\n\x1b[2J"]),
        frames([b"\xc3\x28 no UTF-8".as_slice(), b"{\"content\": 1}"]),
        frames([
            b"t".as_slice(),
            b"{\"content\": {\"x\": 1}, \"content\": 2}",
        ]),
        frames([b"t".as_slice(), b"[1, 2]"]),
        frames([b"t".as_slice(), b"null"]),
        frames([b"t".as_slice(), "[".repeat(500).as_bytes()]),
        frames([
            b"t".as_slice(),
            format!("{}{}", "[".repeat(500), "]".repeat(500)).as_bytes(),
        ]),
        agent("t", "claude_code", "plain"),
    ]
}
