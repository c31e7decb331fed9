//! The text of drawn messages, in which one searches.

/// Returns what a reader sees of markup that was written here: its text, with one space
/// where there is room.
pub(super) fn visible(markup: &str) -> String {
    let mut text = String::with_capacity(markup.len() / 2);
    let mut rest = markup;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, special) = rest.split_at(at);
        add(before, &mut text);
        rest = match special.strip_prefix('&') {
            Some(entity) => add_entity(entity, &mut text),
            None => {
                let (tag, behind) = special.split_once('>').unwrap_or((special, ""));
                if !is_inline(tag) {
                    add(" ", &mut text);
                }
                behind
            }
        };
    }
    add(rest, &mut text);
    text.truncate(text.trim_end().len());
    text
}

/// Tells whether a word may go on behind a tag.
fn is_inline(tag: &str) -> bool {
    const NAMES: [&str; 8] = ["span", "a", "b", "strong", "em", "del", "code", "mark"];
    let name = tag.trim_start_matches(['<', '/']);
    NAMES.contains(&name.split(' ').next().unwrap_or_default())
}

fn add(piece: &str, text: &mut String) {
    for c in piece.chars() {
        let is_room = c.is_whitespace();
        if !is_room {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    }
}

/// Adds the character that stands behind an ampersand; returns what is behind that.
fn add_entity<'t>(entity: &'t str, text: &mut String) -> &'t str {
    const KNOWN: [(&str, char); 5] = [
        ("amp;", '&'),
        ("lt;", '<'),
        ("gt;", '>'),
        ("quot;", '"'),
        ("#39;", '\''),
    ];
    for (name, c) in KNOWN {
        if let Some(behind) = entity.strip_prefix(name) {
            text.push(c);
            return behind;
        }
    }
    entity
}

#[cfg(test)]
mod tests {
    use super::super::escape::EscapedLines;
    use super::*;

    #[test]
    fn what_is_read_is_found() {
        let page = format!(
            "<article class=\"k1\">\n<header><b>a</b>c b</header><pre>{}</pre></article>\n",
            EscapedLines("x < y && 'z'\n\t\"&amp;\"")
        );
        assert_eq!(visible(&page), "ac b x < y && 'z' \"&amp;\"");
        assert_eq!(visible(""), "");
    }
}
