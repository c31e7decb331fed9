use super::*;
use crate::testing::{dir_with, recorded};

fn check(session: &[u8]) -> (Report, Vec<(Option<u64>, Fault)>) {
    let dir = dir_with(session);
    let mut faults = Vec::new();
    let report = verify(dir.path(), Scope::Current, &mut |finding| {
        faults.push((finding.at.line, finding.fault.clone()));
        Ok(())
    });
    (report.unwrap(), faults)
}

fn of_ours(number: u64) -> Vec<u8> {
    recorded(number, "t", r#"{"sender":"claude","content":{"a":"b"}}"#)
}

/// One of ours whose text was changed, but for its checksum.
fn altered(number: u64, from: &str, to: &str) -> Vec<u8> {
    let line = String::from_utf8(of_ours(number)).unwrap();
    line.replacen(from, to, 1).into_bytes()
}

/// A record with a right checksum, whatever its members are.
fn sealed(number: u64, body: &str) -> Vec<u8> {
    let mut group = journal::raw::Group::new(number, usize::MAX);
    group
        .push_with(|out| out.extend_from_slice(body.as_bytes()))
        .unwrap();
    group.bytes().to_vec()
}

#[test]
fn a_record_that_cannot_be_rebuilt_is_a_finding_though_its_checksum_fits() {
    let body = r#"{"topic":"t","content":1,"frames":7,"recorded_at":"2025-11-20T04:30:00.123Z"}"#;
    let (report, faults) = check(&[of_ours(1), sealed(2, body)].concat());
    assert_eq!((report.verified, report.undecodable), (2, 1));
    assert!(!report.is_clean());
    assert!(
        matches!(
            faults[..],
            [(Some(2), Fault::Undecodable { number: 2, .. })]
        ),
        "{faults:?}"
    );
}

#[test]
fn an_altered_number_is_one_finding() {
    let lines = [of_ours(1), altered(2, "2", "7"), of_ours(3)];
    let (report, faults) = check(&lines.concat());
    assert_eq!(faults, [(Some(2), Fault::Altered { number: 2 })]);
    assert_eq!(report.gaps, 0);
}

#[test]
fn an_altered_first_number_is_one_finding() {
    let lines = [altered(101, "101", "901"), of_ours(102), of_ours(103)];
    let (report, faults) = check(&lines.concat());
    assert_eq!(faults, [(Some(1), Fault::Altered { number: 901 })]);
    assert_eq!(report.records, 3);
}

#[test]
fn an_altered_record_behind_a_gap_keeps_its_number() {
    let lines = [
        of_ours(1),
        b"\0\0\n".to_vec(),
        altered(3, "claude", "gemini"),
        of_ours(4),
    ];
    let (_, faults) = check(&lines.concat());
    let expected = [
        (Some(2), Fault::Damaged(journal::Reason::Nul)),
        (Some(3), Fault::Altered { number: 3 }),
        (Some(3), Fault::Missing { first: 2, last: 2 }),
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_line_without_a_checksum_that_stands_twice_is_a_repeat() {
    let line = |number| format!("{{\"message_num\":{number},\"content\":1}}\n");
    let lines = [1, 2, 2, 3].map(line).concat();
    let (report, faults) = check(lines.as_bytes());
    assert_eq!(faults, [(Some(3), Fault::Repeated { number: 2 })]);
    assert_eq!(report.unverified, 4);
}

#[test]
fn findings_end_where_whoever_looks_at_them_wants() {
    let dir = dir_with(b"x\ny\n");
    let mut seen = 0;
    let result = verify(dir.path(), Scope::Current, &mut |_| {
        seen += 1;
        Err(std::io::Error::from(std::io::ErrorKind::StorageFull).into())
    });
    assert!(matches!(result, Err(Error::Write(_))));
    assert_eq!(seen, 1);
}
