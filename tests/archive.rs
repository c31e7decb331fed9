//! A session is closed when the broker stops or is told to, and never changes again.
#![cfg(unix)]

use std::collections::HashSet;
use std::fs;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::agents;
use crate::util::wait::until;

/// Whether a name is `session_YYYYMMDD_HHMMSS`, perhaps with something more to tell it apart.
fn is_session_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("session_") else {
        return false;
    };
    let digits = |part: Option<&str>| {
        part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(rest.get(..8)) && rest.get(8..9) == Some("_") && digits(rest.get(9..15))
}

/// The part of a name that says when the session was closed.
fn second_of(name: &str) -> String {
    name.chars().take("session_20251120_143022".len()).collect()
}

/// Records five messages, stops the broker with a signal, and checks what is left.
fn stops_and_archives(signal: &str) {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 5));
    dir.wait_lines(5);
    let session = dir.current_bytes();

    broker.signal(signal);
    let ended = broker.wait_exit().with_code(0);
    let names = dir.archives();
    assert_eq!(names.len(), 1, "one session is closed: {names:?}");
    assert!(is_session_name(&names[0]), "{names:?}");
    assert_eq!(fs::read(dir.archive().join(&names[0])).unwrap(), session);
    assert_eq!(
        dir.current_bytes(),
        b"",
        "nothing is left in the current session"
    );
    let archive = dir.archive().join(&names[0]);
    let last_lines = format!(
        "[*] Stopping\n[*] Recorded 5 messages in this run\n[*] Archived 5 messages to: {}\n",
        archive.display()
    );
    assert!(ended.stdout.ends_with(&last_lines), "{}", ended.report());
}

#[test]
fn ctrl_c_archives_and_says_where_and_how_many() {
    stops_and_archives("INT");
}

#[test]
fn sigterm_archives_and_says_where_and_how_many() {
    stops_and_archives("TERM");
}

#[test]
fn sighup_archives_and_the_broker_goes_on() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 5));
    assert_eq!(live.recv(5), agents("t", 1, 5));

    broker.signal("HUP");
    let names = dir.wait_archives(1);
    publisher.send(&agents("t", 6, 2));
    assert_eq!(
        live.recv(2),
        agents("t", 6, 2),
        "the same subscriber goes on"
    );
    assert_numbered_from(1, &dir.archived(&names[0]));
    assert_numbered_from(6, &dir.records());
    assert_eq!((dir.archived(&names[0]).len(), dir.records().len()), (5, 2));

    let mut new = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(
        new.recv(2),
        agents("t", 6, 2),
        "the history is the current session's"
    );
}

#[test]
fn an_empty_session_is_not_archived() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    broker.signal("HUP");
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 1));
    dir.wait_lines(1);
    broker.signal("HUP");
    assert_eq!(dir.wait_archives(1).len(), 1);
    broker.signal("HUP");
    broker.signal("TERM");
    let ended = broker.wait_exit().with_code(0).without_warning();
    let last_lines = "[*] Stopping\n[*] Recorded 1 messages in this run\n\
                      [*] Nothing to archive: the session is empty\n";
    assert!(ended.stdout.ends_with(last_lines), "{}", ended.report());
    let names = dir.archives();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(dir.archived(&names[0]).len(), 1);
}

#[test]
fn two_archives_in_the_same_second_get_different_names() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut sent = 0;
    let names = until("two archives in one second", || {
        sent += 1;
        publisher.send(&agents("t", sent, 1));
        until("the record", || (dir.line_count() == 1).then_some(()));
        broker.signal("HUP");
        let names = dir.wait_archives(sent);
        let seconds: HashSet<String> = names.iter().map(|name| second_of(name)).collect();
        until("an empty session", || (dir.line_count() == 0).then_some(()));
        (seconds.len() < names.len()).then_some(names)
    });
    assert_eq!(names.len(), sent);
    let records = dir.all_records();
    assert_eq!(records.len(), sent);
    assert_numbered_from(1, &records);
}

#[test]
fn numbering_goes_on_after_an_archive() {
    let dir = Dir::new();
    for start in [1, 4, 7] {
        let mut broker = Broker::start(&dir);
        assert!(
            broker
                .stdout
                .text()
                .contains("[*] Loaded 0 messages from previous session\n")
        );
        publish(broker.ports.publish, &agents("t", start, 3));
        dir.wait_lines(3);
        assert_eq!(dir.records()[0].num(), start as u64);
        broker.signal("TERM");
        broker.wait_exit().with_code(0).never_says("[RECOVERY]");
    }
    let records = dir.all_records();
    assert_eq!(records.len(), 9);
    assert_numbered_from(1, &records);
}

#[test]
fn a_closed_session_never_changes_again() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 3));
    dir.wait_lines(3);
    broker.signal("HUP");
    let first = dir.wait_archives(1).remove(0);
    let bytes = fs::read(dir.archive().join(&first)).unwrap();
    publisher.send(&agents("t", 4, 3));
    until("the new session", || (dir.line_count() == 3).then_some(()));
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    assert_eq!(fs::read(dir.archive().join(&first)).unwrap(), bytes);
    assert_eq!(dir.archives().len(), 2);
}

#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(1);
    broker.signal("HUP");
    let name = dir.wait_archives(1).remove(0);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir.logs()), 0o700);
    assert_eq!(mode(dir.archive()), 0o700);
    assert_eq!(mode(dir.archive().join(name)), 0o600);
}
