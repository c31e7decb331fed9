//! What is recorded, as a stream of events, for each who watches.
//!
//! A watcher is a position, as a subscriber of the broker is: what is behind it comes
//! from the tail in memory, or from the journal where that is too far behind. Events
//! wait for whoever reads them, up to a few; then the watcher itself waits, and costs
//! nothing but its position.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use message::Record;
use query::{Entry, Fields, Filter, Findings, Order, sanitise};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use crate::answer::Refusal;
use crate::app::App;
use crate::criteria::Asked;
use crate::drawn::{Each, Style, unless_ended};
use crate::numbers::Numbers;
use crate::tail::{After, Recorded};

/// Events that wait for the one who watches.
const EVENTS: usize = 16;
/// Messages that are taken at a time.
const BATCH: usize = 64;
/// Numbers are told no more often than this, which is often enough for the eye.
const STEP: Duration = Duration::from_millis(50);
/// Numbers that are told at once.
const NUMBERS: usize = 4_096;
/// Where nothing is recorded, this tells that the connection is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Begins a stream of what comes behind a number.
pub(crate) fn stream(app: Arc<App>, asked: Asked, from: u64) -> Result<Response, Refusal> {
    let only_numbers = match asked.text("only") {
        None => false,
        Some("numbers") => true,
        Some(_) => return Err(Refusal::wrong("only is numbers, or left out")),
    };
    let draw = asked.flag("draw")?;
    let filter = asked.filter()?;
    let place = Arc::clone(&app.watchers).try_acquire_owned();
    let place = place.map_err(|_| {
        let reason = "too many are watching";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    })?;
    let (sender, receiver) = channel(EVENTS);
    let watcher = Watcher {
        app,
        asked,
        filter,
        draw,
        only_numbers,
        at: from,
        sender,
        _place: place,
    };
    tokio::spawn(watcher.run());
    Ok(sse(receiver))
}

fn sse(receiver: Receiver<Result<Event, Infallible>>) -> Response {
    let alive = KeepAlive::new().interval(ALIVE);
    Sse::new(ReceiverStream::new(receiver))
        .keep_alive(alive)
        .into_response()
}

struct Watcher {
    app: Arc<App>,
    asked: Asked,
    filter: Filter,
    draw: bool,
    only_numbers: bool,
    /// Everything up to this number was told.
    at: u64,
    sender: Sender<Result<Event, Infallible>>,
    _place: OwnedSemaphorePermit,
}

/// What there is to tell.
enum Next {
    Messages(Vec<Arc<Recorded>>),
    /// All that came match, whatever is in them.
    Numbers(Numbers),
}

/// The one who watched has gone, or the server ends.
struct Gone;

impl Watcher {
    async fn run(mut self) {
        let mut head = self.app.tail.watch();
        // The headers go out at once, and with them where it begins.
        let begin = Event::default().event("begin").id(self.at.to_string());
        if self.send(begin.data(self.at.to_string())).await.is_err() {
            return;
        }
        loop {
            // What comes behind this is seen either now or as a change.
            head.borrow_and_update();
            let told = match self.next() {
                After::Next(Next::Messages(next)) => self.tell(&next).await,
                After::Next(Next::Numbers(next)) => {
                    self.at = next.last().unwrap_or(self.at);
                    self.tell_numbers(next).await
                }
                After::Behind(first) => self.catch_up(first).await,
                After::Anew(number) => self.begin_anew(number).await,
                After::Nothing => {
                    let changed = tokio::select! {
                        changed = head.changed() => changed.map_err(|_| Gone),
                        () = self.sender.closed() => Err(Gone),
                    };
                    changed
                }
            };
            if told.is_err() {
                return;
            }
            if self.only_numbers {
                tokio::time::sleep(STEP).await;
            }
        }
    }

    fn next(&self) -> After<Next> {
        let tail = &self.app.tail;
        if self.only_numbers && self.filter.is_empty() {
            return tail.numbers_after(self.at).map(Next::Numbers);
        }
        let most = if self.only_numbers { NUMBERS } else { BATCH };
        tail.after(self.at, most).map(Next::Messages)
    }

