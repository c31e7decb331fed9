//! What people see of messages, counts, archives and damage.
//!
//! `query` answers with values, this draws them: as text for a terminal, Markdown,
//! HTML, CSV or JSON. Everything is written to a writer that the caller gives, and
//! everything that somebody else may have chosen goes through [`sanitise`](query::sanitise()).
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! # let line = r#"{"message_num":1,"topic":"design","sender":"gemini","content":"Hello"}"#;
//! # std::fs::write(query::current_session(dir), format!("{line}\n"))?;
//! use query::{Filter, Findings, Order, Source};
//! use render::{Format, Layout, formatter};
//!
//! let (source, mut out) = (Source::current(dir)?, Vec::new());
//! let mut sink = formatter(Format::Markdown, &mut out, source.path(), Layout::default(), false);
//! let mut findings = Findings::default();
//! query::show(&source, &Filter::default(), Order::default(), &mut findings, &mut *sink)?;
//! sink.end()?;
//! drop(sink);
//! assert!(String::from_utf8(out)?.contains("Hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analysis;
mod archives;
mod bars;
mod cell;
mod chat;
mod clip;
mod colour;
mod column;
mod compact;
mod csv;
mod duration;
mod findings;
mod html;
mod json;
mod layout;
mod markdown;
mod marks;
mod number;
mod pretty;
mod prose;
mod raw;
mod redact;
mod salvage;
mod stats;
mod text;
mod values;
mod verify;

use std::io::Write;
use std::path::Path;

use query::Sink;

pub use analysis::{write_analysis, write_analysis_json};
pub use archives::{write_archives, write_unread};
pub use clip::Limits;
pub use column::Column;
pub use duration::duration;
pub use findings::write_findings;
pub use html::{Drawing, Folder, MESSAGE_STYLE, Pages, Parent};
pub use layout::{Format, Layout};
pub use number::{counted, grouped, size};
pub use redact::{Hidden, Redacted, Redaction};
pub use salvage::write_salvaged;
pub use stats::write_statistics;
pub use text::TextFormat;
pub use values::write_values;
pub use verify::{write_finding, write_report};

/// Makes a sink that writes messages in a format. `path` is where they are read
/// from, and `is_filtered` tells whether only some of them were asked for.
///
/// Whoever shows messages with it calls [`Sink::end`] behind the last one.
pub fn formatter<'w>(
    format: Format,
    out: &'w mut dyn Write,
    path: &Path,
    layout: Layout,
    is_filtered: bool,
) -> Box<dyn Sink + 'w> {
    match format {
        Format::Pretty => {
            let text = TextFormat::new(out, path, layout.limits, is_filtered);
            Box::new(text.with_layout(layout))
        }
        Format::Chat => Box::new(chat::ChatFormat::new(out, layout)),
        Format::Compact => Box::new(compact::CompactFormat::new(out, layout)),
        Format::Json => Box::new(json::JsonFormat::new(out, &layout)),
        Format::Jsonl => Box::new(json::JsonlFormat::new(out, layout)),
        Format::Raw => Box::new(raw::RawFormat::new(out, layout.is_terminal)),
        Format::Csv => Box::new(csv::CsvFormat::new(out, &layout)),
        Format::Markdown => Box::new(markdown::MarkdownFormat::new(out, path.into(), layout)),
        Format::Html => Box::new(html::HtmlFormat::new(out, path.into(), layout)),
    }
}

#[cfg(test)]
mod tests;
