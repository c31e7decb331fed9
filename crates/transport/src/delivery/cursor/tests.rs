use journal::raw::RealFs;

use super::world::{Walk, benches};
use super::*;
use crate::batch::Batch;
use crate::config::Replay;
use crate::testing::Bench;

#[test]
fn it_begins_at_the_committed_end_and_finds_what_comes_behind_that() {
    for mut bench in benches() {
        bench.record(&["a", "b"]);
        let mut walk = Walk::new(Cursor::at_head(bench.tail.head()), "");
        assert_eq!((walk.cursor.number(), walk.numbers(&bench)), (2, vec![]));
        bench.record(&["c"]);
        assert!(!walk.cursor.is_at_head(&bench.tail));
        assert_eq!((walk.numbers(&bench), walk.cursor.number()), (vec![3], 3));
        assert!(walk.cursor.is_at_head(&bench.tail));
    }
}

#[test]
fn it_begins_before_as_many_of_the_newest_records_as_are_asked_for() {
    for mut bench in benches() {
        bench.record(&["a", "b"]);
        bench.record(&["c", "d", "e"]);
        for (history, first) in [(0, 6), (2, 4), (3, 3), (4, 2), (100, 1)] {
            let mut walk = Walk::of_newest(&bench, history);
            let expected: Vec<u64> = (first..=5).collect();
            assert_eq!(walk.cursor.number(), first - 1);
            assert_eq!(walk.numbers(&bench), expected, "{history}");
        }
    }
}

#[test]
fn what_is_not_wanted_is_passed_over_and_counts_as_looked_at() {
    for mut bench in benches() {
        bench.record(&["a", "b", "a"]);
        bench.record(&["b"]);
        let (cursor, _) = Cursor::at_window(&bench.tail, 10).unwrap();
        let mut walk = Walk::new(cursor, "a");
        assert_eq!(
            (walk.numbers(&bench), walk.cursor.number()),
            (vec![1, 3], 4)
        );
    }
}

#[test]
fn a_session_that_is_closed_under_it_is_read_to_its_end_and_then_the_next_ones() {
    for mut bench in benches() {
        bench.record(&["a"]);
        let mut walk = Walk::of_newest(&bench, 10);
        assert_eq!(walk.numbers(&bench), [1]);
        bench.record(&["b", "c"]);
        bench.archive();
        bench.record(&["d"]);
        bench.archive();
        bench.record(&["e"]);
        assert_eq!(walk.numbers(&bench), [2, 3, 4, 5]);
        bench.archive();
        assert!(walk.numbers(&bench).is_empty());
        bench.record(&["f"]);
        assert_eq!(walk.numbers(&bench), [6]);
    }
}

#[test]
fn what_is_written_and_not_committed_is_not_there() {
    for mut bench in benches() {
        let live = Walk::new(Cursor::at_head(bench.tail.head()), "");
        bench.record(&["a"]);
        let mut walks = [live, Walk::of_newest(&bench, 10)];
        let mut batch = Batch::new(bench.writer.group());
        let mut wire = Vec::new();
        zmtp::push_message(&mut wire, ["b", "2"].map(str::as_bytes));
        batch
            .push(wire.into(), "2025-11-20T04:30:00.123Z", None)
            .unwrap();
        let committed = bench.writer.commit(&[&batch.group]).unwrap();
        for walk in &mut walks {
            assert_eq!(walk.numbers(&bench), [1], "nobody was told yet");
        }
        let bytes = batch.take_lines().bytes().len();
        drop(bench.tail.publish([(batch, bytes)], &committed));
        for walk in &mut walks {
            assert_eq!(walk.numbers(&bench), [2]);
        }
    }
}

#[test]
fn it_goes_as_far_as_it_was_told_and_from_there_on_later() {
    for mut bench in benches() {
        bench.record(&["a", "b"]);
        let end = bench.tail.head().place;
        bench.record(&["c", "d"]);
        let mut walk = Walk::of_newest(&bench, 10);
        walk.until = Some(end);
        assert_eq!(walk.walk(&bench).unwrap(), (vec![1, 2], Step::Stop));
        assert_eq!(walk.cursor.place(), end);
        walk.until = None;
        assert_eq!(walk.numbers(&bench), [3, 4]);
    }
}

