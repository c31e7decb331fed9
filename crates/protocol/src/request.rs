//! What a client may ask for.

use serde::{Deserialize, Serialize};

use crate::consume::Consume;
use crate::id::Id;

/// A request. What it carries besides its header are the frames of a message, and only
/// [`Publish`](Self::Publish) has some.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Request {
    /// Says which version of the protocol the client speaks.
    Hello(Hello),
    /// Asks for a sign of life, and is one.
    Ping,
    /// Asks to record the message in the frames behind the header.
    Publish(Publish),
    /// Asks for messages of the journal.
    Consume(Box<Consume>),
    /// Lets a consumer send more messages.
    Credit(Credit),
    /// Says that all messages up to one are done.
    Ack(Ack),
    /// Ends a consumer.
    Cancel(Cancel),
    /// Asks to forget a name and its position.
    Forget(Forget),
    /// Asks how far other journals' messages were recorded here.
    Origins,
    /// Asks what the broker does.
    Status,
    /// Asks to close the session.
    Archive(Archive),
}

/// See [`Request::Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The version that the client speaks.
    pub protocol: u64,
    /// What the client calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// See [`Request::Publish`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The sequence whose next message it is, as the [`Greeting`](crate::Greeting) told
    /// it: the message is refused where that sequence was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The other journal that the message was recorded in first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Another journal, in which a message was recorded first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its identity.
    pub journal: String,
    /// What people call it.
    pub name: String,
    /// The message's number there.
    pub message_num: u64,
    /// The number there of the message that was sent before it; 0 for none.
    pub after: u64,
}

/// See [`Request::Credit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// Which consumer.
    pub consumer: u64,
    /// For how many more messages.
    pub credit: u64,
    /// The number of the last message received; 0 if none was.
    pub received: u64,
}

/// See [`Request::Ack`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// Which consumer.
    pub consumer: u64,
    /// The number of the last message that is done.
    pub message_num: u64,
}

/// See [`Request::Cancel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Which consumer.
    pub consumer: u64,
}

/// See [`Request::Forget`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// Which name.
    pub name: String,
}

/// See [`Request::Archive`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// What becomes part of the archive's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Request {
    /// Returns the header frame of this request under an id.
    #[must_use]
    pub fn header(&self, id: &Id) -> String {
        #[derive(Serialize)]
        struct Header<'a> {
            #[serde(flatten)]
            request: &'a Request,
            id: &'a Id,
        }
        // All its members are texts, numbers and truth values: that can't fail.
        let request = self;
        serde_json::to_string(&Header { request, id }).unwrap_or_default()
    }
}
