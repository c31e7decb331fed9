//! What becomes of a request: who may ask for it, who does it, what is answered.

use std::sync::Arc;

use protocol::{Failure, Id, Nothing, Request, code, reply};

use super::events::Event;
use super::publishing::Publish;
use super::request::parse;
use super::router::{Incoming, Peer};
use super::{Control, rights, status};
use crate::keys::Member;
use crate::recorder::ArchiveRequest;

impl Control {
    pub(super) fn handle(&mut self, incoming: Incoming) {
        let Incoming {
            peer,
            mut frames,
            member,
            too_large,
        } = incoming;
        self.consumers.heard(&peer);
        if frames.is_empty() {
            let message = "a request begins with a header frame".to_owned();
            return self.refuse(&peer, &Id::Unknown, Failure::bad(message));
        }
        let header = frames.remove(0);
        let (id, request) = parse(&header);
        if let Some(broken) = too_large {
            let refusal = Failure::new(code::TOO_LARGE, format!("{broken}; nothing was recorded"));
            return self.refuse(&peer, &id, refusal.not_recorded());
        }
        let request = match request {
            Ok(request) if frames.is_empty() || matches!(request, Request::Publish(_)) => request,
            Ok(_) => {
                let message = "only a publish request has frames behind its header";
                return self.refuse(&peer, &id, Failure::bad(message));
            }
            Err(refusal) => return self.refuse(&peer, &id, refusal),
        };
        if frames.is_empty() && matches!(request, Request::Publish(_)) {
            return self.refuse(&peer, &id, no_frames());
        }
        let strict = self.strict.as_deref();
        if let Some(member) = &member
            && let Err(refusal) = rights::check(member, &request, &frames, strict)
        {
            return self.refuse(&peer, &id, refusal);
        }
        if let Request::Publish(publish) = request {
            let key_name = member.map(|member| Arc::clone(&member.name));
            return self.publish(Publish {
                peer,
                id,
                frames,
                key_name,
                origin: publish.origin.map(Arc::new),
                sequence: publish.sequence,
            });
        }
        match self.act(&peer, &id, request, member) {
            Ok(Some(header)) => self.router.reply(&peer, &header),
            Ok(None) => {}
            Err(refusal) => self.refuse(&peer, &id, refusal),
        }
    }

    fn refuse(&mut self, peer: &Peer, id: &Id, refusal: Failure) {
        self.refused += 1;
        self.router.reply(peer, &refusal.header(id));
    }

    /// Does what is asked for; `None` where the reply comes later.
    fn act(
        &mut self,
        peer: &Peer,
        id: &Id,
        request: Request,
        member: Option<Arc<Member>>,
    ) -> Result<Option<String>, Failure> {
        Ok(Some(match request {
            Request::Hello(_) => {
                let sequence = self.publishing.sequences.begin(peer.connection);
                reply(id, &self.facts.hello(sequence))
            }
            Request::Ping | Request::Publish(_) => reply(id, &Nothing {}),
            Request::Origins => {
                let header = self.publishing.origins(peer, id);
                self.load_origins_if_wanted();
                return Ok(header);
            }
            Request::Credit(request) => reply(id, &self.consumers.credit(peer, &request)?),
            Request::Cancel(request) => reply(id, &self.consumers.cancel(peer, request.consumer)?),
            Request::Status => reply(id, &self.status()),
            Request::Consume(request) => {
                self.consumers.start(peer, id, *request, member)?;
                return Ok(None);
            }
            Request::Ack(request) => {
                self.consumers.ack(peer, id, &request)?;
                return Ok(None);
            }
            Request::Forget(request) => {
                self.forget(peer, id, request.name)?;
                return Ok(None);
            }
            Request::Archive(request) => {
                self.archive(peer, id, request.label)?;
                return Ok(None);
            }
        }))
    }

    fn publish(&mut self, request: Publish) {
        if !self.phase.is_running() {
            let reply = self.publishing.publish_no_more(&request);
            return self.send([reply]);
        }
        let reply = self.publishing.publish(request);
        self.load_origins_if_wanted();
        self.intake.wake();
        self.send(reply);
    }

    fn forget(&mut self, peer: &Peer, id: &Id, name: String) -> Result<(), Failure> {
        if self.consumers.uses(&name) {
            let message = format!("{name} is being used by a consumer: cancel that first");
            return Err(Failure::bad(message));
        }
        let positions = &self.consumers.positions;
        positions.forget(*peer, id.clone(), name);
        Ok(())
    }

    fn archive(&mut self, peer: &Peer, id: &Id, label: Option<String>) -> Result<(), Failure> {
        let events = Arc::clone(&self.events);
        let (peer, id) = (*peer, id.clone());
        let request = ArchiveRequest {
            label,
            reply: Box::new(move |result| events.post(Event::Archived(peer, id, result))),
        };
        let stopped = |_| Failure::new(code::SHUTTING_DOWN, "the broker is shutting down");
        self.archive.send(request).map_err(stopped)?;
        self.queue.nudge();
        Ok(())
    }

    pub(super) fn status(&self) -> protocol::Status {
        self.facts.status(
            self.publishing.status(),
            self.consumers.status(),
            self.router.clients(status::LISTED),
            self.refused + self.publishing.refused + self.consumers.refused,
        )
    }
}

fn no_frames() -> Failure {
    let message = "a publish request has the message's frames behind the header: topic and payload";
    Failure::bad(message).not_recorded()
}
