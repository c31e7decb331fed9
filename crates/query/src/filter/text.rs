//! Search in the text of a content, and the bytes that a match must contain.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

use crate::error::Error;
use crate::fields::Content;

/// A regular expression, or the plain text that it stands for.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Plain(Box<Finder<'static>>),
    Pattern {
        regex: Regex,
        /// A text that is part of every match.
        required: Option<String>,
        /// Whether it may be there in other case.
        ignore_case: bool,
    },
}

impl Text {
    pub(super) fn compile(pattern: &str, ignore_case: bool) -> Result<Self, Error> {
        if !ignore_case && regex_syntax::escape(pattern) == pattern {
            return Ok(Self::Plain(Box::new(Finder::new(pattern).into_owned())));
        }
        let built = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .multi_line(true)
            .build();
        let regex = built.map_err(|source| {
            let (reason, at) = what_is_wrong(pattern);
            Error::Pattern {
                pattern: pattern.to_owned(),
                reason: reason.unwrap_or_else(|| source.to_string()),
                at,
                source: Box::new(source),
            }
        })?;
        // Where case does not matter, what matches has the same characters in some case.
        let parsed = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .multi_line(true)
            .build()
            .parse(pattern);
        let required = parsed.ok().as_ref().and_then(required);
        Ok(Self::Pattern {
            regex,
            required,
            ignore_case,
        })
    }

    pub(super) fn is_in(&self, content: &Content<'_>) -> bool {
        content.any_value(&mut |value| match self {
            Self::Plain(finder) => finder.find(value).is_some(),
            Self::Pattern { regex, .. } => regex.is_match(value),
        })
    }

    /// Returns what is in every value in which this is found, but for the case of
    /// ASCII letters.
    pub(super) fn pieces(&self) -> Vec<&[u8]> {
        match self {
            Self::Plain(finder) => vec![finder.needle()],
            Self::Pattern { required: None, .. } => Vec::new(),
            Self::Pattern {
                required: Some(text),
                ignore_case: false,
                ..
            } => vec![text.as_bytes()],
            Self::Pattern {
                required: Some(text),
                ..
            } => {
                let pieces = text.split(|c: char| !c.is_ascii() || has_case_beyond_ascii(c));
                pieces.map(str::as_bytes).collect()
            }
        }
    }

    /// Returns what is in every line in which this is found.
    pub(super) fn needle(&self) -> Option<Needle> {
        match self {
            Self::Plain(finder) => Needle::of(std::str::from_utf8(finder.needle()).ok()?),
            Self::Pattern {
                required,
                ignore_case: false,
                ..
            } => Needle::of(required.as_ref()?),
            Self::Pattern { required, .. } => Needle::of_any_case(required.as_ref()?),
        }
    }
}

/// Tells what is wrong with a pattern, and at which of its characters.
fn what_is_wrong(pattern: &str) -> (Option<String>, usize) {
    let place = |offset: usize| {
        pattern
            .get(..offset)
            .map_or(0, |before| before.chars().count())
    };
    match regex_syntax::parse(pattern) {
        Err(regex_syntax::Error::Parse(error)) => {
            let reason = error.kind().to_string();
            (Some(reason), place(error.span().start.offset))
        }
        Err(regex_syntax::Error::Translate(error)) => {
            let reason = error.kind().to_string();
            (Some(reason), place(error.span().start.offset))
        }
        _ => (None, 0),
    }
}

/// Returns the longest text that is part of every match.
fn required(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(String::len),
        _ => None,
    }
}

/// Exports of streams have a key `subject` or `Subject`, and their messages in base64,
/// where no text is found.
const BASE64: &str = "ubject\"";
/// Exports of the system's journal have the numbers of the bytes of some messages behind
/// this, where none is found either.
const NUMBERS: &str = "MESSAGE\":";

/// Some bytes without which a line need not be looked at.
///
/// JSON may spell any character as an escape. So what is searched is a run of
/// characters that have no escape but `\u00xx`, and that escape is searched as
/// well. Both are found in a whole stretch of lines at once.
#[derive(Debug, Clone)]
pub(crate) struct Needle {
    run: Run,
    escape: Finder<'static>,
    base64: Finder<'static>,
    numbers: Finder<'static>,
}

