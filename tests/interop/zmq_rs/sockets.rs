//! zmq.rs at the broker: each socket type once. Used by the end-to-end tests and by
//! `just interop`.

use std::time::Duration;

use zeromq::{Socket, SocketRecv, SocketSend, ZmqError, ZmqMessage};

/// How long anything may take.
const LONG: Duration = Duration::from_secs(60);

/// Kinds of sockets that publish.
pub(crate) enum Kind {
    Pub,
    Push,
    Xpub,
}

/// The frames of a message.
pub(crate) type Frames = Vec<Vec<u8>>;

fn endpoint(port: u16) -> String {
    format!("tcp://127.0.0.1:{port}")
}

fn whole(frames: &Frames) -> ZmqMessage {
    let (first, rest) = frames.split_first().expect("a message has a frame");
    let mut message = ZmqMessage::from(first.clone());
    for frame in rest {
        message.push_back(frame.clone().into());
    }
    message
}

fn split(message: ZmqMessage) -> Frames {
    message
        .into_vec()
        .iter()
        .map(|frame| frame.to_vec())
        .collect()
}

/// Publishes messages, and keeps the socket until `arrived` says that they are there.
pub(crate) async fn publish(
    kind: Kind,
    port: u16,
    messages: &[Frames],
    arrived: impl AsyncFnOnce(),
) -> Result<(), ZmqError> {
    match kind {
        Kind::Pub => {
            let mut socket = zeromq::PubSocket::new();
            socket.connect(&endpoint(port)).await?;
            // As a program would: it can't tell when the subscription has come.
            tokio::time::sleep(Duration::from_secs(1)).await;
            send(socket, messages, arrived).await
        }
        Kind::Push => {
            let mut socket = zeromq::PushSocket::new();
            socket.connect(&endpoint(port)).await?;
            send(socket, messages, arrived).await
        }
        Kind::Xpub => {
            let mut socket = zeromq::XPubSocket::new();
            socket.connect(&endpoint(port)).await?;
            socket.recv().await?;
            send(socket, messages, arrived).await
        }
    }
}

async fn send(
    mut socket: impl SocketSend,
    messages: &[Frames],
    arrived: impl AsyncFnOnce(),
) -> Result<(), ZmqError> {
    for message in messages {
        socket.send(whole(message)).await?;
    }
    arrived().await;
    Ok(())
}

/// Receives `count` messages of a topic, or what comes in time.
pub(crate) async fn receive(port: u16, topic: &str, count: usize) -> Result<Vec<Frames>, ZmqError> {
    let mut socket = zeromq::SubSocket::new();
    socket.connect(&endpoint(port)).await?;
    socket.subscribe(topic).await?;
    let mut came = Vec::new();
    while came.len() < count
        && let Ok(message) = tokio::time::timeout(LONG, socket.recv()).await
    {
        came.push(split(message?));
    }
    Ok(came)
}

/// Sends a request from a DEALER, or from a REQ, and returns the reply.
pub(crate) async fn ask(port: u16, as_req: bool, request: &Frames) -> Result<Frames, ZmqError> {
    if as_req {
        let mut socket = zeromq::ReqSocket::new();
        socket.connect(&endpoint(port)).await?;
        socket.send(whole(request)).await?;
        return socket.recv().await.map(split);
    }
    let mut socket = zeromq::DealerSocket::new();
    socket.connect(&endpoint(port)).await?;
    socket.send(whole(request)).await?;
    socket.recv().await.map(split)
}
