//! `broker archive`: closes a running broker's session.

use std::io::Write;

use client::Client;

use crate::exit::Exit;
use crate::line::line;

pub(crate) fn run(
    client: &mut Client,
    label: Option<&str>,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    match client.archive(label)? {
        Some(client::Archived { name, messages }) => {
            line(out, &format!("[*] Archived {messages} messages to: {name}"))?;
        }
        None => line(out, "[*] Nothing to archive: the session is empty")?,
    }
    Ok(Exit::Done)
}
