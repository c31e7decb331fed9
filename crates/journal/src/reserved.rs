//! Does a record have a member that the journal puts in itself?

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of every line that are the journal's.
const RESERVED: [&str; 2] = ["message_num", "crc"];

/// Returns the name of a reserved member of a JSON object, if it has one: the
/// line would have it twice, and could not be read back.
pub(crate) fn reserved_member(object: &[u8]) -> Option<&'static str> {
    // Looking for the names is much cheaper than looking for the keys. A
    // backslash may spell a letter of a key.
    let contains = |text: &[u8]| memchr::memmem::find(object, text).is_some();
    if !contains(b"crc\"") && !contains(b"message_num\"") && !contains(b"\\u") {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(object);
    deserializer.deserialize_map(Keys).ok().flatten()
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        // Raw keys: a lone surrogate in some other key is none of our business.
        while let Some((key, IgnoredAny)) = map.next_entry::<&RawValue, IgnoredAny>()? {
            let name: Option<String> = serde_json::from_str(key.get()).ok();
            let is_it = |reserved: &&&str| name.as_deref() == Some(**reserved);
            found = found.or(RESERVED.iter().find(is_it).copied());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_members_of_the_record_itself_are_reserved() {
        for (object, expected) in [
            (r#"{"a":1,"crc":2}"#, Some("crc")),
            (r#"{"\u0063rc":2}"#, Some("crc")),
            (r#"{ "message_num" : 2 }"#, Some("message_num")),
            (r#"{"m\u0065ssage_num":2}"#, Some("message_num")),
            (r#"{"a":{"crc":2,"message_num":1}}"#, None),
            (r#"{"a":"\"crc\":","message_nums":[{"crc":"crc"}]}"#, None),
            (r#"{"\ud800":1,"CRC":2,"a":"\u0063rc"}"#, None),
        ] {
            assert_eq!(reserved_member(object.as_bytes()), expected, "{object}");
        }
    }
}
