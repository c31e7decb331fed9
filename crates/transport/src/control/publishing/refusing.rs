//! Refuses messages: what is said of those that are not recorded, and of those of which
//! nobody knows.

use protocol::{Failure, Id, code};

use super::replies::{lost, recorded, refusal, reused};
use super::{Name, Publish, Publishing, Reply, Table, Waiter};
use crate::control::dedupe::Key;
use crate::control::router::Peer;
use crate::pending::Outcome;

impl Publishing {
    pub(super) fn stalled(&self) -> Failure {
        let reason = self.path.health.stall().map(|stall| stall.reason);
        let message = format!(
            "nothing can be recorded at the moment: {}; nothing was recorded",
            reason.unwrap_or_default()
        );
        Failure::new(code::DISK_FULL, message).not_recorded()
    }

    /// While the disk is full, nobody is to wait for it whose message is not
    /// in the recorder's hands: takes those messages back, and says so.
    pub(in crate::control) fn refuse_stalled(&mut self) -> Vec<Reply> {
        if !self.path.health.is_stalled() {
            return Vec::new();
        }
        let mut replies = Vec::new();
        for publish in self.path.publishes.take_back() {
            let refusal = self.stalled();
            let waiters = self
                .finish(publish.ack.id(), None)
                .map(|pending| pending.waiters);
            for Waiter { peer, id, .. } in waiters.into_iter().flatten() {
                replies.push(self.refuse(&peer, &id, &refusal));
            }
        }
        replies
    }

    /// Answers all who still wait: the broker has stopped.
    pub(in crate::control) fn end(&mut self) -> Vec<Reply> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut replies: Vec<Reply> = waiting
            .into_iter()
            .map(|request| self.publish_no_more(&request))
            .collect();
        let stopped = || lost(&Outcome::Stopped);
        let asked = std::mem::take(&mut self.asked);
        replies.extend(asked.iter().map(|(peer, id)| refusal(peer, id, &stopped())));
        for (_, pending) in self.pending.drain() {
            let reply = |waiter: Waiter| match waiter.other {
                true => refusal(&waiter.peer, &waiter.id, &lost(&Outcome::Stopped)),
                false => refusal(&waiter.peer, &waiter.id, &lost(&Outcome::Unknown)),
            };
            replies.extend(pending.waiters.into_iter().map(reply));
        }
        replies
    }

    /// Refuses a message when nothing more is recorded.
    pub(in crate::control) fn publish_no_more(&mut self, request: &Publish) -> Reply {
        self.refuse_unless_known(request, lost(&Outcome::Stopped))
    }

    /// Refuses a message, unless an earlier request has recorded it. Where one may have,
    /// and nobody knows, it is not said that nothing was recorded: who sends again what
    /// got no reply would take that for an answer to both.
    pub(super) fn refuse_unless_known(&mut self, request: &Publish, failure: Failure) -> Reply {
        let Publish { peer, id, .. } = request;
        let named = request.origin.is_none() && failure.code != code::TOO_LARGE;
        let Some(Name { key, digest }) = self.name(&request.frames).filter(|_| named) else {
            return self.refuse(peer, id, &failure);
        };
        let last = self.path.tail.current().next.saturating_sub(1);
        match self.dedupe.find(key, last) {
            Some(entry) if entry.digest == digest => recorded(peer, id, entry.number, true),
            Some(entry) => self.refuse(peer, id, &reused(entry.number)),
            None if self.may_be_recorded(key) => {
                let failure = Failure {
                    recorded: Some(None),
                    message: failure.message.replace(
                        "nothing was recorded",
                        "an earlier request with the same message may have recorded it",
                    ),
                    ..failure
                };
                self.refuse(peer, id, &failure)
            }
            None => self.refuse(peer, id, &failure),
        }
    }

    fn may_be_recorded(&self, key: Key) -> bool {
        let is_read = matches!(self.table, Table::Ready);
        !is_read || self.by_key.contains_key(&key) || self.unknown.contains(&key)
    }

    /// Says why a message is not recorded. One that is to be sent again must not be
    /// overtaken by those behind it.
    pub(super) fn refuse(&mut self, peer: &Peer, id: &Id, failure: &Failure) -> Reply {
        // One that was refused for that reason belongs to a sequence that is over.
        if code::may_pass(&failure.code) && failure.code != code::INTERRUPTED {
            self.sequences.interrupt(peer.connection);
        }
        self.refused += 1;
        refusal(peer, id, failure)
    }
}