#[derive(Debug, Clone)]
enum Run {
    One(Box<Finder<'static>>),
    Any(Regex),
}

impl Run {
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::One(finder) => finder.find(bytes),
            Self::Any(regex) => regex.find(bytes).map(|found| found.start()),
        }
    }
}

impl Needle {
    /// Finds the run to search of a text; there may be none that is worth it.
    pub(super) fn of(text: &str) -> Option<Self> {
        let run = Finder::new(run_of(text)?).into_owned();
        Some(Self::new(Run::One(Box::new(run))))
    }

    /// Finds the run to search of a text whose letters may have another case.
    ///
    /// A letter that is the same as one beyond ASCII ends it.
    fn of_any_case(text: &str) -> Option<Self> {
        let runs = text.split(|c| is_escaped(c) || has_case_beyond_ascii(c));
        let run = runs.max_by_key(|run| run.len());
        let run = run.filter(|run| run.len() >= SHORTEST)?;
        // It knows how to search for all spellings at once.
        let regex = RegexBuilder::new(&regex_syntax::escape(run))
            .case_insensitive(true)
            .unicode(false)
            .build();
        Some(Self::new(Run::Any(regex.ok()?)))
    }

    /// Finds the runs to search of several texts of which one has to be there.
    pub(crate) fn of_any<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Self> {
        let runs: Option<Vec<String>> = texts
            .map(|text| run_of(text).map(regex_syntax::escape))
            .collect();
        let regex = Regex::new(&runs?.join("|")).ok()?;
        Some(Self::new(Run::Any(regex)))
    }

    fn new(run: Run) -> Self {
        let finder = |word: &str| Finder::new(word).into_owned();
        Self {
            run,
            escape: finder("\\u00"),
            base64: finder(BASE64),
            numbers: finder(NUMBERS),
        }
    }

    /// Begins a search in some lines.
    pub(crate) fn search<'s>(&'s self, lines: &'s [u8]) -> Hits<'s> {
        Hits {
            needle: self,
            lines,
            run: None,
            escape: None,
            base64: None,
            numbers: None,
        }
    }
}

/// Tells whether an ASCII letter is the same as one beyond where case does not
/// matter, as the K is the sign of the kelvin and the s the long one.
fn has_case_beyond_ascii(c: char) -> bool {
    matches!(c, 'k' | 'K' | 's' | 'S')
}

/// A shorter run is in nearly every line.
const SHORTEST: usize = 2;

/// Returns the longest run of characters that have no short escape.
fn run_of(text: &str) -> Option<&str> {
    let run = text.split(is_escaped).max_by_key(|run| run.len());
    run.filter(|run| run.len() >= SHORTEST)
}

/// Tells whether a character may be written in several bytes or as a short escape.
fn is_escaped(c: char) -> bool {
    !matches!(c, ' '..='~') || matches!(c, '"' | '\\' | '/')
}

/// Where a needle occurs in some lines.
pub(crate) struct Hits<'s> {
    needle: &'s Needle,
    lines: &'s [u8],
    /// The next places that are known; the end where there is none.
    run: Option<usize>,
    escape: Option<usize>,
    base64: Option<usize>,
    numbers: Option<usize>,
}

