//! One conversation as a tree of messages and their replies.
//!
//! Two messages belong together where one replies to the other (`in_reply_to`)
//! or both name the same `context_id`. Which do is found in several passes over
//! the files: each looks for the names that the one before it came upon.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use crate::error::Error;
use crate::filter::{Filter, Needle};
use crate::findings::Findings;
use crate::scan::{self, Job, LineReader, Match, Numbers, merge_findings};
use crate::select::{Counts, Sink, Summary, entry};
use crate::source::{Chunk, Source};

/// The first passes look only at lines with one of the names. If that is not
/// enough, replies follow each other in a long chain, and the others look at all
/// lines, in both directions: they follow a chain to its end.
const SEARCHES: usize = 6;

/// Shows the conversation to which a message or a context of that name belongs:
/// each message before its replies, which are one level deeper. Of its messages
/// those are left out that the filter does not let through. Returns how many
/// messages the conversation has.
///
/// # Errors
/// [`Error::Read`] where a file can't be read, and whatever the sink reports.
pub fn show_thread(
    source: &Source,
    name: &str,
    filter: &Filter,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<u64, Error> {
    source.add_damage_to(findings);
    let mut search = Search::new(source, name);
    search.run(findings)?;
    let members = search.members;
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let mut lines = LineReader::default();
    let mut shown = Vec::new();
    for (at, depth) in tree(&members) {
        let Member { place, chunk, .. } = &members[at];
        let line = lines.read(source, *chunk, place)?;
        let is_wanted =
            message::Record::parse(line).is_ok_and(|record| filter.matches(&record.into()));
        let number = numbers.of(place, *chunk)?;
        if is_wanted && filter.accepts_number(number) {
            shown.push((at, depth, number));
        }
    }
    sink.begin(&Summary {
        counts: Some(Counts {
            messages: members.len() as u64,
            matching: shown.len() as u64,
        }),
        shown: Some(shown.len() as u64),
    })?;
    for (at, depth, number) in shown {
        let Member { place, chunk, .. } = &members[at];
        let line = lines.read(source, *chunk, place)?;
        let mut entry = entry(place, Some(number), line, source, *chunk);
        entry.depth = depth;
        sink.message(&entry)?;
    }
    Ok(members.len() as u64)
}

/// A message of the conversation.
#[derive(Debug)]
struct Member {
    place: Match,
    chunk: Chunk,
    links: Links,
}

/// What ties a message to others.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Links {
    id: Option<String>,
    in_reply_to: Option<String>,
    context: Option<String>,
    /// When the message was recorded, in milliseconds since 1970.
    time: Option<i64>,
}

impl Links {
    /// Reads them from a line, whatever wrote it.
    fn of(line: &[u8]) -> Option<Self> {
        let record = message::Record::parse_fields(line).ok()?;
        let links = record.links();
        let time = crate::Fields::parse(line).ok()?.time();
        let id = record.message_id.map(String::from);
        Some(Self {
            time,
            id: id.filter(|id| !id.is_empty()),
            in_reply_to: links.in_reply_to.map(String::from),
            context: links.context_id.map(String::from),
        })
    }
}

struct Search<'a> {
    source: &'a Source,
    ids: HashSet<String>,
    contexts: HashSet<String>,
    members: Vec<Member>,
    /// Where the members stand.
    places: HashSet<(usize, u64)>,
}

impl<'a> Search<'a> {
    fn new(source: &'a Source, name: &str) -> Self {
        Self {
            source,
            ids: HashSet::from([name.to_owned()]),
            contexts: HashSet::from([name.to_owned()]),
            members: Vec::new(),
            places: HashSet::new(),
        }
    }

    /// Finds all members; they are in the order of the files then.
    fn run(&mut self, findings: &mut Findings) -> Result<(), Error> {
        let mut known = 0;
        for pass in 0.. {
            let needle = (pass < SEARCHES).then(|| self.needle()).flatten();
            let is_all = needle.is_none();
            let before = (known, self.members.len());
            // What was found once is not reported again.
            let mut ignored = Findings::default();
            let findings = if pass == 0 {
                &mut *findings
            } else {
                &mut ignored
            };
            self.pass(needle.as_ref(), pass % 2 == 1 && is_all, findings)?;
            known = self.ids.len() + self.contexts.len();
            if before == (known, self.members.len()) {
                break;
            }
        }
        let is_merged = self.source.is_merged;
        self.members.sort_by_key(|member| {
            let time = member.links.time.filter(|_| is_merged);
            (time, member.chunk.part, member.place.offset)
        });
        Ok(())
    }

    fn needle(&self) -> Option<Needle> {
        let names = self.ids.iter().chain(&self.contexts);
        Needle::of_any(names.map(String::as_str))
    }

    fn pass(
        &mut self,
        needle: Option<&Needle>,
        backward: bool,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let source = self.source;
        let job = Job {
            parts: &source.parts,
            filter: &Filter::default(),
            needle,
            wants_matches: true,
            tuning: source.tuning,
        };
        let size = source.tuning.chunk;
        let stretches = source.stretches().into_iter();
        let mut chunks: Vec<Chunk> = stretches.flat_map(|stretch| stretch.cut(size)).collect();
        if backward {
            chunks.reverse();
        }
        let mut numbers = Numbers::new(&source.parts, source.tuning);
        let mut lines = Some(0).filter(|_| !backward);
        scan::run(job, &chunks, &|| (), &mut |batch| {
            merge_findings(findings, batch, &mut numbers, source, &mut lines)?;
            let mut matches = std::mem::take(&mut batch.matches);
            if backward {
                matches.reverse();
            }
            for place in matches {
                if let Some(links) = Links::of(batch.line(&place)) {
                    self.see(links, place, batch.chunk);
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn see(&mut self, links: Links, place: Match, chunk: Chunk) {
        let has = |names: &HashSet<String>, name: &Option<String>| {
            name.as_ref().is_some_and(|name| names.contains(name))
        };
        let is_member = has(&self.ids, &links.id)
            || has(&self.ids, &links.in_reply_to)
            || has(&self.contexts, &links.context);
        if !is_member {
            return;
        }
        self.ids.extend(links.id.clone());
        self.ids.extend(links.in_reply_to.clone());
        self.contexts.extend(links.context.clone());
        if self.places.insert((chunk.part, place.offset)) {
            self.members.push(Member {
                place,
                chunk,
                links,
            });
        }
    }
}

/// Puts messages before their replies: gives places in `members` and depths.
fn tree(members: &[Member]) -> Vec<(usize, usize)> {
    let mut named: HashMap<&str, usize> = HashMap::new();
    for (at, member) in members.iter().enumerate() {
        if let Some(id) = &member.links.id {
            named.entry(id).or_insert(at);
        }
    }
    let mut replies: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let parent = member.links.in_reply_to.as_deref();
        match parent.and_then(|parent| named.get(parent)) {
            Some(parent) if *parent != at => replies.entry(*parent).or_default().push(at),
            _ => roots.push(at),
        }
    }
    let mut ordered = Vec::new();
    let mut seen = vec![false; members.len()];
    // Messages that reply to each other in a circle have no root.
    for root in roots.into_iter().chain(0..members.len()) {
        let mut open = vec![(root, 0)];
        while let Some((at, depth)) = open.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            ordered.push((at, depth));
            let below = replies.get(&at).into_iter().flatten().rev();
            open.extend(below.map(|reply| (*reply, depth + 1)));
        }
    }
    ordered
}

#[cfg(test)]
mod tests;
