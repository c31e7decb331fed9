//! The codes of errors. A newer broker may have others.

/// The request can't be understood, or asks for what there is not.
pub const BAD_REQUEST: &str = "bad_request";
/// The client's version of the protocol is not spoken.
pub const UNSUPPORTED_PROTOCOL: &str = "unsupported_protocol";
/// More bytes or frames than the broker takes.
pub const TOO_LARGE: &str = "too_large";
/// Nothing can be recorded at the moment.
pub const DISK_FULL: &str = "disk_full";
/// Too many messages are on their way to the disk.
pub const BUSY: &str = "busy";
/// The journal can't be read to see whether the message is in it.
pub const NOT_READY: &str = "not_ready";
/// Another message of the sender has the same `message_id`.
pub const ID_REUSED: &str = "id_reused";
/// Another journal's message does not follow the last one of it that is here.
pub const ORIGIN_GAP: &str = "origin_gap";
/// An earlier message of its sequence was not taken.
pub const INTERRUPTED: &str = "interrupted";
/// The broker takes no more.
pub const SHUTTING_DOWN: &str = "shutting_down";
/// The broker ended before the disk had answered.
pub const UNKNOWN_OUTCOME: &str = "unknown_outcome";
/// The position is beyond the last message.
pub const BEYOND_HEAD: &str = "beyond_head";
/// The position is before the oldest message.
pub const GONE: &str = "gone";
/// The journal is not the one in which the position was acknowledged.
pub const JOURNAL_CHANGED: &str = "journal_changed";
/// The file with the name's position can't be read.
pub const DAMAGED_POSITION: &str = "damaged_position";
/// There are too many of something.
pub const LIMIT: &str = "limit";
/// The client's key has no right to this.
pub const FORBIDDEN: &str = "forbidden";
/// A file can't be read or written.
pub const IO: &str = "io";
/// There is no such consumer on this connection.
pub const UNKNOWN_CONSUMER: &str = "unknown_consumer";
/// An acknowledged position could not be stored.
pub const NOT_STORED: &str = "not_stored";

/// Tells whether the same request may succeed a little later.
#[must_use]
pub fn may_pass(code: &str) -> bool {
    [
        BUSY,
        DISK_FULL,
        INTERRUPTED,
        NOT_READY,
        SHUTTING_DOWN,
        UNKNOWN_OUTCOME,
    ]
    .contains(&code)
}
