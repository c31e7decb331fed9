//! Whose keys are let in, and what each of them may do.

mod folder;
pub(crate) mod rights;
mod watch;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use zmtp::curve::{Keypair, Keyring, PublicKey};
use zmtp::{Handshake, Peer, PeerKey, Role};

pub use self::folder::KeysError;
pub(crate) use self::rights::Right;
pub use self::rights::RightsError;
pub(crate) use self::watch::watch;

use self::folder::{Seen, read_members, read_own, seen};
use self::rights::Rights;

use crate::sync::held;

/// The keys of a broker: its own, and those of the clients that it lets in, from a
/// folder that is looked at again while the broker runs.
pub struct Keys {
    dir: PathBuf,
    own: Keypair,
    members: RwLock<Arc<Members>>,
    /// What the folder looked like when it was read; `None` to read it again.
    seen: Mutex<Option<Seen>>,
    /// Goes up with each change.
    version: AtomicU64,
}

/// Everybody who is let in.
#[derive(Debug, Default)]
pub(crate) struct Members {
    by_key: HashMap<PublicKey, Arc<Member>>,
}

/// The owner of a key that is let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The name of the key's file.
    pub(crate) name: Arc<str>,
    pub(crate) public: PublicKey,
    pub(crate) rights: Rights,
}

impl Member {
    /// Tells why a message may not be recorded in which its sender is said to be
    /// somebody else; with `strict`, that is nobody else among the keys.
    pub(crate) fn check<'a, F: Iterator<Item = &'a [u8]>>(
        &self,
        frames: impl Fn() -> F,
        strict: Option<&Keys>,
    ) -> Result<(), Denied> {
        let topic = frames().next().unwrap_or_default();
        let name = || self.name.to_string();
        if !self.rights.covers(topic) {
            let topic = shown(topic);
            return Err(Denied::Topic {
                name: name(),
                topic,
            });
        }
        if let Some(keys) = strict {
            let frames: Vec<&[u8]> = frames().take(2).collect();
            let other = |sender: &str| *sender != *self.name && keys.is_name(sender);
            if let Some(sender) = message::sender(&frames).filter(|sender| other(sender)) {
                let (name, sender) = (name(), sender.into_owned());
                return Err(Denied::Sender { name, sender });
            }
        }
        Ok(())
    }
}

/// A topic as a log shows it: short, and without control characters.
pub(crate) fn shown(topic: &[u8]) -> String {
    const SHORT: usize = 100;
    let short = topic.get(..SHORT).unwrap_or(topic);
    String::from_utf8_lossy(short).escape_debug().to_string()
}

impl Keys {
    /// Reads a folder: `server.key_secret` has the broker's own keys, the files
    /// `authorized/NAME.key` those of its clients, and `rights`, where it is there,
    /// what they may do.
    ///
    /// # Errors
    /// [`KeysError`] where the broker's own keys, the list of clients or the rights
    /// can't be read. A client's file that can't be read is logged and left out.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let dir = dir.into();
        let own = read_own(&dir)?;
        let before = seen(&dir);
        let members = read_members(&dir, &own)?;
        Ok(Self {
            own,
            members: RwLock::new(Arc::new(members)),
            seen: Mutex::new(before.filter(Seen::is_settled)),
            version: AtomicU64::new(0),
            dir,
        })
    }

    /// Returns the folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the public key that clients have to know.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.own.public
    }

    /// Returns how many clients' keys are let in.
    #[must_use]
    pub fn count(&self) -> usize {
        let members = self.members();
        let others = members.by_key.keys().filter(|key| **key != self.own.public);
        others.count()
    }

    /// Reads the folder again if it has changed; true where other keys are let in
    /// now, or they may do something else.
    pub(crate) fn refresh(&self) -> bool {
        let now = seen(&self.dir);
        let mut before = held(self.seen.lock());
        if now.is_some() && *before == now {
            return false;
        }
        let members = match read_members(&self.dir, &self.own) {
            Ok(members) => members,
            Err(error) => {
                // Nobody is shut out, or let in, by a file that is half written.
                crate::throttle::log_throttled!(
                    log::Level::Error,
                    "the keys in {} stay as they were: {error}",
                    self.dir.display()
                );
                return false;
            }
        };
        // A file may change once more without looking different.
        *before = now.filter(Seen::is_settled);
        let same = self.members().by_key == members.by_key;
        if !same {
            let mut current = held(self.members.write());
            *current = Arc::new(members);
            self.version.fetch_add(1, Ordering::Release);
        }
        !same
    }

    /// Returns a number that is another one after each change.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns who has shown to own a key, as it is known now.
    pub(crate) fn member(&self, key: &PeerKey) -> Option<Arc<Member>> {
        self.members().by_key.get(&key.public).cloned()
    }

    /// Returns who has finished a handshake, if it may do what it has come for.
    ///
    /// The control port is for all: what each may do there is asked with each request.
    pub(crate) fn admit(&self, peer: &Peer, role: Role) -> Result<Arc<Member>, Denied> {
        // Without a key nobody gets so far; and one may have been removed since.
        let member = peer.key.as_ref().and_then(|key| self.member(key));
        let member = member.ok_or(Denied::Removed)?;
        let name = || member.name.to_string();
        match role {
            Role::Subscriber if !member.rights.has(Right::Publish) => {
                Err(Denied::Publish { name: name() })
            }
            Role::Publisher if !member.rights.has(Right::Subscribe) => {
                Err(Denied::Subscribe { name: name() })
            }
            _ => Ok(member),
        }
    }

    /// Tells whether somebody is still let in with the same name and rights.
    pub(crate) fn is_current(&self, member: &Member) -> bool {
        let members = self.members();
        let now = members.by_key.get(&member.public);
        now.is_some_and(|now| **now == *member)
    }

    /// Tells whether a name is the one of a key.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        let members = self.members();
        members.by_key.values().any(|member| &*member.name == name)
    }

    fn members(&self) -> Arc<Members> {
        let members = self.members.read();
        let members = held(members);
        Arc::clone(&members)
    }
}

/// Why the owner of a key that is let in is sent away.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    #[error("its key was removed a moment ago")]
    Removed,
    #[error("the key {name:?} may not publish: see the file of rights")]
    Publish { name: String },
    #[error("the key {name:?} may not subscribe: see the file of rights")]
    Subscribe { name: String },
    #[error("the key {name:?} may not control the broker: see the file of rights")]
    Control { name: String },
    #[error("the key {name:?} has no right to the topic \"{topic}\": see the file of rights")]
    Topic { name: String, topic: String },
    #[error("it says that {sender:?} sent it, which is the name of another key than {name:?}")]
    Sender { name: String, sender: String },
}

/// Begins a handshake with a peer that has connected.
pub(crate) fn handshake(keys: Option<&Arc<Keys>>, role: Role) -> Handshake {
    match keys {
        Some(keys) => Handshake::with_curve(role, Arc::clone(keys) as Arc<dyn Keyring>, false),
        None => Handshake::new(role),
    }
}

impl Keyring for Keys {
    fn own(&self) -> &Keypair {
        &self.own
    }

    fn name_of(&self, key: &PublicKey) -> Option<Arc<str>> {
        let members = self.members();
        members
            .by_key
            .get(key)
            .map(|member| Arc::clone(&member.name))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
