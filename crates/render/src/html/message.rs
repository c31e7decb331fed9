//! A message as HTML: the same in a transcript and on the page that is served.

use std::fmt;
use std::io::{self, Write};

use message::Record;
use query::{Marks, Zone};

use super::body;
use super::escape::Text;
use crate::column::other_key;
use crate::number::of_message;

/// How a message is drawn as HTML.
#[derive(Debug)]
pub struct Drawing<'a> {
    /// The name that its element has.
    pub anchor: String,
    /// Which of the senders' colours it has, from 0 to 11.
    pub kind: usize,
    /// The message that it answers, where that is known.
    pub parent: Option<Parent>,
    /// The time zone of its time.
    pub zone: &'a Zone,
    /// What was searched, to be marked.
    pub marks: &'a Marks,
    /// Of a text about this many bytes are drawn at most.
    pub limit: usize,
}

/// The message that another one answers.
#[derive(Debug)]
pub struct Parent {
    /// The address of its element: behind `#` alone where it is on the same page.
    pub address: String,
    /// Its number.
    pub number: Option<u64>,
}

impl Parent {
    /// The element's name, if it is on the same page.
    fn element(&self) -> Option<&str> {
        self.address.strip_prefix('#')
    }
}

impl Drawing<'_> {
    /// Draws a message as an element `article`. All that somebody else has written
    /// stands in it as text, and it needs nothing from elsewhere.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn write(
        &self,
        number: Option<u64>,
        record: &Record<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (anchor, kind) = (Text(&self.anchor), self.kind);
        let (sender, topic) = (Text(&record.sender), Text(&record.topic));
        write!(out, "<article id=\"{anchor}\" class=\"k{kind}\"")?;
        if let Some(element) = self.parent.as_ref().and_then(Parent::element) {
            write!(out, " data-parent=\"{}\"", Text(element))?;
        }
        writeln!(out, ">")?;
        let initials = initials(&record.sender);
        write!(
            out,
            "<header><span class=\"initials\" aria-hidden=\"true\">{}</span> \
             <a class=\"number\" href=\"#{anchor}\">#{}</a> \
             <span class=\"who\" data-sender=\"{sender}\">{sender}</span> ",
            Text(&initials),
            of_message(number)
        )?;
        if let Some(key) = other_key(record) {
            let key = Text(key);
            write!(
                out,
                "<span class=\"key\" data-key=\"{key}\">key {key}</span> "
            )?;
        }
        write!(
            out,
            "<span class=\"topic\" data-topic=\"{topic}\">→ {topic}</span> "
        )?;
        let time = record.recorded_at.as_deref().unwrap_or(&record.timestamp);
        let shown = self.zone.date_and_time(time);
        let (exact, shown) = (Text(time), Text(&shown));
        writeln!(out, "<time title=\"{exact}\">{shown}</time></header>")?;
        self.write_reply(record, out)?;
        writeln!(out, "<div class=\"body\" dir=\"auto\">")?;
        body::write(record, self.marks, self.limit, out)?;
        writeln!(out, "</div>")?;
        write_foot(record, out)?;
        writeln!(out, "</article>")
    }

    fn write_reply(&self, record: &Record<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(id) = record.links().in_reply_to else {
            return Ok(());
        };
        let id = Text(&id);
        match &self.parent {
            Some(Parent { address, number }) => writeln!(
                out,
                "<p class=\"reply\" data-reply=\"{id}\">in reply to <a href=\"{}\">#{}</a></p>",
                Text(address),
                of_message(*number)
            ),
            None => writeln!(
                out,
                "<p class=\"reply\" data-reply=\"{id}\">in reply to <span>{id}</span><i>, not here</i></p>"
            ),
        }
    }
}

fn write_foot(record: &Record<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (tier, chain) = (Text(&record.tier), Text(&record.chain_type));
    write!(
        out,
        "<p class=\"tags\"><span class=\"tier\" data-tier=\"{tier}\">tier {tier}</span> · \
         <span class=\"chain\" data-chain=\"{chain}\">{chain}</span>"
    )?;
    if let Some(id) = &record.message_id {
        let id = Text(id);
        write!(out, " · <span class=\"id\" data-id=\"{id}\">{id}</span>")?;
    }
    for tag in &record.shl_tags {
        let tag = Text(tag);
        write!(out, " <span class=\"tag\" data-tag=\"{tag}\">{tag}</span>")?;
    }
    writeln!(out, "</p>")
}

/// The letters by which a sender is told from others without its colour.
fn initials(sender: &str) -> String {
    let words = sender.split(|c: char| !c.is_alphanumeric());
    let mut words = words.filter_map(|word| word.chars().next().map(|first| (first, word)));
    let Some((first, word)) = words.next() else {
        return "?".to_owned();
    };
    let second = words.next_back().map(|(first, _)| first);
    let second = second.or_else(|| word.chars().nth(1));
    [Some(first), second]
        .into_iter()
        .flatten()
        .flat_map(char::to_uppercase)
        .collect()
}

/// A message that is no record, with the reason.
pub(super) struct Unreadable<'a>(pub(super) Option<u64>, pub(super) &'a str);

impl fmt::Display for Unreadable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, reason) = self;
        let number = of_message(*number);
        write!(
            f,
            "<article>#{number} cannot be read: {}</article>",
            Text(reason)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_told_by_letters() {
        for (sender, expected) in [
            ("claude_code", "CC"),
            ("gemini", "GE"),
            ("a", "A"),
            ("the big one", "TO"),
            ("", "?"),
            ("<script>", "SC"),
            ("日本語", "日本"),
        ] {
            assert_eq!(initials(sender), expected, "{sender}");
        }
    }
}
