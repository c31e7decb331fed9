//! Many who watch the page, and one who does not read what it gets.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use journal::Journal;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::util::Logs;

const WATCHERS: usize = 1_000;
/// Long enough for anything on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `viewer serve`.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(logs: &Logs) -> Self {
        let mut command = logs.command(&["serve", "--port", "0", "--no-token"]);
        // As on a system that gives a program few files at first.
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -S -n 256; exec \"$@\"", "sh"]);
        limited.arg(command.get_program()).args(command.get_args());
        command = limited;
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap();
        let address = address.trim_end_matches('/').to_owned();
        Self { child, address }
    }

    fn watch(&self, question: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = &self.address;
        write!(
            stream,
            "GET /api/live?{question} HTTP/1.1\r\nHost: {host}\r\n\r\n"
        )
        .unwrap();
        let mut events = BufReader::new(stream);
        assert_eq!(next(&mut events, "event: "), "begin");
        next(&mut events, "data: ");
        events
    }

    /// How much memory it has, in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().trim().trim_end_matches(" kB");
        kib.parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits for the next line that begins so; returns the rest of it.
fn next(events: &mut BufReader<TcpStream>, beginning: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(
            events.read_line(&mut line).unwrap(),
            0,
            "the stream has ended"
        );
        if let Some(rest) = line.strip_prefix(beginning) {
            return rest.trim().to_owned();
        }
    }
}

fn append(journal: &Journal, text: &str) -> u64 {
    let payload = format!(r#"{{"from":"claude","content":"{text}"}}"#);
    let mut body = Vec::new();
    message::encode(&["t", &payload], "2025-11-20T04:30:00.123Z", &mut body);
    let body = RawValue::from_string(String::from_utf8(body).unwrap()).unwrap();
    journal.append(&body).unwrap()
}

/// Only on Linux does a program tell its memory as a file.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_watchers_and_one_who_does_not_read_cost_bounded_memory_and_nobody_misses_anything() {
    const MESSAGES: u64 = 2_000;
    // They share what the disk takes.
    const THREADS: u64 = 8;
    rlimit::increase_nofile_limit(4 * WATCHERS as u64).unwrap();
    let logs = Logs::new();
    std::fs::create_dir_all(logs.dir()).unwrap();
    let (journal, _) = Journal::open(logs.dir()).unwrap();
    append(&journal, "before");
    let server = Server::start(&logs);
    let _first = server.watch("");
    let before = server.memory();
    let mut watchers: Vec<_> = (0..WATCHERS)
        .map(|_| server.watch("only=numbers"))
        .collect();
    let idle = server.memory() - before;
    // 30 MB that one does not read.
    let mut slow = server.watch("");
    let long = "x".repeat(15_000);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..MESSAGES / THREADS).for_each(|_| _ = append(&journal, &long)));
        }
    });
    let last = MESSAGES + 1;
    for watcher in &mut watchers {
        let mut at = 1;
        while at < last {
            let event: Value = serde_json::from_str(&next(watcher, "data: ")).unwrap();
            for run in event["runs"].as_array().unwrap() {
                assert_eq!(run[0], at + 1, "each once and in order");
                at = run[1].as_u64().unwrap();
            }
        }
    }
    let busy = (server.memory() - before).saturating_sub(idle);
    println!(
        "{WATCHERS} watchers: {idle} KiB, with a slow one and 30 MB recorded: {busy} KiB more"
    );
    assert!(idle < 40 << 10, "{idle} KiB for {WATCHERS} watchers");
    // What is held for all are 8 MiB, and copies of a few messages on their way.
    assert!(busy < 24 << 10, "{busy} KiB");
    // It has missed nothing.
    let seen: Vec<u64> = (0..MESSAGES)
        .map(|_| next(&mut slow, "id: ").parse().unwrap())
        .collect();
    assert_eq!(seen, (2..=last).collect::<Vec<_>>());
}
