//! Stock NATS servers with JetStream, alone or three of them, and a stock client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::broker::free_port;
use super::process::{Process, run};
use super::programs::workspace;
use super::python::{nats_server, python_with_nats};
use super::wait::until;

/// One server, which keeps its port and its files when it is started again.
#[derive(Debug)]
pub(crate) struct Server {
    name: String,
    port: u16,
    /// Where the servers of its cluster listen to each other, this one first.
    routes: Vec<u16>,
    store: PathBuf,
    options: Vec<String>,
    process: Option<Process>,
}

impl Server {
    fn new(name: &str, store: PathBuf, routes: Vec<u16>) -> Self {
        Self {
            name: name.to_owned(),
            port: free_port(),
            routes,
            store,
            options: Vec::new(),
            process: None,
        }
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(nats_server());
        command.args(["-js", "-a", "127.0.0.1", "-p", &self.port.to_string()]);
        command.arg("-sd").arg(&self.store).args(&self.options);
        command.args(["--name", &self.name]);
        if let Some((own, others)) = self.routes.split_first() {
            let others = others.iter().map(|port| format!("nats://127.0.0.1:{port}"));
            let others: Vec<String> = others.collect();
            command.args(["--cluster_name", "conversations"]);
            command.args(["--cluster", &format!("nats://127.0.0.1:{own}")]);
            command.args(["--routes", &others.join(",")]);
        }
        let process = Process::start(&mut command);
        process.wait_for_warning("Server is ready");
        self.process = Some(process);
    }

    /// Copies what it keeps, which is not running.
    pub(crate) fn copy_store(&self) -> TempDir {
        let copy = TempDir::new().expect("a temporary directory");
        copy_all(&self.store, copy.path());
        copy
    }

    /// Puts a copy in the place of what it keeps.
    pub(crate) fn restore_store(&self, copy: &TempDir) {
        fs::remove_dir_all(&self.store).expect("what the server kept");
        copy_all(copy.path(), &self.store);
    }

    /// Kills it.
    pub(crate) fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    /// Stops it without ending it, or lets it go on.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        if let Some(process) = &self.process {
            process.signal(name);
        }
    }
}

/// Servers that belong together.
#[derive(Debug)]
pub(crate) struct Nats {
    pub(crate) servers: Vec<Server>,
    store: TempDir,
}

impl Nats {
    /// Starts one server.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one server with more options.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let store = TempDir::new().expect("a temporary directory");
        let mut server = Server::new("one", store.path().join("one"), Vec::new());
        server.options = options.iter().map(|&option| option.to_owned()).collect();
        server.start();
        Self {
            servers: vec![server],
            store,
        }
    }

    /// Starts one server with a file of settings.
    pub(crate) fn start_with_config(config: &str) -> Self {
        let store = TempDir::new().expect("a temporary directory");
        let path = store.path().join("server.conf");
        std::fs::write(&path, config).expect("a file of settings");
        let mut server = Server::new("one", store.path().join("one"), Vec::new());
        server.options = vec!["-c".to_owned(), path.display().to_string()];
        server.start();
        Self {
            servers: vec![server],
            store,
        }
    }

    /// Starts the server again with other settings.
    pub(crate) fn restart_with_config(&mut self, config: &str) {
        let path = self.store.path().join("server.conf");
        std::fs::write(&path, config).expect("a file of settings");
        self.servers[0].kill9();
        self.servers[0].start();
    }

    /// Starts a cluster of three, which has on disk what it has acknowledged.
    pub(crate) fn cluster() -> Self {
        let store = TempDir::new().expect("a temporary directory");
        let config = store.path().join("server.conf");
        std::fs::write(&config, "jetstream { sync_interval: always }").expect("settings");
        let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let mut servers = Vec::new();
        for (index, name) in ["one", "two", "three"].into_iter().enumerate() {
            let mut routes = ports.clone();
            routes.rotate_left(index);
            let mut server = Server::new(name, store.path().join(name), routes);
            server.options = vec!["-c".to_owned(), config.display().to_string()];
            server.start();
            servers.push(server);
        }
        let nats = Self { servers, store };
        until("a leader of the cluster", || nats.ask(&["ready"]));
        nats
    }

    /// Where clients connect.
    pub(crate) fn urls(&self) -> String {
        let urls: Vec<String> = self.servers.iter().map(Server::url).collect();
        urls.join(",")
    }

    /// Asks with a client in Python; `None` where that did not work.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Option<Value> {
        let mut command = Command::new(python_with_nats());
        command.arg(workspace().join("tests/python/nats_tool.py"));
        let ended = run(command.arg(self.urls()).args(arguments));
        let is_fine = ended.status.success();
        is_fine.then(|| serde_json::from_str(&ended.stdout).expect("it prints JSON"))
    }

    /// Asks with a client in Python, which has to work.
    #[track_caller]
    pub(crate) fn call(&self, arguments: &[&str]) -> Value {
        until(&format!("nats_tool.py {arguments:?}"), || {
            self.ask(arguments)
        })
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("its type").is_dir() {
            true => copy_all(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("a file")),
        }
    }
}
