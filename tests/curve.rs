//! With keys: stock pyzmq, whose libzmq has its own CURVE, at all three ports.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::util::broker::{Broker, broker as broker_command, broker_on};
use crate::util::client::{Client, encode, recv, send};
use crate::util::control::Requester;
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::keys::Keys;
use crate::util::message::{Frames, agent, agents, ids};
use crate::util::process::run;
use crate::util::record::Record;
use crate::util::wait::{DEADLINE, until};

/// Starts a broker with these keys.
#[track_caller]
fn start(dir: &Dir, keys: &Keys, options: &[&str]) -> Broker {
    let mut command = broker_on(dir, Default::default());
    command.arg("--curve").arg(&keys.folder).args(options);
    Broker::ready(&mut command)
}

/// Connects an XPUB socket and waits until the broker has subscribed.
#[track_caller]
fn publisher(port: u16, keys: &Value) -> Client {
    let mut client = Client::start();
    let plain = false;
    client.call(&json!({"do": "pub", "socket": "it", "port": port, "plain": plain, "keys": keys}));
    client
}

#[track_caller]
fn subscriber(port: u16, topics: &[&str], keys: &Value) -> Client {
    let mut client = Client::start();
    client.call(&json!({
        "do": "sub", "socket": "it", "port": port, "topics": topics, "keys": keys, "RCVHWM": 0,
    }));
    client
}

/// Opens a socket that may never get anywhere.
#[track_caller]
fn open(client: &mut Client, kind: &str, name: &str, port: u16, keys: &Value) {
    client.call(&json!({
        "do": "open", "kind": kind, "socket": name, "port": port, "keys": keys,
    }));
}

/// Frames of lengths around which the form of headers and boxes changes.
fn sizes() -> Vec<Frames> {
    let lengths = [
        0, 1, 221, 222, 223, 254, 255, 256, 65_535, 300_000, 3_000_000,
    ];
    let frames =
        |length: &usize| vec![b"sizes".to_vec(), vec![7; *length], vec![], b"end".to_vec()];
    lengths.iter().map(frames).collect()
}

#[test]
fn with_keys_messages_are_recorded_with_the_name_of_the_key_and_come_back_as_they_were() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    let broker = start(&dir, &keys, &[]);
    let mut early = subscriber(broker.ports.subscribe, &[""], &keys.of("bob"));
    let mut alice = publisher(broker.ports.publish, &keys.of("alice"));
    let sent = [sizes(), agents("t", 1, 2000)].concat();
    send(&mut alice, &sent);
    assert!(recv(&mut early, sent.len()) == sent, "live");
    let mut late = subscriber(broker.ports.subscribe, &[""], &keys.of("bob"));
    assert!(recv(&mut late, sent.len()) == sent, "replayed");
    let records = dir.records();
    assert_numbered_from(1, &records);
    for record in &records {
        assert_eq!(record.value("key_name"), "alice");
    }
    let last: Vec<&str> = records[0].names();
    assert_eq!(last[last.len() - 3..], ["key_name", "recorded_at", "crc"]);
}

#[test]
fn a_push_socket_with_a_key_loses_nothing() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice"]);
    let broker = start(&dir, &keys, &[]);
    let mut client = Client::start();
    open(
        &mut client,
        "PUSH",
        "push",
        broker.ports.publish,
        &keys.of("alice"),
    );
    client.call(&json!({
        "do": "burst", "socket": "push", "topic": "load", "sender": "push",
        "first": 1, "count": 5000, "size": 300,
    }));
    client.call(&json!({"do": "leave"}));
    dir.wait_lines(5000);
    let recorded: Vec<String> = dir.records().iter().map(Record::id).collect();
    assert!(recorded == ids("push", 1, 5000));
}

