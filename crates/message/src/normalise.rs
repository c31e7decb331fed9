//! Which member of a payload becomes which field of the record.

use std::ops::Range;

use crate::scan::{Marks, Scan, Scanner, is_string_array};

/// Stands for a sender or a chain type that a message does not name.
pub(crate) const UNKNOWN: &str = "unknown";
/// Stands for a tier that a message does not name.
pub(crate) const TIER: &str = "E";

/// The normalised fields as JSON tokens of the right type; `None` means the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    pub(crate) sender: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) tier: Option<&'a str>,
    pub(crate) chain_type: Option<&'a str>,
    pub(crate) shl_tags: Option<&'a str>,
    pub(crate) message_id: Option<&'a str>,
}

/// Chooses the first token that is present, and takes it if it is a string.
pub(crate) fn string<'a>(candidates: &[Option<&'a str>]) -> Option<&'a str> {
    first_present(candidates).filter(|token| token.starts_with('"'))
}

/// Chooses the first token that is present, and takes it if it is an array of strings.
pub(crate) fn tags<'a>(candidates: &[Option<&'a str>]) -> Option<&'a str> {
    first_present(candidates).filter(|token| is_string_array(token))
}

/// Returns the first token; `null` counts as absent.
fn first_present<'a>(candidates: &[Option<&'a str>]) -> Option<&'a str> {
    candidates
        .iter()
        .copied()
        .flatten()
        .find(|&token| token != "null")
}

/// A payload that is JSON, in the wider sense of the scanner.
#[derive(Debug)]
pub(crate) struct JsonPayload<'a> {
    pub(crate) text: &'a str,
    /// Where the value stands between leading and trailing whitespace.
    pub(crate) value: Range<usize>,
    /// Where the value of the member `content` stands, if there is one.
    pub(crate) content: Option<Range<usize>>,
    pub(crate) fields: Fields<'a>,
    pub(crate) marks: Marks,
}

impl<'a> JsonPayload<'a> {
    /// Reads the text in one pass.
    pub(crate) fn read(text: &'a str) -> Scan<Self> {
        let mut scanner = Scanner::new(text);
        let start = scanner.at();
        let mut members = Members::default();
        if scanner.peek() == Some(b'{') {
            members.read(&mut scanner)?;
        } else {
            scanner.value_range()?;
        }
        let value = start..scanner.at();
        scanner.finish()?;
        let fields = members.fields();
        Ok(Self {
            text,
            value,
            content: members.content,
            fields,
            marks: scanner.marks(),
        })
    }

    /// Tells whether the text can stand in a line as it is.
    pub(crate) fn is_embeddable(&self) -> bool {
        self.marks == Marks::default() && self.value == (0..self.text.len())
    }
}

/// The members of a payload that mean something; of equal keys the last one, as in Python.
#[derive(Debug, Default)]
struct Members<'a> {
    sender_id: Option<&'a str>,
    sender: Option<&'a str>,
    from: Option<&'a str>,
    agent: Option<&'a str>,
    timestamp: Option<&'a str>,
    tier: Option<&'a str>,
    message_id: Option<&'a str>,
    id: Option<&'a str>,
    content: Option<Range<usize>>,
    shared: Shared<'a>,
    metadata: Shared<'a>,
}

/// The members that stand in `metadata` or beside it.
#[derive(Debug, Default)]
struct Shared<'a> {
    ace_tier: Option<&'a str>,
    chain_type: Option<&'a str>,
    shl_tags: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn read(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        let mut next = scanner.first_key()?;
        while let Some(key) = next {
            match &*key {
                "content" => self.content = Some(scanner.value_range()?),
                "metadata" => self.metadata = Shared::read(scanner)?,
                key => {
                    let value = scanner.value()?;
                    if let Some(slot) = self.slot(key) {
                        *slot = Some(value);
                    }
                }
            }
            next = scanner.next_key()?;
        }
        Ok(())
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "sender_id" => &mut self.sender_id,
            "sender" => &mut self.sender,
            "from" => &mut self.from,
            "agent" => &mut self.agent,
            "timestamp" => &mut self.timestamp,
            "tier" => &mut self.tier,
            "message_id" => &mut self.message_id,
            "id" => &mut self.id,
            _ => return self.shared.slot(key),
        })
    }

    fn fields(&self) -> Fields<'a> {
        let (inner, outer) = (&self.metadata, &self.shared);
        Fields {
            sender: string(&[self.sender_id, self.sender, self.from, self.agent]),
            timestamp: string(&[self.timestamp]),
            tier: string(&[inner.ace_tier, outer.ace_tier, self.tier]),
            chain_type: string(&[inner.chain_type, outer.chain_type]),
            shl_tags: tags(&[inner.shl_tags, outer.shl_tags]),
            message_id: string(&[self.message_id, self.id]),
        }
    }
}

impl<'a> Shared<'a> {
    /// Reads the value of `metadata`; one that is no object has no members.
    fn read(scanner: &mut Scanner<'a>) -> Scan<Self> {
        let mut members = Self::default();
        scanner.members(|key, value| {
            if let Some(slot) = members.slot(key) {
                *slot = Some(value);
            }
        })?;
        Ok(members)
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "ace_tier" => &mut self.ace_tier,
            "chain_type" => &mut self.chain_type,
            "shl_tags" => &mut self.shl_tags,
            _ => return None,
        })
    }
}
