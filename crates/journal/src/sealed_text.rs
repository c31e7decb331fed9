//! How is a small file of our own written, so that a torn or changed one is
//! recognised? One line of JSON, a space, and the CRC-32C of the JSON.

use std::fmt::Write as _;

use crc_fast::crc32_iscsi as crc32c;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longer files are none of ours.
pub(crate) const LONGEST: usize = 64 << 10;

/// Writes a value as a sealed line.
pub(crate) fn write<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = serde_json::to_string(value)?;
    let crc = crc32c(text.as_bytes());
    let _infallible: std::fmt::Result = writeln!(text, " {crc:08x}");
    Ok(text)
}

/// Reads the last sealed line of a file; `None` where there is none. What stands
/// behind it was torn by a crash.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    let whole = text.iter().rposition(|byte| *byte == b'\n')?;
    let mut lines = text.get(..whole)?.rsplit(|byte| *byte == b'\n');
    lines.find_map(read_line)
}

/// Reads all sealed lines of a file; what a crash has torn is left out.
pub(crate) fn read_all<T: DeserializeOwned>(text: &[u8]) -> Vec<T> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(read_line).collect()
}

fn read_line<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(line).ok()?;
    let (json, crc) = text.rsplit_once(' ')?;
    if u32::from_str_radix(crc, 16).ok()? != crc32c(json.as_bytes()) {
        return None;
    }
    serde_json::from_str(json).ok()
}
