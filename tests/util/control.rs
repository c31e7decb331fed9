//! Clients of the control port: stock pyzmq DEALER and REQ sockets.

use serde_json::{Value, json};

use super::client::{Client, decode, encode};
use super::message::Frames;

/// One connected DEALER or REQ socket.
#[derive(Debug)]
pub(crate) struct Requester {
    client: Client,
    next: u64,
}

impl Requester {
    /// Connects a DEALER.
    #[track_caller]
    pub(crate) fn dealer(port: u16) -> Self {
        Self::open(port, json!({"kind": "DEALER", "RCVHWM": 0}))
    }

    /// Connects a DEALER that holds next to nothing by itself while it does not read.
    #[track_caller]
    pub(crate) fn small_dealer(port: u16) -> Self {
        Self::open(port, json!({"kind": "DEALER", "RCVHWM": 1, "RCVBUF": 4096}))
    }

    /// Connects a REQ.
    #[track_caller]
    pub(crate) fn req(port: u16) -> Self {
        Self::open(port, json!({"kind": "REQ"}))
    }

    /// Connects a DEALER or REQ socket that has to show a key.
    #[track_caller]
    pub(crate) fn with_keys(port: u16, kind: &str, keys: &Value) -> Self {
        Self::open(port, json!({"kind": kind, "keys": keys}))
    }

    #[track_caller]
    fn open(port: u16, mut command: Value) -> Self {
        command["do"] = json!("request");
        command["socket"] = json!("request");
        command["port"] = json!(port);
        let mut client = Client::start();
        client.call(&command);
        Self { client, next: 0 }
    }

    /// Sends frames as they are.
    #[track_caller]
    pub(crate) fn send_frames(&mut self, messages: &[Frames]) {
        let messages: Vec<Vec<String>> = messages.iter().map(|frames| encode(frames)).collect();
        self.client
            .call(&json!({"do": "send", "socket": "request", "messages": messages}));
    }

    /// Sends a request under a new id, with the frames behind it, and returns the id.
    #[track_caller]
    pub(crate) fn send(&mut self, mut header: Value, frames: &Frames) -> u64 {
        self.next += 1;
        header["id"] = json!(self.next);
        let mut message = vec![header.to_string().into_bytes()];
        message.extend(frames.iter().cloned());
        self.send_frames(&[message]);
        self.next
    }

    /// Sends these messages to be published, all at once; ids count on.
    #[track_caller]
    pub(crate) fn send_publish(&mut self, messages: &[Frames]) {
        let requests: Vec<Frames> = messages
            .iter()
            .map(|frames| {
                self.next += 1;
                let header = json!({"op": "publish", "id": self.next}).to_string();
                let mut message = vec![header.into_bytes()];
                message.extend(frames.iter().cloned());
                message
            })
            .collect();
        self.send_frames(&requests);
    }

    /// Receives `count` messages: their headers, and the frames behind them.
    #[track_caller]
    pub(crate) fn recv(&mut self, count: usize) -> Vec<(Value, Frames)> {
        let command = json!({"do": "recv", "socket": "request", "count": count});
        let reply = self.client.call(&command);
        let messages = reply["messages"].as_array().expect("messages");
        messages
            .iter()
            .map(|frames| {
                let mut frames = decode(frames);
                let header = frames.remove(0);
                let header = serde_json::from_slice(&header).expect("a header is JSON");
                (header, frames)
            })
            .collect()
    }

    /// Receives one message without frames behind its header.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Value {
        let (header, frames) = self.recv(1).remove(0);
        assert!(frames.is_empty(), "{header} has frames behind it");
        header
    }

    /// Sends a request and returns the reply, which has the same id.
    #[track_caller]
    pub(crate) fn call(&mut self, header: Value) -> Value {
        let id = self.send(header, &Vec::new());
        let reply = self.reply();
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    /// Publishes one message and returns the reply.
    #[track_caller]
    pub(crate) fn publish(&mut self, frames: &Frames) -> Value {
        let id = self.send(json!({"op": "publish"}), frames);
        let reply = self.reply();
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    /// Begins to consume and returns the consumer's handle.
    #[track_caller]
    pub(crate) fn consume(&mut self, mut request: Value) -> u64 {
        request["op"] = json!("consume");
        let reply = self.call(request);
        assert_eq!(reply["type"], "reply", "{reply}");
        reply["consumer"].as_u64().expect("a handle")
    }

    /// Receives `count` messages of a consumer: numbers and frames.
    #[track_caller]
    pub(crate) fn messages(&mut self, count: usize) -> Vec<(u64, Frames)> {
        let of = |(header, frames): (Value, Frames)| {
            assert_eq!(header["type"], "message", "{header}");
            (header["message_num"].as_u64().expect("a number"), frames)
        };
        self.recv(count).into_iter().map(of).collect()
    }

    /// Acknowledges a position, and waits until it is stored.
    #[track_caller]
    pub(crate) fn ack(&mut self, consumer: u64, number: u64) {
        let reply = self.call(json!({"op": "ack", "consumer": consumer, "message_num": number}));
        assert_eq!(reply["type"], "reply", "{reply}");
    }
}
