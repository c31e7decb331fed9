//! What the service manager of Windows is told: that the broker starts, runs, and stops.
//! Without it, in a console, nobody is told anything.

use std::time::Duration;

use transport::Monitor;
use windows_service::service::ServiceState;

use crate::service;
use crate::task::{Task, is_over};

/// How often it is told that a start or a stop goes on; it waits for longer than that.
const PERIOD: Duration = Duration::from_secs(1);

/// Tells the service manager how it goes, from the start to the end.
pub(crate) struct Service(Option<Task>);

impl Service {
    /// Asks for more time while the broker starts: a long journal takes a while to read.
    pub(crate) fn starting() -> std::io::Result<Self> {
        Self::pending(ServiceState::StartPending)
    }

    /// Says that the broker is ready, and can be stopped.
    pub(crate) fn ready(&mut self, _monitor: Monitor) -> std::io::Result<()> {
        self.end_task();
        service::tell(ServiceState::Running, 0);
        Ok(())
    }

    /// Says that it stops, and asks for more time until it has.
    pub(crate) fn stopping(&mut self) -> std::io::Result<()> {
        self.end_task();
        *self = Self::pending(ServiceState::StopPending)?;
        Ok(())
    }

    /// Ends it, behind the last thing that the broker does.
    pub(crate) fn end(mut self) {
        self.end_task();
    }

    /// Says again and again that something goes on: the number that grows is the sign.
    fn pending(state: ServiceState) -> std::io::Result<Self> {
        if !service::is_one() {
            return Ok(Self(None));
        }
        let task = Task::start(move |stopped| {
            for turn in 1.. {
                service::tell(state, turn);
                if is_over(stopped, PERIOD).is_some() {
                    return;
                }
            }
        })?;
        Ok(Self(Some(task)))
    }

    fn end_task(&mut self) {
        if let Some(task) = self.0.take() {
            task.end();
        }
    }
}
