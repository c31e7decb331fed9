//! What systemd is told: that the broker is ready, how it goes, that it lives, and that
//! it stops. Without systemd nobody is told anything.
//!
//! The watchdog is for a recorder that hangs by a fault of the program. While the disk
//! does not answer, or is full, the recorder lives: a restart would not mend that, and
//! would lose what publishers have given and nobody else has.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use transport::Monitor;

use crate::shown::shown;
use crate::task::{Task, is_over};

/// How often it is told how it goes; the watchdog may want it more often.
const PERIOD: Duration = Duration::from_secs(10);
/// A recorder that lives does a turn at least each second.
const TURN: Duration = Duration::from_secs(3);
/// How long the broker has to say how it goes.
const ANSWER: Duration = Duration::from_millis(500);
/// How often more time is asked for, and how much, while the disk holds up a stop or the
/// journal is read at a start.
const ASK: Duration = Duration::from_secs(1);
const MORE_TIME: Duration = Duration::from_secs(30);

/// Tells systemd how it goes, from the start to the end.
pub(crate) struct Service(Option<Running>);

struct Running {
    task: Task,
    monitor: Option<Monitor>,
}

impl Service {
    /// Asks for more time while the broker starts: a long journal takes a while to read.
    pub(crate) fn starting() -> std::io::Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self(None));
        }
        let task = Task::start(|stopped| {
            while is_over(stopped, ASK).is_none() {
                tell(&[more_time(), NotifyState::Status("reading the journal")]);
            }
        })?;
        Ok(Self(Some(Running {
            task,
            monitor: None,
        })))
    }

    /// Says that the broker is ready, and goes on to say how it goes.
    pub(crate) fn ready(&mut self, monitor: Monitor) -> std::io::Result<()> {
        let Some(starting) = self.0.take() else {
            return Ok(());
        };
        starting.task.end();
        tell(&[NotifyState::Ready]);
        let watched = monitor.clone();
        self.0 = Some(Running {
            task: Task::start(move |stopped| report(&watched, stopped))?,
            monitor: Some(monitor),
        });
        Ok(())
    }

    /// Says that it stops, and asks for more time while the disk holds that up.
    pub(crate) fn stopping(&mut self) -> std::io::Result<()> {
        let Some(Running { task, monitor }) = self.0.take() else {
            return Ok(());
        };
        task.end();
        tell(&[NotifyState::Stopping, NotifyState::Watchdog]);
        let Some(monitor) = monitor else {
            return Ok(());
        };
        let task = Task::start(move |stopped| {
            while is_over(stopped, ASK).is_none() {
                if monitor.waits_for_disk() {
                    tell(&[more_time(), NotifyState::Status("waiting for the disk")]);
                }
                tell(&[NotifyState::Watchdog]);
            }
        })?;
        let monitor = None;
        self.0 = Some(Running { task, monitor });
        Ok(())
    }

    /// Ends it, behind the last thing that the broker does.
    pub(crate) fn end(self) {
        if let Some(running) = self.0 {
            running.task.end();
        }
    }
}

fn more_time() -> NotifyState<'static> {
    let time = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
    NotifyState::ExtendTimeoutUsec(time)
}

fn report(monitor: &Monitor, stopped: &Receiver<()>) {
    let watchdog = sd_notify::watchdog_enabled();
    let period = watchdog.map_or(PERIOD, |most| PERIOD.min(most / 3));
    let mut last: Option<(u64, Instant)> = None;
    loop {
        if let Some(most) = watchdog
            && monitor.recorder_lives(TURN.max(most / 2))
        {
            tell(&[NotifyState::Watchdog]);
        }
        if let Some(status) = monitor.status(ANSWER) {
            let (recorded, now) = (status.recorded.messages, Instant::now());
            let rate = last.replace((recorded, now)).map_or(0.0, |(before, then)| {
                recorded.saturating_sub(before) as f64 / now.duration_since(then).as_secs_f64()
            });
            let how = match &status.stalled {
                Some(stalled) => format!("NOTHING IS RECORDED: {}", shown(&stalled.reason)),
                None => "recording".to_owned(),
            };
            tell(&[NotifyState::Status(&format!(
                "{how}; {recorded} messages in this run, {rate:.0} a second; {} subscribers",
                status.subscribers.count
            ))]);
        }
        if is_over(stopped, period).is_some() {
            return;
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log::warn!("systemd can't be told how it goes: {error}");
    }
}
