//! Reads the journal's lines from the broker, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use client::{Client, Consume, Consumer, From, Message};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::entry::Entry;
use crate::error::Error;
use crate::progress::Progress;
use crate::settings::Broker;

/// The name under which the broker keeps how far the stream has come: retention removes
/// nothing behind it. Where to go on is asked of the stream, never of this.
const NAME: &str = "bridge";
/// A batch is handed on when it has this many bytes, or when nothing more is there.
const BATCH: usize = 512 << 10;
/// How many batches wait at most.
const WAITING: usize = 8;
/// How often the broker is told how far the stream is.
const ACK: Duration = Duration::from_secs(5);
/// How long the next message is waited for before anything else is looked at.
const IDLE: Duration = Duration::from_millis(250);

/// Entries of consecutive numbers, or why there are no more.
pub(crate) type Batch = Result<Vec<Entry>, Error>;

/// Connects to the broker.
pub(crate) fn connect(broker: &Broker) -> Result<Client, Error> {
    let client = match &broker.keys {
        None => Client::connect(&broker.endpoint, broker.timeout),
        Some(keys) => Client::connect_with_keys(&broker.endpoint, keys.clone(), broker.timeout),
    };
    Ok(client?)
}

/// Begins to read at a number; it ends when nobody takes what it reads.
pub(crate) fn read_from(
    broker: &Broker,
    journal: &str,
    origin: &str,
    number: u64,
    progress: &Arc<Progress>,
) -> Result<Receiver<Batch>, Error> {
    let (sender, receiver) = channel(WAITING);
    let mut source = Source {
        journal: journal.to_owned(),
        origin: origin.to_owned(),
        next: number,
        acked: 0,
        acked_at: Instant::now(),
        progress: Arc::clone(progress),
        sender,
    };
    let broker = broker.clone();
    let thread = std::thread::Builder::new().name("journal".to_owned());
    let started = thread.spawn(move || {
        if let Err(error) = source.run(&broker) {
            // Nobody takes it where the bridge ends.
            let _taken = source.sender.blocking_send(Err(error));
        }
    });
    started.map_err(|_| Error::Ended {
        what: "a thread, before it began: there are too many,",
    })?;
    Ok(receiver)
}

struct Source {
    journal: String,
    origin: String,
    /// The number that comes next.
    next: u64,
    acked: u64,
    acked_at: Instant,
    progress: Arc<Progress>,
    sender: Sender<Batch>,
}

impl Source {
    fn run(&mut self, broker: &Broker) -> Result<(), Error> {
        let client = connect(broker)?;
        let request = Consume {
            name: Some(NAME.to_owned()),
            from: Some(From::Number(self.next)),
            lines: true,
            ..Consume::default()
        };
        let mut consumer = client.consume(request)?;
        if consumer.journal() != self.journal {
            let reason = format!(
                "the broker has the journal {} now, and had {}",
                consumer.journal(),
                self.journal
            );
            return Err(Error::Journal { reason });
        }
        loop {
            let batch = self.collect(&mut consumer)?;
            if !batch.is_empty() {
                self.progress
                    .outbound
                    .read
                    .store(self.next - 1, Ordering::Relaxed);
                if self.sender.blocking_send(Ok(batch)).is_err() {
                    return Ok(());
                }
            } else if self.sender.is_closed() {
                return Ok(());
            }
            self.acknowledge(&mut consumer)?;
        }
    }

    /// Takes what is there.
    fn collect(&mut self, consumer: &mut Consumer) -> Result<Vec<Entry>, Error> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut patience = IDLE;
        while bytes < BATCH
            && let Some(message) = consumer.next(patience)?
        {
            bytes += message.frames.first().map_or(0, Vec::len);
            self.add(message, &mut batch)?;
            patience = Duration::ZERO;
        }
        Ok(batch)
    }

    fn add(&mut self, message: Message, batch: &mut Vec<Entry>) -> Result<(), Error> {
        let number = message.message_num;
        let missing = self.next..number;
        if missing.clone().count() as u64 > message.gap {
            let reason = format!(
                "the broker gives number {number} behind {} and does not say that those between \
                 are missing: may the bridge's key read all topics?",
                self.next - 1
            );
            return Err(Error::Journal { reason });
        }
        batch.extend(missing.map(|number| Entry::missing(&self.origin, number)));
        let line = message.frames.into_iter().next().unwrap_or_default();
        batch.push(Entry::of_line(&self.origin, number, line));
        self.next = number + 1;
        Ok(())
    }

    /// Tells the broker what need not be kept for this any more.
    fn acknowledge(&mut self, consumer: &mut Consumer) -> Result<(), Error> {
        let stored = self.progress.outbound.stored.load(Ordering::Relaxed);
        let stored = stored.min(self.next - 1);
        if stored <= self.acked || self.acked_at.elapsed() < ACK {
            return Ok(());
        }
        self.acked_at = Instant::now();
        consumer.ack(stored)?;
        self.acked = stored;
        Ok(())
    }
}