#[test]
fn a_subscriber_with_a_key_that_stops_reading_loses_nothing() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    let broker = start(&dir, &keys, &["--history", "100000"]);
    let mut bob = Client::start();
    bob.call(&json!({
        "do": "sub", "socket": "it", "port": broker.ports.subscribe, "topics": [""],
        "keys": keys.of("bob"), "RCVHWM": 1, "RCVBUF": 4096,
    }));
    let mut alice = publisher(broker.ports.publish, &keys.of("alice"));
    alice.call(&json!({
        "do": "burst", "socket": "it", "topic": "load", "sender": "a",
        "first": 1, "count": 20_000, "size": 1000,
    }));
    dir.wait_lines(20_000);
    let got = bob.call(&json!({"do": "recv_until", "socket": "it", "last": "a-20000"}));
    assert!(got["ids"] == json!(ids("a", 1, 20_000)));
}

#[test]
fn heartbeats_are_answered_in_boxes() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice"]);
    let broker = start(&dir, &keys, &[]);
    let mut client = Client::start();
    client.call(&json!({
        "do": "heartbeats", "publish": broker.ports.publish,
        "subscribe": broker.ports.subscribe, "count": 200, "keys": keys.of("alice"),
    }));
}

#[test]
fn requests_are_served_with_keys_and_their_messages_carry_the_name() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice"]);
    let broker = start(&dir, &keys, &[]);
    let port = broker.ports.control;
    let mut dealer = Requester::with_keys(port, "DEALER", &keys.of("alice"));
    let reply = dealer.publish(&agent("t", "a", "a-1"));
    assert_eq!(
        (&reply["type"], &reply["message_num"]),
        (&json!("reply"), &json!(1))
    );
    let mut req = Requester::with_keys(port, "REQ", &keys.of("alice"));
    assert_eq!(req.call(json!({"op": "status"}))["last_message_num"], 1);
    dealer.consume(json!({"credit": 10, "from": "start"}));
    let got = dealer.messages(1);
    assert_eq!(got, [(1, agent("t", "a", "a-1"))]);
    assert_eq!(dir.records()[0].value("key_name"), "alice");
}

#[test]
fn who_has_no_key_that_is_let_in_is_named_and_gets_nothing_while_others_go_on() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    keys.make(&["mallory"]);
    let broker = start(&dir, &keys, &[]);
    let ports = broker.ports;
    let mut wrong = Client::start();
    let without = Value::Null;
    let (mallory, mistaken) = (
        keys.of("mallory"),
        keys.of_with_wrong_server("bob", "alice"),
    );
    for (kind, port) in [
        ("PUB", ports.publish),
        ("SUB", ports.subscribe),
        ("DEALER", ports.control),
    ] {
        for (name, keys) in [("a", &without), ("b", &mallory), ("c", &mistaken)] {
            open(&mut wrong, kind, &format!("{kind}-{name}"), port, keys);
        }
    }
    broker.wait_for_warning("it asks for the security mechanism \"NULL\"; only CURVE is offered");
    broker.wait_for_warning("is not among the authorized ones");
    broker.wait_for_warning("it was made for another server key");
    for name in ["a", "b", "c"] {
        let messages = [encode(&agent("t", "mallory", "m-1"))];
        wrong.call(&json!({"do": "send", "socket": format!("PUB-{name}"), "messages": messages}));
        wrong.call(&json!({"do": "subscribe", "socket": format!("SUB-{name}"), "topic": ""}));
    }
    let mut bob = subscriber(ports.subscribe, &[""], &keys.of("bob"));
    let mut alice = publisher(ports.publish, &keys.of("alice"));
    send(&mut alice, &agents("t", 1, 100));
    assert!(recv(&mut bob, 100) == agents("t", 1, 100));
    assert_eq!(dir.records().len(), 100);
    for name in ["a", "b", "c"] {
        let got = wrong.call(&json!({"do": "drain", "socket": format!("SUB-{name}")}));
        assert_eq!(got["ids"], json!([]));
    }
}

