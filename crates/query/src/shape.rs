//! A line of ours, read by its shape.
//!
//! The broker writes the fixed fields always in the same order and without
//! spaces, so that reading them is a matter of comparing keys and finding
//! closing quotes. Whatever does not fit exactly, or needs unescaping, is left
//! to the general parse. With a right checksum a line is not checked to be JSON; without
//! one, what its strings can't hold is looked for in its head, and the rest is scanned.

mod links;
mod tokens;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

use message::ContentKind;

use crate::fields::{Content, Fields, Tags, bytes};
use crate::intern::Handle;
use crate::line_end::{CRC_FIELD, RECORDED_AT, TIME};
use crate::special::{HIGHS, ONES, closing_quote, specials};
pub(crate) use links::{Reply, reply};
use tokens::Tokens;

/// Reads lines, and remembers values that come again and again.
pub(crate) struct Reader {
    /// Changes when numbers of values begin anew.
    id: u32,
    topics: Tokens<4>,
    senders: Tokens<4>,
    tiers: Tokens<4>,
    chains: Tokens<4>,
    tags: Tokens<8>,
}

/// A line's number and the bytes of its fields, and the handles of some of them.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) number: u64,
    pub(crate) handles: Handles,
    pub(crate) recorded_at: &'a [u8],
    topic: &'a [u8],
    sender: &'a [u8],
    timestamp: &'a [u8],
    tier: &'a [u8],
    chain: &'a [u8],
    tags: &'a [u8],
    id: Option<&'a [u8]>,
    content: &'a [u8],
}

impl<'a> Line<'a> {
    #[inline(always)]
    pub(crate) fn fields(&self) -> Fields<'a> {
        Fields {
            topic: Cow::Borrowed(self.topic),
            sender: Cow::Borrowed(self.sender),
            timestamp: Cow::Borrowed(self.timestamp),
            tier: Cow::Borrowed(self.tier),
            chain: Cow::Borrowed(self.chain),
            tags: Tags::Token(self.tags),
            id: self.id.map(Cow::Borrowed),
            recorded_at: Some(Cow::Borrowed(self.recorded_at)),
            content: Content::From(self.content),
            key: None,
            other_journal: None,
            in_reply_to: None,
        }
    }
}

/// Numbers that values have for a reader.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Handles {
    pub(crate) topic: Handle,
    pub(crate) sender: Handle,
    pub(crate) tier: Handle,
    pub(crate) chain: Handle,
    /// Of all the tags together.
    pub(crate) tags: Handle,
}

impl Reader {
    pub(crate) fn new() -> Self {
        static READERS: AtomicU32 = AtomicU32::new(1);
        Self {
            id: READERS.fetch_add(1, Ordering::Relaxed),
            topics: Tokens::default(),
            senders: Tokens::default(),
            tiers: Tokens::default(),
            chains: Tokens::default(),
            tags: Tokens::default(),
        }
    }

    #[cold]
    fn begin_anew(&mut self) {
        *self = Self::new();
    }

