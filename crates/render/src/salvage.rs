//! What was kept of a session as text.

use std::io::Write;
use std::path::Path;

use query::Salvaged;
use query::{Error, shown};

/// Writes how much of a session was kept in the file `to`, and what was not.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_salvaged(salvaged: &Salvaged, to: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let (from, to) = (shown(&salvaged.source), shown(to));
    writeln!(out, "[SALVAGED] from {from} to {to}")?;
    let rows = [
        ("Kept", salvaged.records()),
        ("  Verified", salvaged.verified),
        ("  Unverified (without a checksum)", salvaged.unverified),
        ("  Altered", salvaged.altered),
        ("Damaged stretches left out", salvaged.damaged),
        ("  Bytes in them", salvaged.damaged_bytes),
    ];
    for (name, count) in rows {
        writeln!(out, "  {name}: {count}")?;
    }
    writeln!(
        out,
        "[*] The new file was read back: its records are the same."
    )?;
    Ok(())
}
