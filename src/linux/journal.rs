//! systemd's journal, in its own protocol: a datagram of `NAME=value` lines, so that fields stay fields.
//!
//! `tracing-journald` is not used: it writes on the thread that logs, which would wait for the journal, and calls fields
//! and their values otherwise than the text of a line does.

use std::path::Path;

use super::log_socket::LogSocket;
use super::syslog::Facility;

/// Where the journal listens.
pub const DEFAULT_PATH: &str = "/run/systemd/journal/socket";

/// Writes lines to the journal. It never blocks: while nobody listens, or not fast enough, lines are lost.
#[derive(Debug)]
pub struct Journal {
    facility: Facility,
    socket: LogSocket,
}

impl Journal {
    /// A writer to the socket at `path`; `None`: nobody listens there.
    pub fn open(path: &Path, facility: Facility) -> Option<Self> {
        let mut socket = LogSocket::new(path);
        socket.connected()?;
        Some(Self { facility, socket })
    }

    /// Writes one line of `severity` (RFC 5424 table 2) on behalf of `ident`. No value may contain a line feed; a name
    /// is of capital letters and `_`.
    pub fn write<'a>(
        &mut self,
        severity: u8,
        ident: &str,
        text: &str,
        fields: impl Iterator<Item = (&'a str, &'a str)>,
    ) {
        let mut entry = format!(
            "MESSAGE={text}\nPRIORITY={severity}\nSYSLOG_FACILITY={}\nSYSLOG_IDENTIFIER={ident}\nSYSLOG_PID={}\n",
            self.facility.number(),
            std::process::id()
        );
        for (name, value) in fields {
            entry.extend([name, "=", value, "\n"]);
        }
        self.socket.send(|socket| socket.send(entry.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn an_entry_has_the_text_and_its_fields() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        assert!(Journal::open(&path, Facility::DAEMON).is_none(), "nobody listens");
        let listener = UnixDatagram::bind(&path).expect("bind");
        let mut journal = Journal::open(&path, Facility::DAEMON).expect("somebody listens");
        let fields = [("VRRP_INSTANCE", "VI_1"), ("VRRP_STATE", "MASTER")];
        journal.write(6, "Keepalived_vrrp", "(VI_1) Entering MASTER STATE", fields.into_iter());
        let mut buf = [0; 1024];
        let len = listener.recv(&mut buf).expect("receive");
        let expected = format!(
            "MESSAGE=(VI_1) Entering MASTER STATE\nPRIORITY=6\nSYSLOG_FACILITY=3\n\
             SYSLOG_IDENTIFIER=Keepalived_vrrp\nSYSLOG_PID={}\nVRRP_INSTANCE=VI_1\nVRRP_STATE=MASTER\n",
            std::process::id()
        );
        assert_eq!(String::from_utf8_lossy(&buf[..len]), expected);
    }

    #[test]
    fn finds_a_journal_that_was_restarted() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let first = UnixDatagram::bind(&path).expect("bind");
        let mut journal = Journal::open(&path, Facility::DAEMON).expect("somebody listens");
        drop(first);
        std::fs::remove_file(&path).expect("remove");
        let second = UnixDatagram::bind(&path).expect("bind");
        journal.write(6, "test", "text", [].into_iter());
        let mut buf = [0; 1024];
        assert!(second.recv(&mut buf).is_ok_and(|len| buf[..len].starts_with(b"MESSAGE=text\n")));
    }
}
