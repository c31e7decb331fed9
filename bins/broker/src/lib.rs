//! The broker: options, start, what to do on signals, exit codes.
//!
//! A library, so that more than one package can have a program that is this one.

mod archive;
mod args;
mod backup;
mod command;
mod config;
mod dispatch;
mod doctor;
mod exit;
mod indexer;
mod keeper;
mod keygen;
mod line;
mod logging;
mod manual;
mod metrics;
#[cfg_attr(windows, path = "notify_windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "notify_none.rs")]
mod notify;
mod platform;
mod program;
mod reload;
mod report;
mod rotating;
mod selftest;
#[cfg(windows)]
mod service;
mod shown;
mod signals;
mod status;
mod target;
#[cfg(any(target_os = "linux", windows))]
mod task;
mod terminal;
mod upkeep;
mod values;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use anyhow::Context as _;
use transport::{Broker, Config, Keys, LastSession, StartError, Unread};

use crate::args::Args;
use crate::exit::Exit;
use crate::indexer::Indexer;
use crate::line::line;
use crate::metrics::Metrics;
use crate::notify::Service;
use crate::reload::Options;
use crate::signals::{Event, events, listen};
use crate::terminal::Terminal;

/// The whole program: reads the command line and the environment, and ends with its code.
pub fn main() -> ExitCode {
    let said = match config::read(std::env::args_os()) {
        Ok(said) => said,
        Err(error) => {
            let error = anyhow::Error::from(error);
            // Where stderr is closed, the exit code has to do.
            let _told = writeln!(std::io::stderr(), "broker: {error:#}");
            return Exit::Usage.into();
        }
    };
    let args = &said.args;
    let log = match args.command {
        None => args.log.clone(),
        Some(_) => args.log.for_people(),
    };
    let begun = match &args.command {
        Some(command) if command.begins_log() => Ok(()),
        _ => log.begin(),
    };
    if let Err(error) = begun {
        let path = log.log_file.unwrap_or_default();
        // Where stderr is closed, the exit code has to do.
        let _told = writeln!(
            std::io::stderr(),
            "broker: cannot write the log to {}: {error}",
            path.display()
        );
        return Exit::Failed.into();
    }
    if let (None, Err(problem)) = (&args.command, args.check()) {
        // Where stderr is closed, the exit code has to do.
        let _told = writeln!(std::io::stderr(), "broker: {problem}");
        return Exit::Usage.into();
    }
    let result = match &args.command {
        None => run(Options::new(said), listen).map(|()| Exit::Done),
        Some(command) => command.run(&mut std::io::stdout()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            log.last_words(&format!("{error:#}"));
            Exit::Failed.into()
        }
    }
}

