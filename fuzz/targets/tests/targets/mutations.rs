//! Arbitrary bytes, and seeds that are cut, glued and spoilt.

use fuzz_targets::TARGETS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use super::seeds::committed;

/// How many inputs of each kind a target gets.
const CASES: u32 = 1024;

/// Pieces that mean something to somebody who reads lines.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"\r",
    b"\0\0\0\0",
    b"\\",
    b"\"",
    b"{",
    b"}",
    b"]",
    b",",
    b"NaN",
    b"\\ud800",
    b"\\u001b",
    b"\x1b[2J",
    b"\xff",
    b"\xEF\xBB\xBF",
    b"\xe2\x80\xae",
    b"{\"message_num\":",
    b"{\"message_num\":1,\"crc\":\"",
    b",\"crc\":\"00000000\"}",
    b"\"Metadata\":",
    b"\"content\":",
    b"\x1f=",
];

#[derive(Debug, Clone)]
enum Change {
    Flip {
        at: Index,
        bit: u8,
    },
    Cut {
        from: Index,
        length: usize,
    },
    End {
        at: Index,
    },
    Insert {
        at: Index,
        piece: &'static [u8],
    },
    /// A stretch stands a second time.
    Repeat {
        from: Index,
        length: usize,
        at: Index,
    },
    /// From here on, another seed goes on.
    Splice {
        at: Index,
        with: Index,
        from: Index,
    },
    SwapLines {
        one: Index,
        other: Index,
    },
    Glue {
        at: Index,
    },
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        2 => (at(), 1..40_usize).prop_map(|(from, length)| Change::Cut { from, length }),
        1 => at().prop_map(|at| Change::End { at }),
        3 => (at(), select(PIECES)).prop_map(|(at, piece)| Change::Insert { at, piece }),
        2 => (at(), 1..300_usize, at())
            .prop_map(|(from, length, at)| Change::Repeat { from, length, at }),
        2 => (at(), at(), at()).prop_map(|(at, with, from)| Change::Splice { at, with, from }),
        1 => (at(), at()).prop_map(|(one, other)| Change::SwapLines { one, other }),
        2 => at().prop_map(|at| Change::Glue { at }),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let place = |index: &Index, length: usize| index.index(length + 1);
        let length = bytes.len();
        match self {
            Self::Flip { at, bit } => {
                if let Some(byte) = bytes.get_mut(place(at, length)) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Cut { from, length: cut } => {
                let from = place(from, length);
                bytes.drain(from..(from + cut).min(length));
            }
            Self::End { at } => bytes.truncate(place(at, length)),
            Self::Insert { at, piece } => {
                let at = place(at, length);
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Repeat {
                from,
                length: copied,
                at,
            } => {
                let from = place(from, length);
                let piece = bytes[from..(from + copied).min(length)].to_vec();
                let at = place(at, length);
                bytes.splice(at..at, piece);
            }
            Self::Splice { at, with, from } => {
                let other = with.get(seeds);
                bytes.truncate(place(at, length));
                bytes.extend_from_slice(&other[place(from, other.len())..]);
            }
            Self::SwapLines { one, other } => {
                let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
                *bytes = lines.join(&b'\n');
            }
            Self::Glue { at } => {
                let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                let ends: Vec<usize> = ends.map(|(end, _)| end).collect();
                if !ends.is_empty() {
                    bytes.remove(*at.get(&ends));
                }
            }
        }
    }
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    })
}

fn try_arbitrary(run: fn(&[u8])) {
    // Of all bytes those that JSON is made of should be frequent.
    let byte = prop_oneof![1 => any::<u8>(), 3 => select(&b"{}[]\",:\\\n\r 01enutfN=a"[..])];
    let input = vec(byte, 0..200);
    let outcome = runner().run(&input, |bytes| {
        run(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

fn try_changed(name: &str, run: fn(&[u8])) {
    let seeds = committed(name);
    let input = (any::<Index>(), vec(change(), 1..6));
    let outcome = runner().run(&input, |(seed, changes)| {
        let mut bytes = seed.get(&seeds).clone();
        changes
            .iter()
            .for_each(|change| change.apply(&mut bytes, &seeds));
        run(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn arbitrary_bytes_break_no_promise() {
    TARGETS.iter().for_each(|(_, run)| try_arbitrary(*run));
}

#[test]
fn changed_seeds_break_no_promise() {
    TARGETS
        .iter()
        .for_each(|(name, run)| try_changed(name, *run));
}
