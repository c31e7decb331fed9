//! The findings of a check and its summary as text.

use std::io::Write;

use journal::Removed;

use crate::archives::write_unread;
use query::sanitise;
use query::{Error, shown};
use query::{Fault, Finding, Report};

/// Writes a finding on one line.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_finding(finding: &Finding, out: &mut dyn Write) -> Result<(), Error> {
    let at = &finding.at;
    let line = at.line.map(|line| format!(": line {line}"));
    let (path, line) = (shown(&at.path), line.unwrap_or_default());
    let what = what(&finding.fault);
    writeln!(
        out,
        "{path}{line}: {} bytes at offset {}: {}",
        at.length,
        at.offset,
        sanitise(&what)
    )?;
    Ok(())
}

fn what(fault: &Fault) -> String {
    match fault {
        Fault::Damaged(reason) => format!("damaged: {reason}"),
        Fault::Altered { number } => {
            format!("message #{number} is altered: the checksum does not fit")
        }
        Fault::Undecodable { number, reason } => {
            format!("message #{number} cannot be rebuilt: {reason}")
        }
        Fault::Missing { first, last } if first == last => {
            format!("gap: number {first} is missing before this message")
        }
        Fault::Missing { first, last } => {
            format!("gap: numbers {first} to {last} are missing before this message")
        }
        Fault::Repeated { number } => format!("repeat: message #{number} was there before"),
        Fault::OutOfOrder { number, after } => {
            format!("out of order: message #{number} comes after #{after}")
        }
    }
}

/// Writes what was checked, and how much of what was found.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_report(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let is_clean = report.is_clean();
    writeln!(out, "[{}]", if is_clean { "CLEAN" } else { "NOT CLEAN" })?;
    let rows = [
        ("Files", report.files),
        ("Bytes", report.bytes),
        ("Records", report.records),
        ("  Verified", report.verified),
        ("  Unverified (without a checksum)", report.unverified),
        ("  Altered", report.altered),
        ("Records that cannot be rebuilt", report.undecodable),
        ("Damaged stretches", report.damaged),
        ("  Bytes in them", report.damaged_bytes),
        ("Missing numbers", report.missing),
        ("Repeated numbers", report.repeats),
        ("Out of order", report.out_of_order),
    ];
    for (name, count) in rows {
        writeln!(out, "  {name}: {count}")?;
        if name == "Missing numbers" && report.gaps > 0 {
            writeln!(out, "    {}", ranges(report))?;
        }
    }
    for missing in &report.inventory.missing {
        let missing = missing.to_string();
        writeln!(
            out,
            "[!] Not in the journal's files: {}",
            sanitise(&missing)
        )?;
    }
    for (first, last, at) in removed(&report.inventory.removed) {
        let at = sanitise(&at);
        writeln!(
            out,
            "[*] Removed on purpose: messages {first} to {last}, the last of them at {at}."
        )?;
    }
    write_unread(&report.inventory.unread, out)?;
    if report.unfinished > 0 {
        let bytes = report.unfinished;
        writeln!(out, "[*] The last line has no end yet ({bytes} bytes).")?;
    }
    Ok(())
}

/// Joins what was removed one behind the other: first and last number, and when the last
/// of it went.
fn removed(sessions: &[Removed]) -> Vec<(u64, u64, String)> {
    let mut sessions: Vec<&Removed> = sessions.iter().collect();
    sessions.sort_by_key(|one| one.first);
    let mut joined: Vec<(u64, u64, String)> = Vec::new();
    for one in sessions {
        match joined.last_mut() {
            Some((_, last, at)) if one.first <= *last + 1 => {
                *last = one.last.max(*last);
                at.clone_from(&one.removed_at);
            }
            _ => joined.push((one.first, one.last, one.removed_at.clone())),
        }
    }
    joined
}

/// Names the ranges of missing numbers, and counts those beyond the first.
fn ranges(report: &Report) -> String {
    let ranges = report.ranges.iter().map(|range| {
        let (first, last) = (range.start(), range.end());
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    let named = ranges.collect::<Vec<_>>().join(", ");
    match report.gaps.saturating_sub(report.ranges.len() as u64) {
        0 => named,
        more => format!("{named} and {more} more gaps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use query::Location;

    fn written(fault: Fault) -> String {
        let at = Location {
            path: "a\u{1b}b".into(),
            line: Some(3),
            offset: 20,
            length: 9,
        };
        let mut out = Vec::new();
        write_finding(&Finding { at, fault }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_finding_says_where_and_what() {
        assert_eq!(
            written(Fault::Missing { first: 4, last: 6 }),
            "a\\u001bb: line 3: 9 bytes at offset 20: \
             gap: numbers 4 to 6 are missing before this message\n"
        );
    }

    #[test]
    fn what_is_quoted_from_a_record_is_fit_to_be_shown() {
        let line = "{\"topic\":\"t\",\"content\":1,\"frames\":\"\u{9b}x\",\"recorded_at\":\"\"}";
        let reason = message::Record::parse(line.as_bytes())
            .unwrap()
            .frames()
            .unwrap_err();
        let text = written(Fault::Undecodable { number: 1, reason });
        assert!(text.contains("\\u009bx"), "{text}");
    }

    #[test]
    fn ranges_beyond_the_first_are_counted() {
        let report = Report {
            gaps: 5,
            missing: 9,
            ranges: vec![2..=2, 4..=7],
            ..Report::default()
        };
        let mut out = Vec::new();
        write_report(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("Missing numbers: 9\n    2, 4-7 and 3 more gaps\n"),
            "{text}"
        );
        assert!(text.starts_with("[NOT CLEAN]"), "{text}");
    }
}
