//! Connections to other machines, over TCP.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use super::{Error, LocalBoxFuture};

/// The network as a client sees it. For the slow plane.
pub trait Network {
    /// Connects to `to`, from wherever the routes lead. It takes as long as the system thinks fit: whoever waits has a
    /// limit of his own.
    fn connect(&self, to: Remote) -> LocalBoxFuture<Result<Box<dyn Stream>, Error>>;

    /// Agrees on TLS with the other side of `stream`, as a client that asks for the server `name` (SNI) and verifies no
    /// certificate. What is written and read then is what goes through. That the other side hangs up without a goodbye is
    /// no error: many servers do.
    fn secure(
        &self,
        stream: Box<dyn Stream>,
        name: Option<&str>,
    ) -> LocalBoxFuture<Result<Box<dyn Stream>, Error>>;

    /// The addresses of a host, best first; none: it is not known, or nobody who knows can be asked.
    fn look_up(&self, name: &str) -> LocalBoxFuture<Vec<IpAddr>>;

    /// The name others know this machine by, with its domain where it has one.
    fn own_name(&self) -> LocalBoxFuture<String>;
}

/// The other side of a connection, and how to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Address and port.
    pub address: SocketAddr,
    /// The mark of what is sent there (`SO_MARK`), for routing rules and the packet filter; 0: none.
    pub mark: u32,
}

impl From<SocketAddr> for Remote {
    fn from(address: SocketAddr) -> Self {
        Self { address, mark: 0 }
    }
}

impl dyn Stream + '_ {
    /// Reads into `buffer`. Gives how many bytes; 0: the other side has closed it.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// Writes all of `bytes`; `false`: the other side takes no more.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> Result<bool, Error> {
        while !bytes.is_empty() {
            match poll_fn(|cx| self.poll_write(cx, bytes)).await? {
                0 => return Ok(false),
                written => bytes = bytes.get(written..).unwrap_or_default(),
            }
        }
        Ok(true)
    }
}

/// A connection. It closes when it is dropped.
pub trait Stream {
    /// Reads into `buffer`. Gives how many bytes; 0: the other side has closed it.
    ///
    /// # Errors
    /// The connection is broken.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Error>>;

    /// Writes of `bytes` what it takes at once. Gives how many.
    ///
    /// # Errors
    /// The connection is broken.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>>;
}
