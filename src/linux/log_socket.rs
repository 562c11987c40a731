//! A socket on which somebody listens who takes log lines: a system logger, or the journal.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// Never blocks: while nobody listens, or not fast enough, lines are lost. It connects with the first line, and again
/// whenever the listener has been restarted.
#[derive(Debug)]
pub(super) struct LogSocket {
    path: PathBuf,
    connection: Option<UnixDatagram>,
}

impl LogSocket {
    /// A socket to whoever listens at `path`.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: None }
    }

    /// The open connection, or a new one; `None`: nobody listens.
    pub(super) fn connected(&mut self) -> Option<&UnixDatagram> {
        if self.connection.is_none() {
            self.connection = connect(&self.path).ok();
        }
        self.connection.as_ref()
    }

    /// Has `send` send one line, and once more if the listener was restarted.
    pub(super) fn send(&mut self, send: impl Fn(&UnixDatagram) -> io::Result<usize>) {
        for _ in 0..2 {
            let Some(socket) = self.connected() else { return };
            match send(socket) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => self.connection = None,
                _ => return,
            }
        }
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    // Where nobody listens, as in many containers, this is far less work than a socket for each line.
    std::fs::symlink_metadata(path)?;
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}
