//! Publishers and subscribers at work: as many messages as will go.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use crate::agents::{Medium, Publish};
use crate::flow::Flow;
use crate::payload::{Payloads, Received, Verifier};

/// How long a subscriber waits for the next message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a publisher tries whether it is heard.
const TRY: Duration = Duration::from_millis(5);

/// Who sends how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// How many publishers share the messages.
    pub(crate) publishers: usize,
    /// How many subscribers get all of them.
    pub(crate) subscribers: usize,
    /// The size of a payload in bytes.
    pub(crate) size: usize,
    /// How many messages each publisher sends.
    pub(crate) messages: u64,
    /// How many messages a publisher may be ahead of the slowest subscriber.
    pub(crate) window: u64,
}

/// Runs a load, checks every message at every subscriber, and returns the time
/// from the first sending to the last receiving.
pub(crate) fn run(medium: &dyn Medium, load: &Load) -> anyhow::Result<Duration> {
    let flow = Flow::new(load.publishers, load.subscribers);
    let times = thread::scope(|scope| {
        let flow = &flow;
        let subscribers: Vec<_> = (0..load.subscribers)
            .map(|id| scope.spawn(move || flow.note(subscribe(medium, load, flow, id))))
            .collect();
        for id in 0..load.publishers {
            scope.spawn(move || flow.note(publish(medium, load, flow, id)));
        }
        let start = flow.note(flow.start())?;
        let ends = subscribers
            .into_iter()
            .map(|thread| thread.join().ok().flatten());
        let ends: Option<Vec<Instant>> = ends.collect();
        Some((start, ends?.into_iter().max()?))
    });
    match (flow.into_failure(), times) {
        (None, Some((start, end))) => Ok(end.duration_since(start)),
        (failure, _) => Err(failure.unwrap_or_else(|| anyhow!("an agent panicked"))),
    }
}

fn publish(medium: &dyn Medium, load: &Load, flow: &Flow, id: usize) -> anyhow::Result<()> {
    let mut payloads = Payloads::new(load.size)?;
    let mut publisher = medium.publisher()?;
    until_heard(publisher.as_mut(), &mut payloads, flow, id)?;
    flow.wait_for_start()?;
    // Looking at all the subscribers' counts has its price.
    let step = (load.window / 16).max(1);
    for number in 0..load.messages {
        if number % step == 0 && number + step > load.window {
            publisher.flush()?;
            flow.wait_until_received(id, number + step - load.window)?;
        }
        publisher.send(payloads.get(id, number))?;
    }
    publisher.flush()?;
    // What is on the way when a connection ends may be lost.
    flow.wait_until_received(id, load.messages)
}

/// Sends messages that don't count until all subscribers hear the publisher.
pub(crate) fn until_heard(
    publisher: &mut dyn Publish,
    payloads: &mut Payloads,
    flow: &Flow,
    id: usize,
) -> anyhow::Result<()> {
    while !flow.is_heard(id) {
        flow.check()?;
        publisher.send(payloads.warm_up(id))?;
        publisher.flush()?;
        thread::sleep(TRY);
    }
    Ok(())
}

fn subscribe(medium: &dyn Medium, load: &Load, flow: &Flow, id: usize) -> anyhow::Result<Instant> {
    let mut verifier = Verifier::new(load.size, load.publishers)?;
    let mut subscriber = medium.subscriber()?;
    let total = load.messages * load.publishers as u64;
    let (mut moved, mut seen) = (Instant::now(), 0);
    while verifier.count() < total {
        let Some(payload) = subscriber.receive()? else {
            flow.check()?;
            if verifier.count() > seen {
                (moved, seen) = (Instant::now(), verifier.count());
            }
            ensure!(
                moved.elapsed() < PATIENCE,
                "only {seen} of {total} messages arrived"
            );
            continue;
        };
        match verifier.check(payload)? {
            Received::WarmUp(publisher) => flow.hears(id, publisher),
            Received::Message(publisher, number) => flow.received(id, publisher, number + 1),
        }
    }
    Ok(Instant::now())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::agents::Receive;

    /// Hands every payload to every subscriber, but for what `fault` does to it.
    struct Memory {
        subscribers: Mutex<Vec<Sender<Vec<u8>>>>,
        fault: fn(u64, &mut Vec<u8>) -> bool,
    }

    struct Sending<'a>(&'a Memory, u64);

    struct Receiving(Receiver<Vec<u8>>, Vec<u8>);

    impl Medium for &'static Memory {
        fn publisher(&self) -> anyhow::Result<Box<dyn Publish>> {
            Ok(Box::new(Sending(self, 0)))
        }

        fn subscriber(&self) -> anyhow::Result<Box<dyn Receive>> {
            let (sender, receiver) = channel();
            self.subscribers.lock().unwrap().push(sender);
            Ok(Box::new(Receiving(receiver, Vec::new())))
        }
    }

    impl Publish for Sending<'_> {
        fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
            let mut payload = payload.to_vec();
            self.1 += 1;
            if (self.0.fault)(self.1, &mut payload) {
                for subscriber in self.0.subscribers.lock().unwrap().iter() {
                    // One that has failed is gone.
                    let _heard = subscriber.send(payload.clone());
                }
            }
            Ok(())
        }
    }

    impl Receive for Receiving {
        fn receive(&mut self) -> anyhow::Result<Option<&[u8]>> {
            let Ok(payload) = self.0.recv_timeout(Duration::from_millis(10)) else {
                return Ok(None);
            };
            self.1 = payload;
            Ok(Some(&self.1))
        }
    }

    fn run_with(fault: fn(u64, &mut Vec<u8>) -> bool) -> anyhow::Result<Duration> {
        let medium: &'static Memory = Box::leak(Box::new(Memory {
            subscribers: Mutex::default(),
            fault,
        }));
        let load = Load {
            publishers: 2,
            subscribers: 3,
            size: 256,
            messages: 1_000,
            window: 64,
        };
        run(&medium, &load)
    }

    #[test]
    fn everything_goes_from_everyone_to_everyone() {
        run_with(|_, _| true).unwrap();
    }

    #[test]
    fn a_server_that_loses_or_alters_a_message_is_found_out() {
        let error = run_with(|count, _| count != 500).unwrap_err();
        assert!(error.to_string().contains("was due"), "{error}");
        let error = run_with(|count, payload| {
            payload[100] ^= u8::from(count == 500);
            true
        });
        assert!(error.unwrap_err().to_string().contains("altered"));
    }
}
