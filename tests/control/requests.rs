//! Bad requests of every kind get an answer that says what is expected, and
//! harm nobody.

use serde_json::{Value, json};

use crate::util::broker::Broker;
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::agent;

/// A request that is wrong, and what the reply says of it.
fn wrong() -> Vec<(Vec<Vec<u8>>, &'static str)> {
    let header = |value: Value| vec![value.to_string().into_bytes()];
    let with_frame = |value: Value| vec![value.to_string().into_bytes(), b"frame".to_vec()];
    let consume = |extra: Value| {
        let mut request = json!({"op": "consume", "id": 1, "credit": 1, "from": "start"});
        let members = extra.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(members);
        header(request)
    };
    vec![
        (vec![b"".to_vec()], "no JSON"),
        (vec![b"not json".to_vec()], "no JSON"),
        (vec![b"\xff\xfe\x00".to_vec()], "no JSON"),
        (vec![b"[1, 2]".to_vec()], "no object"),
        (vec!["[".repeat(60_000).into_bytes()], "no JSON"),
        (vec![vec![b' '; 70_000]], "70000 bytes"),
        (header(json!({"op": "ping"})), "\"id\" must be"),
        (
            header(json!({"op": "ping", "id": {"a": 1}})),
            "\"id\" must be",
        ),
        (
            header(json!({"op": "ping", "id": "x".repeat(129)})),
            "128 bytes",
        ),
        (header(json!({"id": 1})), "must be one of hello"),
        (header(json!({"op": "launch", "id": 1})), "no op \"launch\""),
        (
            header(json!({"op": "publish", "id": 1})),
            "frames behind the header",
        ),
        (
            with_frame(json!({"op": "status", "id": 1})),
            "only a publish request",
        ),
        (
            header(json!({"op": "hello", "id": 1, "protocol": 99})),
            "speaks version 1",
        ),
        (
            consume(json!({"credit": 9_223_372_036_854_775_808u64})),
            "from 1 to 10000",
        ),
        (consume(json!({"credit": -1})), "expected u64"),
        (consume(json!({"credit": 1.5})), "expected u64"),
        (consume(json!({"name": "../../etc/passwd"})), "a-z"),
        (consume(json!({"name": "x".repeat(65)})), "1 to 64"),
        (consume(json!({"name": "nul\u{0}"})), "a-z"),
        (consume(json!({"from": -3})), "consume:"),
        (
            consume(json!({"from": {"time": "soon"}})),
            "a position must be",
        ),
        (consume(json!({"filter": "topic"})), "consume:"),
        (
            consume(json!({"filter": {"topic": "x".repeat(2000)}})),
            "1024 bytes",
        ),
        (consume(json!({"pace": -1})), "pace"),
        (consume(json!({"colour": "red"})), "unknown field"),
        (
            header(json!({"op": "consume", "id": 1, "credit": 1})),
            "\"from\" is missing",
        ),
        (
            header(json!({"op": "credit", "id": 1, "consumer": 7, "credit": 1, "received": 0})),
            "no consumer 7",
        ),
        (
            header(json!({"op": "ack", "id": 1, "consumer": 7, "message_num": 1})),
            "no consumer 7",
        ),
        (
            header(json!({"op": "cancel", "id": 1, "consumer": "one"})),
            "expected u64",
        ),
        (
            header(json!({"op": "forget", "id": 1, "name": ".."})),
            "a-z",
        ),
        (
            header(json!({"op": "archive", "id": 1, "label": ["x"]})),
            "expected a string",
        ),
    ]
}

#[test]
fn each_wrong_request_gets_an_answer_that_says_what_is_expected() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    for (frames, says) in wrong() {
        client.send_frames(&[frames]);
        let reply = client.reply();
        assert_eq!(reply["type"], "error", "{reply}");
        let message = reply["message"].as_str().unwrap();
        assert!(message.contains(says), "no {says:?} in {message}");
    }
    let status = client.call(json!({"op": "status"}));
    assert_eq!(status["refused"]["requests"], wrong().len());
    assert_eq!(client.publish(&agent("t", "a", "1"))["message_num"], 1);
    assert!(!dir.path().join("etc").exists());
}

