//! What the broker tells systemd, by a socket as systemd has one.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::util::broker::{Broker, Ports, broker_on};
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::shim::{Disk, Rule};

/// Long enough for anything on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// As much of systemd as a service sees.
struct Systemd {
    socket: UnixDatagram,
    path: std::path::PathBuf,
    /// What has come and was not waited for.
    heard: Vec<String>,
}

impl Systemd {
    fn new(dir: &Dir) -> Self {
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            socket,
            path,
            heard: Vec::new(),
        }
    }

    /// Starts a service with a watchdog of `watchdog` seconds.
    fn start(&self, command: &mut Command, watchdog: u64) -> Broker {
        let microseconds = (watchdog * 1_000_000).to_string();
        command.env("NOTIFY_SOCKET", &self.path);
        Broker::ready(command.env("WATCHDOG_USEC", microseconds))
    }

    /// Waits for a line that begins so, behind all that was waited for.
    #[track_caller]
    fn wait(&mut self, beginning: &str) -> String {
        loop {
            if let Some(at) = self
                .heard
                .iter()
                .position(|line| line.starts_with(beginning))
            {
                return self.heard.drain(..=at).next_back().unwrap();
            }
            let mut datagram = [0; 4096];
            let length = self.socket.recv(&mut datagram);
            let length = length.unwrap_or_else(|error| panic!("no {beginning}: {error}"));
            let text = std::str::from_utf8(&datagram[..length]).unwrap();
            self.heard.extend(text.lines().map(str::to_owned));
        }
    }
}

#[test]
fn systemd_hears_that_it_is_ready_how_it_goes_that_it_lives_and_that_it_stops() {
    let dir = Dir::new();
    let mut systemd = Systemd::new(&dir);
    let mut broker = systemd.start(&mut broker_on(&dir, Ports::default()), 1);
    systemd.wait("READY=1");
    let status = systemd.wait("STATUS=recording; 0 messages");
    assert!(status.ends_with("0 subscribers"), "{status}");
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 5));
    assert_eq!(subscriber.recv(5).len(), 5);
    let status = systemd.wait("STATUS=recording; 5 messages");
    assert!(status.ends_with("1 subscribers"), "{status}");
    // It lives, also where nothing is to be recorded.
    for _ in 0..6 {
        systemd.wait("WATCHDOG=1");
    }
    broker.signal("TERM");
    systemd.wait("STOPPING=1");
    broker.wait_exit().with_code(0);
}

#[test]
fn a_disk_that_does_not_answer_is_told_and_no_reason_for_a_restart() {
    let dir = Dir::new();
    let mut systemd = Systemd::new(&dir);
    let disk = Disk::of(&dir);
    let mut broker = systemd.start(&mut disk.broker_on(&dir, Ports::default()), 2);
    systemd.wait("READY=1");
    disk.set(&[Rule::delay("fdatasync", 600_000)]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 1));
    systemd.wait("STATUS=NOTHING IS RECORDED: the disk has not answered");
    for _ in 0..6 {
        systemd.wait("WATCHDOG=1");
    }
    broker.kill9();
}

#[test]
fn a_full_disk_is_told_and_no_reason_for_a_restart() {
    let dir = Dir::new();
    let mut systemd = Systemd::new(&dir);
    let disk = Disk::of(&dir);
    let broker = systemd.start(&mut disk.broker_on(&dir, Ports::default()), 2);
    systemd.wait("READY=1");
    disk.set(&[Rule::room(0)]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 1));
    systemd.wait("STATUS=NOTHING IS RECORDED: disk full");
    for _ in 0..6 {
        systemd.wait("WATCHDOG=1");
    }
    disk.heal();
    systemd.wait("STATUS=recording; 1 messages");
}

#[test]
fn a_stop_that_waits_for_the_disk_gets_more_time() {
    let dir = Dir::new();
    let mut systemd = Systemd::new(&dir);
    let disk = Disk::of(&dir);
    let mut broker = systemd.start(&mut disk.broker_on(&dir, Ports::default()), 2);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 1));
    assert_eq!(subscriber.recv(1).len(), 1);
    disk.set(&[Rule::delay("rename", 4_000).once()]);
    broker.signal("TERM");
    systemd.wait("STOPPING=1");
    systemd.wait("EXTEND_TIMEOUT_USEC=");
    broker.wait_exit().with_code(0);
}
