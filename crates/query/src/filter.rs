//! Which messages are asked for.
//!
//! What somebody asks for ([`Criteria`]) is compiled once into a [`Filter`],
//! which is then tested on each message. The filter sees a message only through
//! [`Fields`], so that a parsed record and a line's raw bytes can serve alike.

/// A field that a filter can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The first frame.
    Topic,
    /// Who sent the message.
    Sender,
    /// The tier.
    Tier,
    /// The chain type.
    Chain,
}

/// A message as a filter sees it.
pub trait Fields {
    /// Returns a field's value; a message without it has the default.
    fn get(&self, field: Field) -> &str;
}

impl Fields for message::Record<'_> {
    fn get(&self, field: Field) -> &str {
        match field {
            Field::Topic => &self.topic,
            Field::Sender => &self.sender,
            Field::Tier => &self.tier,
            Field::Chain => &self.chain_type,
        }
    }
}

/// What somebody asks for. Criteria combine: a message has to meet all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// Only messages of this tier.
    pub tier: Option<String>,
    /// Only messages of this chain type.
    pub chain: Option<String>,
    /// Only messages of this sender.
    pub sender: Option<String>,
    /// Only messages whose topic begins so: what a subscription to it would get.
    pub topic: Option<String>,
}

/// Criteria made ready to be tested on many messages.
///
/// ```
/// use query::{Criteria, Filter};
///
/// let filter = Filter::compile(&Criteria {
///     sender: Some("gemini".to_owned()),
///     topic: Some("design".to_owned()),
///     ..Criteria::default()
/// });
/// let line = br#"{"topic":"design_review","sender":"gemini","content":1}"#;
/// assert!(filter.matches(&message::Record::parse(line)?));
/// # Ok::<(), message::DecodeError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// All of them have to hold.
    tests: Vec<Test>,
}

#[derive(Debug, Clone)]
struct Test {
    field: Field,
    pattern: Pattern,
}

#[derive(Debug, Clone)]
enum Pattern {
    Exactly(String),
    Prefix(String),
}

impl Filter {
    /// Compiles criteria; without any, every message matches.
    #[must_use]
    pub fn compile(criteria: &Criteria) -> Self {
        let Criteria {
            tier,
            chain,
            sender,
            topic,
        } = criteria;
        let exact = [
            (Field::Tier, tier),
            (Field::Sender, sender),
            (Field::Chain, chain),
        ];
        let exact = exact.into_iter().filter_map(|(field, value)| {
            let pattern = Pattern::Exactly(value.clone()?);
            Some(Test { field, pattern })
        });
        let prefix = topic.iter().map(|topic| Test {
            field: Field::Topic,
            pattern: Pattern::Prefix(topic.clone()),
        });
        Self {
            tests: exact.chain(prefix).collect(),
        }
    }

    /// Tells whether every message matches because nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Tells whether a message is asked for.
    pub fn matches(&self, message: &impl Fields) -> bool {
        let holds = |test: &Test| test.pattern.matches(message.get(test.field));
        self.tests.iter().all(holds)
    }
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Exactly(wanted) => value == wanted,
            Self::Prefix(wanted) => value.starts_with(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Message;

    impl Fields for Message {
        fn get(&self, field: Field) -> &str {
            match field {
                Field::Topic => "design_review",
                Field::Sender => "claude",
                Field::Tier => "A",
                Field::Chain => "architecture",
            }
        }
    }

    fn matches(change: impl FnOnce(&mut Criteria)) -> bool {
        let mut criteria = Criteria::default();
        change(&mut criteria);
        Filter::compile(&criteria).matches(&Message)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn without_criteria_everything_matches() {
        let filter = Filter::compile(&Criteria::default());
        assert!(filter.is_empty() && filter.matches(&Message));
    }

    #[test]
    fn tier_chain_and_sender_match_as_a_whole() {
        assert!(matches(|c| c.tier = some("A")));
        assert!(!matches(|c| c.tier = some("a")));
        assert!(matches(|c| c.chain = some("architecture")));
        assert!(!matches(|c| c.chain = some("arch")));
        assert!(matches(|c| c.sender = some("claude")));
        assert!(!matches(|c| c.sender = some("claude_code")));
        assert!(!matches(|c| c.sender = some("")));
    }

    #[test]
    fn a_topic_matches_like_a_subscription() {
        assert!(matches(|c| c.topic = some("design")));
        assert!(matches(|c| c.topic = some("design_review")));
        assert!(matches(|c| c.topic = some("")));
        assert!(!matches(|c| c.topic = some("review")));
        assert!(!matches(|c| c.topic = some("design_reviews")));
    }

    #[test]
    fn all_criteria_have_to_hold() {
        assert!(matches(|c| (c.tier, c.sender) = (some("A"), some("claude"))));
        assert!(!matches(
            |c| (c.tier, c.sender) = (some("A"), some("gemini"))
        ));
        assert!(!matches(
            |c| (c.tier, c.sender) = (some("E"), some("claude"))
        ));
    }
}
