//! What the broker says on stdout, and its warnings about what it found.

use std::io::{self, Write};
use std::path::Path;

use transport::{Broker, LastSession, Recovery, Stopped, Tail};

/// Says that the broker is ready. Each line is flushed, for whoever reads it
/// through a pipe.
pub(crate) fn ready(out: &mut impl Write, broker: &Broker, history: u64) -> io::Result<()> {
    let recovered = broker.recovery().records;
    let path = std::path::absolute(broker.session_path());
    let path = path.as_deref().unwrap_or(broker.session_path());
    line(out, "[*] ZeroMQ broker started with PERSISTENT RECORDING")?;
    line(
        out,
        &format!("[*] Listening for publishers on port {}", broker.pub_port()),
    )?;
    line(
        out,
        &format!(
            "[*] Listening for subscribers on port {}",
            broker.sub_port()
        ),
    )?;
    line(
        out,
        &format!(
            "[*] Listening for requests on port {}",
            broker.control_port()
        ),
    )?;
    line(
        out,
        &format!("[*] Persisting all messages to: {}", path.display()),
    )?;
    line(
        out,
        &format!("[*] Storing last {history} messages in memory."),
    )?;
    line(
        out,
        &format!("[*] Loaded {recovered} messages from previous session"),
    )?;
    if recovered > 0 {
        let text =
            format!("[RECOVERY] System recovered with {recovered} messages from previous session");
        line(out, &text)?;
    }
    Ok(())
}

/// Says how the broker has ended.
pub(crate) fn stopped(out: &mut impl Write, stopped: &Stopped, session: &Path) -> io::Result<()> {
    let Stopped {
        recorded,
        refused,
        disconnected,
        ..
    } = stopped;
    line(
        out,
        &format!("[*] Recorded {recorded} messages in this run"),
    )?;
    if *refused > 0 {
        line(
            out,
            &format!("[*] Refused {refused} messages that were too large"),
        )?;
    }
    if *disconnected > 0 {
        let text = format!(
            "[*] Disconnected {disconnected} clients that did not speak ZeroMQ as publishers do"
        );
        line(out, &text)?;
    }
    match &stopped.session {
        LastSession::Archived(archived) => archive(out, archived),
        LastSession::Empty => line(out, "[*] Nothing to archive: the session is empty"),
        _ => line(
            out,
            &format!(
                "[*] The session is continued next time: {}",
                session.display()
            ),
        ),
    }
}

/// Says where a session went.
pub(crate) fn archive(out: &mut impl Write, archived: &transport::Archived) -> io::Result<()> {
    let transport::Archived { path, records, .. } = archived;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    line(
        out,
        &format!("[*] Archived {records} messages to: {}", path.display()),
    )
}

/// Writes a line and flushes it. A closed pipe must not stop the recording.
pub(crate) fn line(out: &mut impl Write, text: &str) -> io::Result<()> {
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Warns of what opening found damaged.
pub(crate) fn damage(found: &Recovery) {
    for damage in &found.damage {
        log::warn!("damage in the journal, skipped: {damage}");
    }
    let listed = found.damage.len() as u64;
    if found.damaged > listed {
        log::warn!(
            "... and {} more stretches of damage",
            found.damaged - listed
        );
    }
    let path = found.session.display();
    for offset in &found.altered_at {
        log::warn!("a record was altered after it was written: {path}: offset {offset}");
    }
    let listed = found.altered_at.len() as u64;
    if found.altered > listed {
        log::warn!("... and {} more altered records", found.altered - listed);
    }
    match found.tail {
        Tail::Whole => {}
        Tail::Completed => log::warn!("the last record in {path} lacked its newline, and got it"),
        Tail::Fenced => {
            log::warn!("the last line in {path} was torn; the next record begins on a new line");
        }
    }
}
