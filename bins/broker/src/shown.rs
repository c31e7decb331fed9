//! How is text from elsewhere shown, so that it can't drive a terminal?

/// Replaces control characters and the like by escapes. Backslashes and quotes
/// stay: a path on Windows is to be read, and copied, as it is.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '"' | '\'' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_windows_stays_as_it_is_and_a_terminal_is_not_driven() {
        let path = r"C:\Users\Ann's\conversation_logs\current_session.jsonl";
        assert_eq!(shown(path), path);
        assert_eq!(shown("\u{1b}[2J\u{202e}"), "\\u{1b}[2J\\u{202e}");
    }
}
