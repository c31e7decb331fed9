//! `--metrics`: how it goes, for Prometheus.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::Context as _;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bridge_core::{Inbound, Outbound, Progress};
use tokio::net::TcpListener;

/// The version of Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Listens on an address; port 0 picks a free one. Returns the address.
pub(crate) async fn serve(
    address: SocketAddr,
    origin: &str,
    progress: &Arc<Progress>,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| {
        format!("cannot listen on {address}: choose another address with --metrics")
    })?;
    let listening = listener.local_addr()?;
    let (origin, progress) = (origin.to_owned(), Arc::clone(progress));
    let metrics =
        get(move || async move { ([(CONTENT_TYPE, EXPOSITION)], text(&origin, &progress)) });
    let router = Router::new()
        .route("/metrics", metrics)
        .route("/healthz", get(|| async { "ok\n" }));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            log::error!("metrics are served no more: {error}");
        }
    });
    Ok(listening)
}

/// A number that is told: its name, its type, what it means, and where it is.
type Row<T> = (&'static str, &'static str, &'static str, fn(&T) -> u64);

#[rustfmt::skip]
const OUTBOUND: [Row<Outbound>; 7] = [
    ("stored_message_num", "gauge", "Last number that the stream has.", |it| it.stored.load(Relaxed)),
    ("read_message_num", "gauge", "Last number read from the journal.", |it| it.read.load(Relaxed)),
    ("in_flight", "gauge", "Messages on their way.", |it| it.in_flight.load(Relaxed)),
    ("sent_again_total", "counter", "Messages sent again after a doubt.", |it| it.again.load(Relaxed)),
    ("doubts_total", "counter", "Times the stream was asked how far it is.", |it| it.doubts.load(Relaxed)),
    ("lag_seconds", "gauge", "Age of the oldest message that was read and is not in the stream.", lag),
    ("stalled", "gauge", "1 while nothing can be shipped.", |it| it.stalled.load(Relaxed).into()),
];

#[rustfmt::skip]
const INBOUND: [Row<Inbound>; 4] = [
    ("recorded_message_num", "gauge", "Last number of another machine recorded here.", |it| it.recorded),
    ("seen_message_num", "gauge", "Last number of another machine looked at.", |it| it.seen),
    ("received_messages_total", "counter", "Messages of another machine recorded by this run.", |it| it.messages),
    ("receiving_failed", "gauge", "1 while nothing can be received of a machine.", |it| it.last_error.is_some().into()),
];

fn lag(outbound: &Outbound) -> u64 {
    let since = outbound.waiting_since.load(Relaxed);
    if since == 0 {
        return 0;
    }
    // A clock that was set back makes it none.
    let waited = jiff::Timestamp::now().as_second().saturating_sub(since);
    u64::try_from(waited).unwrap_or(0)
}

fn text(origin: &str, progress: &Progress) -> String {
    let mut text = String::new();
    tell(&mut text, &OUTBOUND, [(origin, &progress.outbound)]);
    let inbound = progress.inbound();
    let inbound = inbound.iter().map(|(origin, one)| (&**origin, one));
    tell(&mut text, &INBOUND, inbound);
    text
}

fn tell<'a, T: 'a>(
    text: &mut String,
    rows: &[Row<T>],
    all: impl IntoIterator<Item = (&'a str, &'a T)> + Clone,
) {
    for (name, kind, help, value) in rows {
        let _always = write!(
            text,
            "# HELP bridge_{name} {help}\n# TYPE bridge_{name} {kind}\n"
        );
        for (origin, one) in all.clone() {
            let value = value(one);
            let _always = writeln!(text, "bridge_{name}{{origin=\"{origin}\"}} {value}");
        }
    }
}
