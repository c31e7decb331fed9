//! Where the running broker is that a command asks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use client::{Client, Keys};
use transport::Bind;

use crate::values::{parse_bind, parse_ipc};

/// How long a broker is given to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Where the running broker is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The address that the broker listens on; of several the first is asked
    #[arg(
        long,
        value_name = "ADDR",
        env = "BROKER_BIND",
        default_value = "127.0.0.1",
        value_delimiter = ',',
        value_parser = parse_bind
    )]
    bind: Vec<Bind>,

    /// The port on which it serves requests
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_CONTROL_PORT",
        default_value_t = protocol::CONTROL_PORT
    )]
    pub(crate) control_port: u16,

    /// The Unix socket on which it serves requests, in place of the port
    #[arg(long = "control", value_name = "ipc://PATH", env = "BROKER_CONTROL", value_parser = parse_ipc)]
    pub(crate) control_ipc: Option<PathBuf>,

    /// The folder of the broker's keys, where it has some: its own are shown to it
    #[arg(long, value_name = "DIR", env = "BROKER_CURVE")]
    pub(crate) curve: Option<PathBuf>,

    /// The key to show instead, as a file that ends in .key_secret
    #[arg(long, value_name = "FILE", env = "BROKER_KEY", requires = "server_key")]
    key: Option<PathBuf>,

    /// The broker's public key, for --key
    #[arg(long, value_name = "FILE", env = "BROKER_SERVER_KEY", requires = "key")]
    server_key: Option<PathBuf>,
}

impl Target {
    pub(crate) fn connect(&self, timeout: Duration) -> anyhow::Result<Client> {
        let endpoint = self.control();
        Ok(match self.keys()? {
            Some(keys) => Client::connect_with_keys(&endpoint, keys, timeout)?,
            None => Client::connect(&endpoint, timeout)?,
        })
    }

    /// Returns where the broker serves requests, as ZeroMQ writes it.
    pub(crate) fn control(&self) -> String {
        match &self.control_ipc {
            Some(path) => format!("ipc://{}", path.display()),
            None => format!("tcp://{}", self.address(self.control_port)),
        }
    }

    /// Tells whether the broker is to be shown keys.
    pub(crate) fn has_keys(&self) -> bool {
        self.curve.is_some() || self.key.is_some()
    }

    /// Returns what the broker is to be shown.
    fn keys(&self) -> anyhow::Result<Option<Keys>> {
        if let (Some(key), Some(server)) = (&self.key, &self.server_key) {
            return Ok(Some(Keys::read(key, server)?));
        }
        let own = self.curve.as_ref().map(|dir| {
            let own = dir.join("server.key_secret");
            Keys::read(&own, &own)
        });
        Ok(own.transpose()?)
    }

    /// Returns where a port of the broker is reached. A broker that listens on
    /// all addresses is reached on this machine's own. Of a name with several
    /// addresses, it may listen only on those that the machine has.
    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        let mut ips = self.bind.first().map(Bind::reached_at).unwrap_or_default();
        let listens =
            |ip: &IpAddr| TcpStream::connect_timeout(&SocketAddr::new(*ip, port), PATIENCE).is_ok();
        if ips.len() > 1
            && let Some(found) = ips.iter().position(listens)
        {
            ips.swap(0, found);
        }
        let first = ips.first().copied();
        SocketAddr::new(first.unwrap_or(IpAddr::from(Ipv4Addr::LOCALHOST)), port)
    }
}
