//! `--stats`: what there is to say of the messages that match.

use query::{Analysis, Findings, Source, Statistics};
use render::Format;

use crate::args::Args;
use crate::commands::empty;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::screen::Screen;
use crate::{commands, output, shown};

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let filter = args.filters.compile()?;
    let source = commands::source(args)?;
    let mut findings = Findings::default();
    let progress = Progress::of_long_work(&source, false);
    if args.output.brief {
        let statistics: Statistics = query::count(&source, &filter, &mut findings)?;
        drop(progress);
        let mut screen = Screen::open(args, true, false)?;
        render::write_statistics(&statistics, &shown::limits(args), screen.out())?;
        screen.close()?;
        output::print_findings(&findings);
        output::print_unused_indexes(&source);
        return ended(args, &source, statistics.messages);
    }
    let analysis: Analysis = query::count(&source, &filter, &mut findings)?;
    let zone = shown::zone(args);
    let report = analysis.report(&source, &filter, &findings, &zone)?;
    drop(progress);
    let format = args.output.output.unwrap_or_default();
    let mut screen = Screen::open(args, format == Format::Pretty, false)?;
    let layout = screen.layout(args, format, filter.marks());
    if format == Format::Json {
        render::write_analysis_json(&report, screen.out())?;
    } else {
        render::write_analysis(&analysis.counts, &report, &layout, screen.out())?;
    }
    screen.close()?;
    output::print_findings(&findings);
    output::print_unused_indexes(&source);
    ended(args, &source, analysis.counts.messages)
}

fn ended(args: &Args, source: &Source, messages: u64) -> anyhow::Result<Exit> {
    match messages {
        0 => empty::explain(args, source, Exit::Done),
        _ => Ok(Exit::Done),
    }
}
