//! What the broker says on stdout, and its warnings about what it found.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use journal::Jump;
use transport::{Bind, Broker, LastSession, Recovery, Stopped, Tail};

use crate::args::Args;
use crate::line::line;
use crate::platform::others_can_write;
use crate::shown::shown;

/// Says that the broker is ready. Each line is flushed, for whoever reads it
/// through a pipe.
pub(crate) fn ready(out: &mut impl Write, broker: &Broker, args: &Args) -> io::Result<()> {
    let history = args.history;
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
    let ipc = args.ipc();
    for (who, path) in [
        ("publishers", ipc.publishers),
        ("subscribers", ipc.subscribers),
        ("requests", ipc.requests),
    ] {
        let Some(path) = path else { continue };
        let path = std::path::absolute(&path).unwrap_or(path);
        line(
            out,
            &format!("[*] Listening for {who} on ipc://{}", path.display()),
        )?;
    }
    if let Some(reach) = reach(broker, args) {
        line(out, &format!("[*] {reach}"))?;
    }
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
    let without = broker.without_topic();
    if without > 0 {
        let text = format!(
            "[*] {without} of them, by an older recorder, carry no topic: only subscribers to \
             everything get them"
        );
        line(out, &text)?;
    }
    Ok(())
}

/// Says who can get in, where that is not what everybody expects: this machine
/// alone, by the usual address.
fn reach(broker: &Broker, args: &Args) -> Option<String> {
    let bind: Vec<String> = args.bind.iter().map(ToString::to_string).collect();
    let names = bind.join(", ");
    match broker.keys() {
        Some(keys) => Some(format!(
            "Bound to {names}; keys let in (CURVE): {}; the broker's own key: {}",
            keys.count(),
            keys.public()
        )),
        None if args.bind == [IpAddr::from(Ipv4Addr::LOCALHOST).into()] => None,
        None if args.bind.iter().all(Bind::is_loopback) => {
            Some(format!("Bound to {names}: only this machine gets in"))
        }
        None => Some(format!(
            "Bound to {names} WITHOUT KEYS: whoever reaches the ports gets in"
        )),
    }
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
            &format!("[*] Refused {refused} messages that were too large, or not allowed"),
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
        LastSession::Continued { records } => line(
            out,
            &format!("[*] The session of {records} messages is continued at the next start"),
        ),
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

/// Says which messages are not in the journal's files any more, and why the
/// numbers go on where they do.
pub(crate) fn missing(out: &mut impl Write, found: &Recovery) -> io::Result<()> {
    if found.head_damaged {
        log::warn!(
            "journal.head could not be read and was made anew: what was missing before is not known"
        );
    }
    if let Some(jump) = found.jump {
        let Jump {
            in_files,
            noted,
            seen,
        } = jump;
        let who = match noted > in_files {
            true => format!("message {noted} was recorded"),
            false => format!("a consumer has acknowledged message {seen}"),
        };
        let text = format!(
            "RECORDS ARE MISSING: the journal's files end with message {in_files}, but {who}; the \
             next message gets the number {}",
            found.next
        );
        log::warn!("{text}");
        line(out, &format!("[!] {text}"))?;
    }
    if let Some(restored) = &found.restored {
        let text = format!(
            "[*] This journal was restored from a copy at {restored}: what came behind the copy is \
             not in it"
        );
        line(out, &text)?;
    }
    for one in &found.missing {
        log::warn!("not in the journal's files: {one}");
        line(out, &format!("[!] Not in the journal's files: {one}"))?;
    }
    Ok(())
}

/// Warns of what opening found in and about the directory.
pub(crate) fn directory(found: &Recovery) {
    for file in &found.unread {
        log::warn!("not read as a session: {}", shown(&file.to_string()));
    }
    let dir = found.session.parent().unwrap_or(Path::new("."));
    if found.unsynced_names {
        log::warn!(
            "the file system of {} syncs no directories: after a power failure the newest file may \
             have no name or its old one",
            dir.display()
        );
    }
    if others_can_write(dir) {
        log::warn!(
            "everybody on this machine can write to {}: they can remove and replace what is \
             recorded; take that right away (chmod o-w)",
            dir.display()
        );
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
