//! Cuts one connection's bytes into frames, whichever of the three forms the
//! client speaks; no I/O. The forms, told apart by the first bytes:
//!
//! * length-prefixed (4 bytes, big-endian), the body a pickle: Python's
//!   `SocketHandler`;
//! * length-prefixed, the body a JSON object; when the first one is a hello, what
//!   follows is numbered (`numbered`);
//! * JSON objects, each ended by a line feed: the connection's first byte that
//!   is not blank is `{`.
//!
//! Every byte ends in a frame, a length, a line feed, or, at the connection's
//! end, an incomplete frame.

pub mod numbered;
mod oversize;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use oversize::Oversize;
use oversize::Skipping;

/// How large frames may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A frame of more bytes becomes [`FrameKind::Oversize`].
    pub frame_bytes: usize,
    /// A frame of more bytes is no log record at all: [`NotALog`].
    pub skip_bytes: u64,
}

impl Default for Limits {
    /// 1 MiB and 256 MiB.
    fn default() -> Self {
        Self {
            frame_bytes: 1024 * 1024,
            skip_bytes: 256 * 1024 * 1024,
        }
    }
}

/// What a frame is, as the spool stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// A pickle.
    Pickle = 0,
    /// A JSON object with a length before it.
    Json = 1,
    /// A JSON object on a line.
    JsonLine = 2,
    /// The note about a frame above the size limit: an [`Oversize`].
    Oversize = 3,
    /// The beginning of something that is no log.
    Garbage = 4,
    /// A JSON object of ours: what the bridge has to declare.
    Declaration = 5,
}

/// A number that no kind of frame has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no kind of frame")]
pub struct UnknownFrameKind(pub u8);

impl TryFrom<u8> for FrameKind {
    type Error = UnknownFrameKind;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Ok(match number {
            0 => Self::Pickle,
            1 => Self::Json,
            2 => Self::JsonLine,
            3 => Self::Oversize,
            4 => Self::Garbage,
            5 => Self::Declaration,
            other => return Err(UnknownFrameKind(other)),
        })
    }
}

/// A whole frame, without its length or line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// A frame that lies in the buffer.
    Slice {
        /// What it is.
        kind: FrameKind,
        /// Where it lies in the buffer given.
        range: Range<usize>,
    },
    /// An [`Oversize`] in its stored form.
    Oversize(Vec<u8>),
    /// The first frame, where it says that this program numbers what it sends. Nothing
    /// is split behind it.
    Hello(Range<usize>),
}

