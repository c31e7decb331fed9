//! The harness: one question per file.

pub(crate) mod broker;
pub(crate) mod client;
pub(crate) mod dir;
pub(crate) mod message;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod python;
pub(crate) mod record;
pub(crate) mod wait;
