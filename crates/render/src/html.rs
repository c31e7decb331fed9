//! A transcript as HTML: one page, or a folder of pages.
//!
//! A page needs nothing else: no network, and of files only those of its folder. All
//! that somebody else has written stands in it as text. Its policy allows one style and
//! one script, the page's own, by their hashes, so that even markup that got in by some
//! mistake would run nothing and load nothing.

mod body;
mod charts;
mod code;
mod contents;
mod document;
mod escape;
mod marked;
mod message;
mod pages;
mod parents;
mod rich;
mod single;
mod tree;
mod words;

pub use document::MESSAGE_STYLE;
pub use message::{Drawing, Parent};
pub use pages::{Folder, Pages};
pub(crate) use single::HtmlFormat;

#[cfg(test)]
mod tests;
