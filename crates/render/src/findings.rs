//! Damage and alterations as text.

use std::io::Write;

use query::Findings;
use query::sanitise;
use query::{Error, shown};

/// Writes how much is damaged or altered, and where the first places are.
/// Where nothing is, nothing is written.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_findings(findings: &Findings, out: &mut dyn Write) -> Result<(), Error> {
    for note in &findings.notes {
        writeln!(out, "[!] {}", sanitise(note))?;
    }
    if findings.damaged > 0 {
        let were = counted(findings.damaged, "damaged line was", "damaged lines were");
        writeln!(out, "[!] {were} skipped:")?;
        for damage in &findings.damage {
            writeln!(out, "  {}", sanitise(&damage.to_string()))?;
        }
        write_rest(findings.damaged, findings.damage.len(), out)?;
    }
    if findings.altered > 0 {
        let were = counted(findings.altered, "message was", "messages were");
        writeln!(out, "[!] {were} altered after being recorded:")?;
        for alteration in &findings.alterations {
            let path = shown(&alteration.path);
            writeln!(
                out,
                "  {path}: message #{}: {} bytes at offset {}: the checksum does not fit",
                alteration.number, alteration.length, alteration.offset
            )?;
        }
        write_rest(findings.altered, findings.alterations.len(), out)?;
    }
    Ok(())
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn write_rest(count: u64, named: usize, out: &mut dyn Write) -> Result<(), Error> {
    match count.saturating_sub(named as u64) {
        0 => Ok(()),
        more => Ok(writeln!(out, "  and {more} more")?),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use journal::{Damage, Reason};

    use super::*;
    use query::Alteration;

    fn written(findings: &Findings) -> String {
        let mut out = Vec::new();
        write_findings(findings, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn places_are_named_and_the_rest_is_counted() {
        let damage = Damage {
            path: "a\u{1b}b".into(),
            line: Some(2),
            offset: 345,
            length: 6,
            reason: Reason::NotJson,
        };
        let path = Path::new("f").to_owned();
        let alteration = Alteration {
            path,
            number: 7,
            offset: 9,
            length: 99,
        };
        let findings = Findings {
            damaged: 3,
            damage: vec![damage],
            altered: 1,
            alterations: vec![alteration],
            notes: vec!["a note".to_owned()],
        };
        assert_eq!(
            written(&findings),
            "[!] a note\n\
             [!] 3 damaged lines were skipped:\n\
             \x20 a\\u001bb: line 2: 6 bytes at offset 345: not JSON\n\
             \x20 and 2 more\n\
             [!] 1 message was altered after being recorded:\n\
             \x20 f: message #7: 99 bytes at offset 9: the checksum does not fit\n"
        );
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(written(&Findings::default()), "");
    }
}
