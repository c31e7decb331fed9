//! What the broker's program does besides running: status, doctor, archive, selftest.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::util::broker::{Broker, broker, free_port};
use crate::util::client::{Subscriber, publish};
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::run;

/// A subcommand for the broker on this control port.
fn command(name: &str, port: u16, dir: &Dir) -> Command {
    let mut command = broker();
    command.current_dir(dir.path());
    command.args([name, "--control-port", &port.to_string()]);
    command
}

fn doctor(broker: &Broker, dir: &Dir) -> Command {
    let mut command = command("doctor", broker.ports.control, dir);
    command.args(["--pub-port", &broker.ports.publish.to_string()]);
    command.args(["--sub-port", &broker.ports.subscribe.to_string()]);
    command.arg("--dir").arg(dir.logs());
    command
}

#[test]
fn status_is_for_people_and_for_programs() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let port = broker.ports.control;
    publish(broker.ports.publish, &agents("t", 1, 3));
    dir.wait_lines(3);
    let _subscriber = Subscriber::connect(broker.ports.subscribe, &["design", "\u{1b}[2J"]);
    let mut client = Requester::dealer(port);
    let consumer = client.consume(json!({"name": "reader", "credit": 1}));
    client.messages(1);
    client.ack(consumer, 1);
    let ended = run(&mut command("status", port, &dir))
        .with_code(0)
        .without_warning()
        .says("[*] Recording\n")
        .says("Last message: 3")
        .says("current_session.jsonl: 3 messages")
        .says("[*] Consumers: 1\n      reader: at 1, 2 behind");
    assert!(!ended.stdout.contains('\u{1b}'), "{:?}", ended.stdout);
    let ended = run(command("status", port, &dir).arg("--json")).with_code(0);
    let status: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(status["last_message_num"], 3);
    assert_eq!(status["recording"], true);
}

#[test]
fn status_ends_with_1_where_nobody_answers_and_with_3_where_damage_was_found() {
    let dir = Dir::new();
    let port = free_port();
    run(&mut command("status", port, &dir))
        .with_code(1)
        .warns(&port.to_string())
        .warns("is the broker running");
    dir.write_current("garbage\n");
    let broker = Broker::start(&dir);
    run(&mut command("status", broker.ports.control, &dir))
        .with_code(3)
        .says("[!] damage was seen: 1 stretches");
}

#[cfg(target_os = "linux")]
#[test]
fn status_and_doctor_say_that_the_disk_is_full_and_requests_are_refused() {
    use crate::util::message::agent;
    use crate::util::shim::{Disk, Rule};
    use crate::util::wait::until;

    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    let port = broker.ports.control;
    let mut held = Requester::dealer(port);
    assert_eq!(held.publish(&agent("t", "a", "1"))["message_num"], 1);
    disk.set(&[Rule::room(0)]);
    // In the recorder's hands when it finds that out.
    held.send(json!({"op": "publish"}), &agent("t", "a", "2"));
    let mut client = Requester::dealer(port);
    let status = until("the stall", || {
        let status = client.call(json!({"op": "status"}));
        (status["recording"] == false).then_some(status)
    });
    let reason = status["stalled"]["reason"].as_str().unwrap();
    assert!(reason.contains("disk full"), "{reason}");
    let refused = client.publish(&agent("t", "a", "3"));
    assert_eq!(
        (&refused["code"], &refused["recorded"]),
        (&json!("disk_full"), &json!(false))
    );
    run(&mut command("status", port, &dir))
        .with_code(3)
        .says("NOTHING IS RECORDED");
    disk.heal();
    // The one that was held is recorded, and was never said not to be.
    assert_eq!(held.reply()["message_num"], 2);
    assert_eq!(client.publish(&agent("t", "a", "3"))["message_num"], 3);
    run(&mut command("status", port, &dir)).with_code(0);
    assert_eq!(dir.records().len(), 3, "the refused one is not there twice");
}

#[test]
fn archive_closes_the_session_under_a_label() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let port = broker.ports.control;
    run(&mut command("archive", port, &dir))
        .with_code(0)
        .says("Nothing to archive");
    publish(broker.ports.publish, &agents("t", 1, 2));
    dir.wait_lines(2);
    run(command("archive", port, &dir).args(["--label", "phase/2"]))
        .with_code(0)
        .says("[*] Archived 2 messages to: session_")
        .says("_phase-2.jsonl");
    assert_eq!(dir.archives().len(), 1);
    run(command("archive", free_port(), &dir).arg("--label=x"))
        .with_code(1)
        .warns("no answer");
}

#[test]
fn doctor_proves_that_recording_works() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let ended = run(&mut doctor(&broker, &dir));
    let text = ended.stdout.clone();
    for says in [
        "[ok] a broker answers on",
        "[ok] it records in",
        "came out of",
        "[ok] it is on disk in",
        "as message 1",
        "[ok] the directory's lock is held by the broker",
        "an fsync takes",
        "Recording works",
    ] {
        assert!(text.contains(says), "no {says:?} in\n{}", ended.report());
    }
    assert!(!text.contains("[!!]"), "{text}");
    // Whatever disk this is, full or slow.
    assert_eq!(ended.status.code(), Some(0), "{text}");
    assert_eq!(dir.records()[0].value("sender"), "doctor");
    let names: Vec<_> = fs::read_dir(dir.logs()).unwrap().flatten().collect();
    let left = names
        .iter()
        .any(|name| name.file_name().to_string_lossy().ends_with(".tmp"));
    assert!(!left, "{names:?}");
}

