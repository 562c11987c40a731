//! A page is fetched from a web server, within limits.

use std::io::ErrorKind;
use std::time::Duration;

use crate::host::{Error, Network, Plane, Remote, Stream};

/// Bytes that are read at once at most, as in stock: its dumps show them one by one.
const BLOCK: usize = 4095;

/// What is fetched, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The server.
    pub server: Remote,
    /// By TLS; certificates are not verified.
    pub tls: Option<Tls>,
    /// What the server is told, see [`crate::wire::http::request`].
    pub request: Vec<u8>,
    /// How long each step may take: to connect, to agree on TLS, to write, and each time something is waited for. `None`:
    /// as long as the system thinks fit.
    pub timeout: Option<Duration>,
}

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The name that the server is asked for (SNI, RFC 6066 section 3).
    pub name: Option<String>,
}

/// Why there is no page, in stock's words; its checkers put the server's address behind them.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No way leads there.
    #[error("HTTP_CHECK - network unreachable")]
    Unreachable(#[source] Error),
    /// It does not take the connection.
    #[error("Connection failed")]
    Connect(#[source] Error),
    /// It does not answer at all.
    #[error("Timeout connecting")]
    ConnectTimeout,
    /// It does not speak TLS, or not ours.
    #[error("SSL handshake/communication error connecting to")]
    Handshake(#[source] Error),
    /// The request does not get there.
    #[error("Timeout WEB write")]
    WriteTimeout,
    /// The connection breaks while the request is sent.
    #[error("Cannot send get request to")]
    Write(#[source] Error),
    /// Nothing comes back.
    #[error("Timeout WEB read")]
    FirstReadTimeout,
    /// The answer does not end.
    #[error("Timeout HTTP read")]
    ReadTimeout,
    /// Nothing comes, or it does not end, by TLS.
    #[error("Timeout SSL read")]
    TlsReadTimeout,
    /// The connection breaks while the answer comes.
    #[error("Read error with")]
    Read(#[source] Error),
    /// The same, by TLS.
    #[error("SSL read error from")]
    TlsRead(#[source] Error),
}

impl Fetch {
    /// Asks the server and hands all it says, block by block, to `each`.
    ///
    /// # Errors
    /// The connection could not be had, or broke, or something took too long. What has come until then has been handed over.
    pub async fn run(
        &self,
        plane: &Plane,
        network: &dyn Network,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        let mut stream = self.connect(plane, network).await?;
        let written = self.within(plane, write(&mut *stream, &self.request)).await;
        written.ok_or(Failure::WriteTimeout)?.map_err(Failure::Write)?;
        let mut block = [0; BLOCK];
        let mut is_first = true;
        loop {
            let read = self.within(plane, stream.read(&mut block)).await;
            let read = read.ok_or(match (&self.tls, is_first) {
                (Some(_), _) => Failure::TlsReadTimeout,
                (None, true) => Failure::FirstReadTimeout,
                (None, false) => Failure::ReadTimeout,
            })?;
            match read {
                Ok(0) => return Ok(()),
                Ok(len) => each(block.get(..len).unwrap_or_default()),
                Err(error) if self.tls.is_some() => return Err(Failure::TlsRead(error)),
                Err(error) => return Err(Failure::Read(error)),
            }
            is_first = false;
        }
    }

    async fn connect(&self, plane: &Plane, network: &dyn Network) -> Result<Box<dyn Stream>, Failure> {
        let stream = self.within(plane, network.connect(self.server)).await.ok_or(Failure::ConnectTimeout)?;
        let stream = stream.map_err(|error| match error.source.kind() {
            ErrorKind::NetworkUnreachable => Failure::Unreachable(error),
            _ => Failure::Connect(error),
        })?;
        let Some(tls) = &self.tls else { return Ok(stream) };
        let secured = self.within(plane, network.secure(stream, tls.name.as_deref())).await;
        secured.ok_or(Failure::ConnectTimeout)?.map_err(Failure::Handshake)
    }

    async fn within<T>(&self, plane: &Plane, step: impl Future<Output = T>) -> Option<T> {
        match self.timeout {
            Some(limit) => plane.within(limit, step).await,
            None => Some(step.await),
        }
    }
}

async fn write(stream: &mut dyn Stream, bytes: &[u8]) -> Result<(), Error> {
    match stream.write_all(bytes).await? {
        true => Ok(()),
        false => Err(Error::new("write to", "the server", ErrorKind::WriteZero.into())),
    }
}
