//! Publishers and subscribers: stock pyzmq, each in a Python process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::message::Frames;
use super::process::Collected;
use super::programs::workspace;
use super::python::python;
use super::wait::DEADLINE;

/// The Python process behind a client.
#[derive(Debug)]
pub(crate) struct Client {
    child: Child,
    stdin: ChildStdin,
    replies: Receiver<String>,
    stderr: Collected,
    last: String,
}

impl Client {
    /// Starts one without any socket.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let mut child = Command::new(python())
            .arg(workspace().join("tests/python/client.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {}: {error}", python().display()));
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = Collected::from(child.stderr.take().expect("stderr is piped"));
        let (sender, replies) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            stdin,
            replies,
            stderr,
            last: String::new(),
        }
    }

    /// Gives a command without waiting for its reply.
    #[track_caller]
    pub(crate) fn give(&mut self, command: &Value) {
        self.last = command.to_string().chars().take(300).collect();
        writeln!(self.stdin, "{command}").expect("the client reads its commands");
    }

    /// The reply to the oldest command that has none yet.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Value {
        // The client gives up by itself first, and says what it has got so far.
        let line = self.replies.recv_timeout(DEADLINE * 2);
        accept(&line.unwrap_or_else(|_| panic!("no reply of the Python client")))
    }

    /// The reply to the oldest command that has none yet, if it has come.
    #[track_caller]
    fn try_reply(&mut self) -> Option<Value> {
        match self.replies.try_recv() {
            Ok(line) => Some(accept(&line)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the Python client has ended"),
        }
    }

    /// Gives a command and waits for its reply.
    #[track_caller]
    pub(crate) fn call(&mut self, command: &Value) -> Value {
        self.give(command);
        self.reply()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Both fail when the process is gone already, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!(
                "--- client's last command: {}\n{}",
                self.last,
                self.stderr.text()
            );
        }
    }
}

/// Publishes these messages as a program of its own that ends when all have left.
#[track_caller]
pub(crate) fn publish(port: u16, messages: &[Frames]) {
    let mut publisher = Publisher::connect(port);
    publisher.send(messages);
    publisher.leave();
}

/// One connected XPUB or PUB socket.
///
/// Dropping it kills its process, and with it what has not left yet.
#[derive(Debug)]
pub(crate) struct Publisher {
    client: Client,
}

impl Publisher {
    /// Connects an XPUB socket and waits for the broker's subscription: whatever it sends arrives.
    #[track_caller]
    pub(crate) fn connect(port: u16) -> Self {
        Self::open(port, false)
    }

    /// Connects a PUB socket and waits for the handshake, as agents do: what it
    /// sends before the broker's subscription has come is dropped.
    #[track_caller]
    pub(crate) fn connect_plain(port: u16) -> Self {
        Self::open(port, true)
    }

    #[track_caller]
    fn open(port: u16, plain: bool) -> Self {
        let mut client = Client::start();
        client.call(&json!({"do": "pub", "socket": "pub", "port": port, "plain": plain}));
        Self { client }
    }

    /// Sends these messages.
    #[track_caller]
    pub(crate) fn send(&mut self, messages: &[Frames]) {
        let messages: Vec<Vec<String>> = messages.iter().map(|frames| encode(frames)).collect();
        self.client
            .call(&json!({"do": "send", "socket": "pub", "messages": messages}));
    }

    /// Sends one message whose payload is `size` bytes: 0 to 250, over and over.
    #[track_caller]
    pub(crate) fn send_large(&mut self, topic: &str, size: usize) {
        self.send_large_with(topic, size, &[]);
    }

    /// The same with more frames behind the payload.
    #[track_caller]
    pub(crate) fn send_large_with(&mut self, topic: &str, size: usize, behind: &[&str]) {
        self.client.call(&json!({
            "do": "send_large", "socket": "pub", "topic": topic, "size": size, "behind": behind,
        }));
    }

    /// Sends one message of `count` frames: `frame 0`, `frame 1` and so on.
    #[track_caller]
    pub(crate) fn send_frames(&mut self, count: usize) {
        self.client
            .call(&json!({"do": "send_frames", "socket": "pub", "count": count}));
    }

    /// Begins to send messages as fast as Python can: ids are `<sender>-<first>` and on.
    ///
    /// The topic is `load`. [`Publisher::wait_sent`] waits for the last one.
    #[track_caller]
    pub(crate) fn begin_burst(&mut self, sender: &str, first: usize, count: usize, size: usize) {
        self.client.give(&json!({
            "do": "burst", "socket": "pub", "topic": "load", "sender": sender,
            "first": first, "count": count, "size": size,
        }));
    }

    /// Waits until a burst is sent.
    #[track_caller]
    pub(crate) fn wait_sent(&mut self) {
        self.client.reply();
    }

    /// Sends a burst, and waits until Python has handed it to libzmq.
    #[track_caller]
    pub(crate) fn burst(&mut self, sender: &str, first: usize, count: usize, size: usize) {
        self.begin_burst(sender, first, count, size);
        self.wait_sent();
    }

    /// Closes the socket, and waits until all that was sent has left.
    #[track_caller]
    pub(crate) fn leave(mut self) {
        self.client.call(&json!({"do": "leave"}));
    }

    /// Waits until the socket has connected again, by itself.
    #[track_caller]
    pub(crate) fn wait_connected(&mut self) {
        self.client
            .call(&json!({"do": "wait_connected", "socket": "pub"}));
    }
}

/// One connected SUB socket.
#[derive(Debug)]
pub(crate) struct Subscriber {
    client: Client,
    port: u16,
}

