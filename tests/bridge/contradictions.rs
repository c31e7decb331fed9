//! A journal and a stream that contradict each other: it is said, and nothing is lost.

use std::fs;

use crate::util::bridge::Machine;
use crate::util::broker::Broker;
use crate::util::client::{Publisher, publish};
use crate::util::dir::Dir;
use crate::util::http::{get, metrics_of, value};
use crate::util::message::agents;
use crate::util::nats::Nats;
use crate::util::programs::workspace;
use crate::util::wait::until;

/// A broker with a few messages, all of them shipped.
fn shipped(nats: &Nats) -> (Dir, Broker, Machine) {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, nats);
    publish(broker.ports.publish, &agents("chat", 1, 5));
    let bridge = machine.start(&[]);
    machine.wait_shipped(5);
    drop(bridge);
    (dir, broker, machine)
}

/// A copy of a journal's directory.
fn copied(dir: &Dir) -> Dir {
    let copy = Dir::new();
    fs::create_dir_all(copy.logs()).unwrap();
    for name in ["current_session.jsonl", "journal.head"] {
        let from = dir.logs().join(name);
        if from.exists() {
            fs::copy(from, copy.logs().join(name)).unwrap();
        }
    }
    copy
}

#[test]
fn a_stream_that_would_lose_messages_is_refused_with_what_to_do() {
    let nats = Nats::start();
    let (_dir, _broker, machine) = shipped(&nats);
    nats.call(&["edit", "CONV_pc", "max_age=3600"]);
    let ended = machine.run(&[]).with_code(1).warns("max_age");
    assert!(
        ended.stderr.contains("nats stream edit CONV_pc"),
        "{}",
        ended.stderr
    );
    let status = machine.run(&["status"]).with_code(3);
    assert!(status.stdout.contains("max_age"), "{}", status.stdout);
}

#[test]
fn a_stream_that_is_full_is_waited_for_and_leaves_no_hole() {
    let nats = Nats::start();
    let (_dir, broker, machine) = shipped(&nats);
    nats.call(&["edit", "CONV_pc", "max_msgs=8"]);
    publish(broker.ports.publish, &agents("chat", 6, 20));
    let mut bridge = machine.start(&["--metrics", "127.0.0.1:0"]);
    let metrics = metrics_of(&mut bridge);
    machine.wait_shipped(8);
    bridge.wait_for_warning("maximum messages exceeded");
    assert_stalled(&machine, &metrics);
    nats.call(&["edit", "CONV_pc", "max_msgs=-1"]);
    machine.wait_shipped(25);
    machine
        .run(&["verify"])
        .with_code(0)
        .says("25 records are the same");
    let status = machine.run(&["status"]).with_code(0).says("running");
    status.never_says("can ship nothing");
    let (_, told) = get(&metrics, "/metrics");
    assert_eq!(value(&told, "bridge_lag_seconds{origin=\"pc\"}"), 0.0);
    assert_eq!(
        value(&told, "bridge_stored_message_num{origin=\"pc\"}"),
        25.0
    );
    drop(bridge);
    machine.run(&["status"]).with_code(0).says("none");
}

/// Whoever looks sees that nothing goes on, why, and how much waits for how long.
#[track_caller]
fn assert_stalled(machine: &Machine, metrics: &str) {
    let status = until("what waits", || {
        let status = machine.status("pc")?;
        let waits = status["lag_seconds"].as_u64()? >= 1;
        (waits && status["bridge"]["shipping"]["doubts"].as_u64()? >= 2).then_some(status)
    });
    assert_eq!((&status["there"], &status["lag"]), (&8.into(), &17.into()));
    let shipping = &status["bridge"]["shipping"];
    assert_eq!(
        (&shipping["read"], &shipping["stored"], &shipping["stalled"]),
        (&25.into(), &8.into(), &true.into()),
        "{status}"
    );
    let again = shipping["sent_again"].as_u64();
    assert!(again >= Some(17), "{status}");
    let told = machine.run(&["status"]).with_code(0).says("stalled");
    told.says("can ship nothing")
        .says("maximum messages exceeded");
    let told = until("an age in the metrics", || {
        let (_, told) = get(metrics, "/metrics");
        (value(&told, "bridge_lag_seconds{origin=\"pc\"}") >= 1.0).then_some(told)
    });
    assert_eq!(value(&told, "bridge_stalled{origin=\"pc\"}"), 1.0);
}

