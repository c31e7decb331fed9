//! Replays that reach back into closed sessions.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use journal::raw::RealFs;
use journal::{Upkeep, list_archives};

use crate::config::Replay;
use crate::testing::{Bench, Client, TAIL};

fn open(dir: tempfile::TempDir, history: u64) -> Bench {
    Bench::open_with(dir, Arc::new(RealFs), Replay::All, history, TAIL)
}

/// Ends the writer as a crash would, and starts another one: nothing is in memory.
fn restart(bench: Bench, history: u64) -> Bench {
    let Bench { dir, writer, tail } = bench;
    drop((writer, tail));
    open(dir, history)
}

/// Three sessions of three messages each, of which the last is being written, and
/// nothing in memory.
fn three_sessions(history: u64) -> Bench {
    let mut bench = open(tempfile::tempdir().unwrap(), history);
    for session in 0..3 {
        if session > 0 {
            bench.archive();
        }
        bench.record(&["a", "b", "a"]);
    }
    restart(bench, history)
}

fn subscriber(history: u64, topic: &str) -> Client {
    let mut client = Client::new(history);
    client.subscribe(topic);
    client
}

fn numbers(got: &[String]) -> Vec<u64> {
    let number = |message: &String| message.rsplit_once(' ').unwrap().1.parse().unwrap();
    got.iter().map(number).collect()
}

fn archives(dir: &Path) -> Vec<std::path::PathBuf> {
    let archives = list_archives(dir).unwrap().into_iter();
    archives.map(|archive| archive.path).collect()
}

#[test]
fn a_replay_begins_in_the_oldest_session_and_goes_over_into_what_is_live() {
    let mut bench = three_sessions(100);
    let mut client = subscriber(100, "");
    assert_eq!(numbers(&client.take(&bench)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    bench.record(&["c"]);
    assert_eq!(client.take(&bench), ["c 10"]);
    // The same from memory, across sessions that were closed in this run.
    bench.archive();
    bench.record(&["d"]);
    bench.archive();
    let got = subscriber(100, "").take(&bench);
    assert_eq!(numbers(&got), (1..=11).collect::<Vec<_>>());
    bench.record(&["d"]);
    assert_eq!(client.take(&bench), ["d 11", "d 12"]);
    let got = subscriber(2, "").take(&bench);
    assert_eq!(got, ["d 11", "d 12"], "the newest two, of two sessions");
}

#[test]
fn the_history_is_counted_over_all_sessions() {
    let bench = three_sessions(100);
    for history in 0..=10 {
        let got = numbers(&subscriber(history, "").take(&bench));
        assert_eq!(got, (10 - history.min(9)..10).collect::<Vec<_>>());
    }
    assert_eq!(subscriber(5, "b").take(&bench), ["b 5", "b 8"]);
    assert_eq!(subscriber(100, "b").take(&bench), ["b 2", "b 5", "b 8"]);
}

#[test]
fn sessions_that_are_closed_compressed_and_removed_during_a_replay_cost_nothing() {
    let mut bench = three_sessions(100);
    let mut client = subscriber(100, "");
    client.link.room = Some(1);
    let mut got = client.take(&bench);
    assert_eq!(numbers(&got), [1], "it is in the oldest session");
    let upkeep = Upkeep::begin(bench.dir.path()).unwrap();
    for session in upkeep.sessions().unwrap() {
        upkeep.compress(&session.archive, 1).unwrap();
    }
    bench.record(&["c"]);
    bench.archive();
    bench.record(&["d"]);
    // The one that it reads goes, too: it has that open.
    fs::remove_file(&archives(bench.dir.path())[0]).unwrap();
    client.link.room = None;
    got.extend(client.take(&bench));
    assert_eq!(numbers(&got), (1..=11).collect::<Vec<_>>());
    // Who begins now gets what is there.
    let rest: Vec<u64> = (4..=11).collect();
    assert_eq!(numbers(&subscriber(100, "").take(&bench)), rest);
    assert_eq!(numbers(&subscriber(9, "").take(&bench)), rest);
}

#[test]
fn a_closed_session_that_cannot_be_read_costs_nobody_the_others() {
    let bench = three_sessions(100);
    let path = &archives(bench.dir.path())[1];
    fs::remove_file(path).unwrap();
    // Compressed by something else than a journal.
    fs::write(
        path.with_extension("jsonl.zst"),
        "nothing that can be unpacked",
    )
    .unwrap();
    let mut client = subscriber(100, "");
    assert_eq!(numbers(&client.take(&bench)), [1, 2, 3, 7, 8, 9]);
    // Another one that is shorter than it was, or begins otherwise.
    let path = &archives(bench.dir.path())[0];
    let text = fs::read(path).unwrap();
    fs::write(path, &text[..text.len() / 2]).unwrap();
    let got = subscriber(100, "").take(&bench);
    assert_eq!(numbers(&got), [7, 8, 9]);
}

#[test]
fn another_file_under_a_closed_sessions_name_is_not_taken_for_it() {
    let mut bench = three_sessions(100);
    bench.archive();
    bench.record(&["a"]);
    let path = archives(bench.dir.path()).remove(2);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("\"message_num\":7", "\"message_num\":1"),
    )
    .unwrap();
    let got = subscriber(100, "").take(&bench);
    assert_eq!(numbers(&got), [1, 2, 3, 4, 5, 6, 10]);
}

#[test]
fn a_session_that_is_unpacked_by_hand_is_still_replayed() {
    let bench = three_sessions(100);
    let plain = archives(bench.dir.path()).remove(0);
    let text = fs::read(&plain).unwrap();
    let upkeep = Upkeep::begin(bench.dir.path()).unwrap();
    for session in upkeep.sessions().unwrap() {
        upkeep.compress(&session.archive, 1).unwrap();
    }
    let bench = restart(bench, 100);
    fs::write(&plain, text).unwrap();
    fs::remove_file(plain.with_extension("jsonl.zst")).unwrap();
    let got = subscriber(100, "").take(&bench);
    assert_eq!(numbers(&got), (1..=9).collect::<Vec<_>>());
}

#[test]
fn sessions_of_older_recorders_are_replayed_each_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("archive")).unwrap();
    for (name, topic) in [("session_1", "one"), ("session_2", "two")] {
        let line = |id: u32| {
            format!(
                "{{\"Id\":\"{id}\",\"Timestamp\":\"2025-11-30T09:35:11.678846\",\"SpeakerName\":\"me\",\
                 \"Message\":\"{{}}\",\"Metadata\":{{\"topic\":\"{topic}\"}}}}\n"
            )
        };
        let lines: String = (0..3).map(line).collect();
        fs::write(dir.path().join(format!("archive/{name}.jsonl")), lines).unwrap();
    }
    let mut bench = open(dir, 100);
    bench.record(&["a"]);
    let got = subscriber(100, "").take(&bench);
    let topics: Vec<&str> = got
        .iter()
        .map(|one| one.split_once(' ').unwrap().0)
        .collect();
    assert_eq!(topics, ["one", "one", "one", "two", "two", "two", "a"]);
}

#[test]
fn closed_sessions_that_nobody_reads_are_not_open() {
    let mut bench = three_sessions(100);
    for _ in 0..5 {
        bench.archive();
        bench.record(&["a"]);
    }
    let held = bench.tail.held();
    assert_eq!(held.len(), 8);
    assert!(
        held[..7].iter().all(|segment| segment.is_named()),
        "{held:?}"
    );
    // Those who read the same session share what is in memory of it.
    let file = held[0].file().unwrap().file();
    assert!(Arc::ptr_eq(&file, &held[0].file().unwrap().file()));
}
