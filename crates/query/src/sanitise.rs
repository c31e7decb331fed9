//! Untrusted text made fit for a terminal.
//!
//! Whoever sends a message chooses its text. Shown as it is, that text could
//! move the cursor, colour or retitle the terminal, turn the direction of
//! writing around or hide a part of itself. Characters that can do so, or that
//! nobody can see, are shown as the escape that JSON has for them, `\u001b`
//! for instance. The rule is the same for a terminal, a file and a pipe.

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
    for c in rest.chars() {
        if is_hidden(c) {
            push_escape(c, &mut clean);
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
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
pub(crate) fn is_hidden(c: char) -> bool {
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

    proptest! {
        #[test]
        fn nothing_hidden_gets_through(hidden in HIDDEN) {
            let shown = sanitise(&hidden);
            prop_assert!(shown.bytes().all(|b| b == b'\\' || b.is_ascii_alphanumeric()), "{shown}");
        }

        #[test]
        fn any_text_can_be_told_from_its_escapes(text in any::<String>()) {
            let shown = sanitise(&text);
            prop_assert!(!shown.chars().any(char::is_control));
            let expected: usize = text.chars().filter(|c| !is_hidden(*c)).count();
            let kept = text.chars().filter(|c| is_hidden(*c)).map(|c| 6 * c.len_utf16()).sum::<usize>();
            prop_assert_eq!(shown.chars().count(), expected + kept);
        }

        #[test]
        fn plain_text_stays_as_it_is(text in PLAIN) {
            prop_assert!(matches!(sanitise(&text), Cow::Borrowed(same) if same == text));
        }
    }
}
