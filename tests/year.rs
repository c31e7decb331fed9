//! Nobody looks after it for a year: each day has messages, a crash, a rotation,
//! compression, retention and a backup, and the numbers are right at the end.
//!
//! `YEAR_DAYS` says how many days the year has; `just year` has all of them.
#![cfg(unix)]

mod recorder;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use journal::raw::plain_path;
use journal::{list_archives, removed_sessions};
use serde_json::{Value, json};

use self::recorder::Recorder;
use crate::util::broker::{broker, viewer, viewer_in};
use crate::util::client::Subscriber;
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::{Frames, agents, ids};
use crate::util::process::{Process, run};
use crate::util::record::Record;
use crate::util::rounds::from_environment;
use crate::util::wait::until;

const DAY: u64 = 86_400;
/// 2025-01-01T12:00:00Z
const FIRST_NOON: u64 = 1_735_732_800;
const MESSAGES: usize = 20;
/// The rules of upkeep: with them a short year has all of it, too.
const COMPRESS_AFTER: u64 = 2;
const KEEP: u64 = 5;
/// How many days this consumer is behind at most; longer than sessions are kept.
const LAZY: usize = 8;

/// Any number below a limit, another one each time.
fn random(limit: u64) -> u64 {
    RandomState::new().hash_one(0) % limit
}

/// What is known of the journal from outside.
struct Year {
    dir: Dir,
    now: u64,
    days: usize,
    /// When each session was closed, by the names they had then.
    closed: BTreeMap<PathBuf, u64>,
    /// What the two consumers have acknowledged.
    quick: u64,
    lazy: u64,
}

#[test]
fn after_a_year_without_anybody_all_numbers_consumers_and_the_disk_are_right() {
    let days = from_environment("YEAR_DAYS", 12);
    let mut year = Year {
        dir: Dir::new(),
        now: FIRST_NOON,
        days: 0,
        closed: BTreeMap::new(),
        quick: 0,
        lazy: 0,
    };
    for day in 1..=days {
        year.pass_a_day(day);
        if day % 30 == 0 {
            println!("{day} days, {} messages", year.last());
        }
    }
    year.check_numbers();
    year.check_retention();
    year.check_disk();
    year.check_copy();
    year.check_subscriber();
}

impl Year {
    fn last(&self) -> u64 {
        (self.days * MESSAGES) as u64
    }

    fn start(&self) -> Recorder {
        Recorder::start(&self.dir, self.now)
    }

    fn copy(&self) -> PathBuf {
        self.dir.path().join("copy")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = broker();
        command.args(words).arg("--dir").arg(self.dir.logs());
        command
    }

    fn pass_a_day(&mut self, day: usize) {
        let messages = agents("t", self.days * MESSAGES + 1, MESSAGES);
        let recorder = self.start();
        let mut client = Requester::dealer(recorder.control);
        self.publish(&mut client, &messages[..MESSAGES / 2]);
        self.crash(day, recorder, &mut client, &messages);
        let recorder = self.start();
        let mut client = Requester::dealer(recorder.control);
        // All of them again: who publishes does not know which are recorded.
        self.publish(&mut client, &messages);
        self.days = day;
        self.consume(&mut client, day);
        self.now += DAY / 2;
        recorder.set_clock(self.now);
        // Where the crash came at midnight, this is the next midday, and the session goes on.
        if self.now.is_multiple_of(DAY) {
            until("the rotation", || {
                self.dir.current_bytes().is_empty().then_some(())
            });
            self.now += DAY / 2;
        }
        self.upkeep(day);
        recorder.kill9();
    }

    /// Publishes messages with an acknowledgement: their numbers are those of the year.
    fn publish(&self, client: &mut Requester, messages: &[Frames]) {
        client.send_publish(messages);
        for (number, (reply, _)) in (self.last() + 1..).zip(client.recv(messages.len())) {
            assert_eq!(reply["message_num"], number, "{reply}");
        }
    }

    /// Ends the broker at an instant of which nobody knows what it was doing: messages
    /// come, or the session is closed.
    fn crash(&mut self, day: usize, recorder: Recorder, client: &mut Requester, all: &[Frames]) {
        if day.is_multiple_of(2) {
            client.send_publish(&all[MESSAGES / 2..]);
            sleep(Duration::from_micros(random(3_000)));
        } else {
            self.now += DAY / 2;
            recorder.set_clock(self.now);
            sleep(Duration::from_micros(random(30_000)));
        }
        recorder.kill9();
    }

    fn interrupt(&self, words: &[&str]) {
        let mut process = Process::start(&mut self.command(words));
        sleep(Duration::from_micros(random(60_000)));
        process.kill9();
    }

    /// The one consumer reads each day, the other one once in a while.
    fn consume(&mut self, client: &mut Requester, day: usize) {
        self.quick = self.read(client, "quick", self.quick);
        if day.is_multiple_of(LAZY) || day == 1 {
            self.lazy = self.read(client, "lazy", self.lazy);
        }
    }

    /// Reads all that is new, and acknowledges it.
    fn read(&self, client: &mut Requester, name: &str, acknowledged: u64) -> u64 {
        let new = usize::try_from(self.last() - acknowledged).unwrap();
        let consumer = client.consume(json!({"name": name, "credit": new}));
        let got = client.messages(new);
        let expected = agents("t", usize::try_from(acknowledged).unwrap() + 1, new);
        let expected = (acknowledged + 1..).zip(expected);
        assert!(got.into_iter().eq(expected), "{name} behind {acknowledged}");
        client.ack(consumer, self.last());
        client.call(json!({"op": "cancel", "consumer": consumer}));
        self.last()
    }

