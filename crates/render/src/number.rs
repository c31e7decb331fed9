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