#[test]
fn a_req_socket_gets_its_errors_too() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::req(broker.ports.control);
    for (frames, says) in wrong().into_iter().skip(1).take(5) {
        client.send_frames(&[frames]);
        let message = client.reply();
        assert!(
            message["message"].as_str().unwrap().contains(says),
            "{message}"
        );
    }
}

#[test]
fn credit_and_acknowledgements_for_what_was_not_sent_change_nothing() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    for number in 1..=3 {
        client.publish(&agent("t", "a", &number.to_string()));
    }
    let consumer = client.consume(json!({"name": "one", "credit": 2}));
    client.messages(2);
    let ack = |number: u64| json!({"op": "ack", "consumer": consumer, "message_num": number});
    let reply = client.call(ack(3));
    assert_eq!(
        (&reply["code"], &reply["sent"]),
        (&json!("bad_request"), &json!(2))
    );
    let credit = json!({"op": "credit", "consumer": consumer, "credit": 10_000, "received": 2});
    assert_eq!(client.call(credit.clone())["type"], "reply");
    client.messages(1);
    assert_eq!(client.call(credit)["code"], "limit");
    // Somebody else's consumer is nobody's.
    let mut other = Requester::dealer(broker.ports.control);
    assert_eq!(other.call(ack(1))["code"], "unknown_consumer");
    assert_eq!(
        other.call(json!({"op": "cancel", "consumer": consumer}))["code"],
        "unknown_consumer"
    );
    client.ack(consumer, 3);
    let forget = json!({"op": "forget", "name": "one"});
    assert_eq!(
        client.call(forget.clone())["code"],
        "bad_request",
        "it is in use"
    );
    assert_eq!(
        client.call(json!({"op": "cancel", "consumer": consumer}))["type"],
        "reply"
    );
    assert_eq!(client.call(forget.clone())["forgotten"], true);
    assert_eq!(client.call(forget)["forgotten"], false);
    assert!(!dir.logs().join("consumers/consumer_one.json").exists());
}

#[test]
fn there_are_so_many_consumers_and_no_more() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let request = json!({"op": "consume", "from": "now", "credit": 1});
    let mut first = 0;
    for _ in 0..64 {
        first = client.consume(request.clone());
    }
    let reply = client.call(request.clone());
    assert_eq!(reply["code"], "limit", "{reply}");
    client.call(json!({"op": "cancel", "consumer": first}));
    client.consume(request);
}

#[cfg(target_os = "linux")]
mod raw {
    //! What is no ZeroMQ at all.

    use std::io::Write;
    use std::net::TcpStream;

    use super::*;
    use crate::util::client::Client;
    use crate::util::proc::{Holdings, resident};

