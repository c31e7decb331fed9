//! The page says whether messages are recorded: the broker is asked, and else the age of
//! the newest message tells.
#![cfg(unix)]

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::util::broker::{Broker, viewer};
use crate::util::client::Publisher;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::Process;
use crate::util::wait::until;

/// A page that is served.
struct Page {
    _process: Process,
    address: String,
}

impl Page {
    fn of(dir: &Dir, control: u16) -> Self {
        let control = format!("tcp://127.0.0.1:{control}");
        let options = ["serve", "--port", "0", "--no-token", "--control", &control];
        let mut process = Process::start(&mut viewer(dir, &options));
        let address = process.wait_stdout("the address of the page", |text| {
            let line = text.lines().next().filter(|_| text.ends_with('\n'));
            let address = line.and_then(|line| line.strip_prefix("http://"));
            address.map(|address| address.trim_end_matches('/').to_owned())
        });
        Self {
            _process: process,
            address,
        }
    }

    fn health(&self) -> Value {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(
            connection,
            "GET /api/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        let begin = reply.find('{').unwrap();
        serde_json::from_str(reply[begin..].trim_end()).unwrap()
    }

    /// Waits until the health is as it is wanted.
    #[track_caller]
    fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(what, || Some(self.health()).filter(|health| is_so(health)))
    }
}

fn said(dir: &Dir, broker: &Broker) {
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 3));
    until("the messages are recorded", || {
        (dir.all_records().len() == 3).then_some(())
    });
}

#[test]
fn the_broker_tells_that_messages_are_recorded_and_its_silence_is_told_too() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    said(&dir, &broker);
    let page = Page::of(&dir, broker.ports.control);
    let health = page.wait("the broker has answered", |health| {
        health["told_by"] == "broker"
    });
    assert_eq!(health["recording"], true, "{health}");
    assert_eq!(health["newest"], 3, "{health}");
    let health = page.wait("what is there was counted", |health| {
        health["open_questions"].is_u64() && health["messages_a_minute"] != 0
    });
    assert_eq!(health["damaged_lines"], 0, "{health}");
    // It is there and does not answer: requests are answered all the same.
    broker.signal("STOP");
    let health = page.wait("nobody has answered", |health| health["told_by"] == "age");
    assert_eq!(health["newest"], 3, "{health}");
    broker.signal("CONT");
    page.wait("it answers again", |health| health["told_by"] == "broker");
    broker.signal("KILL");
    broker.wait_exit();
    page.wait("the broker is gone", |health| health["told_by"] == "age");
}

#[test]
fn a_broker_that_records_elsewhere_is_not_believed() {
    let (here, elsewhere) = (Dir::new(), Dir::new());
    let ours = Broker::start(&here);
    said(&here, &ours);
    let theirs = Broker::start(&elsewhere);
    said(&elsewhere, &theirs);
    let page = Page::of(&here, theirs.ports.control);
    // What is counted is counted behind the first question to a broker.
    page.wait("the broker was asked", |health| {
        health["open_questions"].is_u64()
    });
    for _ in 0..20 {
        assert_eq!(page.health()["told_by"], "age");
    }
    // The one that records here is.
    let page = Page::of(&here, ours.ports.control);
    page.wait("the broker has answered", |health| {
        health["told_by"] == "broker"
    });
}

/// Only on Linux can a disk be made to be full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_its_reason() {
    use crate::util::shim::{Disk, Rule};

    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    said(&dir, &broker);
    let page = Page::of(&dir, broker.ports.control);
    page.wait("the broker has answered", |health| {
        health["told_by"] == "broker"
    });
    disk.set(&[Rule::room(0)]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 4, 1));
    let health = page.wait("nothing is recorded", |health| health["recording"] == false);
    assert_eq!(health["told_by"], "broker", "{health}");
    assert!(health["stalled"].is_string(), "{health}");
    disk.heal();
    page.wait("it goes on", |health| {
        health["recording"] == true && health["newest"] == 4
    });
}

#[test]
fn damaged_lines_and_open_questions_are_counted_beside_the_requests() {
    let dir = Dir::new();
    let question = r#"{"message_num":1,"topic":"t","sender":"a","timestamp":"2025-11-20T04:30:00Z","message_id":"m1","content":"Who is there?"}"#;
    let answered = r#"{"message_num":2,"topic":"t","sender":"b","timestamp":"2025-11-20T04:30:01Z","message_id":"m2","content":"fine"}"#;
    std::fs::create_dir_all(dir.logs()).unwrap();
    std::fs::write(dir.current(), format!("{question}\n{{\"torn\n{answered}\n")).unwrap();
    let page = Page::of(&dir, 1);
    let health = page.wait("all is counted", |health| health["open_questions"].is_u64());
    assert_eq!(health["open_questions"], 1, "{health}");
    assert_eq!(health["damaged_lines"], 1, "{health}");
    assert_eq!(
        (&health["recording"], &health["told_by"]),
        (&false.into(), &"age".into()),
        "{health}"
    );
}
