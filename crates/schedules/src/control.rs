//! What other threads tell the control thread, and what stands between it and a consumer's.

#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/control/events.rs"]
mod events;

#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/control/feed.rs"]
mod feed;

pub mod feeding;
pub mod telling;

/// A client may have no more than this on its way.
mod limits {
    pub(crate) const CREDIT: u64 = 10;
    pub(crate) const WINDOW: usize = 1 << 20;
}
/// What the events carry, of which few are sent here.
mod dedupe {
    pub(crate) struct Known;
}
mod origins {
    pub(crate) struct Kept;
}
mod positions {
    pub(crate) struct Order;
}
mod router {
    pub(crate) struct Peer;
}
