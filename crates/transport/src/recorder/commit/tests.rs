use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};

use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::*;
use crate::config::OnStop;
use crate::net::sleeper;
use crate::pending::{AckHandle, Answer, PendingPublish};
use crate::testing::faulty::FaultyFs;
use crate::testing::recorder::recorder;
use crate::testing::{Bench, TAIL, batch};

/// A recorder, what it is asked, and what it tells.
struct Work {
    recorder: Recorder,
    fs: FaultyFs,
    dir: TempDir,
    requests: Sender<ArchiveRequest>,
    changes: Sender<Changeable>,
    archived: Receiver<PathBuf>,
}

impl Work {
    fn new() -> Self {
        let (fs, dir) = (FaultyFs::default(), tempfile::tempdir().unwrap());
        let bench = Bench::open(dir, Arc::new(fs.clone()), 10, TAIL);
        let waker = sleeper().unwrap().waker();
        let (dir, recorder) = recorder(bench, Queue::new(1, waker));
        let (requests, requested) = mpsc::channel();
        let (changes, changed) = mpsc::channel();
        let (tell, archived) = mpsc::channel();
        let recorder = Recorder {
            requests: requested,
            changes: changed,
            on_archived: Arc::new(move |path| tell.send(path.to_owned()).unwrap()),
            ..recorder
        };
        Self {
            recorder,
            fs,
            dir,
            requests,
            changes,
            archived,
        }
    }

    fn record(&mut self, number: u64) {
        self.recorder.record(vec![batch(number, 10)]).unwrap();
    }

    /// Asks that the session is closed; what comes of it is received.
    fn ask(&self, label: Option<&str>) -> Receiver<Result<Option<Archived>, IoError>> {
        let (tell, answer) = mpsc::channel();
        let request = ArchiveRequest {
            label: label.map(str::to_owned),
            reply: Box::new(move |result| tell.send(result).unwrap()),
        };
        self.requests.send(request).unwrap();
        answer
    }

    /// Returns the number of the newest message that is visible.
    fn visible(&self) -> u64 {
        self.recorder.tail.head().next - 1
    }
}

/// A batch of one message whose sender waits.
fn awaited(number: u64, answer: &Arc<Answer>) -> Batch {
    let mut batch = Batch::new(Group::new(number, 1 << 20));
    let publish = PendingPublish {
        frames: vec![b"t".to_vec(), b"x".to_vec()],
        ack: AckHandle::new(70 + number, answer),
        key_name: None,
        origin: None,
    };
    batch.push_pending(publish, "2025-11-20T04:30:00.123Z");
    batch
}

#[test]
fn a_sender_is_answered_when_its_message_is_on_the_disk_and_visible() {
    let mut work = Work::new();
    let (tell, told) = mpsc::channel();
    let (tail, synced) = (Arc::clone(&work.recorder.tail), tell.clone());
    let answer: Arc<Answer> = Arc::new(move |id, outcome| {
        let word = format!("{id} {outcome:?} of {}", tail.head().next - 1);
        tell.send(word).unwrap();
    });
    work.fs
        .before_sync(move || synced.send("written".to_owned()).unwrap());
    let batches = vec![batch(1, 10), awaited(2, &answer), awaited(3, &answer)];
    work.recorder.record(batches).unwrap();
    let told: Vec<String> = told.try_iter().collect();
    let expected = ["written", "72 Recorded(2) of 3", "73 Recorded(3) of 3"];
    assert_eq!(told, expected);
    assert_eq!(work.recorder.recorded.load(Ordering::Relaxed), 3);
}

#[test]
fn what_a_full_disk_did_not_take_is_held_and_recorded_once_when_there_is_room() {
    let mut work = Work::new();
    let queue = Arc::clone(&work.recorder.queue);
    (1..=2).for_each(|number| queue.put(batch(number, 10)));
    let crate::recorder::Taken::Batches(batches) = queue.take() else {
        panic!("two are there");
    };
    let answer = work.ask(None);
    work.fs.fail_write(ErrorKind::StorageFull);
    work.recorder.record(batches).unwrap();
    assert!(work.recorder.held.is_some() && work.recorder.health.is_stalled());
    assert_eq!(work.visible(), 0);
    assert!(queue.is_full(), "publishers come to feel it");
    let refused = answer.try_recv().unwrap().unwrap_err();
    assert_eq!(
        refused.source.kind(),
        ErrorKind::StorageFull,
        "nobody waits"
    );
    assert!(work.recorder.retry().unwrap());
    assert_eq!(work.visible(), 2);
    assert!(!queue.is_full() && !work.recorder.health.is_stalled());
    assert!(!work.recorder.retry().unwrap(), "nothing is held");
    work.record(3);
    assert_eq!(work.visible(), 3);
}

