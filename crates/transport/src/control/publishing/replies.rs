//! What is said of a message that was to be published.

use protocol::{Carried, Failure, Id, Published, code, reply};

use super::Reply;
use crate::control::limits;
use crate::control::router::Peer;
use crate::pending::Outcome;

pub(super) fn recorded(peer: &Peer, id: &Id, number: u64, duplicate: bool) -> Reply {
    let published = Published {
        message_num: number,
        duplicate,
    };
    (*peer, reply(id, &published))
}

pub(super) fn carried(peer: &Peer, id: &Id, message_num: Option<u64>, duplicate: bool) -> Reply {
    let carried = Carried {
        message_num,
        duplicate,
    };
    (*peer, reply(id, &carried))
}

/// Refuses another journal's message, since nobody knows whether it is here.
pub(super) fn unread(reason: &str) -> Failure {
    let message = format!(
        "it can't be read how far other journals' messages are recorded: {reason}; nothing was \
         recorded"
    );
    Failure::new(code::NOT_READY, message).not_recorded()
}

pub(super) fn refusal(peer: &Peer, id: &Id, failure: &Failure) -> Reply {
    (*peer, failure.header(id))
}

pub(super) fn busy() -> Failure {
    let message = format!(
        "too many messages are on their way to the disk: at most {} requests may be in flight; \
         nothing was recorded; wait for replies and send it again",
        limits::IN_FLIGHT
    );
    Failure::new(code::BUSY, message).not_recorded()
}

/// Refuses a name that stands for another message already: acknowledging it
/// with that one's number would lose this one in silence.
pub(super) fn reused(number: u64) -> Failure {
    let message = format!(
        "another message of this sender has this message_id and is recorded as number {number}; \
         nothing was recorded; give each message a message_id of its own"
    );
    Failure::new(code::ID_REUSED, message)
        .not_recorded()
        .with(|details| details.message_num = Some(number))
}

/// Says what is certain of a message that was not acknowledged.
pub(super) fn lost(outcome: &Outcome) -> Failure {
    match outcome {
        Outcome::TooLarge(why) => {
            Failure::new(code::TOO_LARGE, format!("{why}; nothing was recorded")).not_recorded()
        }
        Outcome::Stopped => Failure::new(
            code::SHUTTING_DOWN,
            "the broker is shutting down; nothing was recorded",
        )
        .not_recorded(),
        _ => Failure {
            recorded: Some(None),
            ..Failure::new(
                code::UNKNOWN_OUTCOME,
                "the broker ended before the disk had answered: the message may be recorded or \
                 not; send it again with the same message_id",
            )
        },
    }
}
