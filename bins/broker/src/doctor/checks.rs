//! The checks, in the order in which one depends on the other.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use client::Status;
use journal::take_inventory;
use render::size;

use super::probe::{self, Probe};
use super::{Finding, Findings, disk};
use crate::doctor::Doctor;
use crate::shown::shown;
use crate::status::finding;

/// How long anybody is given to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Less room than this is soon used up.
const LITTLE: u64 = 1 << 30;
/// Less room than this is as good as none.
const NONE: u64 = 64 << 20;

pub(super) fn run<W: Write>(
    options: &Doctor,
    findings: &mut Findings<'_, W>,
) -> anyhow::Result<()> {
    let status = reach(options, findings)?;
    let Some(status) = status else {
        directory(&options.dir, findings)?;
        whole(&options.dir, findings)?;
        findings.add(lock(&options.dir))?;
        return Ok(());
    };
    let session = PathBuf::from(&status.session.file);
    let dir = session.parent().map(Path::to_owned).unwrap_or_default();
    findings.add(same_directory(&options.dir, &dir))?;
    if !dir.is_dir() {
        findings.add(Finding::Wrong(
            format!(
                "the broker records in {}, which is not on this machine",
                dir.display()
            ),
            "run doctor on the machine on which the broker runs".to_owned(),
        ))?;
        return Ok(());
    }
    findings.add(held_by(&dir, status.pid))?;
    directory(&dir, findings)?;
    whole(&dir, findings)?;
    if let Some(room) = status.disk_room_bytes {
        findings.add(room_for(room, &dir))?;
    }
    let ports = [
        (
            "publishers",
            status.ports.publish,
            options.pub_port,
            "--pub-port",
        ),
        (
            "subscribers",
            status.ports.subscribe,
            options.sub_port,
            "--sub-port",
        ),
    ];
    for (role, found, expected, option) in ports {
        findings.add(same_port(role, found, expected, option))?;
    }
    if let Some(finding) = finding(&status) {
        findings.add(match status.stalled.is_none() {
            true => Finding::Notice(finding),
            false => Finding::Wrong(
                finding,
                "make room on the disk, or look at its health".to_owned(),
            ),
        })?;
    }
    if options.target.has_keys() {
        return Ok(probe::run_with_keys(&options.target, &dir, findings)?);
    }
    for probe in probes(options, &status, &dir) {
        probe::run(&probe, findings)?;
    }
    Ok(())
}

/// Returns all ways that a message may take: over the ports, and over the Unix sockets
/// that there are. A broker that was asked over one may be out of reach by its ports.
fn probes<'a>(options: &Doctor, status: &Status, dir: &'a Path) -> Vec<Probe<'a>> {
    let tcp = |port| format!("tcp://{}", options.target.address(port));
    let ipc = &status.ipc;
    let over_ipc = Probe {
        publish: ipc
            .publish
            .clone()
            .unwrap_or_else(|| tcp(status.ports.publish)),
        subscribe: ipc
            .subscribe
            .clone()
            .unwrap_or_else(|| tcp(status.ports.subscribe)),
        dir,
    };
    if options.target.control_ipc.is_some() {
        return vec![over_ipc];
    }
    let over_ports = Probe {
        publish: tcp(status.ports.publish),
        subscribe: tcp(status.ports.subscribe),
        dir,
    };
    let is_new = |probe: &Probe<'_>| {
        probe.publish != over_ports.publish || probe.subscribe != over_ports.subscribe
    };
    let second = Some(over_ipc).filter(is_new);
    [over_ports].into_iter().chain(second).collect()
}

/// Finds out whether a broker answers on the control port.
fn reach<W: Write>(options: &Doctor, findings: &mut Findings<'_, W>) -> io::Result<Option<Status>> {
    // What a Unix socket that nobody serves comes to is told by the client.
    if options.target.control_ipc.is_none() {
        let address = options.target.address(options.target.control_port);
        if let Err(error) = TcpStream::connect_timeout(&address, PATIENCE) {
            findings.add(nobody(address, &error))?;
            return Ok(None);
        }
    }
    let address = options.target.control();
    let status = options.target.connect(PATIENCE);
    match status.and_then(|mut client| Ok(client.status()?)) {
        Ok(status) => {
            findings.add(Finding::Fine(format!(
                "a broker answers on {address}: version {}, process {}",
                shown(&status.version),
                status.pid
            )))?;
            Ok(Some(status))
        }
        Err(error) if options.target.control_ipc.is_some() => {
            findings.add(Finding::Wrong(
                format!("no broker answers on {address}: {error}"),
                "start the broker with --control and this path, or say which one it has".to_owned(),
            ))?;
            Ok(None)
        }
        Err(error) => {
            findings.add(Finding::Wrong(
                format!(
                    "something listens on {address}, but it does not answer as a broker: {error}"
                ),
                "find out which program that is (ss -ltnp on Linux, lsof -iTCP -sTCP:LISTEN on \
                 macOS, netstat -ano on Windows); stop it, or give the broker and doctor another \
                 --control-port"
                    .to_owned(),
            ))?;
            Ok(None)
        }
    }
}

