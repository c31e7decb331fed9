//! Untrusted text made fit for a terminal.
//!
//! Whoever sends a message chooses its text. Shown as it is, that text could
//! move the cursor, colour or retitle the terminal, turn the direction of
//! writing around or hide a part of itself. Characters that can do so, or that
//! nobody can see, are shown as the escape that JSON has for them, `\u001b`
//! for instance. The rule is the same for a terminal, a file and a pipe.
//!
//! A few of these characters are parts of others where they belong: the selector
//! that gives an emoji its colours, the joiners within emoji and within Persian
//! and Indic words. There they are shown; anywhere else they are escapes.

use std::borrow::Cow;

/// Replaces control, bidirectional and invisible characters by visible escapes.
///
/// Line breaks are among them; who wants to keep those splits the text first.
/// Within JSON the escapes stand for the same characters, so the value of the
/// JSON stays what it was.
///
/// ```
/// assert_eq!(query::sanitise("\u{1b}[2J bell\u{7}"), "\\u001b[2J bell\\u0007");
/// assert_eq!(query::sanitise("Grüße 👋"), "Grüße 👋");
/// ```
#[must_use]
pub fn sanitise(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hidden) else {
        return Cow::Borrowed(text);
    };
    let (plain, rest) = text.split_at(first);
    let mut clean = String::with_capacity(text.len() + 16);
    clean.push_str(plain);
    let mut before = plain.chars().next_back();
    let mut tags = 0;
    for (at, c) in rest.char_indices() {
        let behind = || rest.get(at..).and_then(|rest| rest.chars().nth(1));
        if tags > 0 {
            // Its place among the others was looked at with the first one.
            tags -= 1;
            clean.push(c);
        } else if !is_hidden(c) || belongs(before, c, behind()) {
            clean.push(c);
        } else if before == Some(BLACK_FLAG)
            && let Some(length) = tag_sequence(rest.get(at..).unwrap_or_default())
        {
            tags = length - 1;
            clean.push(c);
        } else {
            push_escape(c, &mut clean);
        }
        before = Some(c);
    }
    Cow::Owned(clean)
}

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
/// Shows the character before it in colours, or as text.
const SELECTORS: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];
/// Flags of parts of countries are this and the part's name in tags.
const BLACK_FLAG: char = '\u{1f3f4}';

/// Tells whether a character that can hide something is part of the one before it.
fn belongs(before: Option<char>, c: char, behind: Option<char>) -> bool {
    let (Some(before), behind) = (before, behind.unwrap_or(' ')) else {
        return false;
    };
    match c {
        ZWJ if is_indic(before) => is_indic(behind),
        ZWJ => (is_emoji(before) || SELECTORS.contains(&before)) && is_emoji(behind),
        ZWNJ => is_arabic(before) && is_arabic(behind) || is_indic(before) && is_indic(behind),
        _ if SELECTORS.contains(&c) => is_emoji(before) || is_keycap(before, behind),
        _ => false,
    }
}

/// Tells whether a hidden character may belong somewhere.
#[must_use]
pub fn is_joiner(c: char) -> bool {
    matches!(c, ZWNJ | ZWJ) || SELECTORS.contains(&c) || matches!(c, '\u{e0020}'..='\u{e007f}')
}

fn is_emoji(c: char) -> bool {
    matches!(
        c,
        '©' | '®' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}'
    ) && !is_hidden(c)
}

fn is_keycap(before: char, behind: char) -> bool {
    matches!(before, '0'..='9' | '#' | '*') && behind == '\u{20e3}'
}

fn is_arabic(c: char) -> bool {
    let is_there = matches!(
        c,
        '\u{620}'..='\u{74f}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{fb50}'..='\u{fdff}'
    );
    is_there && !is_hidden(c)
}

fn is_indic(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}')
}

/// Returns how many tags, the closing one included, name the part of a country.
fn tag_sequence(text: &str) -> Option<usize> {
    const LONGEST: usize = 7;
    let is_name = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let length = text.chars().take_while(is_name).count();
    let ends = text.chars().nth(length) == Some('\u{e007f}');
    (ends && (1..LONGEST).contains(&length)).then_some(length + 1)
}

/// Appends the character as JSON escapes, two of them beyond U+FFFF.
fn push_escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

/// Tells whether a character shows nothing of itself or acts on its surroundings.
///
/// These are the Unicode categories Cc, Cf, Zl and Zp, the property
/// Default_Ignorable_Code_Point, the noncharacters, and the blank braille pattern.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{16fe4}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader would not see, by Unicode's own classes.
    const HIDDEN: &str = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u{2800}]{1,20}";
    const PLAIN: &str =
        r"[[\p{L}\p{N}\p{P}\p{S}\p{Zs}]--[\p{Default_Ignorable_Code_Point}\u{2800}]]*";

    #[test]
    fn escapes_are_those_of_json() {
        let nasty = "a\n\t\u{1b}[31m\u{9b}\u{202e}\u{200b}\u{feff}\u{e0041}\u{fe0f}";
        let shown = sanitise(nasty);
        assert_eq!(
            shown,
            "a\\u000a\\u0009\\u001b[31m\\u009b\\u202e\\u200b\\ufeff\\udb40\\udc41\\ufe0f"
        );
        let back: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
        assert_eq!(back, nasty);
    }

    #[test]
    fn what_belongs_to_a_character_is_shown() {
        for text in [
            "⚠️ ✔️ ❤️ 1️⃣ #️⃣",
            "👨\u{200d}👩\u{200d}👧 🏳️\u{200d}🌈 👍🏽 🇩🇪",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ] {
            assert_eq!(sanitise(text), text);
        }
    }

    #[test]
    fn the_same_characters_out_of_place_are_escapes() {
        for (text, shown) in [
            ("a\u{fe0f}", "a\\ufe0f"),
            ("1\u{fe0f}", "1\\ufe0f"),
            ("a\u{200d}b", "a\\u200db"),
            ("a\u{200c}b", "a\\u200cb"),
            ("👨\u{200d}", "👨\\u200d"),
            ("⚠\u{fe0f}\u{fe0f}", "⚠\u{fe0f}\\ufe0f"),
            ("🏴\u{e0067}", "🏴\\udb40\\udc67"),
            ("می\u{202e}", "می\\u202e"),
            ("soft\u{ad}hyphen", "soft\\u00adhyphen"),
        ] {
            assert_eq!(sanitise(text), shown, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_gets_through(hidden in HIDDEN) {
            let shown = sanitise(&hidden);
            prop_assert!(shown.bytes().all(|b| b == b'\\' || b.is_ascii_alphanumeric()), "{shown}");
        }

        #[test]
        fn any_text_can_be_told_from_its_escapes(text in any::<String>()) {
            let text = text.replace(['"', '\\'], "");
            let shown = sanitise(&text);
            prop_assert!(!shown.chars().any(char::is_control));
            let back: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn plain_text_stays_as_it_is(text in PLAIN) {
            prop_assert!(matches!(sanitise(&text), Cow::Borrowed(same) if same == text));
        }
    }
}
