//! How fast does the disk make things safe?

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Finding;

/// As many appends are measured.
const APPENDS: usize = 50;
/// The size of each, in bytes.
const APPEND: usize = 4096;
/// An fsync that takes longer than this is felt by everybody.
const SLOW: Duration = Duration::from_millis(50);
/// Faster than this no disk is that keeps what it says it has.
const SUSPICIOUS: Duration = Duration::from_micros(5);

/// How long an append and its fsync took, the shortest first.
pub(crate) struct Speed(Vec<Duration>);

impl Speed {
    /// Returns the time within which `percent` percent were done.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        query::percentile(&self.0, percent).unwrap_or_default()
    }
}

/// Removes the scratch file, however measuring ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is an empty name that says what it is.
        let _removed: io::Result<()> = std::fs::remove_file(&self.0);
    }
}

/// Appends to a scratch file in the directory as the broker would.
pub(crate) fn measure(dir: &Path) -> io::Result<Speed> {
    let path = dir.join(format!("doctor_{}.tmp", std::process::id()));
    let mut file: File = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(&path)?;
    let _scratch = Scratch(path);
    let mut times = Vec::with_capacity(APPENDS);
    for _ in 0..APPENDS {
        let start = Instant::now();
        file.write_all(&[b'x'; APPEND])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(Speed(times))
}

/// Says what the speed means.
pub(super) fn judge(speed: &Speed, dir: &Path) -> Finding {
    let ms = |percent| speed.percentile(percent).as_secs_f64() * 1000.0;
    let shown = format!(
        "{} can be written; an fsync takes {:.2} ms at the median, {:.2} ms at most",
        dir.display(),
        ms(50),
        ms(100)
    );
    match speed.percentile(50) {
        median if median >= SLOW => Finding::Surroundings(format!(
            "{shown}: that is slow, and each message waits for it; is this a network disk, or a \
             memory card?"
        )),
        median if median < SUSPICIOUS => Finding::Surroundings(format!(
            "{shown}: no disk is that fast; this may be a file system in memory, which a power cut \
             empties"
        )),
        _ => Finding::Fine(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measuring_leaves_nothing_behind() {
        let dir = std::env::temp_dir().join(format!("doctor-test-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let speed = measure(&dir).unwrap();
        assert!(speed.percentile(50) <= speed.percentile(100));
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
        std::fs::remove_dir(&dir).unwrap();
        assert!(measure(&dir).is_err());
    }

    #[test]
    fn a_slow_and_an_unbelievable_disk_are_told() {
        let judged = |time| judge(&Speed(vec![time; 3]), Path::new("x"));
        assert!(matches!(
            judged(Duration::from_millis(80)),
            Finding::Surroundings(_)
        ));
        assert!(matches!(
            judged(Duration::from_micros(1)),
            Finding::Surroundings(_)
        ));
        assert!(matches!(
            judged(Duration::from_micros(160)),
            Finding::Fine(_)
        ));
    }
}
