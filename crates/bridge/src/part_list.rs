//! Where the parts of a large record are.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Where the parts of a record are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartList {
    pub(crate) message_num: u64,
    /// What the parts make together: a record, or one that was carried here.
    pub(crate) kind: String,
    /// Their sequences in the stream of parts, in order.
    pub(crate) sequences: Vec<u64>,
    /// The line's length in bytes.
    pub(crate) length: u64,
    /// The line's SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// Returns the SHA-256 of a line, in hexadecimal digits.
pub(crate) fn digest(line: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(line) {
        use std::fmt::Write;
        let _always = write!(text, "{byte:02x}");
    }
    text
}

/// Reads where parts are.
pub(crate) fn list(payload: &[u8]) -> Option<PartList> {
    serde_json::from_slice(payload).ok()
}