#[test]
fn a_thousand_strangers_keep_nobody_out() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    keys.make(&["mallory"]);
    let broker = start(&dir, &keys, &[]);
    let ports = broker.ports;
    let mut wrong = Client::start();
    for (kind, port) in [
        ("PUB", ports.publish),
        ("SUB", ports.subscribe),
        ("DEALER", ports.control),
    ] {
        for number in 0..334 {
            open(
                &mut wrong,
                kind,
                &format!("{kind}-{number}"),
                port,
                &keys.of("mallory"),
            );
        }
    }
    broker.wait_for_warning("is not among the authorized ones");
    let mut bob = subscriber(ports.subscribe, &[""], &keys.of("bob"));
    let mut alice = publisher(ports.publish, &keys.of("alice"));
    send(&mut alice, &agents("t", 1, 100));
    assert!(recv(&mut bob, 100) == agents("t", 1, 100));
    let mut dealer = Requester::with_keys(ports.control, "DEALER", &keys.of("alice"));
    let status = dealer.call(json!({"op": "status"}));
    assert_eq!(status["subscribers"]["count"], 1);
}

/// How many files and sockets a process has open.
#[cfg(target_os = "linux")]
fn open_files(broker: &Broker) -> usize {
    let path = format!("/proc/{}/fd", broker.child.id());
    fs::read_dir(path).unwrap().count()
}

/// Each begins as a client with a key does, and says no more.
#[cfg(target_os = "linux")]
#[test]
fn handshakes_that_are_not_finished_are_few_and_keep_nobody_out() {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    const MOST: usize = 512;
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    let broker = start(&dir, &keys, &[]);
    let ports = broker.ports;
    let mut begun = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01CURVE".to_vec();
    begun.resize(64, 0);
    begun.extend_from_slice(b"\x04\xc8\x05HELLO\x01");
    let quiet = open_files(&broker);
    for port in [ports.publish, ports.subscribe, ports.control] {
        // Those of the port before were closed here; the broker sees it in its own time.
        let before = until("what was open before is gone", || {
            Some(open_files(&broker)).filter(|open| *open < quiet + 20)
        });
        let connect = |_| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(&begun).unwrap();
            stream
        };
        let mut slow: Vec<TcpStream> = (0..MOST + 88).map(connect).collect();
        // Whoever came before this one was accepted before it, and its key is right.
        let right = keys.of("alice");
        match port {
            port if port == ports.publish => drop(publisher(port, &right)),
            port if port == ports.subscribe => drop(subscriber(port, &[""], &right)),
            port => drop(Requester::with_keys(port, "DEALER", &right)),
        }
        let held = open_files(&broker).saturating_sub(before);
        assert!(held < MOST + 20, "{held} of {}", slow.len());
        // The oldest one went. How long the newest ones stay is a matter of time, and this
        // machine may be busy.
        slow[0].set_read_timeout(Some(DEADLINE)).unwrap();
        let mut answer = Vec::new();
        let _reset: std::io::Result<usize> = slow[0].read_to_end(&mut answer);
    }
    let mut bob = subscriber(ports.subscribe, &[""], &keys.of("bob"));
    let mut alice = publisher(ports.publish, &keys.of("alice"));
    send(&mut alice, &agents("t", 1, 10));
    assert!(recv(&mut bob, 10) == agents("t", 1, 10));
}

#[test]
fn a_key_that_is_added_gets_in_by_itself_and_one_that_is_removed_is_put_out() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["bob"]);
    keys.make(&["alice"]);
    let broker = start(&dir, &keys, &[]);
    let ports = broker.ports;
    let mut bob = subscriber(ports.subscribe, &[""], &keys.of("bob"));
    let mut alice = Client::start();
    open(&mut alice, "PUSH", "it", ports.publish, &keys.of("alice"));
    send(&mut alice, &agents("t", 1, 3));
    broker.wait_for_warning("is not among the authorized ones");
    keys.let_in("alice");
    assert!(recv(&mut bob, 3) == agents("t", 1, 3));
    let mut dealer = Requester::with_keys(ports.control, "DEALER", &keys.of("bob"));
    let mut wait_for = |count: u64| {
        until("the number of subscribers", || {
            let status = dealer.call(json!({"op": "status"}));
            (status["subscribers"]["count"] == count).then_some(())
        });
    };
    wait_for(1);
    let mut sub_of_alice = subscriber(ports.subscribe, &["x"], &keys.of("alice"));
    wait_for(2);
    fs::remove_file(keys.authorized("alice")).unwrap();
    sub_of_alice.call(&json!({"do": "wait_disconnected", "socket": "it"}));
    wait_for(1);
    broker.wait_for_warning("its key is let in no more");
    // What she sends now waits at her side, and bob's connection has not noticed.
    send(&mut alice, &agents("t", 4, 1));
    keys.let_in("alice");
    assert!(recv(&mut bob, 1) == agents("t", 4, 1));
}

