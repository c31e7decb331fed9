//! The newest messages that match.

use std::ops::ControlFlow;

use anyhow::Context;
use query::{Error, Findings, Follow, FollowFiles, Sink};
use render::{Format, Hidden, Pages, Redacted, Redaction};

use crate::args::{Args, OutputArgs};
use crate::commands::empty;
use crate::exit::Exit;
use crate::folder::NewFolder;
use crate::progress::Progress;
use crate::screen::Screen;
use crate::{commands, output};

/// Browsers show up to this many messages on one page within a second.
const ONE_PAGE: u64 = 5_000;
const WRITE: &str = "cannot write the output";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let filter = args.filters.compile()?;
    let source = commands::source(args)?;
    let mut findings = Findings::default();
    let chosen = args.output.output;
    let is_for_screens = chosen.unwrap_or_default().is_for_screens();
    let mut screen = Screen::open(args, is_for_screens, !args.reverse && args.thread.is_none())?;
    let is_chat = args.thread.is_some() || screen.is_paged();
    let usual = if is_chat {
        Format::Chat
    } else {
        Format::Pretty
    };
    let format = chosen.unwrap_or(usual);
    let layout = screen.layout(args, format, filter.marks());
    let progress = Progress::of_long_work(&source, screen.is_terminal());
    let redaction = redaction(args)?;
    let path = redaction.path(source.path());
    let mut folder = args
        .output
        .out
        .as_deref()
        .map(NewFolder::make)
        .transpose()?;
    let sink: Box<dyn Sink> = match &mut folder {
        Some(folder) => Box::new(Pages::new(folder, path, layout)),
        None => render::formatter(format, screen.out(), &path, layout, !filter.is_empty()),
    };
    let mut sink = Redacted::new(&redaction, sink);
    let order = args.order();
    let shown = match (&args.thread, args.around()) {
        (Some(id), _) => query::show_thread(&source, id, &filter, &mut findings, &mut sink)?,
        (None, Some(around)) => {
            query::show_around(&source, &filter, order, around, &mut findings, &mut sink)?
        }
        (None, None) => query::show(&source, &filter, order, &mut findings, &mut sink)?,
    };
    let changed = match sink.end() {
        Err(changed @ Error::Changed { .. }) => Some(changed),
        ended => ended.map(|()| None)?,
    };
    let hidden = sink.hidden();
    drop(sink);
    drop(progress);
    if let Some(folder) = &folder {
        writeln!(screen.out(), "{}", folder.index().display()).context(WRITE)?;
    } else if format == Format::Html && shown > ONE_PAGE {
        output::print_note(&format!(
            "{} messages are many for one page: with --out DIR they are written as pages, \
             with an index page that searches all of them",
            render::grouped(shown)
        ));
    }
    screen.close()?;
    if args.output.is_redacted() {
        let Hidden { places, messages } = hidden;
        output::print_note(&format!(
            "hidden in {} of {}",
            render::counted(places, "place", "places"),
            render::counted(messages, "message", "messages")
        ));
    }
    output::print_findings(&findings);
    output::print_unused_indexes(&source);
    if let Some(changed) = changed {
        output::print_error(&changed.into());
        return Ok(Exit::Findings);
    }
    match shown {
        0 => empty::explain(args, &source, Exit::Done),
        _ => Ok(Exit::Done),
    }
}

/// `--follow`: the newest ones, and then each new one.
pub(crate) fn follow(args: &Args) -> anyhow::Result<()> {
    let filter = args.filters.compile()?;
    let path = query::current_session(&args.dir);
    // A pager would hold back what is new.
    let mut screen = Screen::open(args, false, false)?;
    let format = args.output.output.unwrap_or_default();
    let layout = screen.layout(args, format, filter.marks());
    let redaction = redaction(args)?;
    let path = redaction.path(&path);
    let sink = render::formatter(format, screen.out(), &path, layout, !filter.is_empty());
    let mut sink = Redacted::new(&redaction, sink);
    let mut tell = |findings: Findings| {
        output::print_findings(&findings);
        Ok(ControlFlow::Continue(()))
    };
    let limit = args.order().limit;
    let paths = args.all_files();
    if !paths.is_empty() {
        let what = FollowFiles {
            paths: &paths,
            filter: &filter,
            limit,
        };
        query::follow_files(what, &mut sink, &mut tell)?;
        return Ok(());
    }
    let what = Follow {
        dir: &args.dir,
        all: args.all,
        filter: &filter,
        limit,
    };
    query::follow(what, &mut sink, &mut tell)?;
    Ok(())
}

/// What is to be hidden; without the options that is nothing.
fn redaction(args: &Args) -> anyhow::Result<Redaction> {
    let OutputArgs {
        redact,
        redact_pattern,
        ..
    } = &args.output;
    Redaction::new(*redact, redact_pattern).context("in --redact-pattern")
}
