//! Bounds, and the end: nobody is left without an answer, and no answer is wrong.

use std::collections::BTreeSet;

use serde_json::json;

use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::record::Record;
use crate::util::shim::{Disk, Rule};

/// Sorts the ids of published messages by what their replies say.
fn sort(client: &mut Requester, topic: &str, count: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut recorded, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for (reply, _) in client.recv(count) {
        let id = format!("{topic}-{}", reply["id"]);
        if reply["type"] == "reply" {
            recorded.insert(id);
        } else {
            assert_eq!(reply["recorded"], false, "{reply}");
            refused.insert(id);
        }
    }
    (recorded, refused)
}

fn ids(dir: &Dir) -> BTreeSet<String> {
    let records = dir.all_records();
    let ids: BTreeSet<String> = records.iter().map(Record::id).collect();
    assert_eq!(ids.len(), records.len(), "a message is there twice");
    ids
}

#[test]
fn requests_beyond_the_limit_are_refused_and_the_others_recorded() {
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    disk.set(&[Rule::delay("fdatasync", 1_500)]);
    let mut client = Requester::dealer(broker.ports.control);
    client.send_publish(&agents("t", 1, 10_500));
    let (recorded, refused) = sort(&mut client, "t", 10_500);
    assert!(
        !refused.is_empty(),
        "the disk was not slow enough for this test"
    );
    assert!(recorded.len() >= 10_000, "{}", recorded.len());
    assert_eq!(ids(&dir), recorded, "what was refused is not there");
}

#[test]
fn a_broker_that_stops_answers_everybody_and_tells_the_truth() {
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let mut broker = disk.start(&dir, &[]);
    disk.set(&[Rule::delay("fdatasync", 300)]);
    let mut client = Requester::dealer(broker.ports.control);
    let mut reader = Requester::dealer(broker.ports.control);
    reader.consume(json!({"from": "start", "credit": 10_000}));
    client.send_publish(&agents("t", 1, 2_000));
    broker.signal("TERM");
    let (recorded, refused) = sort(&mut client, "t", 2_000);
    broker.wait_exit().with_code(0);
    assert_eq!(recorded.len() + refused.len(), 2_000);
    assert_eq!(ids(&dir), recorded);
    // The last thing that a consumer hears, behind the messages that it was sent.
    let end = loop {
        let (header, _) = reader.recv(1).remove(0);
        if header["type"] != "message" {
            break header;
        }
    };
    assert_eq!(
        (&end["type"], &end["reason"]),
        (&json!("end"), &json!("shutting_down"))
    );
}

/// The disk stays full: what was held is not on disk after the broker's end,
/// and nobody was told that it is.
#[test]
fn a_broker_that_stops_on_a_full_disk_promises_nothing() {
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let mut broker = disk.start(&dir, &[]);
    let mut client = Requester::dealer(broker.ports.control);
    client.send_publish(&agents("t", 1, 1));
    client.recv(1);
    disk.set(&[Rule::room(0)]);
    client.send_publish(&agents("t", 2, 1));
    broker.wait_for_warning("DISK FULL");
    broker.signal("TERM");
    let reply = client.reply();
    assert_eq!(
        (&reply["type"], &reply["code"]),
        (&json!("error"), &json!("unknown_outcome"))
    );
    broker.wait_exit().with_code(1);
    assert_eq!(ids(&dir).len(), 1);
}
