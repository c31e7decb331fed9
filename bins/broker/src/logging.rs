//! Where the log goes, and how its lines look.

use std::io::{self, Write};
use std::path::PathBuf;

use env_logger::fmt::Formatter;
use env_logger::{Builder, Target};
use log::{Level, LevelFilter, Record};
use serde_json::json;

use crate::rotating::Rotating;
use crate::shown::shown;

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; for journald with the level in front, as it reads that
    Text,
    /// An object in JSON on each line
    Json,
}

/// What is said, how, and where.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LogArgs {
    /// How much is said on stderr: off, error, warn, info, debug or trace
    #[arg(
        long,
        value_name = "LEVEL",
        env = "BROKER_LOG_LEVEL",
        default_value = "warn"
    )]
    pub(crate) log_level: LevelFilter,

    /// How it is said: text, or json with an object on each line
    #[arg(
        long,
        value_name = "FORMAT",
        env = "BROKER_LOG_FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) log_format: LogFormat,

    /// Say it in this file instead of on stderr. At 10 MiB it becomes FILE.1, and up to
    /// five older ones are kept
    #[arg(long, value_name = "FILE", env = "BROKER_LOG_FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) log_file: Option<PathBuf>,
}

impl LogArgs {
    /// The same for a command that somebody waits for: on stderr, as text. The file is the
    /// running broker's.
    pub(crate) fn for_people(&self) -> Self {
        Self {
            log_format: LogFormat::Text,
            log_file: None,
            ..*self
        }
    }

    /// Begins to log.
    ///
    /// # Errors
    /// Where the file can't be opened.
    pub(crate) fn begin(&self) -> io::Result<()> {
        let mut builder = Builder::new();
        // What is said is bounded below, where it can change while the program runs.
        builder.filter_level(LevelFilter::Trace);
        if let Some(path) = &self.log_file {
            builder.target(Target::Pipe(Box::new(Rotating::open(path)?)));
        }
        match self.log_format {
            LogFormat::Json => {
                builder.format(as_json);
            }
            LogFormat::Text if self.log_file.is_none() && is_journald() => {
                builder.format(for_journald);
            }
            LogFormat::Text => {}
        }
        builder.init();
        self.set_level();
        Ok(())
    }

    /// Says as much as `--log-level` wants from now on.
    pub(crate) fn set_level(&self) {
        log::set_max_level(self.log_level);
    }

    /// Says why the program ends: on stderr, and in the file where there is one.
    pub(crate) fn last_words(&self, text: &str) {
        let is_elsewhere = self.log_file.is_some();
        if is_elsewhere || self.log_format == LogFormat::Json {
            log::error!("{text}");
        }
        if is_elsewhere || self.log_format == LogFormat::Text {
            // Where stderr is closed, the exit code has to do.
            let _told = writeln!(io::stderr(), "broker: {text}");
        }
    }
}

/// Tells whether stderr leads to systemd's journal.
fn is_journald() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some() && !std::io::IsTerminal::is_terminal(&io::stderr())
}

/// The journal knows the time, and reads a level from the beginning of a line.
fn for_journald(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let level = match record.level() {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    for line in record.args().to_string().lines() {
        writeln!(out, "<{level}>{}", shown(line))?;
    }
    Ok(())
}

fn as_json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let line = json!({
        "time": out.timestamp_millis().to_string(),
        "level": record.level().as_str().to_ascii_lowercase(),
        "module": record.target(),
        "message": record.args().to_string(),
    });
    writeln!(out, "{line}")
}
