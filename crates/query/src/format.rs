//! What people see of messages, counts, archives and damage.
//!
//! Everything is written to a writer that the caller gives, and everything that
//! somebody else may have chosen goes through [`sanitise`](crate::sanitise()).

mod archives;
mod clip;
mod findings;
mod salvage;
mod stats;
mod text;
mod verify;

pub use archives::write_archives;
pub(crate) use clip::Clip;
pub use clip::Limits;
pub use findings::write_findings;
pub use salvage::write_salvaged;
pub use stats::write_statistics;
pub use text::TextFormat;
pub use verify::{write_finding, write_report};
