//! `--follow`: new messages, across closed sessions and restarts.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use journal::Options;
use journal::raw::Writer;

use crate::util::Logs;

/// A time that only a test that fails needs, also where many programs share a processor.
const PATIENCE: Duration = Duration::from_secs(180);

/// A viewer that follows, and the numbers that it shows.
struct Following {
    child: Child,
    numbers: Receiver<u64>,
}

impl Following {
    fn start(logs: &Logs, options: &[&str]) -> Self {
        let mut command = logs.command(&[&["-f"], options].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, numbers) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let head = line
                    .strip_prefix("[#")
                    .and_then(|rest| rest.split(']').next());
                if let Some(number) = head.and_then(|head| head.parse().ok())
                    && send.send(number).is_err()
                {
                    return;
                }
            }
        });
        Self { child, numbers }
    }

    #[track_caller]
    fn shows(&self, expected: impl IntoIterator<Item = u64>) {
        for number in expected {
            let shown = self.numbers.recv_timeout(PATIENCE);
            assert_eq!(shown, Ok(number));
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn record(writer: &mut Writer, count: u64) {
    let mut group = writer.group();
    for _ in 0..count {
        let sender = ["odd", "even"][usize::from(group.next().is_multiple_of(2))];
        let payload = format!(r#"{{"sender":"{sender}"}}"#);
        let time = "2025-11-20T04:30:00.123Z";
        group
            .push_with(|out| message::encode(&["t", &payload], time, out))
            .unwrap();
    }
    writer.commit(&[&group]).unwrap();
}

fn open(logs: &Logs) -> Writer {
    Writer::open(logs.dir(), Options::default()).unwrap().0
}

#[test]
fn new_messages_are_shown_across_sessions_and_restarts() {
    let logs = Logs::new();
    let mut writer = open(&logs);
    record(&mut writer, 5);
    let all = Following::start(&logs, &["--limit", "2"]);
    let even = Following::start(&logs, &["--limit", "0", "--sender", "even"]);
    all.shows([4, 5]);
    even.shows([2, 4]);
    record(&mut writer, 3);
    all.shows(6..=8);
    writer.archive(None).unwrap();
    record(&mut writer, 2);
    all.shows(9..=10);
    drop(writer);
    let mut writer = open(&logs);
    record(&mut writer, 1);
    writer.archive(None).unwrap();
    record(&mut writer, 1);
    all.shows(11..=12);
    even.shows([6, 8, 10, 12]);
}

#[test]
fn a_session_that_is_not_there_yet_is_waited_for() {
    let logs = Logs::new();
    std::fs::create_dir(logs.dir()).unwrap();
    let following = Following::start(&logs, &[]);
    record(&mut open(&logs), 2);
    following.shows([1, 2]);
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let logs = Logs::new();
    logs.view(&["-f"]).failed("there is no directory");
    for options in [&["-f", "--stats"][..], &["-f", "--archive", "x"]] {
        assert_eq!(logs.view(options).code, Some(2), "{options:?}");
    }
}
