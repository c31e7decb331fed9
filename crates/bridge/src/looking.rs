//! How far each journal is, there and here.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::Context;
use client::{Consume, From};
use serde::Serialize;

use crate::entry;
use crate::error::Error;
use crate::outbound::asked;
use crate::receive::origins;
use crate::report::{self, Report};
use crate::settings::Broker;
use crate::stream::{Stream, within};

/// How long the broker may take to find a record.
const READ: Duration = Duration::from_secs(5);

/// All journals that have a stream, and what the local broker has of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The local journal's identity; `None` where the broker does not answer.
    pub journal: Option<String>,
    /// Why it does not.
    pub broker_error: Option<String>,
    /// How it goes with this machine's bridge, if one runs.
    pub bridge: Option<Report>,
    /// The streams, by the names of their journals.
    pub streams: Vec<StreamView>,
}

/// A journal's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamView {
    /// What the journal is called.
    pub origin: String,
    /// Its identity.
    pub journal: String,
    /// Whether it is the local one.
    pub local: bool,
    /// The last number in the stream.
    pub there: u64,
    /// The last number here: in the journal itself, or recorded of the other one.
    pub here: Option<u64>,
    /// How many numbers one is behind the other. What was filtered out, or is no message
    /// of its journal, counts as behind until something comes after it.
    pub lag: Option<u64>,
    /// For how many seconds the first of those has been waiting: since it was recorded
    /// here, or since it came to the stream. A clock that is wrong makes it wrong, and
    /// nothing else.
    pub lag_seconds: Option<u64>,
    /// How it goes with that machine's bridge, if one runs and may be asked.
    pub bridge: Option<Report>,
    /// When the last message came to the stream.
    pub last_at: String,
    /// Bytes in the stream.
    pub bytes: u64,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Asks NATS, the broker, and the bridges of all machines; `own` is what this one is called
/// in NATS.
///
/// # Errors
/// [`Error::Nats`] where NATS does not answer.
pub async fn overview(context: &Context, broker: &Broker, own: &str) -> Result<Overview, Error> {
    let local = asked(broker, |client| {
        let status = client.status()?;
        Ok((status.journal, status.last_message_num, client.origins()?))
    });
    let (local, broker_error) = match local.await {
        Ok(local) => (Some(local), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut streams = Vec::new();
    for origin in origins(context).await? {
        streams.push(view(context, broker, origin, local.as_ref()).await?);
    }
    Ok(Overview {
        journal: local.map(|(journal, ..)| journal),
        broker_error,
        bridge: report::ask(context, own).await?,
        streams,
    })
}

type Local = (String, u64, Vec<client::LastOf>);

async fn view(
    context: &Context,
    broker: &Broker,
    origin: String,
    local: Option<&Local>,
) -> Result<StreamView, Error> {
    let mut view = StreamView {
        bridge: report::ask(context, &origin).await?,
        origin: origin.clone(),
        journal: String::new(),
        local: false,
        there: 0,
        here: None,
        lag: None,
        lag_seconds: None,
        last_at: String::new(),
        bytes: 0,
        problem: None,
    };
    let found = match Stream::find(context, &origin).await {
        Ok(Some(stream)) => {
            view.journal.clone_from(&stream.journal);
            let state = stream.state().await;
            state.map(|state| (stream, state))
        }
        Ok(None) => return Ok(view),
        Err(error) => Err(error),
    };
    let stream = match found {
        Ok((stream, state)) => {
            view.there = stream.last_of(&state);
            view.bytes = state.bytes;
            if state.messages > 0 {
                view.last_at = message::format_time(state.last_timestamp.into()).to_string();
            }
            Some(stream)
        }
        Err(error @ Error::Stream { .. }) => {
            view.problem = Some(error.to_string());
            None
        }
        Err(error) => return Err(error),
    };
    if let Some(local) = local {
        compare(&mut view, local);
        if let Some(stream) = stream.filter(|_| view.lag.is_some_and(|lag| lag > 0)) {
            view.lag_seconds = waiting(&view, &stream, broker).await;
        }
    }
    Ok(view)
}

fn compare(view: &mut StreamView, (journal, last, origins): &Local) {
    view.local = *journal == view.journal;
    let recorded = origins.iter().find(|one| one.journal == view.journal);
    view.here = match view.local {
        true => Some(*last),
        false => recorded.map(|one| one.message_num),
    };
    view.lag = view.here.map(|here| here.abs_diff(view.there));
}

/// Returns for how many seconds the first message that one side lacks has been on the
/// other; `None` where it is gone meanwhile.
async fn waiting(view: &StreamView, stream: &Stream, broker: &Broker) -> Option<u64> {
    let here = view.here?;
    let since = match here > view.there {
        true => recorded_at(broker, view.there + 1).await,
        false => stored_at(stream, here + 1).await,
    };
    let waited = SystemTime::now().duration_since(since?);
    // It is none where the clock of the other machine is ahead.
    Some(waited.unwrap_or_default().as_secs())
}

/// Returns when the first record from a number on was recorded.
async fn recorded_at(broker: &Broker, number: u64) -> Option<SystemTime> {
    let read = asked(broker, move |client| {
        let request = Consume {
            lines: true,
            ends_at_head: true,
            ..Consume::from(From::Number(number))
        };
        Ok(client.consume(request)?.next(READ)?)
    });
    let line = read.await.ok()??.frames.into_iter().next()?;
    entry::recorded_at(&line).map(SystemTime::from)
}

/// Returns when a message came to a stream.
async fn stored_at(stream: &Stream, number: u64) -> Option<SystemTime> {
    let messages = stream.messages().await.ok()?;
    let read = within("reading a message", messages.get_raw_message(number));
    Some(read.await.ok()?.ok()?.time.into())
}
