//! Sessions are closed by size; the time of day is an option.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use transport::{Config, TimeZone};

use crate::util::broker::{Broker, broker_on};
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::ids;
use crate::util::process::run;
use crate::util::record::Record;
use crate::util::wait::until;

#[test]
fn a_session_is_closed_at_the_size_limit_and_nobody_notices() {
    const LIMIT: usize = 64 << 10;
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-session-size", "64KiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["load"]);
    publisher.burst("warm", 1, 1, 1000);
    live.ids_until("warm-1");

    publisher.burst("load", 1, 1000, 1000);
    assert!(
        live.ids_until("load-1000") == ids("load", 1, 1000),
        "each once and in order"
    );
    // The last session may be about to be closed.
    let records = until("all records", || {
        let records = dir.all_records();
        (records.len() == 1001).then_some(records)
    });
    assert_numbered_from(1, &records);
    assert_eq!(
        records.iter().skip(1).map(Record::id).collect::<Vec<_>>(),
        ids("load", 1, 1000)
    );
    let sizes: Vec<u64> = dir
        .archives()
        .iter()
        .map(|name| fs::metadata(dir.archive().join(name)).unwrap().len())
        .collect();
    assert!(sizes.len() > 1, "sessions of {sizes:?} bytes");
    assert!(
        sizes.iter().all(|size| *size >= (LIMIT - 2000) as u64),
        "{sizes:?}: closed too soon"
    );
    assert!(dir.current_bytes().len() <= 2 * LIMIT, "closed too late");
}

/// 2025-11-21T04:29:59Z
const BEFORE: u64 = 1_763_699_399;

/// The pipeline in this process, so that the clock is the test's; the clients
/// are pyzmq's all the same.
#[test]
fn a_session_is_closed_at_the_time_of_day_and_nobody_notices() {
    let dir = Dir::new();
    let clock = Arc::new(AtomicU64::new(BEFORE));
    let now = Arc::clone(&clock);
    let config = Config {
        pub_port: 0,
        sub_port: 0,
        control_port: 0,
        rotate_at: Some((4, 30)),
        zone: TimeZone::UTC,
        clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))),
        ..Config::new(dir.logs())
    };
    let broker =
        transport::Broker::start(&config, |failure| panic!("the broker failed: {failure}"))
            .unwrap();
    let mut publisher = Publisher::connect(broker.pub_port());
    let mut live = Subscriber::connect(broker.sub_port(), &["load"]);
    publisher.burst("load", 1, 100, 200);
    assert_eq!(live.ids_until("load-100"), ids("load", 1, 100));
    assert!(dir.archives().is_empty());

    clock.fetch_add(1, Ordering::SeqCst);
    let archives = dir.wait_archives(1);
    assert_eq!(archives, ["session_20251121_043000.jsonl"]);
    clock.fetch_add(3600, Ordering::SeqCst);
    publisher.burst("load", 101, 100, 200);
    assert_eq!(live.ids_until("load-200"), ids("load", 101, 100));
    assert_eq!(dir.archives().len(), 1, "once a day");
    assert_numbered_from(1, &dir.all_records());

    let mut new = Subscriber::connect(broker.sub_port(), &["load"]);
    let session = new.ids_until("load-200");
    assert_eq!(
        session,
        ids("load", 101, 100),
        "history is the new session's"
    );
}

#[test]
fn rotation_can_be_off_or_at_a_time_of_day() {
    for time in ["off", "00:00", "23:59"] {
        let dir = Dir::new();
        Broker::start_with(&dir, &["--rotate-at", time]);
    }
}

#[test]
fn a_time_of_day_that_is_none_is_refused() {
    for time in ["24:00", "12:60", "noon", "12", "-1:00", "1200", ""] {
        let dir = Dir::new();
        let option = format!("--rotate-at={time}");
        let ended = run(broker_on(&dir, Default::default()).arg(option)).with_code(2);
        ended.warns("--rotate-at");
        assert!(!dir.logs().exists(), "nothing is touched");
    }
}
