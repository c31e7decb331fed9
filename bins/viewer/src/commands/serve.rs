//! `serve`: a page for a browser on the same machine.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use page::{Options, Server};
use signal_hook::consts::TERM_SIGNALS;

use crate::args::{Args, Serve};
use crate::exit::Exit;
use crate::{output, platform, shown};

pub(crate) fn run(args: &Args, options: &Serve) -> anyhow::Result<Exit> {
    if options.no_token && !options.bind.is_loopback() {
        output::print_note("beyond this machine the address needs its token: leave out --no-token");
        return Ok(Exit::Usage);
    }
    if options.files.is_empty() && !args.dir.is_dir() {
        let dir = args.dir.clone();
        return Err(query::Error::NoDirectory { dir }.into());
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        // A second one ends the program at once.
        signal_hook::flag::register_conditional_shutdown(*signal, 1, Arc::clone(&stop))?;
        signal_hook::flag::register(*signal, Arc::clone(&stop))?;
    }
    let server = Server::open(Options {
        dir: args.dir.clone(),
        files: options.files.clone(),
        bind: options.bind,
        port: options.port,
        has_token: !options.no_token,
        control: options.files.is_empty().then(|| options.control.clone()),
        zone: shown::zone(args),
    })?;
    let mut out = output::results();
    writeln!(out, "{}", server.address())
        .and_then(|()| out.flush())
        .context("cannot write the output")?;
    drop(out);
    if options.open
        && let Err(error) = platform::open_page(server.address()).status()
    {
        output::print_note(&format!("no browser could be opened: {error}"));
    }
    server.run(&stop)?;
    Ok(Exit::Done)
}