#[test]
fn it_stops_in_the_middle_of_what_was_recorded_together() {
    let mut bench = Bench::new(10);
    bench.record(&["a", "b", "c"]);
    let Some((recorded, _)) = bench.tail.window(10).memory else {
        panic!("it is in memory");
    };
    for topic in ["", "b"] {
        let (cursor, _) = Cursor::at_window(&bench.tail, 10).unwrap();
        let mut walk = Walk::new(cursor, topic);
        walk.until = Some(recorded.place(1));
        let first = if topic.is_empty() { vec![1] } else { vec![] };
        assert_eq!(walk.walk(&bench).unwrap(), (first, Step::Stop));
        walk.until = None;
        assert_eq!(walk.step(&bench).unwrap().1[0], (b"b".to_vec(), 2));
    }
}

#[test]
fn whoever_wants_nothing_of_very_much_is_looked_after_in_between() {
    for mut bench in benches() {
        bench.record(&vec!["a"; MAX_SKIPPED + 1]);
        let (cursor, _) = Cursor::at_window(&bench.tail, u64::MAX).unwrap();
        let mut walk = Walk::new(cursor, "b");
        assert_eq!(walk.step(&bench).unwrap(), (Step::Skipped, vec![]));
        assert!(walk.numbers(&bench).is_empty());
        assert_eq!(walk.cursor.number(), MAX_SKIPPED as u64 + 1);
    }
}

#[test]
fn a_file_that_was_cut_off_is_an_error_and_not_the_end() {
    let [_, mut bench] = benches();
    bench.record(&["a"]);
    let mut walk = Walk::new(Cursor::at_head(bench.tail.head()), "");
    let kept = walk.cursor.place().offset;
    bench.record(&["b"]);
    let file = std::fs::File::options()
        .write(true)
        .open(bench.writer.session_path());
    let file = file.unwrap();
    file.set_len(kept).unwrap();
    assert_eq!(walk.step(&bench).unwrap_err().0.offset, kept);
}

#[test]
fn a_replay_goes_on_behind_a_closed_session_that_is_gone() {
    let mut bench = Bench::new(10);
    bench.record(&["a"]);
    let first = bench.archive();
    bench.record(&["b"]);
    let second = bench.archive();
    bench.record(&["c"]);
    let Bench { dir, writer, tail } = bench;
    drop((writer, tail));
    let bench = Bench::open_with(dir, Arc::new(RealFs), Replay::All, 10, 0);
    let end = bench.tail.head().place;
    let mut walk = Walk::of_newest(&bench, 10);
    std::fs::remove_file(second.path).unwrap();
    // Without an end it is no replay, and nobody may miss anything unnoticed.
    assert!(walk.walk(&bench).unwrap_err().is_gone());
    let mut walk = Walk::of_newest(&bench, 10);
    walk.until = Some(end);
    assert_eq!(walk.walk(&bench).unwrap(), (vec![1, 3], Step::Stop));
    std::fs::remove_file(first.path).unwrap();
    let mut walk = Walk::of_newest(&bench, 10);
    walk.until = Some(end);
    assert_eq!(walk.walk(&bench).unwrap(), (vec![3], Step::Stop));
}

#[test]
fn a_damaged_record_is_passed_over_and_those_behind_it_are_found() {
    let [_, mut bench] = benches();
    bench.record(&["a", "b", "c"]);
    let path = bench.writer.session_path();
    let text = std::fs::read_to_string(&path).unwrap();
    let damaged = text.replacen("{\"message_num\":2,", "{\"message_nux:2,;", 1);
    std::fs::write(&path, damaged).unwrap();
    assert_eq!(Walk::of_newest(&bench, 10).numbers(&bench), [1, 3]);
}

#[test]
fn a_message_too_large_to_be_held_comes_whole_and_in_its_place() {
    let [_, mut bench] = benches();
    let large = "x".repeat(2 * LARGE);
    bench.record(&["a", &large, "b"]);
    let mut walk = Walk::of_newest(&bench, 10);
    let mut found = Vec::new();
    while walk.cursor.number() < 3 {
        found.extend(walk.step(&bench).unwrap().1);
    }
    let expected = [("a", 1), (&*large, 2), ("b", 3)];
    let expected = expected.map(|(topic, number)| (topic.as_bytes().to_vec(), number));
    assert!(found == expected);
    let (cursor, _) = Cursor::at_window(&bench.tail, 10).unwrap();
    assert_eq!(Walk::new(cursor, "b").numbers(&bench), [3]);
}
