//! All connections of one port.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;
use zmtp::Role;

use super::ended::Ended;
use super::favour::Favour;
use super::inbound::{Inbound, READ, SMALL};
use super::poll::{Events, Item, poll};
use super::socket::Entrance;
use super::visitors::Visitors;
use crate::clock;
use crate::keys::{Keys, Member};
use crate::net::{Sleeper, is_end};
use crate::throttle::log_throttled;

/// While somebody shakes hands, or memory is short, the time is looked at this
/// often; and a longer pause of the broker counts as this much of a peer's
/// silence.
const TICK: Duration = Duration::from_secs(1);
/// How long accepting rests when the system has no more file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// How many connections may be before the end of their handshake, or held because
/// they were refused. When more come, the oldest one goes: who belongs here needs a
/// few milliseconds.
const STRANGERS: usize = 512;

/// What a server is to do now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Whether connections are accepted.
    pub(crate) accept: bool,
    /// Whether there is room for messages.
    pub(crate) room: bool,
    /// How long to wait for something to do; `None` is for ever.
    pub(crate) timeout: Option<Duration>,
}

/// What polling has found of one connection.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// What it was asked for.
    asked: Events,
    ready: Events,
}

/// What polling has found.
struct Ready {
    accept: bool,
    connections: Vec<Found>,
    /// How much time counts as silence of those that gave nothing.
    time: Duration,
    /// Whose large message alone goes on.
    favoured: Option<usize>,
}

/// A port with its connections: it reads what peers send, and never waits for
/// one of them while another one has something.
pub(crate) struct Server {
    entrance: Entrance,
    role: Role,
    /// What its peers are called in the log.
    peers: &'static str,
    max_message: u64,
    pub(crate) connections: Vec<Inbound>,
    favour: Favour,
    next_id: u64,
    /// Until when no connection is accepted.
    rests_until: Option<Instant>,
    /// When connections were asked last.
    asked: Instant,
    /// Set while all that has arrived is taken in, and nothing more.
    draining: bool,
    /// Memory that all small reads share.
    scratch: Vec<u8>,
    /// Whose keys are let in; `None` where none are needed.
    keys: Option<Arc<Keys>>,
    /// The keys' version for which all connections were looked at.
    keys_version: u64,
    /// Who has finished the handshake.
    visitors: Arc<Visitors>,
}

impl Server {
    /// Serves a port: messages may have up to `max_message` bytes, and
    /// unfinished ones take up to about `max_unfinished` bytes of memory.
    pub(crate) fn new(
        entrance: Entrance,
        role: Role,
        peers: &'static str,
        max_message: u64,
        max_unfinished: usize,
    ) -> Self {
        Self {
            entrance,
            role,
            peers,
            max_message,
            connections: Vec::new(),
            favour: Favour::new(max_unfinished),
            next_id: 0,
            rests_until: None,
            asked: clock::now(),
            draining: false,
            scratch: vec![0; 2 * READ],
            keys: None,
            keys_version: 0,
            visitors: Arc::default(),
        }
    }

    /// Returns who is connected, also later.
    pub(crate) fn visitors(&self) -> Arc<Visitors> {
        Arc::clone(&self.visitors)
    }

    /// Lets nobody in but the owners of these keys.
    pub(crate) fn with_keys(mut self, keys: Option<Arc<Keys>>) -> Self {
        self.keys_version = keys.as_ref().map_or(0, |keys| keys.version());
        self.keys = keys;
        self
    }

    /// Reads only about this many bytes at once from each connection.
    pub(crate) fn with_small_reads(mut self, bytes: usize) -> Self {
        self.scratch = vec![0; SMALL + bytes];
        self
    }

    /// Returns a connection by its id.
    pub(crate) fn get(&self, id: u64) -> Option<&Inbound> {
        self.connections.iter().find(|it| it.id == id)
    }

    /// Returns a connection by its id.
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Inbound> {
        self.connections.iter_mut().find(|it| it.id == id)
    }

    /// Takes back a connection that has ended by this end's will: nothing more
    /// is read from it, and it is closed when what is to be sent has left.
    pub(crate) fn close_soon(&mut self, mut connection: Inbound) {
        connection.close_soon();
        self.connections.push(connection);
    }

