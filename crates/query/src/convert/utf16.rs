//! Text in UTF-16, as PowerShell's `>` writes it.

use std::io::{self, Read, Write};

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Tells the order by the mark at the beginning, or by JSON's first bracket.
pub(super) fn order(first: &[u8]) -> Option<Order> {
    match first {
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] | [b'{' | b'[', 0, ..] => Some(Order::Little),
        [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] => Some(Order::Big),
        _ => None,
    }
}

/// Writes the text in UTF-8. Half of a surrogate pair costs that one character.
pub(super) fn write(mut input: impl Read, order: Order, out: &mut dyn Write) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    let (mut bytes, mut units): (Vec<u8>, Vec<u16>) = (Vec::new(), Vec::new());
    let mut text = String::new();
    loop {
        let count = input.read(&mut piece)?;
        bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
        let (pairs, rest) = bytes.as_chunks::<2>();
        units.extend(pairs.iter().map(|pair| match order {
            Order::Little => u16::from_le_bytes(*pair),
            Order::Big => u16::from_be_bytes(*pair),
        }));
        bytes = rest.to_vec();
        // The other half of a pair may come with the next piece.
        let is_half = count > 0 && units.last().is_some_and(|unit| unit & 0xfc00 == 0xd800);
        let held = units.split_off(units.len() - usize::from(is_half));
        let decoded = char::decode_utf16(units.drain(..));
        text.clear();
        text.extend(decoded.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        out.write_all(text.trim_start_matches('\u{feff}').as_bytes())?;
        units = held;
        if count == 0 {
            return Ok(());
        }
    }
}
