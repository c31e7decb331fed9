//! Finds quotes and backslashes, eight bytes at a time.

pub(crate) const ONES: u64 = u64::MAX / 0xff;
pub(crate) const HIGHS: u64 = ONES << 7;

/// Marks the quotes and backslashes of eight bytes; the first mark is right, and
/// so is it that there is none.
#[inline(always)]
pub(crate) fn specials(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    let (quote, slash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
    // A borrow can only mark a byte above the first true hit.
    ((quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash)) & HIGHS
}

/// Finds the quote that ends a string without escapes; `None` where one has some.
///
/// Looks at eight bytes at a time: the strings are too short for anything wider.
#[inline(always)]
pub(crate) fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let hits = specials(*word);
        if hits != 0 {
            let end = at * 8 + hits.trailing_zeros() as usize / 8;
            return (bytes.get(end) == Some(&b'"')).then_some(end);
        }
    }
    let end = tail.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (tail.get(end) == Some(&b'"')).then_some(words.len() * 8 + end)
}

/// Finds the next quote or backslash, which is often near.
#[inline(always)]
pub(crate) fn next_special(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 3;
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().take(NEAR).enumerate() {
        let hits = specials(*word);
        if hits != 0 {
            return Some(at * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let far = words.len().min(NEAR) * 8;
    memchr::memchr2(b'"', b'\\', bytes.get(far..)?).map(|at| far + at)
}
