//! A connection on which requests are sent without waiting for their answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

/// How much is collected before it is sent.
const CHUNK: usize = 64 << 10;
/// How many requests may be without an answer.
const OUTSTANDING: u64 = 8_192;
const NAP: Duration = Duration::from_micros(50);
const PATIENCE: Duration = Duration::from_secs(30);

/// The sending side. Answers are read by a thread of its own.
#[derive(Debug)]
pub(super) struct Pipeline {
    stream: TcpStream,
    pub(super) buffer: Vec<u8>,
    sent: u64,
    answers: Arc<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    good: AtomicU64,
    bad: AtomicBool,
}

/// What a line from the server is.
pub(super) enum Answer {
    Good,
    Bad,
    /// The beginning, or the end, of something longer.
    Part,
}

impl Pipeline {
    /// Takes a connection, and how its lines are to be read.
    pub(super) fn new(
        stream: TcpStream,
        read: impl Fn(&[u8]) -> Answer + Send + 'static,
    ) -> anyhow::Result<Self> {
        let answers = Arc::new(Answers::default());
        let (shared, reader) = (Arc::clone(&answers), BufReader::new(stream.try_clone()?));
        thread::spawn(move || {
            for line in reader.split(b'\n').map_while(Result::ok) {
                match read(&line) {
                    Answer::Good => drop(shared.good.fetch_add(1, Ordering::Relaxed)),
                    Answer::Bad => shared.bad.store(true, Ordering::Relaxed),
                    Answer::Part => {}
                }
            }
        });
        Ok(Self {
            stream,
            buffer: Vec::new(),
            sent: 0,
            answers,
        })
    }

    /// Notes that the buffer has one request more, and sends it if it is long.
    pub(super) fn requested(&mut self) -> anyhow::Result<()> {
        self.sent += 1;
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what is in the buffer.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.buffer)?;
        self.buffer.clear();
        let start = Instant::now();
        while self.sent - self.answers.good.load(Ordering::Relaxed) > OUTSTANDING {
            if self.answers.bad.load(Ordering::Relaxed) {
                bail!("the server refused a message");
            }
            ensure!(start.elapsed() < PATIENCE, "the server doesn't answer");
            thread::sleep(NAP);
        }
        Ok(())
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Ends the thread that reads. The server may have closed it already.
        let _closed = self.stream.shutdown(Shutdown::Both);
    }
}
