//! Subscribers: served by threads of their own, or by whoever has recorded something.

use std::sync::atomic::AtomicUsize;

use shuttle::thread::{self, JoinHandle};

use crate::delivery::{Client, Connection, Delivery, Registry, Served};
use crate::net::PeerAddress;
use crate::shutdown::Phase;
use crate::sync::Arc;
use crate::tail::Tail;
use crate::worker::run;

const RECORDS: u64 = 4;

struct Bench {
    delivery: Arc<Delivery>,
}

impl Bench {
    fn new() -> Self {
        let delivery = Delivery {
            tail: Arc::new(Tail::default()),
            phase: Arc::new(Phase::default()),
            history: 0,
            connected: AtomicUsize::new(0),
            registry: Registry,
        };
        Self {
            delivery: Arc::new(delivery),
        }
    }

    /// Serves a client with a thread of its own.
    fn serve(&self, client: &Arc<Client>) -> JoinHandle<()> {
        let connection = Connection(Arc::clone(client));
        let mut served = Served::new(&self.delivery, connection, PeerAddress).unwrap();
        thread::spawn(move || run(&mut served))
    }

    /// Stops as the broker does when all is recorded.
    fn stop(&self) {
        self.delivery.phase.stop_intake();
        self.delivery.phase.finish_delivery();
        self.delivery.tail.listeners.wake_all();
    }

    /// Is the recorder: small groups are served, of the others it is only told, where there
    /// are any.
    fn record(&self, all_small: bool) -> JoinHandle<()> {
        let delivery = Arc::clone(&self.delivery);
        thread::spawn(move || {
            let tail = &delivery.tail;
            for number in 1..=RECORDS {
                tail.publish();
                match all_small || number % 2 == 0 {
                    true => tail.listeners.serve_all(tail),
                    false => tail.listeners.wake_all(),
                }
            }
        })
    }
}

/// All get all, once and in order, while records come and another subscriber does: nobody
/// has to stop or wake them for that.
pub fn what_is_recorded_reaches_all() {
    let (bench, early, late) = (Bench::new(), Arc::default(), Arc::default());
    let first = bench.serve(&early);
    let recorder = bench.record(false);
    let second = bench.serve(&late);
    for client in [&early, &late] {
        client.wait_for(RECORDS);
    }
    recorder.join().unwrap();
    bench.stop();
    for (thread, client) in [(first, early), (second, late)] {
        thread.join().unwrap();
        assert!(client.numbers().into_iter().eq(1..=RECORDS));
    }
}

/// A stop right behind the last record, or in the middle of going to sleep, reaches the
/// threads, and they leave when all was sent.
pub fn a_stop_reaches_those_who_sleep() {
    let (bench, client) = (Bench::new(), Arc::default());
    let thread = bench.serve(&client);
    bench.record(false).join().unwrap();
    bench.stop();
    thread.join().unwrap();
    assert!(client.numbers().into_iter().eq(1..=RECORDS));
}

/// Where sending fails on the recorder's thread, the subscriber's own thread learns it and
/// ends; another subscriber goes on.
pub fn what_fails_elsewhere_ends_its_own_thread() {
    let (bench, stays) = (Bench::new(), Arc::default());
    let leaves = Arc::new(Client::that_leaves_after(1));
    let (gone, there) = (bench.serve(&leaves), bench.serve(&stays));
    // Nothing else wakes them.
    let recorder = bench.record(true);
    gone.join().unwrap();
    stays.wait_for(RECORDS);
    recorder.join().unwrap();
    bench.stop();
    there.join().unwrap();
    assert_eq!(leaves.numbers(), [1]);
}
