//! Mail servers that the nodes of a world can reach, and names.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::NodeId;
use super::observe::{Mail, What};
use super::state::Shared;
use super::time::Time;
use crate::host::{Error, LocalBoxFuture, Network, Remote, Stream, Timer, Timers};

/// How a mail server behaves towards a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailServer {
    /// It takes everything.
    #[default]
    Works,
    /// Nobody listens there.
    Refuses,
    /// Nothing comes back, not even a refusal.
    Unreachable,
    /// It accepts connections and says nothing.
    Silent,
    /// Each of its answers takes this long.
    Slow(Duration),
    /// It answers this command (the text itself: `.`), or those about this recipient, with this code.
    Answers(&'static str, u16),
    /// It does not answer this command.
    Ignores(&'static str),
    /// It hangs up instead of answering this command.
    HangsUp(&'static str),
}

/// What a node finds in its network.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// By address; others work.
    pub(super) mail: BTreeMap<IpAddr, MailServer>,
    /// Addresses by name.
    pub(super) names: BTreeMap<String, Vec<IpAddr>>,
    /// Whoever asks for a name waits for ever.
    pub(super) mute: bool,
    /// Connections that are open.
    pub(super) open: usize,
}

/// [`Network`] of a node.
pub(super) struct Internet {
    pub(super) world: Shared,
    pub(super) node: NodeId,
}

impl Internet {
    fn behaviour(&self, server: SocketAddr) -> MailServer {
        let mut world = self.world.borrow_mut();
        world.node(self.node).servers.mail.get(&server.ip()).copied().unwrap_or_default()
    }
}

impl Network for Internet {
    fn connect(&self, to: Remote) -> LocalBoxFuture<Result<Box<dyn Stream>, Error>> {
        let to = to.address;
        let this = Self { world: Rc::clone(&self.world), node: self.node };
        Box::pin(async move {
            match this.behaviour(to) {
                MailServer::Unreachable => std::future::pending().await,
                MailServer::Refuses => {
                    Err(Error::new("connect to", to, io::ErrorKind::ConnectionRefused.into()))
                }
                _ => Ok(Box::new(Session::open(this, to)) as Box<dyn Stream>),
            }
        })
    }

    fn secure(&self, _: Box<dyn Stream>, _: Option<&str>) -> LocalBoxFuture<Result<Box<dyn Stream>, Error>> {
        // These servers speak SMTP, and stock's SMTP has no TLS.
        let refused = Error::new("agree on TLS with", "a mail server", io::ErrorKind::Unsupported.into());
        Box::pin(async move { Err(refused) })
    }

    fn look_up(&self, name: &str) -> LocalBoxFuture<Vec<IpAddr>> {
        let (found, mute) = {
            let mut world = self.world.borrow_mut();
            let servers = &world.node(self.node).servers;
            (servers.names.get(name).cloned(), servers.mute)
        };
        Box::pin(async move { if mute { std::future::pending().await } else { found.unwrap_or_default() } })
    }

    fn own_name(&self) -> LocalBoxFuture<String> {
        let name = self.world.borrow_mut().node(self.node).name.clone();
        Box::pin(async move { name })
    }
}

/// A connection to a mail server, as seen from both sides.
struct Session {
    net: Internet,
    server: SocketAddr,
    /// What the client has sent and the server not understood yet.
    heard: Vec<u8>,
    /// What the server has said and the client not read yet.
    said: VecDeque<u8>,
    /// The server takes its time to say it.
    timer: Box<dyn Timer>,
    is_thinking: bool,
    closed: bool,
    from: String,
    to: Vec<String>,
    /// The text so far, while it comes.
    text: Option<String>,
}

impl Session {
    fn open(net: Internet, server: SocketAddr) -> Self {
        net.world.borrow_mut().node(net.node).servers.open += 1;
        let timer = Time(Rc::clone(&net.world), net.node).timer();
        let mut session = Self {
            net,
            server,
            heard: Vec::new(),
            said: VecDeque::new(),
            timer,
            is_thinking: false,
            closed: false,
            from: String::new(),
            to: Vec::new(),
            text: None,
        };
        session.answer("", "", 220);
        session
    }

    /// Says `code` in answer to `command`, or to what is said about `who`, or does what else it does. Whether that was
    /// good.
    fn answer(&mut self, command: &str, who: &str, code: u16) -> bool {
        let mut code = code;
        match self.net.behaviour(self.server) {
            MailServer::Silent => return false,
            MailServer::Ignores(what) if what == command => return false,
            MailServer::Slow(pause) => {
                let now = self.net.world.borrow().now;
                self.timer.set(Some(now + pause));
                self.is_thinking = true;
            }
            MailServer::Answers(to, with) if to == command || to == who => code = with,
            MailServer::HangsUp(at) if at == command => {
                self.closed = true;
                return false;
            }
            _ => {}
        }
        self.said.extend(format!("{code} ok\r\n").into_bytes());
        code < 400
    }

    fn line(&mut self, line: &str) {
        if let Some(text) = &mut self.text {
            if line != "." {
                text.push_str(line.strip_prefix('.').unwrap_or(line));
                text.push('\n');
                return;
            }
            let text = self.text.take().unwrap_or_default();
            if self.answer(".", "", 250) {
                let (from, to) = (self.from.clone(), self.to.clone());
                let mail = Mail { server: self.server, from, to, text };
                let mut world = self.net.world.borrow_mut();
                world.record(Some(self.net.node), What::Mailed(mail));
            }
            return;
        }
        let (command, argument) = line.split_once([' ', ':']).unwrap_or((line, ""));
        let address =
            argument.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or_default();
        let code = match command {
            "DATA" => 354,
            "QUIT" => 221,
            "HELO" | "MAIL" | "RCPT" => 250,
            _ => 500,
        };
        let good = self.answer(command, address, code);
        match command {
            "MAIL" => self.from = address.to_owned(),
            "RCPT" if good => self.to.push(address.to_owned()),
            "DATA" if good => self.text = Some(String::new()),
            "QUIT" => self.closed = true,
            _ => {}
        }
    }
}

impl Stream for Session {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        if self.is_thinking {
            if self.timer.poll_fired(cx).is_pending() {
                return Poll::Pending;
            }
            self.is_thinking = false;
        }
        if self.said.is_empty() {
            return if self.closed { Poll::Ready(Ok(0)) } else { Poll::Pending };
        }
        let len = self.said.len().min(buffer.len());
        for (place, byte) in buffer.iter_mut().zip(self.said.drain(..len)) {
            *place = byte;
        }
        Poll::Ready(Ok(len))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        if self.closed {
            return Poll::Ready(Err(Error::new("write to", self.server, io::ErrorKind::BrokenPipe.into())));
        }
        self.heard.extend_from_slice(bytes);
        while let Some(end) = self.heard.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']).to_owned();
            self.line(&line);
        }
        Poll::Ready(Ok(bytes.len()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.net.world.borrow_mut().node(self.net.node).servers.open -= 1;
    }
}
