//! Generators of JSON text as agents may send it, and of text that just misses being JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

/// Keys that mean something, plain and escaped, and some that do not.
const KEYS: &[&str] = &[
    r#""content""#,
    r#""cont\u0065nt""#,
    r#""metadata""#,
    r#""m\u0065tadata""#,
    r#""sender_id""#,
    r#""sender""#,
    r#""from""#,
    r#""agent""#,
    r#""timestamp""#,
    r#""ace_tier""#,
    r#""tier""#,
    r#""chain_type""#,
    r#""shl_tags""#,
    r#""message_id""#,
    r#""id""#,
    r#""message_num""#,
    r#""other""#,
    r#""""#,
    r#""\ud800""#,
];

const SCALARS: &[&str] = &[
    "0",
    "-0",
    "7",
    "1e400",
    "-1E+2",
    "1.10",
    "12345678901234567890123",
    "true",
    "false",
    "null",
    r#""""#,
    r#""A""#,
    r#""@Status-Ready""#,
    "\"a\u{2028}b\"",
    r#""\ud800""#,
    r#""\ud83d\ude00""#,
    r#""{\"message_num\":1}""#,
    r#""line\nbreak""#,
    "{}",
    "[]",
    r#"["@a","b"]"#,
    r#"["@a",7]"#,
];

/// Tokens that Python's `json.dumps` writes and JSON does not have.
const NON_FINITE: &[&str] = &["NaN", "Infinity", "-Infinity"];

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just(""), 4 => Just(" "), 1 => select(&["\n", "\r\n", "\t", " \n  "][..])]
}

fn string() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| serde_json::to_string(&text).expect("text is JSON"))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => select(SCALARS).prop_map(str::to_owned),
        3 => string(),
        1 => select(NON_FINITE).prop_map(str::to_owned),
    ]
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![9 => select(KEYS).prop_map(str::to_owned), 1 => string()];
    let member = (space(), key, space(), space(), value, space())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
    vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn array(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let element = (space(), value, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
    vec(element, 0..4).prop_map(|elements| format!("[{}]", elements.join(",")))
}

/// Puts a value into many arrays and objects.
pub fn nested(value: &str, depth: usize) -> String {
    let open: String = (0..depth)
        .map(|level| if level % 3 == 0 { "{\"a\":" } else { "[" })
        .collect();
    let close: String = (0..depth)
        .rev()
        .map(|level| if level % 3 == 0 { "}" } else { "]" })
        .collect();
    format!("{open}{value}{close}")
}

/// JSON text, or JSON with tokens that are not finite.
pub fn json() -> impl Strategy<Value = String> {
    let value = scalar().prop_recursive(4, 40, 6, |inner| {
        let deep = (inner.clone(), 480..520_usize).prop_map(|(value, depth)| nested(&value, depth));
        Union::new_weighted(vec![
            (8, object(inner.clone()).boxed()),
            (4, array(inner).boxed()),
            (1, deep.boxed()),
        ])
    });
    let payload = prop_oneof![4 => object(value.clone()), 1 => value];
    (space(), payload, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"))
}

/// JSON text with one byte changed, one range removed, or one piece put in.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(
        &[
            "\"", "{", "]", ",", ":", "\n", "\\u00", "\\", "0", "-", "NaN", "\u{1}",
        ][..],
    );
    (json(), any::<Index>(), any::<u8>(), 0..4_usize, 0..4, piece).prop_map(
        |(text, index, byte, length, how, piece)| {
            let mut bytes = text.into_bytes();
            let at = index.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..(at + length).min(bytes.len()))),
                _ => drop(bytes.splice(at..at, piece.bytes())),
            }
            bytes
        },
    )
}
