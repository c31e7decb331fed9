//! What must be true of a broker, told in the plainest way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use journal::{Item, Reader, current_session, list_archives};
use message::Record;

/// What was sent, what is safe, and what was promised to whom.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Messages on the disk that a crash can't take back: numbers by id.
    durable: BTreeMap<String, u64>,
    /// The same by number: topic and id.
    by_number: BTreeMap<u64, (String, String)>,
    /// Of each connection what has come to the broker as a whole, in order.
    arrived: BTreeMap<u64, Vec<String>>,
    /// What had arrived when the broker was told to stop.
    promised: Vec<String>,
    /// What was acknowledged, with the number.
    acknowledged: BTreeMap<String, u64>,
    /// What was refused, with the word that it is not recorded.
    refused: BTreeSet<String>,
    /// Below this number everything is from before the broker's start.
    began: u64,
    /// What was in sessions that somebody has moved away.
    gone: BTreeSet<String>,
    /// The highest number that anybody was told.
    shown: u64,
}

impl Model {
    /// A broker has started; its next number is this one.
    pub(super) fn begin(&mut self, next: u64) {
        let last = self.by_number.keys().next_back().copied().unwrap_or(0);
        assert!(next > last, "number {next} was given before: {last}");
        self.began = next;
        self.arrived.clear();
        self.promised.clear();
    }

    /// These bytes of a file are safe now.
    pub(super) fn synced(&mut self, path: &Path, from: u64, to: u64) {
        for (number, topic, id) in records(path, from, to) {
            self.add(number, topic, id);
        }
    }

    /// These bytes are cut off: the commit has failed after their fsync. Nobody
    /// may have seen them.
    pub(super) fn withdrawn(&mut self, path: &Path, from: u64, to: u64) {
        for (number, _, id) in records(path, from, to) {
            assert!(
                number > self.shown,
                "{id}, number {number}, was shown and is cut off"
            );
            self.durable.remove(&id);
            self.by_number.remove(&number);
        }
    }

    fn add(&mut self, number: u64, topic: String, id: String) {
        if let Some(before) = self.durable.insert(id.clone(), number) {
            assert_eq!(before, number, "{id} is recorded twice");
        }
        let known = self.by_number.insert(number, (topic, id.clone()));
        assert!(
            known.as_ref().is_none_or(|(_, known)| *known == id),
            "{number} is {known:?} and {id}"
        );
    }

    /// A session is moved to where nobody looks for it.
    pub(super) fn moved_away(&mut self, path: &Path) {
        let gone = read_session(path).into_iter().map(|(_, _, id)| id);
        self.gone.extend(gone);
    }

    /// The session that was being written when the broker died is removed. What nobody
    /// was told of may never have been, and its numbers may be given again.
    pub(super) fn removed_unfinished(&mut self, path: &Path) {
        for (number, _, id) in read_session(path) {
            match number > self.shown {
                true => {
                    self.durable.remove(&id);
                    self.by_number.remove(&number);
                }
                false => drop(self.gone.insert(id)),
            }
        }
    }

    /// Tells whether a message is in a session that somebody has moved away.
    pub(super) fn is_gone(&self, number: u64) -> bool {
        let message = self.by_number.get(&number);
        message.is_some_and(|(_, id)| self.gone.contains(id))
    }

    /// Returns the number of a message that is safe.
    pub(super) fn number_of(&self, id: &str) -> Option<u64> {
        self.durable.get(id).copied()
    }

    /// A message has come to the broker as a whole.
    pub(super) fn arrive(&mut self, connection: u64, id: &str) {
        let all = self.arrived.entry(connection).or_default();
        all.push(id.to_owned());
    }

    /// The broker is told to stop: what has arrived by now is promised.
    pub(super) fn stop_begins(&mut self) {
        self.promised = self.arrived.values().flatten().cloned().collect();
    }

    /// After an orderly stop: what had arrived is recorded.
    pub(super) fn check_arrived(&self) {
        for id in &self.promised {
            assert!(
                self.durable.contains_key(id),
                "{id} had arrived and is not recorded"
            );
        }
    }

    /// Somebody sees a message: it has to be safe by now. Returns its number.
    pub(super) fn seen(&mut self, topic: &str, id: &str) -> u64 {
        let number = self.durable.get(id);
        let number = *number.unwrap_or_else(|| panic!("{id} was seen before it was safe"));
        assert_eq!(self.by_number[&number].0, topic);
        self.shown = self.shown.max(number);
        number
    }

