//! TCP connections, TLS in them, and names of machines.

use std::ffi::{CStr, CString};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use super::loader::SystemLoader;
use super::{plane, tls};
use crate::host::{Error, Loader, LocalBoxFuture, Network, Remote, Stream};

/// The network namespace that this process is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Internet;

impl Network for Internet {
    fn connect(&self, to: Remote) -> LocalBoxFuture<Result<Box<dyn Stream>, Error>> {
        Box::pin(async move {
            let stream = connect(to).await.map_err(|e| Error::new("connect to", to.address, e))?;
            Ok(Box::new(Connection { stream, to: to.address }) as Box<dyn Stream>)
        })
    }

    fn secure(
        &self,
        stream: Box<dyn Stream>,
        name: Option<&str>,
    ) -> LocalBoxFuture<Result<Box<dyn Stream>, Error>> {
        let session = tls::Session::new(stream, name);
        Box::pin(async move {
            let mut session = session?;
            session.agree().await?;
            Ok(Box::new(session) as Box<dyn Stream>)
        })
    }

    fn look_up(&self, name: &str) -> LocalBoxFuture<Vec<IpAddr>> {
        let name = name.to_owned();
        // Not known, or not now: whoever asks has something to say about that.
        let found = plane::aside("resolver", move || (name, 0).to_socket_addrs().ok());
        Box::pin(async move {
            let mut found: Vec<_> = found.await.flatten().into_iter().flatten().map(|a| a.ip()).collect();
            found.dedup();
            found
        })
    }

    fn own_name(&self) -> LocalBoxFuture<String> {
        let found = plane::aside("resolver", || canonical_name(&SystemLoader.node_name()));
        Box::pin(async move { found.await.flatten().unwrap_or_else(|| SystemLoader.node_name()) })
    }
}

async fn connect(to: Remote) -> io::Result<TcpStream> {
    let socket = if to.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if to.mark != 0 {
        SockRef::from(&socket).set_mark(to.mark)?;
    }
    socket.connect(to.address).await
}

/// A connection.
struct Connection {
    stream: TcpStream,
    to: SocketAddr,
}

impl Stream for Connection {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
        Poll::Ready(match read {
            Ok(()) => Ok(buffer.filled().len()),
            Err(error) => Err(Error::new("read from", self.to, error)),
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        written.map_err(|e| Error::new("write to", self.to, e))
    }
}

/// What the resolver calls the host `name` in full.
fn canonical_name(name: &str) -> Option<String> {
    let name = CString::new(name).ok()?;
    // SAFETY: zeroes are a valid `addrinfo`: numbers, and null pointers.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_flags = libc::AI_CANONNAME;
    let mut found: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: the name is a C string, the hints and the place for the answer outlive the call.
    let status = unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &hints, &mut found) };
    if status != 0 || found.is_null() {
        return None;
    }
    // SAFETY: after success this is a list, whose first entry has the name, a C string, or null.
    let full = unsafe {
        let full = (*found).ai_canonname;
        (!full.is_null()).then(|| CStr::from_ptr(full).to_string_lossy().into_owned())
    };
    // SAFETY: it came from `getaddrinfo`, and nothing points into it any more.
    unsafe { libc::freeaddrinfo(found) };
    full.filter(|full| !full.is_empty())
}
