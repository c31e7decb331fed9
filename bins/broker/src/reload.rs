//! The options that hold now, and how they change while the broker runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};

use transport::Broker;

use crate::args::{Args, OnHupArg};
use crate::config::{self, Said};
use crate::keeper::Keeper;
use crate::line::line;
use crate::report;
use crate::shown::shown;
use crate::terminal::Terminal;

/// What may change while the broker runs; everything else is fixed when its ports are
/// taken, its memory divided and its journal opened. [`Args::take_over`] goes with it.
pub(crate) const LIVE: [&str; 9] = [
    "compress-after",
    "keep",
    "keep-size",
    "log-level",
    "max-session-size",
    "min-free",
    "on-hup",
    "on-stop",
    "rotate-at",
];

/// The options that hold now, and what follows them.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) args: Args,
    /// The command line.
    words: Vec<OsString>,
    /// As they were written.
    values: BTreeMap<String, String>,
    pub(crate) keeper: Keeper,
}

/// An option that was given another value.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    name: String,
    before: Option<String>,
    now: Option<String>,
}

impl Options {
    /// Begins with what was said at the start.
    pub(crate) fn new(said: Said) -> Self {
        Self {
            args: said.args,
            words: said.words,
            values: said.values,
            keeper: Keeper::default(),
        }
    }

    /// Does what SIGHUP asks for.
    pub(crate) fn hang_up(&mut self, broker: &mut Broker, out: &mut Terminal) -> io::Result<()> {
        // What the file says of SIGHUP holds for this one already.
        self.reload(broker, out)?;
        if self.args.on_hup == OnHupArg::Archive {
            match broker.archive(None) {
                Ok(Some(archived)) => report::archive(out, &archived)?,
                Ok(None) => line(out, "[*] Nothing to archive: the session is empty")?,
                Err(error) => log::error!("{:#}", anyhow::Error::from(error)),
            }
        }
        Ok(())
    }

    /// Reads the file of options again, if there is one, and does what it says as far as
    /// that is possible. A file with a mistake changes nothing.
    fn reload(&mut self, broker: &mut Broker, out: &mut impl Write) -> io::Result<()> {
        let Some(path) = self.args.config.clone() else {
            if self.args.on_hup == OnHupArg::Reload {
                log::warn!("there are no options to be read again: there is no --config file");
            }
            return Ok(());
        };
        let said = match read_again(&self.words) {
            Ok(said) => said,
            Err(error) => {
                log::error!("no option has changed: {error:#}");
                return Ok(());
            }
        };
        let (live, fixed) = changes(&self.values, &said.values);
        for Change { name, before, now } in fixed {
            let (before, now) = (told(before.as_deref()), told(now.as_deref()));
            log::warn!("{name} needs a restart: it is {before} until then, and {now} afterwards");
        }
        line(out, &summary(&path.display().to_string(), &live))?;
        for Change { name, now, .. } in live {
            self.values.extend(now.map(|now| (name, now)));
        }
        self.args.take_over(said.args);
        self.follow(broker);
        Ok(())
    }

    /// Lets everything go on as the options say that may change.
    fn follow(&mut self, broker: &mut Broker) {
        self.args.log.set_level();
        broker.change(self.args.config().changeable());
        if let Err(error) = self.keeper.follow(&self.args) {
            log::error!("cannot look after the closed sessions: {error}");
        }
    }
}

fn read_again(words: &[OsString]) -> anyhow::Result<Said> {
    let said = config::read_again(words.iter().cloned())?;
    said.args.check().map_err(anyhow::Error::msg)?;
    Ok(said)
}

/// Sorts what differs into what may change now and what needs a restart.
fn changes(
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> (Vec<Change>, Vec<Change>) {
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let all = names.into_iter().map(|name| Change {
        name: name.clone(),
        before: before.get(name).cloned(),
        now: now.get(name).cloned(),
    });
    all.filter(|change| change.before != change.now)
        .partition(|change| LIVE.contains(&change.name.as_str()))
}

fn summary(path: &str, live: &[Change]) -> String {
    if live.is_empty() {
        return format!("[*] Read {path} again: nothing changes");
    }
    let texts: Vec<String> = live
        .iter()
        .map(|change| format!("{} is {}", change.name, told(change.now.as_deref())))
        .collect();
    format!("[*] Read {path} again: {} now", texts.join(", "))
}

fn told(value: Option<&str>) -> String {
    value.map_or_else(|| "not set".to_owned(), shown)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn values(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        of.iter().map(owned).collect()
    }

    #[test]
    fn what_may_change_and_what_may_not_are_told_apart() {
        let before = values(&[("keep", "off"), ("history", "10"), ("pub-port", "5555")]);
        let now = values(&[("keep", "9d"), ("curve", "keys"), ("pub-port", "5555")]);
        let (live, fixed) = changes(&before, &now);
        assert_eq!(
            summary("FILE", &live),
            "[*] Read FILE again: keep is 9d now"
        );
        let names: Vec<&str> = fixed.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["curve", "history"]);
        assert_eq!(told(fixed[1].now.as_deref()), "not set");
        let (live, fixed) = changes(&before, &before);
        assert!(fixed.is_empty());
        assert_eq!(
            summary("FILE", &live),
            "[*] Read FILE again: nothing changes"
        );
    }

    #[test]
    fn each_option_that_may_change_is_one_and_has_a_default() {
        let command = Args::command();
        for name in LIVE {
            let mut options = command.get_arguments();
            let option = options.find(|option| option.get_long() == Some(name));
            let option = option.unwrap_or_else(|| panic!("there is no --{name}"));
            // A value that is taken out of the file falls back to something.
            assert!(!option.get_default_values().is_empty(), "--{name}");
        }
    }
}