/// How fast a disk is changes with what else the machine does: whoever asks the doctor
/// by its exit code gets the same answer at each run.
#[test]
#[cfg(target_os = "linux")]
fn doctor_tells_of_a_slow_disk_and_calls_it_no_damage() {
    use crate::util::shim::{Disk, Rule};

    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let disk = Disk::of(&dir);
    disk.set(&[Rule::delay("fdatasync", 60)]);
    let mut doctor = doctor(&broker, &dir);
    disk.put_below(&mut doctor);
    run(&mut doctor)
        .with_code(0)
        .says("that is slow, and each message waits for it")
        .says("[*] Recording works. Worth a look:");
}

#[test]
fn doctor_says_that_no_broker_runs_and_what_to_do() {
    let dir = Dir::new();
    fs::create_dir_all(dir.logs()).unwrap();
    let port = free_port();
    run(command("doctor", port, &dir).arg("--dir").arg(dir.logs()))
        .with_code(1)
        .says("[!!] no broker runs: nobody listens on")
        .says(&port.to_string())
        .says("What to do: start the broker")
        .says("can be written")
        .says("RECORDING IS NOT PROVED");
}

#[test]
fn doctor_says_that_something_else_listens_there() {
    let dir = Dir::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A program that takes whatever comes and says nothing.
            thread::spawn(move || stream.unwrap().read_to_end(&mut Vec::new()));
        }
    });
    run(command("doctor", port, &dir).arg("--dir").arg(dir.logs()))
        .with_code(1)
        .says("does not answer as a broker")
        .says("What to do: find out which program that is");
}

#[test]
fn doctor_says_who_holds_a_directory_whose_broker_listens_elsewhere() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    run(command("doctor", free_port(), &dir)
        .arg("--dir")
        .arg(dir.logs()))
    .with_code(1)
    .says("is held by process")
    .says(&broker.child.id().to_string());
}

#[test]
fn doctor_says_that_the_broker_records_elsewhere() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut command = doctor(&broker, &dir);
    // It is told where by the environment, or here by the option's default.
    let arguments: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    let but_dir = arguments.len() - 2;
    command = crate::util::broker::broker();
    command.current_dir(dir.path()).args(&arguments[..but_dir]);
    command.env("BROKER_DIR", dir.path().join("expected"));
    run(&mut command)
        .with_code(3)
        .says("[??] it records in")
        .says("expected");
}

#[cfg(target_os = "linux")]
#[test]
fn doctor_finds_out_that_the_file_was_replaced_under_the_broker() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(1);
    // What it writes goes to a file that has no name any more.
    fs::remove_file(dir.current()).unwrap();
    fs::write(dir.current(), "").unwrap();
    let ended = run(&mut doctor(&broker, &dir));
    let proved = ended.stdout.contains("[ok] it is on disk");
    let told = ended.stdout.contains("THE PROBE WAS NOT RECORDED");
    assert!(proved != told, "{}", ended.report());
    assert_eq!(ended.status.code() == Some(1), told, "{}", ended.report());
}

#[test]
fn selftest_kills_a_broker_again_and_again_and_cleans_up() {
    let dir = Dir::new();
    let mut command = broker();
    command
        .current_dir(dir.path())
        .args(["selftest", "--seconds", "4"]);
    let ended = run(&mut command)
        .with_code(0)
        .says("[*] fsync:")
        .says("messages acknowledged")
        .says("0 messages missing")
        .says("[*] PASSED");
    let kills = ended.stdout.split(" kills with -9").next().unwrap();
    let kills: u32 = kills.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(kills > 0, "{}", ended.report());
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "nothing is left"
    );
}

#[test]
fn wrong_options_of_subcommands_are_usage_errors() {
    let dir = Dir::new();
    for arguments in [
        &["status", "--control-port", "x"][..],
        &["selftest", "--seconds", "0"],
        &["doctor", "--no-such-option"],
        &["--history", "5", "status"],
        &["stauts"],
    ] {
        run(broker().current_dir(dir.path()).args(arguments)).with_code(2);
    }
    assert!(!dir.logs().exists());
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let dir = Dir::new();
    let page = run(broker().arg("man")).with_code(0).stdout;
    assert!(page.contains(".TH broker 1"), "{page}");
    let pages = dir.path().join("man");
    run(broker().arg("man").arg("--out").arg(&pages)).with_code(0);
    assert_eq!(fs::read_to_string(pages.join("broker.1")).unwrap(), page);
    let mut named = 0;
    for line in page.lines() {
        // A command as the page names it: `broker\-status(1)`.
        let Some(name) = line.strip_suffix("(1)") else {
            continue;
        };
        let name = name.replace('\\', "");
        assert!(pages.join(format!("{name}.1")).is_file(), "no page {name}");
        named += 1;
    }
    assert!(named > 5, "{page}");
}
