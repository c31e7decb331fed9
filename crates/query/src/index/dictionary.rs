//! The different values of a field, each with a small number.

use std::collections::HashMap;

use crate::bytes::{Input, Output};
use crate::fields::Tags;

/// A field with more different values, or more bytes of them, has no column.
const VALUES: usize = 1 << 16;
const BYTES: usize = 4 << 20;

/// Gives numbers to values as they come.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    numbers: HashMap<Box<[u8]>, u32>,
    /// The values in the order of their numbers, each behind its length.
    values: Vec<u8>,
    has_too_many: bool,
}

impl Dictionary {
    /// Returns the number of a value, or 0 where there are too many values.
    pub(super) fn number(&mut self, value: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let next = self.numbers.len();
        if self.has_too_many || next == VALUES || self.values.len() + value.len() > BYTES {
            self.has_too_many = true;
            return 0;
        }
        let number = u32::try_from(next).unwrap_or(0);
        self.numbers.insert(value.into(), number);
        self.values.put_string(value);
        number
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(!self.has_too_many));
        if !self.has_too_many {
            out.put_count(self.numbers.len());
            out.extend(&self.values);
        }
    }
}

impl From<Option<Vec<Box<[u8]>>>> for Dictionary {
    /// Goes on behind values that have numbers already; `None` where they were
    /// too many.
    fn from(known: Option<Vec<Box<[u8]>>>) -> Self {
        let mut dictionary = Self {
            has_too_many: known.is_none(),
            ..Self::default()
        };
        for value in known.unwrap_or_default() {
            dictionary.number(&value);
        }
        dictionary
    }
}

/// Reads the values of a field; `Some(None)` where there were too many.
pub(super) fn read(input: &mut Input<'_>) -> Option<Option<Vec<Box<[u8]>>>> {
    input.option(|input| {
        let count = input.count(4)?;
        (0..count)
            .map(|_| input.string().map(Box::from))
            .collect::<Option<Vec<_>>>()
    })
}

/// Writes tags as one value.
pub(super) fn put_tags(tags: &Tags<'_>, out: &mut Vec<u8>) {
    out.clear();
    tags.iter().for_each(|tag| out.put_string(tag));
}

/// Reads tags that were written as one value.
pub(super) fn tags(value: &[u8]) -> Option<Tags<'_>> {
    let mut input = Input(value);
    let mut tags = Vec::new();
    while !input.0.is_empty() {
        tags.push(std::str::from_utf8(input.string()?).ok()?.into());
    }
    Some(Tags::Parsed(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_the_order_of_their_numbers() {
        let mut dictionary = Dictionary::default();
        let numbers = ["b", "a", "b", ""].map(|value| dictionary.number(value.as_bytes()));
        assert_eq!(numbers, [0, 1, 0, 2]);
        let mut out = Vec::new();
        dictionary.put(&mut out);
        let values = read(&mut Input(&out)).unwrap().unwrap();
        assert_eq!(values, [&b"b"[..], b"a", b""].map(Box::from));
    }

    #[test]
    fn too_many_values_are_given_up() {
        let mut dictionary = Dictionary::default();
        for value in 0..=VALUES {
            dictionary.number(&value.to_le_bytes());
        }
        let mut out = Vec::new();
        dictionary.put(&mut out);
        assert_eq!(read(&mut Input(&out)), Some(None));
    }

    #[test]
    fn tags_come_back() {
        let mut value = Vec::new();
        put_tags(&Tags::Token(br#"["@a", "b ]"]"#), &mut value);
        let found: Vec<_> = tags(&value).unwrap().iter().map(<[u8]>::to_vec).collect();
        assert_eq!(found, [&b"@a"[..], b"b ]"]);
        assert_eq!(tags(&[1, 0, 0, 0]), None);
        assert_eq!(tags(&[1, 0, 0, 0, 0xff]), None);
    }
}
