//! What is removed by retention, and what must stay for the bridge.

use crate::util::bridge::Machine;
use crate::util::broker::{Broker, Ports, broker};
use crate::util::client::publish;
use crate::util::dir::Dir;
use crate::util::message::{agents, ids};
use crate::util::nats::Nats;
use crate::util::process::{Ended, run};
use crate::util::record::Record;
use crate::util::wait::until;

/// Publishes five messages, and closes their session.
fn close_session(broker: &Broker, dir: &Dir, first: usize, archives: usize) {
    publish(broker.ports.publish, &agents("chat", first, 5));
    // They have left their program, and need not have arrived.
    dir.wait_lines(5);
    broker.signal("HUP");
    dir.wait_archives(archives);
}

/// Removes all that may be removed.
fn prune(dir: &Dir) -> Ended {
    let mut command = broker();
    command.args(["prune", "--keep", "0d", "--dedupe-window", "0"]);
    run(command.arg("--dir").arg(dir.logs()))
}

#[test]
fn what_the_stream_has_not_got_stays_in_the_journal() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    close_session(&broker, &dir, 1, 1);
    let bridge = machine.start(&[]);
    machine.wait_shipped(5);
    drop(bridge);
    close_session(&broker, &dir, 6, 2);
    close_session(&broker, &dir, 11, 3);
    until("only the bridge to hold anything", || {
        let held = prune(&dir).with_code(0);
        held.stdout.contains("the consumer bridge").then_some(())
    });
    let _bridge = machine.start(&[]);
    machine.wait_shipped(15);
    machine.run(&["verify", "--from", "6"]).with_code(0);
    // As soon as the stream has it, it may go.
    until("all but the newest session to be removed", || {
        prune(&dir).with_code(0);
        (dir.archives().len() == 1).then_some(())
    });
}

#[test]
fn what_came_in_and_was_removed_does_not_come_again() {
    let nats = Nats::start();
    let (here, there) = (Dir::new(), Dir::new());
    let ports = Ports::fixed();
    let (mut near, far) = (Broker::start_on(&here, ports, &[]), Broker::start(&there));
    let _sending = Machine::new("far", &there, far.ports, &nats).start(&[]);
    let receiver = Machine::new("near", &here, ports, &nats);
    let receiving = receiver.start(&["--no-ship", "--receive"]);
    for round in 0..2 {
        publish(far.ports.publish, &agents("chat", 1 + round * 5, 5));
        here.wait_lines(5);
        near.signal("HUP");
        here.wait_archives(round + 1);
    }
    // Nothing that is left has a message of the other machine.
    publish(ports.publish, &agents("chat", 1, 1));
    here.wait_lines(1);
    near.signal("HUP");
    here.wait_archives(3);
    until("the older sessions to be removed", || {
        prune(&here).with_code(0);
        (here.archives().len() == 1).then_some(())
    });
    near.kill9();
    near = Broker::start_on(&here, ports, &[]);
    publish(far.ports.publish, &agents("chat", 11, 5));
    here.wait_lines(5);
    let came: Vec<String> = here.records().iter().map(Record::id).collect();
    assert_eq!(came, ids("chat", 11, 5));
    drop((near, receiving));
}
