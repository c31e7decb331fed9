//! The introduction that follows the greeting: a command with properties, each a name
//! and a value.

use crate::command::split_name;
use crate::error::HandshakeError;
use crate::frame::Header;
use crate::socket_type::SocketType;

/// More than any socket has to say of itself.
const MAX_READY: u64 = 64 << 10;

/// Returns the body of the command that the bytes begin with, if it is whole, and
/// where it ends.
pub(crate) fn whole_command(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, HandshakeError> {
    let Some(header) = Header::parse(bytes)? else {
        return Ok(None);
    };
    if !header.command || header.body > MAX_READY {
        return Err(HandshakeError::Malformed);
    }
    let body = usize::try_from(header.body).map_err(|_| HandshakeError::Malformed)?;
    let end = header.length + body;
    Ok(bytes.get(header.length..end).map(|body| (body, end)))
}

/// What this end says of itself.
pub(crate) fn introduction(ours: SocketType) -> Vec<u8> {
    let mut properties = Vec::new();
    push_property(&mut properties, b"Socket-Type", ours.name().as_bytes());
    properties
}

/// A name of one byte's length and a value of four bytes' length.
pub(crate) fn split_property(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = split_name(bytes)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((name, value, rest))
}

pub(crate) fn push_property(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend(u8::try_from(name.len()));
    out.extend_from_slice(name);
    out.extend(u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
}
