use super::*;

fn decode(fields: &str) -> Result<Vec<String>, DecodeError> {
    let line = format!("{{{fields},\"recorded_at\":\"now\"}}");
    let mut frames = Frames::new();
    frames.push(b"old");
    let result = decode_frames(line.as_bytes(), &mut frames);
    assert!(
        result.is_ok() || frames.is_empty(),
        "frames are left after {result:?}"
    );
    result.map(|()| {
        frames
            .iter()
            .map(|frame| String::from_utf8_lossy(frame).into_owned())
            .collect()
    })
}

#[track_caller]
fn assert_refused(fields: &str, message: &str) {
    let error = decode(&format!("\"topic\":\"t\",{fields}")).unwrap_err();
    assert_eq!(error.to_string(), message, "{fields}");
}

#[test]
fn fields_may_come_in_any_order() {
    let fields = concat!(
        " \"content_at\" : 9 , \"x\":[{}], \"content\":[1,\t2] ,\"frames\":3,",
        "\"more\":[ \"\\u0061\" ],\"envelope\":{\"content\":0},\"topic\":\"t\"",
    );
    let error = decode(fields).unwrap_err();
    assert_eq!(error, DecodeError::ContentAt { len: 13, found: 9 });
    let frames = decode(&fields.replace(": 9 ", ": 11 ")).unwrap();
    assert_eq!(frames, ["t", "{\"content\":[1,\t2]}", "a"]);
}

#[test]
fn of_equal_fields_the_last_one_counts() {
    let frames = decode(r#""topic":"a","content":1,"topic":"b","content":2"#).unwrap();
    assert_eq!(frames, ["b", "2"]);
}

#[test]
fn an_offset_outside_the_envelope_is_refused() {
    for at in [0_u64, 10, 13, 14, u64::MAX] {
        assert_refused(
            &format!(r#""content":1,"envelope":{{"content":0}},"content_at":{at}"#),
            &format!(
                "expected `content_at` to point at a 0 in the 13 bytes of `envelope`, found {at}"
            ),
        );
    }
    assert_refused(
        "\"content\":1,\"envelope\":{\"ü\":0},\"content_at\":3",
        "expected `content_at` to point at a 0 in the 8 bytes of `envelope`, found 3",
    );
}

#[test]
fn another_number_of_frames_is_refused() {
    for (fields, message) in [
        (r#""frames":3"#, "expected 3 frames, found 2"),
        (r#""frames":2,"more":["x"]"#, "expected 2 frames, found 3"),
        (r#""more":["x"]"#, "expected 2 frames, found 3"),
        (r#""frames":0,"more":["x"]"#, "expected 0 frames, found 1"),
        (
            r#""frames":18446744073709551615"#,
            "expected 18446744073709551615 frames, found 2",
        ),
        (
            r#""frames":"2""#,
            "expected field `frames` to be a whole number below 2^64, found \"2\"",
        ),
        (
            r#""frames":-1"#,
            "expected field `frames` to be a whole number below 2^64, found -1",
        ),
    ] {
        assert_refused(&format!(r#""content":1,{fields}"#), message);
    }
}

#[test]
fn what_is_no_base64_is_refused() {
    for (field, fields) in [
        ("content", r#""content":"/w=","content_is":"base64""#),
        ("content", r#""content":"/w==\n","content_is":"base64""#),
        ("topic_base64", r#""content":1,"topic_base64":"!""#),
        ("more", r#""content":1,"frames":3,"more":[{"base64":"a"}]"#),
    ] {
        assert_refused(fields, &format!("expected field `{field}` to be base64"));
    }
}

#[test]
fn fields_of_the_wrong_kind_are_refused() {
    for (fields, message) in [
        (
            r#""content":1,"content_is":"text""#,
            "`content` to be a string, found 1",
        ),
        (
            r#""content":1,"content_is":"hex""#,
            r#"`content_is` to be "text" or "base64", found "hex""#,
        ),
        (
            r#""content":1,"content_is":7"#,
            r#"`content_is` to be "text" or "base64", found 7"#,
        ),
        (
            r#""content":1,"payload":{}"#,
            "`payload` to be a string, found {}",
        ),
        (
            r#""content":1,"topic_base64":[]"#,
            "`topic_base64` to be a string, found []",
        ),
        (
            r#""content":1,"more":{}"#,
            "`more` to be an array, found {}",
        ),
        (
            r#""content":1,"frames":3,"more":[7]"#,
            "`more` to be a string, found 7",
        ),
        (
            r#""content":1,"frames":3,"more":[{"a":1}]"#,
            "`more` to be a string, found {\"a\":1}",
        ),
        (
            r#""content":1,"envelope":{}"#,
            "`content_at` to be present beside `envelope`, found nothing",
        ),
        (
            r#""content":1,"content_at":7"#,
            "`content_at` to be absent without `envelope`, found 7",
        ),
        (
            r#""content":1,"payload":"1","envelope":{}"#,
            "`envelope` to be absent beside `payload`, found {}",
        ),
    ] {
        assert_refused(fields, &format!("expected field {message}"));
    }
}

#[test]
fn long_tokens_are_quoted_in_part() {
    let payload = format!("[{}]", "1,".repeat(50) + "1");
    let message = format!(
        "expected field `payload` to be a string, found [{}1...",
        "1,".repeat(19)
    );
    assert_refused(&format!("\"content\":1,\"payload\":{payload}"), &message);
}

#[test]
fn what_is_no_json_object_is_refused() {
    let decode = |line: &[u8]| decode_frames(line, &mut Frames::new()).unwrap_err();
    assert_eq!(
        decode(b"{\"topic\":\"\xff\"}"),
        DecodeError::NotUtf8 { offset: 10 }
    );
    assert_eq!(
        decode(b"{\"topic\":\"t\""),
        DecodeError::NotJson { offset: 12 }
    );
    assert_eq!(decode(b"{} {}\n"), DecodeError::NotJson { offset: 3 });
    assert_eq!(decode(b""), DecodeError::NotJson { offset: 0 });
    assert_eq!(decode(b"[1]\n"), DecodeError::NotObject);
}

#[test]
fn the_exactness_fields_of_others_need_not_make_sense() {
    let decode = |line: &str| {
        let mut frames = Frames::new();
        decode_frames(line.as_bytes(), &mut frames).unwrap();
        frames
    };
    let plain: Frames = ["t", "1"].iter().collect();
    for fields in [
        r#""payload":{}"#,
        r#""frames":7"#,
        r#""envelope":1"#,
        r#""topic_base64":0"#,
    ] {
        assert_eq!(
            decode(&format!("{{\"topic\":\"t\",\"content\":1,{fields}}}")),
            plain,
            "{fields}"
        );
    }
    assert_eq!(
        decode(r#"{"topic":"t","content":"x","payload":"1"}"#),
        plain
    );
    assert_eq!(decode("{}"), ["", "null"].iter().collect());
    assert_eq!(decode(r#"{"topic":7}"#), ["", "null"].iter().collect());
}
