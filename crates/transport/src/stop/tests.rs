use std::net::TcpListener;
use std::sync::Arc;

use super::*;
use crate::assembly::{Ports, assemble, open};
use crate::config::Config;
use crate::net::{Entrance, Port};
use crate::pending::{AckHandle, Answer, PendingPublish};
use crate::testing::batch;
use crate::worker::{Spawn, Spawned, Worker};

/// Starts nobody: what is stopped here has not begun.
struct Nobody;

impl Spawn for Nobody {
    fn spawn(&self, _: String, _: Box<dyn Worker>) -> std::io::Result<Box<dyn Spawned>> {
        Ok(Box::new(Self))
    }
}

impl Spawned for Nobody {
    fn is_done(&self) -> bool {
        true
    }

    fn join(self: Box<Self>) {}
}

/// The parts of a broker, which note what each of them finds when it is to end.
struct Parts<'a> {
    shared: &'a Shared,
    found: Vec<&'static str>,
    fails: bool,
}

impl Parts<'_> {
    fn note(&mut self, part: &'static str, is_right: bool) {
        assert!(is_right, "{part}");
        self.found.push(part);
    }
}

impl Running for Parts<'_> {
    fn end_intake(&mut self) -> Option<Unread> {
        let Shared { phase, queue, .. } = self.shared;
        self.note("intake", !phase.is_running() && !queue.has_ended());
        Some(Unread {
            publishers: 1,
            bytes: 2,
        })
    }

    fn end_recorder(&mut self) -> bool {
        let Shared {
            phase,
            queue,
            publishes,
            ..
        } = self.shared;
        let answer: Arc<Answer> = Arc::new(|_, _| {});
        let late = PendingPublish {
            frames: Vec::new(),
            ack: AckHandle::new(1, &answer),
            key_name: None,
            origin: None,
        };
        let is_last = publishes.put(late).is_err() && queue.has_ended();
        self.note("recorder", is_last && phase.is_recording());
        self.shared.recording.run().is_ok() && !self.fails
    }

    fn end_control(&mut self) {
        self.note("control", !self.shared.phase.is_recording());
    }

    fn drain_delivery(&mut self, _: Duration) {
        self.note("drained", !self.shared.phase.is_closing());
    }

    fn end_delivery(&mut self) {
        self.note("delivery", self.shared.phase.is_closing());
    }
}

/// Stops a broker that has taken in so many messages.
fn stopped(messages: u64, on_stop: OnStop, fails: bool) -> Stopped {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        on_stop,
        ..Config::new(dir.path())
    };
    let entrance = || -> Entrance {
        let port: Box<dyn Port> = Box::new(TcpListener::bind("127.0.0.1:0").unwrap());
        port.into()
    };
    let ports = Ports {
        publishers: entrance(),
        subscribers: entrance(),
        requests: entrance(),
        numbers: [1, 2],
    };
    let opened = open(&config).unwrap();
    let shared = assemble(&config, opened, ports, Arc::new(Nobody))
        .unwrap()
        .shared;
    (1..=messages).for_each(|number| shared.queue.put(batch(number, 10)));
    let mut parts = Parts {
        shared: &shared,
        found: Vec::new(),
        fails,
    };
    let stopped = stop(&shared, &mut parts);
    let order = ["intake", "recorder", "control", "drained", "delivery"];
    assert_eq!(parts.found, order);
    stopped
}

#[test]
fn the_parts_end_in_order_and_what_was_taken_in_is_recorded_before_the_session_is_closed() {
    let stopped = stopped(3, OnStop::Archive, false);
    assert_eq!(stopped.recorded, 3);
    assert_eq!(stopped.unread.map(|it| it.bytes), Some(2));
    let LastSession::Archived(archived) = stopped.session else {
        panic!("{stopped:?}");
    };
    assert_eq!(archived.records, 3);
}

#[test]
fn a_session_is_kept_where_that_is_wanted_or_recording_has_failed() {
    let session = |messages, on_stop, fails| stopped(messages, on_stop, fails).session;
    let kept = session(2, OnStop::Keep, false);
    assert!(
        matches!(kept, LastSession::Continued { records: 2 }),
        "{kept:?}"
    );
    let broken = session(2, OnStop::Archive, true);
    assert!(matches!(broken, LastSession::Broken), "{broken:?}");
    for on_stop in [OnStop::Keep, OnStop::Archive] {
        let empty = session(0, on_stop, false);
        assert!(matches!(empty, LastSession::Empty), "{empty:?}");
    }
}
