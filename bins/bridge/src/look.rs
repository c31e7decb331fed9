//! `bridge status`, `bridge verify` and `bridge fetch`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use bridge_core::{
    Context, Difference, Inbound, Overview, Report, StreamView, connect, fetch, overview, verify,
};

use crate::args::{Args, Command};
use crate::exit::Exit;

/// How many differences are told one by one.
const TOLD: u64 = 20;

pub(crate) async fn run(args: &Args, command: &Command) -> anyhow::Result<Exit> {
    let context = connect(&args.nats()?).await?;
    match command {
        Command::Status { json } => status(args, &context, *json).await,
        Command::Verify { from, to } => compare(args, &context, (*from, *to)).await,
        Command::Fetch { out } => rebuild(args, &context, out).await,
    }
}

async fn status(args: &Args, context: &Context, json: bool) -> anyhow::Result<Exit> {
    let own = args.origin()?;
    let all = overview(context, &args.broker()?, &own).await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        print(&all, &own, &mut out)?;
    }
    let is_wrong = all.streams.iter().any(|stream| stream.problem.is_some());
    Ok(if is_wrong { Exit::Found } else { Exit::Done })
}

fn print(all: &Overview, own: &str, out: &mut impl Write) -> std::io::Result<()> {
    if let Some(reason) = &all.broker_error {
        writeln!(out, "[!] The local broker: {reason}")?;
    }
    if all.streams.is_empty() {
        return writeln!(
            out,
            "[*] There is no stream: no bridge has shipped a journal yet"
        );
    }
    let widest = all.streams.iter().map(|stream| stream.origin.len()).max();
    let width = widest.unwrap_or_default().max("MACHINE".len());
    writeln!(
        out,
        "{:width$}  {:>10}  {:>10}  {:>8}  {:>7}  {:8}  LAST MESSAGE",
        "MACHINE", "THERE", "HERE", "BEHIND", "FOR", "BRIDGE"
    )?;
    for stream in &all.streams {
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |it| it.to_string());
        let seconds = stream.lag_seconds.map(|seconds| format!("{seconds} s"));
        writeln!(
            out,
            "{:width$}  {:>10}  {:>10}  {:>8}  {:>7}  {:8}  {}{}",
            stream.origin,
            stream.there,
            number(stream.here),
            number(stream.lag),
            seconds.as_deref().unwrap_or("-"),
            state(stream.bridge.as_ref()),
            stream.last_at,
            if stream.local { "  (this machine)" } else { "" }
        )?;
    }
    for stream in &all.streams {
        if let Some(problem) = &stream.problem {
            writeln!(out, "[!] {}: {problem}", stream.origin)?;
        }
        tell(&stream.origin, stream.bridge.as_ref(), out)?;
    }
    if all.streams.iter().all(|stream| stream.origin != own) {
        tell(own, all.bridge.as_ref(), out)?;
    }
    let behind = |stream: &&StreamView| stream.lag.is_some_and(|lag| lag > 0);
    if let Some(stream) = all.streams.iter().find(behind) {
        let which = match stream.local {
            true => "what is recorded here and not in the stream yet",
            false => {
                "what is in the stream and not recorded here: not received yet, filtered out, \
                      or no message of that machine"
            }
        };
        writeln!(out, "[*] BEHIND counts {which}")?;
    }
    Ok(())
}

/// Says in a word how it goes with a bridge.
fn state(report: Option<&Report>) -> &'static str {
    let Some(report) = report else {
        return "none";
    };
    let shipping = report.shipping.as_ref();
    let stalled = shipping.is_some_and(|shipping| shipping.stalled);
    let failed = |one: &Inbound| one.last_error.is_some();
    match stalled || report.receiving.values().any(failed) {
        true => "stalled",
        false => "running",
    }
}

/// Tells what a bridge has on its way, and what is wrong with it.
fn tell(origin: &str, report: Option<&Report>, out: &mut impl Write) -> std::io::Result<()> {
    let Some(report) = report else {
        return Ok(());
    };
    if let Some(shipping) = &report.shipping {
        if shipping.in_flight + shipping.sent_again + shipping.doubts > 0 {
            writeln!(
                out,
                "[*] The bridge of {origin} has {} on their way; it has asked the stream {} how \
                 far it is, and sent {} again",
                count(shipping.in_flight, "message"),
                count(shipping.doubts, "time"),
                count(shipping.sent_again, "message")
            )?;
        }
        if let Some(error) = shipping.last_error.as_ref().filter(|_| shipping.stalled) {
            writeln!(out, "[!] The bridge of {origin} can ship nothing: {error}")?;
        }
    }
    for (from, inbound) in &report.receiving {
        if let Some(error) = &inbound.last_error {
            writeln!(
                out,
                "[!] The bridge of {origin} receives nothing of {from}: {error}"
            )?;
        }
    }
    Ok(())
}

fn count(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

async fn compare(
    args: &Args,
    context: &Context,
    range: (Option<u64>, Option<u64>),
) -> anyhow::Result<Exit> {
    let (origin, broker) = (args.origin()?, args.broker()?);
    let mut count = 0;
    let mut told = Vec::new();
    let mut differs = |difference| {
        count += 1;
        if count <= TOLD {
            told.push(difference);
        }
    };
    let verified = verify(context, &broker, &origin, range, &mut differs).await?;
    let mut out = std::io::stdout().lock();
    for difference in &told {
        let text = match difference {
            Difference::OnlyInJournal(number) => format!("{number} is not in the stream"),
            Difference::OnlyInStream(number) => format!("{number} is not in the journal"),
            Difference::Other(number) => format!("{number} is another record in the stream"),
        };
        writeln!(out, "[!] Number {text}")?;
    }
    if count > TOLD {
        writeln!(out, "[!] and {} more", count - TOLD)?;
    }
    if verified.last < verified.first {
        writeln!(
            out,
            "[*] Nothing to compare: the stream has nothing of these numbers"
        )?;
    } else {
        writeln!(
            out,
            "[*] Numbers {} to {}: {} records are the same, {count} differ, {} have none on either \
             side",
            verified.first, verified.last, verified.same, verified.missing
        )?;
    }
    Ok(if count > 0 { Exit::Found } else { Exit::Done })
}

async fn rebuild(args: &Args, context: &Context, path: &Path) -> anyhow::Result<Exit> {
    let origin = args.origin()?;
    // Of private conversations, as the journal's own files are.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    let file =
        file.with_context(|| format!("cannot make {}: nothing is overwritten", path.display()))?;
    let mut out = BufWriter::new(file);
    let fetched = fetch(context, &origin, &mut out).await?;
    let file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "[*] Wrote {} records of {origin}, numbers {} to {}, {} bytes, to {}",
        fetched.records,
        fetched.first,
        fetched.last,
        fetched.bytes,
        path.display()
    )?;
    if fetched.missing > 0 {
        writeln!(
            out,
            "[!] {} numbers had no readable record when they were shipped",
            fetched.missing
        )?;
        return Ok(Exit::Found);
    }
    Ok(Exit::Done)
}
