//! Lists of values as text.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

use crate::number::grouped;
use query::Error;
use query::Value;
use query::sanitise;

/// Writes values in columns: how many messages have each, when the last of them
/// came, and the value itself.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_values(values: &[Value], out: &mut dyn Write) -> Result<(), Error> {
    let counts: Vec<_> = values.iter().map(|value| grouped(value.messages)).collect();
    let width = counts.iter().map(String::len).max().unwrap_or(0);
    let times = values.iter().filter_map(|value| value.last.as_deref());
    let time = times.map(UnicodeWidthStr::width).max().unwrap_or(0);
    for (value, count) in values.iter().zip(&counts) {
        let last = value.last.as_deref().unwrap_or_default();
        let name = match &*value.name {
            "" => "(empty)".into(),
            name => sanitise(name),
        };
        writeln!(out, "{count:>width$}  {last:time$}  {name}")?;
    }
    Ok(())
}
