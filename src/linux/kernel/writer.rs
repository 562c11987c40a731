//! Makes changes: batches of messages in one system call each, every message acknowledged on its own.

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_proto::sys::{SocketAddr, protocols::NETLINK_ROUTE};
use netlink_proto::{ConnectionHandle, new_connection};
use tokio::sync::{mpsc, oneshot};

use super::firewall::Firewall;
use super::sysctl::Settings;
use super::{Message, enlarge_receive_buffer, link, message, route, rule};
use crate::host::kernel::Errno;
use crate::host::{KernelOp, KernelWriter, LocalBoxFuture, Plane};

/// Messages per system call. The acknowledgements of a batch must fit into the receive buffer, which the kernel
/// may have left at its default of 256 of them.
const BATCH: usize = 100;
/// How long the acknowledgements of a batch may take. It takes the kernel about 2 ms.
const PATIENCE: Duration = Duration::from_secs(2);

/// Operations and where their answers go.
pub(super) struct Job {
    ops: Vec<KernelOp>,
    reply: oneshot::Sender<Vec<Result<(), Errno>>>,
}

/// Hands changes to the netlink thread.
pub(in crate::linux) struct Writer(mpsc::UnboundedSender<Job>);

impl Writer {
    /// A writer whose jobs come out at the other end of `jobs`.
    pub(super) fn new(jobs: mpsc::UnboundedSender<Job>) -> Self {
        Self(jobs)
    }
}

impl KernelWriter for Writer {
    fn apply(&self, ops: Vec<KernelOp>) -> LocalBoxFuture<Vec<Result<(), Errno>>> {
        let count = ops.len();
        let (reply, answers) = oneshot::channel();
        let _ = self.0.send(Job { ops, reply });
        // Without the thread the job, and with it the reply's sender, is dropped.
        Box::pin(async move { answers.await.unwrap_or_else(|_| vec![Err(Errno::IO); count]) })
    }
}

/// Does the work, in order, until there will be none any more.
pub(super) async fn run(
    channel: Channel,
    mut firewall: Firewall,
    mut settings: Settings,
    mut work: mpsc::UnboundedReceiver<Job>,
    plane: Plane,
) {
    let mut channel = Some(channel);
    while let Some(job) = work.recv().await {
        let mut answers = Vec::with_capacity(job.ops.len());
        for ops in batches(&job.ops) {
            if let [op] = ops
                && let Some(answer) = settings.apply(op)
            {
                answers.push(answer);
                continue;
            }
            if ops.first().is_some_and(Firewall::concerns) {
                let answer = firewall.apply(ops);
                answers.extend(ops.iter().map(|_| answer));
                continue;
            }
            if channel.is_none() {
                channel = Channel::open()
                    .inspect_err(|error| tracing::error!("cannot open the netlink channel: {error}"))
                    .ok();
            }
            let batch = match (&mut channel, ops) {
                (Some(channel), [KernelOp::AddLink(made, origin)]) => {
                    vec![Some(link::make(channel, &plane, made, *origin).await)]
                }
                (Some(channel), [KernelOp::DeleteLink(gone, number)]) => {
                    vec![Some(link::unmake(channel, &plane, gone, *number).await)]
                }
                (Some(channel), ops) => channel.apply(ops, &plane).await,
                (None, ops) => vec![None; ops.len()],
            };
            if batch.contains(&None) {
                tracing::error!("the kernel did not answer every netlink message, opening a new channel");
                channel = None;
            }
            answers.extend(batch.into_iter().map(|answer| answer.unwrap_or(Err(Errno::IO))));
        }
        // Nobody may be waiting any more.
        let _ = job.reply.send(answers);
    }
}

/// Runs of operations that go to the kernel together; one that is not a single message goes alone.
fn batches(ops: &[KernelOp]) -> impl Iterator<Item = &[KernelOp]> {
    let is_alone = |op: &KernelOp| {
        Settings::concerns(op) || matches!(op, KernelOp::AddLink(..) | KernelOp::DeleteLink(..))
    };
    let together = move |a: &KernelOp, b: &KernelOp| {
        !is_alone(a) && !is_alone(b) && Firewall::concerns(a) == Firewall::concerns(b)
    };
    let whole = |run: &[KernelOp]| run.first().is_some_and(Firewall::concerns);
    ops.chunk_by(together).flat_map(move |run| run.chunks(if whole(run) { run.len() } else { BATCH }))
}

