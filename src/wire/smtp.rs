//! SMTP as a client speaks it (RFC 5321): replies, and the text of a mail on its way.

use super::Error;

/// Bytes that a reply may have; a server that says more is none.
pub const MAX_REPLY: usize = 64 * 1024;

/// The code of the reply that `bytes` begin with, 0 to 999, and how many bytes it has; `None`: there is more to come.
///
/// Every line of a reply has three digits and, unless it is the last one, a hyphen behind them (section 4.2.1); the last
/// line counts. Text behind the digits may be missing, and may be of any bytes; CR before LF may be missing.
///
/// # Errors
/// [`Error::Malformed`]: a line does not begin with three digits, or there is no end within [`MAX_REPLY`] bytes.
pub fn reply(bytes: &[u8]) -> Result<Option<(u16, usize)>, Error> {
    let mut len = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if !line.ends_with(b"\n") {
            break;
        }
        len += line.len();
        let (digits, rest) = line.split_first_chunk::<3>().ok_or(Error::Malformed)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(Error::Malformed);
        }
        if rest.first() != Some(&b'-') {
            let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
            return Ok(Some((code, len)));
        }
    }
    if bytes.len() > MAX_REPLY { Err(Error::Malformed) } else { Ok(None) }
}

/// The text of a mail as it follows `DATA`, its end included: lines end with CRLF, and one that begins with a dot gets a
/// second one (section 4.5.2).
pub fn data(text: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(text.len() + 64);
    for line in text.split_terminator('\n') {
        if line.starts_with('.') {
            data.push(b'.');
        }
        data.extend_from_slice(line.strip_suffix('\r').unwrap_or(line).as_bytes());
        data.extend_from_slice(b"\r\n");
    }
    data.extend_from_slice(b".\r\n");
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_one_line_and_of_many() {
        for (bytes, expected) in [
            ("", None),
            ("25", None),
            ("250 ok\r", None),
            ("250 ok\r\n", Some((250, 8))),
            ("250\r\n", Some((250, 5))),
            ("250 ok\n", Some((250, 7))),
            ("220-hello\r\n", None),
            ("220-hello\r\n220-\r\n220 there\r\nmore", Some((220, 28))),
            ("250-x\r\n354 go\r\n", Some((354, 15))),
            ("250 ok\r\n354 go\r\n", Some((250, 8))),
        ] {
            assert_eq!(reply(bytes.as_bytes()), Ok(expected), "{bytes:?}");
        }
        assert_eq!(reply(b"250 gr\xfc\xdf dich\r\n"), Ok(Some((250, 15))), "any bytes");
    }

    #[test]
    fn what_is_no_reply() {
        for bytes in ["\r\n", "ok\r\n", "25x no\r\n", "250-a\r\nb\r\n", "SSH-2.0-x\r\n"] {
            assert_eq!(reply(bytes.as_bytes()), Err(Error::Malformed), "{bytes:?}");
        }
        assert_eq!(reply(&[b'2'; MAX_REPLY]), Ok(None));
        assert_eq!(reply(&[b'2'; MAX_REPLY + 1]), Err(Error::Malformed));
    }

    #[test]
    fn dots_are_doubled_and_lines_end_alike() {
        let text = "Subject: x\r\n\r\n.\n..a\r\nb.\n";
        assert_eq!(data(text), b"Subject: x\r\n\r\n..\r\n...a\r\nb.\r\n.\r\n");
        assert_eq!(data("no end"), b"no end\r\n.\r\n");
        assert_eq!(data(""), b".\r\n");
    }
}
