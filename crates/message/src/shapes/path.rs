//! A place in a line: keys from the outside to the inside, with `/` between them.
//!
//! In an array, a number chooses an element, and `@name` the value of the pair
//! whose `key` is that name, as OpenTelemetry writes attributes.

use crate::scan::{Scanner, elements};

/// Goes one key further.
pub(super) fn step<'a>(token: &'a str, key: &str) -> Option<&'a str> {
    if !token.starts_with('[') {
        return member(token, key);
    }
    match key.strip_prefix('@') {
        Some(name) => {
            let named = |pair: &&str| {
                let key = member(pair, "key").and_then(crate::escape::text);
                key.is_some_and(|key| key == name)
            };
            let pair = elements(token).find(named)?;
            // {"stringValue": ...}
            let value = member(pair, "value")?;
            member(value, "stringValue").or(Some(value))
        }
        None => elements(token).nth(key.parse().ok()?),
    }
}

/// Returns a member's JSON; of equal keys the first.
pub(super) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    if !object.starts_with('{') {
        return None;
    }
    let mut scanner = Scanner::new(object);
    let mut next = scanner.first_key().ok()?;
    while let Some(found) = next {
        let value = scanner.value().ok()?;
        if found == key {
            return Some(value);
        }
        next = scanner.next_key().ok()?;
    }
    None
}
