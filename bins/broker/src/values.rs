//! Values of options, and the options that more than one command has.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use journal::Retention;
use transport::Bind;

/// Where the journal is, for what looks after it.
#[derive(Debug, Clone, Args)]
pub(crate) struct JournalDir {
    /// The directory of the journal
    #[arg(
        long,
        value_name = "PATH",
        env = "BROKER_DIR",
        default_value = journal::DEFAULT_DIR
    )]
    pub(crate) dir: PathBuf,
}

/// Which closed sessions may be removed.
#[derive(Debug, Clone, Args)]
pub(crate) struct RetentionArgs {
    /// Remove sessions that were closed longer ago, such as 90d
    #[arg(
        long,
        value_name = "AGE",
        env = "BROKER_KEEP",
        default_value = "off",
        value_parser = parse_age
    )]
    pub(crate) keep: Age,

    /// Remove the oldest sessions while the journal takes more room on the disk
    #[arg(
        long,
        value_name = "SIZE",
        env = "BROKER_KEEP_SIZE",
        default_value = "off",
        value_parser = parse_limit
    )]
    pub(crate) keep_size: Limit,

    /// Remove the oldest sessions while less of the disk is free, such as 5%
    #[arg(
        long,
        value_name = "PERCENT",
        env = "BROKER_MIN_FREE",
        default_value = "off",
        value_parser = parse_percent
    )]
    pub(crate) min_free: Percent,
}

impl RetentionArgs {
    /// Returns what is to be kept.
    pub(crate) fn rules(&self) -> Retention {
        Retention {
            age: self.keep.0,
            size: self.keep_size.0,
            free_percent: self.min_free.0,
        }
    }
}

/// A length of time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) Option<Duration>);

/// A share in percent, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) Option<u8>);

/// When to rotate: hour and minute, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RotateAt(pub(crate) Option<(i8, i8)>);

/// A size in bytes, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Option<u64>);

/// Reads an address to listen on; a name is looked up.
pub(crate) fn parse_bind(text: &str) -> Result<Bind, String> {
    text.parse()
        .map_err(|error: transport::BindError| error.to_string())
}

/// Reads a Unix socket's endpoint, as ZeroMQ writes it.
pub(crate) fn parse_ipc(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("ipc://") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err("expected a Unix socket such as ipc:///run/recorder/pub".to_owned()),
    }
}

pub(crate) fn parse_time(text: &str) -> Result<RotateAt, String> {
    if text == "off" {
        return Ok(RotateAt(None));
    }
    let time = text.split_once(':').and_then(|(hour, minute)| {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let valid = digits(hour) && digits(minute);
        Some((hour.parse().ok()?, minute.parse().ok()?)).filter(|_| valid)
    });
    time.filter(|(hour, minute)| (0..24).contains(hour) && (0..60).contains(minute))
        .map(|time| RotateAt(Some(time)))
        .ok_or_else(|| "expected a time such as 04:30, or \"off\"".to_owned())
}

/// Reads a length of time as `90d`, `36h`, `10min` or `30s`.
pub(crate) fn parse_age(text: &str) -> Result<Age, String> {
    if text == "off" {
        return Ok(Age(None));
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds: u64 = match text.get(digits.len()..).unwrap_or_default() {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err("expected a time such as 90d, 36h or 10min, or \"off\"".to_owned()),
    };
    let number: u64 = digits
        .trim_end()
        .parse()
        .map_err(|_| "expected a whole number such as 90d".to_owned())?;
    match number.checked_mul(seconds) {
        Some(seconds) => Ok(Age(Some(Duration::from_secs(seconds)))),
        None => Err("is too long".to_owned()),
    }
}

pub(crate) fn parse_percent(text: &str) -> Result<Percent, String> {
    if text == "off" {
        return Ok(Percent(None));
    }
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    match number.parse() {
        Ok(percent @ 1..=99) => Ok(Percent(Some(percent))),
        _ => Err("expected a whole number from 1% to 99%, or \"off\"".to_owned()),
    }
}

pub(crate) fn parse_limit(text: &str) -> Result<Limit, String> {
    match text {
        "off" => Ok(Limit(None)),
        _ => parse_size(text).map(|size| Limit(Some(size))),
    }
}

pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("expected bytes, or a number with KiB, MiB or GiB".to_owned()),
    };
    let number: u64 = digits
        .trim_end()
        .parse()
        .map_err(|_| "expected a whole number such as 64MiB".to_owned())?;
    match number.checked_mul(unit) {
        Some(0) => Err("must be more than 0".to_owned()),
        Some(size) => Ok(size),
        None => Err("is too large".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("2 GiB"), Ok(2 << 30));
        assert_eq!(parse_limit("off"), Ok(Limit(None)));
        for wrong in ["", "MiB", "0", "-1", "1.5MiB", "64MB", "99999999999GiB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages_and_shares_are_read_as_people_write_them() {
        let seconds = |text| parse_age(text).map(|age| age.0.map(|age| age.as_secs()));
        assert_eq!(seconds("90d"), Ok(Some(90 * 86_400)));
        assert_eq!(seconds("36h"), Ok(Some(36 * 3600)));
        assert_eq!(seconds("2 w"), Ok(Some(14 * 86_400)));
        assert_eq!(seconds("0d"), Ok(Some(0)));
        assert_eq!(seconds("off"), Ok(None));
        for wrong in [
            "",
            "90",
            "d",
            "-1d",
            "1.5d",
            "90 days",
            "99999999999999999w",
        ] {
            assert!(parse_age(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_percent("5%"), Ok(Percent(Some(5))));
        assert_eq!(parse_percent("99"), Ok(Percent(Some(99))));
        for wrong in ["", "%", "0%", "100%", "5.5%", "-1"] {
            assert!(parse_percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_unix_socket_is_written_as_an_endpoint() {
        let path = parse_ipc("ipc:///run/recorder/pub");
        assert_eq!(path, Ok(PathBuf::from("/run/recorder/pub")));
        for wrong in ["", "ipc://", "/run/recorder/pub", "tcp://127.0.0.1:5555"] {
            assert!(parse_ipc(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_hours_and_minutes() {
        assert_eq!(parse_time("04:30"), Ok(RotateAt(Some((4, 30)))));
        assert_eq!(parse_time("off"), Ok(RotateAt(None)));
        for wrong in [
            "", "4", "24:00", "23:60", "4:30", "04:30:00", "-1:30", "+4:30",
        ] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
