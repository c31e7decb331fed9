//! How fast is a journal shipped, beside a program that only publishes?
//!
//! `ship_rate NATS_URL CONTROL_ENDPOINT [REPLICAS]`: ships the journal of a running broker
//! into a stream of its own, and publishes as many messages of the same sizes from memory,
//! as `nats bench js pub async` does; prints both and their ratio.
#![allow(clippy::print_stdout, reason = "an example")]

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::{Config, StorageType};
use bridge_core::{Broker, Context, Nats, Outgoing, Progress, connect, ship};

/// On their way at a time, in both cases.
const IN_FLIGHT: usize = 1_000;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().collect();
    let [_, url, endpoint, rest @ ..] = &args[..] else {
        return Err("ship_rate NATS_URL CONTROL_ENDPOINT [REPLICAS]".into());
    };
    let replicas = rest.first().map_or(Ok(1), |text| text.parse())?;
    let nats = Nats {
        servers: vec![url.clone()],
        ..Nats::default()
    };
    let context = connect(&nats).await?;
    let broker = Broker {
        endpoint: endpoint.clone(),
        keys: None,
        timeout: Duration::from_secs(10),
    };
    let mut client = client::Client::connect(endpoint, Duration::from_secs(10))?;
    let status = client.status()?;
    let last = status.last_message_num;
    let size = usize::try_from(status.session.bytes / status.session.messages.max(1))?;
    println!("{last} records of {size} bytes, {replicas} replicas, {IN_FLIGHT} in flight");
    for round in 1..=3 {
        let alone = publish(&context, last, size, replicas).await?;
        let shipped = bridge(&context, &broker, round, last, replicas).await?;
        println!(
            "published alone {alone:.0}/s, shipped {shipped:.0}/s, ratio {:.2}",
            shipped / alone
        );
    }
    Ok(())
}

fn rate(count: u64, began: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let count = count as f64;
    count / began.elapsed().as_secs_f64()
}

async fn publish(
    context: &Context,
    count: u64,
    size: usize,
    replicas: usize,
) -> Result<f64, Failure> {
    let _there = context.delete_stream("RATE").await;
    let config = Config {
        name: "RATE".to_owned(),
        subjects: vec!["rate.>".to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        ..Config::default()
    };
    context.create_stream(config).await?;
    let payload = bytes::Bytes::from(vec![b'x'; size]);
    let began = Instant::now();
    let mut answers = VecDeque::new();
    for _ in 0..count {
        if answers.len() == IN_FLIGHT
            && let Some(answer) = answers.pop_front()
        {
            IntoFuture::into_future(answer).await?;
        }
        answers.push_back(context.publish("rate.x", payload.clone()).await?);
    }
    for answer in answers {
        answer.await?;
    }
    Ok(rate(count, began))
}

async fn bridge(
    context: &Context,
    broker: &Broker,
    round: u32,
    last: u64,
    replicas: usize,
) -> Result<f64, Failure> {
    let outgoing = Outgoing {
        origin: format!("rate-{round}-{}", std::process::id()),
        from_now: false,
        replicas: Some(replicas),
    };
    let progress = Arc::new(Progress::default());
    let began = Instant::now();
    let shipping = ship(context, broker, &outgoing, &progress);
    let waiting = async {
        while progress.outbound.stored.load(Ordering::Relaxed) < last {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rate(last, began)
    };
    tokio::select! {
        ended = shipping => Err(ended.err().map_or("it ended".into(), Into::into)),
        rate = waiting => Ok(rate),
    }
}
