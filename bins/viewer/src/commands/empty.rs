//! What is said where nothing matches: where more is, and what was perhaps meant.

use query::{Analysis, Criteria, Entry, Error, Filter, Findings, Order, Sink, Source, Summary};

use crate::args::Args;
use crate::exit::Exit;
use crate::{commands, output, shown};

/// At most as many bytes are read for the sake of a hint; what indexes know costs nothing.
const MOST: u64 = 256 << 20;

/// Tells on standard error where more is, and says how the program ends.
pub(crate) fn explain(args: &Args, source: &Source, exit: Exit) -> anyhow::Result<Exit> {
    if let Some(id) = &args.thread {
        output::print_note(&format!("no message and no context is named '{id}'"));
        return Ok(Exit::Failed);
    }
    let is_own = args.all_files().is_empty();
    let all = is_own.then(|| Source::all(&args.dir).ok()).flatten();
    say_what_there_is(args, source, all.as_ref())?;
    let is_lost = args.filters.ids().next().is_some();
    Ok(if is_lost { Exit::Failed } else { exit })
}

fn say_what_it_takes(unknown: u64, is_more: bool) {
    let more = match is_more {
        true => ", and --all looks in all sessions",
        false => "",
    };
    output::print_note(&format!(
        "more is not said, since {} without an index would have to be read for it; `viewer list \
         senders` shows those that there are{more}",
        render::size(unknown)
    ));
}

fn say_what_there_is(args: &Args, source: &Source, all: Option<&Source>) -> anyhow::Result<()> {
    let criteria = args.filters.criteria();
    let everything = all.unwrap_or(source);
    let elsewhere = all.filter(|_| !commands::looks_everywhere(args));
    let asks_for_times = criteria.since.is_some() || criteria.until.is_some();
    let known = match query::asks_for_values(&criteria) || asks_for_times || elsewhere.is_some() {
        true => count(everything, elsewhere.is_some())?,
        false => None,
    };
    if let Some(known) = &known {
        say_what_is_unknown(known, &criteria);
    }
    say_which_ids_are_nowhere(&criteria);
    if let Some(known) = known.as_ref().filter(|_| asks_for_times) {
        say_when_messages_came(args, known);
    }
    if criteria.from.is_some() || criteria.to.is_some() {
        say_which_numbers_there_are(everything, &criteria)?;
    }
    match (elsewhere, known) {
        (Some(all), Some(known)) => say_where_more_is(args, source, all, known.counts.messages),
        _ => Ok(()),
    }
}

/// Counts all messages, unless too much would have to be read for it, which is said then.
fn count(everything: &Source, is_more: bool) -> anyhow::Result<Option<Analysis>> {
    let unknown = everything.unindexed_bytes();
    if unknown > MOST {
        say_what_it_takes(unknown, is_more);
        return Ok(None);
    }
    let ignored = &mut Findings::default();
    Ok(Some(query::count(everything, &Filter::default(), ignored)?))
}

fn say_what_is_unknown(known: &Analysis, criteria: &Criteria) {
    for unknown in query::unknown_values(known, criteria) {
        let query::Unknown {
            field,
            value,
            similar,
        } = unknown;
        let meant = match &similar[..] {
            [] => format!("; `viewer list {field}s` shows those that there are"),
            similar => format!(": did you mean '{}'?", similar.join("' or '")),
        };
        output::print_note(&format!("no message has the {field} '{value}'{meant}"));
    }
}

fn say_which_ids_are_nowhere(criteria: &Criteria) {
    for id in criteria.id.iter().filter(|id| !id.starts_with('!')) {
        output::print_note(&format!("no message is named '{id}'"));
    }
}

fn say_when_messages_came(args: &Args, known: &Analysis) {
    let Some((first, last)) = known.recorded(&shown::zone(args)) else {
        return;
    };
    output::print_note(&match known.counts.messages {
        1 => format!("the only message that there is came at {first}"),
        more => {
            let more = render::grouped(more);
            format!("the {more} messages that there are came from {first} to {last}")
        }
    });
}

fn say_which_numbers_there_are(source: &Source, criteria: &Criteria) -> anyhow::Result<()> {
    if let (Some(from), Some(to)) = (criteria.from, criteria.to)
        && from > to
    {
        output::print_note(&format!("no number is {from} or more and {to} or less"));
        return Ok(());
    }
    let mut newest = Newest(None);
    let order = Order {
        limit: Some(1),
        newest_first: false,
    };
    let ignored = &mut Findings::default();
    query::show(source, &Filter::default(), order, ignored, &mut newest)?;
    if let Some(number) = newest.0 {
        let number = render::grouped(number);
        output::print_note(&format!("the newest message has the number {number}"));
    }
    Ok(())
}

/// Takes the number of a message.
struct Newest(Option<u64>);

impl Sink for Newest {
    fn wants_numbers(&self) -> bool {
        true
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.0 = entry.number;
        Ok(())
    }
}

fn say_where_more_is(args: &Args, source: &Source, all: &Source, total: u64) -> anyhow::Result<()> {
    let ignored = &mut Findings::default();
    let filter = args.filters.compile()?;
    let here = query::matching(source, &Filter::default(), ignored)?;
    let matching = query::matching(all, &filter, ignored)?;
    let is_elsewhere = |archive: &query::ArchivedSession| {
        let name = std::ffi::OsStr::new(&archive.name);
        !source.paths().any(|path| path.file_name() == Some(name))
    };
    let archives = query::list_archives(&args.dir)?;
    let sessions = archives
        .iter()
        .filter(|archive| is_elsewhere(archive))
        .count();
    if total <= here || sessions == 0 {
        return Ok(());
    }
    let sessions = match sessions {
        1 => "1 closed session holds".to_owned(),
        more => format!("{more} closed sessions hold"),
    };
    let which = match matching {
        0 => "none of them matches".to_owned(),
        1 => "1 of them matches: add --all".to_owned(),
        more => format!("{} of them match: add --all", render::grouped(more)),
    };
    let more = total - here;
    let more = render::counted(more, "more message", "more messages");
    output::print_note(&format!("{sessions} {more}; {which}"));
    Ok(())
}
