//! What operators do to the files of a stopped broker: numbers never begin
//! again, what is missing is said, and no consumer misses anything in silence.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::util::broker::{Broker, broker, viewer};
use crate::util::client::publish;
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::{agent, agents};
use crate::util::process::{Ended, run};

/// Three messages in an archive, the third of which a consumer has acknowledged;
/// the broker was stopped.
fn three() -> Dir {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 3));
    dir.wait_lines(3);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"name": "reader", "credit": 10}));
    client.messages(3);
    client.ack(consumer, 3);
    stop(&mut broker);
    dir
}

fn stop(broker: &mut Broker) -> Ended {
    broker.signal("TERM");
    broker.wait_exit().with_code(0)
}

fn archive(dir: &Dir) -> PathBuf {
    dir.archive().join(dir.archives().remove(0))
}

/// Asks a broker that does not run: the doctor looks at the directory.
fn doctor(dir: &Dir, broker: &Broker) -> Ended {
    let mut doctor = crate::util::broker::broker();
    doctor.current_dir(dir.path()).arg("doctor");
    doctor.args(["--control-port", &broker.ports.control.to_string()]);
    doctor.args(["--pub-port", &broker.ports.publish.to_string()]);
    doctor.args(["--sub-port", &broker.ports.subscribe.to_string()]);
    run(doctor.arg("--dir").arg(dir.logs()))
}

/// What an operator does to an archive, and why it is not read then.
type Way<'a> = (&'a dyn Fn(&Path), &'a str);

#[test]
fn numbers_go_on_and_what_is_missing_is_said_by_everybody() {
    let pack = |path: &Path| fs::rename(path, path.with_extension("jsonl.gz")).unwrap();
    let rename = |path: &Path| fs::rename(path, path.with_file_name("november.jsonl")).unwrap();
    let ways: [Way<'_>; 2] = [
        (&pack, "it is compressed"),
        (&rename, "a session's name is session_*.jsonl"),
    ];
    for (act, reason) in ways {
        let dir = three();
        act(&archive(&dir));
        run(&mut viewer(&dir, &["verify", "--all"]))
            .with_code(3)
            .says("[NOT CLEAN]")
            .says("numbers 1 to 3 are missing")
            .says(reason);
        run(&mut viewer(&dir, &["--list-archives"])).says(reason);
        let mut broker = Broker::start(&dir);
        // The durable consumer misses nothing.
        let mut client = Requester::dealer(broker.ports.control);
        client.consume(json!({"name": "reader", "credit": 10}));
        let mut publisher = Requester::dealer(broker.ports.control);
        for number in 4..=6 {
            let reply = publisher.publish(&agent("t", "a", &format!("t-{number}")));
            assert_eq!(reply["message_num"], number);
        }
        let got = client.messages(3);
        assert_eq!(got.iter().map(|one| one.0).collect::<Vec<_>>(), [4, 5, 6]);
        let status = publisher.call(json!({"op": "status"}));
        assert_eq!(status["missing"][0]["first"], 1);
        assert_eq!(status["missing"][0]["last"], 3);
        assert!(status["missing"][0]["since"].is_string());
        doctor(&dir, &broker)
            .with_code(3)
            .says("numbers 1 to 3 are missing")
            .says(reason);
        stop(&mut broker)
            .says("[!] RECORDS ARE MISSING: the journal's files end with message 0, but message 3 was recorded; the next message gets the number 4\n")
            .says("[!] Not in the journal's files: numbers 1 to 3 are missing")
            .warns(reason);
    }
}

#[test]
fn a_complete_journal_is_said_to_be_complete() {
    let dir = three();
    let mut broker = Broker::start(&dir);
    doctor(&dir, &broker)
        .with_code(0)
        .says("[ok] no number is missing from the journal's files\n");
    stop(&mut broker).without_warning().never_says("[!]");
    run(&mut viewer(&dir, &["verify", "--all"])).with_code(0);
}

#[test]
fn a_damaged_head_is_made_anew_and_it_is_said_once() {
    let dir = three();
    fs::write(dir.logs().join("journal.head"), "{\"version\":1,\"journ").unwrap();
    let mut broker = Broker::start(&dir);
    stop(&mut broker).warns("journal.head could not be read and was made anew");
    let mut broker = Broker::start(&dir);
    stop(&mut broker).without_warning();
}

