//! Selects and counts recorded conversations.
//!
//! It reads the sessions of a journal, the one being written as well as the
//! closed ones, and answers what somebody wants to see of them. It never prints
//! by itself: results are values, and messages go to a [`Sink`] that the caller gives.
//! How they look to people is the matter of the crate `render`.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! # let line = r#"{"message_num":1,"topic":"design","sender":"gemini","content":{"a":1}}"#;
//! # std::fs::write(journal::current_session(dir), format!("{line}\n"))?;
//! use query::{Criteria, Filter, Findings, Source, Statistics};
//!
//! let gemini = Filter::compile(&Criteria {
//!     sender: vec!["gemini".to_owned()],
//!     ..Criteria::default()
//! })?;
//! let mut findings = Findings::default();
//! let statistics: Statistics = query::count(&Source::current(dir)?, &gemini, &mut findings)?;
//! assert_eq!(statistics.messages, 1);
//! assert!(findings.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is put together
//! A [`Source`] is a session file, opened once. A [`Filter`] is compiled once
//! from [`Criteria`] and tested on each message. [`show`] selects the newest
//! messages and gives them to a [`Sink`];
//! [`count()`] counts them. [`verify()`] checks whole sessions instead, down to the
//! numbering, and [`salvage()`] copies what is readable of one to a new file.
//!
//! # What it promises
//! - Memory does not grow with the file: one line is held at a time, and of the
//!   statistics one entry for each different tier, chain and sender.
//! - Damage is skipped, counted and reported as [`Findings`]; it is no error.
//! - No error's text can drive a terminal, see [`sanitise()`].
//! - No file outside the journal's directory is opened, whatever name is given.

mod analysis;
mod archives;
mod body;
mod bytes;
mod closed;
mod content;
mod convert;
mod count;
mod error;
mod fields;
mod filter;
mod findings;
mod follow;
mod index;
mod intern;
mod json;
mod line_end;
mod marks;
mod pause;
mod pieces;
mod reading;
mod salvage;
mod sanitise;
mod scan;
mod select;
mod shape;
mod source;
mod special;
mod sync;
mod tailing;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
mod thread;
mod time;
mod values;
mod verify;
mod when;
mod window;
mod zone;

pub use analysis::{
    Accumulator, Activity, Analysis, AnalysisReport, Bucket, Damaged, Found, Gaps, Named,
    OpenQuestion, OpenQuestions, Range, ReplyTimes, Sender, Silence, Statistics, Tally, TimeRange,
    Unit, ValueKind, percentile,
};
pub use archives::{ArchivedSession, Closed, Holdings, holdings, list_archives, list_unread};
pub use body::{Body, bytes_note};
pub use closed::archive_dir;
pub use count::count;
pub use error::{Error, shown};
pub use fields::{Content, Fields, Tags};
pub use filter::{Criteria, Filter};
pub use findings::{Alteration, Findings};
pub use follow::{Follow, follow};
pub use index::{
    Built, IndexContents, IndexState, Trust, Unusable, archive_paths, build_index, extend_index,
    has_index, index_path, index_state, renew_index,
};
pub use journal::current_session;
pub use json::{JsonToken, JsonTokens, TokenKind};
pub use marks::Marks;
pub use salvage::{Origin, Salvaged, salvage};
pub use sanitise::{is_hidden, is_joiner, sanitise};
pub use select::{Around, Counts, Order, Sink, Summary, matching, show, show_around};
pub use source::{Entry, Progress, Source};
pub use tailing::{FollowFiles, follow_files};
pub use thread::show_thread;
pub use time::Instant;
pub use values::{Unknown, Value, asks_for_values, unknown_values, values};
pub use verify::{Fault, Finding, Location, Report, Scope, verify};
pub use when::{TimeError, parse_time};
pub use zone::Zone;
