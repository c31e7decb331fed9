//! A broker whose clock is the test's, in a process of its own: this very program, run
//! again for one test that does nothing else.

use std::fs;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use transport::{Broker, Config, OnStop, Replay, TimeZone};

use crate::util::dir::Dir;
use crate::util::process::Process;

/// Where the journal is; it is set for the process that is a broker.
const VARIABLE: &str = "YEAR_DIR";

/// The broker, seen from the test.
pub(super) struct Recorder {
    process: Process,
    clock: PathBuf,
    pub(super) subscribe: u16,
    pub(super) control: u16,
}

impl Recorder {
    /// Starts it at a time, in seconds since 1970.
    pub(super) fn start(dir: &Dir, now: u64) -> Self {
        let clock = dir.path().join("clock");
        set(&clock, now);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "year::recorder::the_broker_of_a_year",
                "--exact",
                "--nocapture",
            ])
            .env(VARIABLE, dir.path());
        let mut process = Process::start(&mut command);
        let ports = process.wait_stdout("its ports", |stdout| {
            let (_, rest) = stdout.split_once("listening on ")?;
            let (ports, _) = rest.split_once('\n')?;
            let (subscribe, control) = ports.split_once(' ')?;
            Some((subscribe.parse().ok()?, control.parse().ok()?))
        });
        Self {
            process,
            clock,
            subscribe: ports.0,
            control: ports.1,
        }
    }

    pub(super) fn set_clock(&self, now: u64) {
        set(&self.clock, now);
    }

    pub(super) fn kill9(mut self) {
        self.process.kill9();
    }
}

/// Whoever reads the clock finds a time.
fn set(clock: &Path, now: u64) {
    let beside = clock.with_extension("new");
    fs::write(&beside, now.to_string()).unwrap();
    fs::rename(&beside, clock).unwrap();
}

fn read(clock: &Path) -> SystemTime {
    let now = fs::read_to_string(clock).unwrap().parse().unwrap();
    UNIX_EPOCH + Duration::from_secs(now)
}

/// Run by [`Recorder::start`], which kills it; by itself it does nothing.
#[test]
fn the_broker_of_a_year() {
    let Some(dir) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        return;
    };
    let clock = dir.join("clock");
    let config = Config {
        pub_port: 0,
        sub_port: 0,
        control_port: 0,
        replay: Replay::All,
        on_stop: OnStop::Keep,
        zone: TimeZone::UTC,
        clock: std::sync::Arc::new(move || read(&clock)),
        ..Config::new(dir.join("conversation_logs"))
    };
    let failed = |failure| panic!("the broker failed: {failure}");
    let broker = Broker::start(&config, failed).unwrap();
    let (subscribe, control) = (broker.sub_port(), broker.control_port());
    println!("listening on {subscribe} {control}");
    let parent = parent_id();
    while parent_id() == parent {
        sleep(Duration::from_secs(1));
    }
}
