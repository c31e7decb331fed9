//! Colours of senders on a terminal.

use anstyle::{AnsiColor, Effects, Style};

/// Colours that can be read on a dark ground as well as on a light one.
const COLOURS: [AnsiColor; 10] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::BrightRed,
    AnsiColor::BrightCyan,
    AnsiColor::BrightGreen,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
];

/// How many senders can be told apart by their colours.
pub(super) const KINDS: usize = COLOURS.len();

/// Chooses one of [`KINDS`] for a sender, always the same one.
pub(super) fn kind(sender: &str) -> usize {
    // FNV-1a: short, and spreads names that differ in one letter.
    let hash = sender
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    usize::try_from((hash ^ (hash >> 32)) % KINDS as u64).unwrap_or(0)
}

/// The styles of a text, which say nothing where there are no colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    pub(super) const fn new(is_on: bool) -> Self {
        Self { is_on }
    }

    /// The style of a sender's name.
    pub(super) fn sender(self, sender: &str) -> Style {
        let colour = COLOURS.get(kind(sender)).copied();
        self.only(Style::new().bold().fg_color(colour.map(Into::into)))
    }

    /// No style.
    pub(super) const fn plain(self) -> Style {
        Style::new()
    }

    /// The style of what is beside the point.
    pub(super) const fn dim(self) -> Style {
        self.only(Style::new().effects(Effects::DIMMED))
    }

    /// The style of headings.
    pub(super) const fn bold(self) -> Style {
        self.only(Style::new().effects(Effects::BOLD))
    }

    const fn only(self, style: Style) -> Style {
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
    fn a_sender_keeps_its_colour_and_others_have_others() {
        let kinds = ["claude", "gemini", "llama", "human"].map(kind);
        assert_eq!(kinds, ["claude", "gemini", "llama", "human"].map(kind));
        let different: std::collections::BTreeSet<_> = kinds.into_iter().collect();
        assert!(different.len() > 2, "{kinds:?}");
    }
}
