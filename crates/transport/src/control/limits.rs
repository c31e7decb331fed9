//! What a client of the control port may ask for. `docs/protocol.md` lists the
//! numbers, and the reply to `hello` tells them.

use std::time::Duration;

/// How many publish requests may be without a reply, of all clients together.
pub(crate) const IN_FLIGHT: usize = 10_000;
/// How many consumers there may be at a time.
pub(crate) const CONSUMERS: usize = 64;
/// How many names the broker keeps positions for.
pub(crate) const NAMES: usize = 1_000;
/// The longest name of a consumer.
pub(crate) const NAME: usize = 64;
/// How many messages a consumer may have credit for.
pub(crate) const CREDIT: u64 = 10_000;
/// How many bytes of messages may be on their way to a consumer that has not
/// said that it received them. One larger message passes alone.
pub(crate) const WINDOW: usize = 4 << 20;
/// The longest filter text, in bytes.
pub(crate) const FILTER: usize = 1_024;
/// How many bytes of replies wait for a client that does not read.
pub(crate) const OUTBOX: usize = 4 << 20;
/// The fastest and the slowest replay, in times the original pace.
pub(crate) const PACE: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;
/// Frames take memory also where they are empty.
pub(crate) const FRAMES: usize = 1 << 20;
/// How long replies are given to leave when the broker stops.
pub(crate) const LINGER: Duration = Duration::from_millis(500);