impl Hits<'_> {
    /// Returns the first hit at `from` or behind it.
    pub(crate) fn next(&mut self, from: usize) -> Option<usize> {
        let is_passed = |known: Option<usize>| known.is_none_or(|at| at < from);
        let end = self.lines.len();
        let needle = self.needle;
        if is_passed(self.run) {
            let found = needle.run.find(self.rest(from));
            self.run = Some(found.map_or(end, |at| from + at));
        }
        if is_passed(self.escape) {
            // Above 0x7f there is no character of the run, below 0x20 neither.
            let fits = |behind: &[u8]| matches!(behind.first(), Some(b'2'..=b'7'));
            self.escape = Some(self.find(&needle.escape, from, fits));
        }
        if is_passed(self.base64) {
            self.base64 = Some(self.find(&needle.base64, from, |_| true));
        }
        if is_passed(self.numbers) {
            let fits = |behind: &[u8]| behind.starts_with(b"[") || behind.starts_with(b" [");
            self.numbers = Some(self.find(&needle.numbers, from, fits));
        }
        let next = [self.run, self.escape, self.base64, self.numbers];
        let next = next.into_iter().flatten().min();
        next.filter(|at| *at < end)
    }

    fn rest(&self, from: usize) -> &[u8] {
        self.lines.get(from..).unwrap_or_default()
    }

    /// Finds where a word stands and what is behind it fits; the end where it does nowhere.
    fn find(&self, word: &Finder<'_>, from: usize, fits: impl Fn(&[u8]) -> bool) -> usize {
        let mut at = from;
        while let Some(found) = word.find(self.rest(at)) {
            let behind = at + found + word.needle().len();
            if fits(self.rest(behind)) {
                return at + found;
            }
            at = behind;
        }
        self.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds_in_any_case(pattern: &str, line: &str) -> Option<bool> {
        let needle = Text::compile(pattern, true).unwrap().needle()?;
        Some(needle.search(line.as_bytes()).next(0).is_some())
    }

    #[test]
    fn in_any_case_a_run_is_found_in_all_its_spellings() {
        for (pattern, line) in [
            ("w.rd word", "wird WoRD"),
            ("kelvin", "\u{212a}ELVIN"),
            ("kelvin", "\\u212aelvin"),
            ("glass house", "gla\u{17f}\u{17f} houſe"),
            ("GRÜSSE", "grüſſe"),
            ("(?-i:Word)", "Word"),
            ("[w]ord", "\\u0057ord"),
        ] {
            assert_eq!(finds_in_any_case(pattern, line), Some(true), "{pattern}");
        }
        assert_eq!(finds_in_any_case("word", "wor d"), Some(false));
        for pattern in ["ks", "skK", "one|two", "ü"] {
            assert_eq!(finds_in_any_case(pattern, ""), None, "{pattern}");
        }
    }

    /// What makes the run right: no other ASCII letter is the same as one beyond.
    #[test]
    fn only_k_and_s_have_another_case_beyond_ascii() {
        let beyond = |letter: &char| {
            let pattern = format!("(?i){letter}");
            let hir = regex_syntax::parse(&pattern).unwrap();
            match hir.kind() {
                HirKind::Class(class) => !class.is_utf8() || class.maximum_len() > Some(1),
                other => panic!("{other:?}"),
            }
        };
        let letters = ('a'..='z').chain('A'..='Z');
        assert_eq!(String::from_iter(letters.filter(beyond)), "ksKS");
    }

    fn needle(pattern: &str) -> Option<String> {
        let needle = Text::compile(pattern, false).unwrap().needle()?;
        let Run::One(run) = needle.run else {
            return None;
        };
        Some(String::from_utf8(run.needle().to_vec()).unwrap())
    }

    #[test]
    fn the_longest_run_that_must_be_there_is_searched() {
        for (pattern, run) in [
            ("word", Some("word")),
            ("two words", Some("two words")),
            ("Grüße", Some("Gr")),
            ("a/path/to", Some("path")),
            ("say \"hello\"", Some("hello")),
            ("time(out|line) of the (quer)+y", Some(" of the ")),
            ("ab(cd)+", Some("cd")),
            ("^begin", Some("begin")),
            ("a", None),
            ("ü", None),
            ("one|two", None),
            ("(?i)word", None),
            (".*", None),
            ("(word)?", None),
        ] {
            assert_eq!(needle(pattern).as_deref(), run, "{pattern}");
        }
    }

    #[test]
    fn runs_and_escapes_are_found_in_their_order() {
        let needle = Needle::of("word").unwrap();
        let lines = b"a word \\u0077ord \\u00fc \\u001b word";
        let mut hits = needle.search(lines);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = hits.next(from) {
            found.push(at);
            from = at + 1;
        }
        assert_eq!(found, [2, 7, 31]);
    }

    #[test]
    fn what_is_no_regular_expression_is_refused() {
        let error = Text::compile("(", false).unwrap_err().to_string();
        assert_eq!(error, "'(' is no regular expression");
    }
}
