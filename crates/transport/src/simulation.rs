//! The whole broker in one thread, with clients, a disk and a clock that all do
//! as one seed says. After every run the promises are checked against a model.
//!
//! `just simulate` runs it for as long as one likes; a seed that fails is run
//! again by `SIMULATE_SEED=... cargo test -p transport --lib simulation`, which
//! tells what happened step by step.

mod clients;
mod disk;
mod model;
mod parts;
mod pipe;
mod wire;
mod world;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use self::world::World;
use crate::config::{OnStop, Replay};

/// How many seeds are run with the other tests.
const SEEDS: u64 = 1500;

/// What a run consists of.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    publishers: usize,
    subscribers: usize,
    requesters: usize,
    /// The broker's `--max-memory` in bytes.
    memory: u64,
    /// How many times less often the recorder gets a turn.
    slowness: usize,
    /// How many messages a new subscription gets.
    history: u64,
    /// How often the broker is started.
    lives: usize,
    /// How many steps each life has at most.
    steps: usize,
    crashes: bool,
    faults: bool,
    rotation: bool,
    /// Of which sessions new subscriptions get messages.
    replay: Replay,
    /// What becomes of a session at an orderly stop.
    on_stop: OnStop,
    /// Whether what happens is printed.
    tell: bool,
}

/// What has happened in runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    steps: u64,
    messages: u64,
    deliveries: u64,
    acknowledged: u64,
    consumed: u64,
    crashes: u64,
    stops: u64,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(!seed);
        Self {
            seed,
            publishers: rng.usize(1..4),
            subscribers: rng.usize(0..4),
            requesters: rng.usize(0..3),
            memory: [256 << 10, 1 << 20][rng.usize(..2)],
            slowness: [1, 1, 10][rng.usize(..3)],
            history: [0, 3, 10_000][rng.usize(..3)],
            lives: rng.usize(1..5),
            steps: [100, 400, 1500][rng.usize(..3)],
            crashes: rng.bool(),
            faults: rng.bool(),
            rotation: rng.bool(),
            replay: [Replay::Session, Replay::All][rng.usize(..2)],
            on_stop: [OnStop::Archive, OnStop::Keep][rng.usize(..2)],
            tell: false,
        }
    }

    /// Returns what went wrong.
    fn run(&self) -> Result<Counts, String> {
        let plan = self.clone();
        catch_unwind(move || World::run(&plan)).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            text.unwrap_or_else(|| "a panic without a text".to_owned())
        })
    }

    /// Returns the smallest plan that fails as well.
    fn shrink(&self) -> Self {
        let mut smallest = self.clone();
        let simpler: [fn(&mut Self); 10] = [
            |plan| plan.requesters = 0,
            |plan| plan.subscribers = 0,
            |plan| plan.faults = false,
            |plan| plan.rotation = false,
            |plan| plan.replay = Replay::Session,
            |plan| plan.on_stop = OnStop::Archive,
            |plan| plan.crashes = false,
            |plan| plan.lives = plan.lives.saturating_sub(1).max(1),
            |plan| plan.publishers = 1,
            |plan| plan.steps = (plan.steps / 2).max(1),
        ];
        for _ in 0..8 {
            for change in simpler {
                let mut plan = smallest.clone();
                change(&mut plan);
                if plan.run().is_err() {
                    smallest = plan;
                }
            }
        }
        smallest
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.acknowledged += other.acknowledged;
        self.consumed += other.consumed;
        self.crashes += other.crashes;
        self.stops += other.stops;
    }
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn fail(plan: &Plan, error: &str) -> ! {
    let mut smallest = plan.shrink();
    smallest.tell = true;
    let again = smallest.run();
    panic!(
        "seed {} breaks a promise: {error}\n{smallest:?} ends so: {again:?}",
        plan.seed
    );
}

#[test]
fn promises_hold_in_whatever_order_things_happen() {
    if let Some(seed) = number("SIMULATE_SEED") {
        let mut plan = Plan::new(seed);
        plan.tell = true;
        println!("{plan:?}");
        println!("{:?}", plan.run().unwrap());
        return;
    }
    let first = number("SIMULATE_FROM").unwrap_or(0);
    let limit = number("SIMULATE_SECONDS").map(Duration::from_secs);
    let (began, mut sum) = (Instant::now(), Counts::default());
    let mut told = began;
    for seed in first.. {
        let plan = Plan::new(seed);
        match plan.run() {
            Ok(counts) => sum.add(&counts),
            Err(error) => fail(&plan, &error),
        }
        let runs = seed - first + 1;
        if limit.is_some() && told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            println!("{runs} runs: {sum:?}");
        }
        if limit.map_or(runs >= SEEDS, |limit| began.elapsed() >= limit) {
            println!("{runs} runs: {sum:?}");
            break;
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        let plan = Plan::new(seed);
        assert_eq!(plan.run().unwrap(), plan.run().unwrap(), "seed {seed}");
    }
}
