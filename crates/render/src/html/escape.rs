//! Text in which nothing is markup.

use std::fmt;

use query::sanitise;

/// Text on one line, as a page shows it and nothing else.
pub(super) struct Text<'a>(pub(super) &'a str);

/// Text that may have several lines.
pub(super) struct EscapedLines<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = sanitise(self.0);
        let mut rest = &*clean;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, special) = rest.split_at(at);
            f.write_str(plain)?;
            f.write_str(match special.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = special.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

impl fmt::Display for EscapedLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.0.split('\n').enumerate() {
            let before = if at == 0 { "" } else { "\n" };
            let line = line.strip_suffix('\r').unwrap_or(line);
            // Tabs indent, and nothing else comes of them.
            let mut parts = line.split('\t');
            write!(f, "{before}{}", Text(parts.next().unwrap_or_default()))?;
            parts.try_for_each(|part| write!(f, "\t{}", Text(part)))?;
        }
        Ok(())
    }
}
