//! What goes out: subscribers' connections, what each wants, and where it is in the
//! journal.

mod acceptor;
mod connection;
mod cursor;
mod large;
mod link;
mod lobby;
mod narrowed;
mod outgoing;
mod registry;
mod served;
mod shared;
mod slot;
mod subscriber;
mod subscriptions;

pub(crate) use self::acceptor::Acceptor;
pub(crate) use self::connection::{Connection, Watch};
pub(crate) use self::cursor::{Cursor, Step};
pub(crate) use self::large::{LARGE, Large, Message, Rest, look};
pub(crate) use self::link::{Link, LinkError, MAX_TOPIC, MAX_TOPICS, Subscription};
pub(crate) use self::lobby::{Lobby, leave};
pub(crate) use self::narrowed::Narrowed;
pub(crate) use self::outgoing::Outgoing;
pub(crate) use self::registry::{Registration, Registry, SubscriberInfo};
pub(crate) use self::served::Served;
pub(crate) use self::shared::Delivery;
pub(crate) use self::slot::{Service, SubscriberSlot};
pub(crate) use self::subscriber::{Subscriber, Turn, TurnError};
pub(crate) use self::subscriptions::{Topics, Wanted, memory_of};
