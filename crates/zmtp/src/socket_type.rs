//! Which sockets there are, and which of them talk to each other.

/// The type of a ZeroMQ socket, as a peer says it of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketType {
    /// PAIR.
    Pair,
    /// PUB.
    Pub,
    /// SUB.
    Sub,
    /// REQ.
    Req,
    /// REP.
    Rep,
    /// DEALER.
    Dealer,
    /// ROUTER.
    Router,
    /// PULL.
    Pull,
    /// PUSH.
    Push,
    /// XPUB.
    Xpub,
    /// XSUB.
    Xsub,
}

/// All types with their names, in the order of the numbers that ZMTP 2.0 gives
/// them ([RFC 15](https://rfc.zeromq.org/spec/15/)).
const TYPES: [(SocketType, &str); 11] = [
    (SocketType::Pair, "PAIR"),
    (SocketType::Pub, "PUB"),
    (SocketType::Sub, "SUB"),
    (SocketType::Req, "REQ"),
    (SocketType::Rep, "REP"),
    (SocketType::Dealer, "DEALER"),
    (SocketType::Router, "ROUTER"),
    (SocketType::Pull, "PULL"),
    (SocketType::Push, "PUSH"),
    (SocketType::Xpub, "XPUB"),
    (SocketType::Xsub, "XSUB"),
];

impl SocketType {
    /// Returns the type's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let of_this = TYPES.iter().find(|(other, _)| *other == self);
        of_this.map_or("", |(_, name)| name)
    }

    /// Tells whether sockets of these two types have anything to say to each other
    /// ([RFC 28](https://rfc.zeromq.org/spec/28/), [29](https://rfc.zeromq.org/spec/29/)
    /// and [30](https://rfc.zeromq.org/spec/30/)).
    pub(crate) fn talks_to(self, other: Self) -> bool {
        use SocketType::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, Xpub, Xsub};
        let partners: &[Self] = match self {
            Pair => &[Pair],
            Pub | Xpub => &[Sub, Xsub],
            Sub | Xsub => &[Pub, Xpub],
            Req => &[Rep, Router],
            Rep => &[Req, Dealer],
            Dealer => &[Rep, Dealer, Router],
            Router => &[Req, Dealer, Router],
            Push => &[Pull],
            Pull => &[Push],
        };
        partners.contains(&other)
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        let of_name = TYPES.iter().find(|(_, other)| other.as_bytes() == name);
        of_name.map(|(found, _)| *found)
    }

    /// Reads the number that a peer of ZMTP 2.0 sends.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        TYPES.get(usize::from(number)).map(|(found, _)| *found)
    }

    /// Returns the number that a peer of ZMTP 2.0 understands.
    pub(crate) fn number(self) -> u8 {
        let at = TYPES.iter().position(|(other, _)| *other == self);
        at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
    }
}

/// What this end of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A PUB socket; its peers are SUB and XSUB sockets.
    Publisher,
    /// A SUB socket to PUB and XPUB sockets, and a PULL socket to PUSH sockets.
    Subscriber,
    /// A ROUTER socket; its peers are DEALER, REQ and ROUTER sockets.
    Router,
}

impl Role {
    /// Returns the type of peers that people are told to use.
    pub(crate) fn expected(self) -> SocketType {
        match self {
            Self::Publisher => SocketType::Sub,
            Self::Subscriber => SocketType::Pub,
            Self::Router => SocketType::Dealer,
        }
    }

    /// Returns what this end is to a peer of a type; `None` where the two have
    /// nothing to say to each other.
    pub(crate) fn towards(self, peer: SocketType) -> Option<SocketType> {
        match (self, peer) {
            (Self::Publisher, SocketType::Sub | SocketType::Xsub) => Some(SocketType::Pub),
            (Self::Subscriber, SocketType::Pub | SocketType::Xpub) => Some(SocketType::Sub),
            // A PUSH socket holds messages until it is connected and waits
            // where a PUB socket drops: the lossless way to publish plainly.
            (Self::Subscriber, SocketType::Push) => Some(SocketType::Pull),
            (Self::Router, SocketType::Dealer | SocketType::Req | SocketType::Router) => {
                Some(SocketType::Router)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_numbers_of_libzmq() {
        for (number, (socket_type, name)) in (0..).zip(TYPES) {
            assert_eq!(socket_type.number(), number);
            assert_eq!(SocketType::from_number(number), Some(socket_type));
            assert_eq!(SocketType::from_name(name.as_bytes()), Some(socket_type));
            assert_eq!(socket_type.name(), name);
        }
        assert_eq!(SocketType::from_number(11), None);
        assert_eq!(SocketType::from_name(b"pub"), None);
    }
}
