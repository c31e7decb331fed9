//! Counts as text.

use std::io::{self, Write};

use crate::clip::Limits;
use crate::number::counted;
use query::Error;
use query::{Statistics, Tally};

/// Writes the counts of messages by tier, chain and sender, and the time range.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_statistics(
    statistics: &Statistics,
    limits: &Limits,
    out: &mut dyn Write,
) -> Result<(), Error> {
    write_around(statistics, limits, out, |out| {
        write_tally("Senders", &statistics.senders, limits, out)
    })
}

/// Writes the counts, with what `senders` writes in the place of the senders.
pub(crate) fn write_around(
    statistics: &Statistics,
    limits: &Limits,
    out: &mut dyn Write,
    senders: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    writeln!(out, "[CONVERSATION STATISTICS]")?;
    if statistics.messages == 0 {
        writeln!(out, "\n  No messages.")?;
        return Ok(());
    }
    writeln!(out, "\n[ACE Tier Distribution]")?;
    for (tier, count) in statistics.tiers.by_name() {
        let (tier, share) = (limits.field(tier), percent(count, statistics.messages));
        let count = messages(count);
        writeln!(out, "  {tier}-Tier: {count} ({share}%)")?;
    }
    write_tally("Domain Chains", &statistics.chains, limits, out)?;
    senders(out)?;
    writeln!(out, "\n[Time Range]")?;
    match &statistics.times {
        Some(times) => {
            writeln!(out, "  From: {}", limits.field(times.first()))?;
            writeln!(out, "  To:   {}", limits.field(times.last()))?;
        }
        None => writeln!(out, "  No readable timestamps.")?,
    }
    Ok(())
}

fn write_tally(title: &str, tally: &Tally, limits: &Limits, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n[{title}]")?;
    for (name, count) in tally.by_count() {
        writeln!(out, "  {}: {}", limits.field(name), messages(count))?;
    }
    Ok(())
}

/// Writes how many messages there are.
pub(crate) fn messages(count: u64) -> String {
    counted(count, "message", "messages")
}

/// Rounds to whole percent, halves up.
fn percent(part: u64, whole: u64) -> u128 {
    let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
    (part * 200 + whole) / (whole * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded() {
        for (part, whole, expected) in [
            (12, 247, 5),
            (48, 247, 19),
            (187, 247, 76),
            (1, 200, 1),
            (1, 201, 0),
            (1, 3, 33),
            (2, 3, 67),
            (7, 7, 100),
            (u64::MAX, u64::MAX, 100),
        ] {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn without_messages_there_is_a_sentence() {
        let mut out = Vec::new();
        write_statistics(&Statistics::default(), &Limits::NONE, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "[CONVERSATION STATISTICS]\n\n  No messages.\n");
    }
}