#[test]
fn another_journal_with_the_same_name_is_refused() {
    let nats = Nats::start();
    let _first = shipped(&nats);
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("chat", 1, 9));
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    machine
        .run(&[])
        .with_code(1)
        .warns("another name with --origin");
    assert_eq!(nats.call(&["last", "CONV_pc"])["last"], 5);
}

#[test]
fn a_stream_that_no_bridge_made_is_left_alone() {
    let nats = Nats::start();
    nats.call(&["make", "CONV_pc", "conv.pc.>"]);
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    machine.run(&[]).with_code(1).warns("not made by a bridge");
}

#[test]
fn a_stream_that_anybody_may_purge_is_refused() {
    let nats = Nats::start();
    let (_dir, _broker, machine) = shipped(&nats);
    let journal = machine.status("pc").unwrap()["journal"].clone();
    nats.call(&["forget", "CONV_pc"]);
    nats.call(&["make", "CONV_pc", "conv.pc.>", journal.as_str().unwrap()]);
    machine.run(&[]).with_code(1).warns("deny_purge");
}

#[test]
fn a_stream_that_is_removed_meanwhile_is_said_and_made_anew_at_the_next_start() {
    let nats = Nats::start();
    let (_dir, broker, machine) = shipped(&nats);
    let mut bridge = machine.start(&[]);
    bridge.wait_for("[*] Shipping");
    nats.call(&["forget", "CONV_pc"]);
    publish(broker.ports.publish, &agents("chat", 6, 5));
    bridge.wait_for_warning("it was removed");
    bridge.wait_exit().with_code(1);
    let _bridge = machine.start(&[]);
    machine.wait_shipped(10);
    let verified = machine.run(&["verify"]).with_code(0);
    verified.says("10 records are the same");
}

#[test]
fn a_server_that_comes_back_from_an_older_copy_gets_the_rest_again() {
    let mut nats = Nats::start();
    let (_dir, broker, machine) = shipped(&nats);
    nats.servers[0].kill9();
    let copy = nats.servers[0].copy_store();
    nats.servers[0].start();
    let bridge = machine.start(&[]);
    publish(broker.ports.publish, &agents("chat", 6, 5));
    machine.wait_shipped(10);
    nats.servers[0].kill9();
    nats.servers[0].restore_store(&copy);
    nats.servers[0].start();
    publish(broker.ports.publish, &agents("chat", 11, 1));
    bridge.wait_for_warning("beginning again behind what the stream has");
    machine.wait_shipped(11);
    let verified = machine.run(&["verify"]).with_code(0);
    verified.says("11 records are the same");
}

#[test]
fn a_copied_directory_that_went_on_by_itself_is_refused() {
    let nats = Nats::start();
    let (dir, mut broker, machine) = shipped(&nats);
    broker.kill9();
    let copy = copied(&dir);
    // Both go on, with other messages.
    let broker = Broker::start_on(&dir, broker.ports, &[]);
    let other = Broker::start(&copy);
    publish(broker.ports.publish, &agents("chat", 6, 5));
    publish(other.ports.publish, &agents("other", 6, 9));
    dir.wait_lines(10);
    copy.wait_lines(14);
    let bridge = machine.start(&[]);
    machine.wait_shipped(10);
    drop(bridge);
    let second = Machine::new("pc", &copy, other.ports, &nats);
    second.run(&[]).with_code(1).warns("another record there");
    second
        .run(&["verify"])
        .with_code(3)
        .says("Number 6 is another record");
}

