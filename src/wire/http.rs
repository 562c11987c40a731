//! HTTP as keepalived's checks speak it: a request that is nearly fixed, and an answer that is read to the end of the
//! connection and taken as it is (RFC 9112, as far as that is needed).
//!
//! A body is what stands behind the header: chunks are not put together, redirections not followed. That is what digests
//! in configurations were made from.

use std::str::FromStr;

use super::Error;

/// Bytes that the header of an answer may have; a server that says more is none. (Stock gives up after 4,095.)
pub const MAX_HEADER: usize = 64 * 1024;

/// What ends a header.
const END: &[u8] = b"\r\n\r\n";

/// What announces how long a body is. Stock wants it spelt like this.
const LENGTH: &[u8] = b"Content-Length:";

/// Which HTTP a request is made in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `1.0`.
    #[default]
    V1,
    /// `1.0c`: 1.0, and the server is told to close the connection.
    V1Close,
    /// `1.1`, and the server is told to close the connection.
    V1_1,
}

impl FromStr for Protocol {
    type Err = Error;

    /// Stock's names: `1.0`, `1.0c` or `1.0C`, `1.1`.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "1.0" => Ok(Self::V1),
            "1.0c" | "1.0C" => Ok(Self::V1Close),
            "1.1" => Ok(Self::V1_1),
            _ => Err(Error::Malformed),
        }
    }
}

/// The request for `path` of `host`, byte by byte stock's.
pub fn request(path: &str, host: &str, protocol: Protocol) -> Vec<u8> {
    let (version, close) = match protocol {
        Protocol::V1 => ("1.0", ""),
        Protocol::V1Close => ("1.0", "Connection: close\r\n"),
        Protocol::V1_1 => ("1.1", "Connection: close\r\n"),
    };
    format!("GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n")
        .into_bytes()
}

/// An answer, as it comes.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// With its end, when that has come.
    header: Vec<u8>,
    is_complete: bool,
    /// Bytes that the body may still have, if the header says how many it has.
    left: Option<u64>,
}

/// What some bytes of an answer have brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The header has ended in them.
    pub header_ends: bool,
    /// What of them belongs to the body.
    pub body: &'a [u8],
}

impl Answer {
    /// Takes the next bytes, whatever they are. What is behind the length that the header gives is not body.
    ///
    /// # Errors
    /// [`Error::Malformed`]: the header has more than [`MAX_HEADER`] bytes.
    pub fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Progress<'a>, Error> {
        if self.is_complete {
            return Ok(Progress { header_ends: false, body: self.cut(bytes) });
        }
        let before = self.header.len();
        self.header.extend_from_slice(bytes);
        // The end may have begun in what was there before.
        let from = before.saturating_sub(END.len() - 1);
        let fresh = self.header.get(from..).unwrap_or_default();
        let Some(at) = fresh.windows(END.len()).position(|window| window == END) else {
            let too_long = self.header.len() > MAX_HEADER;
            return if too_long {
                Err(Error::Malformed)
            } else {
                Ok(Progress { header_ends: false, body: &[] })
            };
        };
        let end = from + at + END.len();
        self.header.truncate(end);
        self.is_complete = true;
        self.left = content_length(&self.header);
        Ok(Progress { header_ends: true, body: self.cut(bytes.get(end - before..).unwrap_or_default()) })
    }

    /// The header with the empty line that ends it, when all of it has come.
    pub fn header(&self) -> Option<&[u8]> {
        self.is_complete.then_some(&self.header)
    }

    fn cut<'a>(&mut self, body: &'a [u8]) -> &'a [u8] {
        let Some(left) = &mut self.left else { return body };
        let len = usize::try_from(*left).map_or(body.len(), |left| left.min(body.len()));
        *left -= len as u64;
        body.get(..len).unwrap_or_default()
    }
}

/// How long `header` says the body is: the number behind the first `Content-Length:` in it, 0 if there is none. What is
/// not a number says nothing.
fn content_length(header: &[u8]) -> Option<u64> {
    let at = header.windows(LENGTH.len()).position(|window| window == LENGTH)?;
    let line = header.get(at + LENGTH.len()..)?.split(|b| *b == b'\r').next()?;
    let number = std::str::from_utf8(line).ok()?.trim_start();
    if number.is_empty() { Some(0) } else { number.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_stocks() {
        let text = |path, host, protocol| String::from_utf8(request(path, host, protocol)).unwrap();
        assert_eq!(
            text("/", "192.0.2.1:80", Protocol::V1),
            "GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 192.0.2.1:80\r\n\r\n"
        );
        let closing = "\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: h\r\n\r\n";
        assert_eq!(text("/a b", "h", Protocol::V1Close), format!("GET /a b HTTP/1.0{closing}"));
        assert_eq!(text("", "h", Protocol::V1_1), format!("GET  HTTP/1.1{closing}"));
        for (name, expected) in [
            ("1.0", Ok(Protocol::V1)),
            ("1.0c", Ok(Protocol::V1Close)),
            ("1.0C", Ok(Protocol::V1Close)),
            ("1.1", Ok(Protocol::V1_1)),
            ("1.1c", Err(Error::Malformed)),
            ("", Err(Error::Malformed)),
        ] {
            assert_eq!(name.parse(), expected, "{name}");
        }
    }

    /// Header and body of an answer that comes in pieces of `size` bytes.
    fn read(bytes: &[u8], size: usize) -> (Option<Vec<u8>>, Vec<u8>) {
        let (mut answer, mut body, mut ends) = (Answer::default(), Vec::new(), 0);
        for piece in bytes.chunks(size) {
            let progress = answer.take(piece).unwrap();
            ends += usize::from(progress.header_ends);
            body.extend_from_slice(progress.body);
        }
        assert_eq!(ends, usize::from(answer.header().is_some()), "told once");
        (answer.header().map(<[u8]>::to_vec), body)
    }

    #[test]
    fn answers_are_the_same_in_pieces_of_any_size() {
        for (header, rest, body) in [
            ("HTTP/1.0 200 OK\r\n\r\n", "hello", "hello"),
            ("HTTP/1.0 200 OK\r\n\r\n", "", ""),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "hello world", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\n", "hello", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "hello", ""),
            ("HTTP/1.0 200 OK\r\nContent-Length:\r\n\r\n", "hello", ""),
            ("HTTP/1.0 200 OK\r\nX-Content-Length:\t+2\r\n\r\n", "hello", "he"),
            ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n", "hello", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: -2\r\n\r\n", "hello", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 2x\r\n\r\n", "hello", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "hello", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: \u{b2}\r\n\r\n", "hello", "hello"),
            ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nx", "HTTP/1.1 200 OK\r\n\r\nx"),
            ("\r\n\r\n", "\r\n\r\n", "\r\n\r\n"),
        ] {
            let bytes = [header, rest].concat();
            for size in 1..=bytes.len() {
                let expected = (Some(header.as_bytes().to_vec()), body.as_bytes().to_vec());
                assert_eq!(read(bytes.as_bytes(), size), expected, "{bytes:?} by {size}");
            }
        }
    }

    #[test]
    fn what_has_no_header() {
        for bytes in ["", "HTTP/1.0 200 OK\r\n", "HTTP/1.0 200 OK\n\nhello", "\r\n\r"] {
            assert_eq!(read(bytes.as_bytes(), 3), (None, Vec::new()), "{bytes:?}");
        }
        let mut answer = Answer::default();
        assert!(answer.take(&[b'a'; MAX_HEADER]).is_ok());
        assert_eq!(answer.take(b"a"), Err(Error::Malformed), "it does not end");
    }
}
