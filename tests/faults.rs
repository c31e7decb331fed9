//! The same faults made by the kernel itself: strace's fault injection, and a
//! small file system in memory. Needs Linux, strace and root.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failing test is to stop and to say why"
)]

#[allow(dead_code, reason = "the harness serves another target too")]
mod util;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use util::broker::{Broker, Ports, broker_on};
use util::client::{Publisher, Subscriber};
use util::dir::{Dir, assert_numbered_from};
use util::message::{agents, ids};
use util::record::Record;

/// Starts a broker below strace, which injects this; the broker stays our own child.
#[track_caller]
fn start(dir: &Dir, inject: &str) -> Broker {
    let inner = broker_on(dir, Ports::default());
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-o", "/dev/null"]);
    command.args(["-e", "trace=fdatasync,writev"]);
    // Connections are written to with the same call: only the session counts.
    command.arg("-P").arg(dir.current());
    command.args(["-e", &format!("inject={inject}")]);
    command.arg(inner.get_program()).args(inner.get_args());
    command.current_dir(dir.path()).env("TZ", "UTC");
    Broker::ready(&mut command)
}

#[test]
fn delivery_waits_for_a_slow_fdatasync() {
    let dir = Dir::new();
    let broker = start(&dir, "fdatasync:delay_exit=1000000:when=2+");
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    // Calls are counted for each thread: the recorder's first one succeeds.
    publisher.send(&agents("t", 1, 1));
    assert_eq!(subscriber.ids_until("t-1"), ["t-1"]);
    let begin = Instant::now();
    publisher.send(&agents("t", 2, 1));
    subscriber.recv(1);
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

/// One call fails, and what it was to keep goes to a fresh file before anybody gets it.
#[track_caller]
fn goes_on_after(inject: &str) {
    let dir = Dir::new();
    let broker = start(&dir, inject);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    // Calls are counted for each thread: the recorder's first one succeeds.
    publisher.send(&agents("t", 1, 1));
    assert_eq!(subscriber.ids_until("t-1"), ["t-1"]);
    publisher.send(&agents("t", 2, 4));
    assert_eq!(subscriber.ids_until("t-5"), ids("t", 2, 4));
    broker.wait_for_warning("recording goes on in a fresh file");
    assert_numbered_from(1, &dir.all_records());
    assert_eq!(dir.all_records().len(), 5);
}

#[test]
fn after_a_failed_fdatasync_recording_goes_on_in_a_fresh_file() {
    goes_on_after("fdatasync:error=EIO:when=2");
}

#[test]
fn after_a_failed_write_recording_goes_on_in_a_fresh_file() {
    goes_on_after("writev:error=EIO:when=2");
}

/// Calls fail from the second one on: nobody gets what they were to keep.
#[track_caller]
fn ends_after(inject: &str) {
    let dir = Dir::new();
    let mut broker = start(&dir, inject);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 1));
    assert_eq!(subscriber.ids_until("t-1"), ["t-1"]);
    publisher.send(&agents("t", 2, 4));
    broker.wait_exit().with_code(1).warns("broker: ");
    subscriber.wait_disconnected();
    assert!(subscriber.drain().is_empty(), "nothing was delivered");
}

#[test]
fn while_every_fdatasync_fails_nothing_is_delivered() {
    ends_after("fdatasync:error=EIO:when=2+");
}

#[test]
fn while_every_write_fails_nothing_is_delivered() {
    ends_after("writev:error=EIO:when=2+");
}

/// A file system of its own that is unmounted with the test.
struct Small(std::path::PathBuf);

impl Drop for Small {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_small_file_system_that_is_full_is_waited_for() {
    const COUNT: usize = 3000;
    let dir = Dir::new();
    fs::create_dir(dir.logs()).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
        .arg(dir.logs())
        .status()
        .unwrap();
    assert!(mount.success(), "mounting needs root");
    let _small = Small(dir.logs());
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["load"]);
    publisher.begin_burst("load", 1, COUNT, 400);
    broker.wait_for_warning("DISK FULL");
    let larger = Command::new("mount")
        .args(["-o", "remount,size=64m"])
        .arg(dir.logs())
        .status()
        .unwrap();
    assert!(larger.success());
    assert!(subscriber.ids_until(&format!("load-{COUNT}")) == ids("load", 1, COUNT));
    let recorded: Vec<String> = dir.records().iter().map(Record::id).collect();
    assert!(recorded == ids("load", 1, COUNT));
}
