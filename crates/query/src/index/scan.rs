//! Reads only those chunks of which the indexes of their files don't tell enough.

use std::ops::ControlFlow;

use super::guide::{Guide, Known, Need};
use crate::analysis::Accumulator;
use crate::error::Error;
use crate::scan::{self, Batch, Begin, Deliver, Job};
use crate::source::{Chunk, Part};

/// How many chunks of files with an index are looked up before the first of them
/// is delivered, where somebody may have seen enough by then.
const AHEAD: usize = 64;

/// Works through chunks as [`scan::run`] does, and reads none of which an index tells
/// what is needed.
pub(crate) fn scan<A: Accumulator>(
    job: Job<'_>,
    need: Need,
    chunks: &[Chunk],
    begin: &Begin<'_, A>,
    deliver: &mut Deliver<'_>,
) -> Result<A, Error> {
    if !job.parts.iter().any(Part::may_have_index) {
        return scan::run(job, chunks, begin, deliver);
    }
    let mut guide = Guide::new(job, need);
    let mut total = begin();
    let mut rest = chunks;
    while !rest.is_empty() {
        let ahead = if job.wants_matches { AHEAD } else { usize::MAX };
        let plan = look_up(&mut guide, rest, ahead);
        let (now, later) = rest.split_at(plan.len());
        rest = later;
        let mut steps = Steps {
            steps: now.iter().copied().zip(plan),
            has_needle: job.needle.is_some(),
            is_over: false,
            wrong: None,
        };
        let to_read = steps.to_read();
        total.merge(scan::run(job, &to_read, begin, &mut |batch| {
            steps.give(Some(batch), deliver)
        })?);
        if !steps.is_over {
            let _over = steps.give(None, deliver)?;
        }
        if let Some(part) = steps.wrong {
            guide.distrust(part, "it tells of other messages than there are");
        }
        if steps.is_over {
            break;
        }
    }
    Ok(total)
}

/// Looks up the next chunks.
fn look_up(guide: &mut Guide<'_>, chunks: &[Chunk], most: usize) -> Vec<Known> {
    let mut plan = Vec::new();
    let mut indexed = 0;
    for chunk in chunks {
        if indexed == most {
            break;
        }
        let known = guide.look_up(*chunk);
        indexed += usize::from(known.is_some());
        plan.push(known.unwrap_or(Known::Read(None)));
    }
    plan
}

/// Chunks in their order, and what is known of each.
struct Steps<I> {
    steps: I,
    has_needle: bool,
    is_over: bool,
    /// A file whose index told something that is not so.
    wrong: Option<usize>,
}

impl<I: Iterator<Item = (Chunk, Known)> + Clone> Steps<I> {
    fn to_read(&self) -> Vec<Chunk> {
        let steps = self.steps.clone();
        let to_read = steps.filter(|(_, known)| matches!(known, Known::Read(_)));
        to_read.map(|(chunk, _)| chunk).collect()
    }

    /// Delivers what is known of chunks up to the next one that had to be read,
    /// and then that.
    fn give(
        &mut self,
        read: Option<&mut Batch>,
        deliver: &mut Deliver<'_>,
    ) -> Result<ControlFlow<()>, Error> {
        let mut flow = ControlFlow::Continue(());
        for (chunk, known) in self.steps.by_ref() {
            match known {
                Known::All { messages, matching } => {
                    let lines = (!self.has_needle).then_some(messages);
                    flow = deliver(&mut Batch::counted(chunk, lines, messages, matching))?;
                }
                Known::Read(expected) => {
                    if let Some(batch) = read {
                        if expected
                            .is_some_and(|(least, most)| !(least..=most).contains(&batch.matching))
                        {
                            self.wrong = Some(chunk.part);
                        }
                        flow = deliver(batch)?;
                    }
                    break;
                }
            }
            if flow.is_break() {
                break;
            }
        }
        self.is_over |= flow.is_break();
        Ok(flow)
    }
}