#[test]
fn a_journal_that_is_behind_its_stream_is_refused() {
    let nats = Nats::start();
    let (dir, mut broker, machine) = shipped(&nats);
    let copy = copied(&dir);
    publish(broker.ports.publish, &agents("chat", 6, 5));
    let bridge = machine.start(&[]);
    machine.wait_shipped(10);
    drop(bridge);
    broker.kill9();
    let older = Broker::start(&copy);
    let second = Machine::new("pc", &copy, older.ports, &nats);
    second
        .run(&[])
        .with_code(1)
        .warns("restored from an older copy");
}

#[test]
fn a_second_bridge_is_told_that_there_is_one() {
    let nats = Nats::start();
    let (_dir, _broker, machine) = shipped(&nats);
    let mut first = machine.start(&[]);
    first.wait_for("[*] Shipping");
    machine.run(&[]).with_code(1).warns("another bridge");
}

#[test]
fn a_server_that_wants_a_password_gets_it_and_nobody_else_sees_it() {
    let nats = Nats::start_with(&["--user", "conv", "--pass", "s3cret"]);
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("chat", 1, 3));
    let mut machine = Machine::new("pc", &dir, broker.ports, &nats);
    machine.user = Some(("conv".to_owned(), "s3cret".to_owned()));
    let ended = machine.run(&["status"]).with_code(0);
    assert!(ended.stdout.contains("no stream"), "{}", ended.report());
    machine.user = Some(("conv".to_owned(), "wr0ng".to_owned()));
    let ended = machine.run(&["status"]).with_code(1);
    assert!(ended.stderr.contains("authorization"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("wr0ng"), "{}", ended.stderr);
}

#[test]
fn a_server_without_room_is_waited_for_and_nothing_is_lost() {
    let limited = |bytes: u64| format!("jetstream {{ max_file: {bytes} }}");
    let mut nats = Nats::start_with_config(&limited(200_000));
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.burst("a", 1, 2_000, 200);
    dir.wait_lines(2_000);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    let bridge = machine.start(&[]);
    bridge.wait_for_warning("insufficient");
    nats.restart_with_config(&limited(100_000_000));
    machine.wait_shipped(2_000);
    machine
        .run(&["verify"])
        .with_code(0)
        .says("2000 records are the same");
}

#[test]
fn the_permissions_in_the_documentation_are_enough_and_no_more_than_needed() {
    let page = fs::read_to_string(workspace().join("docs/bridge.md")).unwrap();
    let users = page
        .split("```text\n")
        .find(|block| block.starts_with("users = ["));
    let users = users.unwrap().split("```").next().unwrap();
    let user = users
        .trim()
        .trim_start_matches("users = [")
        .trim_end_matches(']')
        .to_owned();
    let user = user.replace("$ADA", "\"pw\"");
    let both = format!("{user}\n{}", user.replace("ada", "bob"));
    let nats = Nats::start_with_config(&format!(
        "jetstream {{}}\nauthorization {{ users = [ {both} ] }}"
    ));
    let dirs = [Dir::new(), Dir::new()];
    let mut bridges = Vec::new();
    let brokers: Vec<Broker> = dirs.iter().map(Broker::start).collect();
    for (name, (dir, broker)) in ["ada", "bob"].into_iter().zip(dirs.iter().zip(&brokers)) {
        publish(broker.ports.publish, &agents("chat", 1, 20));
        let mut machine = Machine::new(name, dir, broker.ports, &nats);
        machine.user = Some((name.to_owned(), "pw".to_owned()));
        bridges.push(machine.start(&["--receive"]));
    }
    for dir in &dirs {
        until("both machines' messages", || {
            (dir.line_count() == 40).then_some(())
        });
    }
    for bridge in &bridges {
        let told = bridge.stderr.text();
        assert!(!told.to_lowercase().contains("permission"), "{told}");
    }
    // Nobody ships in another machine's name.
    let mut thief = Machine::new("eve", &dirs[0], brokers[0].ports, &nats);
    thief.user = Some(("ada".to_owned(), "pw".to_owned()));
    drop(bridges);
    let mut process = thief.start(&[]);
    process.wait_for_warning("ermissions");
    process.kill9();
}
