//! The stream of a journal: made if it is missing, checked if it is there.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, RetentionPolicy, State, StorageType,
};
use async_nats::jetstream::{Context, ErrorCode, stream};
use log::{info, warn};

use crate::error::Error;
use crate::subject;

/// How long anything may take: some calls never come back when a server is killed.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many servers keep a stream where there are enough.
const REPLICAS: usize = 3;
/// What the names of all streams begin with.
const PREFIX: &str = "CONV_";
/// In a stream's metadata, the identity of its journal.
const JOURNAL: &str = "journal";

/// A stream, as it was found or made.
#[derive(Clone)]
pub(crate) struct Stream {
    pub(crate) context: Context,
    pub(crate) name: String,
    /// The stream with the parts of large records.
    pub(crate) parts: String,
    /// What the journal is called.
    pub(crate) origin: String,
    /// Its identity.
    pub(crate) journal: String,
    /// The number of the first record that it has, or will have.
    pub(crate) first: u64,
}

/// Waits for something for a bounded time.
pub(crate) async fn within<T>(what: &str, answer: impl IntoFuture<Output = T>) -> Result<T, Error> {
    let answer = tokio::time::timeout(PATIENCE, answer.into_future()).await;
    answer.map_err(|_| Error::Silent {
        what: what.to_owned(),
        waited: PATIENCE,
    })
}

/// Returns the name of a journal's stream.
pub(crate) fn name(origin: &str) -> String {
    format!("{PREFIX}{origin}")
}

/// Returns the journal's name, if that is the name of a stream of one.
pub(crate) fn origin(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

fn parts_name(origin: &str) -> String {
    format!("CONVPARTS_{origin}")
}

impl Stream {
    /// Returns the stream of a journal; `None` where there is none.
    pub(crate) async fn find(context: &Context, origin: &str) -> Result<Option<Self>, Error> {
        let Some(info) = info_of(context, &name(origin)).await? else {
            return Ok(None);
        };
        let journal = info.config.metadata.get(JOURNAL).cloned();
        let stream = Self {
            context: context.clone(),
            name: name(origin),
            parts: parts_name(origin),
            origin: origin.to_owned(),
            journal: journal.unwrap_or_default(),
            first: info.config.first_sequence.unwrap_or(1).max(1),
        };
        if stream.journal.is_empty() {
            let reason = "it was not made by a bridge (its metadata name no journal): remove or \
                          rename it, or give --origin another name";
            return Err(Error::stream(&stream.name, reason));
        }
        stream.check(&info)?;
        Ok(Some(stream))
    }

    /// Makes the stream of a journal, which begins at this number.
    pub(crate) async fn make(
        context: &Context,
        origin: &str,
        journal: &str,
        first: u64,
        replicas: Option<usize>,
    ) -> Result<Self, Error> {
        let parts = config(
            parts_name(origin),
            subject::parts(origin),
            journal,
            origin,
            1,
        );
        create(context, parts, replicas).await?;
        let config = config(name(origin), subject::all(origin), journal, origin, first);
        create(context, config, replicas).await?;
        info!("made the stream {} from number {first} on", name(origin));
        Self::find(context, origin)
            .await?
            .ok_or_else(|| Error::stream(&name(origin), "it was removed while it was made"))
    }

    /// Returns how far the stream is, from its leader.
    pub(crate) async fn state(&self) -> Result<State, Error> {
        let info = info_of(&self.context, &self.name).await?;
        let Some(info) = info else {
            let reason = "it was removed: restore it, or let a bridge ship the journal anew";
            return Err(Error::stream(&self.name, reason));
        };
        self.check(&info)?;
        Ok(info.state)
    }

    /// Returns the last number that it has; the one before its first where it is empty.
    pub(crate) async fn last(&self) -> Result<u64, Error> {
        Ok(self.last_of(&self.state().await?))
    }

    /// Returns the last number of a state.
    pub(crate) fn last_of(&self, state: &State) -> u64 {
        match state.messages {
            0 => self.first.saturating_sub(1),
            _ => state.last_sequence,
        }
    }

    /// Says what is done, where something goes wrong with it.
    pub(crate) fn reading(&self) -> String {
        format!("reading the stream {}", self.name)
    }

    /// Returns a handle to read single messages by.
    pub(crate) async fn messages(&self) -> Result<stream::Stream<()>, Error> {
        handle(&self.context, &self.name).await
    }

    /// Returns one for the parts of large records.
    pub(crate) async fn parts(&self) -> Result<stream::Stream<()>, Error> {
        handle(&self.context, &self.parts).await
    }

    /// Tells whether anything was, or may be, thrown away that others have not read.
    fn check(&self, info: &Info) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::stream(&self.name, reason));
        let found = info.config.metadata.get(JOURNAL);
        if found.is_some_and(|found| *found != self.journal) {
            return wrong(
                "it belongs to another journal now: it was removed and made anew".to_owned(),
            );
        }
        if let Some(reason) = loses(&info.config) {
            return wrong(format!(
                "{reason}: mend that with `nats stream edit {}`",
                self.name
            ));
        }
        let state = &info.state;
        if state.messages > 0 && state.first_sequence > self.first {
            return wrong(format!(
                "the numbers {} to {} were removed from it: they can't be put back; remove the \
                 stream, and the bridge ships the journal anew",
                self.first,
                state.first_sequence - 1
            ));
        }
        if state.messages == 0 && state.last_sequence >= self.first {
            return wrong(format!(
                "it was purged: the numbers up to {} can't be put back; remove the stream, and \
                 the bridge ships the journal anew",
                state.last_sequence
            ));
        }
        match state.deleted_count.unwrap_or(0) {
            0 => Ok(()),
            count => wrong(format!(
                "{count} messages were deleted from its middle: remove the stream, and the bridge \
                 ships the journal anew"
            )),
        }
    }
}

