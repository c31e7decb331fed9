//! How a broker is run.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use journal::Options;
use journal::raw::{FileSystem, RealFs};

use crate::bind::Bind;
use crate::calendar::local_stamp;
use crate::keys::Keys;

/// The port for publishers, unless another one is named.
pub const PUB_PORT: u16 = 5555;
/// The port for subscribers, unless another one is named.
pub const SUB_PORT: u16 = 5556;
/// What becomes of the session when a broker stops in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnStop {
    /// It is closed: the next start is a new phase.
    #[default]
    Archive,
    /// It is continued at the next start, as after a crash: subscribers get its
    /// history.
    Keep,
}

/// Which messages are a new subscription's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replay {
    /// The newest of the session being written: a new session is a new phase.
    #[default]
    Session,
    /// The newest of all sessions that are there.
    All,
}

/// What may change while a broker runs, see [`Broker::change`](crate::Broker::change).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changeable {
    /// As [`Config::rotate_at`].
    pub rotate_at: Option<(i8, i8)>,
    /// As [`Config::max_session`].
    pub max_session: Option<u64>,
    /// As [`Config::on_stop`].
    pub on_stop: OnStop,
}

/// How a broker is run.
#[derive(Clone)]
pub struct Config {
    /// The journal's directory; it is created where it is missing.
    pub dir: PathBuf,
    /// The addresses to listen on, with the same ports on each.
    pub bind: Vec<Bind>,
    /// The publishers' port; 0 picks a free one.
    pub pub_port: u16,
    /// The subscribers' port; 0 picks a free one.
    pub sub_port: u16,
    /// The port for acknowledged publishing, durable consumers and status; 0
    /// picks a free one.
    pub control_port: u16,
    /// The Unix sockets to listen on besides.
    pub ipc: IpcPaths,
    /// Among how many of the newest messages a repeated `message_id` of an
    /// acknowledged publish is recognised; 0 is none.
    pub dedupe_window: u64,
    /// How long a consumer may be silent before it is given up.
    pub consumer_timeout: Duration,
    /// How many of the newest messages a new subscription gets.
    pub history: u64,
    /// Of which sessions these are.
    pub replay: Replay,
    /// The local time of the daily rotation, hour and minute.
    pub rotate_at: Option<(i8, i8)>,
    /// The largest message that is taken, in bytes of all its frames.
    pub max_message: u64,
    /// The size in bytes at which a session is archived.
    pub max_session: Option<u64>,
    /// How many bytes of messages may be in the broker's memory: unfinished
    /// ones, those received and not yet on disk, and recent ones. Beyond it
    /// publishers are held up.
    pub max_memory: u64,
    /// For how long a broker that stops takes in what has arrived, at most.
    /// Where publishers go on sending without a pause, it takes that long.
    pub stop_timeout: Duration,
    /// What becomes of the session when the broker stops in order.
    pub on_stop: OnStop,
    /// Whose keys are let in; `None` lets in everybody who can connect.
    pub keys: Option<Arc<Keys>>,
    /// Whether a message is refused that says to be sent by the owner of another
    /// key than the one that it came with.
    pub strict_sender: bool,
    /// The file system that the journal is on: the system's own, or one that a
    /// test makes fail.
    pub fs: Arc<dyn FileSystem>,
    /// The wall clock.
    pub clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// The time zone of the rotation and of the archives' names.
    pub zone: TimeZone,
    /// Is told of each session that was closed. Recording waits for it, so that it
    /// should only hand the path on.
    pub on_archived: Arc<dyn Fn(&Path) + Send + Sync>,
}

/// Unix sockets to listen on, where the system has them. The folder of each is made for
/// its owner alone if it is missing; the file goes when the broker stops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpcPaths {
    /// For publishers.
    pub publishers: Option<PathBuf>,
    /// For subscribers.
    pub subscribers: Option<PathBuf>,
    /// For acknowledged publishing, durable consumers and status.
    pub requests: Option<PathBuf>,
}

impl Config {
    /// Returns the defaults: loopback, ports 5555, 5556 and 5558, 10,000 messages of
    /// history, rotation at midnight, messages up to 64 MiB.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            bind: vec![IpAddr::from(Ipv4Addr::LOCALHOST).into()],
            pub_port: PUB_PORT,
            sub_port: SUB_PORT,
            control_port: protocol::CONTROL_PORT,
            ipc: IpcPaths::default(),
            dedupe_window: 200_000,
            consumer_timeout: Duration::from_secs(120),
            history: 10_000,
            replay: Replay::Session,
            rotate_at: Some((0, 0)),
            max_message: 64 << 20,
            max_session: None,
            max_memory: 256 << 20,
            stop_timeout: Duration::from_secs(30),
            on_stop: OnStop::Archive,
            keys: None,
            strict_sender: false,
            fs: Arc::new(RealFs),
            clock: Arc::new(SystemTime::now),
            zone: TimeZone::system(),
            on_archived: Arc::new(|_| {}),
        }
    }

    /// Returns what of it may change while a broker runs.
    #[must_use]
    pub fn changeable(&self) -> Changeable {
        Changeable {
            rotate_at: self.rotate_at,
            max_session: self.max_session,
            on_stop: self.on_stop,
        }
    }

    /// Returns the keys whose names are for their owners alone.
    pub(crate) fn strict_keys(&self) -> Option<Arc<Keys>> {
        self.keys.clone().filter(|_| self.strict_sender)
    }

    /// Half of the memory is for what waits for the disk.
    pub(crate) fn queue_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 2).unwrap_or(usize::MAX)
    }

    /// A quarter is for messages of which a part has come.
    pub(crate) fn unfinished_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 4).unwrap_or(usize::MAX)
    }

    /// How much may wait for intake on its way from the control port.
    pub(crate) fn pending_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 8).unwrap_or(usize::MAX)
    }

    /// A quarter is for recent messages, which subscribers take from there.
    pub(crate) fn tail_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 4).unwrap_or(usize::MAX)
    }

    pub(crate) fn journal_options(&self) -> Options {
        let (clock, zone) = (Arc::clone(&self.clock), self.zone.clone());
        Options {
            max_line: self.max_line(),
            stamp: Arc::new(move || local_stamp(clock(), &zone)),
            fs: Arc::clone(&self.fs),
            ..Options::default()
        }
    }

    /// Returns how long a line can get at most: no message is refused because of
    /// its line.
    pub(crate) fn max_line(&self) -> usize {
        let line = message::longest_line(self.max_message, zmtp::MAX_FRAMES);
        usize::try_from(line).unwrap_or(usize::MAX)
    }
}
