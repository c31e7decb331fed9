//! The cases, one file each.

pub(crate) mod closed_loop;
pub(crate) mod memory;
pub(crate) mod open_loop;
pub(crate) mod replay;
pub(crate) mod start_up;
pub(crate) mod throughput;