fn nobody(address: SocketAddr, error: &io::Error) -> Finding {
    let what = match error.kind() {
        ErrorKind::ConnectionRefused => format!("no broker runs: nobody listens on {address}"),
        _ => format!("{address} can't be reached: {error}"),
    };
    Finding::Wrong(
        what,
        "start the broker (cargo run -p broker), or say where it is with --bind and --control-port"
            .to_owned(),
    )
}

fn same_directory(expected: &Path, found: &Path) -> Finding {
    let same = match (expected.canonicalize(), found.canonicalize()) {
        (Ok(expected), Ok(found)) => expected == found,
        _ => false,
    };
    let shown = found.display();
    if same {
        return Finding::Fine(format!("it records in {shown}"));
    }
    let expected = std::path::absolute(expected).unwrap_or_else(|_| expected.to_owned());
    Finding::Notice(format!(
        "it records in {shown}, and not in {}: look for its messages there, or start it with --dir",
        expected.display()
    ))
}

fn same_port(role: &str, found: u16, expected: u16, option: &str) -> Finding {
    if found == expected {
        return Finding::Fine(format!("{role} are served on port {found}"));
    }
    Finding::Notice(format!(
        "{role} are served on port {found}, not on {expected}: agents must use that, or start the \
         broker with {option} {expected}"
    ))
}

fn room_for(room: u64, dir: &Path) -> Finding {
    let shown = format!("{} free for {}", size(room), dir.display());
    match room {
        0..NONE => Finding::Wrong(
            format!("there is next to no room: {shown}"),
            "make room, for instance by moving the oldest archives elsewhere".to_owned(),
        ),
        NONE..LITTLE => Finding::Surroundings(format!("there is little room: {shown}")),
        _ => Finding::Fine(shown),
    }
}

/// Checks that the directory can be written, and how fast.
fn directory<W: Write>(dir: &Path, findings: &mut Findings<'_, W>) -> io::Result<()> {
    if !dir.exists() {
        return findings.add(Finding::Notice(format!(
            "{} does not exist; the broker makes it when it starts",
            dir.display()
        )));
    }
    match disk::measure(dir) {
        Ok(speed) => findings.add(disk::judge(&speed, dir)),
        Err(error) => findings.add(Finding::Wrong(
            format!("{} can't be written: {error}", dir.display()),
            "check who owns it, whether its disk is mounted read-only, and whether a file stands \
             in its place"
                .to_owned(),
        )),
    }
}

/// Checks that all that was recorded is still in the journal's files, and names
/// what is not read.
fn whole<W: Write>(dir: &Path, findings: &mut Findings<'_, W>) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let inventory = match take_inventory(dir) {
        Ok(inventory) => inventory,
        Err(error) => {
            return findings.add(Finding::Wrong(
                format!("the journal can't be read: {error}: {}", error.source),
                "look at that file, and at who owns it".to_owned(),
            ));
        }
    };
    for missing in &inventory.missing {
        findings.add(Finding::Notice(format!(
            "not in the journal's files: {missing}; put the files back into {}, or leave it so",
            dir.join("archive").display()
        )))?;
    }
    for file in &inventory.unread {
        let file = shown(&file.to_string());
        findings.add(Finding::Notice(format!("not read as a session: {file}")))?;
    }
    if inventory.missing.is_empty() {
        findings.add(Finding::Fine(
            "no number is missing from the journal's files".to_owned(),
        ))?;
    }
    Ok(())
}

/// Says who has the directory, where no broker answers.
fn lock(dir: &Path) -> Finding {
    let Ok(file) = std::fs::File::open(dir.join("journal.lock")) else {
        return Finding::Fine(format!("no broker has {}", dir.display()));
    };
    match file.try_lock_shared() {
        Ok(()) => Finding::Fine(format!("no broker has {}", dir.display())),
        Err(_) => Finding::Wrong(
            format!("{} is held by {}", dir.display(), owner(dir)),
            "that broker runs and listens elsewhere, or hangs: look at that process, and say where \
             it listens with --control-port"
                .to_owned(),
        ),
    }
}

/// Checks that the broker that answers is the one that has the directory.
fn held_by(dir: &Path, pid: u32) -> Finding {
    let owner = owner(dir);
    if owner == format!("process {pid}") {
        return Finding::Fine(format!(
            "the directory's lock is held by the broker, {owner}"
        ));
    }
    Finding::Wrong(
        format!("the broker is process {pid}, but the directory names {owner}"),
        "doctor and the broker see different machines or containers, or journal.owner was removed: \
         run doctor where the broker runs"
            .to_owned(),
    )
}

fn owner(dir: &Path) -> String {
    let owner = std::fs::read_to_string(dir.join("journal.owner"));
    let pid: Option<u32> = owner.ok().and_then(|owner| owner.trim().parse().ok());
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}
