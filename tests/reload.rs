//! A running broker reads its file of options again on SIGHUP, and says what that changes.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use crate::util::broker::{Broker, Ports, broker_on};
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::wait::until;

fn write(dir: &Dir, text: &str) -> PathBuf {
    let path = dir.path().join("broker.toml");
    fs::write(&path, text).unwrap();
    path
}

/// A broker whose options are in a file.
fn start(dir: &Dir, text: &str) -> Broker {
    let path = write(dir, text);
    let mut command = broker_on(dir, Ports::default());
    Broker::ready(command.arg("--config").arg(path))
}

/// Gives it another file, and waits until it has said this of it.
fn reload(broker: &mut Broker, dir: &Dir, text: &str, said: &str) {
    write(dir, text);
    broker.signal("HUP");
    broker.wait_for(&format!("broker.toml again: {said}\n"));
}

#[test]
fn what_may_change_holds_at_once_and_the_session_goes_on() {
    let dir = Dir::new();
    let mut broker = start(&dir, "on-hup = \"reload\"\n");
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 5));
    assert_eq!(live.recv(5), agents("t", 1, 5));
    let text = "on-hup = \"reload\"\nmax-session-size = \"1KiB\"\nlog-level = \"info\"\n";
    let said = "log-level is info, max-session-size is 1KiB now";
    reload(&mut broker, &dir, text, said);
    assert!(
        dir.archives().is_empty(),
        "it was told to read its options alone"
    );

    // The limit holds for the session that is there, and the archive is told at this level.
    publisher.send(&agents("t", 6, 1));
    assert_eq!(live.recv(1), agents("t", 6, 1));
    let names = dir.wait_archives(1);
    assert_eq!(dir.archived(&names[0]).len(), 6);
    broker.wait_for_warning("its size limit: archived 6 messages");

    // Closed sessions are looked after now, which nobody did before.
    let text = "on-hup = \"reload\"\ncompress-after = \"0s\"\non-stop = \"keep\"\n";
    let said =
        "compress-after is 0s, log-level is warn, max-session-size is off, on-stop is keep now";
    reload(&mut broker, &dir, text, said);
    until("a compressed session", || {
        dir.archives()[0].ends_with(".zst").then_some(())
    });
    // And no longer: the limits are gone, and a stop keeps what comes now.
    reload(
        &mut broker,
        &dir,
        "on-hup = \"reload\"\non-stop = \"keep\"\n",
        "compress-after is off now",
    );
    publisher.send(&agents("t", 7, 10));
    assert_eq!(live.recv(10), agents("t", 7, 10));
    broker.signal("TERM");
    let ended = broker.wait_exit().with_code(0);
    ended.says("[*] The session of 10 messages is continued at the next start\n");
}

#[test]
fn sessions_go_as_soon_as_the_file_says_so_and_not_before() {
    let dir = Dir::new();
    let mut broker = start(&dir, "dedupe-window = 0\nkeep = \"1d\"\n");
    let mut publisher = Publisher::connect(broker.ports.publish);
    for closed in 1..=3 {
        publisher.send(&agents("t", closed, 1));
        dir.wait_lines(1);
        broker.signal("HUP");
        broker.wait_for("broker.toml again: nothing changes\n");
        dir.wait_archives(closed);
    }
    let newest = dir.archives()[2].clone();
    write(&dir, "dedupe-window = 0\nkeep = \"0d\"\n");
    broker.signal("HUP");
    until("the newest one alone", || {
        (dir.archives() == [newest.clone()]).then_some(())
    });
}

#[test]
fn a_file_with_a_mistake_changes_nothing_and_is_told_with_its_line() {
    let dir = Dir::new();
    let mut broker = start(&dir, "max-session-size = \"off\"\n");
    let mut publisher = Publisher::connect(broker.ports.publish);
    for (session, (text, told)) in [
        (
            "max-session-size = \"1KiB\"\n\nkep = \"1d\"\n",
            "broker.toml:3: there is no option kep; is it keep?",
        ),
        (
            "max-session-size = \"1KiB\"\nkeep = \"soon\"\n",
            "broker.toml:2: invalid value 'soon' for '--keep <AGE>'",
        ),
        (
            "max-session-size = \"1KiB\"\nstrict-sender = true\n",
            "--strict-sender needs --curve",
        ),
        ("max-session-size = ", "broker.toml:1: "),
    ]
    .into_iter()
    .enumerate()
    {
        write(&dir, text);
        publisher.send(&agents("t", 1, 5));
        dir.wait_lines(5);
        broker.signal("HUP");
        broker.wait_for_warning(told);
        // SIGHUP closes the session all the same; nothing else does.
        let names = dir.wait_archives(session + 1);
        assert_eq!(names.len(), session + 1);
        assert_eq!(dir.archived(&names[session]).len(), 5);
    }
    fs::remove_file(dir.path().join("broker.toml")).unwrap();
    broker.signal("HUP");
    broker.wait_for_warning("no option has changed: cannot read the options in");
    broker.signal("TERM");
    let ended = broker.wait_exit().with_code(0);
    assert!(!ended.stdout.contains("again"), "{}", ended.report());
}

#[test]
fn what_needs_a_restart_is_named_and_stays_as_it_was() {
    let dir = Dir::new();
    let mut broker = start(&dir, "history = 3\n");
    let mut publisher = Publisher::connect(broker.ports.publish);
    let text = "history = 1\nmax-memory = \"1GiB\"\ncurve = \"keys\"\non-hup = \"reload\"\n";
    reload(&mut broker, &dir, text, "on-hup is reload now");
    for told in [
        "curve needs a restart: it is not set until then, and keys afterwards",
        "history needs a restart: it is 3 until then, and 1 afterwards",
        "max-memory needs a restart: it is 256MiB until then, and 1GiB afterwards",
    ] {
        broker.wait_for_warning(told);
    }
    publisher.send(&agents("t", 1, 5));
    broker.wait_recorded(5);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(subscriber.recv(3), agents("t", 3, 3));
    // What the command line says wins, so the file's port is no change.
    reload(
        &mut broker,
        &dir,
        "history = 3\npub-port = 1\n",
        "on-hup is archive now",
    );
    dir.wait_archives(1);
}

#[test]
fn without_a_file_there_is_nothing_to_read_again() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--on-hup", "reload"]);
    broker.signal("HUP");
    broker.wait_for_warning("there is no --config file");
    assert!(dir.archives().is_empty());
}