    /// Returns the number of the newest message that is safe.
    pub(super) fn last(&self) -> u64 {
        self.by_number.keys().next_back().copied().unwrap_or(0)
    }

    /// Returns the numbers from one on of messages with such topics.
    pub(super) fn matching(&self, from: u64, topics: &[&str]) -> Vec<u64> {
        let range = self.by_number.range(from..);
        let wanted = |topic: &str| topics.iter().any(|prefix| topic.starts_with(prefix));
        let matching = range.filter(|(_, (topic, _))| wanted(topic));
        matching.map(|(number, _)| *number).collect()
    }

    /// The broker has acknowledged a message.
    pub(super) fn acknowledge(&mut self, id: &str, number: u64) {
        let safe = self.durable.get(id).copied();
        assert_eq!(safe, Some(number), "{id} was acknowledged as {number}");
        self.shown = self.shown.max(number);
        let before = self.acknowledged.insert(id.to_owned(), number);
        assert!(before.is_none_or(|before| before == number));
        self.refused.remove(id);
    }

    /// The broker says that it has not recorded a message and will not.
    pub(super) fn refuse(&mut self, id: &str) {
        if !self.durable.contains_key(id) {
            self.refused.insert(id.to_owned());
        }
    }

    /// A message that was refused is sent again.
    pub(super) fn retry(&mut self, id: &str) {
        self.refused.remove(id);
    }

    /// Reads all files of the journal while no broker runs: they have what was
    /// safe, each message once, and of each publisher a beginning in its order.
    pub(super) fn check_files(&mut self, dir: &Path) {
        let found = read_journal(dir);
        let mut last = 0;
        for (number, _, id) in &found {
            assert!(*number > last, "{number} of {id} stands behind {last}");
            last = *number;
        }
        let ids: BTreeSet<&String> = found.iter().map(|(_, _, id)| id).collect();
        for (id, number) in &self.durable {
            assert!(
                ids.contains(id) || self.gone.contains(id),
                "{id}, number {number}, was safe and is gone"
            );
        }
        for id in self.refused.iter() {
            assert!(!ids.contains(id), "{id} was refused and is recorded");
        }
        for (number, topic, id) in found {
            self.add(number, topic, id);
        }
        for sent in self.arrived.values() {
            let numbers: Vec<Option<&u64>> = sent.iter().map(|id| self.durable.get(id)).collect();
            let recorded = numbers.iter().take_while(|number| number.is_some()).count();
            assert!(
                numbers[recorded..].iter().all(Option::is_none) && numbers[..recorded].is_sorted(),
                "messages of a publisher are out of order or missing: {sent:?} are {numbers:?}"
            );
        }
    }
}

/// Returns what stands between two places of a session; nothing of other files.
fn records(path: &Path, from: u64, to: u64) -> Vec<(u64, String, String)> {
    let session = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.contains("session") && name.ends_with(".jsonl")
    });
    if !session || to <= from {
        return Vec::new();
    }
    let bytes = std::fs::read(path).unwrap();
    let range = usize::try_from(from).unwrap()..usize::try_from(to).unwrap().min(bytes.len());
    let lines = bytes[range].split(|byte| *byte == b'\n');
    lines.filter_map(parse).collect()
}

/// Returns all that can be read: number, topic and id, in the order of the files.
fn read_journal(dir: &Path) -> Vec<(u64, String, String)> {
    let archives = list_archives(dir).unwrap_or_default();
    let mut paths: Vec<_> = archives.into_iter().map(|archive| archive.path).collect();
    paths.push(current_session(dir));
    paths.iter().flat_map(|path| read_session(path)).collect()
}

fn read_session(path: &Path) -> Vec<(u64, String, String)> {
    let mut found = Vec::new();
    let Ok(mut reader) = Reader::open(path) else {
        return found;
    };
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::Record(record) = item {
            found.extend(parse(record.line));
        }
    }
    found
}

/// Returns a line's number, topic and id; `None` where it is torn.
fn parse(line: &[u8]) -> Option<(u64, String, String)> {
    let record = Record::parse(line).ok()?;
    let id = record.message_id.as_deref()?.to_owned();
    Some((record.message_num?, record.topic.into_owned(), id))
}