/// An open netlink socket for changes.
pub(super) struct Channel {
    handle: ConnectionHandle<RouteNetlinkMessage>,
    /// Messages sent so far; their sequence numbers count from 1.
    sent: u32,
    connection: tokio::task::JoinHandle<()>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Channel {
    /// Opens the socket.
    ///
    /// # Errors
    /// What the system refused.
    pub(super) fn open() -> io::Result<Self> {
        // What comes unasked on this socket is an overflow at most; the missing answers tell as much.
        let (mut connection, handle, _) = new_connection(NETLINK_ROUTE)?;
        enlarge_receive_buffer(&mut connection)?;
        connection.set_forward_ack(true);
        Ok(Self { handle, sent: 0, connection: tokio::task::spawn_local(connection) })
    }

    /// Sends one message that changes something.
    pub(super) async fn change(&mut self, message: Message, plane: &Plane) -> Result<(), Errno> {
        let answer = self.exchange(vec![message], plane).await.pop().flatten();
        answer.unwrap_or(Err(Errno::IO))
    }

    /// Sends `ops` as one batch and collects the answers; `None` where none came.
    async fn apply(&mut self, ops: &[KernelOp], plane: &Plane) -> Vec<Option<Result<(), Errno>>> {
        self.exchange(ops.iter().filter_map(request).collect(), plane).await
    }

    async fn exchange(&mut self, messages: Vec<Message>, plane: &Plane) -> Vec<Option<Result<(), Errno>>> {
        let count = messages.len();
        let mut answers = vec![None; count];
        let Ok(stream) = self.handle.request_batch(messages, SocketAddr::new(0, 0)) else {
            return answers; // the connection has ended
        };
        let mut stream = pin!(stream);
        let first = self.sent + 1;
        self.sent += count as u32; // a batch is small
        let deadline = plane.now() + PATIENCE;
        loop {
            let reply = tokio::select! {
                biased;
                reply = stream.next() => reply,
                () = plane.sleep_until(deadline) => None,
            };
            let Some(reply) = reply else { return answers };
            let NetlinkPayload::Error(answer) = &reply.payload else { continue };
            let place = reply.header.sequence_number.checked_sub(first).map(|n| n as usize);
            if let Some(slot) = place.and_then(|place| answers.get_mut(place)) {
                *slot = Some(answer.code.map_or(Ok(()), |code| Err(Errno(code.get().wrapping_neg()))));
            }
        }
    }
}

/// The message that does `op`; `None`: it is not done by one.
fn request(op: &KernelOp) -> Option<Message> {
    let (message, flags) = match op {
        KernelOp::AddAddress(address) => {
            (RouteNetlinkMessage::NewAddress(message::add(address)), NLM_F_CREATE | NLM_F_EXCL)
        }
        KernelOp::ChangeAddress(address) => {
            (RouteNetlinkMessage::NewAddress(message::add(address)), NLM_F_CREATE | NLM_F_REPLACE)
        }
        KernelOp::DeleteAddress(address) => (RouteNetlinkMessage::DelAddress(message::delete(address)), 0),
        KernelOp::AddRoute(route) => {
            (RouteNetlinkMessage::NewRoute(route::add(route)), NLM_F_CREATE | route::flags(route))
        }
        KernelOp::DeleteRoute(route) => (RouteNetlinkMessage::DelRoute(route::delete(route)), 0),
        KernelOp::AddRule(rule) => {
            (RouteNetlinkMessage::NewRule(rule::message(rule)), NLM_F_CREATE | NLM_F_EXCL)
        }
        KernelOp::DeleteRule(rule) => (RouteNetlinkMessage::DelRule(rule::message(rule)), 0),
        KernelOp::AddLink(..)
        | KernelOp::DeleteLink(..)
        | KernelOp::AddFirewall(_)
        | KernelOp::DeleteFirewall(_)
        | KernelOp::Set(_)
        | KernelOp::Unset(_) => return None,
    };
    let mut message = Message::from(message);
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    Some(message)
}
