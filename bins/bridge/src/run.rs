//! Bridging, until somebody stops it or something is wrong that does not pass.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bridge_core::{Context, Error, Lock, Nats, Progress, answer, connect, receive, ship};

use crate::args::Args;
use crate::exit::Exit;
use crate::metrics;

/// How long to wait before NATS is tried again at the start.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let _lock = Lock::take(&args.local.dir)
        .context("the journal's directory (--dir) must be there, and have no other bridge")?;
    let (nats, broker, outgoing) = (args.nats()?, args.broker()?, args.outgoing()?);
    let progress = Arc::new(Progress::default());
    if let Some(address) = args.metrics {
        let listening = metrics::serve(address, &outgoing.origin, &progress).await?;
        say(&format!("[*] Metrics on http://{listening}/metrics"))?;
    }
    let bridging = async {
        let context = patient(&nats).await?;
        say(&format!("[*] Connected to {}", nats.servers.join(", ")))?;
        if !args.sending.no_ship {
            say(&format!(
                "[*] Shipping the journal of {} as {}",
                broker.endpoint, outgoing.origin
            ))?;
        }
        if args.receiving.receive {
            say("[*] Receiving what other machines ship")?;
        }
        let out = async {
            match args.sending.no_ship {
                true => std::future::pending().await,
                false => ship(&context, &broker, &outgoing, &progress).await,
            }
        };
        let receiving = args.receiving();
        let into = async {
            match args.receiving.receive {
                true => receive(&context, &broker, &receiving, &progress).await,
                false => std::future::pending().await,
            }
        };
        let ships = !args.sending.no_ship;
        let told = async {
            // To be asked is a convenience: a server that forbids it stops nothing.
            if let Err(error) = answer(&context, &outgoing.origin, ships, &progress).await {
                log::warn!("{error}");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = out => ended?,
            ended = into => ended?,
            () = told => (),
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::select! {
        ended = bridging => ended?,
        stopped = stop() => {
            stopped.context("cannot listen to signals")?;
            say("[*] Stopped; the next start goes on behind what the stream has")?;
        }
    }
    Ok(Exit::Done)
}

/// Connects, and waits for servers that are not there yet.
async fn patient(nats: &Nats) -> Result<Context, Error> {
    loop {
        match connect(nats).await {
            Err(error) if error.may_pass() => log::warn!("{error}; trying again"),
            connected => return connected,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until somebody wants it to stop.
async fn stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    // Windows has Ctrl+C alone.
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
