//! TLS as a client, by the system's OpenSSL, as stock has it: the same protocols and ciphers, and the same `openssl.cnf`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use openssl::ssl::{self, Ssl, SslContext, SslMethod, SslMode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_openssl::SslStream;

use crate::host::{Error, Stream};

/// A connection in a connection.
pub(super) struct Session(SslStream<Carrier>);

impl Session {
    /// A session through `stream`, with the server `name` if it is to be asked for.
    ///
    /// # Errors
    /// OpenSSL cannot be set up, or there is no such name.
    pub(super) fn new(stream: Box<dyn Stream>, name: Option<&str>) -> Result<Self, Error> {
        let name = name.filter(|name| !name.is_empty());
        start(stream, name).map(Self).map_err(|error| failed(io::Error::other(error)))
    }

    /// Does the handshake.
    pub(super) async fn agree(&mut self) -> Result<(), Error> {
        let agreed = Pin::new(&mut self.0).connect().await;
        agreed.map_err(|error| failed(error.into_io_error().unwrap_or_else(io::Error::other)))
    }
}

/// The library's own defaults; it verifies nothing.
fn start(stream: Box<dyn Stream>, name: Option<&str>) -> Result<SslStream<Carrier>, ssl::Error> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    // What could not be written may stand elsewhere when it is offered again.
    context.set_mode(SslMode::ACCEPT_MOVING_WRITE_BUFFER);
    let mut ssl = Ssl::new(&context.build())?;
    if let Some(name) = name {
        ssl.set_hostname(name)?;
    }
    Ok(SslStream::new(ssl, Carrier(stream))?)
}

impl Stream for Session {
    // That the other side hangs up without TLS's goodbye is an end like any other to this library.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer));
        Poll::Ready(read.map(|()| buffer.filled().len()).map_err(failed))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.0).poll_write(cx, bytes).map_err(failed)
    }
}

/// The connection that a session goes through, as tokio would have it. Its errors travel inside of [`io::Error`].
struct Carrier(Box<dyn Stream>);

impl AsyncRead for Carrier {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.0.poll_read(cx, buffer.initialize_unfilled()));
        Poll::Ready(read.map(|len| buffer.advance(len)).map_err(io::Error::other))
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes).map_err(io::Error::other)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What the connection below says about it, or the library.
fn failed(error: io::Error) -> Error {
    error.downcast().unwrap_or_else(|error| Error::new("speak", "TLS", plain(error)))
}

/// What the library says, without the lines of its source.
fn plain(error: io::Error) -> io::Error {
    let error = match error.downcast::<ssl::Error>() {
        Ok(error) => error,
        Err(error) => return error,
    };
    match error.ssl_error().and_then(|stack| stack.errors().first()) {
        Some(first) => io::Error::other(format!(
            "error:{:08X}:{}::{}",
            first.code(),
            first.library().unwrap_or_default(),
            first.reason().unwrap_or_default()
        )),
        // The other side has hung up.
        None => io::ErrorKind::UnexpectedEof.into(),
    }
}
