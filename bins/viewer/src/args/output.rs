//! Options for how things are written.

use std::path::PathBuf;

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use render::{Column, Format};

use super::Args;

/// How messages and statistics are written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// How to show them: pretty, chat, compact, json, jsonl, raw, csv, md or html;
    /// without it chat for --thread and in a pager, else pretty
    #[arg(short, long, value_name = "FORMAT", value_parser = formats(), hide_possible_values = true)]
    pub(crate) output: Option<Format>,

    /// Write -o html as pages of up to 1,000 messages, with an index page that searches
    /// all of them, into this new directory; for more than some 5,000 messages
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,

    /// Which fields compact, json, jsonl and csv have, separated by commas: message_num,
    /// time, topic, sender, timestamp, tier, chain_type, shl_tags, message_id, in_reply_to,
    /// context_id, recorded_at, key_name, content, content_is, text
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = columns(), hide_possible_values = true)]
    pub(crate) fields: Vec<Column>,

    /// Below the counts of --stats, leave out what they say of the conversation
    #[arg(long, requires = "stats")]
    pub(crate) brief: bool,

    /// Show times in UTC instead of the system's time zone
    #[arg(long)]
    pub(crate) utc: bool,

    /// Lay out for N columns, whatever the terminal says
    #[arg(long, value_name = "N")]
    pub(crate) width: Option<u16>,

    /// Begin a table with a byte order mark, as Excel wants it
    #[arg(long)]
    pub(crate) bom: bool,

    /// When to use colours: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: When,

    /// Hide keys and tokens of the usual providers, e-mail addresses and home
    /// directories, before -o html, md, json or csv is shared
    #[arg(long)]
    pub(crate) redact: bool,

    /// Hide what fits this regular expression, too
    #[arg(long, value_name = "REGEX")]
    pub(crate) redact_pattern: Vec<String>,

    /// Do not show long output page by page
    #[arg(long)]
    pub(crate) no_pager: bool,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless the environment asks for something else.
    Auto,
    /// Wherever it is written to.
    Always,
    /// Nowhere.
    Never,
}

// Clap suggests a similar one of these names where there is one.
fn formats() -> impl TypedValueParser<Value = Format> {
    let names = Format::NAMES.map(|(name, _)| name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Format>())
}

fn columns() -> impl TypedValueParser<Value = Column> {
    let names = Column::NAMES.map(|(name, _)| name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Column>())
}

impl OutputArgs {
    /// Tells whether something is to be hidden.
    pub(crate) fn is_redacted(&self) -> bool {
        self.redact || !self.redact_pattern.is_empty()
    }

    /// Says what contradicts each other, in a sentence.
    pub(super) fn contradiction(&self, args: &Args) -> Option<String> {
        let format = self.output.unwrap_or_default();
        let is_plain = format == Format::Pretty;
        if self.out.is_some() && format != Format::Html {
            return Some(format!("--out is for -o html, and this is -o {format}"));
        }
        if self.bom && format != Format::Csv {
            return Some("--bom is for -o csv".to_owned());
        }
        if !self.fields.is_empty() && !format.has_columns() {
            return Some(format!(
                "--fields is for -o compact, json, jsonl and csv, and this is -o {format}"
            ));
        }
        let is_shared = matches!(
            format,
            Format::Html | Format::Markdown | Format::Json | Format::Csv
        );
        if self.is_redacted() && (!is_shared || args.stats) {
            return Some("--redact is for -o html, md, json and csv".to_owned());
        }
        if args.stats && !is_plain && format != Format::Json {
            return Some(format!(
                "--stats can be shown with -o pretty or -o json, and not with -o {format}"
            ));
        }
        if args.follow && matches!(format, Format::Json | Format::Html) {
            return Some(format!(
                "--follow has no end, which -o {format} needs: take -o jsonl"
            ));
        }
        let other = [
            ("--count", args.count),
            ("--list-archives", args.list_archives),
        ];
        let (name, _) = other.iter().find(|(_, is_given)| *is_given && !is_plain)?;
        Some(format!("{name} cannot be shown with -o {format}"))
    }
}