    /// Compresses, removes and copies, as a timer does it. One of the three is killed and
    /// begins anew.
    fn upkeep(&mut self, day: usize) {
        self.age();
        let (after, keep) = (format!("{COMPRESS_AFTER}d"), format!("{KEEP}d"));
        let copy = self.copy();
        let commands: [&[&str]; 3] = [
            &["compress", "--after", &after],
            &["prune", "--keep", &keep, "--dedupe-window", "20"],
            &["backup", copy.to_str().unwrap()],
        ];
        for (at, words) in commands.into_iter().enumerate() {
            if day % 3 == at {
                self.interrupt(words);
            }
            run(&mut self.command(words)).with_code(0);
        }
    }

    /// Gives each closed session the age that it has by the clock of the year.
    fn age(&mut self) {
        for archive in list_archives(self.dir.logs()).unwrap() {
            let known = self.closed.entry(plain_path(&archive.path));
            let closed = *known.or_insert(self.now - self.now % DAY);
            let age = Duration::from_secs(self.now - closed);
            let file = fs::File::options()
                .append(true)
                .open(&archive.path)
                .unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
    }

    /// Each message has the number that it was acknowledged with, and what is not there
    /// was removed on purpose.
    fn check_numbers(&self) {
        let records: Vec<Record> = journal::read_all(self.dir.logs())
            .unwrap()
            .map(|line| Record::parse(&String::from_utf8(line.unwrap().bytes).unwrap()))
            .collect();
        let removed = removed_sessions(self.dir.logs()).unwrap();
        let mut next = 1;
        for one in &removed {
            assert_eq!(one.first, next, "{removed:?}");
            next = one.last + 1;
        }
        assert_eq!(records[0].num(), next, "behind {:?}", removed.last());
        for (number, record) in (next..).zip(&records) {
            assert_eq!((record.num(), record.id()), (number, format!("t-{number}")));
        }
        assert_eq!(records.last().unwrap().num(), self.last());
        run(&mut viewer(&self.dir, &["verify", "--all"])).with_code(0);
    }

    /// Sessions are there that are young enough or still needed, and no others.
    fn check_retention(&self) {
        let copied = list_archives(self.copy()).unwrap();
        let there = list_archives(self.dir.logs()).unwrap();
        let mut expected: Vec<PathBuf> = Vec::new();
        for (at, archive) in copied.iter().enumerate() {
            let path = self.dir.archive().join(archive.session());
            let last = copied
                .get(at + 1)
                .map_or(self.last(), |next| next.first - 1);
            let age = self.now - self.closed[&path];
            let needed = last > self.lazy || at + 1 == copied.len();
            if age <= KEEP * DAY || needed || !expected.is_empty() {
                expected.push(path);
            }
        }
        let there: Vec<PathBuf> = there.iter().map(|one| plain_path(&one.path)).collect();
        assert_eq!(there, expected);
        assert!(
            there.len() < copied.len() || self.days < 10,
            "nothing was removed"
        );
    }

    /// Nothing is left over: sessions in the form that they should have, and little else.
    fn check_disk(&self) {
        let archives = list_archives(self.dir.logs()).unwrap();
        let files = fs::read_dir(self.dir.archive()).unwrap().count();
        assert_eq!(
            files,
            archives.len(),
            "other files than sessions: {archives:?}"
        );
        for archive in &archives {
            let age = self.now - self.closed[&plain_path(&archive.path)];
            let is_due = age >= COMPRESS_AFTER * DAY;
            assert_eq!(archive.is_compressed(), is_due, "{age} s: {}", archive.name);
        }
        let removed = removed_sessions(self.dir.logs()).unwrap().len() as u64;
        for entry in fs::read_dir(self.dir.logs()).unwrap().map(Result::unwrap) {
            let (name, length) = (entry.file_name(), entry.metadata().unwrap().len());
            let most = match name.to_str().unwrap() {
                "journal.removed" => 300 * removed,
                // That of a day, where the last crash came at midnight.
                "current_session.jsonl" => 1024 * MESSAGES as u64,
                _ => 8192,
            };
            assert!(length <= most, "{} has {length} bytes", name.display());
        }
    }

    /// The copy has everything, also what was removed since, and a journal can be made of it.
    fn check_copy(&self) {
        run(&mut viewer_in(&self.copy(), &["verify", "--all"])).with_code(0);
        let lines: Vec<_> = journal::read_all(self.copy()).unwrap().collect();
        let numbers: Vec<u64> = lines
            .iter()
            .map(|line| line.as_ref().unwrap().number)
            .collect();
        assert!(numbers.into_iter().eq(1..=self.last()), "the copy");
        let restored = self.dir.path().join("restored");
        let mut restore = broker();
        restore
            .arg("restore")
            .arg(self.copy())
            .arg("--dir")
            .arg(&restored);
        run(&mut restore).with_code(0);
        run(&mut viewer_in(&restored, &["verify", "--all"])).with_code(0);
    }

    /// Who subscribes now gets all that is there, and consumers are where they were.
    fn check_subscriber(&self) {
        let recorder = self.start();
        let first = list_archives(self.dir.logs()).unwrap()[0].first;
        let mut subscriber = Subscriber::connect(recorder.subscribe, &["t"]);
        let count = usize::try_from(self.last() - first + 1).unwrap();
        let got = subscriber.ids_until(&format!("t-{}", self.last()));
        assert!(got == ids("t", usize::try_from(first).unwrap(), count));
        let status = Requester::dealer(recorder.control).call(json!({"op": "status"}));
        let positions: BTreeMap<&str, &Value> = status["consumers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["name"].as_str().unwrap(), &one["acked"]))
            .collect();
        let expected = [("lazy", &json!(self.lazy)), ("quick", &json!(self.quick))];
        assert_eq!(positions, BTreeMap::from(expected));
    }
}
