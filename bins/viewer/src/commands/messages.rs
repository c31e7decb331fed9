//! The newest messages that match.

use query::Findings;

use crate::args::Args;
use crate::progress::Progress;
use crate::screen::Screen;
use crate::{commands, output};

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let filter = args.filters.compile()?;
    let source = commands::source(args)?;
    let mut findings = Findings::default();
    let format = args.output.output;
    let mut screen = Screen::open(args, format.is_for_screens())?;
    let layout = screen.layout(args);
    let progress = Progress::of_long_work(&source, screen.is_terminal());
    let path = source.path().to_owned();
    let mut sink = query::formatter(format, screen.out(), &path, layout, !filter.is_empty());
    query::show(&source, &filter, args.order(), &mut findings, &mut *sink)?;
    sink.end()?;
    drop(sink);
    drop(progress);
    screen.close()?;
    output::print_findings(&findings);
    Ok(())
}
