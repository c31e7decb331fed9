//! What surrounds the broker: its terminal, its standard output, its directory.

#[cfg(unix)]
use std::fs;
use std::process::Command;

use crate::util::broker::{Broker, Ports, broker_on};
use crate::util::client::publish;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::run;
#[cfg(target_os = "linux")]
use crate::util::shim::{Disk, Rule};

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_takes_nothing_is_named() {
    let dir = Dir::new();
    let broker = broker_on(&dir, Ports::default());
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" > /dev/full"]);
    command.arg(broker.get_program()).args(broker.get_args());
    run(&mut command)
        .with_code(1)
        .warns("cannot write to standard output");
}

/// Starts the broker on a terminal, and hangs up when a message is recorded.
#[cfg(unix)]
const HANG_UP: &str = r#"
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"previous session" not in said:
    said += os.read(terminal, 1000)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[cfg(unix)]
#[test]
fn a_terminal_that_hangs_up_archives_and_ends_the_broker_in_order() {
    let dir = Dir::new();
    let mut earlier = Broker::start(&dir);
    publish(earlier.ports.publish, &agents("t", 1, 3));
    dir.wait_lines(3);
    earlier.kill9();
    let broker = broker_on(&dir, Ports::default());
    let mut command = Command::new(crate::util::python::python());
    command.args(["-c", HANG_UP]).arg(broker.get_program());
    command.args(broker.get_args()).env("NO_COLOR", "1");
    run(&mut command).with_code(0).says("0\n");
    assert_eq!(dir.archives().len(), 1);
    assert_eq!(dir.line_count(), 0);
}

#[cfg(unix)]
#[test]
fn under_nohup_a_hang_up_is_ignored() {
    let dir = Dir::new();
    let broker = broker_on(&dir, Ports::default());
    let mut command = Command::new("nohup");
    command.arg(broker.get_program()).args(broker.get_args());
    let mut broker = Broker::ready(&mut command);
    publish(broker.ports.publish, &agents("t", 1, 3));
    dir.wait_lines(3);
    broker.signal("HUP");
    broker.signal("TERM");
    broker
        .wait_exit()
        .with_code(0)
        .says("[*] Archived 3 messages")
        .never_says("Nothing to archive");
}

#[cfg(unix)]
#[test]
fn a_link_under_the_owners_name_is_not_followed() {
    let dir = Dir::new();
    fs::create_dir(dir.logs()).unwrap();
    let target = dir.path().join("diary");
    fs::write(&target, "dear diary").unwrap();
    for name in ["journal.owner", "journal.checkpoint", "journal.head.new"] {
        std::os::unix::fs::symlink(&target, dir.logs().join(name)).unwrap();
    }
    let mut broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 3));
    dir.wait_lines(3);
    let owner = fs::read_to_string(dir.logs().join("journal.owner")).unwrap();
    assert!(owner.trim().parse::<u32>().is_ok(), "{owner}");
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    assert_eq!(fs::read(&target).unwrap(), b"dear diary");
}

#[cfg(unix)]
#[test]
fn a_directory_that_everybody_may_change_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    fs::create_dir(dir.logs()).unwrap();
    fs::set_permissions(dir.logs(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut broker = Broker::start(&dir);
    broker.signal("TERM");
    broker
        .wait_exit()
        .with_code(0)
        .warns("everybody on this machine can write to");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_syncs_no_directories_is_warned_of_once() {
    const EINVAL: i32 = 22;
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    disk.set(&[Rule::fail("fsync", EINVAL)]);
    let mut broker = disk.start(&dir, &[]);
    publish(broker.ports.publish, &agents("t", 1, 3));
    dir.wait_lines(3);
    broker.signal("TERM");
    let ended = broker
        .wait_exit()
        .with_code(0)
        .warns("syncs no directories");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert_eq!(dir.archives().len(), 1);
}

#[test]
fn addresses_are_taken_as_people_write_them() {
    for address in ["localhost", "*", "[::1]"] {
        let dir = Dir::new();
        let mut broker = Broker::start_with(&dir, &["--bind", address, "--insecure"]);
        if address != "[::1]" {
            publish(broker.ports.publish, &agents("t", 1, 1));
            dir.wait_lines(1);
        }
        broker.signal("TERM");
        broker.wait_exit().with_code(0);
    }
}
