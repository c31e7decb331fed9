//! More of the program: which messages it finds, and `verify` and `salvage` on
//! sessions that something happened to.

#![allow(
    clippy::unwrap_used,
    reason = "clippy sees only #[test] functions as tests"
)]

mod cases;
mod context;
mod follow;
mod formats;
mod limits;
mod pages;
mod places;
mod salvage;
mod selection;
#[cfg(target_os = "linux")]
mod serve;
mod verify;

use crate::util::Logs;

/// A line with its number and its checksum, as the broker writes it.
pub(crate) fn sealed(number: u64) -> String {
    let body = format!(
        r#"{{"topic":"t","sender":"s","timestamp":"2025-11-20T12:00:00Z","tier":"E","chain_type":"c","shl_tags":[],"message_id":null,"content":"text of {number}","recorded_at":"2025-11-20T12:00:00.000Z"}}"#
    );
    let mut group = journal::raw::Group::new(number, usize::MAX);
    group
        .push_with(|out| out.extend_from_slice(body.as_bytes()))
        .unwrap();
    String::from_utf8(group.bytes().to_vec()).unwrap()
}

pub(crate) fn lines(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(sealed).collect()
}

/// The first half of a line, without a newline.
pub(crate) fn torn(number: u64) -> String {
    let line = sealed(number);
    line[..line.len() / 2].to_owned()
}

/// A line whose text was changed.
pub(crate) fn altered(number: u64) -> String {
    sealed(number).replace("text", "test")
}

pub(crate) const LEGACY: &str = concat!(
    r#"{"Id": "1", "Timestamp": "2025-11-30T09:35:11.678846", "SpeakerName": "gemini_cli", "Message": "{\"message\": \"Hello\"}", "Metadata": {"topic": "general"}}"#,
    "\n"
);

pub(crate) fn logs(session: impl AsRef<[u8]>) -> Logs {
    let logs = Logs::new();
    logs.write_current(session);
    logs
}