/// The bytes are no log records: close the connection. The frames found so far
/// are good, and the last of them holds the beginning of what was sent instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not log records but {0}")]
pub struct NotALog(pub &'static str);

/// The state of one connection between two reads.
#[derive(Debug)]
pub struct Splitter {
    limits: Limits,
    form: Form,
    skipping: Option<Box<Skipping>>,
    /// How many bytes of an unfinished line hold no line feed.
    scanned: usize,
    wanted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    /// Length-prefixed, and nothing was read yet.
    FirstFramed,
    Framed,
    Lines,
}

const LENGTH_BYTES: usize = 4;
/// How much of what is no log is kept.
const GARBAGE_BYTES: usize = 64 * 1024;

impl Splitter {
    /// For a connection that has sent nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            form: Form::Unknown,
            skipping: None,
            scanned: 0,
            wanted: LENGTH_BYTES,
        }
    }

    /// Adds the whole frames at the front of `buffer` to `frames` and returns
    /// how many bytes are used up. What is left must stand at the front of the
    /// next buffer, with more behind it.
    ///
    /// # Errors
    /// When what follows is no log; its beginning is the last of `frames`.
    pub fn split(&mut self, buffer: &[u8], frames: &mut Vec<Split>) -> Result<usize, NotALog> {
        let mut at = 0;
        loop {
            if let Some(skipping) = &mut self.skipping {
                let (used, whole) = skipping.take(&buffer[at..]);
                at += used;
                if !whole {
                    if skipping.size_bytes() > self.limits.skip_bytes {
                        frames.push(Split::Oversize(skipping.note()));
                        return Err(NotALog("a line without end"));
                    }
                    self.wanted = 1;
                    return Ok(at);
                }
                frames.push(Split::Oversize(skipping.note()));
                self.skipping = None;
            }
            if self.form == Form::Unknown {
                match form_of(&buffer[at..]) {
                    Some(form) => self.form = form,
                    None => return Ok(at),
                }
            }
            let before = at;
            at = match self.form {
                Form::Lines => self.line(buffer, at, frames),
                _ => self.framed(buffer, at, frames)?,
            };
            let is_hello = matches!(frames.last(), Some(Split::Hello(_)));
            if is_hello || (at == before && self.skipping.is_none()) {
                return Ok(at);
            }
        }
    }

    /// The connection has ended with `rest` unused: a last line without a line
    /// feed counts as a frame. Returns whether a frame was left incomplete.
    pub fn finish(&mut self, rest: &[u8], frames: &mut Vec<Split>) -> bool {
        if let Some(mut skipping) = self.skipping.take() {
            if !skipping.is_line() {
                return true;
            }
            frames.push(Split::Oversize(skipping.note()));
            return false;
        }
        if self.form == Form::Lines {
            push_line(rest, 0..rest.len(), frames);
            return false;
        }
        match self.form {
            Form::Unknown => !rest.trim_ascii().is_empty(),
            _ => !rest.is_empty(),
        }
    }

    /// How many bytes more the frame at hand needs, at least 1, as far as the
    /// last [`Self::split`] could tell.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Whether a frame above the size limit is passing through: a frame is
    /// half-sent then although no bytes are left over.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.skipping.is_some()
    }

    /// Takes one length-prefixed frame; returns where the next one begins.
    fn framed(
        &mut self,
        buffer: &[u8],
        at: usize,
        frames: &mut Vec<Split>,
    ) -> Result<usize, NotALog> {
        let rest = &buffer[at..];
        let Some((header, body)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            self.wanted = LENGTH_BYTES - rest.len();
            return Ok(at);
        };
        let length = u32::from_be_bytes(*header);
        if length == 0 || u64::from(length) > self.limits.skip_bytes {
            return Err(garbage(buffer, at, frames, looks_like(rest)));
        }
        let size = length as usize;
        let start = at + LENGTH_BYTES;
        let is_first = self.form == Form::FirstFramed;
        if size > self.limits.frame_bytes {
            self.form = Form::Framed;
            self.skipping = Some(Box::new(Skipping::frame(u64::from(length))));
            return Ok(start);
        }
        if body.len() < size {
            self.wanted = size - body.len();
            return Ok(at);
        }
        self.form = Form::Framed;
        let range = start..start + size;
        frames.push(
            match is_first && body[..size].starts_with(numbered::HELLO) {
                true => Split::Hello(range),
                false => Split::Slice {
                    kind: kind_of(&body[..size]),
                    range,
                },
            },
        );
        Ok(start + size)
    }

    /// Takes one line; returns where the next one begins.
    fn line(&mut self, buffer: &[u8], at: usize, frames: &mut Vec<Split>) -> usize {
        let rest = &buffer[at..];
        let from = self.scanned.min(rest.len());
        let end = memchr::memchr(b'\n', &rest[from..]).map(|end| from + end);
        if end.unwrap_or(rest.len()) > self.limits.frame_bytes {
            self.scanned = 0;
            self.skipping = Some(Box::new(Skipping::line()));
            return at;
        }
        let Some(end) = end else {
            self.scanned = rest.len();
            self.wanted = 1;
            return at;
        };
        self.scanned = 0;
        push_line(buffer, at..at + end, frames);
        at + end + 1
    }
}

/// The form of a connection that begins so; `None` when that needs more bytes.
fn form_of(bytes: &[u8]) -> Option<Form> {
    let is_blank = |byte: &&u8| byte.is_ascii_whitespace();
    match bytes.iter().find(|byte| !is_blank(byte)) {
        Some(b'{') => Some(Form::Lines),
        _ if bytes.len() >= LENGTH_BYTES && bytes[..LENGTH_BYTES].trim_ascii().is_empty() => {
            Some(Form::Lines)
        }
        Some(_) => Some(Form::FirstFramed),
        None => None,
    }
}

/// What the body of a length-prefixed frame is.
fn kind_of(body: &[u8]) -> FrameKind {
    match body.trim_ascii_start().first() {
        Some(b'{') => FrameKind::Json,
        _ => FrameKind::Pickle,
    }
}

/// Adds a line without the blanks around it, unless it is empty.
fn push_line(buffer: &[u8], range: Range<usize>, frames: &mut Vec<Split>) {
    let line = &buffer[range.clone()];
    let start = range.start + line.len() - line.trim_ascii_start().len();
    let end = start + line.trim_ascii().len();
    if start < end {
        frames.push(Split::Slice {
            kind: FrameKind::JsonLine,
            range: start..end,
        });
    }
}

fn garbage(buffer: &[u8], at: usize, frames: &mut Vec<Split>, what: &'static str) -> NotALog {
    frames.push(Split::Slice {
        kind: FrameKind::Garbage,
        range: at..buffer.len().min(at + GARBAGE_BYTES),
    });
    NotALog(what)
}

/// What bytes that are no log look like, for people.
#[must_use]
pub fn looks_like(bytes: &[u8]) -> &'static str {
    const HTTP: [&[u8]; 9] = [
        b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"PATC", b"CONN", b"PRI ",
    ];
    match bytes {
        [0x16, 0x03, ..] => "the beginning of TLS",
        [b'S', b'S', b'H', b'-', ..] => "the beginning of SSH",
        [0, 0, 0, 0, ..] => "a frame without content",
        _ if HTTP.iter().any(|method| bytes.starts_with(method)) => "an HTTP request",
        _ if bytes
            .first_chunk::<LENGTH_BYTES>()
            .is_some_and(|start| start.is_ascii()) =>
        {
            "some text"
        }
        _ => "some binary data",
    }
}
