//! What every server under test offers to agents, whatever its protocol is.

/// One publisher, connected.
pub(crate) trait Publish {
    /// Sends one payload, or puts it in line to be sent.
    fn send(&mut self, payload: &[u8]) -> anyhow::Result<()>;

    /// Sends what waits, where the protocol is one that collects.
    fn flush(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// One subscriber, connected, that gets everything.
pub(crate) trait Receive {
    /// Waits a moment for the next payload; nothing if none came.
    fn receive(&mut self) -> anyhow::Result<Option<&[u8]>>;
}

/// A running server that agents can connect to.
pub(crate) trait Medium: Sync {
    /// Connects a publisher, and waits until what it sends won't be lost.
    fn publisher(&self) -> anyhow::Result<Box<dyn Publish>>;

    /// Connects a subscriber.
    fn subscriber(&self) -> anyhow::Result<Box<dyn Receive>>;
}
