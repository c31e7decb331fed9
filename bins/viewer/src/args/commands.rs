//! What else the viewer does than to show messages, each with its options.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use super::TEMPLATE;
#[cfg(feature = "serve")]
use super::examples::SERVE_EXAMPLES;
use super::examples::{
    COMPLETIONS_EXAMPLES, INDEX_EXAMPLES, LIST_EXAMPLES, SALVAGE_EXAMPLES, VERIFY_EXAMPLES,
};

/// What else can be done than to show messages.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check every line: structure, checksums, numbering
    Verify(Verify),
    /// Write what is readable of a damaged session to a new file
    Salvage(Salvage),
    /// Make the indexes of closed sessions that are missing or do not fit
    Index(Index),
    /// List the values that messages have: how many, and when they came last
    List(List),
    /// Show the conversation on a page in a browser, live
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Write what a shell needs to complete command lines
    Completions(Completions),
    /// Write the manual page
    Man,
}

/// Options of `verify`.
#[derive(Debug, clap::Args)]
#[command(before_help = VERIFY_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct Verify {
    /// Check a closed session instead of the current one; may be given several times
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "all")]
    pub(crate) archive: Vec<String>,

    /// Check all closed sessions and the current one, and that numbers go on between them
    #[arg(long)]
    pub(crate) all: bool,

    /// Check a file that lies elsewhere; may be given several times
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["archive", "all"], value_hint = ValueHint::FilePath)]
    pub(crate) file: Vec<PathBuf>,
}

/// Options of `salvage`.
#[derive(Debug, clap::Args)]
#[command(before_help = SALVAGE_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct Salvage {
    /// Read a closed session instead of the current one
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) archive: Option<String>,

    /// Read any file instead of the current session
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,

    /// The file to create
    pub(crate) out: PathBuf,
}

/// Options of `index`.
#[derive(Debug, clap::Args)]
#[command(before_help = INDEX_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct Index {
    /// Only of this closed session; may be given several times
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "all")]
    pub(crate) archive: Vec<String>,

    /// Of all closed sessions, as without this option
    #[arg(long)]
    pub(crate) all: bool,

    /// Let it also tell where a text can't be, which makes rare words fast to find
    #[arg(long)]
    pub(crate) text: bool,
}

/// Options of `completions`.
#[derive(Debug, clap::Args)]
#[command(before_help = COMPLETIONS_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Options of `serve`.
#[cfg(feature = "serve")]
#[derive(Debug, clap::Args)]
#[command(before_help = SERVE_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct Serve {
    /// The port to listen at; 0 is any that is free
    #[arg(long, value_name = "N", default_value_t = 8787)]
    pub(crate) port: u16,

    /// Listen at this address, so that others may get in who know the token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) bind: std::net::IpAddr,

    /// Leave the token out of the address: all programs of this machine may read
    #[arg(long)]
    pub(crate) no_token: bool,

    /// Where the broker answers requests, which is asked how the recording goes:
    /// tcp://HOST:PORT or ipc://PATH
    #[arg(long, value_name = "ENDPOINT", default_value = protocol::DEFAULT_ENDPOINT)]
    pub(crate) control: String,

    /// Open the page in a browser
    #[arg(long)]
    pub(crate) open: bool,

    /// Serve these files, as they are now, instead of the recorded conversations
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
#[command(before_help = LIST_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct List {
    /// What is listed: senders, keys, topics, tags, chains or sessions
    #[arg(value_name = "WHAT", hide_possible_values = true)]
    pub(crate) what: What,

    /// Print only the values, each on a line
    #[arg(long)]
    pub(crate) names: bool,

    /// List the values in these files, or in directories of them, instead of those in
    /// all sessions
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// Who sent messages.
    Senders,
    /// Names of keys, which prove who sent messages.
    Keys,
    /// First frames.
    Topics,
    /// Tags.
    Tags,
    /// Chain types.
    Chains,
    /// Closed sessions, and the current one.
    Sessions,
}
