//! Options from a file: which there are, and where each value is from.
//!
//! What the file says takes the place of an option's default, so everything that holds
//! for a value on the command line holds for one in the file, and the environment and
//! the command line win.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Spanned, Value};

use crate::args::Args;
use crate::command::ConfigCommand;
use crate::exit::Exit;
use crate::line::line;
use crate::shown::shown;

/// These can't stand in the file: the one names it, the others are asked for.
const NEVER: [&str; 3] = ["config", "help", "version"];

/// What a file of options says, and its name.
struct File {
    path: PathBuf,
    /// By the names of options, without their dashes.
    values: BTreeMap<String, String>,
}

/// Why a file of options is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the options in {}", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{}:{line}: {problem}", .path.display())]
    Wrong {
        path: PathBuf,
        line: usize,
        problem: String,
    },
    /// What is said in several places does not go together, or the command line is wrong.
    #[error("{}", first_line(.0))]
    Options(#[from] clap::Error),
}

/// Returns what is wrong, without what clap says of how it is used.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}

/// What the user has said, by the command line, the environment and the file together.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) args: Args,
    /// The command line.
    pub(crate) words: Vec<OsString>,
    /// The value of each option that has one, as it was written.
    pub(crate) values: BTreeMap<String, String>,
}

/// Reads the command line, the environment, and the file that one of them names.
///
/// # Errors
/// What is wrong with the file, or with a value in it. What is wrong with the command
/// line ends the process, as clap does it.
pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Said, ConfigError> {
    match read_again(words) {
        Err(ConfigError::Options(error)) => error.exit(),
        read => read,
    }
}

/// Reads them once more while the program runs.
///
/// # Errors
/// Whatever is wrong.
pub(crate) fn read_again(words: impl IntoIterator<Item = OsString>) -> Result<Said, ConfigError> {
    let words: Vec<OsString> = words.into_iter().collect();
    let said = Said::of(Args::command(), &words)?;
    let Some(path) = said
        .args
        .config
        .clone()
        .filter(|_| said.args.command.is_none())
    else {
        return Ok(said);
    };
    let file = File::read(&path)?;
    Said::of(file.apply(Args::command()), &words)
}

impl Said {
    fn of(command: Command, words: &[OsString]) -> Result<Self, ConfigError> {
        let matches = command.try_get_matches_from(words)?;
        let values = options().into_iter();
        let values = values.filter_map(|(name, id)| Some((name, raw(&matches, &id)?)));
        Ok(Self {
            values: values.collect(),
            words: words.to_vec(),
            args: Args::from_arg_matches(&matches)?,
        })
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let wrong = |at: usize, problem: String| ConfigError::Wrong {
            path: path.to_owned(),
            line: 1 + text
                .get(..at)
                .map_or(0, |before| before.matches('\n').count()),
            problem,
        };
        let table: BTreeMap<Spanned<String>, Spanned<Value>> =
            toml::from_str(&text).map_err(|error| {
                let at = error.span().map_or(0, |span| span.start);
                wrong(at, error.message().to_owned())
            })?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().replace('_', "-");
            if !options().contains_key(&name) {
                return Err(wrong(key.span().start, unknown(&name)));
            }
            let text = as_text(value.get_ref()).ok_or_else(|| {
                let problem = format!("{name} is a text, a number, true or false, or a list");
                wrong(value.span().start, problem)
            })?;
            // Each value by itself, so that what is wrong has its line.
            let alone = Self {
                path: path.to_owned(),
                values: BTreeMap::from([(name.clone(), text.clone())]),
            };
            alone
                .check()
                .map_err(|problem| wrong(value.span().start, problem))?;
            values.insert(name, text);
        }
        let path = path.to_owned();
        Ok(Self { path, values })
    }

    /// Lets the file's values take the place of the defaults.
    fn apply(&self, mut command: Command) -> Command {
        let options = options();
        for (name, value) in &self.values {
            let Some(id) = options.get(name) else {
                continue;
            };
            let value = value.clone();
            command = command.mut_arg(id, |option| option.default_value(leaked(value)));
        }
        command
    }

    /// Tells what is wrong with a value, whatever the command line says.
    fn check(&self) -> Result<(), String> {
        let checked = self.apply(without_environment(Args::command()));
        let matches = checked.try_get_matches_from(["broker"]);
        matches.map(drop).map_err(|error| first_line(&error))
    }

    /// Tells what does not go together of what the file says.
    fn check_together(&self) -> anyhow::Result<()> {
        let command = self.apply(without_environment(Args::command()));
        let said = Said::of(command, &["broker".into()])?;
        let path = self.path.display();
        said.args
            .check()
            .map_err(|problem| anyhow::anyhow!("{path}: {problem}"))
    }
}

/// Defaults live as long as the program: clap takes no others without a feature. Each text
/// is kept once, however often a file is read.
fn leaked(text: String) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text.as_str()) {
        return known;
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    texts.insert(text);
    text
}

fn without_environment(mut command: Command) -> Command {
    let ids: Vec<_> = command
        .get_arguments()
        .map(|one| one.get_id().clone())
        .collect();
    for id in ids {
        command = command.mut_arg(id, |option| option.env(None::<&str>));
    }
    command
}

/// The names of all options that a file may have, and what clap knows them by.
fn options() -> BTreeMap<String, String> {
    let command = Args::command();
    let options = command.get_arguments().filter_map(|option| {
        let name = option.get_long().filter(|name| !NEVER.contains(name))?;
        Some((name.to_owned(), option.get_id().to_string()))
    });
    options.collect()
}

