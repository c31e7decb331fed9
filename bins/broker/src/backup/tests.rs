//! What somebody who writes the journal, looks after it or reads it does between the
//! steps of a copy must not show in the copy.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use journal::raw::Writer;
use journal::{Archive, Options, Recovery, Retention, Surroundings, Upkeep};
use tempfile::TempDir;

use super::*;

/// Something that happens to a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Record,
    Close,
    CloseTwice,
    Compress,
    Remove,
    Acknowledge,
}

const EVENTS: [Event; 6] = [
    Event::Record,
    Event::Close,
    Event::CloseTwice,
    Event::Compress,
    Event::Remove,
    Event::Acknowledge,
];

/// A journal that is being written.
struct World {
    dir: TempDir,
    writer: Writer,
}

impl World {
    /// Three closed sessions of three messages each, and two messages in the current one.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (writer, _) = Writer::open(dir.path(), Options::default()).unwrap();
        let mut world = Self { dir, writer };
        for _ in 0..3 {
            world.record(3);
            world.writer.archive(None).unwrap();
        }
        world.record(2);
        world
    }

    fn record(&mut self, count: usize) {
        for _ in 0..count {
            let mut group = self.writer.group();
            let payload = format!(
                r#"{{"sender":"a","content":{}}}"#,
                self.writer.next_number()
            );
            let time = "2025-11-20T04:30:00.123Z";
            let pushed = group.push_with(|out| message::encode(&["t", &payload], time, out));
            pushed.unwrap();
            self.writer.commit(&[&group]).unwrap();
        }
    }

    fn last(&self) -> u64 {
        self.writer.next_number() - 1
    }

    /// Writes the position of a consumer that has acknowledged all there is.
    fn acknowledge(&self) {
        let consumers = self.dir.path().join(CONSUMERS);
        fs::create_dir_all(&consumers).unwrap();
        let position = format!(
            r#"{{"name":"x","message_num":{},"updated_at":"2025-11-20T04:30:00.123Z"}}"#,
            self.last()
        );
        fs::write(consumers.join("consumer_x.json"), position).unwrap();
    }

    fn compress(&self) {
        let upkeep = Upkeep::begin(self.dir.path()).unwrap();
        for session in upkeep.sessions().unwrap() {
            if !session.archive.is_compressed() {
                upkeep.compress(&session.archive, 1).unwrap();
            }
        }
    }

    /// Removes the oldest session, as retention does.
    fn remove(&self) {
        let upkeep = Upkeep::begin(self.dir.path()).unwrap();
        let rules = Retention {
            size: Some(0),
            ..Retention::default()
        };
        let around = Surroundings {
            now: std::time::SystemTime::now() + Duration::from_secs(9),
            current: 0,
            disk: None,
            needed_from: u64::MAX,
        };
        let plan = rules.plan(&upkeep.sessions().unwrap(), &around);
        upkeep.remove(&plan.expired[0]).unwrap();
    }

    fn meddle(&mut self, event: Event) {
        match event {
            Event::Record => self.record(2),
            Event::Close => {
                self.writer.archive(None).unwrap();
                self.record(2);
            }
            Event::CloseTwice => {
                self.meddle(Event::Close);
                self.meddle(Event::Close);
            }
            Event::Compress => self.compress(),
            Event::Remove => self.remove(),
            Event::Acknowledge => {
                self.record(2);
                self.acknowledge();
            }
        }
    }
}

/// A folder before one of whose copies something happens.
struct Between<'a> {
    folder: Folder,
    world: &'a mut World,
    event: Event,
    /// Before which copy; counted down.
    at: Option<usize>,
}

impl Between<'_> {
    fn step(&mut self) {
        self.at = match self.at {
            Some(0) => {
                self.world.meddle(self.event);
                None
            }
            at => at.map(|at| at - 1),
        };
    }
}

impl Place for Between<'_> {
    fn closed(&mut self, archive: &Archive) -> anyhow::Result<bool> {
        self.step();
        self.folder.closed(archive)
    }

    fn file(&mut self, from: &Path, name: &Path) -> anyhow::Result<()> {
        self.step();
        self.folder.file(from, name)
    }

    fn session(&mut self, session: Option<&SessionFile>, name: &Path) -> anyhow::Result<()> {
        self.step();
        self.folder.session(session, name)
    }
}

fn open(copy: &Path) -> (u64, Recovery) {
    let (writer, recovery) = Writer::open(copy, Options::default()).unwrap();
    (writer.next_number() - 1, recovery)
}

