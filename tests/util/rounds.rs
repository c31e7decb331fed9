//! How often a test does something: as often as its recipe says, else a few times.

/// Reads the number that an environment variable says.
pub(crate) fn from_environment(variable: &str, usual: usize) -> usize {
    let said = std::env::var(variable).ok();
    said.map_or(usual, |number| {
        let number = number.parse();
        number.unwrap_or_else(|_| panic!("{variable} is a number"))
    })
}
