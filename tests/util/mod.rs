//! The harness: one question per file.

pub(crate) mod bridge;
pub(crate) mod broker;
pub(crate) mod client;
pub(crate) mod control;
pub(crate) mod dir;
pub(crate) mod http;
pub(crate) mod keys;
pub(crate) mod message;
pub(crate) mod nats;
#[cfg(target_os = "linux")]
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod python;
pub(crate) mod record;
pub(crate) mod rounds;
#[cfg(target_os = "linux")]
pub(crate) mod shim;
pub(crate) mod wait;
