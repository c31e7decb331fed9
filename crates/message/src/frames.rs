//! The frames of one message in one buffer.

/// Holds the frames of one message, one behind the other in a single buffer.
///
/// A cleared `Frames` keeps its memory, so that a loop over many messages
/// allocates only until the largest one has been seen.
///
/// ```
/// let mut frames = message::Frames::new();
/// frames.push(b"general");
/// frames.push(b"{}");
/// assert_eq!(frames.len(), 2);
/// assert_eq!(frames.get(1), Some(&b"{}"[..]));
/// assert_eq!(frames.iter().map(<[u8]>::len).sum::<usize>(), 9);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Where each frame ends in `bytes`; a frame starts where the one before it ends.
    ends: Vec<usize>,
}

impl Frames {
    /// Makes an empty list of frames, without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Appends one frame.
    pub fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    /// Removes all frames and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Returns the number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there is no frame at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the number of bytes of all frames together.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the frame at `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..end)
    }

    /// Goes over the frames from the first to the last.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            rest: &self.bytes,
            ends: self.ends.iter(),
            start: 0,
        }
    }

    /// Returns the bytes, to append a part of the next frame.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends a frame of which all parts were appended.
    pub(crate) fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

impl<F: AsRef<[u8]>> FromIterator<F> for Frames {
    fn from_iter<I: IntoIterator<Item = F>>(frames: I) -> Self {
        let mut all = Self::new();
        for frame in frames {
            all.push(frame.as_ref());
        }
        all
    }
}

impl<'a> IntoIterator for &'a Frames {
    type Item = &'a [u8];
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Goes over the frames of a [`Frames`].
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    ends: std::slice::Iter<'a, usize>,
    start: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = *self.ends.next()?;
        let (frame, rest) = self.rest.split_at_checked(end - self.start)?;
        self.start = end;
        self.rest = rest;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ends.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_empty_frames_apart() {
        let parts: [&[u8]; 4] = [b"", b"ab", b"", b"c"];
        let frames: Frames = parts.iter().collect();
        assert_eq!(frames.len(), 4);
        assert_eq!(frames.total_bytes(), 3);
        assert_eq!(frames.iter().collect::<Vec<_>>(), parts);
        assert_eq!(frames.get(1), Some(&b"ab"[..]));
        assert_eq!(frames.get(3), Some(&b"c"[..]));
        assert_eq!(frames.get(4), None);
    }

    #[test]
    fn starts_over_after_clear() {
        let mut frames: Frames = ["a", "b"].iter().collect();
        frames.clear();
        assert!(frames.is_empty());
        frames.push(b"xyz");
        assert_eq!(frames.get(0), Some(&b"xyz"[..]));
    }
}