#[test]
fn rights_by_key_hold_at_all_ports() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob", "carol"]);
    keys.rights(
        "alice publish topic:chat.\nbob subscribe topic:chat.\n* publish subscribe control\n",
    );
    let broker = start(&dir, &keys, &[]);
    let ports = broker.ports;
    let mut bob = subscriber(ports.subscribe, &[""], &keys.of("bob"));
    let mut alice = publisher(ports.publish, &keys.of("alice"));
    let mut carol = publisher(ports.publish, &keys.of("carol"));
    send(
        &mut alice,
        &[agent("secret", "a", "a-1"), agent("chat.x", "a", "a-2")],
    );
    dir.wait_lines(1);
    broker.wait_for_warning("the key \"alice\" has no right to the topic \"secret\"");
    send(
        &mut carol,
        &[agent("secret", "c", "c-1"), agent("chat.y", "c", "c-2")],
    );
    dir.wait_lines(3);
    let recorded: Vec<String> = dir.records().iter().map(Record::id).collect();
    assert_eq!(recorded, ["a-2", "c-1", "c-2"]);
    let got = recv(&mut bob, 2);
    assert_eq!(
        got,
        [agent("chat.x", "a", "a-2"), agent("chat.y", "c", "c-2")]
    );

    let mut wrong = Client::start();
    open(&mut wrong, "SUB", "it", ports.subscribe, &keys.of("alice"));
    broker.wait_for_warning("the key \"alice\" may not subscribe");
    open(&mut wrong, "PUB", "p", ports.publish, &keys.of("bob"));
    broker.wait_for_warning("the key \"bob\" may not publish");

    let mut dealer = Requester::with_keys(ports.control, "DEALER", &keys.of("alice"));
    let code = |reply: Value| reply["code"].clone();
    assert_eq!(
        code(dealer.publish(&agent("secret", "a", "a-3"))),
        "forbidden"
    );
    assert_eq!(
        dealer.publish(&agent("chat.z", "a", "a-4"))["message_num"],
        4
    );
    assert_eq!(code(dealer.call(json!({"op": "status"}))), "forbidden");
    let consume = json!({"op": "consume", "credit": 10, "from": "start"});
    assert_eq!(code(dealer.call(consume)), "forbidden");
    let mut reader = Requester::with_keys(ports.control, "DEALER", &keys.of("bob"));
    reader.consume(json!({"credit": 10, "from": "start"}));
    let numbers: Vec<u64> = reader
        .messages(3)
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, [1, 3, 4], "and not the secret one");
    assert_eq!(
        code(reader.publish(&agent("chat.z", "b", "b-1"))),
        "forbidden"
    );
}

#[test]
fn nobody_speaks_in_the_name_of_another_key_where_that_is_strict() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    let broker = start(&dir, &keys, &["--strict-sender"]);
    let mut alice = publisher(broker.ports.publish, &keys.of("alice"));
    send(
        &mut alice,
        &[
            agent("t", "bob", "forged"),
            agent("t", "alice", "own"),
            agent("t", "nickname", "nobody's key"),
        ],
    );
    dir.wait_lines(2);
    broker.wait_for_warning("it says that \"bob\" sent it, which is the name of another key");
    let recorded: Vec<String> = dir.records().iter().map(Record::id).collect();
    assert_eq!(recorded, ["own", "nobody's key"]);
    let mut dealer = Requester::with_keys(broker.ports.control, "DEALER", &keys.of("alice"));
    let reply = dealer.publish(&agent("t", "bob", "forged"));
    assert_eq!(
        (&reply["code"], &reply["recorded"]),
        (&json!("forbidden"), &json!(false))
    );
}

