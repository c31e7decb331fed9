//! What a running bridge tells of itself, to everybody who asks over NATS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::{Message, RequestErrorKind};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::progress::{Inbound, Outbound, Progress};
use crate::repeats;
use crate::stream::within;
use crate::subject;

/// How long a bridge may take to answer. One that does not run costs nothing: the server
/// says at once that nobody listens.
const ANSWER: Duration = Duration::from_secs(2);

/// How it goes with a bridge, now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// What goes out; `None` where it ships nothing.
    pub shipping: Option<Shipping>,
    /// What comes in, by the names of the machines.
    pub receiving: BTreeMap<String, Inbound>,
}

/// What goes out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Shipping {
    /// The last number that the stream has.
    pub stored: u64,
    /// The last number that was read from the journal.
    pub read: u64,
    /// Messages on their way.
    pub in_flight: u64,
    /// Messages sent once more, after a doubt.
    pub sent_again: u64,
    /// How often the stream had to be asked how far it is.
    pub doubts: u64,
    /// Whether nothing can be shipped at the moment.
    pub stalled: bool,
    /// What went wrong last, though it may be long ago.
    pub last_error: Option<String>,
}

impl Shipping {
    fn of(outbound: &Outbound) -> Self {
        Self {
            stored: outbound.stored.load(Relaxed),
            read: outbound.read.load(Relaxed),
            in_flight: outbound.in_flight.load(Relaxed),
            sent_again: outbound.again.load(Relaxed),
            doubts: outbound.doubts.load(Relaxed),
            stalled: outbound.stalled.load(Relaxed),
            last_error: outbound.last_error(),
        }
    }
}

/// Answers whoever asks how it goes with the bridge of this machine. It ends only where
/// the connection does.
///
/// # Errors
/// [`Error::Nats`] where NATS can't be listened to.
pub async fn answer(
    context: &Context,
    origin: &str,
    ships: bool,
    progress: &Arc<Progress>,
) -> Result<(), Error> {
    let what = "listening to those who ask how it goes";
    let client = context.client();
    let asked = within(what, client.subscribe(subject::status(origin))).await?;
    let mut asked = asked.map_err(|error| Error::nats(what, &error))?;
    while let Some(Message { reply, .. }) = asked.next().await {
        let Some(reply) = reply else { continue };
        let report = Report {
            shipping: ships.then(|| Shipping::of(&progress.outbound)),
            receiving: progress.inbound(),
        };
        // Numbers and texts can't fail to become JSON.
        let report = serde_json::to_vec(&report).unwrap_or_default();
        if let Err(error) = within(what, client.publish(reply, report.into())).await {
            repeats::warn(error.to_string());
        }
    }
    Ok(())
}

/// Asks the bridge of a machine; `None` where none runs, or it may not be asked.
pub(crate) async fn ask(context: &Context, origin: &str) -> Result<Option<Report>, Error> {
    let what = format!("asking the bridge of {origin}");
    let request = async_nats::Request::new().timeout(Some(ANSWER));
    let client = context.client();
    let asked = client.send_request(subject::status(origin), request);
    match within(&what, asked).await? {
        Ok(message) => serde_json::from_slice(&message.payload)
            .map(Some)
            .map_err(|error| Error::nats(what, &error)),
        Err(error) => match error.kind() {
            RequestErrorKind::NoResponders | RequestErrorKind::TimedOut => Ok(None),
            _ => Err(Error::nats(what, &error)),
        },
    }
}
