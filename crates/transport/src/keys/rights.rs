//! What the owner of a key may do.

use std::collections::BTreeMap;

/// Something that has to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// To publish.
    Publish,
    /// To subscribe, and to read through the control port.
    Subscribe,
    /// To archive the session, forget positions and see who is connected.
    Control,
}

/// What the owner of a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rights {
    publish: bool,
    subscribe: bool,
    control: bool,
    /// Only topics that begin with one of these; empty is all.
    topics: Vec<Box<[u8]>>,
}

/// Everybody's rights, as a file has them.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// `None` where there is no file: then everybody may do everything.
    by_name: Option<BTreeMap<String, Rights>>,
}

/// Why a line of the file can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RightsError {
    /// A word that means nothing.
    #[error("{word:?} is no right: publish, subscribe, control, or topic:BEGINNING")]
    Word {
        /// The word.
        word: String,
    },
    /// A name has two lines.
    #[error("{name} has a line already")]
    Twice {
        /// The name.
        name: String,
    },
}

const NONE: Rights = Rights {
    publish: false,
    subscribe: false,
    control: false,
    topics: Vec::new(),
};

impl Rights {
    /// Everything.
    pub(crate) const ALL: Self = Self {
        publish: true,
        subscribe: true,
        control: true,
        topics: Vec::new(),
    };

    /// Tells whether something is allowed at all.
    pub(crate) fn has(&self, right: Right) -> bool {
        match right {
            Right::Publish => self.publish,
            Right::Subscribe => self.subscribe,
            Right::Control => self.control,
        }
    }

    /// Returns with what a topic has to begin; empty where any will do.
    pub(crate) fn topics(&self) -> &[Box<[u8]>] {
        &self.topics
    }

    /// Tells whether a message's first frame is within what is allowed.
    pub(crate) fn covers(&self, topic: &[u8]) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|start| topic.starts_with(start))
    }

    /// Reads the words behind a name.
    fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, RightsError> {
        let mut rights = NONE;
        for word in words {
            match (word, word.strip_prefix("topic:")) {
                ("publish", _) => rights.publish = true,
                ("subscribe", _) => rights.subscribe = true,
                ("control", _) => rights.control = true,
                (_, Some(topic)) if !topic.is_empty() => {
                    rights.topics.push(topic.as_bytes().into());
                }
                _ => {
                    let word = word.to_owned();
                    return Err(RightsError::Word { word });
                }
            }
        }
        Ok(rights)
    }
}

impl List {
    /// Reads lines of a name and its rights; returns what is wrong with which line.
    pub(crate) fn parse(text: &str) -> Result<Self, (usize, RightsError)> {
        let mut by_name = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            let Some(name) = words.next().filter(|name| !name.starts_with('#')) else {
                continue;
            };
            let rights = Rights::parse(words).map_err(|error| (number, error))?;
            if by_name.insert(name.to_owned(), rights).is_some() {
                let name = name.to_owned();
                return Err((number, RightsError::Twice { name }));
            }
        }
        let by_name = Some(by_name);
        Ok(Self { by_name })
    }

    /// Returns what the owner of a key may do: its own line counts, or else that of
    /// the star. Who is in no line may do nothing.
    pub(crate) fn of(&self, name: &str) -> Rights {
        let Some(by_name) = &self.by_name else {
            return Rights::ALL;
        };
        let found = by_name.get(name).or_else(|| by_name.get("*"));
        found.cloned().unwrap_or(NONE)
    }

    /// Returns the names that have a line.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.by_name.iter().flat_map(BTreeMap::keys);
        names.map(String::as_str).filter(|name| *name != "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_everybody_may_do_everything() {
        assert_eq!(List::default().of("anybody"), Rights::ALL);
    }

    #[test]
    fn with_a_file_who_is_in_no_line_may_do_nothing() {
        let list = List::parse("# rights\n\nalice publish topic:chat. topic:tasks.\n").unwrap();
        let alice = list.of("alice");
        assert!(alice.has(Right::Publish) && !alice.has(Right::Subscribe));
        assert!(alice.covers(b"chat.x") && alice.covers(b"tasks."));
        assert!(!alice.covers(b"chat") && !alice.covers(b""));
        assert_eq!(list.of("bob"), NONE);
        let list = List::parse("* subscribe\nalice publish control").unwrap();
        assert!(list.of("bob").has(Right::Subscribe) && list.of("bob").covers(b""));
        assert!(
            !list.of("alice").has(Right::Subscribe),
            "its own line counts alone"
        );
        assert!(list.of("alice").has(Right::Control));
        assert_eq!(list.names().collect::<Vec<_>>(), ["alice"]);
    }

    #[test]
    fn a_word_that_means_nothing_is_named_with_its_line() {
        for word in ["pubish", "topic:", "PUBLISH"] {
            let error = List::parse(&format!("# x\nalice publish {word}")).unwrap_err();
            let word = word.to_owned();
            assert_eq!(error, (2, RightsError::Word { word }));
        }
        let error = List::parse("a publish\na control").unwrap_err();
        let name = "a".to_owned();
        assert_eq!(error, (2, RightsError::Twice { name }));
    }
}