#[test]
fn a_stop_with_a_full_disk_tells_how_many_messages_are_not_recorded() {
    let mut work = Work::new();
    let queue = Arc::clone(&work.recorder.queue);
    (3..=5).for_each(|number| queue.put(batch(number, 10)));
    queue.end();
    work.fs.fail_write(ErrorKind::StorageFull);
    let batches = vec![batch(1, 10), batch(2, 10)];
    let failure = work.recorder.record(batches).unwrap_err();
    let is_right = matches!(failure, Failure::NotRecorded { messages: 5 });
    assert!(is_right, "{failure:?}");
}

#[test]
fn what_is_recorded_at_once_waits_in_the_queue_where_the_disk_is_full() {
    let mut work = Work::new();
    work.fs.fail_write(ErrorKind::StorageFull);
    work.recorder.record_at_once(batch(1, 10));
    assert_eq!((work.visible(), work.recorder.queue.waiting()), (0, 1));
    assert!(work.recorder.failed.is_none() && work.recorder.held.is_none());
    // Any other failure is one for the recorder's thread to tell.
    let mut work = Work::new();
    work.recorder.record_at_once(batch(2, 10));
    assert!(matches!(work.recorder.failed, Some(Failure::Recording(_))));
    assert!(!work.recorder.queue.is_idle());
}

#[test]
fn every_session_that_is_closed_is_named_once_whatever_closed_it() {
    let mut work = Work::new();
    let days = Arc::new(AtomicU64::new(1));
    let clock = Arc::clone(&days);
    work.recorder.clock = Arc::new(move || {
        SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * clock.load(Ordering::Relaxed))
    });
    let now = (work.recorder.clock)();
    work.recorder.rotation = Rotation::new(Some((0, 0)), TimeZone::UTC, now);

    work.recorder.max_session = Some(1);
    work.record(1);
    work.recorder.max_session = None;
    work.record(2);
    let answer = work.ask(Some("label"));
    work.recorder.housekeeping();
    let labelled = answer.try_recv().unwrap().unwrap().unwrap();
    assert!(labelled.name.contains("label"), "{}", labelled.name);
    work.record(3);
    work.recorder.housekeeping();
    assert_eq!(work.recorder.tail.current().first, 3, "it is not due");
    days.store(2, Ordering::Relaxed);
    work.recorder.housekeeping();
    assert_eq!(work.recorder.tail.current().first, 4);

    let named: Vec<PathBuf> = work.archived.try_iter().collect();
    let there = journal::list_archives(work.dir.path()).unwrap();
    let there: Vec<PathBuf> = there.into_iter().map(|it| it.path).collect();
    assert_eq!((named.len(), &named), (3, &there));
    assert_eq!(named[1], labelled.path);
}

#[test]
fn an_empty_session_is_not_closed_and_whoever_asked_learns_that() {
    let mut work = Work::new();
    let answer = work.ask(None);
    work.recorder.housekeeping();
    assert!(answer.try_recv().unwrap().unwrap().is_none());
    assert!(work.archived.try_recv().is_err());
}

#[test]
fn a_session_is_closed_by_the_group_that_reaches_its_size_as_it_was_set_last() {
    let mut work = Work::new();
    work.record(1);
    let change = Changeable {
        rotate_at: None,
        max_session: Some(2 * work.recorder.writer.session().bytes),
        on_stop: OnStop::Archive,
    };
    work.changes.send(change).unwrap();
    work.recorder.housekeeping();
    assert!(work.archived.try_recv().is_err());
    work.record(2);
    assert!(work.archived.try_recv().is_ok());
    assert_eq!(work.recorder.tail.current().first, 3);
    work.record(3);
    assert!(work.archived.try_recv().is_err());
}
