//! From the journal to its stream: where to begin, and when to begin again.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use client::{Client, Consume, From, Status};
use log::{info, warn};

use crate::entry::Entry;
use crate::error::Error;
use crate::progress::Progress;
use crate::repeats;
use crate::settings::{Broker, Outgoing};
use crate::ship::{End, Window};
use crate::source::{connect, read_from};
use crate::stream::{Stream, within};

/// How long to wait before it begins again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the broker may take to find a record.
const READ: Duration = Duration::from_secs(10);

/// Ships the journal of the local broker, and goes on with what is recorded later. It
/// ends only with an error that does not pass by itself.
///
/// # Errors
/// [`Error::Stream`] and [`Error::Journal`] where the two contradict each other or the
/// stream would lose something.
pub async fn ship(
    context: &Context,
    broker: &Broker,
    outgoing: &Outgoing,
    progress: &Arc<Progress>,
) -> Result<(), Error> {
    loop {
        let ended = match begin(context, broker, outgoing).await {
            Ok((stream, last)) => run(stream, last, broker, progress).await,
            Err(error) => End::Failed(error),
        };
        match ended {
            End::Behind => warn!("beginning again behind what the stream has"),
            End::Failed(error) if error.may_pass() => {
                progress.outbound.fail(&error);
                repeats::warn(format!("{error}; trying again"));
            }
            End::Failed(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn run(stream: Stream, last: u64, broker: &Broker, progress: &Arc<Progress>) -> End {
    let (journal, origin) = (stream.journal.clone(), stream.origin.clone());
    let source = read_from(broker, &journal, &origin, last + 1, progress);
    let mut source = match source {
        Ok(source) => source,
        Err(error) => return End::Failed(error),
    };
    progress.outbound.go_on();
    let mut window = Window::new(stream, last, Arc::clone(progress));
    match window.run(&mut source).await {
        Ok(()) => End::Behind,
        Err(end) => end,
    }
}

/// Compares the journal with its stream, which is made if it is missing; returns the last
/// number that the stream has.
async fn begin(
    context: &Context,
    broker: &Broker,
    outgoing: &Outgoing,
) -> Result<(Stream, u64), Error> {
    let local = Local::ask(broker).await?;
    let stream = match Stream::find(context, &outgoing.origin).await? {
        Some(stream) => stream,
        None => {
            let first = match outgoing.from_now {
                true => local.status.last_message_num + 1,
                false => local.oldest().await?,
            };
            let journal = &local.status.journal;
            let replicas = outgoing.replicas;
            Stream::make(context, &outgoing.origin, journal, first, replicas).await?
        }
    };
    if stream.journal != local.status.journal {
        let reason = format!(
            "it is the stream of the journal {}, and the broker's is {}: give this one another \
             name with --origin",
            stream.journal, local.status.journal
        );
        return Err(Error::stream(&stream.name, reason));
    }
    let last = stream.last().await?;
    local.compare(&stream, last).await?;
    info!("{} has numbers up to {last}", stream.name);
    Ok((stream, last))
}

/// The journal, as the broker tells.
struct Local {
    broker: Broker,
    status: Status,
}

impl Local {
    async fn ask(broker: &Broker) -> Result<Self, Error> {
        let status = asked(broker, |client| Ok(client.status()?)).await?;
        Ok(Self {
            broker: broker.clone(),
            status,
        })
    }

    /// Returns the number of the oldest record that is there, or of the first to come.
    async fn oldest(&self) -> Result<u64, Error> {
        let oldest = self.line(From::Start).await?;
        Ok(oldest.map_or(self.status.last_message_num + 1, |(number, _)| number))
    }

    /// Returns the first record from a position on, with its number.
    async fn line(&self, from: From) -> Result<Option<(u64, Vec<u8>)>, Error> {
        asked(&self.broker, move |client| {
            let request = Consume {
                lines: true,
                ends_at_head: true,
                ..Consume::from(from)
            };
            let message = client.consume(request)?.next(READ)?;
            Ok(message.map(|message| {
                let line = message.frames.into_iter().next();
                (message.message_num, line.unwrap_or_default())
            }))
        })
        .await
    }

    /// Refuses to go on where the stream has what this journal never had.
    async fn compare(&self, stream: &Stream, last: u64) -> Result<(), Error> {
        let here = self.status.last_message_num;
        if last > here {
            let reason = format!(
                "it has {last} numbers, and the journal {here}: the journal was restored from an \
                 older copy. `bridge fetch` gets the rest; or take a new name with --origin"
            );
            return Err(Error::stream(&stream.name, reason));
        }
        if last < stream.first {
            return Ok(());
        }
        let what = format!("reading number {last}");
        let messages = stream.messages().await?;
        let shipped = within(&what, messages.get_raw_message(last)).await?;
        let shipped = shipped.map_err(|error| Error::nats(what, &error))?;
        // What is gone or damaged here can't be compared.
        let found = self.line(From::Number(last)).await;
        let Ok(Some((number, line))) = found else {
            return Ok(());
        };
        if number == last && !Entry::of_line(&stream.origin, last, line).is(&shipped) {
            let reason = format!(
                "number {last} is another record there than in the journal: the directory was \
                 copied, and both copies were written to. Give one of them a new name with \
                 --origin"
            );
            return Err(Error::stream(&stream.name, reason));
        }
        Ok(())
    }
}

/// Asks the broker something, on a thread that may wait.
pub(crate) async fn asked<T: Send + 'static>(
    broker: &Broker,
    ask: impl FnOnce(&mut Client) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let broker = broker.clone();
    let asking = tokio::task::spawn_blocking(move || ask(&mut connect(&broker)?));
    let panicked = |_| Error::Ended {
        what: "asking the broker",
    };
    asking.await.map_err(panicked)?
}
