//! Reading from an open file, with its name in the error.

use std::io;
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
    file.read_at(bytes, offset).map_err(failed(path))
}

/// Fills the whole of `bytes`.
pub(super) fn read_exact(
    file: &dyn ReadFile,
    path: &Path,
    bytes: &mut [u8],
    offset: u64,
) -> Result<(), Error> {
    file.read_exact_at(bytes, offset).map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |source| Error::Read {
        operation: "read",
        path: path.to_owned(),
        source,
    }
}
