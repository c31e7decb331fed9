//! A folder of keys, made by the broker itself.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::broker::broker;
use super::dir::Dir;
use super::process::run;

/// The broker's keys, those of its clients, and who of them is let in.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What `--curve` is given.
    pub(crate) folder: PathBuf,
    clients: PathBuf,
}

impl Keys {
    /// Makes keys for the broker and for these clients, and lets all of them in.
    #[track_caller]
    pub(crate) fn new(dir: &Dir, names: &[&str]) -> Self {
        let keys = Self {
            folder: dir.path().join("keys"),
            clients: dir.path().join("clients"),
        };
        run(broker().arg("keygen").arg("--out").arg(&keys.folder)).with_code(0);
        keys.make(names);
        names.iter().for_each(|name| keys.let_in(name));
        keys
    }

    /// Makes keys for clients that are not let in yet.
    #[track_caller]
    pub(crate) fn make(&self, names: &[&str]) {
        let mut command = broker();
        command.arg("keygen").arg("--out").arg(&self.clients);
        run(command.args(names)).with_code(0);
    }

    /// Lets a client in.
    pub(crate) fn let_in(&self, name: &str) {
        let key = self.clients.join(format!("{name}.key"));
        fs::copy(key, self.authorized(name)).unwrap();
    }

    /// The file that lets a client in.
    pub(crate) fn authorized(&self, name: &str) -> PathBuf {
        self.folder.join("authorized").join(format!("{name}.key"))
    }

    /// Says what clients may do.
    pub(crate) fn rights(&self, text: &str) {
        fs::write(self.folder.join("rights"), text).unwrap();
    }

    /// What a client is told that connects as somebody.
    pub(crate) fn of(&self, name: &str) -> Value {
        json!({
            "own": self.clients.join(format!("{name}.key_secret")),
            "server": self.folder.join("server.key"),
        })
    }

    /// The same, but with the public key of somebody else in the server's place.
    pub(crate) fn of_with_wrong_server(&self, name: &str, other: &str) -> Value {
        let mut keys = self.of(name);
        keys["server"] = json!(self.clients.join(format!("{other}.key")));
        keys
    }
}
