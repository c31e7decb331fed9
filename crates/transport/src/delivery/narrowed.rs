//! What a subscriber asks for, as far as it has a right to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use log::Level;

use crate::delivery::{LinkError, MAX_TOPICS, Subscription};
use crate::keys::{Member, shown};
use crate::throttle::log_throttled;

/// A subscriber that may have some topics only. Who asks for more gets those, and who
/// asks for others gets nothing.
#[derive(Debug)]
pub(crate) struct Narrowed {
    member: Arc<Member>,
    /// What it has asked for, as a set.
    asked: BTreeSet<Arc<[u8]>>,
    /// What came of that.
    given: BTreeSet<Arc<[u8]>>,
    /// The bytes in `asked`.
    memory: usize,
}

impl Narrowed {
    /// Begins for somebody; `None` where it may have all topics.
    pub(crate) fn to(member: &Arc<Member>) -> Option<Self> {
        (!member.rights.topics().is_empty()).then(|| Self {
            member: Arc::clone(member),
            asked: BTreeSet::new(),
            given: BTreeSet::new(),
            memory: 0,
        })
    }

    /// Takes what it asks for; returns what it is to be given and not any more.
    pub(crate) fn apply(
        &mut self,
        subscription: Subscription,
    ) -> Result<Vec<Subscription>, LinkError> {
        match subscription {
            Subscription::Add(topic) => {
                if self.within(&topic).is_empty() {
                    log_throttled!(
                        Level::Warn,
                        "the key {:?} has no right to the topic \"{}\" that it subscribes to",
                        &*self.member.name,
                        shown(&topic)
                    );
                    return Ok(Vec::new());
                }
                if self.asked.insert(Arc::clone(&topic)) {
                    self.memory += topic.len();
                }
                if self.memory > MAX_TOPICS {
                    return Err(LinkError::Topics);
                }
            }
            Subscription::Remove(topic) => {
                if self.asked.remove(&topic) {
                    self.memory -= topic.len();
                }
            }
        }
        Ok(self.settle())
    }

    /// Returns the topics that are asked for and allowed: of each the narrower one.
    fn within(&self, asked: &Arc<[u8]>) -> Vec<Arc<[u8]>> {
        let allowed = self.member.rights.topics().iter();
        let both = allowed.filter_map(|allowed| match () {
            () if asked.starts_with(allowed) => Some(Arc::clone(asked)),
            () if allowed.starts_with(asked) => Some(Arc::from(&**allowed)),
            () => None,
        });
        both.collect()
    }

    fn settle(&mut self) -> Vec<Subscription> {
        let wanted: BTreeSet<_> = self.asked.iter().flat_map(|it| self.within(it)).collect();
        let over = self.given.difference(&wanted).cloned();
        let new = wanted.difference(&self.given).cloned();
        let changes = over
            .map(Subscription::Remove)
            .chain(new.map(Subscription::Add));
        let changes = changes.collect();
        self.given = wanted;
        changes
    }
}

#[cfg(test)]
mod tests {
    use zmtp::curve::Keypair;

    use super::*;
    use crate::keys::rights::List;

    fn narrowed(rights: &str) -> Option<Narrowed> {
        let list = List::parse(&format!("a subscribe {rights}")).unwrap();
        let member = Member {
            name: "a".into(),
            public: Keypair::generate().unwrap().public,
            rights: list.of("a"),
        };
        Narrowed::to(&Arc::new(member))
    }

    fn add(topic: &str) -> Subscription {
        Subscription::Add(topic.as_bytes().into())
    }

    fn remove(topic: &str) -> Subscription {
        Subscription::Remove(topic.as_bytes().into())
    }

    #[test]
    fn who_may_have_all_topics_is_not_narrowed() {
        assert!(narrowed("").is_none());
    }

    #[test]
    fn who_asks_for_more_gets_what_it_may_have_and_keeps_what_it_asked_for_besides() {
        let mut narrowed = narrowed("topic:chat. topic:news.").unwrap();
        let mut apply = |subscription| narrowed.apply(subscription).unwrap();
        assert_eq!(apply(add("other")), []);
        assert_eq!(apply(add("chat.a")), [add("chat.a")]);
        assert_eq!(apply(add("")), [add("chat."), add("news.")]);
        assert_eq!(apply(add("chat.")), []);
        assert_eq!(apply(remove("")), [remove("news.")], "chat. was asked for");
        assert_eq!(apply(remove("chat.")), [remove("chat.")]);
        assert_eq!(apply(remove("chat.a")), [remove("chat.a")]);
        assert_eq!(apply(remove("chat.a")), []);
        assert_eq!(apply(add("n")), [add("news.")]);
    }
}
