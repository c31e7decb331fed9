//! What must hold for any input, one function a target.
//!
//! Each function takes arbitrary bytes and panics where a promise of the
//! crates is broken. A fuzzer calls them, and so do the tests of this package,
//! so that the promises are also tried where there is no fuzzer.
//!
//! What is expected is computed here a second time, in a slow and obvious way
//! and without the code that is tested.

mod curve;
mod filters;
mod frames;
mod line;
mod memory;
mod rendering;
mod sandbox;
mod session;
mod whole;
mod wire;

pub use curve::curve;
pub use filters::filters;
pub use frames::frames;
pub use line::line;
pub use rendering::rendering;
pub use session::session;
pub use wire::wire;

/// A target: its name, and what it does with some bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("session", session),
    ("frames", frames),
    ("line", line),
    ("rendering", rendering),
    ("filters", filters),
    ("wire", wire),
    ("curve", curve),
];
