//! What the owner of a key may ask for.

use std::sync::Arc;

use protocol::{Failure, Request, code};

use crate::keys::{Denied, Keys, Member, Right};

/// Tells whether somebody may ask for this.
pub(super) fn check(
    member: &Arc<Member>,
    request: &Request,
    frames: &[Vec<u8>],
    strict: Option<&Keys>,
) -> Result<(), Failure> {
    let name = || member.name.to_string();
    let needed = match request {
        Request::Hello(_) | Request::Ping => return Ok(()),
        Request::Publish(_) => Right::Publish,
        Request::Consume(_) | Request::Credit(_) | Request::Ack(_) | Request::Cancel(_) => {
            Right::Subscribe
        }
        Request::Forget(_) | Request::Origins | Request::Status | Request::Archive(_) => {
            Right::Control
        }
    };
    // What was said elsewhere is told by whoever carries it over, in other names than its
    // own: that takes more than the right to publish.
    let carries = matches!(request, Request::Publish(publish) if publish.origin.is_some());
    if carries && !member.rights.has(Right::Control) {
        let denied = Denied::Control { name: name() };
        return Err(forbidden(&denied, needed));
    }
    let strict = strict.filter(|_| !carries);
    if !member.rights.has(needed) {
        let denied = match needed {
            Right::Publish => Denied::Publish { name: name() },
            Right::Subscribe => Denied::Subscribe { name: name() },
            Right::Control => Denied::Control { name: name() },
        };
        return Err(forbidden(&denied, needed));
    }
    if needed == Right::Publish {
        let frames = || frames.iter().map(|frame| &frame[..]);
        let checked = member.check(frames, strict);
        checked.map_err(|denied| forbidden(&denied, needed))?;
    }
    Ok(())
}

fn forbidden(denied: &Denied, needed: Right) -> Failure {
    let refusal = Failure::new(code::FORBIDDEN, denied.to_string());
    match needed {
        Right::Publish => refusal.not_recorded(),
        _ => refusal,
    }
}
