use super::*;

#[derive(serde::Serialize)]
struct Note<'a> {
    text: &'a str,
}

fn lines(group: &Group) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(group.bytes()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn records_are_numbered_lines_with_number_first_and_checksum_last() {
    let mut group = Group::new(9, 1000);
    assert_eq!(group.push(&Note { text: "a\nb" }).unwrap(), 9);
    assert_eq!(group.push(&serde_json::json!({})).unwrap(), 10);
    assert_eq!((group.first(), group.next(), group.len()), (9, 11, 2));
    let text = String::from_utf8(group.bytes().to_vec()).unwrap();
    assert!(
        text.starts_with("{\"message_num\":9,\"text\":\"a\\nb\",\"crc\":\""),
        "{text}"
    );
    assert_eq!(lines(&group)[1]["message_num"], 10);
}

#[test]
fn what_is_no_record_leaves_the_group_as_it_was() {
    let mut group = Group::new(1, 100);
    group.push(&Note { text: "first" }).unwrap();
    let before = group.bytes().to_vec();
    assert!(matches!(group.push(&7), Err(RecordError::NotAnObject)));
    assert!(matches!(group.push(&[1]), Err(RecordError::NotAnObject)));
    let newline = group.push_with(|out| out.extend_from_slice(b"{\"a\":\n1}"));
    assert!(
        matches!(newline, Err(RecordError::Newline { at: 5 })),
        "{newline:?}"
    );
    let long = "x".repeat(100);
    let long = group.push(&Note { text: &long });
    assert!(
        matches!(long, Err(RecordError::TooLong { limit: 100, .. })),
        "{long:?}"
    );
    let unserializable = std::collections::HashMap::from([((1, 2), 3)]);
    assert!(matches!(
        group.push(&unserializable),
        Err(RecordError::Serialize { .. })
    ));
    assert_eq!(group.bytes(), before);
    assert_eq!(group.next(), 2);
}

#[test]
fn no_body_can_imitate_the_start_of_a_record() {
    let mut group = Group::new(1, 1000);
    group
        .push_with(|out| out.extend_from_slice(b"{\"a\":[{\"message_num\":8}]}"))
        .unwrap();
    let starts = memchr::memmem::find_iter(group.bytes(), START).count();
    assert_eq!(starts, 1);
    assert_eq!(lines(&group)[0]["a"][0]["message_num"], 8);
}

#[test]
fn decimal_numbers_are_right_at_the_edges() {
    for number in [0, 9, 10, u64::MAX] {
        let mut out = Vec::new();
        push_decimal(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
    }
}

#[test]
fn an_encoder_that_panics_leaves_the_group_as_it_was() {
    let mut group = Group::new(1, 1000);
    group.push(&Note { text: "first" }).unwrap();
    let before = group.bytes().to_vec();
    let pushing = std::panic::AssertUnwindSafe(|| {
        group.push_with(|out| {
            out.extend_from_slice(b"{\"half\":");
            std::panic::resume_unwind(Box::new("the encoder's own"));
        })
    });
    assert!(std::panic::catch_unwind(pushing).is_err());
    assert_eq!((group.bytes(), group.next()), (&before[..], 2));
}
