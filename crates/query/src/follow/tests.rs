use std::fs::OpenOptions;
use std::io::Write;
use std::time::Instant;

use journal::Options;
use journal::raw::Writer;
use proptest::prelude::*;

use super::*;
use crate::filter::Criteria;

/// What happens to a journal while somebody follows it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Record(u64),
    Archive,
    /// The broker ends and starts again.
    Restart,
    /// The broker is killed within a line.
    Tear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..5_u64).prop_map(Step::Record),
        2 => Just(Step::Archive),
        1 => Just(Step::Restart),
        1 => Just(Step::Tear),
    ]
}

struct Broker<'a> {
    dir: &'a Path,
    writer: Option<Writer>,
    recorded: u64,
}

impl Broker<'_> {
    fn take(&mut self, step: Step) {
        let open = |dir| Writer::open(dir, Options::default()).unwrap().0;
        let mut writer = self.writer.take().unwrap_or_else(|| open(self.dir));
        match step {
            Step::Record(count) => {
                let mut group = writer.group();
                for _ in 0..count {
                    self.recorded += 1;
                    let payload = format!(r#"{{"sender":"{}"}}"#, self.recorded % 3);
                    let time = "2025-11-20T04:30:00.123Z";
                    group
                        .push_with(|out| message::encode(&["t", &payload], time, out))
                        .unwrap();
                }
                writer.commit(&[&group]).unwrap();
            }
            Step::Archive => drop(writer.archive(None).unwrap()),
            Step::Restart => return,
            Step::Tear => {
                drop(writer);
                let path = journal::current_session(self.dir);
                let mut file = OpenOptions::new().append(true).open(path).unwrap();
                file.write_all(b"{\"message_num\":").unwrap();
                return;
            }
        }
        self.writer = Some(writer);
    }
}

#[derive(Default)]
struct Numbers(Vec<u64>);

impl Sink for Numbers {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.0.push(entry.number.unwrap());
        Ok(())
    }
}

/// Follows a journal to which the later steps happen while it is followed.
fn numbers(
    before: &[Step],
    after: &[Step],
    filter: &Filter,
    limit: Option<u64>,
) -> (Vec<u64>, u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Broker {
        dir: dir.path(),
        writer: None,
        recorded: 0,
    };
    before.iter().for_each(|step| broker.take(*step));
    let there = broker.recorded;
    let mut sink = Numbers::default();
    let what = Follow {
        dir: dir.path(),
        all: true,
        filter,
        limit,
    };
    let mut steps = after.iter();
    let mut quiet = 0;
    follow(what, &mut sink, &mut |_| {
        match steps.next() {
            Some(step) => broker.take(*step),
            // All that was written is seen with the next look at the files.
            None => quiet += 1,
        }
        Ok(if quiet > 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })
    .unwrap();
    (sink.0, there, broker.recorded)
}

#[test]
fn a_new_message_is_shown_within_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    let filter = Filter::default();
    let what = Follow {
        dir: dir.path(),
        all: false,
        filter: &filter,
        limit: None,
    };
    let mut broker = Broker {
        dir: dir.path(),
        writer: None,
        recorded: 0,
    };
    let (mut rounds, mut recorded) = (0, None);
    let mut waited = Duration::ZERO;
    follow(what, &mut Numbers::default(), &mut |_| {
        rounds += 1;
        if rounds == 20 {
            broker.take(Step::Record(1));
            recorded = Some(Instant::now());
        } else if let Some(recorded) = recorded.take() {
            waited = recorded.elapsed();
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    assert!(waited < Duration::from_secs(2), "{waited:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_message_is_shown_once_and_in_order(
        before in prop::collection::vec(step(), 0..5),
        after in prop::collection::vec(step(), 0..10),
        sender in prop::option::of(0..3_u64),
        limit in prop::option::of(1..4_u64),
    ) {
        let criteria = Criteria {
            sender: sender.iter().map(u64::to_string).collect(),
            ..Criteria::default()
        };
        let filter = Filter::compile(&criteria).unwrap();
        let (shown, there, recorded) = numbers(&before, &after, &filter, limit);
        let wanted = |number: &u64| sender.is_none_or(|sender| number % 3 == sender);
        let old: Vec<u64> = (1..=there).filter(wanted).collect();
        let skipped = old.len() - old.len().min(limit.map_or(old.len(), |limit| usize::try_from(limit).unwrap()));
        let expected: Vec<u64> = old[skipped..].iter().copied().chain((there + 1..=recorded).filter(wanted)).collect();
        prop_assert_eq!(shown, expected);
    }
}

/// Follows a directory, and does one thing after the other when nothing new is left.
fn followed(dir: &Path, steps: &mut [&mut dyn FnMut()]) -> (Vec<u64>, Vec<String>) {
    let (mut sink, mut notes) = (Numbers::default(), Vec::new());
    let what = Follow {
        dir,
        all: false,
        filter: &Filter::default(),
        limit: None,
    };
    let mut steps = steps.iter_mut();
    let mut quiet = 0;
    follow(what, &mut sink, &mut |findings| {
        quiet = if findings.is_empty() { quiet + 1 } else { 0 };
        notes.extend(findings.notes);
        if quiet < 3 {
            return Ok(ControlFlow::Continue(()));
        }
        quiet = 0;
        Ok(match steps.next() {
            Some(step) => {
                step();
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        })
    })
    .unwrap();
    (sink.0, notes)
}

fn lines(numbers: impl IntoIterator<Item = u64>, text: &str) -> Vec<u8> {
    let payload = format!(r#"{{"content":"{text}"}}"#);
    let lines = numbers
        .into_iter()
        .map(|number| crate::testing::recorded(number, "t", &payload));
    lines.flatten().collect()
}

#[test]
fn a_session_whose_numbers_begin_again_is_shown_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let current = journal::current_session(dir.path());
    let other = dir.path().join("other");
    std::fs::write(&current, lines(1..=3, "old")).unwrap();
    let append = |bytes: &[u8]| {
        let mut file = OpenOptions::new().append(true).open(&current).unwrap();
        file.write_all(bytes).unwrap();
    };
    let steps: &mut [&mut dyn FnMut()] = &mut [
        &mut || {
            std::fs::write(&other, lines(1..=2, "new")).unwrap();
            std::fs::rename(&other, &current).unwrap();
        },
        &mut || append(&lines([3], "new")),
    ];
    let (numbers, notes) = followed(dir.path(), steps);
    assert_eq!(numbers, [1, 2, 3, 1, 2, 3]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("numbers begin again"), "{notes:?}");
}

#[test]
fn a_session_that_was_cut_off_and_begun_again_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let current = journal::current_session(dir.path());
    std::fs::write(&current, lines(1..=3, "old")).unwrap();
    let steps: &mut [&mut dyn FnMut()] =
        &mut [&mut || std::fs::write(&current, lines(1..=2, "new")).unwrap()];
    let (numbers, notes) = followed(dir.path(), steps);
    assert_eq!(numbers, [1, 2, 3, 1, 2]);
    assert!(notes[0].contains("numbers begin again"), "{notes:?}");
}
