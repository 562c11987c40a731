//! What `genhash` prints: the digest of a page, and on request header and body as they come.

use std::fmt::Write as _;

use md5::{Digest, Md5};

use crate::wire::http::Answer;

/// The account of a page that comes.
#[derive(Clone, Debug)]
pub struct Account {
    answer: Answer,
    digest: Md5,
    is_verbose: bool,
    /// The header does not end where one should.
    is_wrong: bool,
}

impl Account {
    /// Of a page of which nothing has come yet. If it is not verbose, only the digest is told.
    pub fn new(is_verbose: bool) -> Self {
        Self { answer: Answer::default(), digest: Md5::new(), is_verbose, is_wrong: false }
    }

    /// Takes what comes next. Gives what is to be printed about it.
    pub fn block(&mut self, block: &[u8]) -> Vec<u8> {
        let had_header = self.answer.header().is_some();
        if self.is_wrong {
            return Vec::new();
        }
        let Ok(progress) = self.answer.take(block) else {
            self.is_wrong = true;
            return Vec::new();
        };
        self.digest.update(progress.body);
        if !self.is_verbose {
            return Vec::new();
        }
        let mut text = Vec::new();
        if !had_header {
            text.extend_from_slice(rule("   HTTP Header Buffer   ").as_bytes());
        }
        if let Some(header) = self.answer.header().filter(|_| progress.header_ends) {
            text.extend_from_slice(dump(header).as_bytes());
            text.extend_from_slice(rule("HTTP Header Ascii Buffer").as_bytes());
            text.extend_from_slice(header);
            text.push(b'\n');
            if !progress.body.is_empty() {
                text.extend_from_slice(rule("       HTML Buffer       ").as_bytes());
            }
        }
        text.extend_from_slice(dump(progress.body).as_bytes());
        text
    }

    /// The page has come. Gives what is to be printed about it, and what is wrong with it.
    pub fn end(self) -> (Vec<u8>, &'static str) {
        let digest = self.digest.finalize();
        let mut text = String::new();
        if self.is_verbose {
            text.push('\n');
            text.push_str(&rule("   HTML hash resulting   "));
            text.push_str(&dump(&digest));
            text.push_str(&rule("HTML hash final resulting"));
        }
        if self.answer.header().is_none() {
            return (text.into_bytes(), "no data received from remote webserver\n");
        }
        for byte in digest {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        (text.into_bytes(), "")
    }
}

/// A line that says what follows.
fn rule(what: &str) -> String {
    format!("-----------------------[ {what} ]-----------------------\n")
}

/// Lines of 16 bytes: offset, hexadecimal, and what of it can be shown.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let _ = write!(text, "{:04}  ", line * 16);
        for at in 0..16 {
            let _ = match bytes.get(at) {
                Some(byte) => write!(text, "{byte:02x} "),
                None => write!(text, "   "),
            };
            text.push_str(if at == 7 { "- " } else { "" });
        }
        text.push_str("  ");
        let shown = |b: &u8| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' };
        let shown: String = bytes.iter().map(shown).collect();
        let _ = writeln!(text, "{shown:16}");
    }
    text
}
