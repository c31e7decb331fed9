use message::Record;

use super::*;

const LINE: &[u8] = br#"{"topic":"design_review","sender":"claude","timestamp":"2025-11-20T04:30:00Z","tier":"A","chain_type":"architecture","shl_tags":["@a","@b"],"message_id":"m1","content":{"key":"Some text","n":[7,true]},"recorded_at":"2025-11-20T04:31:00Z"}"#;

fn matches(change: impl FnOnce(&mut Criteria)) -> bool {
    let mut criteria = Criteria::default();
    change(&mut criteria);
    let filter = Filter::compile(&criteria).unwrap();
    filter.matches(&Record::parse(LINE).unwrap().into())
}

fn values<const N: usize>(values: [&str; N]) -> Vec<String> {
    values.map(str::to_owned).to_vec()
}

#[test]
fn without_criteria_everything_matches() {
    let filter = Filter::compile(&Criteria::default()).unwrap();
    assert!(filter.is_empty() && filter.accepts_number(0));
    assert!(matches(|_| {}));
}

#[test]
fn tier_chain_sender_id_and_tag_match_as_a_whole() {
    assert!(matches(|c| c.tier = values(["A"])));
    assert!(!matches(|c| c.tier = values(["a"])));
    assert!(matches(|c| c.chain = values(["architecture"])));
    assert!(!matches(|c| c.chain = values(["arch"])));
    assert!(matches(|c| c.sender = values(["claude"])));
    assert!(!matches(|c| c.sender = values(["claude_code"])));
    assert!(!matches(|c| c.sender = values([""])));
    assert!(matches(|c| c.id = values(["m1"])));
    assert!(!matches(|c| c.id = values(["m"])));
    assert!(matches(|c| c.tag = values(["@b"])));
    assert!(!matches(|c| c.tag = values(["@"])));
}

#[test]
fn a_topic_matches_like_a_subscription() {
    assert!(matches(|c| c.topic = values(["design"])));
    assert!(matches(|c| c.topic = values(["design_review"])));
    assert!(matches(|c| c.topic = values([""])));
    assert!(!matches(|c| c.topic = values(["review"])));
    assert!(!matches(|c| c.topic = values(["design_reviews"])));
}

#[test]
fn text_is_searched_in_values_and_nowhere_else() {
    for (pattern, is_found) in [
        ("text", true),
        ("^Some", true),
        ("T.xt", false),
        ("key", false),
        ("claude", false),
        ("7", true),
        ("tru", true),
        ("text.7", false),
    ] {
        assert_eq!(
            matches(|c| c.grep = values([pattern])),
            is_found,
            "{pattern}"
        );
    }
    assert!(matches(
        |c| (c.grep, c.ignore_case) = (values(["T.XT"]), true)
    ));
}

#[test]
fn of_several_values_one_has_to_fit() {
    assert!(matches(|c| c.sender = values(["gemini", "claude"])));
    assert!(!matches(|c| c.sender = values(["gemini", "llama"])));
    assert!(matches(|c| c.grep = values(["nothing", "text"])));
}

#[test]
fn a_value_behind_an_exclamation_mark_must_not_fit() {
    assert!(!matches(|c| c.sender = values(["!claude"])));
    assert!(matches(|c| c.sender = values(["!gemini", "!llama"])));
    assert!(!matches(|c| c.sender = values(["claude", "!claude"])));
    assert!(!matches(|c| c.tag = values(["@a", "!@b"])));
    assert!(!matches(|c| c.grep = values(["!text"])));
    assert!(matches(|c| c.topic = values(["!review"])));
}

#[test]
fn a_backslash_makes_an_exclamation_mark_part_of_the_value() {
    for (asked, line) in [
        ("\\!odd", &br#"{"sender":"!odd"}"#[..]),
        ("\\\\!odd", br#"{"sender":"\\!odd"}"#),
        ("\\odd", br#"{"sender":"\\odd"}"#),
    ] {
        let odd = Criteria {
            sender: values([asked]),
            ..Criteria::default()
        };
        let record = Record::parse(line).unwrap();
        assert!(
            Filter::compile(&odd).unwrap().matches(&record.into()),
            "{asked}"
        );
    }
}

#[test]
fn all_criteria_have_to_hold() {
    assert!(matches(
        |c| (c.tier, c.sender) = (values(["A"]), values(["claude"]))
    ));
    assert!(!matches(
        |c| (c.tier, c.sender) = (values(["A"]), values(["gemini"]))
    ));
    assert!(!matches(
        |c| (c.tier, c.sender) = (values(["E"]), values(["claude"]))
    ));
}

#[test]
fn the_time_of_recording_counts_and_the_end_is_not_part_of_it() {
    let at = |text: &str| Instant::parse(text);
    assert!(matches(|c| c.since = at("2025-11-20T04:31:00Z")));
    assert!(!matches(|c| c.since = at("2025-11-20T04:31:00.001Z")));
    assert!(!matches(|c| c.until = at("2025-11-20T04:31:00Z")));
    assert!(matches(|c| c.until = at("2025-11-20T04:31:00.001Z")));
    // Without it the sender's time does.
    let record = Record::parse(br#"{"timestamp":"2025-11-20T04:30:00Z"}"#).unwrap();
    let since = Criteria {
        since: at("2025-11-20T04:30:00Z"),
        ..Criteria::default()
    };
    assert!(Filter::compile(&since).unwrap().matches(&record.into()));
}

#[test]
fn both_ends_of_a_range_of_numbers_belong_to_it() {
    let filter = Filter::compile(&Criteria {
        from: Some(3),
        to: Some(5),
        ..Criteria::default()
    });
    let accepted = |number: &u64| filter.as_ref().unwrap().accepts_number(*number);
    assert_eq!((0..9).filter(accepted).collect::<Vec<_>>(), [3, 4, 5]);
}