#[test]
fn beyond_loopback_it_listens_with_keys_or_on_the_users_explicit_word() {
    for address in ["0.0.0.0", "*", "::"] {
        let dir = Dir::new();
        let mut command = broker_on(&dir, Default::default());
        run(command.args(["--bind", address]))
            .with_code(2)
            .warns("--curve DIR")
            .warns("--insecure");
        assert!(!dir.logs().exists(), "nothing is touched");
    }
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--bind", "0.0.0.0", "--insecure"]);
    assert!(
        broker
            .stdout
            .text()
            .contains("Bound to 0.0.0.0 WITHOUT KEYS")
    );
    drop(broker);
    let keys = Keys::new(&dir, &["alice"]);
    let broker = start(&dir, &keys, &["--bind", "0.0.0.0"]);
    let said = broker.stdout.text();
    assert!(
        said.contains("Bound to 0.0.0.0; keys let in (CURVE): 1"),
        "{said}"
    );
}

#[test]
fn keys_are_made_once_and_readable_by_their_owner_alone() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice"]);
    let secret = keys.folder.join("server.key_secret");
    let before = fs::read(&secret).unwrap();
    run(broker_command()
        .arg("keygen")
        .arg("--out")
        .arg(&keys.folder))
    .with_code(1)
    .warns("is there already");
    assert_eq!(fs::read(&secret).unwrap(), before);
    run(broker_command().args(["keygen", "../evil"])).with_code(2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&secret), mode(&keys.folder)), (0o600, 0o700));
    }
}

#[test]
fn keys_that_pyzmq_made_are_taken_and_what_is_wrong_in_the_folder_is_named() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &[]);
    let mut client = Client::start();
    let authorized = keys.folder.join("authorized");
    client.call(&json!({"do": "certificate", "folder": authorized, "name": "zoe"}));
    fs::copy(authorized.join("zoe.key"), authorized.join("zora.key")).unwrap();
    fs::write(authorized.join("broken.key"), "no key").unwrap();
    // Who runs the tests may read every file; nobody reads this one.
    fs::create_dir(authorized.join("unreadable.key")).unwrap();
    let broker = start(&dir, &keys, &[]);
    broker.wait_for_warning("a secret key lies in the folder of public ones");
    broker.wait_for_warning("zora.key has the same key as zoe.key");
    broker.wait_for_warning("broken.key is no key file");
    broker.wait_for_warning("unreadable.key: it is no file");
    let own = authorized.join("zoe.key_secret");
    let pair = json!({"own": own, "server": keys.folder.join("server.key")});
    let mut zoe = publisher(broker.ports.publish, &pair);
    send(&mut zoe, &agents("t", 1, 1));
    dir.wait_lines(1);
    assert_eq!(dir.records()[0].value("key_name"), "zoe");
}

#[test]
fn a_folder_without_the_brokers_key_is_named_and_nothing_is_started() {
    let dir = Dir::new();
    let mut command = broker_on(&dir, Default::default());
    run(command.arg("--curve").arg(dir.path()))
        .with_code(1)
        .warns("server.key_secret")
        .warns("broker keygen");
    assert!(!dir.logs().exists(), "nothing is touched");
}

#[test]
fn a_key_of_the_broker_that_cannot_be_read_is_named_and_nothing_is_started() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &[]);
    let own = keys.folder.join("server.key_secret");
    fs::remove_file(&own).unwrap();
    fs::create_dir(&own).unwrap();
    let mut command = broker_on(&dir, Default::default());
    run(command.arg("--curve").arg(&keys.folder))
        .with_code(1)
        .warns("cannot read")
        .warns("server.key_secret");
    assert!(!dir.logs().exists(), "nothing is touched");
}