impl Subscriber {
    /// Connects with these topics, and waits until the broker has shaken hands.
    #[track_caller]
    pub(crate) fn connect(port: u16, topics: &[&str]) -> Self {
        Self::open(port, json!({"RCVHWM": 0}), topics)
    }

    /// Connects one that holds next to nothing by itself while it does not read.
    #[track_caller]
    pub(crate) fn connect_small(port: u16, topics: &[&str]) -> Self {
        Self::open(port, json!({"RCVHWM": 1, "RCVBUF": 4096}), topics)
    }

    #[track_caller]
    fn open(port: u16, mut command: Value, topics: &[&str]) -> Self {
        command["do"] = json!("sub");
        command["socket"] = json!("sub");
        command["port"] = json!(port);
        command["topics"] = json!(topics);
        let mut client = Client::start();
        client.call(&command);
        Self { client, port }
    }

    /// Receives exactly `count` messages.
    #[track_caller]
    pub(crate) fn recv(&mut self, count: usize) -> Vec<Frames> {
        self.begin_recv(count);
        messages(&self.client.reply())
    }

    /// Begins to receive `count` messages.
    #[track_caller]
    pub(crate) fn begin_recv(&mut self, count: usize) {
        self.client
            .give(&json!({"do": "recv", "socket": "sub", "count": count}));
    }

    /// What [`Subscriber::begin_recv`] asked for, once it is there.
    #[track_caller]
    pub(crate) fn received(&mut self) -> Option<Vec<Frames>> {
        self.client.try_reply().map(|reply| messages(&reply))
    }

    /// Receives one message and writes its second frame to a file.
    #[track_caller]
    pub(crate) fn recv_to_file(&mut self, file: &Path) {
        let reply = self
            .client
            .call(&json!({"do": "recv_to_file", "socket": "sub", "file": file}));
        assert_eq!(reply["frames"], 2, "frames of {reply}");
    }

    /// Ids of the messages up to the one with the id `last`.
    #[track_caller]
    pub(crate) fn ids_until(&mut self, last: &str) -> Vec<String> {
        self.begin_ids_until(last);
        self.wait_ids()
    }

    /// Begins to receive up to the message with the id `last`.
    #[track_caller]
    pub(crate) fn begin_ids_until(&mut self, last: &str) {
        self.client
            .give(&json!({"do": "recv_until", "socket": "sub", "last": last}));
    }

    /// The ids of what [`Subscriber::begin_ids_until`] has received.
    #[track_caller]
    pub(crate) fn wait_ids(&mut self) -> Vec<String> {
        let reply = self.client.reply();
        strings(&reply["ids"])
    }

    /// Ids of what has come and was not received yet.
    #[track_caller]
    pub(crate) fn drain(&mut self) -> Vec<String> {
        let reply = self.client.call(&json!({"do": "drain", "socket": "sub"}));
        strings(&reply["ids"])
    }

    /// Adds a topic.
    #[track_caller]
    pub(crate) fn subscribe(&mut self, topic: &str) {
        self.client
            .call(&json!({"do": "subscribe", "socket": "sub", "topic": topic}));
    }

    /// Drops a topic.
    #[track_caller]
    pub(crate) fn unsubscribe(&mut self, topic: &str) {
        self.client
            .call(&json!({"do": "unsubscribe", "socket": "sub", "topic": topic}));
    }

    /// Drops the connection of the same socket and makes a new one.
    #[track_caller]
    pub(crate) fn reconnect(&mut self) {
        let port = self.port;
        self.client
            .call(&json!({"do": "reconnect", "socket": "sub", "port": port}));
    }

    /// Waits until the socket has lost its connection.
    #[track_caller]
    pub(crate) fn wait_disconnected(&mut self) {
        self.client
            .call(&json!({"do": "wait_disconnected", "socket": "sub"}));
    }
}

/// A list of strings in a reply.
#[track_caller]
pub(crate) fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|item| item.as_str().expect("a string").to_owned())
        .collect()
}

#[track_caller]
fn accept(line: &str) -> Value {
    let reply: Value = serde_json::from_str(line).expect("a reply is JSON");
    if let Some(error) = reply.get("error") {
        panic!("the Python client failed: {error}");
    }
    reply
}

/// Sends messages over the socket that a client calls "it".
#[track_caller]
pub(crate) fn send(client: &mut Client, messages: &[Frames]) {
    let messages: Vec<Vec<String>> = messages.iter().map(|frames| encode(frames)).collect();
    client.call(&json!({"do": "send", "socket": "it", "messages": messages}));
}

/// Receives `count` messages from that socket.
#[track_caller]
pub(crate) fn recv(client: &mut Client, count: usize) -> Vec<Frames> {
    messages(&client.call(&json!({"do": "recv", "socket": "it", "count": count})))
}

/// Frames as a list of their base64 forms.
pub(crate) fn encode(frames: &[Vec<u8>]) -> Vec<String> {
    frames.iter().map(|frame| STANDARD.encode(frame)).collect()
}

#[track_caller]
fn messages(reply: &Value) -> Vec<Frames> {
    let messages = reply["messages"].as_array().expect("a list of messages");
    messages.iter().map(decode).collect()
}

/// Frames from a list of their base64 forms.
#[track_caller]
pub(crate) fn decode(message: &Value) -> Frames {
    let frames = message.as_array().expect("a list of frames");
    frames
        .iter()
        .map(|frame| {
            STANDARD
                .decode(frame.as_str().expect("base64"))
                .expect("base64")
        })
        .collect()
}
