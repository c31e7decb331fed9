//! What can be wrong with a line.

/// Tells why a line cannot be read, or why its frames cannot be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The line holds bytes that are not UTF-8.
    #[error("expected UTF-8, found another byte at offset {offset}")]
    NotUtf8 {
        /// Offset of the first such byte within the line.
        offset: usize,
    },
    /// The line is not one JSON value from its first to its last byte.
    #[error("expected JSON, found a violation at offset {offset}")]
    NotJson {
        /// Offset within the line at which the syntax is violated.
        offset: usize,
    },
    /// The line is JSON, but no object.
    #[error("expected a JSON object, found another JSON value")]
    NotObject,
    /// A field that the frames are rebuilt from is missing or of the wrong kind.
    #[error("expected field `{field}` to be {expected}, found {found}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What the field has to be.
        expected: &'static str,
        /// The beginning of what stands there, or `nothing`.
        found: String,
    },
    /// `content_at` does not point at the placeholder within the envelope.
    #[error(
        "expected `content_at` to point at a 0 in the {len} bytes of `envelope`, found {found}"
    )]
    ContentAt {
        /// Length of the envelope in bytes.
        len: usize,
        /// The offset that the line gives.
        found: u64,
    },
    /// The line holds another number of frames than it says.
    #[error("expected {expected} frames, found {found}")]
    FrameCount {
        /// The number that the line gives; 2 where it gives none.
        expected: u64,
        /// The number of frames in the line.
        found: u64,
    },
    /// A stretch of a frame is not what it was.
    #[error("expected a stretch of {expected} bytes, found {found}")]
    Changed {
        /// How many bytes it had.
        expected: usize,
        /// How many it has now.
        found: usize,
    },
    /// A field is not base64.
    #[error("expected field `{field}` to be base64")]
    Base64 {
        /// Name of the field.
        field: &'static str,
        /// What the base64 reader stumbled over.
        #[source]
        source: base64::DecodeError,
    },
}

impl DecodeError {
    /// Makes a [`DecodeError::Field`] that quotes the beginning of the offending token.
    pub(crate) fn field(field: &'static str, expected: &'static str, found: Option<&str>) -> Self {
        const QUOTED: usize = 40;
        let found = match found {
            None => "nothing".to_owned(),
            Some(token) if token.chars().nth(QUOTED).is_none() => token.to_owned(),
            Some(token) => token.chars().take(QUOTED).chain("...".chars()).collect(),
        };
        Self::Field {
            field,
            expected,
            found,
        }
    }
}
