//! The kernel's tables of links, addresses, routes and rules, over rtnetlink.
//!
//! Two netlink sockets, each on a thread of its own: [`monitor`] reports what changes, whoever changes it; [`writer`]
//! makes our changes, and does not wait while thousands of them are reported. The threads end when [`Events`] and
//! [`Writer`] are dropped and everything the writer was given is done.

mod attribute;
mod firewall;
mod journal;
mod link;
mod message;
mod monitor;
mod route;
mod rule;
mod sysctl;
mod writer;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use netlink_packet_core::NetlinkMessage;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_proto::Connection;
use tokio::sync::mpsc;

use journal::Journal;
pub(super) use message::link;
use sysctl::Settings;
pub(super) use writer::Writer;

use super::buffer;
use super::plane::{Waking, on_plane, start_thread};
use super::scheduling::Threads;
use crate::host::{Error, KernelEvent, KernelEvents, Plane};

/// A message of the route family.
type Message = NetlinkMessage<RouteNetlinkMessage>;

/// Receive buffer of each socket, in bytes as the kernel counts them: about 2,500 messages.
const RECEIVE_BUFFER: usize = 2 * 1024 * 1024;

/// What of both threads the fast plane holds.
pub(super) struct Kernel {
    /// What changes.
    pub(super) events: Events,
    /// Makes changes.
    pub(super) writer: Writer,
}

/// Starts both threads, among `threads`. What is changed of the kernel's settings is noted in the file `notes`, and what
/// a predecessor has noted there is put back.
///
/// # Errors
/// A thread, its runtime or its socket cannot be made.
pub(super) fn start(
    threads: Threads,
    notes: Option<PathBuf>,
) -> Result<(Kernel, [JoinHandle<()>; 2]), Error> {
    let (jobs, work) = mpsc::unbounded_channel();
    let (report, events) = mpsc::unbounded_channel();
    let watched = report.clone();
    // Whoever makes a thousand changes would pay for waking it up after each.
    let monitor = thread("monitor", Waking::Moderated, threads.clone(), async move |plane, started| {
        let monitor = monitor::Monitor::open().map_err(|e| Error::new("open", "the netlink monitor", e))?;
        let _ = started.send(Ok(()));
        tokio::select! {
            () = monitor::run(monitor, watched.clone(), plane) => {}
            () = watched.closed() => {}
        }
        Ok(())
    })?;
    let writer = thread("netlink", Waking::AtOnce, threads, async move |plane, started| {
        let channel = writer::Channel::open().map_err(|e| Error::new("open", "the netlink channel", e))?;
        let settings = Settings::new(Journal::begin(notes));
        let _ = started.send(Ok(()));
        let firewall = firewall::Firewall::new(report.clone());
        writer::run(channel, firewall, settings, work, plane).await;
        report.closed().await;
        Ok(())
    })?;
    Ok((Kernel { events: Events(events), writer: Writer::new(jobs) }, [monitor, writer]))
}

/// Starts a thread with a plane of its own for `body`. An error of that means that it did not get as far as to say that
/// it has started.
fn thread<F>(name: &'static str, waking: Waking, threads: Threads, body: F) -> Result<JoinHandle<()>, Error>
where
    F: AsyncFnOnce(Plane, &SyncSender<Result<(), Error>>) -> Result<(), Error> + Send + 'static,
{
    let ((), thread) = start_thread(name, move |started| {
        threads.join();
        if let Err(error) = on_plane(waking, None, async |plane| body(plane, started).await) {
            let _ = started.send(Err(error));
        }
    })?;
    Ok(thread)
}

/// Gives a fresh connection its receive buffer.
fn enlarge_receive_buffer(connection: &mut Connection<RouteNetlinkMessage>) -> io::Result<()> {
    let socket = connection.socket_mut();
    // SAFETY: the socket is open and stays so while `connection` is borrowed.
    let fd = unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) };
    buffer::receive(&fd, RECEIVE_BUFFER)
}

/// The stream of changes.
pub(super) struct Events(mpsc::UnboundedReceiver<KernelEvent>);

impl KernelEvents for Events {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<KernelEvent> {
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(event)) => Poll::Ready(event),
            // The thread is gone, which can only be a bug of ours: nobody is told anything more.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Watches on the runtime of this thread, for a test that wants to be in its way.
#[cfg(test)]
pub(super) fn watch_here(plane: &crate::host::Plane) -> Events {
    let (report, events) = mpsc::unbounded_channel();
    let monitor = monitor::Monitor::open().unwrap();
    tokio::task::spawn_local(monitor::run(monitor, report, plane.clone()));
    Events(events)
}
