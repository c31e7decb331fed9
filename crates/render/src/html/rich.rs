//! Markdown as HTML.
//!
//! The parser only tells what there is; every element is written here, and all text
//! in it is escaped. HTML within Markdown is text like any other. A link shows where
//! it leads, and leads nowhere but to the web or to a mailbox; a picture is one that
//! the message itself brings, as data.

use std::io::{self, Write};

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use query::Marks;

use super::code;
use super::escape::{EscapedLines, Text};
use super::marked::write_marked;

/// Longer texts are shown as they are.
const LONGEST: usize = 256 << 10;
/// Elements within elements are drawn no deeper, as browsers do.
const DEEPEST: usize = 60;
/// What pictures a message may bring.
const PICTURES: [&str; 4] = ["png", "jpeg", "gif", "webp"];

pub(super) fn write(text: &str, marks: &Marks, out: &mut dyn Write) -> io::Result<()> {
    if text.len() > LONGEST {
        write!(out, "<div class=\"plain\">")?;
        write_marked(text, marks, out)?;
        return write!(out, "</div>");
    }
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = Page {
        out,
        marks,
        depth: 0,
        closing: Vec::new(),
        code: None,
        shown: String::new(),
        columns: Vec::new(),
        cell: 0,
        is_head: false,
    };
    for event in Parser::new_ext(text, options) {
        page.event(event)?;
    }
    page.end_all()
}

/// What is closed when an element ends.
enum Closing {
    Element(&'static str),
    /// A link to this address.
    Link(String),
    /// Something that leads to this address but must not.
    Target(String),
    /// Nothing was opened.
    Nothing,
}

struct Page<'a> {
    out: &'a mut dyn Write,
    marks: &'a Marks,
    depth: usize,
    closing: Vec<Closing>,
    /// The language and the text of a block of code.
    code: Option<(String, String)>,
    /// The text within a link.
    shown: String,
    columns: Vec<Alignment>,
    cell: usize,
    is_head: bool,
}

impl Page<'_> {
    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => {
                write!(self.out, "<code>")?;
                write_marked(&text, self.marks, self.out)?;
                write!(self.out, "</code>")
            }
            Event::SoftBreak | Event::HardBreak => writeln!(self.out, "<br>"),
            Event::Rule => writeln!(self.out, "<hr>"),
            Event::TaskListMarker(is_done) => self
                .out
                .write_all(if is_done { "☑ " } else { "☐ " }.as_bytes()),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
            Event::FootnoteReference(name) => write!(self.out, "[^{}]", Text(&name)),
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
            return Ok(());
        }
        self.shown.push_str(text);
        write_marked(text, self.marks, self.out)
    }

    fn start(&mut self, tag: Tag<'_>) -> io::Result<()> {
        self.depth += 1;
        if let Tag::CodeBlock(kind) = tag {
            let language = match kind {
                CodeBlockKind::Fenced(info) => info.split_whitespace().next().map(str::to_owned),
                CodeBlockKind::Indented => None,
            };
            self.code = Some((language.unwrap_or_default(), String::new()));
            self.closing.push(Closing::Nothing);
            return Ok(());
        }
        let closing = match tag {
            _ if self.depth > DEEPEST => Closing::Nothing,
            Tag::Link { dest_url, .. } => self.start_link(&dest_url)?,
            Tag::Image { dest_url, .. } => self.start_picture(&dest_url)?,
            Tag::Table(columns) => {
                self.columns = columns;
                write!(self.out, "<div class=\"table\"><table>")?;
                Closing::Element("table></div")
            }
            Tag::TableCell => {
                let align = match self.columns.get(self.cell) {
                    Some(Alignment::Right) => " class=\"right\"",
                    Some(Alignment::Center) => " class=\"center\"",
                    _ => "",
                };
                self.cell += 1;
                let name = if self.is_head { "th" } else { "td" };
                write!(self.out, "<{name}{align}>")?;
                Closing::Element(name)
            }
            Tag::Heading { level, .. } => {
                // The page has headings of its own above these, and levels are not left out.
                match level {
                    HeadingLevel::H1 => write!(self.out, "<h3>")?,
                    level => write!(self.out, "<h3 class=\"{level}\">")?,
                }
                Closing::Element("h3")
            }
            Tag::List(Some(first)) => {
                write!(self.out, "<ol start=\"{first}\">")?;
                Closing::Element("ol")
            }
            tag => match element(&tag) {
                Some(name) => {
                    self.is_head = matches!(tag, Tag::TableHead);
                    self.cell = 0;
                    write!(self.out, "<{name}>")?;
                    Closing::Element(name)
                }
                None => Closing::Nothing,
            },
        };
        self.closing.push(closing);
        Ok(())
    }

    fn start_link(&mut self, address: &str) -> io::Result<Closing> {
        self.shown.clear();
        if !leads_out(address) {
            return Ok(Closing::Target(address.to_owned()));
        }
        write!(
            self.out,
            "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">",
            Text(address)
        )?;
        Ok(Closing::Link(address.to_owned()))
    }

    fn start_picture(&mut self, address: &str) -> io::Result<Closing> {
        self.shown.clear();
        if is_own_picture(address) {
            write!(self.out, "<img src=\"{}\" alt=\"\">", Text(address))?;
            return Ok(Closing::Nothing);
        }
        write!(self.out, "[picture] ")?;
        Ok(Closing::Target(address.to_owned()))
    }

    fn end(&mut self, tag: TagEnd) -> io::Result<()> {
        self.depth -= 1;
        if tag == TagEnd::CodeBlock
            && let Some((language, text)) = self.code.take()
        {
            code::write(&language, &text, self.marks, self.out)?;
        }
        let closing = self.closing.pop();
        self.close(closing.unwrap_or(Closing::Nothing))
    }

    fn close(&mut self, closing: Closing) -> io::Result<()> {
        match closing {
            Closing::Nothing => Ok(()),
            Closing::Element(name) => write!(self.out, "</{name}>"),
            Closing::Link(address) => {
                write!(self.out, "</a>")?;
                // One that says what it leads to needs no other word.
                let is_said = self.shown == address || format!("mailto:{}", self.shown) == address;
                if !is_said {
                    write!(
                        self.out,
                        " <span class=\"target\">({})</span>",
                        Text(&address)
                    )?;
                }
                Ok(())
            }
            Closing::Target(address) => {
                write!(
                    self.out,
                    " <span class=\"target\">({})</span>",
                    EscapedLines(&address)
                )
            }
        }
    }

    /// Closes what is open still.
    fn end_all(&mut self) -> io::Result<()> {
        while let Some(closing) = self.closing.pop() {
            self.close(closing)?;
        }
        Ok(())
    }
}

