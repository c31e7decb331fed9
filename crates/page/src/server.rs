//! The server: where it listens, and until when.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use query::Zone;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::api::{self, COUNTS, QUESTIONS};
use crate::app::App;
use crate::assets;
use crate::drawn::Palette;
use crate::error::Error;
use crate::files::{self, Place};
use crate::follow;
use crate::guard::guard;
use crate::health::Health;
use crate::looking;
use crate::tail::Tail;

/// The port where none is given.
const PORT: u16 = 8787;
/// Each who watches takes a file descriptor; the soft limit of many systems is 1,024.
const FILES: u64 = 65_536;
/// How often it looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is served, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The journal's directory.
    pub dir: PathBuf,
    /// Files of any program that are served instead, as they are now.
    pub files: Vec<PathBuf>,
    /// The address to listen at; loopback unless somebody wants otherwise.
    pub bind: IpAddr,
    /// The port; 0 is any that is free.
    pub port: u16,
    /// Whether the address has a token in it, without which nobody is answered.
    pub has_token: bool,
    /// Where the broker that records there answers requests, as `tcp://HOST:PORT` or
    /// `ipc://PATH`: it is asked how it goes.
    pub control: Option<String>,
    /// The time zone in which messages show their times.
    pub zone: Zone,
}

impl Options {
    /// The usual options for a journal.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            files: Vec::new(),
            bind: Ipv4Addr::LOCALHOST.into(),
            port: PORT,
            has_token: true,
            control: None,
            zone: Zone::local(),
        }
    }
}

/// A server that listens, and answers once it runs.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: String,
    path: String,
    app: Arc<App>,
    runtime: Runtime,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`Error::Listen`] where the address is taken, [`Error::Query`] where files can't
    /// be read, and [`Error::Token`] or [`Error::Serve`] where the system has no more.
    pub fn open(options: Options) -> Result<Self, Error> {
        // Where the limit stays as it is, fewer can watch.
        let _raised = rlimit::increase_nofile_limit(FILES);
        let place = match &options.files[..] {
            [] => Place::Journal(options.dir.clone()),
            files => Place::Copy(files::copy(files)?),
        };
        let address = SocketAddr::new(options.bind, options.port);
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let path = match options.has_token {
            true => format!("/{}/", token()?),
            false => "/".to_owned(),
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(QUESTIONS + COUNTS + 2)
            .thread_name("page")
            .enable_all()
            .build()?;
        Ok(Self {
            listener,
            address: format!("http://{address}{path}"),
            path,
            app: Arc::new(App {
                place,
                zone: options.zone,
                palette: Palette::default(),
                tail: Arc::new(Tail::new()),
                health: Health::new(options.control),
                questions: Arc::new(Semaphore::new(QUESTIONS)),
                counts: Arc::new(Semaphore::new(COUNTS)),
                watchers: Arc::new(Semaphore::new(api::WATCHERS)),
            }),
            runtime,
        })
    }

    /// Returns the address, with the token in it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Answers until it is told to stop.
    ///
    /// # Errors
    /// [`Error::Serve`] where the system has no more threads or sockets.
    pub fn run(self, stop: &AtomicBool) -> Result<(), Error> {
        let over = Arc::new(AtomicBool::new(false));
        let (tail, dir) = (Arc::clone(&self.app.tail), self.app.place.dir());
        let follower = follow::start(dir, tail, Arc::clone(&over))?;
        let app = Arc::clone(&self.app);
        let watcher = looking::start(Arc::clone(&app), Arc::clone(&over))?;
        let routes = api::routes(Arc::clone(&self.app));
        let routes = match &*self.path {
            "/" => routes,
            // Nested, the page itself would be there without the slash at its end alone,
            // and its files have names that begin behind that.
            path => Router::new()
                .route(path, get(|| async { assets::file("") }))
                .nest(path.trim_end_matches('/'), routes),
        };
        let routes = routes.layer(from_fn(guard));
        let served = self.runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            tokio::select! {
                served = axum::serve(listener, routes) => served,
                () = told_to_stop(stop) => Ok(()),
            }
        });
        over.store(true, Ordering::Relaxed);
        // Whoever watches still is not waited for.
        self.runtime.shutdown_background();
        // It has nothing to tell: what it could not read, it asked for again.
        let _ended = follower.join();
        app.health.wake();
        // It may wait for a broker. Only a copy has to be put away behind it.
        if let Place::Copy(_) = app.place {
            let _ended = watcher.join();
        }
        Ok(served?)
    }
}

async fn told_to_stop(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(PATIENCE).await;
    }
}

/// 128 random bits.
fn token() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Token {
        reason: error.to_string(),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
