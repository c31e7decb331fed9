//! Runs a scenario under many schedules.

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sync::allow_early_ends;

/// How often each scenario runs with the tests, in each of four ways.
const RUNS: usize = 1000;
/// No scenario needs a tenth of these: whoever comes so far goes round and round.
const STEPS: usize = 20_000;
/// How many times the scheduler of priorities lets another thread go first.
const CHANGES: usize = 3;
/// How many waits end by themselves in half of the runs.
const EARLY: usize = 3;

/// Lets a scheduler decide, many times, who of the scenario's threads goes on next: by
/// chance, and by priorities that change a few times. Where nobody can go on, somebody
/// never stops or a promise is broken, it panics, and prints a schedule that
/// `shuttle::replay` repeats. Returns how often the scenario ran.
///
/// The variable `SCHEDULES` says how often that is, for each of the four ways.
pub fn check(scenario: fn()) -> usize {
    let asked = std::env::var("SCHEDULES").ok();
    let runs = asked.and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let count = Count::default();
    for early in [0, EARLY] {
        let begun = Arc::clone(&count.0);
        let run = move || {
            begun.fetch_add(1, Ordering::Relaxed);
            allow_early_ends(early);
            scenario();
        };
        run_with(RandomScheduler::new(runs), run.clone());
        run_with(PctScheduler::new(CHANGES, runs), run);
    }
    count.0.load(Ordering::Relaxed)
}

/// How many schedules were begun; says so where one fails.
#[derive(Default)]
struct Count(Arc<AtomicUsize>);

impl Drop for Count {
    #[expect(
        clippy::print_stderr,
        reason = "it belongs to what a test says when it fails"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("found by schedule {}", self.0.load(Ordering::Relaxed));
        }
    }
}

fn run_with(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.stack_size = 1 << 17;
    Runner::new(scheduler, config).run(scenario);
}