/// Copies all files but those of the consumers, as a backup does.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "consumers" => {}
            true => copy(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(drop).unwrap(),
        }
    }
}

fn refused(dir: &Dir, code: &str) -> Value {
    let broker = Broker::start(dir);
    let mut client = Requester::dealer(broker.ports.control);
    let reply = client.call(json!({"op": "consume", "name": "reader", "credit": 10}));
    assert_eq!(reply["code"], code, "{reply}");
    for from in [json!(4), json!("start")] {
        let way_on = json!({"name": "reader", "credit": 10, "from": from});
        Requester::dealer(broker.ports.control).consume(way_on);
    }
    reply
}

#[test]
fn a_consumer_is_told_that_its_message_is_another_one_now() {
    let dir = three();
    let other = Dir::new();
    let mut broker = Broker::start(&other);
    publish(broker.ports.publish, &agents("other", 1, 4));
    other.wait_lines(4);
    stop(&mut broker);
    let consumers = dir.logs().join("consumers");
    fs::rename(&consumers, other.logs().join("consumers")).unwrap();
    let reply = refused(&other, "journal_changed");
    let message = reply["message"].as_str().unwrap();
    for part in ["message 3 is another one now", "\"from\":4", "\"start\""] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_older_copy_beside_a_newer_consumer_gives_no_number_again_and_the_consumer_is_told() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(1);
    stop(&mut broker);
    let backup = dir.path().join("backup");
    copy(&dir.logs(), &backup);
    let mut broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 2, 2));
    dir.wait_lines(2);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"name": "reader", "credit": 10}));
    client.messages(3);
    client.ack(consumer, 3);
    stop(&mut broker);
    // Everything but the consumers is as it was.
    let consumers = dir.path().join("consumers");
    fs::rename(dir.logs().join("consumers"), &consumers).unwrap();
    fs::remove_dir_all(dir.logs()).unwrap();
    copy(&backup, &dir.logs());
    fs::rename(&consumers, dir.logs().join("consumers")).unwrap();
    let mut broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let reply = client.call(json!({"op": "consume", "name": "reader", "credit": 10}));
    assert_eq!(reply["code"], "journal_changed", "{reply}");
    let reply = client.publish(&agent("t", "a", "t-4"));
    assert_eq!(reply["message_num"], 4);
    stop(&mut broker).warns("a consumer has acknowledged message 3");
}

#[test]
fn a_position_that_is_forgotten_stays_forgotten_and_every_request_is_answered() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    for round in 0..20 {
        client.publish(&agent("t", "a", &format!("t-{round}")));
        let consumer = client.consume(json!({"name": "reader", "from": "start", "credit": 1}));
        client.messages(1);
        let requests = [
            json!({"op": "ack", "id": "a", "consumer": consumer, "message_num": 1}),
            json!({"op": "cancel", "id": "b", "consumer": consumer}),
            json!({"op": "forget", "id": "c", "name": "reader"}),
        ];
        let frames = requests.map(|request| vec![request.to_string().into_bytes()]);
        client.send_frames(&frames);
        let mut ids: Vec<String> = client
            .recv(3)
            .into_iter()
            .map(|(reply, _)| {
                assert_eq!(reply["type"], "reply", "{reply}");
                reply["id"].as_str().unwrap().to_owned()
            })
            .collect();
        ids.sort();
        assert_eq!(ids, ["a", "b", "c"], "round {round}");
        let kept = dir.logs().join("consumers/consumer_reader.json");
        assert!(!kept.exists(), "round {round}");
        let status = client.call(json!({"op": "status"}));
        assert_eq!(status["consumers"], json!([]), "round {round}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_in_the_sessions_place_is_named_at_once() {
    let dir = three();
    fs::remove_file(dir.current()).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(dir.current())
        .status();
    assert!(made.unwrap().success());
    run(broker().arg("--dir").arg(dir.logs()))
        .with_code(1)
        .warns("current_session.jsonl")
        .warns("named pipe");
    fs::remove_file(dir.current()).unwrap();
    std::os::unix::fs::symlink(archive(&dir), dir.current()).unwrap();
    run(broker().arg("--dir").arg(dir.logs()))
        .with_code(1)
        .warns("current_session.jsonl")
        .warns("symbolic link");
}