    async fn send(&self, event: Event) -> Result<(), Gone> {
        self.sender.send(Ok(event)).await.map_err(|_| Gone)
    }

    async fn begin_anew(&mut self, number: u64) -> Result<(), Gone> {
        self.at = number;
        let event = Event::default().event("anew").id(number.to_string());
        self.send(event.data(number.to_string())).await
    }

    fn matches(&self, recorded: &Recorded) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let record = Record::parse(&recorded.line).map(Fields::from);
        self.filter.accepts_number(recorded.number)
            && record.is_ok_and(|fields| self.filter.matches(&fields))
    }

    /// Tells messages that are in memory.
    async fn tell(&mut self, next: &[Arc<Recorded>]) -> Result<(), Gone> {
        let mut numbers = Numbers::default();
        for recorded in next {
            let matches = self.matches(recorded);
            self.at = recorded.number;
            if !matches {
                continue;
            }
            if self.only_numbers {
                numbers.push(recorded.number);
            } else if let Some(event) = self.event(recorded) {
                self.send(event).await?;
            }
        }
        self.tell_numbers(numbers).await
    }

    async fn tell_numbers(&self, numbers: Numbers) -> Result<(), Gone> {
        if numbers.count == 0 {
            return Ok(());
        }
        let event = Event::default().event("numbers").id(self.at.to_string());
        match data(&numbers) {
            Some(data) => self.send(event.data(data)).await,
            None => Err(Gone),
        }
    }

    fn event(&self, recorded: &Recorded) -> Option<Event> {
        let entry = Entry {
            number: Some(recorded.number),
            path: self.app.place.dir(),
            offset: 0,
            integrity: journal::Integrity::Verified,
            line: &recorded.line,
            depth: 0,
        };
        let marks = self.filter.marks();
        let message = self.style(&marks).message(&entry)?;
        let event = Event::default().event("message");
        let event = event.id(recorded.number.to_string());
        Some(event.data(data(&message)?))
    }

    fn style<'a>(&'a self, marks: &'a query::Marks) -> Style<'a> {
        Style {
            palette: &self.app.palette,
            marks,
            zone: &self.app.zone,
            draw: self.draw,
            full: false,
        }
    }

    /// Tells what is in the journal alone, up to what is in memory.
    async fn catch_up(&mut self, first: u64) -> Result<(), Gone> {
        let wanted = self
            .asked
            .within(self.at + 1, first - 1)
            .map_err(|_| Gone)?;
        let most = if self.only_numbers { NUMBERS } else { BATCH };
        let question = move |app: &App| read(app, &wanted, most);
        let found = Arc::clone(&self.app)
            .ask(question)
            .await
            .map_err(|_| Gone)?;
        let (found, is_all) = found;
        self.tell(&found).await?;
        if is_all {
            self.at = self.at.max(first - 1);
        }
        Ok(())
    }
}

/// A value as JSON on one line, in which nothing acts on a terminal.
fn data(value: &impl Serialize) -> Option<String> {
    let json = serde_json::to_string(value).ok()?;
    Some(sanitise(&json).into_owned())
}

/// Reads the first messages that match, and tells whether these are all.
fn read(app: &App, filter: &Filter, most: usize) -> Result<(Vec<Arc<Recorded>>, bool), Refusal> {
    /// How much is read at a time.
    const BYTES: usize = 4 << 20;
    let mut found: Vec<Arc<Recorded>> = Vec::new();
    let Some(source) = app.source()? else {
        return Ok((found, true));
    };
    let mut bytes = 0;
    let mut is_all = true;
    let mut each = Each(|entry: &Entry<'_>| {
        let Some(number) = entry.number else {
            return ControlFlow::Continue(());
        };
        bytes += entry.line.len();
        let line = entry.line.into();
        found.push(Arc::new(Recorded { number, line }));
        is_all = found.len() < most && bytes < BYTES;
        match is_all {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    let findings = &mut Findings::default();
    unless_ended(query::show(
        &source,
        filter,
        Order::default(),
        findings,
        &mut each,
    ))?;
    Ok((found, is_all))
}