#[test]
fn who_is_let_in_stays_let_in_while_the_folder_cannot_be_read() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice"]);
    let broker = start(&dir, &keys, &[]);
    let authorized = keys.folder.join("authorized");
    let aside = keys.folder.join("aside");
    fs::rename(&authorized, &aside).unwrap();
    let mut alice = publisher(broker.ports.publish, &keys.of("alice"));
    send(&mut alice, &agents("t", 1, 1));
    dir.wait_lines(1);
    // As soon as it can be read again, it counts again.
    fs::remove_file(aside.join("alice.key")).unwrap();
    fs::rename(&aside, &authorized).unwrap();
    broker.wait_for_warning("its key is let in no more");
}

#[test]
fn status_says_who_is_connected_how_and_with_which_key() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    let broker = start(&dir, &keys, &[]);
    let ports = broker.ports;
    let alice = publisher(ports.publish, &keys.of("alice"));
    let bob = subscriber(ports.subscribe, &["x"], &keys.of("bob"));
    let mut dealer = Requester::with_keys(ports.control, "DEALER", &keys.of("bob"));
    // A handshake is over for the client a moment before it is for the broker.
    let status = until("all three are known", || {
        let status = dealer.call(json!({"op": "status"}));
        let known = |port: &str| status[port]["count"] == 1;
        let all = ["publishers", "subscribers", "clients"]
            .into_iter()
            .all(known);
        all.then_some(status)
    });
    for (port, socket, key) in [
        ("publishers", "XPUB", "alice"),
        ("subscribers", "SUB", "bob"),
        ("clients", "DEALER", "bob"),
    ] {
        let one = &status[port]["list"][0];
        assert_eq!((&one["socket"], &one["key"]), (&json!(socket), &json!(key)));
        assert_eq!(one["mechanism"], "CURVE");
        assert_eq!(one["protocol"], "3.1");
        assert!(one["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
    drop((alice, bob));
    until("both have left", || {
        let status = dealer.call(json!({"op": "status"}));
        let gone = status["publishers"]["count"] == 0 && status["subscribers"]["count"] == 0;
        gone.then_some(())
    });
}

#[test]
fn the_programs_of_the_broker_show_its_own_key_or_another_one() {
    let dir = Dir::new();
    let keys = Keys::new(&dir, &["alice", "bob"]);
    keys.rights("alice control\nbob subscribe\n");
    let broker = start(&dir, &keys, &[]);
    let port = broker.ports.control.to_string();
    let command = |name: &str, options: &[&OsStr]| {
        let mut command = broker_command();
        command.args([name, "--control-port", &port]).args(options);
        run(&mut command)
    };
    let bob = subscriber(broker.ports.subscribe, &["x"], &keys.of("bob"));
    let folder = keys.folder.as_os_str();
    let own: [&OsStr; 2] = ["--curve".as_ref(), folder];
    command("status", &own)
        .with_code(0)
        .says("(SUB, ZMTP 3.1, CURVE, key bob) wants \"x\"")
        .says("(DEALER, ZMTP 3.1, CURVE, key server)");
    let pair = |name: &str| keys.of(name)["own"].as_str().unwrap().to_owned();
    let server = keys.folder.join("server.key");
    let with = |key: &str| {
        let key = pair(key);
        command(
            "status",
            &[
                "--key".as_ref(),
                key.as_ref(),
                "--server-key".as_ref(),
                server.as_ref(),
            ],
        )
    };
    with("alice").with_code(0).says("[*] Recording");
    with("bob").with_code(1).warns("may not control the broker");
    command("status", &[]).with_code(1);
    let (logs, ports) = (dir.logs(), broker.ports);
    let (publish, subscribe) = (ports.publish.to_string(), ports.subscribe.to_string());
    let more = ["--pub-port", &publish, "--sub-port", &subscribe, "--dir"].map(str::as_ref);
    command("doctor", &[&own[..], &more, &[logs.as_os_str()]].concat())
        .says("was acknowledged with the number 1")
        .says("Recording works");
    command("archive", &own).with_code(0);
    drop(bob);
}
