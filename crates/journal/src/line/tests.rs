use super::*;

fn sealed(number: u64, members: &str) -> Vec<u8> {
    let mut line = format!("{{\"message_num\":{number}{members}").into_bytes();
    seal(&mut line, 0);
    line
}

#[test]
fn a_sealed_line_is_verified_json_with_its_number() {
    let line = sealed(42, ",\"topic\":\"a\"");
    let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(json["crc"].as_str().unwrap().len(), 8);
    let expected = Checked::Record {
        number: Some(42),
        integrity: Integrity::Verified,
    };
    assert_eq!(check(&line), expected);
}

#[test]
fn the_checksum_is_crc32c_of_what_stands_before_its_key() {
    // The check value of CRC-32C for "123456789" is e3069283 (RFC 3720's polynomial).
    assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    let line = String::from_utf8(sealed(1, "")).unwrap();
    let crc = crc32c(b"{\"message_num\":1,");
    assert_eq!(line, format!("{{\"message_num\":1,\"crc\":\"{crc:08x}\"}}"));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let line = sealed(42, ",\"topic\":\"a\",\"content\":{\"text\":\"some words\"}");
    for byte in 0..line.len() {
        for bit in 0..8 {
            let mut damaged = line.clone();
            damaged[byte] ^= 1 << bit;
            let found = check(&damaged);
            let intact = matches!(
                found,
                Checked::Record {
                    integrity: Integrity::Verified | Integrity::Unverified,
                    ..
                }
            );
            assert!(!intact, "byte {byte} bit {bit}: {found:?}");
        }
    }
}

#[test]
fn lines_without_checksum_are_unverified_whatever_their_form() {
    for (line, number) in [
        ("{}", None),
        ("{\"message_num\": 7, \"topic\": \"a\"}", Some(7)),
        ("{\"topic\":\"a\",\"message_num\":7}", Some(7)),
        ("{\"Id\": \"x\", \"Message\": \"{}\"}\r", None),
        ("{\"\\ud800\":1,\"message_num\":7}", Some(7)),
        ("\u{feff}{\"message_num\":\"seven\"}", None),
    ] {
        let expected = Checked::Record {
            number,
            integrity: Integrity::Unverified,
        };
        assert_eq!(check(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn deep_nesting_and_odd_numbers_are_no_damage() {
    let deep = format!("{{\"a\":{}1e400{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(matches!(check(deep.as_bytes()), Checked::Record { .. }));
}

#[test]
fn what_is_no_record_says_why() {
    for (line, reason) in [
        (&b"{\"message_num\":7,\"to"[..], Reason::NotJson),
        (b"[1]", Reason::NotAnObject),
        (b"7", Reason::NotAnObject),
        (b"{\"a\":\"\xff\"}", Reason::NotUtf8),
        (b"\0\0\0", Reason::Nul),
    ] {
        assert_eq!(check(line), Checked::Bad(reason));
    }
}

fn numbers(line: &[u8]) -> Vec<Option<u64>> {
    let pieces = split(line, Reason::NotJson);
    let covered: usize = pieces.iter().map(|piece| piece.range.len()).sum();
    assert_eq!(covered, line.len(), "every byte belongs to one piece");
    let number = |piece: &Piece| match piece.checked {
        Checked::Record { number, .. } => number,
        Checked::Bad(_) => None,
    };
    pieces.iter().map(number).collect()
}

#[test]
fn a_record_glued_behind_a_torn_one_is_found() {
    let torn = b"{\"message_num\":5,\"topic\":\"x".to_vec();
    let line = [torn, sealed(6, ",\"topic\":\"y\"")].concat();
    assert_eq!(numbers(&line), [None, Some(6)]);
}

#[test]
fn records_whose_newline_was_spoilt_are_all_found() {
    let records = [
        sealed(5, ""),
        b"\x0b".to_vec(),
        sealed(6, ""),
        sealed(7, ""),
    ];
    assert_eq!(
        numbers(&records.concat()),
        [Some(5), None, Some(6), Some(7)]
    );
}

#[test]
fn a_record_before_the_rest_of_another_is_found() {
    let mut tail = sealed(6, ",\"topic\":\"y\"");
    tail.drain(..20);
    assert_eq!(numbers(&[sealed(5, ""), tail].concat()), [Some(5), None]);
}

#[test]
fn a_checksum_is_spelled_in_eight_digits() {
    let mut crc = 1_u32;
    for _ in 0..1_000 {
        assert_eq!(hex(crc), *format!("{crc:08x}").as_bytes());
        crc = crc.wrapping_mul(0x9E37_79B1).rotate_left(7);
    }
    assert_eq!((hex(0), hex(u32::MAX)), (*b"00000000", *b"ffffffff"));
}
