//! The command line.

mod commands;
mod examples;
mod filters;
mod output;
mod read;

use std::path::PathBuf;

use clap::{Parser, ValueHint};
use query::{Around, Order};

#[cfg(feature = "serve")]
pub(crate) use self::commands::Serve;
pub(crate) use self::commands::{Command, Completions, Index, List, Salvage, Verify, What};
pub(crate) use self::examples::EXAMPLES;
pub(crate) use self::filters::Filters;
pub(crate) use self::output::{OutputArgs, When};

/// First what people most often look for.
const TEMPLATE: &str = "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Shows, filters, counts and checks what the broker recorded.
#[derive(Debug, Parser)]
#[command(name = "viewer", version, before_help = EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Directory of the recorded conversations
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "BROKER_DIR",
        default_value = journal::DEFAULT_DIR
    )]
    pub(crate) dir: PathBuf,

    /// How many of the newest matching messages to show; 0 is all
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole_number)]
    pub(crate) limit: u64,

    /// Count the messages instead of showing them
    #[arg(long)]
    pub(crate) stats: bool,

    /// List the closed sessions, and what is in them
    #[arg(long, conflicts_with_all = ["stats", "archive", "count", "current", "all", "files", "file"])]
    pub(crate) list_archives: bool,

    /// Read a closed session instead of the current one; NAME is from
    /// --list-archives, with or without .jsonl, a pattern such as
    /// 'session_2025*', or latest; may be given several times
    #[arg(long, value_name = "NAME", conflicts_with_all = ["current", "all", "files", "file"])]
    pub(crate) archive: Vec<String>,

    /// Read only the current session, whatever is asked for
    #[arg(long, conflicts_with_all = ["all", "files", "file"])]
    pub(crate) current: bool,

    /// Read all closed sessions, oldest first, and the current one
    #[arg(long, conflicts_with_all = ["files", "file"])]
    pub(crate) all: bool,

    /// Read a file that lies elsewhere, as FILE does
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) file: Vec<PathBuf>,

    /// Read these files, or all sessions or files of these directories, merged by
    /// time; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,

    /// Show the whole conversation of a message or context, as a tree of replies
    #[arg(long, value_name = "ID", conflicts_with_all = ["stats", "count", "reverse", "follow", "list_archives"])]
    pub(crate) thread: Option<String>,

    /// Show the newest message first
    #[arg(long, conflicts_with_all = ["stats", "count"])]
    pub(crate) reverse: bool,

    /// Go on with new messages as they are recorded
    #[arg(short, long, conflicts_with_all = ["stats", "count", "reverse", "archive", "list_archives"])]
    pub(crate) follow: bool,

    /// Show N messages before and behind each that matches, too
    #[arg(short = 'C', long, value_name = "N", conflicts_with_all = ["stats", "count", "follow", "thread", "list_archives"])]
    pub(crate) context: Option<usize>,

    /// Show N messages behind each that matches
    #[arg(short = 'A', long, value_name = "N", conflicts_with_all = ["stats", "count", "follow", "thread", "list_archives"])]
    pub(crate) after: Option<usize>,

    /// Show N messages before each that matches
    #[arg(short = 'B', long, value_name = "N", conflicts_with_all = ["stats", "count", "follow", "thread", "list_archives"])]
    pub(crate) before: Option<usize>,

    /// Print only how many messages match
    #[arg(long, conflicts_with = "stats")]
    pub(crate) count: bool,

    /// Read the sessions themselves, whatever their indexes tell
    #[arg(long)]
    pub(crate) no_index: bool,

    /// Do not cut long content
    #[arg(long)]
    pub(crate) full: bool,

    // Last, since the headings of both hold for all that follows.
    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) filters: Filters,
}

fn whole_number(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "expected a whole number such as 20, or 0 for all")
}

impl Args {
    /// All files that are named.
    pub(crate) fn all_files(&self) -> Vec<PathBuf> {
        self.file.iter().chain(&self.files).cloned().collect()
    }

    /// How many messages are shown around each that matches.
    pub(crate) fn around(&self) -> Option<Around> {
        let around = Around {
            before: self.before.or(self.context).unwrap_or(0),
            after: self.after.or(self.context).unwrap_or(0),
        };
        (around != Around::default()).then_some(around)
    }

    /// Which of the matching messages are shown, and in which order.
    pub(crate) fn order(&self) -> Order {
        Order {
            limit: (self.limit > 0).then_some(self.limit),
            newest_first: self.reverse,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_limit_of_0_is_none() {
        let limit = |options: &[&str]| {
            let words = ["viewer"].iter().chain(options);
            Args::try_parse_from(words).unwrap().order().limit
        };
        assert_eq!(limit(&[]), Some(50));
        assert_eq!(limit(&["--limit", "7"]), Some(7));
        assert_eq!(limit(&["--limit", "0"]), None);
    }
}
