//! A subscriber that does not read loses nothing and costs nobody else anything.

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::{agents, ids};

/// More than all buffers on the way to a stuck subscriber hold together.
const COUNT: usize = 4_000;
const SIZE: usize = 16 << 10;

#[test]
fn a_stuck_subscriber_delays_nobody_and_gets_everything_when_it_reads_again() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--history", "10"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut stuck = Subscriber::connect_small(broker.ports.subscribe, &[""]);
    let mut fast = Subscriber::connect(broker.ports.subscribe, &[""]);
    // Both subscriptions are in force once each has got something.
    publisher.send(&agents("t", 1, 1));
    assert_eq!(stuck.recv(1), agents("t", 1, 1));
    assert_eq!(fast.recv(1), agents("t", 1, 1));

    let last = format!("load-{COUNT}");
    fast.begin_ids_until(&last);
    publisher.burst("load", 1, COUNT, SIZE);
    let expected = ids("load", 1, COUNT);
    assert!(
        fast.wait_ids() == expected,
        "the fast one gets all while the other one is stuck"
    );
    assert!(
        stuck.ids_until(&last) == expected,
        "the stuck one gets all when it reads again"
    );
}

#[test]
fn a_stuck_subscriber_gets_the_rest_even_from_sessions_archived_meanwhile() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-session-size", "8MiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut stuck = Subscriber::connect_small(broker.ports.subscribe, &[""]);
    let mut fast = Subscriber::connect(broker.ports.subscribe, &[""]);
    publisher.send(&agents("t", 1, 1));
    assert_eq!(stuck.recv(1), agents("t", 1, 1));
    assert_eq!(fast.recv(1), agents("t", 1, 1));

    let last = format!("load-{COUNT}");
    fast.begin_ids_until(&last);
    publisher.burst("load", 1, COUNT, SIZE);
    fast.wait_ids();
    assert!(
        dir.archives().len() > 2,
        "sessions were archived: {:?}",
        dir.archives()
    );
    assert!(
        stuck.ids_until(&last) == ids("load", 1, COUNT),
        "everything, once and in order"
    );
}

#[test]
fn a_stuck_subscriber_that_wants_less_neither_jumps_nor_gets_anything_twice() {
    let dir = Dir::new();
    let options = ["--history", "10", "--max-session-size", "16MiB"];
    let broker = Broker::start_with(&dir, &options);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut stuck = Subscriber::connect_small(broker.ports.subscribe, &[""]);
    let mut fast = Subscriber::connect(broker.ports.subscribe, &[""]);
    publisher.send(&agents("t", 1, 1));
    assert_eq!(stuck.recv(1), agents("t", 1, 1));
    assert_eq!(fast.recv(1), agents("t", 1, 1));

    let half = COUNT / 2;
    fast.begin_ids_until(&format!("load-{half}"));
    publisher.burst("load", 1, half, SIZE);
    fast.wait_ids();
    stuck.subscribe("load");
    stuck.unsubscribe("");
    let last = format!("load-{COUNT}");
    fast.begin_ids_until(&last);
    publisher.burst("load", half + 1, half, SIZE);
    fast.wait_ids();
    assert!(
        stuck.ids_until(&last) == ids("load", 1, COUNT),
        "everything, once and in order"
    );
}

/// What is waiting for a stuck subscriber is on disk, not in memory.
#[cfg(target_os = "linux")]
#[test]
fn a_stuck_subscriber_costs_bounded_memory() {
    use std::fs;

    let resident = |broker: &Broker| -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", broker.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    // The same load with and without the stuck one.
    let [without, with] = [0, 4].map(|stuck| {
        let dir = Dir::new();
        let broker = Broker::start_with(&dir, &["--history", "10"]);
        let mut publisher = Publisher::connect(broker.ports.publish);
        let mut subscribers: Vec<Subscriber> = (0..stuck)
            .map(|_| Subscriber::connect_small(broker.ports.subscribe, &[""]))
            .collect();
        publisher.send(&agents("t", 1, 1));
        for subscriber in &mut subscribers {
            subscriber.recv(1);
        }
        publisher.burst("load", 1, COUNT, SIZE);
        dir.wait_lines(COUNT + 1);
        resident(&broker)
    });
    let all = (COUNT * SIZE / 1024) as u64;
    assert!(
        with < without + all,
        "{with} kB with four stuck subscribers, {without} kB without, each waits for {all} kB"
    );
}
