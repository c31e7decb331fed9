//! How do groups get to stable storage behind what the file holds?

use std::io::{self, IoSlice};

use super::Writer;
use super::state::Leftover;
use crate::error::{AtPath, IoError, synced};
use crate::fs::AppendFile;
use crate::group::Group;
use crate::operation::Operation;
use crate::recovery::{fence, open_session};

impl Writer {
    /// Returns when the groups are on stable storage, in the file that the
    /// session's path leads to.
    pub(super) fn write_and_sync(&mut self, groups: &[&Group]) -> Result<(), IoError> {
        self.reopen()?;
        self.cut_back()?;
        self.look_for_others()?;
        let path = self.layout.current();
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        write_all(file.as_mut(), groups).at(Operation::WriteRecords, &path)?;
        synced(file.sync(), &path)?;
        self.leftover = Leftover::Nothing;
        // Whoever removes the file or its directory while it is written would
        // otherwise have everything recorded in a file that nobody can find.
        if !file.is_at(&path) {
            let gone = io::Error::new(io::ErrorKind::NotFound, "it was removed or replaced");
            return Err(gone).at(Operation::Find, &path);
        }
        Ok(())
    }

    /// Opens the session's file if that is not open.
    pub(super) fn reopen(&mut self) -> Result<(), IoError> {
        if self.file.is_none() {
            let (file, bytes, _) = open_session(self.options.fs.as_ref(), &self.layout)?;
            self.file = Some(file);
            if bytes != self.session.bytes {
                // Somebody else put a file there.
                self.checkpoints.stop(self.session.ordinal);
                self.session.bytes = bytes;
            }
        }
        Ok(())
    }

    /// Cuts off what an earlier commit wrote and could not cut off.
    pub(super) fn cut_back(&mut self) -> Result<(), IoError> {
        if let (Leftover::Uncut, Some(file)) = (self.leftover, &mut self.file) {
            let path = self.layout.current();
            file.set_len(self.session.bytes)
                .at(Operation::CutBack, &path)?;
            self.leftover = Leftover::Unsynced;
        }
        Ok(())
    }

    /// Another program may have added lines to the file: they stay, and the
    /// places of records are counted behind them.
    fn look_for_others(&mut self) -> Result<(), IoError> {
        let path = self.layout.current();
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut len = file.size().at(Operation::Measure, &path)?;
        if len < self.session.bytes {
            let lost = self.session.bytes - len;
            let cut = io::Error::other(format!("another program cut {lost} bytes off it"));
            return Err(cut).at(Operation::Find, &path);
        }
        if len > self.session.bytes {
            // Nobody knows what they are.
            self.checkpoints.stop(self.session.ordinal);
            self.session.bytes = len;
            if file.is_at(&path) {
                fence(self.options.fs.as_ref(), file.as_mut(), &path, &mut len)?;
                self.session.bytes = len;
            }
        }
        Ok(())
    }
}

/// Appends the groups' lines, with one write where the system takes them at once.
fn write_all(file: &mut dyn AppendFile, groups: &[&Group]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = groups
        .iter()
        .map(|group| IoSlice::new(group.bytes()))
        .collect();
    let mut rest: &mut [IoSlice<'_>] = &mut slices;
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.append(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut rest, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
