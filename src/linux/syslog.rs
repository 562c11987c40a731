//! The system log: one datagram per line, as in RFC 3164 section 4.1 but without a host name, as `syslog(3)` does.
//!
//! ```text
//! <PRI>Nov 21 09:05:00 Keepalived_vrrp[4711]: (VI_1) Entering MASTER STATE
//! ```

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{fmt, io};

use super::log_socket::LogSocket;

/// Where system loggers listen.
pub const DEFAULT_PATH: &str = "/dev/log";

/// Longest text that is sent if the logger does not take the whole, in bytes.
const SHORT: usize = 900;

/// Severity of a line (RFC 3164 section 4.1.1), with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody must act now.
    Alert = 1,
    /// Error.
    Error = 3,
    /// Warning.
    Warning = 4,
    /// Normal but significant.
    Notice = 5,
    /// Informational.
    Info = 6,
    /// Debugging.
    Debug = 7,
}

/// Facility of all lines (RFC 3164 section 4.1.1): `LOG_DAEMON`, or one of the local ones by option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

impl Facility {
    /// System daemons, 3.
    pub const DAEMON: Self = Self(3);

    /// The facility of this number, 0 to 23; `None` for greater ones.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 23 { Some(Self(number)) } else { None }
    }

    /// Its number, 0 to 23.
    pub(super) const fn number(self) -> u8 {
        self.0
    }

    /// `LOG_LOCAL0` to `LOG_LOCAL7`; `None` for greater numbers.
    pub const fn local(number: u8) -> Option<Self> {
        if number <= 7 { Some(Self(16 + number)) } else { None }
    }
}

/// Writes lines to the system log. It never blocks: while nobody listens, or not fast enough, lines are lost.
#[derive(Debug)]
pub struct Syslog {
    facility: Facility,
    socket: Mutex<LogSocket>,
}

impl Syslog {
    /// A writer to the socket at `path`. It connects with the first line, and again whenever the logger has been
    /// restarted.
    pub fn new(path: &Path, facility: Facility) -> Self {
        Self { facility, socket: Mutex::new(LogSocket::new(path)) }
    }

    /// Writes one line on behalf of `ident`, for example `Keepalived_vrrp`.
    pub fn write(&self, severity: Severity, ident: &str, text: impl fmt::Display) {
        let priority = self.facility.0 << 3 | severity as u8;
        let time = jiff::Zoned::now().strftime("%b %e %H:%M:%S").to_string();
        let line = format!("<{priority}>{time} {ident}[{}]: {text}", std::process::id());
        // A panic while it was held leaves at worst no connection.
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.send(|socket| send(socket, line.as_bytes()));
    }
}

/// Sends `line`, or its start if it is too long for the logger.
fn send(socket: &UnixDatagram, line: &[u8]) -> io::Result<usize> {
    match socket.send(line) {
        Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
            socket.send(line.get(..SHORT).unwrap_or(line))
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buf = [0; 2048];
        let len = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..len]).into_owned()
    }

    #[test]
    fn writes_priority_time_ident_and_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let logger = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::new(&path, Facility::local(2).unwrap());
        syslog.write(Severity::Info, "Keepalived_vrrp", "(VI_1) Entering MASTER STATE");
        let line = received(&logger);
        let (head, text) = line.split_at("<150>Nov 21 09:05:00 ".len());
        assert!(head.starts_with("<150>"), "{line}");
        let shape: String = head.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape[8..].trim_start_matches([' ', '9']), ":99:99 ", "{line}");
        let expected = format!("Keepalived_vrrp[{}]: (VI_1) Entering MASTER STATE", std::process::id());
        assert_eq!(text, expected);
    }

    #[test]
    fn finds_a_logger_that_was_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let syslog = Syslog::new(&path, Facility::DAEMON);
        syslog.write(Severity::Info, "test", "nobody hears this");
        let logger = UnixDatagram::bind(&path).unwrap();
        syslog.write(Severity::Info, "test", "first");
        assert!(received(&logger).ends_with(": first"));
        drop(logger);
        std::fs::remove_file(&path).unwrap();
        let logger = UnixDatagram::bind(&path).unwrap();
        syslog.write(Severity::Error, "test", "second");
        assert!(received(&logger).starts_with("<27>"));
    }

    #[test]
    fn a_logger_that_does_not_read_stops_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let logger = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::new(&path, Facility::DAEMON);
        for n in 0..2000 {
            syslog.write(Severity::Debug, "test", n);
        }
        assert!(received(&logger).ends_with(": 0"));
    }

    #[test]
    fn the_start_of_an_endless_line_gets_through() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let logger = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::new(&path, Facility::DAEMON);
        syslog.write(Severity::Info, "test", "x".repeat(1_000_000));
        assert_eq!(received(&logger).len(), SHORT);
    }
}
