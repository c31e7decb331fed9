//! Blocks of code, with what makes them easier to read.

use std::io::{self, Write};

use query::Marks;

use super::escape::{EscapedLines, Text};
use super::marked::write_marked;

/// Longer blocks have no colours.
const LONGEST: usize = 64 << 10;

/// Words that mean something of their own in most languages.
const WORDS: &str = " as async await bool break case catch class const continue def default del do elif else \
    enum except export extends false finally float fn for from func function go if impl import in int \
    interface is lambda let loop match mod mut new nil none not null or and package pass pub public \
    private raise return self static str string struct super switch then this throw trait true try type \
    undefined use var void where while with yield fi done echo esac local select insert update delete \
    create table ";

pub(super) fn write(
    language: &str,
    text: &str,
    marks: &Marks,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    write!(out, "<figure class=\"code\"><figcaption>")?;
    write!(out, "<span>{}</span>", Text(language))?;
    write!(
        out,
        "<button type=\"button\" class=\"copy\" aria-label=\"Copy\" hidden></button></figcaption><pre><code>"
    )?;
    let is_marked = !marks.ranges(text).is_empty();
    if is_diff(language, text) {
        write_diff(text, marks, out)?;
    } else if is_marked || text.len() > LONGEST || language == "text" {
        write_marked(text, marks, out)?;
    } else {
        write_coloured(text, language, out)?;
    }
    writeln!(out, "</code></pre></figure>")
}

fn is_diff(language: &str, text: &str) -> bool {
    let begins = |beginning: &str| text.starts_with(beginning);
    let is_named = matches!(language, "diff" | "patch");
    is_named || language.is_empty() && (begins("diff --git ") || begins("--- ") || begins("@@ "))
}

fn write_diff(text: &str, marks: &Marks, out: &mut dyn Write) -> io::Result<()> {
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let class = match line.as_bytes().first() {
            Some(b'+') => "added",
            Some(b'-') => "removed",
            Some(b'@') => "place",
            _ => "same",
        };
        write!(out, "<span class=\"{class}\">")?;
        write_marked(line, marks, out)?;
        write!(out, "</span>")?;
    }
    Ok(())
}

/// Colours comments, strings, numbers and words, which most languages spell alike.
fn write_coloured(text: &str, language: &str, out: &mut dyn Write) -> io::Result<()> {
    let has_hash = !matches!(
        language,
        "c" | "cpp" | "rust" | "rs" | "js" | "ts" | "java" | "go" | "css" | "html"
    );
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (class, length) = token(rest, first, has_hash);
        let (piece, behind) = rest.split_at(length);
        match class {
            Some(class) => write!(
                out,
                "<span class=\"{class}\">{}</span>",
                EscapedLines(piece)
            )?,
            None => write!(out, "{}", EscapedLines(piece))?,
        }
        rest = behind;
    }
    Ok(())
}

/// Returns what a text begins with, and how long that is.
fn token(text: &str, first: char, has_hash: bool) -> (Option<&'static str>, usize) {
    let line = || text.find('\n').unwrap_or(text.len());
    match first {
        '#' if has_hash => (Some("comment"), line()),
        '/' if text.starts_with("//") => (Some("comment"), line()),
        '/' if text.starts_with("/*") => {
            let end = text.find("*/").map_or(text.len(), |end| end + 2);
            (Some("comment"), end)
        }
        '"' | '`' => (Some("string"), quoted(text, first)),
        // An apostrophe is a quote where another one follows in the line.
        '\'' => match quoted(text, first) {
            length if length > 1 => (Some("string"), length),
            _ => (None, 1),
        },
        '0'..='9' => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
            (
                Some("number"),
                text.find(|c| !is_part(c)).unwrap_or(text.len()),
            )
        }
        c if c.is_alphabetic() || c == '_' => {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
            let word = text.get(..length).unwrap_or_default();
            let is_word = WORDS.contains(&format!(" {} ", word.to_ascii_lowercase()));
            (is_word.then_some("word"), length)
        }
        c => {
            let plain = |c: char| !(c.is_alphanumeric() || "_#/\"'`".contains(c));
            let length = text.find(|c| !plain(c)).unwrap_or(text.len());
            (None, length.max(c.len_utf8()))
        }
    }
}

/// The length of a text in quotes that ends in its line; 1 where it does not.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => break,
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(language: &str, text: &str) -> String {
        let mut out = Vec::new();
        write(language, text, &Marks::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn code_has_its_language_and_colours() {
        let page = drawn("rust", "let a = \"<b>\"; // no\n");
        assert!(page.contains("<span>rust</span>"), "{page}");
        assert!(page.contains("<span class=\"word\">let</span> a = <span class=\"string\">&quot;&lt;b&gt;&quot;</span>"), "{page}");
        assert!(
            page.contains("<span class=\"comment\">// no</span>"),
            "{page}"
        );
        let diff = drawn("diff", "@@ 1\n-a\n+b");
        assert!(
            diff.contains("<span class=\"removed\">-a</span>\n<span class=\"added\">+b</span>"),
            "{diff}"
        );
    }

    proptest! {
        #[test]
        fn colours_lose_no_character(text in any::<String>()) {
            let mut out = Vec::new();
            write_coloured(&text, "", &mut out).unwrap();
            let page = String::from_utf8(out).unwrap();
            let mut shown = String::new();
            let mut rest = page.as_str();
            while let Some(at) = rest.find('<') {
                shown.push_str(&rest[..at]);
                rest = &rest[at..][rest[at..].find('>').unwrap() + 1..];
            }
            shown.push_str(rest);
            prop_assert_eq!(shown.replace("\r", ""), EscapedLines(&text).to_string().replace("\r", ""));
        }
    }
}
