//! Peers that are hostile or clumsy harm nobody else, and leave nothing behind.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::json;

use crate::util::broker::Broker;
use crate::util::client::{Client, Publisher, Subscriber};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::agents;
use crate::util::proc::{Holdings, resident};
use crate::util::wait::{DEADLINE, until};

/// More lines on standard error than an attack may cause.
const FLOOD: usize = 20;

/// The first 64 bytes of ZMTP 3, as libzmq sends them.
fn greeting() -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0];
    bytes.extend_from_slice(b"NULL");
    bytes.resize(64, 0);
    bytes
}

/// A frame that says that the handshake is done.
fn ready(role: &str) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend_from_slice(&u32::try_from(role.len()).unwrap().to_be_bytes());
    body.extend_from_slice(role.as_bytes());
    [&[4, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// A broker with a well-behaved publisher and subscriber.
struct Setup {
    dir: Dir,
    broker: Broker,
    publisher: Publisher,
    subscriber: Subscriber,
    before: Holdings,
    sent: usize,
}

impl Setup {
    #[track_caller]
    fn new() -> Self {
        let dir = Dir::new();
        let broker = Broker::start(&dir);
        let mut publisher = Publisher::connect(broker.ports.publish);
        let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
        publisher.send(&agents("t", 1, 1));
        subscriber.recv(1);
        let before = Holdings::of(&broker);
        Self {
            dir,
            broker,
            publisher,
            subscriber,
            before,
            sent: 1,
        }
    }

    /// Asserts that messages are recorded and delivered.
    #[track_caller]
    fn assert_works(&mut self) {
        let messages = agents("t", self.sent + 1, 3);
        self.publisher.send(&messages);
        assert_eq!(self.subscriber.recv(3), messages, "others are served");
        self.sent += 3;
    }

    /// Asserts that all is as it was before, and that little was said.
    #[track_caller]
    fn assert_unharmed(mut self) {
        self.assert_works();
        self.before.wait_again(&self.broker);
        assert_numbered_from(1, &self.dir.records());
        let stderr = self.broker.stderr.text();
        let lines = stderr.lines().count();
        assert!(lines < FLOOD, "{lines} lines on standard error:\n{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }

    fn both(&self) -> [u16; 2] {
        [self.broker.ports.publish, self.broker.ports.subscribe]
    }
}

/// Connects and sends bytes; the other side may have closed by then.
#[track_caller]
fn connect_and_send(port: u16, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let _refused: std::io::Result<()> = stream.write_all(bytes);
    stream
}

/// Waits until the broker has ended the connection.
#[track_caller]
fn wait_ended(mut stream: TcpStream) {
    let wait = Duration::from_secs(30);
    stream.set_read_timeout(Some(wait)).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("still connected"),
        _ => {}
    }
}

/// The header of a frame that announces `size` bytes.
fn announce(size: u64) -> Vec<u8> {
    [&[2], &size.to_be_bytes()[..]].concat()
}

#[test]
fn a_message_above_the_limit_is_refused_by_its_size_before_it_comes() {
    let mut setup = Setup::new();
    let size = (64 << 20) + 1;
    let bytes = [greeting(), ready("PUB"), announce(size)].concat();
    let sender = connect_and_send(setup.broker.ports.publish, &bytes);
    setup
        .broker
        .wait_for_warning(&format!("refused a message of {size} bytes"));
    wait_ended(sender);
    setup.assert_works();
    setup.broker.signal("INT");
    let ended = setup.broker.wait_exit().with_code(0);
    ended.says("[*] Refused 1 messages");
}

#[test]
fn frames_that_are_too_large_together_are_refused() {
    let mut setup = Setup::new();
    // A topic of 40 MiB, and a payload of 40 MiB is announced.
    let half = 40_u64 << 20;
    let mut bytes = [greeting(), ready("PUB"), announce(half)].concat();
    *bytes.last_chunk_mut::<9>().unwrap().first_mut().unwrap() = 3;
    bytes.resize(bytes.len() + usize::try_from(half).unwrap(), b'x');
    bytes.extend_from_slice(&announce(half));
    let sender = connect_and_send(setup.broker.ports.publish, &bytes);
    setup.broker.wait_for_warning(&format!(
        "refused a message of {} bytes in 2 frames",
        2 * half
    ));
    wait_ended(sender);
    setup.assert_works();
    setup.assert_unharmed();
}

#[test]
fn a_socket_at_the_wrong_port_is_told_where_it_is() {
    let setup = Setup::new();
    let [publish, subscribe] = setup.both();
    let bytes = [greeting(), ready("SUB")].concat();
    wait_ended(connect_and_send(publish, &bytes));
    setup
        .broker
        .wait_for_warning("it is a SUB socket; here PUB sockets connect");
    let bytes = [greeting(), ready("PUB")].concat();
    wait_ended(connect_and_send(subscribe, &bytes));
    setup
        .broker
        .wait_for_warning("it is a PUB socket; here SUB sockets connect");
    setup.assert_unharmed();
}

/// Each holds more memory than there is for unfinished messages; the broker
/// ends the connection of whoever sends no more, and the rest is recorded.
#[test]
fn large_messages_that_are_left_unfinished_hold_nobody_up_for_ever() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-memory", "16MiB"]);
    let mut bytes = [greeting(), ready("PUB"), announce(32 << 20)].concat();
    bytes.resize(bytes.len() + (6 << 20), 0);
    // Not all of it is taken, so writing it must not be waited for.
    let held: Vec<TcpStream> = (0..3)
        .map(|_| {
            let stream = TcpStream::connect(("127.0.0.1", broker.ports.publish)).unwrap();
            let mut writer = stream.try_clone().unwrap();
            let bytes = bytes.clone();
            std::thread::spawn(move || writer.write_all(&bytes));
            stream
        })
        .collect();
    let mut small = Publisher::connect(broker.ports.publish);
    small.send(&agents("t", 1, 3));
    dir.wait_lines(3);
    let mut large = Publisher::connect(broker.ports.publish);
    large.send_large("large", 8 << 20);
    broker.wait_for_warning("left a message unfinished");
    dir.wait_lines(4);
    drop(held);
}

/// Both sides of a heartbeat: who asks gets an answer, in the midst of messages too.
#[test]
fn heartbeats_are_answered_on_both_ports() {
    let setup = Setup::new();
    let mut client = Client::start();
    let [publish, subscribe] = setup.both();
    client.call(&json!({
        "do": "heartbeats", "publish": publish, "subscribe": subscribe, "count": 200,
    }));
    drop(client);
    setup.before.wait_again(&setup.broker);
    assert_numbered_from(1, &setup.dir.records());
}

#[test]
fn garbage_is_dropped() {
    let mut setup = Setup::new();
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
        .collect();
    let garbage: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\n\n\n\n",
        &[0; 5000],
        &[0xff; 5000],
        &noise,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x01\x00",
    ];
    for port in setup.both() {
        for bytes in garbage {
            drop(connect_and_send(port, bytes));
            // Once more by a peer that waits for an answer while others are served.
            let held = connect_and_send(port, bytes);
            setup.assert_works();
            drop(held);
        }
        // Nonsense behind a good handshake.
        for role in ["PUB", "SUB", "DEALER", "NOBODY"] {
            for rest in [
                &noise[..],
                &[0xff; 100],
                b"\x02\xff\xff\xff\xff\xff\xff\xff\xff",
            ] {
                let bytes = [&greeting(), &ready(role), rest].concat();
                drop(connect_and_send(port, &bytes));
            }
        }
    }
    setup.assert_unharmed();
}

#[test]
fn handshakes_that_stop_anywhere_hold_nobody_up() {
    let mut setup = Setup::new();
    for (port, role) in setup.both().into_iter().zip(["PUB", "SUB"]) {
        let whole = [greeting(), ready(role)].concat();
        let mut held = Vec::new();
        for end in 0..=whole.len() {
            held.push(connect_and_send(port, &whole[..end]));
        }
        setup.assert_works();
        for (number, stream) in held.into_iter().enumerate() {
            // Some go with what they have not read, some say that they are done.
            if number % 2 == 0 {
                let _gone: std::io::Result<()> = stream.shutdown(Shutdown::Write);
                let mut answer = [0; 64];
                stream
                    .set_read_timeout(Some(Duration::from_secs(5)))
                    .unwrap();
                let _ended: std::io::Result<usize> = (&stream).read(&mut answer);
            }
        }
    }
    setup.assert_unharmed();
}

#[test]
fn port_scans_leave_nothing_behind() {
    let setup = Setup::new();
    for port in setup.both() {
        for _ in 0..200 {
            drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
        }
    }
    setup.assert_unharmed();
}

#[test]
fn two_hundred_clients_that_come_and_go_leave_nothing_behind() {
    let setup = Setup::new();
    let mut client = Client::start();
    let [publish, subscribe] = setup.both();
    client.call(&json!({
        "do": "churn", "rounds": 200, "publish": publish, "subscribe": subscribe,
    }));
    setup.assert_unharmed();
}

#[test]
fn ten_thousand_frames_are_one_message() {
    const COUNT: usize = 10_000;
    let mut setup = Setup::new();
    let mut all = Subscriber::connect(setup.broker.ports.subscribe, &["frame 0"]);
    let mut sender = Publisher::connect(setup.broker.ports.publish);
    sender.send_frames(COUNT);
    let message = all.recv(1).remove(0);
    let expected = (0..COUNT).map(|number| format!("frame {number}").into_bytes());
    assert!(message.into_iter().eq(expected), "as they were sent");
    drop((all, sender));
    setup.sent += 1;
    setup.assert_unharmed();
}

#[test]
fn a_thousand_subscriptions_of_one_client_are_served_and_harm_nobody() {
    let setup = Setup::new();
    let topics: Vec<String> = (0..1000).map(|number| format!("many {number}/")).collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut greedy = Subscriber::connect(setup.broker.ports.subscribe, &topics);
    let mut sender = Publisher::connect(setup.broker.ports.publish);
    for topic in ["many 999/", "many 0/", "many 500/"] {
        sender.send(&agents(topic, 1, 1));
        assert_eq!(greedy.recv(1), agents(topic, 1, 1));
    }
    drop((greedy, sender));
    setup.assert_unharmed();
}

/// A topic of this size is subscribed to, and a message to it arrives.
fn takes_a_topic_of(size: usize) {
    let setup = Setup::new();
    let topic = "x".repeat(size);
    let mut long = Subscriber::connect(setup.broker.ports.subscribe, &[&topic]);
    let mut sender = Publisher::connect(setup.broker.ports.publish);
    sender.send(&agents(&topic, 1, 1));
    assert!(long.recv(1) == agents(&topic, 1, 1), "as it was sent");
    drop((long, sender));
    setup.assert_unharmed();
}

#[test]
fn a_topic_of_60_kilobytes_is_a_topic() {
    takes_a_topic_of(60_000);
}

/// Such a subscription is refused and its client keeps its connection: one that was
/// sent away would come back for ever. Whoever waits in vain can find out why.
#[test]
fn a_topic_that_is_too_long_is_refused_loudly_and_the_others_of_its_client_hold() {
    let mut setup = Setup::new();
    let topic = "x".repeat(1 << 20);
    let mut long = Subscriber::connect(setup.broker.ports.subscribe, &[&topic, "t"]);
    long.recv(1);
    let messages = agents("t", 2, 3);
    setup.publisher.send(&messages);
    assert_eq!(
        long.recv(3),
        messages,
        "it goes on over the same connection"
    );
    setup.subscriber.recv(3);
    setup.sent += 3;
    until("a sentence on standard error", || {
        let stderr = setup.broker.stderr.text();
        stderr
            .contains("a topic has at most 65536 bytes")
            .then_some(())
    });
    drop(long);
    setup.assert_unharmed();
}

/// A subscriber that has shaken hands, for what libzmq's clients don't do.
#[track_caller]
fn raw_subscriber(port: u16) -> TcpStream {
    connect_and_send(port, &[greeting(), ready("SUB")].concat())
}

#[test]
fn subscribers_that_flood_with_commands_do_not_keep_the_broker_from_its_end() {
    let mut setup = Setup::new();
    let flood = b"\x04\x0c\x09SUBSCRIBEab\x04\x09\x06CANCELab".repeat(1000);
    let mut threads = Vec::new();
    for _ in 0..4 {
        let mut stream = raw_subscriber(setup.broker.ports.subscribe);
        let flood = flood.clone();
        threads.push(std::thread::spawn(move || {
            while stream.write_all(&flood).is_ok() {}
        }));
    }
    setup.assert_works();
    setup.broker.signal("TERM");
    setup.broker.wait_exit().with_code(0);
    assert_eq!(setup.dir.archives().len(), 1, "the session is archived");
    for thread in threads {
        thread.join().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_topic_subscribed_to_again_and_again_takes_memory_once() {
    const TOPIC: usize = 60_000;
    const TIMES: usize = 2_000;
    let mut setup = Setup::new();
    let mut stream = raw_subscriber(setup.broker.ports.subscribe);
    let mut command = vec![6, 0, 0, 0, 0, 0, 0];
    command.extend_from_slice(&u16::try_from(TOPIC + 10).unwrap().to_be_bytes());
    command.extend_from_slice(b"\x09SUBSCRIBE");
    command.resize(command.len() + TOPIC, b'x');
    stream.write_all(&command).unwrap();
    setup.assert_works();
    let before = resident(&setup.broker);
    for _ in 0..TIMES {
        stream.write_all(&command).unwrap();
    }
    // Whatever it has sent is read when a heartbeat behind it is answered.
    stream.write_all(b"\x04\x0a\x04PING\0\x0aend").unwrap();
    wait_for_answer(&mut stream, b"\x04\x08\x04PONGend");
    let grown = resident(&setup.broker).saturating_sub(before);
    assert!(grown < 16 << 20, "it has grown by {grown} bytes");
    drop(stream);
    setup.assert_unharmed();
}

/// Reads until this has come.
#[track_caller]
fn wait_for_answer(stream: &mut TcpStream, answer: &[u8]) {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let (mut read, mut some) = (Vec::new(), [0; 4096]);
    while !read.ends_with(answer) {
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "the broker has closed the connection");
        read.extend_from_slice(&some[..count]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn heartbeats_of_a_subscriber_that_does_not_read_take_no_memory() {
    let mut setup = Setup::new();
    let mut stream = raw_subscriber(setup.broker.ports.subscribe);
    stream.write_all(b"\0\x02\x01l").unwrap();
    // Once it has this, its subscription is in force.
    setup.publisher.send(&agents("l", 1, 1));
    let header = b"\x01\x01l\x02".len() + 8;
    stream.read_exact(&mut vec![0; 64 + 27 + header]).unwrap();
    // More than its connection takes: the broker is in the midst of it.
    setup.publisher.send_large("large", 32 << 20);
    setup.dir.wait_lines(3);
    // Whoever indexes the session holds a line of it for a moment, and the line is long.
    let index = setup.dir.logs().join("current_session.jsonl.index");
    until("the line's index", || index.exists().then_some(()));
    let before = resident(&setup.broker);
    let pings = b"\x04\x0a\x04PING\0\x0aabc".repeat(1000);
    for _ in 0..2_000 {
        stream.write_all(&pings).unwrap();
    }
    setup.assert_works();
    let grown = resident(&setup.broker).saturating_sub(before);
    assert!(grown < 16 << 20, "it has grown by {grown} bytes");
    drop(stream);
    setup.assert_unharmed();
}

/// Each is in the midst of a message of its own, which is in memory no longer.
#[cfg(target_os = "linux")]
#[test]
fn stuck_subscribers_hold_little_of_the_large_messages_that_are_read_back_for_them() {
    const STUCK: usize = 16;
    const LARGE: usize = 24 << 20;
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-memory", "32MiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let topic = |number: usize| format!("large-{number:02}");
    for number in 0..STUCK {
        publisher.send_large(&topic(number), LARGE);
        dir.wait_lines(number + 1);
    }
    publisher.burst("load", 1, 1000, 16 << 10);
    dir.wait_lines(STUCK + 1000);
    let before = resident(&broker);
    let mut stuck: Vec<TcpStream> = (0..STUCK)
        .map(|number| {
            let mut stream = raw_subscriber(broker.ports.subscribe);
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            let subscribe = [b"\0\x09\x01", topic(number).as_bytes()].concat();
            stream.write_all(&subscribe).unwrap();
            stream
        })
        .collect();
    for stream in &mut stuck {
        // The handshake's answer, the topic's frame and the header of the payload's.
        stream.read_exact(&mut [0; 64 + 27 + 10 + 9]).unwrap();
    }
    let held = resident(&broker).saturating_sub(before);
    println!("{} MiB more for {STUCK} stuck subscribers", held >> 20);
    assert!(
        held < (STUCK * LARGE / 3) as u64,
        "{held} bytes are held for {STUCK} messages of {LARGE} bytes"
    );
    let mut payload = vec![0; LARGE];
    for stream in &mut stuck {
        stream.read_exact(&mut payload).unwrap();
        let mut expected = (0..=250_u8).cycle();
        assert!(payload.iter().all(|byte| Some(*byte) == expected.next()));
    }
}
