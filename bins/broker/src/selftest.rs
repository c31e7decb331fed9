//! `broker selftest`: kills a broker again and again on the user's own disk, and
//! checks that every acknowledged message is there, once.

mod child;
mod load;
mod verdict;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use self::child::Child;
use crate::doctor::measure;
use crate::exit::Exit;
use crate::line::line;

#[derive(Debug, Args)]
pub(crate) struct Selftest {
    /// How long to go on
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,

    /// Where to make the scratch directory: on the disk that is to be tested
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// A broker lives for a time between these two, in milliseconds.
const LIFE: std::ops::Range<u64> = 20..1500;

/// Runs the test in a scratch directory, which is removed where all is well.
pub(crate) fn run(options: &Selftest, out: &mut impl Write) -> anyhow::Result<Exit> {
    let scratch = options
        .dir
        .join(format!("broker_selftest_{}", std::process::id()));
    std::fs::create_dir(&scratch)
        .with_context(|| format!("cannot make a scratch directory {}", scratch.display()))?;
    let shown = std::path::absolute(&scratch).unwrap_or_else(|_| scratch.clone());
    line(out, &format!("[*] Testing in {}", shown.display()))?;
    let passed = test(options, &scratch, out)?;
    if passed {
        std::fs::remove_dir_all(&scratch)
            .with_context(|| format!("cannot remove {}", scratch.display()))?;
        line(
            out,
            "[*] PASSED: every acknowledged message is on disk, once",
        )?;
        return Ok(Exit::Done);
    }
    line(
        out,
        &format!("[!] FAILED; what is left is in {}", shown.display()),
    )?;
    Ok(Exit::Failed)
}

fn test(options: &Selftest, scratch: &Path, out: &mut impl Write) -> anyhow::Result<bool> {
    let speed = measure(scratch).context("cannot write to the scratch directory")?;
    let logs = scratch.join("conversation_logs");
    let port = child::free_port()?;
    let mut broker = Child::start(&logs, port)?;
    let stop = Arc::new(AtomicBool::new(false));
    let load = load::start(port, Arc::clone(&stop))?;
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let mut kills = 0_u64;
    while Instant::now() < end && !load.is_finished() {
        let left = end.saturating_duration_since(Instant::now());
        std::thread::sleep(random_life().min(left));
        broker.kill()?;
        kills += 1;
        broker = Child::start(&logs, port)?;
    }
    stop.store(true, Ordering::SeqCst);
    let sent = load
        .join()
        .map_err(|_| anyhow::anyhow!("the load's thread panicked"))??;
    broker.kill()?;
    let ms = |percent| speed.percentile(percent).as_secs_f64() * 1000.0;
    line(
        out,
        &format!(
            "[*] fsync: {:.2} ms at the median, {:.2} ms at 90%, {:.2} ms at most",
            ms(50),
            ms(90),
            ms(100)
        ),
    )?;
    line(
        out,
        &format!(
            "[*] {kills} kills with -9, {} messages acknowledged",
            sent.len()
        ),
    )?;
    verdict::check(&logs, &sent, out)
}

/// A life that is as likely short as long.
fn random_life() -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0);
    let doublings = random % 7;
    let most = (LIFE.start << doublings).min(LIFE.end);
    Duration::from_millis(LIFE.start + (random >> 8) % most)
}
