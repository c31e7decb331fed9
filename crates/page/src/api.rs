//! The questions that can be asked.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use query::{Analysis, Entry, Filter, Findings, Marks, ValueKind};
use serde::Serialize;

use crate::answer::{Refusal, json};
use crate::app::App;
use crate::criteria::Asked;
use crate::drawn::{Each, Message, Style, unless_ended};
use crate::files::Place;
use crate::graph::Answers;
use crate::health::FRESH;
use crate::histogram::Moments;
use crate::numbers::{Numbers, end, numbers, quick};
use crate::{assets, live};

/// How many questions are answered at a time; others wait.
pub(crate) const QUESTIONS: usize = 4;
/// How many of those may read all sessions, so that they leave room for messages.
pub(crate) const COUNTS: usize = 2;
/// How many may watch at a time.
pub(crate) const WATCHERS: usize = 2_000;
/// How many messages are given at once unless another number is asked for, and at most.
const USUAL: u64 = 50;
const MOST: u64 = 200;
/// How many buckets a histogram has unless another number is asked for, and at most.
const BUCKETS: u64 = 120;
const MOST_BUCKETS: u64 = 2_000;
/// A thread has no more messages than this.
const THREAD: usize = 1_000;

type Answer = Result<Response, Refusal>;

/// The page's files and the questions of the API.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(|| async { assets::file("") }))
        .route(
            "/{file}",
            get(|Path(file): Path<String>| async move { assets::file(&file) }),
        )
        .route("/api/messages", get(messages))
        .route("/api/messages/{number}", get(message))
        .route("/api/numbers", get(all_numbers))
        .route("/api/count", get(count))
        .route("/api/histogram", get(histogram))
        .route("/api/graph", get(graph))
        .route("/api/statistics", get(statistics))
        .route("/api/values", get(all_values))
        .route("/api/values/{kind}", get(values))
        .route("/api/thread/{name}", get(thread))
        .route("/api/health", get(health))
        .route("/api/live", get(live))
        .with_state(app)
}

/// A page of messages.
#[derive(Serialize)]
struct Messages {
    messages: Vec<Message>,
    /// Whether more match in that direction.
    more: bool,
}

async fn messages(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    let limit = asked.number("limit")?.unwrap_or(USUAL).clamp(1, MOST);
    let oldest = match asked.text("order") {
        None | Some("newest") => false,
        Some("oldest") => true,
        Some(_) => return Err(Refusal::wrong("order is oldest or newest")),
    };
    app.ask(move |app| {
        let filter = asked.filter()?;
        let marks = filter.marks();
        let style = app.style(&marks, &asked)?;
        let mut messages = app.messages(&filter, style, limit + 1, oldest)?;
        let more = messages.len() as u64 > limit;
        if more {
            messages.remove(if oldest { messages.len() - 1 } else { 0 });
        }
        Ok(json(&Messages { messages, more }))
    })
    .await
}

async fn message(
    State(app): State<Arc<App>>,
    Path(number): Path<u64>,
    RawQuery(query): RawQuery,
) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    app.ask(move |app| {
        // What is searched is marked, whether or not it is there.
        let marks = asked.filter()?.marks();
        let style = Style {
            full: true,
            ..app.style(&marks, &asked)?
        };
        let found = app.messages(&Asked::only(number)?, style, 1, true)?;
        match found.first() {
            Some(message) => Ok(json(message)),
            None => {
                let reason = format!("there is no message {number}");
                Err(Refusal::new(StatusCode::NOT_FOUND, reason))
            }
        }
    })
    .await
}

async fn all_numbers(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    app.count(move |app| {
        let filter = asked.filter()?;
        if filter.is_empty() && asked.flag("quick")? {
            return Ok(json(&quick(app.place.dir())?));
        }
        let found = app.source()?.map(|source| numbers(&source, &filter));
        Ok(json(&found.transpose()?.unwrap_or_else(Numbers::default)))
    })
    .await
}

