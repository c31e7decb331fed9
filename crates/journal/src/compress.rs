//! How is a closed session compressed, so that a crash at any step leaves a whole copy?
//!
//! The steps, and what is there if the machine stops right after each:
//!
//! 1. write the compressed file under a name of its own and sync it: the session, and
//!    a file that is no session; the next attempt writes it anew;
//! 2. read it back and compare every byte with the session: the same;
//! 3. rename it, and sync the directory: both, of which the plain one is read;
//! 4. remove the plain one: the compressed one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compressed::table::{self, Frame};
use crate::compressed::{CompressedFile, compressed_path, is_compressed};
use crate::error::{AtPath, IoError, synced};
use crate::fs::{FileSystem, append_all, parent_of, sync_dir_if_possible};
use crate::operation::Operation;
use crate::session_file::SessionFile;

/// How much is compressed at once. Frames of that size cost 3 % of the best ratio, and
/// one is unpacked in less than a millisecond.
const FRAME: usize = 1 << 20;
/// The first and the last frame are small: who wants to know which numbers a session
/// holds looks only at its ends.
const END_FRAME: usize = 16 << 10;

/// What a session has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compressed {
    /// The compressed file.
    pub path: PathBuf,
    /// How long the session is.
    pub plain: u64,
    /// How long the compressed file is.
    pub bytes: u64,
}

/// Why a session was not compressed. It is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompressError {
    /// A file operation failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// What was written is not what is read back.
    #[error(
        "{}: what was read back differs from the session at offset {offset}; \
         the disk or the memory of this machine alters bytes", .path.display()
    )]
    Differs {
        /// The compressed file, which is removed.
        path: PathBuf,
        /// Where the first difference is, in bytes of the session.
        offset: u64,
    },
    /// It is compressed.
    #[error("{} is compressed", .path.display())]
    Already {
        /// The file.
        path: PathBuf,
    },
}

/// Compresses a closed session: `session_X.jsonl` becomes `session_X.jsonl.zst`, which
/// [`Reader`](crate::Reader) and all others read as before. The plain file is removed
/// when every byte was compared.
///
/// `level` is zstd's; 9 is a good one for what is done in the background.
///
/// # Errors
/// [`CompressError`]; the session is then as it was.
pub fn compress(
    fs: &dyn FileSystem,
    session: &Path,
    level: i32,
) -> Result<Compressed, CompressError> {
    if is_compressed(session) {
        return Err(CompressError::Already {
            path: session.to_owned(),
        });
    }
    let path = compressed_path(session);
    let mut new = path.clone().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    let plain = SessionFile::open(fs, session).map_err(IoError::from)?;
    let packed = write(fs, &plain, &new, level).and_then(|bytes| {
        compare(fs, &plain, &new)?;
        fs.copy_modified(session, &new).at(Operation::Write, &new)?;
        Ok(bytes)
    });
    let bytes = match packed {
        Ok(bytes) => bytes,
        Err(error) => {
            // The next attempt removes it if this one can't.
            let _gone: io::Result<()> = fs.remove_file(&new);
            return Err(error);
        }
    };
    fs.rename(&new, &path).at(Operation::Rename, &new)?;
    sync_parent(fs, &path)?;
    let plain = plain.size().map_err(IoError::from)?;
    fs.remove_file(session).at(Operation::Remove, session)?;
    sync_parent(fs, &path)?;
    Ok(Compressed { path, plain, bytes })
}

fn sync_parent(fs: &dyn FileSystem, path: &Path) -> Result<(), IoError> {
    let parent = parent_of(path).unwrap_or_else(|| Path::new("."));
    synced(sync_dir_if_possible(fs, parent), parent).map(drop)
}

/// Writes the compressed file, and returns its length when it is on stable storage.
fn write(
    fs: &dyn FileSystem,
    plain: &SessionFile,
    path: &Path,
    level: i32,
) -> Result<u64, CompressError> {
    let mut file = fs.open_append(path).at(Operation::Create, path)?;
    file.set_len(0).at(Operation::CutBack, path)?;
    let mut compressor = zstd::bulk::Compressor::new(level).at(Operation::Write, path)?;
    // Each frame vouches for its bytes.
    let checked = compressor.include_checksum(true);
    checked.at(Operation::Write, path)?;
    let size = plain.size().map_err(IoError::from)?;
    let (mut frames, mut at, mut plain_at) = (Vec::new(), 0, 0);
    let mut buffer = Vec::new();
    while plain_at < size {
        buffer.resize(wanted(plain_at, size), 0);
        let read = plain.read_exact(&mut buffer, plain_at);
        read.map_err(IoError::from)?;
        let cut = cut(&buffer, plain_at, size);
        let text = buffer.get(..cut).unwrap_or_default();
        let packed = compressor.compress(text).at(Operation::Write, path)?;
        append_all(file.as_mut(), &packed).at(Operation::Append, path)?;
        let frame = Frame {
            at,
            length: fits(packed.len()).at(Operation::Write, path)?,
            plain_at,
            plain_length: fits(cut).at(Operation::Write, path)?,
        };
        at += u64::from(frame.length);
        plain_at = frame.plain_end();
        frames.push(frame);
    }
    let table = table::write(&frames).at(Operation::Write, path)?;
    append_all(file.as_mut(), &table).at(Operation::Append, path)?;
    synced(file.sync(), path)?;
    Ok(at + table.len() as u64)
}

fn fits(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(io::Error::other)
}

/// Tells how much to read for the next frame.
fn wanted(from: u64, size: u64) -> usize {
    let left = usize::try_from(size - from).unwrap_or(usize::MAX);
    left.min(FRAME + END_FRAME)
}

/// Finds where a frame ends: behind a line, so that a damaged frame costs no line of
/// another one, unless a line is longer than a frame.
fn cut(text: &[u8], from: u64, size: u64) -> usize {
    let is_last = from + text.len() as u64 == size;
    let most = match (from, is_last) {
        // The last frame is small; so is one that is first and last.
        (0, _) => END_FRAME,
        (_, true) if text.len() <= END_FRAME => return text.len(),
        (_, true) => text.len() - END_FRAME,
        (_, false) => FRAME,
    };
    let Some(within) = text.get(..most) else {
        return text.len();
    };
    if let Some(at) = memchr::memrchr(b'\n', within) {
        return at + 1;
    }
    let behind = memchr::memchr(b'\n', text.get(most..).unwrap_or_default());
    behind.map_or(text.len(), |at| most + at + 1)
}

/// Compares what is on the disk with the session, byte for byte.
fn compare(fs: &dyn FileSystem, plain: &SessionFile, path: &Path) -> Result<(), CompressError> {
    let file = fs.open_read(path).at(Operation::Open, path)?;
    let unpacked = CompressedFile::open(Arc::from(file)).at(Operation::Read, path)?;
    let unpacked = SessionFile::new(path, Arc::new(unpacked));
    let (mut here, mut there) = (vec![0; FRAME], vec![0; FRAME]);
    let mut offset = 0;
    loop {
        let count = plain.read_full(&mut here, offset).map_err(IoError::from)?;
        let found = unpacked.read_full(&mut there, offset);
        let found = found.map_err(IoError::from)?;
        let (ours, theirs) = (here.get(..count), there.get(..found));
        if ours != theirs {
            let same = here.iter().zip(&there).take_while(|(a, b)| a == b).count();
            return Err(CompressError::Differs {
                path: path.to_owned(),
                offset: offset + same as u64,
            });
        }
        if count == 0 {
            return Ok(());
        }
        offset += count as u64;
    }
}
