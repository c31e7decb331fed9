use proptest::prelude::*;

use super::*;

fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    push_string(text, &mut out);
    String::from_utf8(out).unwrap()
}

fn unescaped(inner: &str) -> String {
    let mut out = Vec::new();
    push_unescaped(inner, &mut out);
    assert_eq!(unescape(inner).as_bytes(), out);
    String::from_utf8(out).unwrap()
}

proptest! {
    #[test]
    fn strings_are_written_as_serde_writes_them(text in any::<String>()) {
        prop_assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
        prop_assert_eq!(unescaped(inner(&escaped(&text)).unwrap()), text);
    }

    #[test]
    fn the_shorter_form_is_chosen(text in "([a-z]{8,20}[\n\0\"]){0,4}\0{0,2}") {
        let base64 = text.len().div_ceil(3) * 4;
        prop_assert_eq!(base64_is_shorter(&text), escaped(&text).len() - 2 > base64);
    }

    #[test]
    fn bytes_come_back_from_base64(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut token = b"before".to_vec();
        push_base64(&bytes, &mut token);
        let token = std::str::from_utf8(&token[6..]).unwrap();
        let mut back = Vec::new();
        decode_base64(inner(token).unwrap(), &mut back).unwrap();
        prop_assert_eq!(back, bytes);
    }

    #[test]
    fn escaped_units_are_read_as_utf16(units in prop::collection::vec(
        prop_oneof![any::<u16>(), 0xd7f0_u16..0xe010], 0..6,
    )) {
        let text: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        prop_assert_eq!(unescaped(&text), String::from_utf16_lossy(&units));
    }
}

#[test]
fn escapes_stand_for_their_characters() {
    assert_eq!(
        unescaped(r#"a\"\\\/\b\f\n\r\t\u0041z"#),
        "a\"\\/\u{8}\u{c}\n\r\tAz"
    );
    assert_eq!(unescaped(r"\ud83d\uDE00"), "😀");
    assert_eq!(
        unescaped(r"\ud83dx\ude00\ud83d\n"),
        "\u{fffd}x\u{fffd}\u{fffd}\n"
    );
}

#[test]
fn only_strings_have_text() {
    assert_eq!(text("\"a\\nb\"").as_deref(), Some("a\nb"));
    assert_eq!(text("7"), None);
    assert_eq!(text("\""), None);
}
