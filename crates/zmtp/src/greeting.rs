//! The greeting of ZMTP 3, with which each end begins: the version it speaks and the
//! mechanism it asks for ([RFC 23](https://rfc.zeromq.org/spec/23/)).

use crate::error::HandshakeError;

/// The length of a greeting of ZMTP 3 in bytes.
pub const GREETING_BYTES: usize = 64;

/// A greeting's beginning, which tells ZeroMQ from everything else.
pub(crate) const SIGNATURE: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f];
pub(crate) const VERSION: [u8; 2] = [3, 1];
/// Where the major version stands: all that is sent before the peer's is known.
pub(crate) const VERSION_AT: usize = SIGNATURE.len();
const MECHANISM: std::ops::Range<usize> = 12..32;

/// Tells whether a greeting can begin with these bytes, of which there may be few yet.
pub(crate) fn is_signature(bytes: &[u8]) -> bool {
    let ends = [(0, 0xff, 0xff), (9, 0x01, 0x01)];
    let mut there = ends
        .into_iter()
        .filter_map(|(at, mask, value)| Some((bytes.get(at)?, mask, value)));
    there.all(|(byte, mask, value)| byte & mask == value)
}

/// Returns the whole greeting of this end.
pub(crate) fn greeting(mechanism: &[u8]) -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    let parts = [&SIGNATURE[..], &VERSION, mechanism];
    let bytes = parts.into_iter().flatten();
    greeting
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    greeting
}

/// A version, major and minor, and the name of a mechanism.
type Greeting<'a> = ((u8, u8), &'a [u8]);

/// Reads a whole greeting.
pub(crate) fn read_greeting(bytes: &[u8]) -> Result<Option<Greeting<'_>>, HandshakeError> {
    let Some(greeting) = bytes.get(..GREETING_BYTES) else {
        return Ok(None);
    };
    let Some(&[major, minor]) = greeting.get(VERSION_AT..VERSION_AT + 2) else {
        return Err(HandshakeError::NotZeroMq);
    };
    let mechanism = greeting.get(MECHANISM).unwrap_or_default();
    let mechanism = mechanism.split(|&byte| byte == 0).next();
    Ok(Some(((major, minor), mechanism.unwrap_or_default())))
}
