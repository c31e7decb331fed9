//! Systems without systemd: nobody is told anything.

use transport::Monitor;

/// Tells nobody how it goes.
#[derive(Debug)]
pub(crate) struct Service;

#[allow(clippy::unnecessary_wraps, reason = "as on Linux")]
impl Service {
    pub(crate) fn starting() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn ready(&mut self, _monitor: Monitor) -> std::io::Result<()> {
        Ok(())
    }

    pub(crate) fn stopping(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    pub(crate) fn end(self) {}
}
