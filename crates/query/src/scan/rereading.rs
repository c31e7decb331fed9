//! Single lines, read again.

use std::sync::Arc;

use journal::raw::ReadFile;

use super::Match;
use crate::error::Error;
use crate::source::{Chunk, Source};

/// Reads lines whose places are known.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    open: Option<(usize, Arc<dyn ReadFile>)>,
    buffer: Vec<u8>,
}

impl LineReader {
    /// Reads the line of a match that was found in a chunk.
    pub(crate) fn read(
        &mut self,
        source: &Source,
        chunk: Chunk,
        found: &Match,
    ) -> Result<&[u8], Error> {
        let part = &source.parts[chunk.part];
        let file = match &self.open {
            Some((at, file)) if *at == chunk.part => file,
            _ => &self.open.insert((chunk.part, part.open()?)).1,
        };
        self.buffer.resize(found.length, 0);
        part.read_exact(file.as_ref(), &mut self.buffer, found.offset)?;
        Ok(&self.buffer)
    }
}
