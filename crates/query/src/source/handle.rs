//! Reading from an open file, with its name in the error.

use std::path::Path;

use journal::raw::ReadFile;

use crate::error::Error;

/// Reads some bytes, as many as come at once.
pub(super) fn read_at(
    file: &dyn ReadFile,
    path: &Path,
    bytes: &mut [u8],
    offset: u64,
) -> Result<usize, Error> {
    let read = file.read_at(bytes, offset);
    read.map_err(|source| Error::Read {
        operation: "read",
        path: path.to_owned(),
        source,
    })
}

/// Fills the whole of `bytes`.
pub(super) fn read_exact(
    file: &dyn ReadFile,
    path: &Path,
    bytes: &mut [u8],
    offset: u64,
) -> Result<(), Error> {
    let read = file.read_exact_at(bytes, offset);
    read.map_err(|source| Error::Read {
        operation: "read",
        path: path.to_owned(),
        source,
    })
}