async fn count(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    #[derive(Serialize)]
    struct Matching {
        matching: u64,
    }
    let asked = Asked::read(query.as_deref())?;
    app.count(move |app| {
        let filter = asked.filter()?;
        let matching = app
            .source()?
            .map(|source| query::matching(&source, &filter, &mut Findings::default()));
        let matching = matching.transpose()?.unwrap_or(0);
        Ok(json(&Matching { matching }))
    })
    .await
}

async fn histogram(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    let most = asked
        .number("buckets")?
        .unwrap_or(BUCKETS)
        .clamp(1, MOST_BUCKETS);
    app.count(move |app| {
        let moments: Moments = app.counted(&asked)?;
        let most = usize::try_from(most).unwrap_or(1);
        Ok(json(&moments.histogram(most, &app.palette)))
    })
    .await
}

async fn graph(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    app.count(move |app| Ok(json(&app.counted::<Answers>(&asked)?.graph())))
        .await
}

async fn statistics(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    app.count(move |app| {
        let filter = asked.filter()?;
        let mut findings = Findings::default();
        let Some(source) = app.source()? else {
            let reason = "nothing was recorded yet";
            return Err(Refusal::new(StatusCode::NOT_FOUND, reason));
        };
        let analysis: Analysis = query::count(&source, &filter, &mut findings)?;
        let report = analysis.report(&source, &filter, &findings, &app.zone)?;
        Ok(json(&report))
    })
    .await
}

/// All values of all kinds that there are, most messages first.
async fn all_values(State(app): State<Arc<App>>) -> Answer {
    #[derive(Serialize)]
    struct Listed {
        name: String,
        messages: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<usize>,
    }
    app.count(move |app| {
        let analysis: Analysis = app.counted(&Asked::default())?;
        let report = analysis.summary(&app.zone);
        let senders = report.senders.into_iter().filter_map(|sender| {
            let name = sender.name?;
            let kind = Some(app.palette.kind(&name));
            let messages = sender.messages;
            Some(Listed {
                name,
                messages,
                kind,
            })
        });
        let named = |names: Vec<query::Named>| -> Vec<Listed> {
            let named = names.into_iter().filter_map(|named| {
                let (messages, kind) = (named.messages, None);
                named.name.map(|name| Listed {
                    name,
                    messages,
                    kind,
                })
            });
            named.collect()
        };
        let all = [
            ("senders", senders.collect()),
            ("topics", named(report.topics)),
            ("tiers", named(report.tiers)),
            ("tags", named(report.tags)),
            ("chains", named(report.chains)),
            ("keys", named(report.keys)),
        ];
        Ok(json(&BTreeMap::from(all)))
    })
    .await
}

async fn values(State(app): State<Arc<App>>, Path(kind): Path<String>) -> Answer {
    #[derive(Serialize)]
    struct Listed {
        name: String,
        messages: u64,
        last: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<usize>,
    }
    let kind = match &*kind {
        "senders" => ValueKind::Sender,
        "keys" => ValueKind::Key,
        "topics" => ValueKind::Topic,
        "tags" => ValueKind::Tag,
        "chains" => ValueKind::Chain,
        _ => {
            let reason = "values are of senders, keys, topics, tags or chains";
            return Err(Refusal::new(StatusCode::NOT_FOUND, reason));
        }
    };
    app.count(move |app| {
        let values = app
            .source()?
            .map(|source| query::values(&source, kind, &app.zone));
        let values = values.transpose()?.unwrap_or_default();
        let listed = values.into_iter().map(|value| Listed {
            kind: (kind == ValueKind::Sender).then(|| app.palette.kind(&value.name)),
            name: value.name,
            messages: value.messages,
            last: value.last,
        });
        Ok(json(&listed.collect::<Vec<_>>()))
    })
    .await
}

