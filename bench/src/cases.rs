//! The cases, one file each.

pub(crate) mod closed_loop;
pub(crate) mod throughput;
