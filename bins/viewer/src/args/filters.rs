//! Which messages are asked for.

use query::{Criteria, Filter, Instant};

/// Filters combine: a message has to pass all of them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters (they combine)")]
pub(crate) struct Filters {
    /// Only messages of this tier: A, C, E, or another one that messages carry
    #[arg(long, value_name = "TIER")]
    tier: Vec<String>,

    /// Only messages of this chain type
    #[arg(long, value_name = "NAME")]
    chain: Vec<String>,

    /// Only messages of this sender
    #[arg(long, value_name = "NAME")]
    sender: Vec<String>,

    /// Only messages that came by a connection of this key, which proves who sent them
    #[arg(long, value_name = "NAME")]
    key: Vec<String>,

    /// Only messages that a bridge brought from the machine with this name
    #[arg(long, value_name = "NAME")]
    origin: Vec<String>,

    /// Only messages whose topic begins so, as a subscription to it would get
    #[arg(long, value_name = "PREFIX")]
    topic: Vec<String>,

    /// Only the message to which its sender gave this name
    #[arg(long, value_name = "ID")]
    id: Vec<String>,

    /// Only messages with this tag
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Only messages with this regular expression in the text of their content
    #[arg(long, value_name = "REGEX")]
    grep: Vec<String>,

    /// Take upper and lower case for the same in --grep
    #[arg(short, long, requires = "grep")]
    ignore_case: bool,

    /// Only messages recorded then or later: a time, a date, today, -3h, '2 days ago'
    #[arg(long, value_name = "TIME", value_parser = query::parse_time, allow_hyphen_values = true)]
    since: Option<Instant>,

    /// Only messages recorded before that
    #[arg(long, value_name = "TIME", value_parser = query::parse_time, allow_hyphen_values = true)]
    until: Option<Instant>,

    /// Only messages with this number or a higher one
    #[arg(long, value_name = "N")]
    from: Option<u64>,

    /// Only messages with this number or a lower one
    #[arg(long, value_name = "N")]
    to: Option<u64>,
}

impl Filters {
    pub(crate) fn compile(&self) -> Result<Filter, query::Error> {
        Filter::compile(&self.criteria())
    }

    pub(crate) fn criteria(&self) -> Criteria {
        Criteria {
            tier: self.tier.clone(),
            chain: self.chain.clone(),
            sender: self.sender.clone(),
            key: self.key.clone(),
            origin: self.origin.clone(),
            topic: self.topic.clone(),
            id: self.id.clone(),
            tag: self.tag.clone(),
            grep: self.grep.clone(),
            ignore_case: self.ignore_case,
            from: self.from,
            to: self.to,
            since: self.since,
            until: self.until,
        }
    }

    /// The names of messages that are looked for, those that must not fit aside.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let ids = self.id.iter().map(String::as_str);
        ids.filter(|id| !id.starts_with('!'))
    }

    /// Tells whether something is looked for wherever it may be: a time, a number,
    /// a name or a text.
    pub(crate) fn look_everywhere(&self) -> bool {
        let Self {
            from,
            to,
            since,
            until,
            ..
        } = self;
        let has_range = from.is_some() || to.is_some() || since.is_some() || until.is_some();
        has_range || !self.grep.is_empty() || self.ids().next().is_some()
    }
}
