//! How is a compressed session read as if it were not?
//!
//! Its plain bytes have the same offsets as before, so everything that knows a place
//! in the session still does.

pub(crate) mod table;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use zstd::bulk::Decompressor;

use self::table::Frame;
use crate::fs::ReadFile;
use crate::line::UNREADABLE;
use crate::session::{compressed_name, plain_name};
use crate::sync::held;

/// How many frames are held that were read in parts: of two readers at different
/// places neither makes the other unpack again.
const HELD: usize = 4;

/// Tells whether a file's name is that of a compressed session.
pub(crate) fn is_compressed(path: &Path) -> bool {
    plain_path(path) != path
}

/// Returns the path that a session has, or had, without compression: what is derived
/// from a session is named after that.
///
/// ```
/// let path = std::path::Path::new("archive/session_1.jsonl.zst");
/// assert!(journal::raw::plain_path(path).ends_with("session_1.jsonl"));
/// ```
#[must_use]
pub fn plain_path(session: &Path) -> PathBuf {
    match session.file_name().and_then(|name| name.to_str()) {
        Some(name) => session.with_file_name(plain_name(name)),
        None => session.to_owned(),
    }
}

/// Returns the path that a session has when it is compressed.
pub(crate) fn compressed_path(session: &Path) -> PathBuf {
    let name = session.file_name().unwrap_or_default().to_string_lossy();
    session.with_file_name(compressed_name(&name))
}

/// A compressed session whose plain bytes are read.
#[derive(Debug)]
pub(crate) struct CompressedFile {
    file: Arc<dyn ReadFile>,
    frames: Vec<Frame>,
    /// Unpacked frames, the one used last behind the others.
    held: Mutex<Vec<(u64, Arc<Vec<u8>>)>>,
    /// What has unpacked a frame, and can do it again.
    idle: Mutex<Vec<Unpacker>>,
}

impl CompressedFile {
    /// Reads the seek table of a file.
    pub(crate) fn open(file: Arc<dyn ReadFile>) -> io::Result<Self> {
        Ok(Self {
            frames: table::read(file.as_ref())?,
            file,
            held: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// Unpacks a frame into exactly its plain length of bytes.
    fn unpack(&self, frame: Frame, plain: &mut [u8]) -> io::Result<()> {
        let idle = lock(&self.idle).pop();
        let mut unpacker = idle.map_or_else(Unpacker::new, Ok)?;
        let unpacked = unpacker.unpack(self.file.as_ref(), frame, plain);
        lock(&self.idle).push(unpacker);
        unpacked
    }

    /// Returns a frame's plain bytes.
    fn plain(&self, frame: Frame) -> io::Result<Arc<Vec<u8>>> {
        let known = |held: &[(u64, Arc<Vec<u8>>)]| held.iter().position(|(at, _)| *at == frame.at);
        let mut spare = None;
        {
            let mut held = lock(&self.held);
            if let Some(at) = known(&held) {
                let found = held.remove(at);
                let plain = Arc::clone(&found.1);
                held.push(found);
                return Ok(plain);
            }
            if held.len() == HELD {
                spare = Arc::into_inner(held.remove(0).1);
            }
        }
        // Unpacked without the lock: others read other frames meanwhile.
        let mut plain = spare.unwrap_or_default();
        plain.resize(frame.plain_length as usize, 0);
        self.unpack(frame, &mut plain)?;
        let plain = Arc::new(plain);
        let mut held = lock(&self.held);
        if known(&held).is_none() {
            if held.len() == HELD {
                held.remove(0);
            }
            held.push((frame.at, Arc::clone(&plain)));
        }
        Ok(plain)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    held(of.lock())
}

/// What it takes to unpack a frame. To make it anew for each, with room for what comes out,
/// took a fifth to a third of the time of a scan.
struct Unpacker {
    context: Decompressor<'static>,
    packed: Vec<u8>,
}

impl Unpacker {
    fn new() -> io::Result<Self> {
        Ok(Self {
            context: Decompressor::new()?,
            packed: Vec::new(),
        })
    }

    fn unpack(&mut self, file: &dyn ReadFile, frame: Frame, plain: &mut [u8]) -> io::Result<()> {
        self.packed.resize(frame.length as usize, 0);
        file.read_exact_at(&mut self.packed, frame.at)?;
        let unpacked = self.context.decompress_to_buffer(&self.packed, plain);
        if !unpacked.is_ok_and(|length| length == plain.len()) {
            mark_unreadable(plain);
        }
        Ok(())
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

impl ReadFile for CompressedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = self
            .frames
            .partition_point(|frame| frame.plain_end() <= offset);
        let Some(frame) = self.frames.get(at).copied() else {
            return Ok(0);
        };
        // A whole frame goes where it is wanted.
        let length = frame.plain_length as usize;
        if offset == frame.plain_at
            && let Some(whole) = buf.get_mut(..length)
        {
            return self.unpack(frame, whole).map(|()| length);
        }
        let plain = self.plain(frame)?;
        let from = usize::try_from(offset - frame.plain_at).unwrap_or(usize::MAX);
        let wanted = plain.get(from..).unwrap_or_default();
        let count = wanted.len().min(buf.len());
        if let (Some(room), Some(wanted)) = (buf.get_mut(..count), wanted.get(..count)) {
            room.copy_from_slice(wanted);
        }
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.frames.last().map_or(0, Frame::plain_end))
    }
}

/// Puts in the place of what can't be unpacked a line that every reader takes for
/// damage, so that it costs no record of another frame.
fn mark_unreadable(plain: &mut [u8]) {
    plain.fill(0);
    if let Some(last) = plain.last_mut() {
        *last = b'\n';
    }
    if let Some(start) = plain.get_mut(..UNREADABLE.len()) {
        start.copy_from_slice(UNREADABLE);
    }
}

#[cfg(test)]
mod tests;
