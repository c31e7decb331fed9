//! The names of a journal's files and their order.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

/// The session being written.
pub(crate) const CURRENT: &str = "current_session.jsonl";
/// Where a journal lies, from the working directory on, unless another place is named.
pub const DEFAULT_DIR: &str = "conversation_logs";
const ARCHIVE_DIR: &str = "archive";
const LOCK: &str = "journal.lock";
const OWNER: &str = "journal.owner";
const CHECKPOINT: &str = "journal.checkpoint";
const HEAD: &str = "journal.head";
const NEW_HEAD: &str = "journal.head.new";
const REMOVED: &str = "journal.removed";
const UPKEEP_LOCK: &str = "journal.upkeep.lock";
const PREFIX: &str = "session_";
const SUFFIX: &str = ".jsonl";
const DERIVED: &str = ".jsonl.index";
const COMPRESSED: &str = ".jsonl.zst";
/// What a compressed session's name has behind that of the plain one.
const COMPRESSION: &str = ".zst";
/// A session that is being compressed; the plain one is still there.
const UNFINISHED: &str = ".jsonl.zst.new";

/// The places of a journal's files below its directory.
#[derive(Debug, Clone)]
pub struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// Tells where the files of a journal are.
    #[must_use]
    pub fn new(dir: impl AsRef<Path>) -> Self {
        Self {
            dir: dir.as_ref().to_owned(),
        }
    }

    /// The journal's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The session being written.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.dir.join(CURRENT)
    }

    /// The directory of the closed sessions.
    #[must_use]
    pub fn archive_dir(&self) -> PathBuf {
        self.dir.join(ARCHIVE_DIR)
    }

    /// The file that a writer has locked.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.dir.join(LOCK)
    }

    /// Holds the process id of the last writer. It stands beside the lock and not in
    /// it: on Windows a locked file can't be read by others.
    #[must_use]
    pub fn owner(&self) -> PathBuf {
        self.dir.join(OWNER)
    }

    /// What is known of the session's beginning, so that a start need not read it.
    #[must_use]
    pub fn checkpoint(&self) -> PathBuf {
        self.dir.join(CHECKPOINT)
    }

    /// How far the numbers have come, and the journal's identity.
    #[must_use]
    pub fn head(&self) -> PathBuf {
        self.dir.join(HEAD)
    }

    /// What is to take the head's place.
    pub(crate) fn new_head(&self) -> PathBuf {
        self.dir.join(NEW_HEAD)
    }

    /// Which closed sessions were removed on purpose.
    #[must_use]
    pub fn removed(&self) -> PathBuf {
        self.dir.join(REMOVED)
    }

    /// Locked by whoever looks after the closed sessions.
    pub(crate) fn upkeep_lock(&self) -> PathBuf {
        self.dir.join(UPKEEP_LOCK)
    }

    /// A closed session, by its file's name.
    #[must_use]
    pub fn archive(&self, name: &str) -> PathBuf {
        self.archive_dir().join(name)
    }

    /// Tells whether a file of the journal's directory has a name that the journal
    /// gives: nothing else may be written under it.
    #[must_use]
    pub fn is_own_name(name: &str) -> bool {
        let own = [
            CURRENT,
            LOCK,
            OWNER,
            CHECKPOINT,
            HEAD,
            NEW_HEAD,
            REMOVED,
            UPKEEP_LOCK,
        ];
        own.contains(&name)
    }
}

/// Returns the path of the session being written in a journal's directory.
#[must_use]
pub fn current_session(dir: impl AsRef<Path>) -> PathBuf {
    dir.as_ref().join(CURRENT)
}

/// Tells whether a file in the archive directory is a closed session.
pub(crate) fn is_archive_name(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Tells whether a file in the archive directory is a closed session that a journal
/// has compressed, as far as its name tells.
pub(crate) fn is_compressed_name(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(COMPRESSED)
}

/// Returns the name that a session has when it is compressed.
pub(crate) fn compressed_name(name: &str) -> String {
    format!("{name}{COMPRESSION}")
}

/// Returns the name that a session has, or had, without compression.
pub(crate) fn plain_name(name: &str) -> &str {
    match name.ends_with(COMPRESSED) {
        true => name.strip_suffix(COMPRESSION).unwrap_or(name),
        false => name,
    }
}

/// Tells whether a file in the archive directory was derived from a session
/// and holds nothing of its own: its index, or one that is being made.
pub(crate) fn is_derived_name(name: &str) -> bool {
    name.starts_with(PREFIX) && (name.contains(DERIVED) || name.ends_with(UNFINISHED))
}

/// Names a closed session: `session_STAMP[_LABEL].jsonl`, and from the second
/// one of the same name on `session_STAMP[_LABEL]_2.jsonl` and so on.
pub(crate) fn archive_name(stamp: &str, label: Option<&str>, attempt: u32) -> String {
    let mut name = format!("{PREFIX}{}", safe(stamp));
    if let Some(label) = label.map(safe).filter(|label| !label.is_empty()) {
        name.push('_');
        name.push_str(&label);
    }
    if attempt > 1 {
        name.push_str(&format!("_{attempt}"));
    }
    name + SUFFIX
}

/// Keeps what is harmless in a file name on every system.
fn safe(text: &str) -> String {
    const LONGEST: usize = 64;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .take(LONGEST)
        .collect()
}

/// Returns the time in UTC as `YYYYMMDD_HHMMSS`.
pub(crate) fn utc_stamp() -> String {
    utc(SystemTime::now(), "%Y%m%d_%H%M%S").unwrap_or_else(|| "undated".to_owned())
}

/// Writes a time in UTC; `None` where a clock is set beyond the year 9999.
pub(crate) fn utc(time: SystemTime, form: &str) -> Option<String> {
    let time = Timestamp::try_from(time).ok()?;
    Some(time.strftime(form).to_string())
}

/// The session being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// Counts the sessions since the journal was opened, from 0.
    pub ordinal: u64,
    /// Its committed length in bytes.
    pub bytes: u64,
    /// How many records it holds.
    pub records: u64,
    /// The number of its first record, or of the next one to come.
    pub first: u64,
}

impl Session {
    /// Returns the session that comes after this one, still empty.
    pub(crate) fn following(self, first: u64) -> Self {
        Self {
            ordinal: self.ordinal + 1,
            first,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_are_written_in_utc_as_far_as_years_have_four_digits() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let stamp = utc(at(1_763_649_022), "%Y%m%d_%H%M%S");
        assert_eq!(stamp.as_deref(), Some("20251120_143022"));
        assert_eq!(utc(at(253_402_300_800), "%Y"), None);
    }

    #[test]
    fn labels_cannot_leave_the_archive_directory() {
        let name = archive_name("20251120_143022", Some("../../etc/passwd"), 1);
        assert_eq!(name, "session_20251120_143022_------etc-passwd.jsonl");
    }

    #[test]
    fn a_second_archive_in_the_same_second_gets_its_own_name() {
        assert_eq!(
            archive_name("20251120_143022", None, 2),
            "session_20251120_143022_2.jsonl"
        );
    }
}
