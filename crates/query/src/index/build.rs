//! How an index is made.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::binding::Binding;
use super::current;
use super::directory::Shape;
use super::file::Index;
use super::publishing::{Built, publish, temporary};
use super::writing::{IndexContents, Pieces, Writing};
use crate::error::Error;
use crate::source::Source;

/// Makes the index of a closed session, in place of the one that is there.
///
/// It reads the session once, on this thread, in bounded memory, and asks after
/// each half MiB whether to go on. Until it is whole and on stable storage the
/// index has another name. What the index of the current session knew of it is
/// taken over, so that only the rest is read ([`extend_index`](super::extend_index)).
///
/// # Errors
/// [`Error::Read`] where the session can't be read, and [`Error::File`] where the
/// index can't be written or the session changes meanwhile. Nothing is left of
/// the index then.
pub fn build_index(
    session: &Path,
    contents: IndexContents,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, Error> {
    let begun = match contents {
        IndexContents::Fields => current::begun(session, go_on),
        IndexContents::FieldsAndText => None,
    };
    let shape = begun
        .as_ref()
        .map_or_else(Shape::default, |begun| begun.directory.shape);
    let built = make(session, contents, shape, begun.as_ref(), go_on)?;
    if let (Some(_), Built::Done { .. }) = (begun, built) {
        current::remove_begun(session);
    }
    Ok(built)
}

#[cfg(test)]
pub(super) fn build(
    session: &Path,
    contents: IndexContents,
    shape: Shape,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, Error> {
    make(session, contents, shape, None, go_on)
}

fn make(
    session: &Path,
    contents: IndexContents,
    shape: Shape,
    begun: Option<&Index>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, Error> {
    let failed = |source| Error::file("make an index of", session, source);
    let source = Source::session(session)?;
    let file = source.parts[0].open()?;
    let before = Binding::of_closed(session, file.as_ref()).map_err(failed)?;
    let (temporary, prefix) = temporary(session).map_err(failed)?;
    let out = Pieces::behind_header(temporary.as_file()).map_err(failed)?;
    let mut writing = Writing::new(out, None, contents, shape);
    if let Some(begun) = begun {
        writing.take_over(begun, session).map_err(failed)?;
    }
    if writing.pass(source, before.length, go_on)?.is_break() {
        return Ok(Built::Stopped);
    }
    if Binding::of_closed(session, file.as_ref()).map_err(failed)? != before {
        return Err(failed(io::Error::other("it was changed meanwhile")));
    }
    let bytes = writing.finish(before).map_err(failed)?;
    publish(temporary, session, &prefix, IS_SYNCED).map_err(failed)?;
    Ok(Built::Done { bytes })
}

/// Binds the index of a closed session to the time that the session has now, if it
/// is the same session: a copy has another time, and would be read to compare its
/// bytes at each question. Tells whether that was needed. It asks after each half MiB
/// whether to go on.
///
/// # Errors
/// [`Error::Read`] where the session can't be read, and [`Error::File`] where the
/// index can't be written.
pub fn renew_index(session: &Path, go_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
    let failed = |source| Error::file("renew the index of", session, source);
    let source = Source::session(session)?;
    let file = source.parts[0].open()?;
    let Ok(index) = Index::open(session, file.as_ref()) else {
        return Ok(false);
    };
    let binding = Binding::of_closed(session, file.as_ref()).map_err(failed)?;
    if index.has_stamp_of(session) {
        return Ok(false);
    }
    match index.has_content_of_paced(file.as_ref(), go_on) {
        ControlFlow::Continue(true) => {}
        _ => return Ok(false),
    }
    let (temporary, prefix) = temporary(session).map_err(failed)?;
    let mut out = temporary.as_file();
    let renewed = index.copy_to(&mut out, binding);
    // On Windows nothing takes the place of a file that is open.
    drop(index);
    renewed
        .and_then(|()| publish(temporary, session, &prefix, IS_SYNCED))
        .map_err(failed)?;
    Ok(true)
}

/// Property tests make thousands of indexes, which need not survive anything.
const IS_SYNCED: bool = !cfg!(test);
