//! A connection to NATS that comes back by itself.

use std::path::Path;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, jetstream};

use crate::error::Error;
use crate::repeats;
use crate::settings::Nats;

/// How long a server may take to answer a request.
const ANSWER: Duration = Duration::from_secs(10);
/// How long between attempts to come back, at most.
const PAUSE: Duration = Duration::from_secs(2);
/// How many acknowledgements may be waited for, those included that nobody wants any more.
const ACKS: usize = 20_000;

/// Connects to NATS, and waits until a server has answered.
///
/// # Errors
/// [`Error::File`] where credentials can't be read, [`Error::Nats`] where no server
/// answers, or none lets us in.
pub async fn connect(nats: &Nats) -> Result<jetstream::Context, Error> {
    let options = options(nats)?;
    let servers = nats.servers.iter();
    let addresses: Result<Vec<async_nats::ServerAddr>, _> =
        servers.map(|server| server.parse()).collect();
    let what = || format!("connecting to {}", nats.servers.join(", "));
    let addresses = addresses.map_err(|error| Error::nats(what(), &error))?;
    let client = options.connect(addresses).await;
    let client = client.map_err(|error| Error::nats(what(), &error))?;
    Ok(context(client))
}

fn context(client: Client) -> jetstream::Context {
    jetstream::ContextBuilder::new()
        .timeout(ANSWER)
        .ack_timeout(ANSWER)
        .max_ack_inflight(ACKS)
        .backpressure_on_inflight(true)
        .build(client)
}

fn options(nats: &Nats) -> Result<ConnectOptions, Error> {
    let mut options = ConnectOptions::new()
        .name("conversation bridge")
        .request_timeout(Some(ANSWER))
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(delay)
        .event_callback(|event| async move { tell(&event) });
    if let Some(path) = &nats.credentials {
        let text = read(path)?;
        options = options.credentials(&text).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
    }
    if let Some(path) = &nats.nkey {
        options = options.nkey(read(path)?.trim().to_owned());
    }
    if let Some((name, password)) = &nats.user {
        options = options.user_and_password(name.clone(), password.clone());
    }
    if let Some(token) = &nats.token {
        options = options.token(token.clone());
    }
    if let Some(path) = &nats.ca {
        // It is read only when a server is there, and then nobody says what is wrong.
        read(path)?;
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &nats.certificate {
        read(certificate)?;
        read(key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options.require_tls(nats.tls))
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// Waits a little longer each time, from the first attempt on: a server that is away
/// costs nothing.
fn delay(attempts: usize) -> Duration {
    let doubled = 50_u64.saturating_mul(1 << attempts.min(6));
    PAUSE.min(Duration::from_millis(doubled))
}

fn tell(event: &Event) {
    match event {
        Event::Connected => log::info!("NATS: connected"),
        // A permission that lacks is told like this alone.
        Event::ServerError(error) => log::error!("NATS: {error}"),
        event => repeats::warn(format!("NATS: {event}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_to_come_back_get_rarer_and_never_stop() {
        assert_eq!(delay(0), Duration::from_millis(50));
        assert!(delay(1) > delay(0));
        assert_eq!(delay(1_000_000), PAUSE);
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let nats = Nats {
            servers: vec!["nats://127.0.0.1:1".to_owned()],
            credentials: Some("/nowhere/x.creds".into()),
            ..Nats::default()
        };
        let error = connect(&nats).await.unwrap_err();
        assert!(error.to_string().contains("x.creds"), "{error}");
    }
}
