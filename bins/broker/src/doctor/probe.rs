//! A message that goes the whole way: in on one port, out on the other, and
//! into the file.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use client::{Socket, SocketType};
use journal::Backward;
use serde_json::json;

use super::{Finding, Findings};
use crate::target::Target;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many of the newest records are looked at.
const NEWEST: usize = 10_000;

/// Where the probe goes.
pub(super) struct Probe<'a> {
    pub(super) publish: String,
    pub(super) subscribe: String,
    /// The directory of the journal.
    pub(super) dir: &'a Path,
}

/// Sends a probe, and looks for it on the other side and in the file.
pub(super) fn run<W: Write>(
    probe: &Probe<'_>,
    findings: &mut Findings<'_, W>,
) -> anyhow::Result<()> {
    let id = new_id();
    let way = travel(probe, &id, findings)?;
    if !way {
        return Ok(());
    }
    findings.add(recorded(probe.dir, &id))?;
    Ok(())
}

/// Sends a probe to a broker that lets in the owners of keys alone, with an
/// acknowledgement over the control port, and looks for it in the file.
pub(super) fn run_with_keys<W: Write>(
    target: &Target,
    dir: &Path,
    findings: &mut Findings<'_, W>,
) -> io::Result<()> {
    let id = new_id();
    let start = Instant::now();
    let published = target.connect(PATIENCE).and_then(|mut client| {
        let payload = payload(&id);
        Ok(client.publish(&[id.as_bytes(), payload.as_bytes()])?)
    });
    match published {
        Ok(published) => {
            let ms = start.elapsed().as_secs_f64() * 1000.0;
            findings.add(Finding::Fine(format!(
                "a message was acknowledged with the number {} on the control port in {ms:.1} ms; \
                 with keys the other two ports are not tried",
                published.message_num
            )))?;
            findings.add(recorded(dir, &id))
        }
        Err(error) => findings.add(Finding::Wrong(
            format!("a message was sent to the control port, and not acknowledged: {error}"),
            "look at the broker's standard error".to_owned(),
        )),
    }
}

fn new_id() -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = time.map_or(0, |time| time.as_nanos());
    format!("doctor-{}-{nanos}", std::process::id())
}

fn payload(id: &str) -> String {
    let payload = json!({
        "sender_id": "doctor", "message_id": id, "content": {"message": "does recording work?"},
        "metadata": {"chain_type": "doctor"},
    });
    payload.to_string()
}

/// True where the probe was sent; the file is looked at then in any case.
fn travel<W: Write>(
    probe: &Probe<'_>,
    id: &str,
    findings: &mut Findings<'_, W>,
) -> anyhow::Result<bool> {
    let mut subscriber = Socket::connect(&probe.subscribe, SocketType::Sub, None)?;
    subscriber.subscribe(id.as_bytes());
    // An XPUB sees the broker's subscription: what is sent before it is dropped.
    let mut publisher = Socket::connect(&probe.publish, SocketType::Xpub, None)?;
    if publisher.receive(PATIENCE).as_deref() != Some(&[vec![1]]) {
        let why = publisher.refusal().map(str::to_owned);
        let why = why.or_else(|| publisher.absence().map(ToString::to_string));
        let why = why.unwrap_or_else(|| "it does not ask for messages".to_owned());
        findings.add(Finding::Wrong(
            format!(
                "{} does not take messages as a broker does: {why}",
                probe.publish
            ),
            "something else listens there, or the broker hangs: restart it".to_owned(),
        ))?;
        return Ok(false);
    }
    let start = Instant::now();
    let payload = payload(id);
    publisher.send(&[id.as_bytes(), payload.as_bytes()]);
    let received = subscriber.receive(PATIENCE);
    findings.add(match received {
        Some(frames) if frames.last().map(Vec::as_slice) == Some(payload.as_bytes()) => {
            let ms = start.elapsed().as_secs_f64() * 1000.0;
            Finding::Fine(format!(
                "a message sent to {} came out of {} in {ms:.1} ms",
                probe.publish, probe.subscribe
            ))
        }
        Some(_) => Finding::Wrong(
            format!(
                "something else than what was sent came out of {}",
                probe.subscribe
            ),
            "this is a defect of the broker; keep its log directory and report it".to_owned(),
        ),
        None => Finding::Wrong(
            format!(
                "a message was sent to {}, and nothing came out of {} in {} seconds",
                probe.publish,
                probe.subscribe,
                PATIENCE.as_secs()
            ),
            "see below whether it was recorded; if it was, something else listens on the \
             subscribers' port; if not, look at the broker's standard error"
                .to_owned(),
        ),
    })?;
    Ok(true)
}

/// Looks for the probe in the session on disk.
fn recorded(dir: &Path, id: &str) -> Finding {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let file = journal::current_session(dir);
        match find(dir, id) {
            Ok(Some(number)) => {
                let shown = file.display();
                return Finding::Fine(format!("it is on disk in {shown} as message {number}"));
            }
            Ok(None) if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(50)),
            Ok(None) => {
                return Finding::Wrong(
                    format!(
                        "THE PROBE WAS NOT RECORDED: it is not in {}",
                        file.display()
                    ),
                    "stop relying on this broker until that is understood: look at its standard \
                     error, and whether its directory was moved or replaced while it runs"
                        .to_owned(),
                );
            }
            Err(error) => {
                return Finding::Wrong(
                    format!("the journal can't be read: {error}"),
                    "check the directory's permissions".to_owned(),
                );
            }
        }
    }
}

/// Looks among the newest records of the session, and of the last archive,
/// which it may just have become.
fn find(dir: &Path, id: &str) -> Result<Option<u64>, journal::ReadError> {
    let newest = journal::list_archives(dir)?
        .pop()
        .map(|archive| archive.path);
    for path in [Some(journal::current_session(dir)), newest]
        .into_iter()
        .flatten()
    {
        if !path.exists() {
            continue;
        }
        let lines = Backward::open(path)?.take(NEWEST).filter_map(Result::ok);
        for line in lines {
            let record = message::Record::parse(&line.bytes).ok();
            if record.is_some_and(|record| record.message_id.as_deref() == Some(id)) {
                return Ok(Some(line.number));
            }
        }
    }
    Ok(None)
}
