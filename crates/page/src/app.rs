//! What the answers are made of, and where they are worked out.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::http::StatusCode;
use query::{Entry, Filter, Findings, Marks, Order, Source, Zone};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::answer::Refusal;
use crate::criteria::Asked;
use crate::drawn::{Each, Message, Palette, Style, unless_ended};
use crate::files::Place;
use crate::health::Health;
use crate::tail::Tail;

/// What the answers are made of.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) place: Place,
    pub(crate) zone: Zone,
    pub(crate) palette: Palette,
    pub(crate) tail: Arc<Tail>,
    pub(crate) health: Health,
    pub(crate) questions: Arc<Semaphore>,
    pub(crate) counts: Arc<Semaphore>,
    pub(crate) watchers: Arc<Semaphore>,
}

impl App {
    /// Opens all sessions; `None` where nothing was recorded yet.
    pub(crate) fn source(&self) -> Result<Option<Source>, query::Error> {
        match Source::all(self.place.dir()) {
            Ok(source) => Ok(Some(source)),
            Err(query::Error::NoSession { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Answers a question on a thread that may wait for the disk.
    pub(crate) async fn ask<T: Send + 'static>(
        self: Arc<Self>,
        question: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let places = Arc::clone(&self.questions);
        self.answer(places, question).await
    }

    /// Answers a question for which all sessions may have to be read.
    pub(crate) async fn count<T: Send + 'static>(
        self: Arc<Self>,
        question: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let places = Arc::clone(&self.counts);
        self.answer(places, question).await
    }

    async fn answer<T: Send + 'static>(
        self: Arc<Self>,
        places: Arc<Semaphore>,
        question: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let ended = |reason| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, reason);
        let place = places.acquire_owned().await;
        let place = place.map_err(|_| ended("the server ends"))?;
        let answer = spawn_blocking(move || {
            let answer = question(&self);
            drop(place);
            answer
        });
        answer
            .await
            .map_err(|_| ended("the question could not be answered"))?
    }

    pub(crate) fn style<'a>(
        &'a self,
        marks: &'a Marks,
        asked: &Asked,
    ) -> Result<Style<'a>, Refusal> {
        Ok(Style {
            palette: &self.palette,
            marks,
            zone: &self.zone,
            draw: asked.flag("draw")?,
            full: asked.flag("full")?,
        })
    }

    /// Gives messages in the order of their numbers: the oldest ones that match, or
    /// the newest ones.
    pub(crate) fn messages(
        &self,
        filter: &Filter,
        style: Style<'_>,
        limit: u64,
        oldest: bool,
    ) -> Result<Vec<Message>, query::Error> {
        let mut found = Vec::new();
        let Some(source) = self.source()? else {
            return Ok(found);
        };
        let mut each = Each(|entry: &Entry<'_>| {
            found.extend(style.message(entry));
            match found.len() as u64 >= limit {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let order = Order {
            limit: (!oldest).then_some(limit),
            newest_first: false,
        };
        let findings = &mut Findings::default();
        unless_ended(query::show(&source, filter, order, findings, &mut each))?;
        Ok(found)
    }

    /// Counts what matches.
    pub(crate) fn counted<A: query::Accumulator>(&self, asked: &Asked) -> Result<A, Refusal> {
        let filter = asked.filter()?;
        let found = self
            .source()?
            .map(|source| query::count::<A>(&source, &filter, &mut Findings::default()));
        Ok(found.transpose()?.unwrap_or_default())
    }
}
