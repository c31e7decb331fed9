use super::*;
use crate::filter::Criteria;
use crate::findings::Findings;
use crate::select;
use crate::testing::{archive, dir_with, open, recorded, recorded_at};
use crate::time::Instant;

/// Lines a second apart, behind some of an older recorder.
fn session() -> Vec<u8> {
    let legacy = (0..100).map(|at| {
        format!(
            "{{\"Timestamp\": \"2025-11-20T02:{:02}:{:02}\", \"SpeakerName\": \"a\", \"Message\": \"hi\"}}\n",
            at / 60,
            at % 60
        )
    });
    let ours = (101..=3_000_u64).map(|number| {
        let (hour, rest) = (number / 3_600 + 3, number % 3_600);
        let time = format!(
            "2025-11-20T{hour:02}:{:02}:{:02}.000Z",
            rest / 60,
            rest % 60
        );
        // What senders say of the time is no guide.
        let payload = r#"{"timestamp": "1999-01-01T00:00:00Z"}"#;
        recorded_at(number, &time, "t", payload)
    });
    let legacy = legacy.map(String::into_bytes);
    legacy.chain(ours).flatten().collect()
}

/// How many match, and how many bytes were looked at for that.
fn found(change: impl FnOnce(&mut Criteria)) -> (u64, u64) {
    let mut criteria = Criteria::default();
    change(&mut criteria);
    let filter = Filter::compile(&criteria).unwrap();
    let dir = dir_with(&session());
    let source = open(&dir);
    let stretches = narrowed(&source, &filter).unwrap();
    let bytes = stretches
        .iter()
        .map(|stretch| stretch.end.saturating_sub(stretch.start));
    let found = select::matching(&source, &filter, &mut Findings::default()).unwrap();
    (found, bytes.sum())
}

#[test]
fn a_range_of_numbers_is_found_without_reading_the_rest() {
    let (count, bytes) = found(|c| (c.from, c.to) = (Some(1_500), Some(1_509)));
    assert_eq!(count, 10);
    assert!(bytes < 8 << 10, "{bytes}");
    assert_eq!(found(|c| c.from = Some(2_999)).0, 2);
    assert_eq!(found(|c| c.to = Some(105)).0, 105);
    assert_eq!(found(|c| (c.from, c.to) = (Some(50), Some(150))).0, 101);
    assert_eq!(found(|c| c.from = Some(9_999)).0, 0);
}

#[test]
fn a_stretch_of_time_is_found() {
    let at = |text: &str| Instant::parse(&format!("2025-11-20T{text}"));
    let (count, _) = found(|c| (c.since, c.until) = (at("03:20:00"), at("03:20:10")));
    assert_eq!(count, 10);
    assert_eq!(found(|c| c.since = at("03:50:00")).0, 1);
    assert_eq!(found(|c| c.until = at("03:01:50")).0, 100 + 9);
    assert_eq!(found(|c| c.until = at("02:01:00")).0, 60);
    assert_eq!(found(|c| c.since = at("02:01:00")).0, 2_940);
    assert_eq!(found(|c| c.since = at("05:00:00")).0, 0);
}

#[test]
fn a_clock_that_was_set_back_a_little_loses_nothing() {
    let times = (0..2_000_u64).map(|at| if at >= 1_000 { at - 50 } else { at });
    let session: Vec<u8> = times
        .enumerate()
        .flat_map(|(at, time)| {
            let time = format!("2025-11-20T04:{:02}:{:02}.000Z", time / 60, time % 60);
            recorded_at(at as u64 + 1, &time, "t", "{}")
        })
        .collect();
    let dir = dir_with(&session);
    for minute in 0..33 {
        let at = |minute| Instant::parse(&format!("2025-11-20T04:{minute:02}:00Z"));
        let filter = Filter::compile(&Criteria {
            since: at(minute),
            until: at(minute + 1),
            ..Criteria::default()
        });
        let found = select::matching(&open(&dir), &filter.unwrap(), &mut Findings::default());
        let expected = match minute {
            15 => 60 + 10,
            16 => 60 + 40,
            32 => 30,
            _ => 60,
        };
        assert_eq!(found.unwrap(), expected, "minute {minute}");
    }
}

#[test]
fn a_clock_set_back_hides_no_message() {
    // Four hours of one message a second; in the middle the clock goes back two hours.
    let time = |at: u64| {
        let seconds = if at < 7_200 { at } else { at - 7_200 };
        format!(
            "2025-11-20T{:02}:{:02}:{:02}.000Z",
            3 + seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
    };
    let session: Vec<u8> = (0..14_400)
        .flat_map(|at| recorded_at(at + 1, &time(at), "t", "{}"))
        .collect();
    let dir = dir_with(&session);
    let source = open(&dir);
    for (since, until, expected) in [
        ("2025-11-20T03:30:00Z", "2025-11-20T03:31:40Z", 200),
        ("2025-11-20T04:59:00Z", "2025-11-20T05:00:00Z", 120),
        ("2025-11-20T03:00:00Z", "2025-11-20T03:00:10Z", 20),
    ] {
        let criteria = Criteria {
            since: Instant::parse(since),
            until: Instant::parse(until),
            ..Criteria::default()
        };
        let filter = Filter::compile(&criteria).unwrap();
        let found = select::matching(&source, &filter, &mut Findings::default()).unwrap();
        assert_eq!(found, expected, "{since}");
    }
}

/// How many messages of a file match.
fn found_in(source: &Source, criteria: &Criteria) -> u64 {
    let filter = Filter::compile(criteria).unwrap();
    select::matching(source, &filter, &mut Findings::default()).unwrap()
}

#[test]
fn a_clock_set_back_and_forth_for_a_moment_hides_no_message() {
    // One message a second; ten of them were recorded while the clock was a day behind.
    let session = |behind: std::ops::Range<u64>| -> Vec<u8> {
        let lines = (0..3_600_u64).flat_map(|at| {
            let day = if behind.contains(&at) { 19 } else { 20 };
            let time = format!("2025-11-{day}T03:{:02}:{:02}.000Z", at / 60, at % 60);
            recorded_at(at + 1, &time, "t", "{}")
        });
        lines.collect()
    };
    let day_before = Criteria {
        since: Instant::parse("2025-11-19T00:00:00Z"),
        until: Instant::parse("2025-11-20T00:00:00Z"),
        ..Criteria::default()
    };
    for start in (0..3_590).step_by(97) {
        let dir = dir_with(&session(start..start + 10));
        assert_eq!(found_in(&open(&dir), &day_before), 10, "from {start} on");
        archive(dir.path(), "session_20251120_143022.jsonl");
        let session = &crate::archive_paths(dir.path(), &[]).unwrap()[0];
        crate::build_index(session, crate::IndexContents::Fields, &mut || true).unwrap();
        let source = Source::all(dir.path()).unwrap();
        assert_eq!(found_in(&source, &day_before), 10, "with an index");
    }
}

#[test]
fn a_file_with_journals_in_any_order_is_searched_as_a_whole() {
    // Somebody put the newer of two sessions first.
    let session =
        |numbers: std::ops::Range<u64>| numbers.flat_map(|number| recorded(number, "t", "{}"));
    let both: Vec<u8> = session(2_000..3_000).chain(session(1..2_000)).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), both).unwrap();
    let source = Source::file(file.path()).unwrap();
    for first in [1, 900, 1_995, 2_000, 2_990] {
        let criteria = Criteria {
            from: Some(first),
            to: Some(first + 9),
            ..Criteria::default()
        };
        assert_eq!(found_in(&source, &criteria), 10, "from {first} on");
    }
}