    /// Reads a line, or `None` where it has another shape.
    #[inline(always)]
    pub(crate) fn read<'a>(&mut self, line: &'a [u8]) -> Option<Line<'a>> {
        let recorded_at = recorded_at(line)?;
        let (mut read, _) = self.head(line, &CLOSE)?;
        read.recorded_at = recorded_at;
        Some(read)
    }

    /// Reads a line without a checksum and without a newline, as this recorder spaces it or
    /// as Python's `json.dumps` does. All of it is checked to be JSON. `None` where it has
    /// another shape; what is said of any other is what a parse says.
    pub(crate) fn read_unsealed<'a>(&mut self, line: &'a [u8]) -> Option<(Line<'a>, Fields<'a>)> {
        // First, since lines of other programs differ in the first bytes.
        let read = self.head(line, &CLOSE);
        let (read, tags) = read.or_else(|| self.head(line, &SPACED))?;
        if journal::raw::looks_sealed(line) {
            return None;
        }
        let text = simdutf8::basic::from_utf8(line).ok()?;
        let (head, rest) = text.split_at_checked(tags)?;
        let starts_with_zero = ["{\"message_num\":0", "{\"message_num\": 0"];
        let is_number = !starts_with_zero.iter().any(|zero| head.starts_with(zero));
        // Such bytes stand in no string of JSON. All of them are looked at, many at once.
        let is_text = head.bytes().fold(true, |all, byte| all & (byte >= b' '));
        let tail = message::tail(rest).filter(|_| is_number && is_text)?;
        let fields = Fields {
            content: Content::Parsed(Cow::Borrowed(tail.content), ContentKind::Json),
            recorded_at: Some(bytes(tail.recorded_at)),
            key: tail.key_name.map(bytes),
            other_journal: tail.provenance.map(|other| bytes(other.name)),
            in_reply_to: Some(tail.in_reply_to.map(bytes)),
            ..read.fields()
        };
        Some((read, fields))
    }

    /// Reads a line up to its content, and tells where its tags begin.
    #[inline(always)]
    fn head<'a>(&mut self, line: &'a [u8], keys: &Keys) -> Option<(Line<'a>, usize)> {
        let mut cursor = Cursor {
            rest: line,
            is_full: false,
        };
        cursor.key(keys.number)?;
        let number = cursor.number()?;
        let (topic, topic_handle) = cursor.token(keys.topic, &mut self.topics)?;
        let (sender, sender_handle) = cursor.token(keys.sender, &mut self.senders)?;
        let timestamp = cursor.time(keys.timestamp)?;
        let (tier, tier_handle) = cursor.token(keys.tier, &mut self.tiers)?;
        let (chain, chain_handle) = cursor.token(keys.chain, &mut self.chains)?;
        cursor.key(keys.tags)?;
        let tags_at = line.len() - cursor.rest.len();
        let (tags, tags_handle) = cursor.tags(&mut self.tags)?;
        let id = cursor.id(keys.id)?;
        cursor.key(keys.content)?;
        let content = cursor.rest;
        let reader = self.id;
        let handle = |number| Handle { reader, number };
        let handles = Handles {
            topic: handle(topic_handle),
            sender: handle(sender_handle),
            tier: handle(tier_handle),
            chain: handle(chain_handle),
            tags: handle(tags_handle),
        };
        if cursor.is_full {
            self.begin_anew();
        }
        let read = Line {
            number,
            handles,
            recorded_at: b"",
            topic,
            sender,
            timestamp,
            tier,
            chain,
            tags,
            id,
            content,
        };
        Some((read, tags_at))
    }
}

/// What stands before the values of a line, in this order.
struct Keys {
    number: &'static [u8],
    topic: &'static [u8],
    sender: &'static [u8],
    timestamp: &'static [u8],
    tier: &'static [u8],
    chain: &'static [u8],
    tags: &'static [u8],
    id: &'static [u8],
    content: &'static [u8],
}

/// As this recorder writes them.
const CLOSE: Keys = Keys {
    number: b"{\"message_num\":",
    topic: b",\"topic\":\"",
    sender: b",\"sender\":\"",
    timestamp: b",\"timestamp\":\"",
    tier: b",\"tier\":\"",
    chain: b",\"chain_type\":\"",
    tags: b",\"shl_tags\":",
    id: b",\"message_id\":",
    content: b",\"content\":",
};

/// With a space behind each colon and comma.
const SPACED: Keys = Keys {
    number: b"{\"message_num\": ",
    topic: b", \"topic\": \"",
    sender: b", \"sender\": \"",
    timestamp: b", \"timestamp\": \"",
    tier: b", \"tier\": \"",
    chain: b", \"chain_type\": \"",
    tags: b", \"shl_tags\": ",
    id: b", \"message_id\": ",
    content: b", \"content\": ",
};

/// Reads a single line with its number, or `None` where it has another shape.
#[cfg(test)]
pub(crate) fn read(line: &[u8]) -> Option<(u64, Fields<'_>)> {
    let read = Reader::new().read(line)?;
    Some((read.number, read.fields()))
}

/// Returns the recorder's time, which stands before the checksum.
fn recorded_at(line: &[u8]) -> Option<&[u8]> {
    let end = line.len().checked_sub(CRC_FIELD + 1)?;
    let start = end.checked_sub(TIME)?;
    let key = line.get(start.checked_sub(RECORDED_AT.len())?..start)?;
    let time = line.get(start..end)?;
    let fits = key == RECORDED_AT && time.ends_with(b"Z") && line.get(end) == Some(&b'"');
    fits.then_some(time)
}

