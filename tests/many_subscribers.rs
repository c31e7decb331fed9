//! Many subscribers at once, and subscribers that come and go.

use serde_json::json;

use crate::util::broker::Broker;
use crate::util::client::{Client, Publisher, publish, strings};
use crate::util::dir::Dir;
use crate::util::message::{agents, ids};

#[test]
fn two_hundred_subscribers_get_everything() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 20));
    dir.wait_lines(20);

    let mut client = Client::start();
    client.call(&json!({"do": "herd", "count": 200, "port": broker.ports.subscribe}));
    publisher.send(&agents("t", 21, 20));
    let reply = client.call(&json!({"do": "herd_recv", "count": 200, "last": "t-40"}));
    let lists = reply["lists"].as_array().unwrap();
    assert_eq!(lists.len(), 1, "all got the same: {reply}");
    assert_eq!(lists[0]["count"], 200);
    assert_eq!(strings(&lists[0]["ids"]), ids("t", 1, 40));
}

#[cfg(target_os = "linux")]
#[test]
fn subscribers_that_come_and_go_leave_no_threads_and_no_files() {
    use std::fs;

    use crate::util::wait::until;

    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(1);
    let pid = broker.child.id();
    let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let come_and_go = || {
        let mut client = Client::start();
        client.call(&json!({"do": "herd", "count": 30, "port": broker.ports.subscribe}));
        client.call(&json!({"do": "herd_recv", "count": 30, "last": "t-1"}));
        (count("task"), count("fd"))
    };

    // What the broker takes once and keeps has been taken after the first time.
    let quiet = (count("task"), count("fd"));
    for _ in 0..3 {
        let busy = come_and_go();
        assert!(
            busy.1 >= quiet.1 + 30,
            "each subscriber has its connection: {quiet:?} {busy:?}"
        );
        let slack = 10;
        until("threads and files to go away", || {
            let now = (count("task"), count("fd"));
            (now.0 <= quiet.0 + slack && now.1 <= quiet.1 + slack).then_some(())
        });
    }
}
