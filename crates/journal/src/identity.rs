//! What tells one journal from all others?

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Makes a random UUID (RFC 9562, version 4).
///
/// The standard library gives no random numbers, but it keys each hash table by
/// some, which the system has made: hashing with such keys gives them away.
/// Nothing here has to be secret.
pub(crate) fn new_uuid() -> String {
    let half = || u128::from(RandomState::new().hash_one(std::process::id()));
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0b11 << 62;
    let random = half() << 64 | half();
    let uuid = random & !VERSION & !VARIANT | 4 << 76 | 0b10 << 62;
    let digits = format!("{uuid:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_random_uuid() {
        let (one, other) = (new_uuid(), new_uuid());
        assert_ne!(one, other);
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{one}");
        assert_eq!(&one[14..15], "4", "{one}");
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"), "{one}");
    }
}
