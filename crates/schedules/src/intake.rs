//! What intake announces.

#[rustfmt::skip]
#[path = "../../transport/src/intake/announce.rs"]
mod announce;

pub(crate) use self::announce::announce;
