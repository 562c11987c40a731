//! What is said to a mail server, and how it answers.

use std::net::SocketAddr;
use std::time::Duration;

use super::letter::Letter;
use crate::host::{Error, Network, Plane, Stream};
use crate::report::wording::mail as wording;
use crate::wire::smtp;

/// What has become of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is on its way, or nobody will ever take it.
    Done,
    /// Some have got it. To be tried again for these, as they were configured.
    Partly(Vec<String>),
    /// To be tried again, for these; `None`: for all that it was for.
    Later(Option<Vec<String>>),
    /// No server could be reached.
    Unreachable,
}

/// How long a server may take to answer the last word. The mail is on its way by then.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a conversation ends before its end.
enum Broken {
    /// The server does not want to go on, and that is what becomes of the mail.
    Refused(Outcome),
    /// It takes too long.
    Timeout,
    /// It has hung up.
    Closed,
    /// It does not speak SMTP.
    NoReply,
    Failed(Error),
}

/// What a reply means (RFC 5321 section 4.2.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Not now.
    Transient,
    Permanent,
}

impl Verdict {
    fn of(code: u16) -> Self {
        match code {
            200..400 => Self::Good,
            500..600 => Self::Permanent,
            _ => Self::Transient,
        }
    }
}

/// Connects to the first of `servers` that answers.
pub(super) async fn connect(
    plane: &Plane,
    network: &dyn Network,
    servers: &[SocketAddr],
    timeout: Duration,
) -> Option<Talk> {
    for &server in servers {
        match plane.within(timeout, network.connect(server.into())).await {
            Some(Ok(stream)) => {
                wording::connected(server);
                return Some(Talk { plane: plane.clone(), stream, server, timeout, received: Vec::new() });
            }
            Some(Err(error)) => wording::failed(server, &error),
            None => wording::connect_timeout(server),
        }
    }
    None
}

/// A conversation with a server.
pub(super) struct Talk {
    plane: Plane,
    stream: Box<dyn Stream>,
    server: SocketAddr,
    /// For each answer.
    timeout: Duration,
    /// Not yet understood.
    received: Vec<u8>,
}

impl Talk {
    /// Hands over `letter`, and hangs up.
    pub(super) async fn deliver(mut self, letter: &Letter) -> Outcome {
        match self.hand_over(letter).await {
            Ok(outcome) | Err(Broken::Refused(outcome)) => {
                self.timeout = self.timeout.min(GOODBYE);
                // What it thinks of that does not matter.
                let _ = self.ask(b"QUIT\r\n").await;
                return outcome;
            }
            Err(Broken::Timeout) => wording::read_timeout(self.server),
            Err(Broken::Closed) => wording::closed(self.server),
            Err(Broken::NoReply) => wording::no_reply(self.server),
            Err(Broken::Failed(error)) => wording::failed(self.server, &error),
        }
        Outcome::Later(None)
    }

    /// `HELO` is all that is needed, as in stock: what works with stock works with this.
    async fn hand_over(&mut self, letter: &Letter) -> Result<Outcome, Broken> {
        let greeting = self.reply().await?;
        self.check("(E)SMTP", greeting)?;
        self.step("HELO", format!("HELO {}\r\n", letter.helo).as_bytes()).await?;
        self.step("MAIL", format!("MAIL FROM:<{}>\r\n", letter.from).as_bytes()).await?;
        let (mut any, mut left) = (false, Vec::new());
        for (written, address) in &letter.to {
            let code = self.ask(format!("RCPT TO:<{address}>\r\n").as_bytes()).await?;
            match Verdict::of(code) {
                Verdict::Good => any = true,
                verdict => {
                    wording::recipient_refused(self.server, code, address);
                    left.extend((verdict == Verdict::Transient).then(|| written.clone()));
                }
            }
        }
        if any {
            self.step("DATA", b"DATA\r\n").await?;
            self.step("BODY", &smtp::data(&letter.text)).await?;
            wording::sent();
        }
        Ok(match any {
            _ if left.is_empty() => Outcome::Done,
            true => Outcome::Partly(left),
            false => Outcome::Later(Some(left)),
        })
    }

    /// Says something that the server has to agree with.
    async fn step(&mut self, command: &str, what: &[u8]) -> Result<(), Broken> {
        let code = self.ask(what).await?;
        self.check(command, code)
    }

    fn check(&self, command: &str, code: u16) -> Result<(), Broken> {
        let outcome = match Verdict::of(code) {
            Verdict::Good => return Ok(()),
            Verdict::Transient => Outcome::Later(None),
            Verdict::Permanent => Outcome::Done,
        };
        wording::refused(command, self.server, code);
        Err(Broken::Refused(outcome))
    }

    /// Says something and waits for the answer.
    async fn ask(&mut self, what: &[u8]) -> Result<u16, Broken> {
        let (plane, limit) = (self.plane.clone(), self.timeout);
        plane.within(limit, self.write(what)).await.unwrap_or(Err(Broken::Timeout))?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<u16, Broken> {
        let (plane, limit) = (self.plane.clone(), self.timeout);
        plane.within(limit, self.read()).await.unwrap_or(Err(Broken::Timeout))
    }

    async fn write(&mut self, what: &[u8]) -> Result<(), Broken> {
        match self.stream.write_all(what).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Broken::Closed),
            Err(error) => Err(Broken::Failed(error)),
        }
    }

    async fn read(&mut self) -> Result<u16, Broken> {
        loop {
            if let Some((code, len)) = smtp::reply(&self.received).map_err(|_| Broken::NoReply)? {
                self.received.drain(..len);
                return Ok(code);
            }
            let mut buffer = [0; 1024];
            let read = self.stream.read(&mut buffer).await.map_err(Broken::Failed)?;
            if read == 0 {
                return Err(Broken::Closed);
            }
            self.received.extend_from_slice(buffer.get(..read).unwrap_or_default());
        }
    }
}
