//! Unix sockets: all three ports as `ipc://`, with stock pyzmq.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::util::broker::{Broker, Ports, broker, broker_on};
use crate::util::client::{Client, recv, send};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{Frames, agents, ids};
use crate::util::process::{Ended, Process, run};
use crate::util::record::Record;
use crate::util::wait::DEADLINE;

/// Where the sockets of one broker are: a folder that does not exist yet.
struct Sockets(PathBuf);

impl Sockets {
    fn of(dir: &Dir) -> Self {
        Self(dir.path().join("run/recorder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn endpoint(&self, name: &str) -> String {
        format!("ipc://{}", self.path(name).display())
    }

    fn options(&self) -> Vec<String> {
        ["pub", "sub", "control"]
            .iter()
            .flat_map(|name| [format!("--{name}"), self.endpoint(name)])
            .collect()
    }

    /// Starts a broker on them.
    #[track_caller]
    fn start(&self, dir: &Dir) -> Broker {
        let options = self.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        Broker::start_with(dir, &options)
    }

    /// Connects a socket, which is called `it`.
    #[track_caller]
    fn connect(&self, command: &str, name: &str) -> Client {
        let mut client = Client::start();
        client.call(&json!({
            "do": command, "socket": "it", "endpoint": self.endpoint(name),
            "plain": false, "topics": [""], "kind": "DEALER",
        }));
        client
    }

    fn are_there(&self) -> bool {
        ["pub", "sub", "control"]
            .iter()
            .any(|name| self.path(name).exists())
    }
}

#[track_caller]
fn ask(client: &mut Client, header: &Value, frames: &Frames) -> Value {
    let request = [vec![header.to_string().into_bytes()], frames.clone()].concat();
    send(client, &[request]);
    serde_json::from_slice(&recv(client, 1)[0][0]).unwrap()
}

#[test]
fn all_three_ports_are_served_on_unix_sockets_beside_tcp() {
    let dir = Dir::new();
    let sockets = Sockets::of(&dir);
    let mut broker = sockets.start(&dir);
    let (mut publisher, mut subscriber) =
        (sockets.connect("pub", "pub"), sockets.connect("sub", "sub"));
    let mut requester = sockets.connect("request", "control");
    let large = vec![b"t".to_vec(), vec![b'x'; 3 << 20]];
    let sent = [agents("t", 1, 20), vec![large]].concat();
    send(&mut publisher, &sent);
    assert!(recv(&mut subscriber, 21) == sent, "each once, in order");
    let last = agents("t", 22, 1).remove(0);
    let reply = ask(&mut requester, &json!({"op": "publish", "id": 1}), &last);
    assert_eq!(reply["message_num"], 22);
    assert_eq!(recv(&mut subscriber, 1), [last]);

    let status = ask(
        &mut requester,
        &json!({"op": "status", "id": 2}),
        &Frames::new(),
    );
    for (name, list) in [
        ("publish", "publishers"),
        ("subscribe", "subscribers"),
        ("control", "clients"),
    ] {
        let short = match name {
            "publish" => "pub",
            "subscribe" => "sub",
            name => name,
        };
        assert_eq!(status["ipc"][name], sockets.endpoint(short));
        assert_eq!(status[list]["list"][0]["peer"], "ipc", "{status}");
        let listed = format!("on {}\n", sockets.endpoint(short));
        assert!(broker.stdout.text().contains(&listed), "{listed}");
    }
    // The broker's own programs find it there, too, and so does TCP.
    let mut status = self::broker();
    status.args(["status", "--control", &sockets.endpoint("control")]);
    let mut status = Process::start(&mut status);
    status.wait_exit().with_code(0);
    let text = status.stdout.text();
    assert!(text.contains("Last message: 22"), "{text}");
    let endpoint = format!("tcp://127.0.0.1:{}", broker.ports.control);
    assert!(client::Client::connect(&endpoint, DEADLINE).is_ok());
    let mut rust = client::Client::connect(&sockets.endpoint("control"), DEADLINE).unwrap();
    assert_eq!(rust.status().unwrap().last_message_num, 22);

    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    assert!(!sockets.are_there(), "they go with the broker");
}

/// `broker doctor` for this broker, which also gets these options.
fn doctor(dir: &Dir, broker: &Broker, more: &[&str]) -> Ended {
    let Ports {
        publish,
        subscribe,
        control,
    } = broker.ports;
    let mut command = self::broker();
    command.current_dir(dir.path()).arg("doctor");
    command.args(["--pub-port", &publish.to_string()]);
    command.args(["--sub-port", &subscribe.to_string()]);
    command.args(["--control-port", &control.to_string()]);
    command.arg("--dir").arg(dir.logs()).args(more);
    run(&mut command)
}

#[test]
fn doctor_sends_its_message_over_the_unix_sockets() {
    let dir = Dir::new();
    let sockets = Sockets::of(&dir);
    let broker = sockets.start(&dir);
    let control = sockets.endpoint("control");
    let way = format!(
        "a message sent to {} came out of {}",
        sockets.endpoint("pub"),
        sockets.endpoint("sub")
    );
    let over_ipc = doctor(&dir, &broker, &["--control", &control]);
    over_ipc
        .says(&format!("a broker answers on {control}: version"))
        .says(&way)
        .says("[ok] it is on disk in")
        .never_says("tcp://");
    // Asked over the port it tries both ways.
    doctor(&dir, &broker, &[]).says(&way).says(&format!(
        "came out of tcp://127.0.0.1:{} in",
        broker.ports.subscribe
    ));
    let nowhere = sockets.endpoint("nowhere");
    doctor(&dir, &broker, &["--control", &nowhere])
        .with_code(1)
        .says(&format!("no broker answers on {nowhere}"));
}

#[test]
fn what_a_killed_broker_leaves_gives_way_and_clients_come_back() {
    let dir = Dir::new();
    let sockets = Sockets::of(&dir);
    let mut broker = sockets.start(&dir);
    let mut publisher = sockets.connect("pub", "pub");
    send(&mut publisher, &agents("t", 1, 3));
    dir.wait_lines(3);
    broker.kill9();
    assert!(sockets.are_there(), "nobody has removed them");
    let mut broker = sockets.start(&dir);
    publisher.call(&json!({"do": "wait_connected", "socket": "it"}));
    let mut again = sockets.connect("pub", "pub");
    send(&mut again, &agents("t", 4, 3));
    dir.wait_lines(6);
    let records = dir.records();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    assert_eq!(recorded, ids("t", 1, 6));
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
}

/// What a broker says that can't listen on a path.
#[track_caller]
fn refused(path: &Path) -> String {
    let dir = Dir::new();
    let mut command = broker_on(&dir, Ports::default());
    command
        .arg("--pub")
        .arg(format!("ipc://{}", path.display()));
    let mut process = Process::start(&mut command);
    process.wait_exit().with_code(1);
    process.stderr.text()
}

#[test]
fn a_path_that_cannot_be_taken_is_refused_with_a_sentence() {
    let dir = Dir::new();
    let sockets = Sockets::of(&dir);
    let broker = sockets.start(&dir);
    let taken = refused(&sockets.path("pub"));
    assert!(
        taken.contains("cannot listen for publishers on ipc://"),
        "{taken}"
    );
    let mut publisher = sockets.connect("pub", "pub");
    send(&mut publisher, &agents("t", 1, 1));
    dir.wait_lines(1);
    drop(broker);
    let long = dir.path().join("x".repeat(120));
    let text = refused(&long);
    assert!(text.contains("at most 107 are possible"), "{text}");
    let file = dir.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let text = refused(&file);
    assert!(text.contains("no socket"), "{text}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}
