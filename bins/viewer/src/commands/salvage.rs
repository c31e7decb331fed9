//! `salvage`: writes what is readable to a new file.

use std::io::Write;
use std::path::Path;

use query::{Error, Origin};

use crate::args::Salvage;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(dir: &Path, options: &Salvage) -> anyhow::Result<Exit> {
    let from = match (&options.archive, &options.file) {
        (Some(name), _) => Origin::Archive(name),
        (None, Some(path)) => Origin::File(path),
        (None, None) => Origin::Current,
    };
    let salvaged = query::salvage(dir, from, &options.out)?;
    let mut out = output::results();
    let written = render::write_salvaged(&salvaged, &options.out, &mut out);
    match written.and_then(|()| Ok(out.flush()?)) {
        // The file is there, whether somebody reads about it or not.
        Err(Error::Write(error)) if output::is_broken_pipe(&error) => {}
        written => written?,
    }
    Ok(if salvaged.is_whole() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
