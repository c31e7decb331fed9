//! Where a broker listens, as people say it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use crate::net::Port;
use crate::platform::{is_absent, listen, listen_everywhere};

/// One address to listen on, or several that have a name together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    text: String,
    way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// This address, and no other.
    One(IpAddr),
    /// All that the name stood for when it was looked up. Of these, the machine may
    /// lack some: a host's name most often has addresses of both kinds.
    Name(Vec<IpAddr>),
    /// Whatever addresses the machine has or gets.
    Everywhere,
}

/// Why a text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// It is neither an address nor a name that is known.
    #[error(
        "expected an address such as 127.0.0.1, ::1 or [::1], a name such as localhost, or \"*\" for all: {reason}"
    )]
    Unknown {
        /// What is wrong with it.
        reason: String,
    },
}

impl Bind {
    /// Tells whether only this machine itself can connect there.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.way {
            Way::One(ip) => ip.is_loopback(),
            Way::Name(ips) => ips.iter().all(IpAddr::is_loopback),
            Way::Everywhere => false,
        }
    }

    /// Returns the addresses at which this machine reaches it, in the order in which
    /// they are to be tried.
    #[must_use]
    pub fn reached_at(&self) -> Vec<IpAddr> {
        let own = |ip: &IpAddr| match ip {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => *ip,
        };
        match &self.way {
            Way::One(ip) => vec![own(ip)],
            Way::Name(ips) => ips.iter().map(own).collect(),
            Way::Everywhere => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        }
    }

    /// Listens on the same port of each address, and adds that to `ports`; 0 is one that
    /// the first of them has free. Returns the port.
    pub(crate) fn listen(
        &self,
        port: u16,
        ports: &mut Vec<Box<dyn Port>>,
    ) -> Result<u16, (SocketAddr, io::Error)> {
        let mut chosen = port;
        let mut add = |ip: IpAddr, port: u16| {
            let address = SocketAddr::new(ip, port);
            let listener = match self.way {
                Way::Everywhere => listen_everywhere(port),
                _ => listen(address),
            };
            let listener = listener.map_err(|error| (address, error))?;
            let port = listener.local_addr().map_err(|error| (address, error))?;
            ports.push(Box::new(listener));
            Ok(port.port())
        };
        match &self.way {
            Way::One(ip) => add(*ip, port),
            Way::Everywhere => add(Ipv6Addr::UNSPECIFIED.into(), port),
            Way::Name(ips) => {
                let (mut listening, mut absent) = (false, None);
                for ip in ips {
                    match add(*ip, chosen) {
                        Ok(port) => (chosen, listening) = (port, true),
                        Err((address, error)) if is_absent(&error) => {
                            log::info!("{} has no {ip} here: {error}", self.text);
                            absent.get_or_insert((address, error));
                        }
                        Err(failed) => return Err(failed),
                    }
                }
                match absent {
                    Some(failed) if !listening => Err(failed),
                    _ => Ok(chosen),
                }
            }
        }
    }
}

impl FromStr for Bind {
    type Err = BindError;

    /// Reads an address as people write it: as a number, in brackets, as a name, or as
    /// the star that stands for all addresses. A name is looked up.
    fn from_str(text: &str) -> Result<Self, BindError> {
        let unknown = |reason: String| BindError::Unknown { reason };
        let in_brackets = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let way = match (text, in_brackets) {
            ("*", _) => Way::Everywhere,
            // Whatever some table of names says of it.
            ("localhost", _) => {
                Way::Name(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
            }
            (_, Some(inside)) => {
                let ip: Result<Ipv6Addr, _> = inside.parse();
                Way::One(ip.map_err(|error| unknown(error.to_string()))?.into())
            }
            _ => match text.parse() {
                Ok(ip) => Way::One(ip),
                Err(_) => Way::Name(look_up(text).map_err(unknown)?),
            },
        };
        let text = text.to_owned();
        Ok(Self { text, way })
    }
}

fn look_up(name: &str) -> Result<Vec<IpAddr>, String> {
    let letters = |c: char| c.is_alphanumeric() || "-._".contains(c);
    if name.is_empty() || !name.chars().all(letters) {
        return Err("this is neither".to_owned());
    }
    let found = (name, 0).to_socket_addrs();
    let mut ips: Vec<IpAddr> = Vec::new();
    for ip in found.map_err(|error| error.to_string())?.map(|it| it.ip()) {
        // One entry for each kind of socket, on some systems.
        if !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    match ips.is_empty() {
        true => Err("no address has this name".to_owned()),
        false => Ok(ips),
    }
}

impl From<IpAddr> for Bind {
    fn from(ip: IpAddr) -> Self {
        Self {
            text: ip.to_string(),
            way: Way::One(ip),
        }
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpStream;

    use super::*;

    fn parse(text: &str) -> Bind {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_understood_as_people_write_them() {
        for (text, reached_at) in [
            ("[::1]", vec!["::1"]),
            ("::", vec!["::1"]),
            ("0.0.0.0", vec!["127.0.0.1"]),
            ("192.168.0.7", vec!["192.168.0.7"]),
            ("localhost", vec!["127.0.0.1", "::1"]),
            ("*", vec!["127.0.0.1", "::1"]),
        ] {
            let bind = parse(text);
            let expected: Vec<IpAddr> = reached_at.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(bind.reached_at(), expected, "{text}");
            assert_eq!(bind.to_string(), text);
        }
        for wrong in [
            "",
            "[127.0.0.1]",
            "[::1",
            "127.0.0.1:5555",
            "a b",
            "tcp://x",
        ] {
            let error = wrong.parse::<Bind>().unwrap_err().to_string();
            assert!(error.starts_with("expected an address"), "{error}");
        }
    }

    #[test]
    fn what_lets_in_other_machines_is_told_apart() {
        let own = ["127.0.0.1", "127.9.9.9", "::1", "localhost"];
        let others = ["0.0.0.0", "::", "*", "192.168.0.7"];
        assert!(own.into_iter().all(|text| parse(text).is_loopback()));
        assert!(!others.into_iter().any(|text| parse(text).is_loopback()));
    }

    /// Whether this machine has IPv6 at all.
    fn has_ipv6() -> bool {
        std::net::TcpListener::bind("[::1]:0").is_ok()
    }

    #[test]
    fn a_name_and_the_star_are_one_port_of_both_kinds_of_addresses() {
        for text in ["localhost", "*"] {
            let mut ports = Vec::new();
            let port = parse(text).listen(0, &mut ports).unwrap();
            TcpStream::connect(("127.0.0.1", port)).unwrap();
            if has_ipv6() {
                TcpStream::connect(("::1", port)).unwrap();
            }
        }
    }

    #[test]
    fn of_a_name_only_what_the_machine_has_is_listened_on() {
        let absent: IpAddr = "192.0.2.1".parse().unwrap();
        let here = IpAddr::from([127, 0, 0, 1]);
        let named = |ips: Vec<IpAddr>| Bind {
            text: "name".to_owned(),
            way: Way::Name(ips),
        };
        let mut ports = Vec::new();
        let port = named(vec![absent, here]).listen(0, &mut ports).unwrap();
        assert!(TcpStream::connect((here, port)).is_ok() && ports.len() == 1);
        let (address, _) = named(vec![absent]).listen(0, &mut ports).err().unwrap();
        assert_eq!(address.ip(), absent);
        // A port that is taken is another matter.
        let taken = named(vec![here]).listen(port, &mut ports).err().unwrap();
        assert_eq!(taken.1.kind(), ErrorKind::AddrInUse);
    }
}