    /// From now on takes in what has arrived, and nothing more: a connection
    /// that was found empty is [drained](Inbound::is_drained).
    pub(crate) fn begin_draining(&mut self) {
        self.draining = true;
    }

    /// Waits until there is something to do, or somebody wakes the sleeper,
    /// which has announced its wait; then does it once for each connection.
    /// Whole messages go to `take`, as they stand on the wire. Returns the
    /// connections that have ended.
    pub(crate) fn serve(
        &mut self,
        sleeper: &mut Sleeper,
        wanted: Wanted,
        take: &mut impl FnMut(u64, Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> io::Result<Vec<(Inbound, Ended)>> {
        let ready = self.wait(sleeper, wanted)?;
        if ready.accept {
            self.accept();
        }
        let mut ended = self.receive(&ready, take);
        self.revoke(&mut ended);
        if ready.accept {
            self.make_way(&mut ended);
        }
        for (connection, _) in &ended {
            self.visitors.leave(connection.id);
        }
        Ok(ended)
    }

    /// Ends the connections of those whose keys are let in no more.
    fn revoke(&mut self, ended: &mut Vec<(Inbound, Ended)>) {
        let Some(keys) = &self.keys else { return };
        let version = keys.version();
        if std::mem::replace(&mut self.keys_version, version) == version {
            return;
        }
        let gone = |it: &mut Inbound| it.member().is_some_and(|who| !keys.is_current(who));
        let revoked = self.connections.extract_if(.., gone);
        ended.extend(revoked.map(|it| (it, Ended::Revoked)));
    }

    /// Ends the oldest of the connections that have not finished their handshake,
    /// where there are too many of them.
    fn make_way(&mut self, ended: &mut Vec<(Inbound, Ended)>) {
        let strangers = self.connections.iter().filter(|it| !it.is_ready());
        let mut ids: Vec<u64> = strangers.map(|it| it.id).collect();
        let Some(many) = ids.len().checked_sub(STRANGERS).filter(|many| *many > 0) else {
            return;
        };
        ids.sort_unstable();
        let last = ids.get(many - 1).copied().unwrap_or(0);
        let goes = |it: &mut Inbound| !it.is_ready() && it.id <= last;
        let crowded = self.connections.extract_if(.., goes);
        ended.extend(crowded.map(|it| (it, Ended::Crowded)));
    }

    fn wait(&mut self, sleeper: &mut Sleeper, wanted: Wanted) -> io::Result<Ready> {
        let favoured = self.favour.choose(&self.connections);
        let interests = self.interests(favoured, wanted.room);
        let accepting = wanted.accept && self.rests_until.is_none_or(|until| until <= clock::now());
        let mut items = vec![Item::new(sleeper, Events::READ)];
        if accepting {
            items.extend(self.entrance.poll_items());
        }
        let others = items.len();
        let connections = self.connections.iter().zip(&interests);
        items.extend(connections.filter_map(|(connection, &interest)| {
            // A connection that is held back is left out: polling would return
            // at once for one that the peer has ended.
            let item = Item::new(&*connection.socket, interest);
            (!interest.is_none()).then_some(item)
        }));
        poll(&mut items, self.timeout(wanted, accepting))?;
        let mut found = items.iter().skip(others).map(|item| item.ready);
        let connections = interests.iter().map(|&asked| {
            let ready = match asked.is_none() {
                true => Events::NONE,
                false => found.next().unwrap_or_default(),
            };
            Found { asked, ready }
        });
        let connections = connections.collect();
        let ports = items.get(1..others).unwrap_or_default();
        let accept = ports.iter().any(|port| port.ready.read);
        sleeper.awake();
        let now = clock::now();
        let time = now.duration_since(self.asked).min(TICK);
        self.asked = now;
        Ok(Ready {
            accept,
            connections,
            time,
            favoured,
        })
    }

    /// Returns for how long to wait; `None` is for ever.
    fn timeout(&self, wanted: Wanted, accepting: bool) -> Option<Duration> {
        let patient = self.connections.iter().any(Inbound::is_timed);
        let own = match () {
            () if wanted.accept && !accepting => Some(EXHAUSTED),
            () if patient || self.favour.is_needed(&self.connections) => Some(TICK),
            () => None,
        };
        own.into_iter().chain(wanted.timeout).min()
    }

    /// Decides from whom bytes are taken now. Who is left out feels it: that is
    /// how back-pressure comes to peers.
    fn interests(&self, favoured: Option<usize>, room: bool) -> Vec<Events> {
        let takes = |(index, connection): (usize, &Inbound)| {
            let goes_on = !connection.is_large() || favoured.is_none_or(|other| other == index);
            let has_room = !connection.is_ready() || (room && goes_on);
            let may_read = has_room && connection.is_heard();
            Events::new(may_read, connection.has_unsent())
        };
        self.connections.iter().enumerate().map(takes).collect()
    }

    fn accept(&mut self) {
        self.rests_until = None;
        loop {
            match self.entrance.accept() {
                Ok((socket, peer)) => {
                    self.next_id += 1;
                    let connection = Inbound::new(socket, peer, self.role, self.next_id);
                    let mut connection = connection.guarded_by(self.keys.as_ref());
                    // It is heard first: what goes wrong now is seen then.
                    connection.flush();
                    self.connections.push(connection);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A peer that gave up while it waited in the queue.
                Err(error) if is_end(&error) => {
                    log::debug!("a {} was not accepted: {error}", self.peers);
                }
                Err(error) => {
                    let peers = self.peers;
                    log_throttled!(Level::Error, "cannot accept another {peers} now: {error}");
                    self.rests_until = Some(clock::now() + EXHAUSTED);
                    return;
                }
            }
        }
    }

    /// Reads once from everybody who has sent something.
    fn receive(
        &mut self,
        ready: &Ready,
        take: &mut impl FnMut(u64, Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Vec<(Inbound, Ended)> {
        let late = self.late(ready);
        let late_index = late.as_ref().map(|(index, _)| *index);
        let mut ended = Vec::new();
        // Those that were accepted since have not been asked yet.
        let asked = self.connections.iter_mut().zip(&ready.connections);
        for (index, (connection, &found)) in asked.enumerate() {
            if late_index == Some(index) {
                continue;
            }
            let (id, was_ready) = (connection.id, connection.is_ready());
            let served = serve(
                connection,
                found,
                self.max_message,
                &mut self.scratch,
                &mut |who, message| take(id, who, message),
            );
            if connection.is_ready() && !was_ready {
                let introduction = connection.introduction();
                self.visitors.enter(id, connection.peer, introduction);
            }
            connection.passes(ready.time);
            let result = served.and_then(|came| {
                if !came {
                    gave_nothing(connection, found, ready.time, self.draining);
                }
                connection.check_patience()
            });
            if let Err(end) = result {
                ended.push((index, end));
            }
        }
        ended.extend(late);
        ended.sort_by_key(|(index, _)| *index);
        let removed = ended.into_iter().rev();
        removed
            .map(|(index, end)| (self.connections.swap_remove(index), end))
            .collect()
    }

    /// Returns the connection that keeps others waiting for too long.
    fn late(&mut self, ready: &Ready) -> Option<(usize, Ended)> {
        let favoured = ready.favoured?;
        let asked = ready.connections.get(favoured)?.asked;
        if !asked.read {
            return None;
        }
        let result = self
            .favour
            .asked(&mut self.connections, favoured, ready.time);
        result.err().map(|end| (favoured, end))
    }
}

/// Does for one connection what it is ready for; returns whether bytes came.
fn serve(
    connection: &mut Inbound,
    found: Found,
    max_message: u64,
    scratch: &mut [u8],
    take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
) -> Result<bool, Ended> {
    if found.ready.write {
        connection.flush();
    }
    // An error shows when it is read, behind what came before it.
    if found.ready.read || found.ready.failed {
        return connection.receive(max_message, scratch, take);
    }
    Ok(false)
}

/// Notes that nothing came from a peer, which counts against it only where it
/// was asked.
fn gave_nothing(connection: &mut Inbound, found: Found, time: Duration, draining: bool) {
    if !found.asked.is_none() && found.ready.is_none() {
        connection.gave_nothing(time);
    }
    if draining && found.asked.read {
        connection.found_empty();
    }
}
