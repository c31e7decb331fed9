//! Reads the command line, and says what does not go together in it.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::Args;

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
}
