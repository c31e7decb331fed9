//! Lines of other programs, by a table.
//!
//! A line that neither this recorder nor the older one wrote is compared with the
//! shapes in [`table`]; of one that fits, the table tells where its fields stand.
//! Whatever fits no shape is read as a payload from the wire is, and in any case a
//! line keeps what nobody knows of: its content is the whole line then.

mod expand;
mod inner;
mod path;
mod readable;
mod table;

use std::borrow::Cow;

use crate::escape::text;
use crate::line::Line;
use crate::links::Links;
use crate::normalise::{Fields, string, tags};

pub(crate) use expand::is_list;
pub use expand::{message_ranges, object_len};
pub use readable::{Readable, readable};

use path::find;
use table::{ANY, Shape, TABLE, sender_of_kind};

/// What a line of some other program says.
#[derive(Debug, Default)]
pub(crate) struct Other<'a> {
    pub(crate) topic: Option<Cow<'a, str>>,
    pub(crate) sender: Option<Cow<'a, str>>,
    pub(crate) timestamp: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) links: Links<'a>,
    pub(crate) fields: Fields<'a>,
    /// The content as JSON; `None` is the whole line.
    pub(crate) content: Option<Cow<'a, str>>,
}

/// Reads a line by the table.
pub(crate) fn read<'a>(line: &Line<'a>) -> Other<'a> {
    let shape = shape_of(line);
    let inner = shape.and_then(|shape| first(line, shape.inner, inner::inner_of));
    let mut other = outer(line, shape);
    if let Some(inner) = inner {
        inner::put(&inner, &mut other);
    }
    other
}

/// Finds the shape of a line. One that has the usual fields is of none.
fn shape_of(line: &Line<'_>) -> Option<&'static Shape> {
    if line.content.is_some() && line.sender.is_some() {
        return None;
    }
    TABLE.iter().find(|shape| shape.fits(line))
}

fn outer<'a>(line: &Line<'a>, shape: Option<&Shape>) -> Other<'a> {
    let none = &table::NONE;
    let of = shape.unwrap_or(none);
    let kind = |paths| {
        let kind = first(line, paths, name)?;
        sender_of_kind(&kind).map(Cow::Borrowed)
    };
    let wire = ["sender_id", "sender", "from", "agent"].map(|key| find(line, key));
    let sender = first(line, of.sender, name)
        .or_else(|| string(&wire).and_then(text))
        .or_else(|| kind(of.kind))
        .or_else(|| first(line, ANY.sender, name))
        .or_else(|| kind(ANY.kind));
    let default = shape.map(|shape| Cow::Borrowed(shape.default));
    let topic = string(&[line.topic])
        .and_then(text)
        .or_else(|| first(line, of.topic, name))
        .or(shape.map(|shape| Cow::Borrowed(shape.name)));
    Other {
        topic,
        sender: sender.or(default),
        timestamp: first(line, of.time, time).or_else(|| first(line, ANY.time, time)),
        id: first(line, of.id, identifier).or_else(|| first(line, ANY.id, name)),
        links: links(line, of),
        fields: Fields {
            tier: string(&[
                find(line, "metadata/ace_tier"),
                find(line, "ace_tier"),
                line.tier,
            ]),
            chain_type: string(&[find(line, "metadata/chain_type"), line.chain_type]),
            shl_tags: tags(&[find(line, "metadata/shl_tags"), line.shl_tags]),
            ..Fields::default()
        },
        content: line
            .content
            .filter(|content| of.text.is_empty() && !(*content == "null" && has_calls(line)))
            .or_else(|| first(line, of.text, said))
            .map(Cow::Borrowed),
    }
}

/// Tells whether a message without content calls tools instead.
fn has_calls(line: &Line<'_>) -> bool {
    let calls = ["tool_calls", "function_call", "toolCalls"];
    calls
        .iter()
        .any(|key| find(line, key).and_then(said).is_some())
}

fn links<'a>(line: &Line<'a>, shape: &Shape) -> Links<'a> {
    let named = |own: &[&str], any: &[&str]| {
        first(line, own, identifier).or_else(|| first(line, any, name))
    };
    Links {
        in_reply_to: named(shape.reply, ANY.reply),
        context_id: named(shape.context, ANY.context),
    }
}

/// Returns the first of some places of a line at which there is what is wanted.
fn first<'a, T>(line: &Line<'a>, paths: &[&str], want: impl Fn(&'a str) -> Option<T>) -> Option<T> {
    paths.iter().find_map(|path| want(find(line, path)?))
}

/// A text that says something.
fn name(token: &str) -> Option<Cow<'_, str>> {
    text(token).filter(|text| !text.trim().is_empty())
}

/// A text, or a number as it is spelled.
fn identifier(token: &str) -> Option<Cow<'_, str>> {
    let is_number = token.starts_with(|c: char| c.is_ascii_digit());
    name(token).or_else(|| is_number.then_some(Cow::Borrowed(token)))
}

/// A text, or a number that can be a time, as it is spelled; of an object with
/// seconds, or with a date as MongoDB exports it, these.
fn time(token: &str) -> Option<Cow<'_, str>> {
    /// The first second with so many digits was in 1973.
    const DIGITS: usize = 9;
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    match token.as_bytes().first()? {
        b'{' => {
            let mut inside = ["seconds", "$date", "$numberLong"].into_iter();
            inside.find_map(|key| path::member(token, key).and_then(time))
        }
        _ if digits >= DIGITS => Some(Cow::Borrowed(token)),
        _ => text(token),
    }
}

/// A content, unless it is null or says nothing.
fn said(token: &str) -> Option<&str> {
    let is_empty = matches!(token, "null" | "\"\"" | "[]" | "{}");
    (!is_empty).then_some(token)
}

#[cfg(test)]
mod tests;
