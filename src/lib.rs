//! Carries the workspace's end-to-end tests (`tests/`) and examples (`examples/`).
//!
//! The programs are the packages `broker` and `viewer`; the library to embed is
//! the `journal` crate.
