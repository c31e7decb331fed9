//! How much is shown, and in which time zone.

use crate::args::Args;

/// How much of a message is shown.
pub(crate) fn limits(args: &Args) -> render::Limits {
    if args.full {
        render::Limits::NONE
    } else {
        render::Limits::screen("--full shows all")
    }
}

/// The time zone in which times are shown.
pub(crate) fn zone(args: &Args) -> query::Zone {
    if args.output.utc {
        query::Zone::utc()
    } else {
        query::Zone::local()
    }
}