fn unknown(name: &str) -> String {
    let options = options();
    let close = options
        .keys()
        .min_by_key(|option| strsim::damerau_levenshtein(option, name));
    let is_close = |option: &&String| strsim::jaro_winkler(option, name) > 0.8;
    match close.filter(is_close) {
        Some(close) => format!("there is no option {}; is it {close}?", shown(name)),
        None => format!(
            "there is no option {}; `broker --help` lists them, without their dashes here",
            shown(name)
        ),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(as_text).collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}

impl ConfigCommand {
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        match self {
            Self::Check { file } => {
                let read = File::read(file)?;
                read.check_together()?;
                let count = read.values.len();
                line(
                    out,
                    &format!("[*] {}: {count} options, all of them good", file.display()),
                )?;
            }
            Self::Show { config } => {
                let file = config.as_deref().map(File::read).transpose()?;
                show(file.as_ref(), out)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Writes all options as a file of options, with where each is from.
fn show(file: Option<&File>, out: &mut impl Write) -> anyhow::Result<()> {
    let command = match file {
        Some(file) => file.apply(Args::command()),
        None => Args::command(),
    };
    let matches = command.clone().try_get_matches_from(["broker"])?;
    for option in command.get_arguments() {
        let Some(name) = option.get_long().filter(|name| !NEVER.contains(name)) else {
            continue;
        };
        let Some(value) = raw(&matches, option.get_id().as_str()) else {
            line(out, &format!("# {name} is not set"))?;
            continue;
        };
        let value = Value::String(value);
        line(
            out,
            &format!("{name} = {value}  # {}", origin(&matches, option, file)),
        )?;
    }
    Ok(())
}

fn raw(matches: &ArgMatches, id: &str) -> Option<String> {
    let values = matches.get_raw(id)?;
    let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    Some(values.join(","))
}

fn origin(matches: &ArgMatches, option: &clap::Arg, file: Option<&File>) -> String {
    let name = option.get_long().unwrap_or_default();
    match matches.value_source(option.get_id().as_str()) {
        Some(ValueSource::EnvVariable) => match option.get_env() {
            Some(variable) => format!("from {}", variable.to_string_lossy()),
            None => "from the environment".to_owned(),
        },
        _ => match file.filter(|file| file.values.contains_key(name)) {
            Some(file) => format!("from {}", file.path.display()),
            None => "the default".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<File, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broker.toml");
        std::fs::write(&path, text).unwrap();
        File::read(&path).map_err(|error| {
            let text = error.to_string();
            text.replace(&path.display().to_string(), "FILE")
        })
    }

    fn args(text: &str, words: &[&str]) -> Args {
        let words: Vec<OsString> = ["broker"].iter().chain(words).map(OsString::from).collect();
        let command = without_environment(Args::command());
        let said = Said::of(file(text).unwrap().apply(command), &words);
        said.unwrap().args
    }

    #[test]
    fn a_file_takes_the_place_of_defaults_and_the_command_line_wins() {
        let text = "pub_port = 7001\nsub-port = 7002\nmax-memory = \"1GiB\"\ninsecure = true\n\
                    bind = [\"127.0.0.1\", \"::1\"]\nkeep = \"90d\"\n";
        let found = args(text, &["--sub-port", "8002"]);
        assert_eq!(
            (found.pub_port, found.sub_port, found.control_port),
            (7001, 8002, 5558)
        );
        assert_eq!(
            (found.max_memory, found.bind.len(), found.insecure),
            (1 << 30, 2, true)
        );
        assert_eq!(
            found.upkeep.retention.keep.0.unwrap().as_secs(),
            90 * 86_400
        );
        assert!(!args("insecure = false", &[]).insecure);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        for (text, expected) in [
            (
                "\nhistry = 5\n",
                "FILE:2: there is no option histry; is it history?",
            ),
            ("config = \"x\"\n", "FILE:1: there is no option config"),
            (
                "history = 1\n\nmax-memory = \"lots\"\n",
                "FILE:3: invalid value 'lots' for '--max-memory <SIZE>'",
            ),
            ("history = 1\nhistory = 2\n", "FILE:2: "),
            ("history = \n", "FILE:1: "),
            ("[history]\na = 1\n", "FILE:1: history is a text, a number"),
            ("pub-port = 70000\n", "FILE:1: invalid value '70000'"),
        ] {
            let error = file(text).err().unwrap();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(file("").unwrap().values.is_empty());
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_a_file_as_on_the_command_line() {
        for text in ["strict-sender = true", "insecure = true\ncurve = \"keys\""] {
            assert!(args(text, &[]).check().is_err(), "{text}");
            let told = file(text).unwrap().check_together().unwrap_err();
            assert!(told.to_string().contains("broker.toml: "), "{told}");
        }
        args("strict-sender = true\ncurve = \"keys\"", &[])
            .check()
            .unwrap();
    }

    #[test]
    fn every_option_can_stand_in_a_file() {
        for name in options().into_keys() {
            // Of some the value is wrong, which is told.
            let _told = file(&format!("{name} = \"1\"\n")).map(drop);
        }
        let found = args(
            "pub = \"ipc:///run/pub\"\ncontrol = \"ipc:///run/control\"\n",
            &[],
        );
        assert_eq!(found.pub_ipc, Some("/run/pub".into()));
        assert_eq!(found.control_ipc, Some("/run/control".into()));
    }

    #[test]
    fn all_options_are_shown_with_where_they_are_from() {
        let file = file("history = 7\n").unwrap();
        let mut out = Vec::new();
        show(Some(&file), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line("history").contains("\"7\"  # from "), "{text}");
        assert!(
            line("max-message-size").ends_with("# the default"),
            "{text}"
        );
        assert!(text.contains("# curve is not set"), "{text}");
    }
}
