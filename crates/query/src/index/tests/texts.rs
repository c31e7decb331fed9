use proptest::prelude::*;
use tempfile::TempDir;

use super::answers::assert_same;
use super::{archived, path};
use crate::IndexContents;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::index::Need;
use crate::index::build::build;
use crate::index::directory::Shape;
use crate::index::guide::{Guide, Known};
use crate::scan::Job;
use crate::select::matching;
use crate::source::Source;
use crate::source::Tuning;
use crate::testing::recorded;

/// No two messages begin in the same block.
const SMALL: Shape = Shape {
    block: 300,
    group: 5,
};

/// A session with these contents and an index of their text.
fn indexed(contents: &[&str], index: IndexContents) -> TempDir {
    let padding = "-".repeat(300);
    let lines = contents.iter().zip(1..).flat_map(|(content, number)| {
        let payload = format!(r#"{{"content":{content},"padding":"{padding}"}}"#);
        recorded(number, "t", &payload)
    });
    let dir = archived(&[lines.collect()]);
    build(&path(&dir, 0), index, SMALL, &mut || true).unwrap();
    dir
}

/// How many messages match, and how many have to be read to tell.
fn asked(dir: &TempDir, patterns: &[&str], ignore_case: bool) -> (u64, usize) {
    let criteria = Criteria {
        grep: patterns.iter().map(|text| (*text).to_owned()).collect(),
        ignore_case,
        ..Criteria::default()
    };
    let filter = Filter::compile(&criteria).unwrap();
    let source = Source::all(dir.path()).unwrap();
    let job = Job {
        parts: &source.parts,
        filter: &filter,
        needle: None,
        wants_matches: true,
        tuning: source.tuning,
    };
    let mut guide = Guide::new(job, Need::Lines);
    let blocks = source.stretches()[0].cut(SMALL.block.into());
    let known = blocks.map(|block| guide.look_up(block).unwrap());
    let read = known.filter(|known| matches!(known, Known::Read(_)));
    let read = read.count();
    let found = matching(&source, &filter, &mut Findings::default()).unwrap();
    let plain = source.without_index();
    let expected = matching(&plain, &filter, &mut Findings::default()).unwrap();
    assert_eq!(found, expected, "{patterns:?}");
    (found, read)
}

const CONTENTS: [&str; 6] = [
    r#""the usual text""#,
    r#"{"message":"a rare Word","key_name":["usual", 1234567, false]}"#,
    r#""the \u0065scaped t\u00e4xt\ttab \"quoted\" sl\/ash back\\slash \ud83d\ude00\ud83d\ude00""#,
    r#""Grüße: \u212aELVIN's gla\u017fs""#,
    "null",
    r#""""#,
];

#[test]
fn only_blocks_that_may_hold_the_text_are_read() {
    let dir = indexed(&CONTENTS, IndexContents::FieldsAndText);
    assert_eq!(asked(&dir, &["nowhere to be seen"], false), (0, 0));
    assert_eq!(asked(&dir, &["nowhere to be seen"], true), (0, 0));
    assert_eq!(asked(&dir, &["usual"], false), (2, 2));
    assert_eq!(asked(&dir, &["rare W.rd"], false), (1, 1));
    assert_eq!(asked(&dir, &["RARE WORD"], true), (1, 1));
    assert_eq!(asked(&dir, &["123456"], false), (1, 1));
    assert_eq!(asked(&dir, &["false"], false), (1, 1));
    assert_eq!(asked(&dir, &["key_name"], false), (0, 0));
    // Upper and lower case are in one bitmap: it is read, and does not match.
    assert_eq!(asked(&dir, &["RARE"], false), (0, 1));
}

#[test]
fn one_of_several_texts_is_enough_and_unwanted_ones_spare_nothing() {
    let dir = indexed(&CONTENTS, IndexContents::FieldsAndText);
    assert_eq!(asked(&dir, &["nowhere", "rare"], false), (1, 1));
    assert_eq!(asked(&dir, &["rare", "nowhere"], false), (1, 1));
    assert_eq!(asked(&dir, &["usual", "!rare"], false), (1, 2));
    assert_eq!(asked(&dir, &["!rare"], false), (5, 6));
    assert_eq!(asked(&dir, &["!nowhere"], false), (6, 6));
    // Whatever is wanted beside it: nobody knows where "te" is.
    assert_eq!(asked(&dir, &["nowhere", "te"], false), (2, 6));
}

#[test]
fn what_has_no_four_bytes_that_must_be_there_is_looked_for_everywhere() {
    let dir = indexed(&CONTENTS, IndexContents::FieldsAndText);
    for (pattern, found) in [
        ("rar", 1),
        ("xyz", 0),
        ("rar.x", 0),
        ("rare|nowhere", 1),
        ("(nowhere)?", 6),
        ("(?i)nowhere", 0),
    ] {
        assert_eq!(asked(&dir, &[pattern], false), (found, 6), "{pattern}");
    }
    // Between letters that are the same as some beyond ASCII.
    assert_eq!(asked(&dir, &["nosmokeby"], true), (0, 6));
}

#[test]
fn escapes_in_the_journal_hide_nothing() {
    let dir = indexed(&CONTENTS, IndexContents::FieldsAndText);
    for text in [
        "the escaped",
        "täxt\ttab",
        r"täxt\ttab",
        "\"quoted\"",
        "sl/ash",
        "back\\\\slash",
        "😀😀",
        " 😀",
    ] {
        assert_eq!(asked(&dir, &[text], false), (1, 1), "{text}");
    }
    assert_eq!(asked(&dir, &["u0065scaped"], false), (0, 0));
}

#[test]
fn letters_beyond_ascii_are_found_in_any_case() {
    let dir = indexed(&CONTENTS, IndexContents::FieldsAndText);
    for text in [
        "kelvin's",
        "\u{212a}elvin",
        "GLASS",
        "grüsse: ",
        "grüße: k",
        "GRÜẞE: ",
    ] {
        let (found, _) = asked(&dir, &[text], true);
        assert_eq!(found, u64::from(text != "grüsse: "), "{text}");
    }
    assert_eq!(asked(&dir, &["\u{212a}ELV"], false), (1, 1));
    assert_eq!(asked(&dir, &["Grüße"], false), (1, 1));
    assert_eq!(asked(&dir, &["Größe"], false), (0, 0));
}

#[test]
fn an_index_without_text_leaves_all_to_be_read() {
    let dir = indexed(&CONTENTS, IndexContents::Fields);
    assert_eq!(asked(&dir, &["nowhere to be seen"], false), (0, 6));
}

/// Characters that are escaped, or have another case, in any spelling.
fn text() -> impl Strategy<Value = Vec<(char, bool)>> {
    let characters = "abABkKsS\u{212a}ſüÜß/\"\\\n 😀".chars().collect::<Vec<_>>();
    prop::collection::vec((prop::sample::select(characters), any::<bool>()), 0..14)
}

/// Writes a text as JSON, some characters as escapes.
fn spelled(text: &[(char, bool)]) -> String {
    let mut json = String::from("\"");
    for (character, is_escaped) in text {
        let mut units = [0; 2];
        if *is_escaped || matches!(character, '"' | '\\' | '\n') {
            for unit in character.encode_utf16(&mut units) {
                json.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            json.push(*character);
        }
    }
    json + "\""
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_is_searched_is_found_with_an_index_as_without(
        texts in prop::collection::vec(text(), 1..12),
        chosen in any::<prop::sample::Index>(),
        ends in any::<(prop::sample::Index, prop::sample::Index)>(),
        swapped in any::<u16>(),
        (is_wanted, ignore_case) in any::<(bool, bool)>(),
    ) {
        let contents: Vec<_> = texts.iter().map(|text| spelled(text)).collect();
        let contents: Vec<_> = contents.iter().map(String::as_str).collect();
        let dir = indexed(&contents, IndexContents::FieldsAndText);
        let text = chosen.get(&texts);
        let (from, to) = (ends.0.index(text.len() + 1), ends.1.index(text.len() + 1));
        let part = text[from.min(to)..from.max(to)].iter().enumerate();
        let part: String = part.map(|(at, (character, _))| match character {
            _ if swapped >> at & 1 == 0 || !ignore_case => *character,
            lower if lower.is_lowercase() => lower.to_uppercase().next().unwrap(),
            other => other.to_lowercase().next().unwrap(),
        }).collect();
        let pattern = regex_syntax::escape(&part);
        let grep = vec![if is_wanted { pattern } else { format!("!{pattern}") }];
        let criteria = Criteria { grep, ignore_case, ..Criteria::default() };
        assert_same(&dir, &criteria, Tuning { chunk: 300, ..Tuning::default() });
    }
}
