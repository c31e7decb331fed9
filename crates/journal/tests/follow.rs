//! Readers and a writer at the same time, and a writer that is killed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use journal::{Follower, Integrity, Item, Journal};

const LIMIT: Duration = Duration::from_secs(120);

/// Reads until the record `last` was there.
fn follow(dir: &Path, last: u64) -> Vec<u64> {
    let mut follower = Follower::after(dir, 0).unwrap();
    let begun = Instant::now();
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        match follower.next_item().unwrap() {
            Some(Item::Record(record)) => {
                assert_eq!(record.integrity, Integrity::Verified);
                let json: serde_json::Value = serde_json::from_slice(record.line).unwrap();
                assert_eq!(json["message_num"], record.number);
                assert_eq!(json["body"], record.number, "misread");
                seen.push(record.number);
            }
            Some(Item::Damage(damage)) => panic!("{damage}"),
            None => std::thread::yield_now(),
        }
        assert!(begun.elapsed() < LIMIT, "stuck behind {:?}", seen.last());
    }
    seen
}

/// Lines of all lengths, so that many a one is read while it is written.
fn body(number: u64) -> serde_json::Value {
    let length = if number.is_multiple_of(50) {
        300_000
    } else {
        number % 700
    };
    serde_json::json!({"body": number, "text": "x".repeat(usize::try_from(length).unwrap())})
}

fn three_followers(records: u64, mut rotate: impl FnMut(u64) -> bool) {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let mut archives = 0;
    std::thread::scope(|scope| {
        let followers: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| follow(dir.path(), records)))
            .collect();
        for number in 1..=records {
            assert_eq!(journal.append(&body(number)).unwrap(), number);
            if rotate(number) {
                archives += u64::from(journal.archive(None).unwrap().is_some());
            }
        }
        for follower in followers {
            let seen = follower.join().unwrap();
            assert!(
                seen.iter().copied().eq(1..=records),
                "{} records",
                seen.len()
            );
        }
    });
    println!("{records} records, {archives} archives, three followers");
    assert!(archives > 5);
}

#[test]
fn followers_get_every_record_once_while_sessions_are_archived_every_few_commits() {
    three_followers(1500, |number| number % 7 == 0);
}

#[test]
fn followers_get_every_record_once_while_sessions_are_archived_by_time() {
    let mut last = Instant::now();
    three_followers(3000, |_| {
        let due = last.elapsed() > Duration::from_millis(20);
        if due {
            last = Instant::now();
        }
        due
    });
}

#[test]
fn a_follower_that_comes_and_goes_gets_every_record_once() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=1000 {
                journal.append(&body(number)).unwrap();
                if number % 11 == 0 {
                    journal.archive(None).unwrap();
                }
            }
            done.store(true, Ordering::Release);
        });
        let mut last = 0;
        loop {
            let finished = done.load(Ordering::Acquire);
            let mut follower = Follower::after(dir.path(), last).unwrap();
            while let Some(item) = follower.next_item().unwrap() {
                let Item::Record(record) = item else {
                    panic!("{item:?}")
                };
                assert_eq!(record.number, last + 1);
                last = record.number;
                if last % 13 == 0 {
                    break;
                }
            }
            if finished && last == 1000 {
                break;
            }
        }
    });
}

#[cfg(unix)]
mod killed {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Write};
    use std::path::Path;
    use std::process::{Command, Stdio};

    use journal::{Follower, Integrity, Item, Journal};

    const DIR: &str = "JOURNAL_TEST_WRITER_DIR";
    const ROUNDS: u64 = 25;

    fn contents(dir: &Path) -> BTreeMap<u64, u64> {
        let mut follower = Follower::after(dir, 0).unwrap();
        let mut found = BTreeMap::new();
        let mut last = 0;
        while let Some(item) = follower.next_item().unwrap() {
            let Item::Record(record) = item else { continue };
            assert_eq!(record.integrity, Integrity::Verified);
            assert_eq!(record.number, last + 1, "a gap or a repeat");
            last = record.number;
            let json: serde_json::Value = serde_json::from_slice(record.line).unwrap();
            found.insert(record.number, json["body"].as_u64().unwrap());
        }
        found
    }

    /// The child: appends from several threads, archives, and prints what was
    /// acknowledged, until it is killed.
    fn write_until_killed(dir: &Path) {
        let (journal, found) = Journal::open(dir).unwrap();
        println!("next {}", found.next);
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let journal = journal.clone();
                scope.spawn(move || {
                    for i in 0u64.. {
                        let body = found.next * 1_000_000 + i * 10 + thread;
                        let text = "x".repeat(usize::try_from(body % 5000).unwrap());
                        let record = serde_json::json!({"body": body, "text": text});
                        let number = journal.append(&record).unwrap();
                        // One write, so that a line is there as a whole or torn.
                        let line = format!("ack {number} {body}\n");
                        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                        if number % 37 == 0 {
                            journal.archive(None).unwrap();
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn what_a_killed_writer_acknowledged_is_there() {
        if let Some(dir) = std::env::var_os(DIR) {
            return write_until_killed(Path::new(&dir));
        }
        let dir = tempfile::tempdir().unwrap();
        let name = "killed::what_a_killed_writer_acknowledged_is_there";
        let mut acknowledged = BTreeMap::new();
        for round in 0..ROUNDS {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env(DIR, dir.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            // Some are killed while they start, the others after some lines.
            let kill_after = round * 7919 % 300;
            let mut lines = 0;
            let mut line = String::new();
            if kill_after < 10 {
                child.kill().unwrap();
            }
            while out.read_line(&mut line).unwrap() > 0 {
                if let Some(ack) = line
                    .strip_suffix('\n')
                    .and_then(|line| line.strip_prefix("ack "))
                {
                    let (number, body) = ack.split_once(' ').unwrap();
                    let body: u64 = body.parse().unwrap();
                    assert_eq!(acknowledged.insert(number.parse().unwrap(), body), None);
                    lines += 1;
                    if lines == kill_after.max(10) {
                        child.kill().unwrap();
                    }
                }
                line.clear();
            }
            let status = child.wait().unwrap();
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&status),
                Some(9)
            );
            let there = contents(dir.path());
            for (number, body) in &acknowledged {
                assert_eq!(
                    there.get(number),
                    Some(body),
                    "round {round}, number {number}"
                );
            }
        }
        println!(
            "{ROUNDS} kills, {} acknowledged records",
            acknowledged.len()
        );
        assert!(acknowledged.len() > 500);
        let (_, found) = Journal::open(dir.path()).unwrap();
        assert!(found.next > *acknowledged.keys().next_back().unwrap());
    }
}
