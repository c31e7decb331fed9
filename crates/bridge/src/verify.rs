//! Is what stands in the stream what stands in the journal?

use std::time::Duration;

use async_nats::jetstream::Context;
use client::{Consume, Consumer, From};

use crate::error::Error;
use crate::fetch::find;
use crate::outbound::asked;
use crate::reader::Reader;
use crate::settings::Broker;

/// How long the broker may take for the next record.
const READ: Duration = Duration::from_secs(10);
/// How many lines are compared before others may go on.
const LINES: u64 = 500;

/// One number at which the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The journal has a record there, the stream has none.
    OnlyInJournal(u64),
    /// The stream has a record there, the journal has none.
    OnlyInStream(u64),
    /// They have different ones.
    Other(u64),
}

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// The first number.
    pub first: u64,
    /// The last number; less than the first where there was nothing to compare.
    pub last: u64,
    /// Records that are the same, byte for byte.
    pub same: u64,
    /// Numbers that have no record on either side.
    pub missing: u64,
}

/// Compares the local journal with its stream, and tells each difference. Without `to`,
/// up to the end of the shorter one.
///
/// # Errors
/// [`Error::Stream`] where there is no such stream, [`Error::Broker`] where the broker
/// can't be asked, or has these numbers no more.
pub async fn verify(
    context: &Context,
    broker: &Broker,
    origin: &str,
    (from, to): (Option<u64>, Option<u64>),
    differs: &mut (dyn FnMut(Difference) + Send),
) -> Result<Verified, Error> {
    let stream = find(context, origin).await?;
    let status = asked(broker, |client| Ok(client.status()?)).await?;
    if status.journal != stream.journal {
        let reason = format!(
            "it is the stream of the journal {}, and the broker's is {}",
            stream.journal, status.journal
        );
        return Err(Error::stream(&stream.name, reason));
    }
    let there = stream.last().await?;
    let first = from.unwrap_or(stream.first).max(stream.first);
    let last = to.unwrap_or_else(|| there.min(status.last_message_num));
    let mut verified = Verified {
        first,
        last,
        ..Verified::default()
    };
    if last < first {
        return Ok(verified);
    }
    let request = Consume {
        lines: true,
        ends_at_head: true,
        ..Consume::from(From::Number(first))
    };
    let mut here = Here {
        consumer: Some(asked(broker, |client| Ok(client.consume(request)?)).await?),
        next: None,
        read: Vec::new(),
    };
    let mut reader = Reader::open_at(&stream, first).await?;
    for number in first..=last {
        let shipped = match number <= there {
            true => reader.line(number).await?,
            false => None,
        };
        match (here.line(number).await?, shipped) {
            (None, None) => verified.missing += 1,
            (Some(line), Some(shipped)) if line == shipped => verified.same += 1,
            (Some(_), Some(_)) => differs(Difference::Other(number)),
            (Some(_), None) => differs(Difference::OnlyInJournal(number)),
            (None, Some(_)) => differs(Difference::OnlyInStream(number)),
        }
    }
    Ok(verified)
}

/// The local journal's lines.
struct Here {
    consumer: Option<Consumer>,
    next: Option<(u64, Vec<u8>)>,
    /// What was read and not compared, the last one first.
    read: Vec<(u64, Vec<u8>)>,
}

impl Here {
    /// Returns the line of a number; they are asked for in order.
    async fn line(&mut self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        while self.next.as_ref().is_none_or(|(found, _)| *found < number) {
            if self.read.is_empty() {
                self.fill().await?;
            }
            match self.read.pop() {
                Some(next) => self.next = Some(next),
                None => return Ok(None),
            }
        }
        let is_it = self
            .next
            .as_ref()
            .is_some_and(|(found, _)| *found == number);
        Ok(self.next.take_if(|_| is_it).map(|(_, line)| line))
    }

    async fn fill(&mut self) -> Result<(), Error> {
        let Some(mut consumer) = self.consumer.take() else {
            return Ok(());
        };
        let reading = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            for _ in 0..LINES {
                let Some(message) = consumer.next(READ)? else {
                    break;
                };
                let line = message.frames.into_iter().next().unwrap_or_default();
                read.push((message.message_num, line));
            }
            read.reverse();
            Ok::<_, Error>((consumer, read))
        });
        let panicked = |_| Error::Ended {
            what: "reading the journal",
        };
        let (consumer, read) = reading.await.map_err(panicked)??;
        self.consumer = Some(consumer);
        self.read = read;
        Ok(())
    }
}
