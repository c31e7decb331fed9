//! Who sleeps, who wakes, and what must come of it in whatever order.

pub mod appending;
pub mod handing_over;
pub mod recording;
pub mod serving;
pub mod waking;

pub use crate::control::{feeding, telling};
pub use crate::scan::scenarios as scanning;
