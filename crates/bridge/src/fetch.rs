//! A machine's journal, made of its stream: for when the machine is lost.

use std::io::Write;

use async_nats::jetstream::Context;

use crate::error::Error;
use crate::reader::Reader;
use crate::stream::Stream;

/// What was fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The first number, and the last.
    pub first: u64,
    /// The last number that the stream had.
    pub last: u64,
    /// Records written.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Numbers that had no readable record in the journal either.
    pub missing: u64,
}

/// Writes the lines of a journal as they were, one after the other.
///
/// # Errors
/// [`Error::Stream`] where there is no such stream, or it lacks something.
pub async fn fetch(
    context: &Context,
    origin: &str,
    out: &mut impl Write,
) -> Result<Fetched, Error> {
    let stream = find(context, origin).await?;
    let last = stream.last().await?;
    let mut fetched = Fetched {
        first: stream.first,
        last,
        ..Fetched::default()
    };
    if last < stream.first {
        return Ok(fetched);
    }
    let mut reader = Reader::open_at(&stream, stream.first).await?;
    for number in stream.first..=last {
        match reader.line(number).await? {
            Some(line) => {
                let written = out.write_all(&line).and_then(|()| out.write_all(b"\n"));
                written.map_err(|source| Error::File {
                    path: "the output".into(),
                    source,
                })?;
                fetched.records += 1;
                fetched.bytes += line.len() as u64 + 1;
            }
            None => fetched.missing += 1,
        }
    }
    Ok(fetched)
}

/// Returns the stream of a journal, which has to be there.
pub(crate) async fn find(context: &Context, origin: &str) -> Result<Stream, Error> {
    let found = Stream::find(context, origin).await?;
    found.ok_or_else(|| {
        let reason = "there is no such stream: `bridge status` tells which there are";
        Error::stream(&crate::stream::name(origin), reason)
    })
}