/// The copy is clean, has all that was there when it began, and knows of nothing else.
#[track_caller]
fn assert_whole(copy: &Path, there: u64, told: &str) {
    let report = query::verify(copy, Scope::All, &mut |_| Ok(())).unwrap();
    assert!(report.is_clean(), "{told}: {report:?}");
    let (last, recovery) = open(copy);
    assert!(last >= there, "{told}: {last} of {there}");
    assert_eq!(recovery.missing, [], "{told}");
    let named = transport::named_positions(copy).unwrap();
    let acked = named.first().and_then(|consumer| consumer.number);
    assert!(acked <= Some(last), "{told}: {acked:?} of {last}");
}

#[test]
fn whatever_happens_between_the_steps_a_copy_is_whole() {
    for event in EVENTS {
        for step in 0.. {
            let mut world = World::new();
            world.acknowledge();
            let (dir, there) = (world.dir.path().to_owned(), world.last());
            let copy = tempfile::tempdir().unwrap();
            let mut place = Between {
                folder: Folder::open(copy.path()).unwrap(),
                world: &mut world,
                event,
                at: Some(step),
            };
            let told = format!("{event:?} before step {step}");
            copy_journal(&dir, &mut place).unwrap_or_else(|error| panic!("{told}: {error:#}"));
            let was_last = place.at.is_some();
            drop(place);
            assert_whole(copy.path(), there, &told);
            // What came meanwhile is in the next one, beside what is there already.
            copy_journal(&dir, &mut Folder::open(copy.path()).unwrap()).unwrap();
            assert_whole(
                copy.path(),
                world.last(),
                &format!("the copy behind {told}"),
            );
            if was_last {
                assert!(step > 5, "there were {step} steps");
                break;
            }
        }
    }
}

#[test]
fn what_was_cut_short_is_copied_again_and_what_is_torn_is_not_copied() {
    let world = World::new();
    let copy = tempfile::tempdir().unwrap();
    let dir = world.dir.path();
    copy_journal(dir, &mut Folder::open(copy.path()).unwrap()).unwrap();
    let archive = &Sessions::of(copy.path()).closed().unwrap()[0].path;
    let text = fs::read(archive).unwrap();
    fs::write(archive, &text[..text.len() / 2]).unwrap();
    let current = Layout::new(dir).current();
    let mut file = OpenOptions::new().append(true).open(&current).unwrap();
    file.write_all(br#"{"message_num":12,"topic":"half a li"#)
        .unwrap();
    copy_journal(dir, &mut Folder::open(copy.path()).unwrap()).unwrap();
    let copied = fs::read(Layout::new(copy.path()).current()).unwrap();
    assert!(copied.ends_with(b"}\n"));
    assert_whole(copy.path(), 11, "the second copy");
}

/// On a slow disk that takes a while, and whoever copies then finds no current session.
#[test]
fn between_two_sessions_nothing_of_an_earlier_copy_stays_as_the_current_one() {
    let mut world = World::new();
    let copy = tempfile::tempdir().unwrap();
    let dir = world.dir.path().to_owned();
    let again = || copy_journal(&dir, &mut Folder::open(copy.path()).unwrap()).unwrap();
    again();
    world.writer.archive(None).unwrap();
    let current = Layout::new(&dir).current();
    fs::remove_file(&current).unwrap();
    again();
    assert_whole(copy.path(), 11, "copied in between");
}

#[test]
fn a_second_backup_to_the_same_place_is_refused_while_the_first_one_runs() {
    let world = World::new();
    let copy = tempfile::tempdir().unwrap();
    let first = Folder::open(copy.path()).unwrap();
    let refused = Folder::open(copy.path()).map(|_| ()).unwrap_err();
    assert!(
        format!("{refused:#}").contains("another program"),
        "{refused:#}"
    );
    drop(first);
    copy_journal(world.dir.path(), &mut Folder::open(copy.path()).unwrap()).unwrap();
    assert_whole(copy.path(), 11, "the second one");
}

#[test]
fn a_journal_keeps_its_identity_and_its_history_and_knows_that_it_was_restored() {
    let world = World::new();
    world.remove();
    let (copy, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy_journal(world.dir.path(), &mut Folder::open(copy.path()).unwrap()).unwrap();
    let restore = Restore {
        from: copy.path().to_owned(),
        dir: new.path().join("journal"),
    };
    assert_eq!(restore.run(&mut Vec::new()).unwrap(), Exit::Done);
    let removed = journal::removed_sessions(&restore.dir).unwrap();
    assert_eq!(removed.len(), 1);
    let (last, recovery) = open(&restore.dir);
    assert_eq!((last, recovery.missing), (11, Vec::new()));
    assert!(recovery.restored.is_some());
    drop(world.writer);
    let (_, before) = open(world.dir.path());
    assert_eq!(recovery.journal, before.journal);
    assert_eq!(before.restored, None);
}