async fn thread(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    app.ask(move |app| {
        let filter = asked.filter()?;
        let marks = filter.marks();
        let style = app.style(&marks, &asked)?;
        let (mut messages, mut more) = (Vec::new(), false);
        if let Some(source) = app.source()? {
            let mut each = Each(|entry: &Entry<'_>| {
                more = messages.len() >= THREAD;
                if more {
                    return ControlFlow::Break(());
                }
                messages.extend(style.message(entry));
                ControlFlow::Continue(())
            });
            let findings = &mut Findings::default();
            unless_ended(query::show_thread(
                &source, &name, &filter, findings, &mut each,
            ))?;
        }
        Ok(json(&Messages { messages, more }))
    })
    .await
}

/// How the recording is doing.
#[derive(Serialize)]
struct HealthAnswer {
    version: &'static str,
    /// What is shown.
    source: String,
    /// Whether messages are recorded; `null` where that is no question.
    recording: Option<bool>,
    /// Who says so: the broker, or the age of the newest message.
    told_by: Option<&'static str>,
    /// Why nothing is recorded, where the broker knows that.
    stalled: Option<String>,
    newest: Option<u64>,
    /// When the newest message was recorded, and how many seconds ago.
    time: Option<String>,
    seconds_ago: Option<i64>,
    messages_a_minute: u64,
    /// Of all that is recorded; `null` until it was counted.
    open_questions: Option<u64>,
    damaged_lines: u64,
    altered_messages: u64,
}

async fn health(State(app): State<Arc<App>>) -> Answer {
    app.ask(|app| Ok(json(&app.health()?))).await
}

impl App {
    fn health(&self) -> Result<HealthAnswer, Refusal> {
        let known = self.health.known();
        let marks = Marks::default();
        let style = self.style(&marks, &Asked::default())?;
        let newest = self.messages(&Filter::default(), style, 1, false)?;
        let newest = newest.first();
        let time = newest.map(|message| message.time().to_owned());
        let then = time.as_deref().and_then(query::Instant::parse);
        let now = jiff::Timestamp::now().as_millisecond();
        let seconds_ago = then.map(|then| (now - then.milliseconds()) / 1_000);
        let is_fresh = seconds_ago.is_some_and(|seconds| seconds < FRESH);
        let (recording, told_by) = match (&self.place, &known.broker) {
            (Place::Copy(_), _) => (None, None),
            (_, Some(told)) => (Some(told.is_recording), Some("broker")),
            (_, None) => (Some(is_fresh), Some("age")),
        };
        let counted = known.counted;
        let mut messages_a_minute = self.tail.rate();
        if let Some(counted) = counted.filter(|_| self.health.is_young()) {
            messages_a_minute = messages_a_minute.max(counted.new);
        }
        Ok(HealthAnswer {
            version: env!("CARGO_PKG_VERSION"),
            source: query::shown(self.place.dir()),
            recording,
            told_by,
            stalled: known.broker.and_then(|told| told.stalled),
            newest: newest.and_then(|message| message.number),
            time,
            seconds_ago,
            messages_a_minute,
            open_questions: counted.map(|counted| counted.open_questions),
            damaged_lines: counted
                .map_or(0, |counted| counted.damaged_lines)
                .max(self.tail.damaged()),
            altered_messages: counted.map_or(0, |counted| counted.altered_messages),
        })
    }
}

async fn live(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let asked = Asked::read(query.as_deref())?;
    // A browser that lost the connection says what it had last.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = last.and_then(|id| id.parse().ok());
    let from = match last.or(asked.number("after")?) {
        Some(number) => number,
        None => newest(&app).await?,
    };
    live::stream(app, asked, from)
}

/// The number of the newest message; 0 where there is none.
async fn newest(app: &Arc<App>) -> Result<u64, Refusal> {
    if let Some(last) = app.tail.last() {
        return Ok(last);
    }
    Arc::clone(app)
        .ask(|app| {
            let last = app.source()?.map(|source| end(&source, true)).transpose()?;
            Ok(last.flatten().unwrap_or(0))
        })
        .await
}
