//! What has arrived is recorded: at the end of a connection, at a stop, after a pause.

use std::time::Duration;

use crate::util::broker::Broker;
use crate::util::client::Publisher;
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::ids;
use crate::util::record::Record;
use crate::util::shim::{Disk, Rule};

/// Publishers that have sent a burst each and have left, as far as they know:
/// the kernel has taken all of it.
#[track_caller]
fn publishers_that_left(port: u16, count: usize, messages: usize, size: usize) {
    let mut publishers: Vec<_> = (0..count).map(|_| Publisher::connect(port)).collect();
    for (number, publisher) in publishers.iter_mut().enumerate() {
        publisher.begin_burst(&format!("p{number}"), 1, messages, size);
    }
    publishers.iter_mut().for_each(Publisher::wait_sent);
    publishers.into_iter().for_each(Publisher::leave);
}

#[test]
fn what_comes_together_with_the_end_of_a_connection_is_recorded() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let sizes = [100_000, 600_000, 3_000_000];
    for size in sizes {
        for _ in 0..20 {
            let mut publisher = Publisher::connect(broker.ports.publish);
            publisher.send_large_with("large", size, &["", "end"]);
            publisher.leave();
        }
    }
    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    assert_eq!(dir.all_records().len(), 20 * sizes.len());
}

#[test]
fn what_had_arrived_before_a_stop_is_recorded_on_a_slow_disk() {
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let mut broker = disk.start(&dir, &["--max-memory", "4MiB"]);
    disk.set(&[Rule::delay("fdatasync", 20)]);
    publishers_that_left(broker.ports.publish, 4, 1000, 5_000);
    broker.signal("INT");
    broker.wait_exit().with_code(0);
    let records = dir.all_records();
    assert_numbered_from(1, &records);
    for publisher in 0..4 {
        let sender = format!("p{publisher}");
        let of_it = |id: &String| id.starts_with(&format!("{sender}-"));
        let recorded: Vec<String> = records.iter().map(Record::id).filter(of_it).collect();
        assert!(
            recorded == ids(&sender, 1, 1000),
            "{} of {sender}",
            recorded.len()
        );
    }
}

#[test]
fn a_stop_whose_time_is_up_says_what_is_left_and_ends_with_code_1() {
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let options = ["--max-memory", "1MiB", "--stop-timeout", "1"];
    let mut broker = disk.start(&dir, &options);
    disk.set(&[Rule::delay("fdatasync", 700)]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.begin_burst("load", 1, 2_000, 20_000);
    dir.wait_lines(1);
    broker.signal("TERM");
    let ended = broker.wait_exit().with_code(1);
    let ended = ended.warns("1 publishers still had something to give");
    let said = ended.stderr.split("at least ").nth(1).unwrap();
    let bytes: u64 = said.split(' ').next().unwrap().parse().unwrap();
    assert!(bytes > 0, "{}", ended.report());
    assert_numbered_from(1, &dir.all_records());
}

#[test]
fn nobody_is_disconnected_because_the_disk_was_slow() {
    // Longer than a publisher may leave a message unfinished.
    const SLOW: u64 = 12_000;
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let mut broker = disk.start(&dir, &["--max-memory", "16MiB"]);
    disk.set(&[Rule::delay("fdatasync", SLOW).once()]);
    let mut publishers: Vec<_> = (0..8)
        .map(|_| Publisher::connect(broker.ports.publish))
        .collect();
    for publisher in &mut publishers {
        for _ in 0..8 {
            publisher.send_large("large", 1_000_000);
        }
    }
    publishers.into_iter().for_each(Publisher::leave);
    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    assert_eq!(dir.all_records().len(), 64);
}

#[test]
fn nobody_is_disconnected_because_the_broker_was_paused() {
    let dir = Dir::new();
    let mut broker = Broker::start_with(&dir, &["--max-memory", "4MiB"]);
    let mut publishers: Vec<_> = (0..4)
        .map(|_| Publisher::connect(broker.ports.publish))
        .collect();
    for publisher in &mut publishers {
        publisher.send_large("large", 30_000_000);
    }
    broker.signal("STOP");
    // The pause is what is tested; it is longer than the broker's patience.
    std::thread::sleep(Duration::from_secs(12));
    broker.signal("CONT");
    publishers.into_iter().for_each(Publisher::leave);
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    assert_eq!(dir.all_records().len(), 4);
}
