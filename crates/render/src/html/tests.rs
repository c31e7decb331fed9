use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::document::{PAGE, SEARCH, STYLE, STYLE_HASH};
use super::escape::{EscapedLines, Text};

#[test]
fn the_policy_names_the_pages_own_script_and_style() {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    assert_eq!(hash(STYLE), STYLE_HASH, "put this hash into document.rs");
    for script in [&PAGE, &SEARCH] {
        assert_eq!(
            hash(script.text),
            script.hash,
            "put this hash into document.rs"
        );
    }
}

#[test]
fn the_page_asks_for_nothing_else() {
    for text in [STYLE, PAGE.text, SEARCH.text] {
        for word in [
            "http:",
            "https:",
            "url(",
            "@import",
            "fetch(",
            "innerHTML",
            "eval(",
            "</",
        ] {
            assert!(!text.contains(word), "{word}");
        }
    }
}

#[test]
fn markup_is_text() {
    let text = "<script>\"&'</script>\u{202e}\n";
    let expected = "&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;\\u202e";
    assert_eq!(Text(text).to_string(), format!("{expected}\\u000a"));
    assert_eq!(EscapedLines(text).to_string(), format!("{expected}\n"));
    assert_eq!(EscapedLines("a\r\n\tb\u{7}").to_string(), "a\n\tb\\u0007");
}

proptest! {
    #[test]
    fn any_text_is_without_markup(text in any::<String>()) {
        let shown = EscapedLines(&text).to_string();
        prop_assert!(!shown.contains(['<', '>', '"', '\'']));
        for entity in shown.split('&').skip(1) {
            let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
            prop_assert!(known.iter().any(|known| entity.starts_with(known)), "{shown}");
        }
    }
}