/// Runs a broker until one of the events ends it that `listen` lets come.
fn run(
    mut options: Options,
    listen: impl FnOnce(Sender<Event>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let args = &options.args;
    raise_file_limit();
    let (sender, receiver) = events();
    // Before anything is started: a signal in between would end the program
    // without an archive.
    listen(sender.clone()).context("cannot listen for signals")?;
    let mut service = Service::starting().context("cannot start a thread")?;
    let indexer = Indexer::start(&args.dir).context("cannot start a thread")?;
    let mut broker = start(args, sender, &indexer)?;
    let metrics = args
        .metrics
        .map(|address| Metrics::start(address, broker.monitor()));
    let metrics = metrics.transpose()?;
    options
        .keeper
        .follow(args)
        .context("cannot start a thread")?;
    let mut out = Terminal::new();
    report::ready(&mut out, &broker, args)?;
    if let Some(metrics) = &metrics {
        line(
            &mut out,
            &format!("[*] Metrics on http://{}/metrics", metrics.address),
        )?;
    }
    report::damage(broker.recovery());
    report::missing(&mut out, broker.recovery())?;
    report::directory(broker.recovery());
    service
        .ready(broker.monitor())
        .context("cannot start a thread")?;
    let failure = wait(&mut broker, &mut options, &receiver, &mut out)?;
    service.stopping().context("cannot start a thread")?;
    let stopped = stop(broker, indexer, &mut out);
    options.keeper.finish();
    service.end();
    // Stopping may fail too, such as on a disk that stays full.
    let failure = failure.or_else(|| {
        receiver.try_iter().find_map(|event| match event {
            Event::Failed(failure) => Some(failure),
            _ => None,
        })
    });
    match (failure, stopped) {
        (Some(failure), stopped) => {
            // What has failed first is why the rest did.
            if let Err(error) = stopped {
                log::error!("{error:#}");
            }
            Err(failure.into())
        }
        (None, stopped) => stopped,
    }
}

fn start(args: &Args, events: Sender<Event>, indexer: &Indexer) -> anyhow::Result<Broker> {
    let keys = args.curve.as_ref().map(Keys::open).transpose()?;
    let config = Config {
        keys: keys.map(Arc::new),
        on_archived: indexer.notify(),
        ..args.config()
    };
    let on_failure = move |failure| {
        // The main thread ends only with the program.
        let _heard = events.send(Event::Failed(failure));
    };
    Broker::start(&config, on_failure).map_err(|error| {
        let help = match &error {
            StartError::Listen {
                role: "publishers",
                source,
                ..
            } => listen_help(source, args.pub_port, "--pub-port"),
            StartError::Listen {
                role: "requests",
                source,
                ..
            } => listen_help(source, args.control_port, "--control-port"),
            StartError::Listen { source, .. } => listen_help(source, args.sub_port, "--sub-port"),
            _ => "cannot start".to_owned(),
        };
        anyhow::Error::from(error).context(help)
    })
}

/// Returns what to do about an address that can't be listened on.
fn listen_help(source: &std::io::Error, port: u16, option: &str) -> String {
    match source.kind() {
        ErrorKind::AddrInUse => format!(
            "port {port} can't be used: stop the program that has it (another broker?), \
             or choose another port with {option}"
        ),
        ErrorKind::AddrNotAvailable => {
            "an address given with --bind is none of this machine's".to_owned()
        }
        ErrorKind::PermissionDenied => {
            format!("port {port} is reserved by the system: choose another port with {option}")
        }
        _ => "cannot start".to_owned(),
    }
}

/// Handles events until one of them ends the broker.
fn wait(
    broker: &mut Broker,
    options: &mut Options,
    events: &Receiver<Event>,
    out: &mut Terminal,
) -> anyhow::Result<Option<transport::Failure>> {
    loop {
        match events.recv().context("the signal thread has ended")? {
            Event::Stop => return Ok(None),
            Event::Failed(failure) => return Ok(Some(failure)),
            Event::Hangup => options.hang_up(broker, out)?,
        }
        // The signal was the terminal's end.
        if out.is_gone() {
            return Ok(None);
        }
    }
}

fn stop(broker: Broker, indexer: Indexer, out: &mut impl Write) -> anyhow::Result<()> {
    line(out, "[*] Stopping")?;
    let session = broker.session_path().to_owned();
    let stopped = broker.stop();
    let reported = report::stopped(out, &stopped, &session);
    indexer.finish(match &stopped.session {
        LastSession::Archived(archived) => Some(&archived.path),
        _ => None,
    });
    reported?;
    if let LastSession::Kept(error) = stopped.session {
        return Err(error).context("the session was not archived");
    }
    match stopped.unread {
        Some(Unread { publishers, bytes }) => anyhow::bail!(
            "{publishers} publishers still had something to give when the time to stop was up: \
             at least {bytes} bytes of theirs are not recorded; give it more time with \
             --stop-timeout, or stop the publishers first"
        ),
        None => Ok(()),
    }
}

/// 200 subscribers need more file descriptors than many systems' soft limit.
fn raise_file_limit() {
    const WANTED: u64 = 65_536;
    if let Err(error) = rlimit::increase_nofile_limit(WANTED) {
        log::debug!("the limit of open files stays as it is: {error}");
    }
}
