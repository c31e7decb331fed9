//! Numbers as people write them.

/// Writes a number with a comma between each three digits.
///
/// ```
/// assert_eq!(render::grouped(200_000), "200,000");
/// assert_eq!(render::grouped(999), "999");
/// ```
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes the number of a message, which is not always known.
pub(crate) fn of_message(number: Option<u64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

/// Writes how many there are of something.
///
/// ```
/// assert_eq!(render::counted(1, "message", "messages"), "1 message");
/// assert_eq!(render::counted(2_000, "message", "messages"), "2,000 messages");
/// ```
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// Writes a size in units of 1024 bytes and their powers, rounded to tenths.
///
/// ```
/// assert_eq!(render::size(159_949), "156.2 KB");
/// assert_eq!(render::size(5 << 30), "5.0 GB");
/// ```
#[must_use]
pub fn size(bytes: u64) -> String {
    let mut tenths = tenths_of(bytes, 1 << 10);
    let mut unit = "KB";
    for (larger, bytes_of_it) in [("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)] {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths_of(bytes, bytes_of_it), larger);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

fn tenths_of(bytes: u64, unit: u64) -> u128 {
    let (bytes, unit) = (u128::from(bytes), u128::from(unit));
    (bytes * 20 + unit) / (unit * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_tenths() {
        for (bytes, expected) in [
            (0, "0.0 KB"),
            (51, "0.0 KB"),
            (52, "0.1 KB"),
            (159_949, "156.2 KB"),
            (1_048_524, "1023.9 KB"),
            (1_048_525, "1.0 MB"),
            (5 << 30, "5.0 GB"),
            (u64::MAX, "16777216.0 TB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }
}
