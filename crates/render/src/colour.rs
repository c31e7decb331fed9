//! Colours of senders, and the few other styles.

use std::cell::RefCell;
use std::collections::HashMap;

use anstyle::{Ansi256Color, AnsiColor, Effects, Style};

/// Colours that can be read on a dark ground as well as on a light one, as
/// terminals number them and as a page names them.
pub(crate) const COLOURS: [(u8, &str); 12] = [
    (32, "#0087d7"),
    (166, "#d75f00"),
    (28, "#008700"),
    (163, "#d700af"),
    (136, "#af8700"),
    (99, "#875fff"),
    (30, "#008787"),
    (160, "#d70000"),
    (64, "#5f8700"),
    (133, "#af5faf"),
    (67, "#5f87af"),
    (131, "#af5f5f"),
];

/// The styles of a text, which say nothing where there are no colours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paint {
    is_on: bool,
    /// The senders that have a colour, in the order in which they came.
    senders: RefCell<HashMap<String, usize>>,
}

impl Paint {
    pub(crate) fn new(is_on: bool) -> Self {
        Self {
            is_on,
            ..Self::default()
        }
    }

    /// Which of the colours a sender has: the first that comes has the first one.
    pub(crate) fn kind(&self, sender: &str) -> usize {
        let mut senders = self.senders.borrow_mut();
        if let Some(kind) = senders.get(sender) {
            return *kind;
        }
        let next = senders.len();
        // A sender that comes after this many others gets one of their colours.
        if next < 10_000 {
            senders.insert(sender.to_owned(), next % COLOURS.len());
        }
        next % COLOURS.len()
    }

    /// The style of a sender's name.
    pub(crate) fn sender(&self, sender: &str) -> Style {
        if !self.is_on {
            return Style::new();
        }
        let (colour, _) = COLOURS[self.kind(sender)];
        let colour = Ansi256Color(colour).into();
        Style::new().bold().fg_color(Some(colour))
    }

    /// No style.
    pub(crate) const fn plain(&self) -> Style {
        Style::new()
    }

    /// The style of what is beside the point.
    pub(crate) const fn dim(&self) -> Style {
        self.only(Style::new().effects(Effects::DIMMED))
    }

    /// The style of headings.
    pub(crate) const fn bold(&self) -> Style {
        self.only(Style::new().effects(Effects::BOLD))
    }

    /// The style of code.
    pub(crate) fn code(&self) -> Style {
        self.only(Style::new().fg_color(Some(AnsiColor::Cyan.into())))
    }

    /// The style of what was searched.
    pub(crate) fn mark(&self) -> Style {
        let style = Style::new().fg_color(Some(AnsiColor::Black.into()));
        self.only(style.bg_color(Some(AnsiColor::Yellow.into())))
    }

    const fn only(&self, style: Style) -> Style {
        if self.is_on { style } else { Style::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_nothing_is_written() {
        let paint = Paint::new(false);
        assert_eq!(format!("{}x{0:#}", paint.sender("gemini")), "x");
        assert_ne!(format!("{}", Paint::new(true).sender("gemini")), "");
    }

    #[test]
    fn twelve_senders_have_twelve_colours() {
        let paint = Paint::new(true);
        let names: Vec<_> = (0..12).map(|n| format!("sender {n}")).collect();
        let kinds: Vec<_> = names.iter().map(|name| paint.kind(name)).collect();
        assert_eq!(kinds, (0..12).collect::<Vec<_>>());
        let again: Vec<_> = names.iter().map(|name| paint.kind(name)).collect();
        assert_eq!(again, kinds);
    }

    #[test]
    fn a_page_has_the_same_colours() {
        let page = include_str!("html/message.css");
        for (at, (_, colour)) in COLOURS.iter().enumerate() {
            assert!(
                page.contains(&format!(".k{at} {{ --own: {colour}; }}")),
                "{at}"
            );
        }
    }
}
