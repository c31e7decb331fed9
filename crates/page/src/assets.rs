//! The page's own files, which are part of the program.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const FILES: [(&str, &str, &str); 11] = [
    ("", HTML, include_str!("assets/index.html")),
    ("page.css", STYLE, include_str!("assets/page.css")),
    ("message.css", STYLE, render::MESSAGE_STYLE),
    ("main.js", SCRIPT, include_str!("assets/main.js")),
    ("api.js", SCRIPT, include_str!("assets/api.js")),
    ("view.js", SCRIPT, include_str!("assets/view.js")),
    ("list.js", SCRIPT, include_str!("assets/list.js")),
    ("filters.js", SCRIPT, include_str!("assets/filters.js")),
    ("charts.js", SCRIPT, include_str!("assets/charts.js")),
    ("thread.js", SCRIPT, include_str!("assets/thread.js")),
    ("live.js", SCRIPT, include_str!("assets/live.js")),
];

/// Answers with one of the files.
pub(crate) fn file(name: &str) -> Response {
    let file = FILES.iter().find(|(known, ..)| *known == name);
    match file {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "there is nothing here\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_elsewhere() {
        for (name, _, text) in FILES {
            for word in [
                "http://", "https://", "url(", "@import", "eval(", "<style", "onclick",
            ] {
                // The name of what SVG elements are is no address.
                let text = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
    }
}
