//! The command line.

mod output;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use query::{Around, Criteria, Filter, Instant, Order};

pub(crate) use output::{OutputArgs, When};

pub(crate) const EXAMPLES: &str = "\
Examples:
  viewer                                      the newest 50 messages
  viewer --limit 5 --full                     the newest 5, however long they are
  viewer --sender claude_code --tier A        what claude_code said in tier A
  viewer --topic design --sender '!human'     such topics, from anybody but human
  viewer --grep 'time ?out' -i --since -3h    what was said of timeouts in the last three hours
  viewer --all --tag @Decision --reverse      all decisions ever, the newest first
  viewer --stats --chain photo_capture        counts of one chain
  viewer -o compact --limit 0                 one line a message, page by page
  viewer -o html --all --limit 0 > talk.html  everything as a page to share
  viewer -o html --out talk --all --limit 0   the same as many pages, with a search over all
  viewer -o csv --fields sender,time,text     a table
  viewer --thread msg_001                     the conversation that it belongs to
  viewer -f --limit 5                         the newest 5, and each new one as it is recorded
  viewer --list-archives                      the closed sessions
  viewer --archive latest                     the newest messages of the last one
  viewer talk.jsonl.gz ~/.claude/projects/*/*.jsonl --since today
                                              other files and programs, merged by time
  viewer list senders                         who sent messages, and when last
  viewer verify --all                         check every line that was recorded
  viewer salvage rescued.jsonl                copy what is readable to a new file
  viewer index                                make the indexes that are missing
  viewer serve --open                         the same on a page in a browser, live";

const VERIFY_EXAMPLES: &str = "\
Examples:
  viewer verify                                       the current session
  viewer verify --archive session_20251120_143022     a closed one
  viewer verify --all                                 everything, in order
  viewer verify --file copy.jsonl.gz                  any file

Ends with 0 if all is clean, with 3 if something is damaged, altered or missing,
or stands twice or out of order. Messages of older recorders have no checksum;
they are counted as unverified, which is no fault.";

const SALVAGE_EXAMPLES: &str = "\
Examples:
  viewer salvage rescued.jsonl                                the current session
  viewer salvage --archive session_20251120_143022 out.jsonl  a closed one
  viewer salvage --file copy.jsonl out.jsonl                  any file

The session itself is only read. Ends with 0 if everything was kept and nothing
is altered, with 3 if not.";

const INDEX_EXAMPLES: &str = "\
Examples:
  viewer index                                       every closed session
  viewer index --archive session_20251120_143022     one of them
  viewer index --text                                also for words in the text

An index lies beside its session and makes questions about it fast. It can be
removed at any time. What is there already and fits is left as it is.";

const LIST_EXAMPLES: &str = "\
Examples:
  viewer list senders     who sent messages, how many, and when last
  viewer list topics      the same of topics; also of keys, tags and chains
  viewer list sessions    the closed sessions and the current one

All sessions count.";

#[cfg(feature = "serve")]
const SERVE_EXAMPLES: &str = "\
Examples:
  viewer serve                    prints the address of the page
  viewer serve --open             opens it in a browser, too
  viewer serve talk.jsonl.gz      a page for any file
  viewer serve --bind 0.0.0.0     for other machines, with the token in the address

It only reads, and listens at this machine alone unless told otherwise. Whoever
knows the address can read everything. Ctrl+C ends it.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  viewer completions bash > ~/.local/share/bash-completion/completions/viewer
  viewer completions zsh > ~/.zfunc/_viewer
  viewer completions fish > ~/.config/fish/completions/viewer.fish

In these three, names of senders, topics, tags, chains and sessions are
completed, too: those of the directory in BROKER_DIR, or else of the usual one.";

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

impl Args {
    /// Reads the command line.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub(crate) fn from_words<W: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(words);
        let matches = matches?;
        if let Some((name, _)) = matches.subcommand()
            && let Some(option) = useless(&command, &matches)
        {
            let text = format!("the argument '--{option}' cannot be used with '{name}'");
            return Err(command.error(ErrorKind::ArgumentConflict, text));
        }
        let args = Self::from_arg_matches(&matches)?;
        if let Some(word) = args.mistyped_command()
            && let Some(error) = of_commands(&command, word)
        {
            return Err(error);
        }
        match args.output.contradiction(&args) {
            Some(text) => Err(command.error(ErrorKind::ArgumentConflict, text)),
            None => Ok(args),
        }
    }

    /// A lone word that names no file and looks like none.
    fn mistyped_command(&self) -> Option<&str> {
        let [path] = &self.files[..] else {
            return None;
        };
        let word = path.to_str()?;
        let is_word = word != "-" && !word.contains(['.', '/', '\\']);
        (is_word && !path.exists()).then_some(word)
    }

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

/// Tells of a word that is neither a file nor a command which command it resembles.
fn of_commands(command: &clap::Command, word: &str) -> Option<clap::Error> {
    let mut commands = clap::Command::new("viewer")
        .override_usage("viewer [OPTIONS] [FILE]...\n       viewer <COMMAND>")
        .disable_help_subcommand(true)
        .subcommands(command.get_subcommands().cloned());
    commands.try_get_matches_from_mut(["viewer", word]).err()
}

/// Finds an option in front of a subcommand that means nothing to it.
fn useless<'a>(command: &'a clap::Command, matches: &ArgMatches) -> Option<&'a str> {
    let mut given = command.get_arguments().filter(|option| {
        let source = matches.value_source(option.get_id().as_str());
        !option.is_global_set() && source == Some(ValueSource::CommandLine)
    });
    given.next().and_then(|option| option.get_long())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn options_for_messages_are_refused_beside_a_subcommand() {
        let refused = |words: &str| {
            let error = Args::from_words(words.split(' ')).err();
            error.map(|error| error.to_string()).unwrap_or_default()
        };
        for option in ["--stats", "--sender x", "--limit 50"] {
            let text = refused(&format!("viewer {option} verify"));
            let name = option.split(' ').next().unwrap_or_default();
            assert!(
                text.contains(&format!("'{name}' cannot be used with 'verify'")),
                "{text}"
            );
        }
        assert_eq!(refused("viewer --dir x verify"), "");
        assert_eq!(refused("viewer verify --dir x"), "");
    }

    #[test]
    fn a_mistyped_command_is_told_which_one_it_resembles() {
        let refused = |words: &str| Args::from_words(words.split(' ')).unwrap_err().to_string();
        for words in ["viewer verfy", "viewer --dir x verfy"] {
            let text = refused(words);
            assert!(text.contains("unrecognized subcommand 'verfy'"), "{text}");
            assert!(
                text.contains("a similar subcommand exists: 'verify'"),
                "{text}"
            );
        }
        assert!(refused("viewer --limit x").contains("'x' for '--limit <N>'"));
        assert!(refused("viewer xyzzy").contains("unrecognized subcommand 'xyzzy'"));
    }

    #[test]
    fn the_examples_are_valid() {
        let all = [
            EXAMPLES,
            VERIFY_EXAMPLES,
            SALVAGE_EXAMPLES,
            INDEX_EXAMPLES,
            COMPLETIONS_EXAMPLES,
        ];
        let lines = |text: &'static str| text.lines().skip(1).take_while(|line| !line.is_empty());
        for line in all.into_iter().flat_map(lines) {
            let command = line.trim().split("  ").next().unwrap_or_default();
            let mut is_quoted = false;
            let split = |c: char| {
                is_quoted ^= c == '\'';
                c == ' ' && !is_quoted
            };
            let command = command.split(" > ").next().unwrap_or_default();
            let parsed = Args::from_words(command.split(split));
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }
}
