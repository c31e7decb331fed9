//! What a format has to know of the place where it is shown.

use std::fmt;
use std::str::FromStr;

use crate::clip::Limits;
use crate::column::Column;
use query::Marks;
use query::Zone;

/// A format for messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// A block of text for each message.
    #[default]
    Pretty,
    /// A conversation to be read: who said what.
    Chat,
    /// One line for each message, in columns.
    Compact,
    /// One JSON array.
    Json,
    /// The journal's own lines.
    Jsonl,
    /// The payloads as they were sent.
    Raw,
    /// A table as in RFC 4180.
    Csv,
    /// A transcript in Markdown.
    Markdown,
    /// A transcript as one page of HTML that needs nothing else.
    Html,
}

impl Format {
    /// All formats with the names by which they are asked for.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("pretty", Self::Pretty),
        ("chat", Self::Chat),
        ("compact", Self::Compact),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("raw", Self::Raw),
        ("csv", Self::Csv),
        ("md", Self::Markdown),
        ("html", Self::Html),
    ];

    /// Tells whether the caller may choose the columns.
    #[must_use]
    pub const fn has_columns(self) -> bool {
        matches!(self, Self::Compact | Self::Json | Self::Jsonl | Self::Csv)
    }

    /// Tells whether people read it on a screen, page by page.
    #[must_use]
    pub const fn is_for_screens(self) -> bool {
        matches!(
            self,
            Self::Pretty | Self::Chat | Self::Compact | Self::Markdown
        )
    }
}

/// A name that no format has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such format")]
pub struct FormatError;

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or(FormatError)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Self::NAMES.iter();
        let name = names.find(|(_, format)| format == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// How messages are laid out.
#[derive(Debug, Clone)]
pub struct Layout {
    /// How much of a message is shown, where the format is for people.
    pub limits: Limits,
    /// The time zone of times that are not shown as they were sent.
    pub zone: Zone,
    /// Columns of the terminal; `None` means that lines may be of any length.
    pub width: Option<usize>,
    /// Columns at which texts are wrapped at words; `None` leaves lines as they are.
    pub wrap: Option<usize>,
    /// What was searched, to be shown where it is found.
    pub marks: Marks,
    /// Whether a table begins with a byte order mark, as Excel wants it.
    pub has_bom: bool,
    /// Whether a terminal shows it, which nothing in a message may drive.
    pub is_terminal: bool,
    /// Whether senders have colours.
    pub is_coloured: bool,
    /// Which columns a table has; none means the usual ones.
    pub columns: Vec<Column>,
}

impl Layout {
    /// Tells whether the numbers of messages were asked for.
    pub(crate) fn wants_numbers(&self) -> bool {
        self.columns.contains(&Column::Number)
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            limits: Limits::NONE,
            zone: Zone::utc(),
            width: None,
            wrap: None,
            marks: Marks::default(),
            has_bom: false,
            is_terminal: false,
            is_coloured: false,
            columns: Vec::new(),
        }
    }
}
