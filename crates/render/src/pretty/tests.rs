use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::clip::Limits;
use query::sanitise;

fn indented(json: &str) -> String {
    let mut out = Vec::new();
    let mut clip = Clip::new(&mut out, Limits::NONE);
    indent_with(json, &mut clip, &mut |_, _| None).unwrap();
    clip.finish().unwrap();
    String::from_utf8(out).unwrap()
}

/// Takes the whitespace between tokens out, by a walk of its own.
fn bare(json: &str) -> String {
    let (mut bare, mut in_string, mut is_escaped) = (String::new(), false, false);
    for c in json.chars() {
        if in_string || !" \t\r\n".contains(c) {
            bare.push(c);
        }
        if in_string && is_escaped {
            is_escaped = false;
        } else if in_string && c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            in_string = !in_string;
        }
    }
    bare
}

#[test]
fn order_numbers_and_equal_keys_stay() {
    let json =
        r#"{"z":1e400,"a":[1.50,-0,12345678901234567890123],"z":{"\u0061":"\ud800 , [ { \" \\"}}"#;
    let expected = r#"{
  "z": 1e400,
  "a": [
    1.50,
    -0,
    12345678901234567890123
  ],
  "z": {
    "\u0061": "\ud800 , [ { \" \\"
  }
}
"#;
    assert_eq!(indented(json), expected);
}

#[test]
fn escapes_of_what_can_be_shown_are_shown() {
    let json = r#"{"\u00fc":"Gr\u00fc\u00dfe \ud83d\udc4b \u4f60 \\u00fc \u0041\u000a\"\u200b\ud83d\u00e"}"#;
    let expected = r#"{
  "ü": "Grüße 👋 你 \\u00fc \u0041\u000a\"\u200b\ud83d\u00e"
}
"#;
    assert_eq!(indented(json), expected);
}

#[test]
fn empty_containers_and_scalars_stay_on_one_line() {
    for json in ["{}", "[]", "null", "-1.0E+2", "\"a b\"", "true"] {
        assert_eq!(indented(json), format!("{json}\n"));
    }
    assert_eq!(indented("[ { } , [\n] ]"), "[\n  {},\n  []\n]\n");
}

#[test]
fn depth_costs_neither_stack_nor_the_square_of_it() {
    let depth = 100_000;
    let json = "[".repeat(depth) + &"]".repeat(depth);
    let text = indented(&json);
    assert_eq!(bare(&text), json);
    assert!(text.len() < json.len() * 2 * (DEEPEST + 1));
}

#[test]
fn what_is_hidden_in_a_string_is_shown_as_json_would_escape_it() {
    let json = "{\"a\u{202e}\":\"\u{7f}\u{e0041}\"}";
    let text = indented(json);
    assert_eq!(text, "{\n  \"a\\u202e\": \"\\u007f\\udb40\\udc41\"\n}\n");
    let (before, after): (Value, Value) = (
        serde_json::from_str(json).unwrap(),
        serde_json::from_str(&text).unwrap(),
    );
    assert_eq!(before, after);
}

/// JSON text with whitespace, escapes and numbers of many spellings.
fn json() -> impl Strategy<Value = String> {
    let string = r#""([a-z {}\[\],:]|\\["\\/bn]|\\u00[0-9a-f]{2}|ü|\u{200b}){0,6}""#;
    let number = "-?(0|[1-9][0-9]{0,30})([.][0-9]{1,5})?([eE][+-]?[0-9]{1,4})?";
    let scalar = prop_oneof![string, number, "true|false|null"];
    let space = || "[ \t\r\n]{0,2}";
    scalar.prop_recursive(5, 40, 5, move |inner| {
        let element = (space(), inner, space()).prop_map(|(a, value, b)| a + &value + &b);
        let member = (space(), string, space(), element.clone())
            .prop_map(|(a, key, b, value)| format!("{a}{key}{b}:{value}"));
        let join = |parts: Vec<String>| parts.join(",");
        prop_oneof![
            (prop::collection::vec(element, 0..5), space())
                .prop_map(move |(parts, a)| format!("[{}{a}]", join(parts))),
            (prop::collection::vec(member, 0..5), space())
                .prop_map(move |(parts, a)| format!("{{{}{a}}}", join(parts))),
        ]
    })
}

proptest! {
    #[test]
    fn the_tokens_stay_the_same(json in json()) {
        let tokens = bare(&json);
        // Latin-1's visible escapes, the only ones beyond ASCII that are generated.
        let shown = (0xa1..=0xff_u8).filter(|c| *c != 0xad).fold(tokens, |tokens, c| {
            let escape = format!("\\u{c:04x}");
            tokens.replace(&escape, &char::from(c).to_string())
        });
        prop_assert_eq!(bare(indented(&json).trim_end()), sanitise(&shown));
    }

    #[test]
    fn the_form_is_that_of_serde_json(json in json()) {
        // Through a value it is only comparable where nothing is lost on the way.
        let Ok(value) = serde_json::from_str::<Value>(&json) else { return Ok(()) };
        let once = serde_json::to_string(&value).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let lines: Vec<_> = pretty.lines().map(sanitise).collect();
        prop_assert_eq!(indented(&once), lines.join("\n") + "\n");
    }

    #[test]
    fn any_text_is_written_without_a_panic(text in "[\\[\\]{},:\"\\\\a1 \nü]{0,40}") {
        let kept = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        prop_assert!(kept(&indented(&text)) >= kept(&text));
    }
}
