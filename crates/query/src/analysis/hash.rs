//! A name as a number.

/// Returns a number in which each bit depends on all of the name.
///
/// It is the same everywhere and always, so that it can be stored.
#[inline]
pub(super) fn hash(name: &[u8]) -> u64 {
    const MIX: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03];
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        let (low, high) = (product & u128::from(u64::MAX), product >> u64::BITS);
        u64::try_from(low ^ high).unwrap_or(0)
    };
    let mut hash = MIX[0] ^ name.len() as u64;
    for word in name.as_chunks::<8>().0 {
        hash = fold(hash ^ u64::from_le_bytes(*word), MIX[1]);
    }
    fold(fold(hash ^ rest(name), MIX[1]), MIX[0])
}

/// Returns the bytes behind the last whole word, and zeros, as a word.
///
/// They are loaded together with those before them: a copy made of single bytes
/// would have to be waited for.
#[inline]
fn rest(name: &[u8]) -> u64 {
    let count = name.len() % 8;
    if let Some(last) = name.last_chunk() {
        let shift = (8 - count) * 8;
        return if count == 0 {
            0
        } else {
            u64::from_le_bytes(*last) >> shift
        };
    }
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        let word = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
        return word(*first) | word(*last) << ((count - 4) * 8);
    }
    let bytes = name.iter().rev();
    bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_name_is_what_whole_words_leave() {
        let name: Vec<u8> = (1..40).collect();
        for length in 0..name.len() {
            let name = &name[..length];
            let mut padded = [0; 8];
            let (_, behind) = name.as_chunks::<8>();
            padded[..behind.len()].copy_from_slice(behind);
            assert_eq!(rest(name), u64::from_le_bytes(padded), "{length}");
        }
    }
}
