//! Publishing other journals' messages: what has to be read before, and who waits for it.

use std::collections::VecDeque;

use protocol::{Id, reply};

use super::replies::{refusal, unread};
use super::{Publish, Publishing, Reply, size};
use crate::control::origins::Kept;
use crate::control::router::Peer;

/// Whether it is known how far other journals' messages are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nobody has asked for it yet, or the journal could not be read.
    Unread,
    /// Somebody waits for it.
    Wanted,
    /// The journal is being read.
    Loading,
    Ready,
}

impl Publishing {
    /// Tells whether it is still to be read how far other journals' messages are
    /// recorded, and wants that.
    pub(super) fn reads_origins(&mut self) -> bool {
        if self.reading == Reading::Unread {
            self.reading = Reading::Wanted;
        }
        self.reading != Reading::Ready
    }

    /// Tells, once, that the journal is to be read for other journals' messages.
    pub(in crate::control) fn wants_origins(&mut self) -> bool {
        let wanted = self.reading == Reading::Wanted;
        if wanted {
            self.reading = Reading::Loading;
        }
        wanted
    }

    /// Returns how far other journals' messages are recorded; `None` where the reply
    /// comes later.
    pub(in crate::control) fn origins(&mut self, peer: &Peer, id: &Id) -> Option<String> {
        if self.reads_origins() {
            self.asked.push((*peer, id.clone()));
            return None;
        }
        let origins = self.origins.list();
        Some(reply(id, &protocol::Origins { origins }))
    }

    /// Wants that to be read, since there is something to be read.
    pub(in crate::control) fn read_origins(&mut self) {
        self.reads_origins();
    }

    /// Tells whether it was read.
    pub(in crate::control) fn knows_origins(&self) -> bool {
        self.reading == Reading::Ready
    }

    /// Returns what is to be stored of it, where `last` is the journal's last record.
    pub(in crate::control) fn origins_kept(&self, last: u64) -> Kept {
        self.origins.kept(last)
    }

    /// Takes what the journal knows of other journals' messages, or why it can't be
    /// read, and goes on with what waited for that.
    pub(in crate::control) fn know_origins(&mut self, kept: Result<Kept, String>) -> Vec<Reply> {
        let asked = std::mem::take(&mut self.asked);
        let mut replies = Vec::new();
        match kept {
            Ok(kept) => {
                self.origins.know(kept);
                self.reading = Reading::Ready;
            }
            Err(reason) => {
                self.reading = Reading::Unread;
                let failed = unread(&reason);
                let (carried, others) = std::mem::take(&mut self.waiting)
                    .into_iter()
                    .partition::<VecDeque<_>, _>(|request| request.origin.is_some());
                self.waiting = others;
                self.waiting_bytes -= carried.iter().map(size).sum::<usize>();
                self.owed -= carried.len();
                for Publish { peer, id, .. } in &carried {
                    replies.push(self.refuse(peer, id, &failed));
                }
                let asked = asked.iter();
                replies.extend(asked.map(|(peer, id)| refusal(peer, id, &failed)));
                replies.extend(self.go_on());
                return replies;
            }
        }
        for (peer, id) in asked {
            let header = self.origins(&peer, &id);
            replies.extend(header.map(|header| (peer, header)));
        }
        replies.extend(self.go_on());
        replies
    }
}
