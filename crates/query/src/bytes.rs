//! Numbers and strings as bytes, little-endian.
//!
//! Whatever is read may have been written by anybody: reading gives `None` where
//! bytes are missing, and takes memory only for bytes that are there.

/// Takes values from the front of some bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A count of things that take at least `size` bytes each.
    pub(crate) fn count(&mut self, size: usize) -> Option<usize> {
        let count = usize::try_from(self.u32()?).ok()?;
        (count.checked_mul(size)? <= self.0.len()).then_some(count)
    }

    /// Bytes behind their length.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    /// A value behind a byte that is 1, or a byte that is 0 and none.
    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    /// `Some` where nothing is left.
    pub(crate) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Puts values behind each other.
pub(crate) trait Output {
    fn put_u8(&mut self, value: u8);
    fn put_u32(&mut self, value: u32);
    fn put_u64(&mut self, value: u64);
    fn put_i64(&mut self, value: i64);

    /// Writes how many things follow: more than `u32::MAX` don't fit in memory limits.
    fn put_count(&mut self, count: usize) {
        self.put_u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn put_string(&mut self, bytes: &[u8]);

    fn put_option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.put_u8(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }
}

impl Output for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_u32(&mut self, value: u32) {
        self.extend(value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.extend(value.to_le_bytes());
    }

    fn put_i64(&mut self, value: i64) {
        self.extend(value.to_le_bytes());
    }

    fn put_string(&mut self, bytes: &[u8]) {
        self.put_count(bytes.len());
        self.extend(bytes);
    }
}

/// A stretch of a file with its checksum. What is read is never longer than
/// [`LONGEST`](Self::LONGEST), whatever an index says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

impl Span {
    pub(crate) const SIZE: usize = 16;
    pub(crate) const LONGEST: u32 = 32 << 20;

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(self.offset);
        out.put_u32(self.length);
        out.put_u32(self.crc);
    }

    pub(crate) fn read(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            offset: input.u64()?,
            length: input.u32()?,
            crc: input.u32()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_read() {
        let mut out = Vec::new();
        out.put_u8(7);
        out.put_u32(u32::MAX);
        out.put_u64(1 << 40);
        out.put_i64(-3);
        out.put_string(b"text");
        out.put_option(Some(5), Vec::put_u32);
        out.put_option(None, Vec::put_u32);
        let mut input = Input(&out);
        assert_eq!(input.u8(), Some(7));
        assert_eq!(input.u32(), Some(u32::MAX));
        assert_eq!(input.u64(), Some(1 << 40));
        assert_eq!(input.i64(), Some(-3));
        assert_eq!(input.string(), Some(&b"text"[..]));
        assert_eq!(input.option(Input::u32), Some(Some(5)));
        assert_eq!(input.option(Input::u32), Some(None));
        assert_eq!(input.end(), Some(()));
    }

    #[test]
    fn what_is_missing_is_none() {
        assert_eq!(Input(&[1, 2, 3]).u32(), None);
        assert_eq!(Input(&[9, 0, 0, 0, 1]).string(), None);
        assert_eq!(Input(&[255, 255, 255, 255]).count(8), None);
        assert_eq!(Input(&[2]).option(Input::u8), None);
        assert_eq!(Input(&[2]).end(), None);
    }
}
