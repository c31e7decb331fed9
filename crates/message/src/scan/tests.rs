use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

#[path = "../../tests/support/json.rs"]
#[allow(unreachable_pub)]
mod json;

/// Checks a whole text.
fn scan(text: &str) -> Scan<Marks> {
    let mut scanner = Scanner::new(text);
    scanner.value_range()?;
    scanner.finish()?;
    Ok(scanner.marks())
}

fn is_strict(text: &str) -> bool {
    scan(text).is_ok_and(|marks| !marks.non_finite)
}

#[track_caller]
fn assert_like_serde(text: &str) {
    let serde = serde_json::from_str::<&RawValue>(text);
    assert_eq!(
        is_strict(text),
        serde.is_ok(),
        "{text:?}: {:?}, {serde:?}",
        scan(text)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn generated_json_is_valid(text in json::json()) {
        prop_assert!(scan(&text).is_ok());
        assert_like_serde(&text);
    }

    #[test]
    fn mutated_json_is_judged_as_serde_judges_it(bytes in json::mutated()) {
        assert_like_serde(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn short_text_of_json_characters_is_judged_as_serde_judges_it(
        text in "[\\[\\]{}\":,\\\\ 0-9eE.+\\-a-funtrlsN\n\t]{0,12}"
    ) {
        assert_like_serde(&text);
    }

    #[test]
    fn every_value_is_found_where_it_stands(text in json::json()) {
        let trimmed = text.trim_ascii();
        prop_assert_eq!(Scanner::new(&text).value(), Ok(trimmed));
    }
}

#[test]
fn numbers_are_judged_as_serde_judges_them() {
    let parts = [
        "", "-", "+", "0", "1", "01", ".", ".5", "e", "E+", "e-7", "1e400", "--",
    ];
    for first in parts {
        for second in parts {
            for third in parts {
                assert_like_serde(&format!("{first}{second}{third}"));
            }
        }
    }
}

#[test]
fn every_byte_in_a_string_is_judged_as_serde_judges_it() {
    for byte in 0..=127_u8 {
        for before in 0..10 {
            let (pad, character) = ("x".repeat(before), char::from(byte));
            assert_like_serde(&format!("\"{pad}{character}tail of it\""));
            assert_like_serde(&format!("\"{pad}\\{character}00e9\""));
            assert_like_serde(&format!("\"\\u00e{character}\""));
        }
    }
}

#[test]
fn tokens_that_are_not_finite_are_marked() {
    for text in [
        "NaN",
        "Infinity",
        "-Infinity",
        "[1,NaN]",
        "{\"a\":-Infinity}",
    ] {
        assert!(scan(text).is_ok_and(|marks| marks.non_finite), "{text}");
    }
    for text in [
        "-NaN",
        "nan",
        "Infinit",
        "--Infinity",
        "NaNa",
        "+Infinity",
        "-Infinity0",
        "inf",
    ] {
        assert!(scan(text).is_err(), "{text}");
    }
    assert!(scan("\"NaN\"").is_ok_and(|marks| !marks.non_finite));
}

#[test]
fn line_breaks_and_record_starts_are_marked_between_tokens_only() {
    let marks = |text| scan(text).unwrap();
    assert!(marks("[1,\n2]").line_break && marks("[\r]").line_break && marks("{\n}").line_break);
    assert!(marks("{\"a\"\n:1}").line_break && marks("{\"a\":\n1}").line_break);
    assert_eq!(marks("[1,\t2, \"\\n\"]"), Marks::default());
    assert!(marks("[{\"message_num\":1}]").record_start);
    assert_eq!(
        marks("[{\"message_num\" :1}, \"{\\\"message_num\\\":\"]"),
        Marks::default()
    );
}

#[test]
fn nesting_keeps_the_kinds_of_all_levels() {
    for depth in [1, 63, 64, 65, 127, 128, 129, 1_000, 100_000] {
        let text = json::nested("0", depth);
        assert!(is_strict(&text), "{depth}");
        // The same text with one closing bracket of the wrong kind.
        for at in [
            text.len() - 1,
            text.len() - depth / 2 - 1,
            text.len() - depth,
        ] {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b']' { b'}' } else { b']' };
            assert!(!is_strict(std::str::from_utf8(&wrong).unwrap()), "{depth}");
        }
    }
}

#[test]
fn offsets_of_violations_point_at_them() {
    for (text, at) in [
        ("", 0),
        ("[1 2]", 3),
        ("{\"a\" 1}", 5),
        ("\"\u{1}\"", 1),
        ("tru", 0),
        ("1 x", 2),
    ] {
        assert_eq!(scan(text), Err(Malformed { at }), "{text}");
    }
}

#[test]
fn elements_of_arrays_are_found() {
    let found: Vec<_> = elements(" [ 1 , [2,3],\"]\" ] ").collect();
    assert_eq!(found, ["1", "[2,3]", "\"]\""]);
    assert_eq!(elements("[]").count(), 0);
    assert_eq!(elements("{\"a\":1}").count(), 0);
    assert!(is_string_array("[\"a\", \"b\"]") && is_string_array("[]"));
    assert!(!is_string_array("\"a\"") && !is_string_array("[\"a\",1]"));
}
