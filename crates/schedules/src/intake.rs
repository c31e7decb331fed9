//! What intake announces, and the queue of messages whose senders wait.

#[rustfmt::skip]
#[path = "../../transport/src/intake/announce.rs"]
mod announce;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/intake/pending.rs"]
mod pending;

pub(crate) use self::announce::announce;
pub(crate) use self::pending::{AckHandle, Answer, Outcome, PendingPublish, PublishQueue};
