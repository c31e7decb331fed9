//! `--metrics`: how it goes, for Prometheus.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bridge_core::Progress;
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

fn text(origin: &str, progress: &Progress) -> String {
    let out = &progress.outbound;
    let read = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
    let mut text = String::new();
    let mut own = |name: &str, kind: &str, help: &str, value: u64| {
        let _always = write!(
            text,
            "# HELP bridge_{name} {help}\n# TYPE bridge_{name} {kind}\n\
             bridge_{name}{{origin=\"{origin}\"}} {value}\n"
        );
    };
    own(
        "stored_message_num",
        "gauge",
        "Last number that the stream has.",
        read(&out.stored),
    );
    own(
        "read_message_num",
        "gauge",
        "Last number read from the journal.",
        read(&out.read),
    );
    own(
        "in_flight",
        "gauge",
        "Messages on their way.",
        read(&out.in_flight),
    );
    own(
        "sent_again_total",
        "counter",
        "Messages sent again after a doubt.",
        read(&out.again),
    );
    own(
        "doubts_total",
        "counter",
        "Times the stream was asked how far it is.",
        read(&out.doubts),
    );
    let stalled = u64::from(out.stalled.load(Ordering::Relaxed));
    own(
        "stalled",
        "gauge",
        "1 while nothing can be shipped.",
        stalled,
    );
    let inbound = progress.inbound();
    for (name, kind, help) in [
        (
            "recorded_message_num",
            "gauge",
            "Last number of another machine recorded here.",
        ),
        (
            "seen_message_num",
            "gauge",
            "Last number of another machine looked at.",
        ),
        (
            "received_messages_total",
            "counter",
            "Messages of another machine recorded by this run.",
        ),
        (
            "receiving_failed",
            "gauge",
            "1 while nothing can be received of a machine.",
        ),
    ] {
        let _always = write!(
            text,
            "# HELP bridge_{name} {help}\n# TYPE bridge_{name} {kind}\n"
        );
        for (origin, one) in &inbound {
            let value = match name {
                "recorded_message_num" => one.recorded,
                "seen_message_num" => one.seen,
                "received_messages_total" => one.messages,
                _ => u64::from(one.last_error.is_some()),
            };
            let _always = writeln!(text, "bridge_{name}{{origin=\"{origin}\"}} {value}");
        }
    }
    text
}