/// The element for a part of a text that needs nothing else.
fn element(tag: &Tag<'_>) -> Option<&'static str> {
    Some(match tag {
        Tag::Paragraph => "p",
        Tag::BlockQuote(_) => "blockquote",
        Tag::List(None) => "ul",
        Tag::Item => "li",
        Tag::TableHead | Tag::TableRow => "tr",
        Tag::Emphasis => "em",
        Tag::Strong => "strong",
        Tag::Strikethrough => "del",
        _ => return None,
    })
}

/// Tells whether an address is one of the web or of a mailbox.
fn leads_out(address: &str) -> bool {
    let is_plain = !address.contains(|c: char| c.is_control() || c.is_whitespace());
    let scheme = address
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    is_plain && matches!(scheme.as_deref(), Some("http" | "https" | "mailto"))
}

/// Tells whether an address is a picture itself, of a kind that runs nothing.
fn is_own_picture(address: &str) -> bool {
    let data = address
        .strip_prefix("data:image/")
        .and_then(|rest| rest.split_once(";base64,"));
    data.is_some_and(|(kind, data)| {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        PICTURES.contains(&kind) && data.bytes().all(is_base64)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(text: &str) -> String {
        let mut out = Vec::new();
        write(text, &Marks::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_people_write_is_drawn() {
        for (text, expected) in [
            (
                "# One\ntwo **three**",
                "<h3>One</h3><p>two <strong>three</strong></p>",
            ),
            ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
            ("3. a", "<ol start=\"3\"><li>a</li></ol>"),
            ("> q", "<blockquote><p>q</p></blockquote>"),
            ("a\nb", "<p>a<br>\nb</p>"),
            ("- [x] a", "<ul><li>☑ a</li></ul>"),
            (
                "|a|b|\n|-|-:|\n|1|2|",
                "<div class=\"table\"><table><tr><th>a</th><th class=\"right\">b</th></tr>\
                 <tr><td>1</td><td class=\"right\">2</td></tr></table></div>",
            ),
            (
                "[x](https://e.org/a)",
                "<p><a href=\"https://e.org/a\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a> \
                 <span class=\"target\">(https://e.org/a)</span></p>",
            ),
        ] {
            assert_eq!(drawn(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_in_a_text_is_markup_or_leads_astray() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,<script>)",
            "![x](https://e.org/track.png)",
            "![x](data:image/svg+xml;base64,PHN2Zz4=)",
            "<svg><style>*{color:red}</style></svg>",
            "[a]: javascript:alert(1)\n\n[a]",
            "<https://e.org/\u{202e}>",
        ] {
            let page = drawn(text);
            for bad in [
                "<script", "<img", "<svg", "<style", "href=\"j", "href=\"J", "href=\"d", "\u{202e}",
            ] {
                assert!(!page.contains(bad), "{text}: {page}");
            }
        }
        assert!(drawn("![x](data:image/png;base64,AAAA)").contains("<img src=\"data:image/png;"));
    }

    proptest! {
        #[test]
        fn every_element_is_closed_and_known(text in "[ \n#*_`~>|\\-\\[\\]()<a-c:/!0-9.x\"'&\\\\]{0,80}") {
            let page = drawn(&text);
            let mut open = Vec::new();
            for piece in page.split('<').skip(1) {
                let name = piece.split(['>', ' ']).next().unwrap();
                match name.strip_prefix('/') {
                    Some(name) => prop_assert_eq!(open.pop(), Some(name), "{}", page),
                    None if ["br", "hr", "img"].contains(&name) => {}
                    None => open.push(name),
                }
            }
            prop_assert!(open.is_empty(), "{}", page);
        }
    }
}
