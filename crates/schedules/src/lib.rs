//! Sleeping and waking, tried with a scheduler that decides who goes on next.
//!
//! The files below are those of the other crates, included by their path. There they take
//! locks, condition variables and flags from a module `sync` that names the standard
//! library's types; here `crate::sync` names those of shuttle, at whose every use another
//! thread may go on. So what is tried is the very text that runs in the broker, normal
//! builds have no other types and no `cfg`, and `cargo test --workspace` needs no flags:
//! a flag for the compiler would build all dependencies a second time, and a feature would
//! be one more way in which crates are built.
//!
//! What those files take from the rest of their crates has stand-ins here, as small as
//! possible: a disk that is a list, a connection that is a list, a wake pipe that is a
//! number of bytes. Shuttle reports a deadlock where nobody can go on, which is what a
//! lost wake-up is: time-outs never come, but for a few that chance decides
//! ([`sync`]). It knows no weak memory: all flags here are `SeqCst` in any case.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "all of this is tests, and a panic is how they fail"
)]

mod batch;
pub mod check;
mod control;
mod delivery;
mod error;
mod group;
mod intake;
mod net;
mod platform;
mod recorder;
mod scan;
pub mod scenarios;
mod sync;
mod tail;
mod writer;

/// What the journal's file takes from its crate.
mod options {
    pub(crate) use crate::writer::Options;
}
mod recovery {
    pub(crate) use journal::Recovery;
}

/// Memory for reuse is nobody's concern here.
mod pool {
    #[derive(Debug, Default)]
    pub(crate) struct BufferPool;
}

#[allow(dead_code, unreachable_pub, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../journal/src/journal.rs"]
mod leader;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/pending.rs"]
mod pending;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/shutdown.rs"]
mod shutdown;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/throttle.rs"]
mod throttle;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/worker.rs"]
mod worker;
