//! TLS as a client, by the system's OpenSSL, as stock has it: the same protocols and ciphers, and the same `openssl.cnf`.
//!
//! The library is loaded when it is needed first. Linked, it would cost a daemon that never needs it half a megabyte of
//! memory of its own, and its start 2 ms.

mod library;

use std::future::poll_fn;
use std::io;
use std::ptr::NonNull;
use std::task::{Context, Poll, ready};

use libc::c_int;

use self::library::{Bio, Library, Ssl};
use crate::host::{Error, Stream};

/// Bytes that are taken out of the connection, or out of the library, at once.
const PIECE: usize = 4096;

/// A connection in a connection. The library sees two buffers of memory, never a socket.
pub(super) struct Session {
    library: &'static Library,
    /// Owns both buffers.
    ssl: NonNull<Ssl>,
    /// What has come and the library has not read yet.
    inbox: NonNull<Bio>,
    /// What the library has to say.
    outbox: NonNull<Bio>,
    stream: Box<dyn Stream>,
    /// Taken from `outbox`, on its way into `stream` from `sent` on.
    pending: Vec<u8>,
    sent: usize,
}

impl Session {
    /// A session through `stream`, with the server `name` if it is to be asked for.
    ///
    /// # Errors
    /// There is no OpenSSL, no memory, or no such name.
    pub(super) fn new(stream: Box<dyn Stream>, name: Option<&str>) -> Result<Self, Error> {
        let library = Library::get()?;
        let name = name.filter(|name| !name.is_empty());
        let parts = library.session(name).map_err(|error| failed("begin", error))?;
        Ok(Self {
            library,
            ssl: parts.ssl,
            inbox: parts.inbox,
            outbox: parts.outbox,
            stream,
            pending: Vec::new(),
            sent: 0,
        })
    }

    /// Does the handshake.
    pub(super) async fn agree(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_agree(cx)).await
    }

    fn poll_agree(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // SAFETY: a session of this library, alive, used by nobody else.
        let step = |library: &Library, ssl: NonNull<Ssl>| unsafe { (library.SSL_connect)(ssl.as_ptr()) };
        match ready!(self.poll_step(cx, step)) {
            Ok(0) => Poll::Ready(Err(failed("agree", io::ErrorKind::UnexpectedEof.into()))),
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Lets the library do `step`, with whatever has to go to and fro for that. Gives what it gave; 0: the other side has
    /// hung up.
    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&Library, NonNull<Ssl>) -> c_int,
    ) -> Poll<Result<usize, Error>> {
        loop {
            self.library.forget_errors();
            let done = step(self.library, self.ssl);
            self.empty_outbox();
            if let Ok(done @ 1..) = usize::try_from(done) {
                // What does not get out now gets out with the next step; nobody waits for it.
                return match self.poll_flush(cx) {
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    _ => Poll::Ready(Ok(done)),
                };
            }
            // SAFETY: the session, and what its latest step gave.
            match unsafe { (self.library.SSL_get_error)(self.ssl.as_ptr(), done) } {
                library::WANT_READ => {
                    ready!(self.poll_flush(cx))?;
                    if ready!(self.poll_fill(cx))? == 0 {
                        return Poll::Ready(Ok(0));
                    }
                }
                library::ZERO_RETURN => return Poll::Ready(Ok(0)),
                _ => {
                    let error = self.library.error();
                    // It may tell the other side why.
                    let _ = self.poll_flush(cx);
                    return Poll::Ready(Err(failed("speak", error)));
                }
            }
        }
    }

    /// Takes what the library has to say.
    fn empty_outbox(&mut self) {
        let mut piece = [0; PIECE];
        loop {
            let read = self.library.read(self.outbox, &mut piece);
            if read.is_empty() {
                return;
            }
            self.pending.extend_from_slice(read);
        }
    }

    /// Sends it.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while let Some(rest) = self.pending.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(self.stream.poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(failed("speak", io::ErrorKind::WriteZero.into()))),
                sent => self.sent += sent,
            }
        }
        self.pending.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Gives the library what has come. Gives how many bytes; 0: no more will come.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        let mut piece = [0; PIECE];
        let len = ready!(self.stream.poll_read(cx, &mut piece))?;
        self.library
            .write(self.inbox, piece.get(..len).unwrap_or_default())
            .map_err(|error| failed("read", error))?;
        Poll::Ready(Ok(len))
    }
}

impl Stream for Session {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        let len = length(buffer);
        self.poll_step(cx, |library, ssl| {
            // SAFETY: the session; the buffer has at least `len` bytes.
            unsafe { (library.SSL_read)(ssl.as_ptr(), buffer.as_mut_ptr().cast(), len) }
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        // The library does not take nothing.
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let len = length(bytes);
        self.poll_step(cx, |library, ssl| {
            // SAFETY: the session; there are at least `len` bytes.
            unsafe { (library.SSL_write)(ssl.as_ptr(), bytes.as_ptr().cast(), len) }
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: made by this library, not freed before; frees both buffers, which nobody names afterwards.
        unsafe { (self.library.SSL_free)(self.ssl.as_ptr()) };
    }
}

/// Bytes of `buffer` as the library counts them; the rest of a longer one is left alone.
fn length(buffer: &[u8]) -> c_int {
    c_int::try_from(buffer.len()).unwrap_or(c_int::MAX)
}

fn failed(operation: &'static str, error: io::Error) -> Error {
    Error::new(operation, "TLS", error)
}
