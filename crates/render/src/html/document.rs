//! What all pages have around what they show: the head with the policy, and the scripts.

use std::io::{self, Write};
use std::path::Path;

use query::{Zone, shown};

use super::escape::Text;

/// The style of a message, for pages that draw messages as this one does.
pub const MESSAGE_STYLE: &str = include_str!("message.css");
pub(super) const STYLE: &str = concat!(include_str!("message.css"), include_str!("page.css"));
/// SHA-256 of the style, in base64.
pub(super) const STYLE_HASH: &str = "eJTs5Zvr8BPgsKjWly9PTnSnybrWZ6TMPaev4UFse2I=";

/// A script that is part of a page, which allows it by its hash.
pub(super) struct Script {
    pub(super) text: &'static str,
    /// SHA-256 in base64.
    pub(super) hash: &'static str,
}

/// The script of a page of messages.
pub(super) const PAGE: Script = Script {
    text: include_str!("page.js"),
    hash: "ZqAlcOslStsmuD61gB5kZJjU3zduFcb7H4Bgwumrqsk=",
};
/// The script of the index page, which searches all pages.
pub(super) const SEARCH: Script = Script {
    text: include_str!("search.js"),
    hash: "/+O72PvqoDFgfUBqJ001OFvqtiCDPpgB6Q0cyDYu9D0=",
};

/// A page, as far as it is the same for all.
pub(super) struct Document<'a> {
    /// What was recorded, by the path of its file.
    pub(super) path: &'a Path,
    pub(super) zone: &'a Zone,
    pub(super) script: &'static Script,
    /// Whether it also loads scripts that lie beside it.
    pub(super) has_files: bool,
}

impl Document<'_> {
    /// Writes all that comes before what is shown.
    pub(super) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        let path = shown(self.path);
        let (title, zone) = (Text(&path), self.zone.name());
        let hash = self.script.hash;
        let beside = if self.has_files { " 'self'" } else { "" };
        let policy = format!(
            "default-src 'none'; img-src data:; script-src 'sha256-{hash}'{beside}; \
             style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
        );
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>Conversation: {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>Conversation</h1>\n<p>{title} · times in {}</p></header>\n",
            Text(&zone)
        )
    }

    /// Writes all that comes behind it.
    pub(super) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        let script = self.script.text;
        writeln!(out, "<script>{script}</script>\n</body>\n</html>")
    }
}

/// Writes what searches and arranges the messages of a page.
pub(super) fn write_controls(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<div id=\"controls\" hidden><input id=\"search\" type=\"search\" autocomplete=\"off\" \
         placeholder=\"Search: press /\" aria-label=\"Search\"> \
         <label><input id=\"threads\" type=\"checkbox\"> Threads</label> \
         <span id=\"found\" role=\"status\"></span></div>"
    )
}
