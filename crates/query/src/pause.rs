//! How long to wait before a file is looked at again.

use std::time::Duration;

/// So long is waited at first where nothing new has come, and twice as long each
/// time, up to the longest, which is longer once nothing has come for a while.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(50);
const LONGEST_IDLE: Duration = Duration::from_millis(200);
const IDLE: Duration = Duration::from_secs(1);

/// Returns how long to wait next, where nothing has come for `waited`.
pub(crate) fn next_pause(waited: Duration) -> Duration {
    let longest = if waited < IDLE { LONGEST } else { LONGEST_IDLE };
    // As long as all pauses before: that is twice the last one.
    longest.min(waited + SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_become_longer_the_longer_nothing_comes() {
        let mut waited = Duration::ZERO;
        let mut pauses = Vec::new();
        while waited < Duration::from_secs(2) {
            let pause = next_pause(waited);
            pauses.push((waited, pause));
            waited += pause;
        }
        let first: Vec<_> = pauses
            .iter()
            .take(6)
            .map(|(_, pause)| pause.as_millis())
            .collect();
        assert_eq!(first, [2, 4, 8, 16, 32, 50]);
        for (waited, pause) in pauses {
            assert!(pause <= LONGEST || waited >= IDLE);
            assert!(pause == LONGEST_IDLE || waited < IDLE);
        }
    }
}
