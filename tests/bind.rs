//! Where the broker listens: names, several addresses, all of them, with stock pyzmq.

use std::net::TcpListener;
use std::process::Command;

use serde_json::json;

use crate::util::broker::{Broker, Ports, broker};
use crate::util::client::{Client, recv, send};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agents, ids};
use crate::util::process::run;
use crate::util::record::Record;

fn has(host: &str) -> bool {
    TcpListener::bind(format!("{host}:0")).is_ok()
}

/// The hosts of these that the machine has.
fn there<'a>(hosts: &[&'a str]) -> Vec<&'a str> {
    let there: Vec<&str> = hosts.iter().copied().filter(|host| has(host)).collect();
    assert!(there.contains(&"127.0.0.1"));
    there
}

#[track_caller]
fn connect(command: &str, host: &str, port: u16) -> Client {
    let mut client = Client::start();
    client.call(&json!({
        "do": command, "socket": "it", "endpoint": format!("tcp://{host}:{port}"),
        "plain": false, "topics": [""], "kind": "DEALER",
    }));
    client
}

/// A message from each host comes to each, and requests are served on each.
#[track_caller]
fn assert_served(dir: &Dir, ports: Ports, hosts: &[&str]) {
    let mut subscribers: Vec<Client> = hosts
        .iter()
        .map(|host| connect("sub", host, ports.subscribe))
        .collect();
    for (number, host) in hosts.iter().enumerate() {
        let mut publisher = connect("pub", host, ports.publish);
        send(&mut publisher, &agents("t", number + 1, 1));
        dir.wait_lines(number + 1);
        let mut requester = connect("request", host, ports.control);
        let ping = json!({"op": "ping", "id": 1}).to_string().into_bytes();
        send(&mut requester, &[vec![ping]]);
        let answer: serde_json::Value =
            serde_json::from_slice(&recv(&mut requester, 1)[0][0]).unwrap();
        assert_eq!(answer["type"], "reply", "{host}: {answer}");
    }
    for (subscriber, host) in subscribers.iter_mut().zip(hosts) {
        let expected = agents("t", 1, hosts.len());
        assert!(recv(subscriber, hosts.len()) == expected, "{host}");
    }
    let records = dir.records();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    assert_eq!(recorded, ids("t", 1, hosts.len()));
}

/// One of the broker's own programs, which is told where to look.
fn program(name: &str, bind: &str, ports: Ports, dir: &Dir) -> Command {
    let mut command = broker();
    command.current_dir(dir.path()).args([name, "--bind", bind]);
    command.args(["--control-port", &ports.control.to_string()]);
    if name == "doctor" {
        command.args(["--pub-port", &ports.publish.to_string()]);
        command.args(["--sub-port", &ports.subscribe.to_string()]);
        command.arg("--dir").arg(dir.logs());
    }
    command
}

/// What was started with these options is found with the same `--bind`.
#[track_caller]
fn assert_found(bind: &str, ports: Ports, dir: &Dir) {
    run(&mut program("status", bind, ports, dir))
        .with_code(0)
        .says("[*] Recording\n");
    let ended = run(&mut program("doctor", bind, ports, dir));
    // A disk that is nearly full is no failure of the broker's.
    let code = ended.status.code();
    assert!([Some(0), Some(3)].contains(&code), "{}", ended.report());
    ended.says("[ok] it is on disk in");
}

#[test]
fn localhost_is_served_on_both_loopback_addresses() {
    let dir = Dir::new();
    let hosts = there(&["127.0.0.1", "[::1]"]);
    let ports = Ports::fixed();
    let broker = Broker::start_on(&dir, ports, &["--bind", "localhost"]);
    assert_served(&dir, broker.ports, &hosts);
    let said = broker.stdout.text();
    assert!(
        said.contains("Bound to localhost: only this machine gets in"),
        "{said}"
    );
    assert_found("localhost", broker.ports, &dir);
    assert_found("127.0.0.1", broker.ports, &dir);
}

#[test]
fn the_star_is_every_address_of_both_kinds() {
    let dir = Dir::new();
    let hosts = there(&["127.0.0.1", "127.0.0.2", "[::1]"]);
    let ports = Ports::fixed();
    let broker = Broker::start_on(&dir, ports, &["--bind", "*", "--insecure"]);
    assert_served(&dir, broker.ports, &hosts);
    assert_found("*", broker.ports, &dir);
    // A peer is called by the address that it has, and not by one of IPv6 that stands for it.
    let _client = connect("request", "127.0.0.1", ports.control);
    let json = run(program("status", "*", ports, &dir).arg("--json")).with_code(0);
    let status: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let peer = status["clients"]["list"][0]["peer"].as_str().unwrap();
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
}

#[test]
fn several_addresses_are_one_broker() {
    let dir = Dir::new();
    let hosts = there(&["127.0.0.1", "127.0.0.2", "[::1]"]);
    let bind = hosts.join(",");
    let ports = Ports::fixed();
    let broker = Broker::start_on(&dir, ports, &["--bind", &bind]);
    assert_served(&dir, broker.ports, &hosts);
    assert_found(&bind, broker.ports, &dir);
    for host in hosts {
        run(&mut program("status", host, ports, &dir)).with_code(0);
    }
}

/// A name may have addresses that the broker does not listen on.
#[test]
fn the_brokers_own_programs_look_at_all_addresses_of_a_name() {
    if !has("[::1]") {
        return;
    }
    let dir = Dir::new();
    let ports = Ports::fixed();
    let broker = Broker::start_on(&dir, ports, &["--bind", "::1"]);
    // Its first address is 127.0.0.1, where nobody is.
    assert_found("localhost", broker.ports, &dir);
}

#[test]
fn a_name_that_nobody_knows_is_refused() {
    let dir = Dir::new();
    run(broker()
        .current_dir(dir.path())
        .args(["--bind", "no-such-host.invalid"]))
    .with_code(2)
    .warns("expected an address such as 127.0.0.1");
    assert!(!dir.logs().exists());
}
