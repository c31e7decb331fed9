//! What people see of messages, counts, archives and damage.
//!
//! Everything is written to a writer that the caller gives, and everything that
//! somebody else may have chosen goes through [`sanitise`](crate::sanitise()).

mod archives;
mod clip;
mod findings;
mod stats;
mod text;

pub use archives::write_archives;
pub(crate) use clip::Clip;
pub use clip::Limits;
pub use findings::write_findings;
pub use stats::write_statistics;
pub use text::TextFormat;