struct Cursor<'a> {
    rest: &'a [u8],
    /// Whether there are no more numbers for some field's values.
    is_full: bool,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    fn key(&mut self, key: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(key)?;
        Some(())
    }

    /// Takes `length` bytes, the last of which does not count.
    #[inline(always)]
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        taken.get(..length.checked_sub(1)?)
    }

    #[inline(always)]
    fn number(&mut self) -> Option<u64> {
        let word = self.rest.first_chunk();
        match word.and_then(|word| short_number(*word)) {
            Some((number, length)) => {
                self.rest = self.rest.get(length..)?;
                Some(number)
            }
            None => self.long_number(),
        }
    }

    #[cold]
    fn long_number(&mut self) -> Option<u64> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
        let (digits, rest) = self.rest.split_at_checked(digits.count())?;
        self.rest = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Reads what stands before the closing quote, and goes behind that.
    #[inline(always)]
    fn quoted(&mut self) -> Option<&'a [u8]> {
        self.take(closing_quote(self.rest)? + 1)
    }

    /// Reads a string that is most often as long as the recorder's times.
    #[inline(always)]
    fn time(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        self.key(key)?;
        let usual: &[u8; TIME + 1] = self.rest.first_chunk()?;
        let (words, end) = usual.as_chunks::<8>();
        let hits = words.iter().fold(0, |hits, word| hits | specials(*word));
        if hits == 0 && *end == [b'"'] {
            return self.take(TIME + 1);
        }
        self.quoted()
    }

    /// Reads a string that may have come before, and its number.
    #[inline(always)]
    fn token(&mut self, key: &[u8], known: &mut Tokens<4>) -> Option<(&'a [u8], u32)> {
        self.key(key)?;
        match known.find(self.rest) {
            Some((length, number)) => Some((self.take(length)?, number)),
            None => self.new_token(known),
        }
    }

    #[cold]
    fn new_token(&mut self, known: &mut Tokens<4>) -> Option<(&'a [u8], u32)> {
        let rest = self.rest;
        let text = self.quoted()?;
        let number = self.insert(known, rest, text.len() + 1);
        Some((text, number))
    }

    fn insert<const N: usize>(&mut self, known: &mut Tokens<N>, rest: &[u8], length: usize) -> u32 {
        let number = known.insert(rest, length);
        self.is_full |= number.is_none();
        number.unwrap_or(Handle::NONE)
    }

    #[inline(always)]
    fn tags(&mut self, known: &mut Tokens<8>) -> Option<(&'a [u8], u32)> {
        let Some((length, number)) = known.find(self.rest) else {
            return self.new_tags(known);
        };
        let (tags, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some((tags, number))
    }

    #[cold]
    fn new_tags(&mut self, known: &mut Tokens<8>) -> Option<(&'a [u8], u32)> {
        let before = self.rest;
        self.key(b"[")?;
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b']' => break,
                b'"' => _ = self.quoted()?,
                b' ' | b'\t' | b',' => {}
                _ => return None,
            }
        }
        let length = before.len() - self.rest.len();
        let number = self.insert(known, before, length);
        Some((before.get(..length)?, number))
    }

    /// The shape may not fit, and a message may have no name.
    #[inline(always)]
    fn id(&mut self, key: &[u8]) -> Option<Option<&'a [u8]>> {
        self.key(key)?;
        match self.key(b"\"") {
            Some(()) => self.quoted().map(Some),
            None => self.key(b"null").map(|()| None),
        }
    }
}

/// Reads a number of up to seven digits that ends in the word.
#[inline(always)]
fn short_number(word: [u8; 8]) -> Option<(u64, usize)> {
    let digits = u64::from_le_bytes(word) ^ (ONES * 0x30);
    // In the first byte that is no digit nothing has been carried over yet.
    let others = (digits.wrapping_add(ONES * 0x76) | digits) & HIGHS;
    let length = others.trailing_zeros() as usize / 8;
    if !(1..8).contains(&length) {
        return None;
    }
    // Tens and ones, then pairs, then both halves are put together.
    let digits = digits << (64 - length * 8);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    Some((number, length))
}

#[cfg(test)]
mod tests;
