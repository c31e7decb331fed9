//! How much libzmq may receive ahead of the intake thread.
//!
//! libzmq bounds what waits in a connection by the number of messages, and
//! 1,000 messages of 1 MiB are 1 GiB. So the number follows the size of the
//! messages that come: it is set on the socket, and libzmq applies it to the
//! connections that there are.

/// More messages than this gain no speed.
const MOST: u64 = 1000;

/// Follows the size of what comes, and says how many messages may wait.
#[derive(Debug)]
pub(crate) struct Window {
    /// How many bytes may wait in all connections together.
    budget: u64,
    /// The size in bytes for which the current number was chosen.
    size: u64,
    messages: u64,
    connections: u64,
}

impl Window {
    pub(crate) fn new(budget: u64) -> Self {
        Self {
            budget,
            size: 0,
            messages: MOST,
            connections: 1,
        }
    }

    /// Returns how many messages may wait in each connection.
    pub(crate) fn messages(&self) -> i32 {
        i32::try_from(self.messages).unwrap_or(i32::MAX)
    }

    /// Notes how many publishers are connected; true if the number changes.
    pub(crate) fn connections(&mut self, count: u64) -> bool {
        self.connections = count.max(1);
        self.update()
    }

    /// Notes the largest message of a batch; true if the number changes.
    ///
    /// It falls at once and rises slowly: the next message may be as large.
    pub(crate) fn received(&mut self, largest: u64) -> bool {
        self.size = largest.max(self.size - self.size / 64);
        self.update()
    }

    fn update(&mut self) -> bool {
        let fit = self.budget / self.size.max(1) / self.connections;
        let messages = fit.clamp(1, MOST);
        // Each change costs a command to every connection.
        let grown = messages >= 2 * self.messages || messages == MOST;
        let worth_it = messages < self.messages || (messages > self.messages && grown);
        if worth_it {
            self.messages = messages;
        }
        worth_it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_messages_shrink_it_at_once() {
        let mut window = Window::new(32 << 20);
        assert!(!window.received(1024));
        assert_eq!(window.messages(), 1000);
        assert!(window.received(1 << 20));
        assert_eq!(window.messages(), 32);
        assert!(window.received(64 << 20));
        assert_eq!(window.messages(), 1);
    }

    #[test]
    fn it_grows_again_when_small_ones_come() {
        let mut window = Window::new(32 << 20);
        window.received(1 << 20);
        for _ in 0..1000 {
            window.received(1024);
        }
        assert_eq!(window.messages(), 1000);
    }

    #[test]
    fn connections_share_it() {
        let mut window = Window::new(32 << 20);
        window.received(64 << 10);
        assert_eq!(window.messages(), 512);
        assert!(window.connections(16));
        assert_eq!(window.messages(), 32);
        assert!(window.connections(1));
        assert_eq!(window.messages(), 512);
    }
}
