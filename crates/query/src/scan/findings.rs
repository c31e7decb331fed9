//! What was found wrong, put together in the order of the file.

use super::{Batch, Numbers};
use crate::error::Error;
use crate::findings::{Alteration, Findings};
use crate::source::Source;

/// Adds what was found wrong in a batch. `lines` is how many lines of the file
/// came before it, where that is known.
pub(crate) fn merge_findings(
    findings: &mut Findings,
    batch: &Batch,
    numbers: &mut Numbers<'_>,
    source: &Source,
    lines: &mut Option<u64>,
) -> Result<(), Error> {
    source.has_read(batch.chunk.end - batch.chunk.start);
    if batch.chunk.start == 0 {
        *lines = lines.map(|_| 0);
    }
    let before = lines.filter(|_| batch.lines.is_some());
    findings.damaged += batch.damaged.saturating_sub(batch.damage.len() as u64);
    for damage in &batch.damage {
        let mut damage = damage.clone();
        damage.line = before.zip(damage.line).map(|(before, line)| before + line);
        findings.add_damage(damage);
    }
    findings.altered += batch.altered;
    for found in &batch.alterations {
        if !findings.has_room_for_alterations() {
            break;
        }
        let number = numbers.of(found, batch.chunk)?;
        findings.add_alteration(|| Alteration {
            path: source.parts[batch.chunk.part].path.clone(),
            number,
            offset: found.offset,
            length: found.length as u64,
        });
    }
    *lines = before
        .zip(batch.lines)
        .map(|(before, lines)| before + lines);
    Ok(())
}
