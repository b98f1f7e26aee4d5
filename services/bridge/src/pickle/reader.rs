//! Takes an instruction's operands from the bytes; never beyond their end.

use super::PickleError;

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes are behind us.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self) -> Result<u8, PickleError> {
        let byte = *self.bytes.get(self.at).ok_or(PickleError::Short)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let rest = self.bytes.get(self.at..).ok_or(PickleError::Short)?;
        let found = *rest.first_chunk().ok_or(PickleError::Short)?;
        self.at += N;
        Ok(found)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(length).ok_or(PickleError::Short)?;
        let found = self.bytes.get(self.at..end).ok_or(PickleError::Short)?;
        self.at = end;
        Ok(found)
    }

    /// The bytes before the next line feed, which is taken too.
    pub(super) fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).ok_or(PickleError::Short)?;
        let end = memchr::memchr(b'\n', rest).ok_or(PickleError::Short)?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    /// Two lines with the line feed between them.
    pub(super) fn two_lines(&mut self) -> Result<&'a [u8], PickleError> {
        let start = self.at;
        self.line()?;
        self.line()?;
        Ok(&self.bytes[start..self.at - 1])
    }

    /// Bytes preceded by their number in one byte.
    pub(super) fn counted1(&mut self) -> Result<&'a [u8], PickleError> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// Bytes preceded by their number in four bytes, little-endian.
    pub(super) fn counted4(&mut self) -> Result<&'a [u8], PickleError> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(length as usize)
    }

    /// Bytes preceded by their number in eight bytes, little-endian.
    pub(super) fn counted8(&mut self) -> Result<&'a [u8], PickleError> {
        let length = u64::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| PickleError::Short)?)
    }
}