    /// The first 64 bytes of ZMTP 3, and a frame that says that the handshake is done.
    fn handshake() -> Vec<u8> {
        let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0];
        bytes.extend_from_slice(b"NULL");
        bytes.resize(64, 0);
        let ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER";
        bytes.extend_from_slice(&[4, u8::try_from(ready.len()).unwrap()]);
        bytes.extend_from_slice(ready);
        bytes
    }

    #[test]
    fn garbage_port_scans_and_half_a_request_leave_nothing_behind() {
        let dir = Dir::new();
        let broker = Broker::start(&dir);
        let port = broker.ports.control;
        let mut client = Requester::dealer(port);
        client.publish(&agent("t", "a", "1"));
        let before = Holdings::of(&broker);
        let half = [handshake(), vec![1, 200, b'{']].concat();
        let first_of_two = [handshake(), vec![1, 2, b'{', b'}']].concat();
        for bytes in [
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            vec![0xff; 10_000],
            handshake()[..40].to_vec(),
            handshake(),
            half,
            first_of_two,
            // A frame of 2^62 bytes is announced.
            [handshake(), vec![2, 0x40, 0, 0, 0, 0, 0, 0, 0]].concat(),
            Vec::new(),
        ] {
            for _ in 0..20 {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                // The broker may have closed it already.
                drop(stream.write_all(&bytes));
            }
        }
        assert_eq!(client.publish(&agent("t", "a", "2"))["message_num"], 2);
        before.wait_again(&broker);
        let stderr = broker.stderr.text();
        let said: Vec<&str> = stderr.lines().collect();
        assert!(said.len() <= 4, "{stderr}");
        let expected = ["4611686018427387904 bytes", "security mechanism"];
        let is_expected = |line: &&str| expected.iter().any(|text| line.contains(text));
        assert!(said.iter().all(is_expected), "{stderr}");
    }

    #[test]
    fn a_request_that_never_ends_takes_bounded_memory() {
        const MIB: u64 = 1 << 20;
        let dir = Dir::new();
        let broker = Broker::start_with(&dir, &["--max-message-size", "1MiB"]);
        let mut client = Requester::dealer(broker.ports.control);
        client.publish(&agent("t", "a", "1"));
        let before = resident(&broker);
        let mut streams: Vec<TcpStream> = (0..4)
            .map(|_| TcpStream::connect(("127.0.0.1", broker.ports.control)).unwrap())
            .collect();
        for stream in &mut streams {
            stream.write_all(&handshake()).unwrap();
        }
        let frame = [&[1, 200][..], &[b'x'; 200]].concat();
        let frames = frame.repeat(1000);
        for stream in &mut streams {
            // Up to 64 MiB, or until the broker has had enough.
            for _ in 0..320 {
                if stream.write_all(&frames).is_err() {
                    break;
                }
            }
        }
        assert_eq!(client.publish(&agent("t", "a", "2"))["message_num"], 2);
        let grown = resident(&broker).saturating_sub(before);
        assert!(grown < 24 * MIB, "{grown} bytes");
        broker.wait_for_warning("refused a request of");
    }

    #[test]
    fn replies_that_are_never_read_take_bounded_memory() {
        const MIB: u64 = 1 << 20;
        let dir = Dir::new();
        let broker = Broker::start(&dir);
        let mut client = Requester::dealer(broker.ports.control);
        // Subscriptions make the status long.
        let topic = "x".repeat(10_000);
        let topics: Vec<String> = (0..50).map(|n| format!("{n}-{topic}")).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let _subscriber = crate::util::client::Subscriber::connect(broker.ports.subscribe, &topics);
        let before = resident(&broker);
        let mut stream = TcpStream::connect(("127.0.0.1", broker.ports.control)).unwrap();
        stream.write_all(&handshake()).unwrap();
        let header = br#"{"op":"status","id":1}"#;
        let request = [&[0, u8::try_from(header.len()).unwrap()][..], header].concat();
        stream
            .set_write_timeout(Some(std::time::Duration::from_secs(1)))
            .unwrap();
        // The connection is full when nobody reads at either end.
        let _partly = stream.write_all(&request.repeat(3_000));
        for number in 1..=20 {
            let reply = client.publish(&agent("t", "a", &number.to_string()));
            assert_eq!(reply["message_num"], number);
        }
        let grown = resident(&broker).saturating_sub(before);
        assert!(grown < 24 * MIB, "{grown} bytes");
    }

    #[test]
    fn a_client_that_vanishes_takes_its_consumer_with_it() {
        let dir = Dir::new();
        let broker = Broker::start(&dir);
        let mut client = Requester::dealer(broker.ports.control);
        client.publish(&agent("t", "a", "1"));
        let before = Holdings::of(&broker);
        let mut other = Client::start();
        other.call(&json!({
            "do": "request", "kind": "DEALER", "socket": "x", "port": broker.ports.control,
        }));
        drop(other);
        let mut gone = Requester::dealer(broker.ports.control);
        gone.consume(json!({"from": "start", "credit": 100}));
        gone.messages(1);
        drop(gone);
        // The next message finds nobody who could take it.
        let mut number = 2;
        crate::util::wait::until("the consumer's end", || {
            client.publish(&agent("t", "a", &number.to_string()));
            number += 1;
            let status = client.call(json!({"op": "status"}));
            status["consumers"]
                .as_array()
                .unwrap()
                .is_empty()
                .then_some(())
        });
        before.wait_again(&broker);
    }
}
