//! Indexes of sessions: small files that spare reading large ones.
//!
//! Beside `session_X.jsonl` may lie `session_X.jsonl.index`. It is derived: it can
//! be removed at any time, and is bound to its session by the session's length,
//! the time of its last change and a checksum of its end; where only the time is
//! another one, by all of the session's bytes. Of the session being written its
//! beginning has an index, which grows with it ([`current`]). What is shown is always
//! read from the session. The index only tells
//!
//! - in which stretches of the session nothing matches, so that they need not be
//!   read, and how many messages match where only that is asked;
//! - if it was made so, in which stretches a text can't be;
//! - what counting everything would find ([`Analysis`](crate::Analysis),
//!   [`Findings`](crate::Findings)).
//!
//! Stretches that hold anything out of the ordinary, such as damage, altered
//! messages or lines without a checksum, are never judged by the index, but read.
//! How the file is laid out is in `docs/index-format.md`.

mod binding;
mod build;
mod collect;
mod column;
mod current;
mod dictionary;
mod directory;
mod file;
mod grams;
mod guide;
mod header;
mod paths;
mod publishing;
mod question;
mod scan;
mod sessions;
mod statistics;
mod sums;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod writing;

pub use build::{build_index, renew_index};
pub use current::{Trust, extend_index};
pub(crate) use guide::Need;
pub use paths::{Unusable, index_path};
pub use publishing::Built;
pub(crate) use scan::scan;
pub(crate) use sessions::Sessions;
pub use target::{IndexState, archive_paths, has_index, index_state};
pub use writing::IndexContents;
