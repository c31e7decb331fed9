//! What people see of messages, counts, archives and damage.
//!
//! Everything is written to a writer that the caller gives, and everything that
//! somebody else may have chosen goes through [`sanitise`](crate::sanitise()).

mod analysis;
mod archives;
mod bars;
mod body;
mod cell;
mod chat;
mod clip;
mod colour;
mod column;
mod compact;
mod csv;
mod findings;
mod html;
mod json;
mod layout;
mod markdown;
mod marks;
mod number;
mod prose;
mod raw;
mod salvage;
mod stats;
mod text;
mod values;
mod verify;

use std::io::Write;
use std::path::Path;

use crate::select::Sink;

pub use analysis::{write_analysis, write_analysis_json};
pub use archives::{write_archives, write_unread};
pub(crate) use clip::Clip;
pub use clip::Limits;
pub use column::Column;
pub use findings::write_findings;
pub use layout::{Format, Layout};
pub use marks::Marks;
pub use number::grouped;
pub use salvage::write_salvaged;
pub use stats::{write_counts, write_statistics};
pub use text::TextFormat;
pub use values::write_values;
pub use verify::{write_finding, write_report};

/// Returns what a person would read of a message, if there was little room.
pub(crate) fn summary(record: &message::Record<'_>) -> String {
    body::Body::of(record).summary().into_owned()
}

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
