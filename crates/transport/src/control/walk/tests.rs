use super::*;
use crate::testing::Bench;

fn walker(bench: &Bench, after: u64) -> Walker {
    Walker::after(after, bench.dir.path(), &bench.tail, &Arc::default())
}

/// Walks to the head, and returns the numbers and the gaps before them.
fn walk(walker: &mut Walker) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    loop {
        match walker.step().unwrap() {
            Step::Record => {
                let record = message::Record::parse(walker.record()).unwrap();
                assert_eq!(record.message_num, Some(walker.number()));
                found.push((walker.number(), walker.take_gap()));
            }
            Step::Skipped => {}
            Step::Head => return found,
        }
    }
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<(u64, u64)> {
    range.map(|number| (number, 0)).collect()
}

#[test]
fn archives_and_the_session_are_walked_in_order_and_then_what_is_new() {
    let mut bench = Bench::new(10);
    bench.record(&["a", "b"]);
    bench.archive();
    bench.record(&["c"]);
    bench.archive();
    bench.record(&["d", "e"]);
    let mut from_start = walker(&bench, 0);
    assert_eq!(walk(&mut from_start), numbers(1..=5));
    assert!(from_start.is_at_head());
    bench.record(&["f"]);
    assert_eq!(walk(&mut from_start), numbers(6..=6));
    assert_eq!(walk(&mut walker(&bench, 2)), numbers(3..=6));
    assert_eq!(walk(&mut walker(&bench, 5)), numbers(6..=6));
    assert_eq!(walk(&mut walker(&bench, 6)), []);
}

#[test]
fn a_session_that_is_closed_under_the_walker_is_read_to_its_end() {
    let mut bench = Bench::new(10);
    bench.record(&["a", "b"]);
    let mut walking = walker(&bench, 0);
    assert_eq!(walking.step().unwrap(), Step::Record);
    bench.record(&["c"]);
    bench.archive();
    bench.record(&["d"]);
    bench.archive();
    bench.record(&["e"]);
    assert_eq!(walk(&mut walking), numbers(2..=5));
    bench.archive();
    assert_eq!(walk(&mut walking), []);
    bench.record(&["f"]);
    assert_eq!(walk(&mut walking), numbers(6..=6));
}

#[test]
fn it_goes_on_after_a_restart() {
    let mut bench = Bench::new(10);
    bench.record(&["a", "b"]);
    bench.archive();
    bench.record(&["c"]);
    let mut bench = bench.restart(10);
    bench.record(&["d"]);
    assert_eq!(walk(&mut walker(&bench, 1)), numbers(2..=4));
}

#[test]
fn an_archive_that_is_gone_is_a_gap() {
    let mut bench = Bench::new(10);
    bench.record(&["a", "b"]);
    bench.archive();
    bench.record(&["c", "d"]);
    let gone = bench.archive();
    bench.record(&["e"]);
    std::fs::remove_file(gone.path).unwrap();
    assert_eq!(walk(&mut walker(&bench, 0)), [(1, 0), (2, 0), (5, 2)]);
    assert_eq!(walk(&mut walker(&bench, 3)), [(5, 1)]);
}

#[test]
fn damage_is_a_gap() {
    let mut bench = Bench::new(10);
    bench.record(&["a"]);
    bench.record(&["b"]);
    bench.record(&["c"]);
    let path = bench.writer.session_path();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replacen("{\"message_num\":2,", "{\"message_nux:2,;", 1),
    )
    .unwrap();
    assert_eq!(walk(&mut walker(&bench, 0)), [(1, 0), (3, 1)]);
}

#[test]
fn a_file_that_took_the_sessions_name_too_early_is_not_believed() {
    let mut bench = Bench::new(10);
    bench.record(&["a", "b"]);
    // The writer has closed the session, and the tail does not know it yet.
    let archived = bench.writer.archive(None).unwrap().unwrap();
    let mut walking = walker(&bench, 0);
    assert_eq!(walk(&mut walking), numbers(1..=2));
    bench.rotate(Some(&archived));
    bench.record(&["c"]);
    assert_eq!(walk(&mut walking), numbers(3..=3));
}

#[test]
fn several_files_of_an_older_recorder_count_on() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    std::fs::create_dir_all(&archive).unwrap();
    let line = "{\"SpeakerName\":\"a\",\"Message\":\"{}\"}\n";
    std::fs::write(archive.join("session_1.jsonl"), line.repeat(2)).unwrap();
    std::fs::write(archive.join("session_2.jsonl"), line.repeat(3)).unwrap();
    let mut bench = Bench::reopen(dir, 10);
    bench.record(&["new"]);
    let mut walking = walker(&bench, 0);
    let mut found = Vec::new();
    while walking.step().unwrap() == Step::Record {
        found.push(walking.number());
    }
    assert_eq!(found, [1, 2, 3, 4]);
}