async fn handle(context: &Context, name: &str) -> Result<stream::Stream<()>, Error> {
    let what = format!("looking at the stream {name}");
    let handle = within(&what, context.get_stream_no_info(name)).await?;
    handle.map_err(|error| Error::nats(what, &error))
}

/// Returns what a server tells of a stream; `None` where there is none.
async fn info_of(context: &Context, name: &str) -> Result<Option<Info>, Error> {
    let what = format!("looking at the stream {name}");
    match within(&what, context.get_stream(name)).await? {
        Ok(stream) => Ok(Some(stream.cached_info().clone())),
        Err(error) if is_missing(&error.kind()) => Ok(None),
        Err(error) => Err(Error::nats(what, &error)),
    }
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    match kind {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    }
}

fn config(name: String, subject: String, journal: &str, origin: &str, first: u64) -> Config {
    let metadata = [(JOURNAL, journal), ("origin", origin)];
    Config {
        name,
        subjects: vec![subject],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        max_consumers: -1,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        first_sequence: (first > 1).then_some(first),
        metadata: HashMap::from(metadata.map(|(key, value)| (key.to_owned(), value.to_owned()))),
        ..Config::default()
    }
}

async fn create(context: &Context, config: Config, replicas: Option<usize>) -> Result<(), Error> {
    let name = config.name.clone();
    let what = format!("making the stream {name}");
    let wanted = replicas.unwrap_or(REPLICAS);
    let config = Config {
        num_replicas: wanted,
        ..config
    };
    let Err(error) = within(&what, context.create_stream(config.clone())).await? else {
        return Ok(());
    };
    if replicas.is_some() || wanted == 1 || !lacks_servers(&error.kind()) {
        return Err(Error::nats(what, &error));
    }
    warn!("{name}: there are no {REPLICAS} servers, so one alone keeps it ({error})");
    let alone = Config {
        num_replicas: 1,
        ..config
    };
    let made = within(&what, context.create_stream(alone)).await?;
    made.map(drop).map_err(|error| Error::nats(what, &error))
}

fn lacks_servers(kind: &CreateStreamErrorKind) -> bool {
    const FEW: [ErrorCode; 3] = [
        ErrorCode::CLUSTER_NO_PEERS,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED,
    ];
    match kind {
        CreateStreamErrorKind::JetStream(error) => FEW.contains(&error.error_code()),
        _ => false,
    }
}

/// Says what of a stream's settings throws away what somebody may not have read.
fn loses(config: &Config) -> Option<String> {
    let is_limited = config.max_messages > 0 || config.max_bytes > 0;
    if config.retention != RetentionPolicy::Limits {
        return Some("it removes messages that were read (retention is not limits)".to_owned());
    }
    if !config.max_age.is_zero() {
        let seconds = config.max_age.as_secs();
        return Some(format!(
            "it removes messages after {seconds} seconds (max_age)"
        ));
    }
    if config.max_messages_per_subject > 0 {
        return Some(
            "it removes messages when a subject has many (max_msgs_per_subject)".to_owned(),
        );
    }
    if is_limited && config.discard == DiscardPolicy::Old {
        return Some("it removes old messages when it is full (discard is not new)".to_owned());
    }
    if !config.deny_purge || !config.deny_delete {
        return Some(
            "it may be purged, or messages be deleted (deny_purge, deny_delete)".to_owned(),
        );
    }
    if config.no_ack {
        return Some("it does not say what it has stored (no_ack)".to_owned());
    }
    if config.storage != StorageType::File {
        return Some("it is kept in memory alone (storage is not file)".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Config {
        config("CONV_pc".to_owned(), subject::all("pc"), "j", "pc", 1)
    }

    #[test]
    fn what_a_bridge_makes_loses_nothing_and_what_loses_is_named() {
        assert_eq!(loses(&ours()), None);
        let full = Config {
            max_bytes: 1 << 30,
            ..ours()
        };
        assert_eq!(loses(&full), None, "it refuses what is new");
        let wrong = |change: fn(&mut Config)| {
            let mut config = ours();
            change(&mut config);
            loses(&config).unwrap()
        };
        assert!(wrong(|it| it.max_age = Duration::from_secs(60)).contains("max_age"));
        assert!(wrong(|it| it.retention = RetentionPolicy::WorkQueue).contains("retention"));
        assert!(wrong(|it| it.max_messages_per_subject = 1).contains("per_subject"));
        assert!(wrong(|it| it.deny_purge = false).contains("deny_purge"));
        assert!(wrong(|it| it.deny_delete = false).contains("deny_delete"));
        assert!(wrong(|it| it.no_ack = true).contains("no_ack"));
        assert!(wrong(|it| it.storage = StorageType::Memory).contains("storage"));
        let old = |it: &mut Config| {
            it.discard = DiscardPolicy::Old;
            it.max_bytes = 1;
        };
        assert!(wrong(old).contains("discard"));
    }

    #[test]
    fn the_names_of_streams_of_records_and_of_parts_are_never_the_same() {
        assert_eq!(origin(&name("pc")), Some("pc"));
        assert_eq!(origin(&parts_name("pc")), None);
    }
}
