//! How far each journal is, there and here.

use async_nats::jetstream::Context;
use serde::Serialize;

use crate::error::Error;
use crate::outbound::asked;
use crate::receive::origins;
use crate::settings::Broker;
use crate::stream::Stream;

/// All journals that have a stream, and what the local broker has of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The local journal's identity; `None` where the broker does not answer.
    pub journal: Option<String>,
    /// Why it does not.
    pub broker_error: Option<String>,
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
    /// When the last message came to the stream.
    pub last_at: String,
    /// Bytes in the stream.
    pub bytes: u64,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Asks NATS and the broker.
///
/// # Errors
/// [`Error::Nats`] where NATS does not answer.
pub async fn overview(context: &Context, broker: &Broker) -> Result<Overview, Error> {
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
        streams.push(view(context, origin, local.as_ref()).await?);
    }
    Ok(Overview {
        journal: local.map(|(journal, ..)| journal),
        broker_error,
        streams,
    })
}

type Local = (String, u64, Vec<client::LastOf>);

async fn view(
    context: &Context,
    origin: String,
    local: Option<&Local>,
) -> Result<StreamView, Error> {
    let mut view = StreamView {
        origin: origin.clone(),
        journal: String::new(),
        local: false,
        there: 0,
        here: None,
        lag: None,
        last_at: String::new(),
        bytes: 0,
        problem: None,
    };
    let state = match Stream::find(context, &origin).await {
        Ok(Some(stream)) => {
            view.journal.clone_from(&stream.journal);
            let state = stream.state().await;
            state.map(|state| (stream.first, state))
        }
        Ok(None) => return Ok(view),
        Err(error) => Err(error),
    };
    match state {
        Ok((first, state)) => {
            view.there = match state.messages {
                0 => first - 1,
                _ => state.last_sequence,
            };
            view.bytes = state.bytes;
            if state.messages > 0 {
                view.last_at = message::format_time(state.last_timestamp.into()).to_string();
            }
        }
        Err(error @ Error::Stream { .. }) => view.problem = Some(error.to_string()),
        Err(error) => return Err(error),
    }
    if let Some((journal, last, origins)) = local {
        view.local = *journal == view.journal;
        let recorded = origins.iter().find(|one| one.journal == view.journal);
        view.here = match view.local {
            true => Some(*last),
            false => recorded.map(|one| one.message_num),
        };
        view.lag = view.here.map(|here| here.abs_diff(view.there));
    }
    Ok(view)
}
