//! The command line.

use std::path::PathBuf;

use clap::Parser;
use query::Criteria;

const EXAMPLES: &str = "\
Examples:
  viewer                                      the newest 50 messages
  viewer --limit 5 --full                     the newest 5, however long they are
  viewer --sender claude_code --tier A        what claude_code said in tier A
  viewer --topic design                       topics that begin with design
  viewer --stats --chain photo_capture        counts of one chain
  viewer --list-archives                      the closed sessions
  viewer --archive session_20251120_143022    the newest messages of one of them";

/// Shows, filters and counts what the broker recorded.
#[derive(Debug, Parser)]
#[command(name = "viewer", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Directory of the recorded conversations
    #[arg(long, value_name = "PATH", default_value = "conversation_logs")]
    pub(crate) dir: PathBuf,

    /// How many of the newest matching messages to show; 0 is all
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole_number)]
    pub(crate) limit: u64,

    /// Count the messages instead of showing them
    #[arg(long)]
    pub(crate) stats: bool,

    /// List the closed sessions
    #[arg(long, conflicts_with_all = ["stats", "archive"])]
    pub(crate) list_archives: bool,

    /// Read a closed session instead of the current one; NAME is from
    /// --list-archives, with or without .jsonl
    #[arg(long, value_name = "NAME")]
    pub(crate) archive: Option<String>,

    /// Do not cut long content
    #[arg(long)]
    pub(crate) full: bool,

    // Last, since the heading of the filters holds for all that follows.
    #[command(flatten)]
    pub(crate) filters: Filters,
}

fn whole_number(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "expected a whole number such as 20, or 0 for all")
}

/// Filters combine: a message has to pass all of them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters (they combine)")]
pub(crate) struct Filters {
    /// Only messages of this tier: A, C, E, or another one that messages carry
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,

    /// Only messages of this chain type
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,

    /// Only messages of this sender
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,

    /// Only messages whose topic begins so, as a subscription to it would get
    #[arg(long, value_name = "PREFIX")]
    topic: Option<String>,
}

impl Filters {
    pub(crate) fn criteria(&self) -> Criteria {
        Criteria {
            tier: self.tier.clone(),
            chain: self.chain.clone(),
            sender: self.sender.clone(),
            topic: self.topic.clone(),
        }
    }
}

impl Args {
    /// How many messages are shown at most.
    pub(crate) fn limit(&self) -> Option<u64> {
        (self.limit > 0).then_some(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_limit_of_0_is_none() {
        let limit = |options: &[&str]| {
            let words = ["viewer"].iter().chain(options);
            Args::try_parse_from(words).unwrap().limit()
        };
        assert_eq!(limit(&[]), Some(50));
        assert_eq!(limit(&["--limit", "7"]), Some(7));
        assert_eq!(limit(&["--limit", "0"]), None);
    }

    #[test]
    fn the_examples_are_valid() {
        for line in EXAMPLES.lines().skip(1) {
            let command = line.trim().split("  ").next().unwrap_or_default();
            let parsed = Args::try_parse_from(command.split(' '));
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }
}
