//! Bytes as text that can be pasted: [RFC 32](https://rfc.zeromq.org/spec/32/).

const DIGITS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Writes bytes as Z85: each four of them as five characters; bytes that are left
/// over are not written.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 4 * 5);
    for group in bytes.as_chunks().0 {
        let value = u32::from_be_bytes(*group);
        let digits = [85_u32.pow(4), 85_u32.pow(3), 85 * 85, 85, 1];
        text.extend(digits.into_iter().filter_map(|unit| {
            let digit = usize::try_from(value / unit % 85).ok()?;
            DIGITS.get(digit).copied().map(char::from)
        }));
    }
    text
}

/// Reads Z85; `None` where the text is none.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, []) = text.as_bytes().as_chunks::<5>() else {
        return None;
    };
    let mut bytes = Vec::with_capacity(groups.len() * 4);
    for group in groups {
        let mut value = 0_u32;
        for character in group {
            let digit = DIGITS.iter().position(|digit| digit == character)?;
            let digit = u32::try_from(digit).ok()?;
            value = value.checked_mul(85)?.checked_add(digit)?;
        }
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_specification_hold() {
        let bytes = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B];
        assert_eq!(encode(&bytes), "HelloWorld");
        assert_eq!(decode("HelloWorld"), Some(bytes.to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_z85_is_refused() {
        for text in [
            "Hell",
            "HelloWorld!",
            "Hell\u{e4}",
            "Hello Worl",
            "#####",
            "Hel\"o",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("%nSc0"), Some(vec![0xff; 4]), "the largest");
        assert_eq!(decode("%nSc1"), None, "one more");
    }

    proptest! {
        #[test]
        fn bytes_come_back(groups in prop::collection::vec(any::<[u8; 4]>(), 0..20)) {
            let bytes = groups.concat();
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,40}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
