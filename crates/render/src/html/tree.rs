//! JSON as a tree that can be folded.

use std::io::{self, Write};

use super::escape::Text;
use super::marked::{clipped, write_rest};
use crate::pretty::{Tokens, readable};

/// Deeper levels stand there as text: no browser nests elements much deeper.
const DEEPEST: usize = 30;

pub(super) fn write(json: &str, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<div class=\"json\">")?;
    let mut tree = Tree {
        tokens: Tokens::new(clipped(json, limit)),
        out,
    };
    tree.value(0)?;
    // What is behind the first value was no JSON.
    while let Some(token) = tree.tokens.next() {
        tree.scalar(token)?;
    }
    writeln!(out, "</div>")?;
    write_rest(json.len(), limit, out)
}

struct Tree<'a, 'o> {
    tokens: Tokens<'a>,
    out: &'o mut dyn Write,
}

impl<'a> Tree<'a, '_> {
    fn value(&mut self, depth: usize) -> io::Result<()> {
        match self.tokens.next() {
            Some(open @ ("{" | "[")) if depth < DEEPEST => self.members(open, depth),
            Some(open @ ("{" | "[")) => self.flat(open),
            Some(token) => self.scalar(token),
            None => Ok(()),
        }
    }

    fn members(&mut self, open: &'a str, depth: usize) -> io::Result<()> {
        let close = if open == "{" { "}" } else { "]" };
        if self.tokens.peek() == close.bytes().next() {
            self.tokens.next();
            return write!(self.out, "<span class=\"mark\">{open}{close}</span>");
        }
        let is_open = if depth == 0 { " open" } else { "" };
        write!(
            self.out,
            "<details{is_open}><summary>{open}…{close}</summary><ul>"
        )?;
        loop {
            write!(self.out, "<li>")?;
            let is_key = open == "{" && self.tokens.peek() == Some(b'"');
            if is_key && let Some(key) = self.tokens.next() {
                write!(
                    self.out,
                    "<span class=\"name\">{}</span>",
                    Text(&readable(key))
                )?;
                if self.tokens.peek() == Some(b':') {
                    self.tokens.next();
                    write!(self.out, ": ")?;
                }
            }
            let ends = self
                .tokens
                .peek()
                .is_none_or(|byte| matches!(byte, b'}' | b']' | b','));
            if !ends {
                self.value(depth + 1)?;
            }
            write!(self.out, "</li>")?;
            match self.tokens.next() {
                Some(",") => {}
                _ => break,
            }
        }
        write!(self.out, "</ul></details>")
    }

    /// Writes all that belongs to a bracket as text.
    fn flat(&mut self, open: &'a str) -> io::Result<()> {
        let mut depth = 1;
        write!(self.out, "<span class=\"flat\">{open}")?;
        while depth > 0
            && let Some(token) = self.tokens.next()
        {
            match token {
                "{" | "[" => depth += 1,
                "}" | "]" => depth -= 1,
                _ => {}
            }
            write!(self.out, "{}", Text(token))?;
        }
        write!(self.out, "</span>")
    }

    fn scalar(&mut self, token: &str) -> io::Result<()> {
        let class = match token.as_bytes().first() {
            Some(b'"') => "string",
            Some(b'-' | b'0'..=b'9') => "number",
            _ => "word",
        };
        write!(
            self.out,
            "<span class=\"{class}\">{}</span>",
            Text(&readable(token))
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(json: &str) -> String {
        let mut out = Vec::new();
        write(json, usize::MAX, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn members_and_elements_can_be_folded() {
        let page = drawn(r#"{"a":[1,"<b>"],"c":{}}"#);
        assert_eq!(
            page,
            "<div class=\"json\"><details open><summary>{…}</summary><ul><li><span class=\"name\">&quot;a&quot;</span>: \
             <details><summary>[…]</summary><ul><li><span class=\"number\">1</span></li>\
             <li><span class=\"string\">&quot;&lt;b&gt;&quot;</span></li></ul></details></li>\
             <li><span class=\"name\">&quot;c&quot;</span>: <span class=\"mark\">{}</span></li></ul></details></div>\n"
        );
    }

    #[test]
    fn any_depth_is_drawn() {
        let page = drawn(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)));
        assert!(page.matches("<details").count() <= DEEPEST);
    }

    proptest! {
        #[test]
        fn what_is_no_json_is_drawn_as_well(text in "[\\[\\]{}:,\"a1 ]{0,60}") {
            let page = drawn(&text);
            for name in ["details", "ul", "li", "span"] {
                let (open, close) = (format!("<{name}"), format!("</{name}>"));
                prop_assert_eq!(page.matches(&open).count(), page.matches(&close).count());
            }
        }
    }
}
