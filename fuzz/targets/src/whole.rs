//! What makes a line whole: its checksum, bit by bit, and its syntax.

use serde::de::IgnoredAny;

/// The bytes that every line of the journal begins with.
pub(crate) const START: &[u8] = b"{\"message_num\":";
/// What stands before the checksum's digits.
pub(crate) const KEY: &[u8] = b",\"crc\":\"";
/// How long the checksum's member is, with its comma and the closing brace.
pub(crate) const FIELD: usize = KEY.len() + 8 + 2;

/// CRC-32C as RFC 3720 has it: reflected, polynomial 0x1EDC6F41.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82F6_3B78
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// Tells whether bytes end in the checksum of what stands before it.
pub(crate) fn is_sealed(line: &[u8]) -> bool {
    let Some(at) = line.len().checked_sub(FIELD) else {
        return false;
    };
    let (checked, field) = (&line[..=at], &line[at..]);
    // Formatting and bit by bit arithmetic are slow: only where it may be one.
    field.starts_with(KEY) && field == format!(",\"crc\":\"{:08x}\"}}", crc32c(checked)).as_bytes()
}

/// Reads the number that a line of the journal begins with.
pub(crate) fn number(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(START)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// Tells whether bytes are JSON, whatever its numbers and surrogates.
pub(crate) fn is_json(text: &[u8]) -> bool {
    // Where a string is passed over, serde_json leaves UTF-8 unchecked.
    std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Tells whether bytes are a JSON object.
pub(crate) fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{") && is_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standards_examples() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
