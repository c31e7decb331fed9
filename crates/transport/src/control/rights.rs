//! What the owner of a key may ask for.

use std::sync::Arc;

use super::refusal::Refusal;
use super::request::Request;
use crate::keys::{Denied, Keys, Member, Right};

/// Tells whether somebody may ask for this. A consumer is bound to the topics to
/// which its owner has a right.
pub(super) fn check(
    member: &Arc<Member>,
    request: &mut Request,
    frames: &[Vec<u8>],
    strict: Option<&Keys>,
) -> Result<(), Refusal> {
    let name = || member.name.to_string();
    let needed = match request {
        Request::Hello | Request::Ping => return Ok(()),
        Request::Publish => Right::Publish,
        Request::Consume(consume) => {
            consume.member = Some(Arc::clone(member));
            Right::Subscribe
        }
        Request::Credit(_) | Request::Ack(_) | Request::Cancel(_) => Right::Subscribe,
        Request::Forget(_) | Request::Status | Request::Archive(_) => Right::Control,
    };
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

fn forbidden(denied: &Denied, needed: Right) -> Refusal {
    let refusal = Refusal::new("forbidden", denied.to_string());
    match needed {
        Right::Publish => refusal.not_recorded(),
        _ => refusal,
    }
}
