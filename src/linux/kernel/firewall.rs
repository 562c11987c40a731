//! The packet filter: our tables of nf_tables, as stock lays them out.
//!
//! Each run of changes is one transaction: all of it is in force at one moment, or nothing. The kernel does it while we
//! send it, so its answers are there when that is done. Who else changes our tables is watched from the first entry on.

mod message;
mod rules;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;

use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, Socket, SocketAddr, TokioSocket};
use tokio::sync::mpsc::UnboundedSender;

use self::message::{Batch, Received};
use self::rules::Contents;
use super::sysctl::errno;
use crate::base::Family;
use crate::host::kernel::Errno;
use crate::host::{FirewallEntry, FirewallTable, KernelEvent, KernelOp, Setting};
use crate::linux::buffer;

/// `NFNLGRP_NFTABLES`.
const GROUP: u32 = 7;
/// Buffers of the sockets, in bytes as the kernel counts them: some thousand messages.
const BUFFER: usize = 2 * 1024 * 1024;

/// What we have made, and who makes it.
pub(super) struct Firewall {
    /// What the kernel has, as far as we know.
    entries: BTreeSet<FirewallEntry>,
    shared: Rc<Shared>,
    report: UnboundedSender<KernelEvent>,
    socket: Option<Socket>,
    watched: bool,
    sequence: u32,
}

/// What the watcher has to know, and tells.
#[derive(Default)]
struct Shared {
    /// What the kernel has is not what we have made.
    lost: Cell<bool>,
    /// The address of the socket that we make changes with.
    port: Cell<u32>,
    /// Names of our tables.
    tables: RefCell<BTreeSet<String>>,
}

impl Firewall {
    /// Nothing yet; who loses it will be told by `report`.
    pub(super) fn new(report: UnboundedSender<KernelEvent>) -> Self {
        let shared = Rc::default();
        Self { entries: BTreeSet::new(), shared, report, socket: None, watched: false, sequence: 1 }
    }

    /// Whether `op` is about the packet filter.
    pub(super) fn concerns(op: &KernelOp) -> bool {
        matches!(
            op,
            KernelOp::AddFirewall(_)
                | KernelOp::DeleteFirewall(_)
                | KernelOp::Set(Setting::Filter(_))
                | KernelOp::Unset(Setting::Filter(_))
        )
    }

    /// Does `ops`, all or none.
    pub(super) fn apply(&mut self, ops: &[KernelOp]) -> Result<(), Errno> {
        let mut wanted = self.entries.clone();
        for op in ops {
            if let KernelOp::Set(Setting::Filter(table)) | KernelOp::Unset(Setting::Filter(table)) = op {
                self.clear(table)?;
            }
        }
        for op in ops {
            match op {
                KernelOp::AddFirewall(entry) => {
                    // Who asks again knows that it is gone.
                    let is_new = wanted.insert(entry.clone());
                    self.shared.lost.set(self.shared.lost.get() || !is_new);
                }
                KernelOp::DeleteFirewall(entry) => {
                    wanted.remove(entry);
                }
                _ => {}
            }
        }
        let names = self.entries.iter().chain(&wanted).map(|entry| entry.table.name.clone());
        *self.shared.tables.borrow_mut() = names.collect();
        let lost = self.shared.lost.replace(false);
        let mut done = self.transact(&wanted, lost);
        if done.is_err() && !lost {
            // Somebody may have changed it, and the news is still to come.
            done = self.transact(&wanted, true);
        }
        match done {
            Ok(()) => self.entries = wanted,
            Err(_) => self.shared.lost.set(true),
        }
        done
    }

    /// Nothing is in that table, whoever made it.
    fn clear(&mut self, table: &FirewallTable) -> Result<(), Errno> {
        self.entries.retain(|entry| *entry.table != *table);
        self.shared.tables.borrow_mut().remove(&table.name);
        // Each for itself: a kernel may not have both.
        let cleared = [Family::V4, Family::V6].map(|family| {
            let mut batch = Batch::new(self.sequence);
            // It can be deleted when it is there.
            batch.table(family, &table.name);
            batch.delete_table(family, &table.name);
            self.send(batch)
        });
        cleared.into_iter().reduce(Result::or).unwrap_or(Ok(()))
    }

    /// Makes the kernel's tables what `wanted` says: anew, or only what differs.
    fn transact(&mut self, wanted: &BTreeSet<FirewallEntry>, anew: bool) -> Result<(), Errno> {
        let mut batch = Batch::new(self.sequence);
        let tables: BTreeSet<_> = self.entries.iter().chain(wanted).map(|entry| &*entry.table).collect();
        for table in tables {
            for family in [Family::V4, Family::V6] {
                let (old, new) =
                    (Contents::of(&self.entries, table, family), Contents::of(wanted, table, family));
                match (old.rules.is_empty(), new.rules.is_empty()) {
                    (true, true) => {}
                    (false, true) => {
                        // It can be deleted when it is there.
                        batch.table(family, &table.name);
                        batch.delete_table(family, &table.name);
                    }
                    (false, false) if !anew && old.layout() == new.layout() => new.change(&old, &mut batch),
                    _ => new.build(&mut batch),
                }
            }
        }
        self.send(batch)
    }

    /// Sends a transaction and waits for what becomes of it.
    fn send(&mut self, batch: Batch) -> Result<(), Errno> {
        let first = self.sequence;
        let (bytes, last) = batch.finish();
        if last == first {
            return Ok(()); // nothing between beginning and end
        }
        self.sequence = last + 2;
        if self.socket.is_none() {
            self.socket = Some(self.open().map_err(errno)?);
        }
        let answer = match &self.socket {
            Some(socket) => exchange(socket, &bytes, last).map_err(errno)?,
            None => Err(Errno::IO),
        };
        if answer == Err(Errno::IO) {
            self.socket = None;
        }
        answer
    }

    /// Opens the socket for changes, and begins to watch what others do.
    fn open(&mut self) -> io::Result<Socket> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        self.shared.port.set(socket.bind_auto()?.port_number());
        socket.set_non_blocking(true)?;
        buffer::receive(&socket, BUFFER)?;
        buffer::send(&socket, BUFFER)?;
        if self.watched {
            return Ok(socket);
        }
        let mut watch = TokioSocket::new(NETLINK_NETFILTER)?;
        watch.socket_mut().bind_auto()?;
        buffer::receive(watch.socket_ref(), BUFFER)?;
        watch.socket_mut().add_membership(GROUP)?;
        let shared = Rc::clone(&self.shared);
        tokio::task::spawn_local(Watcher { socket: watch, shared, report: self.report.clone() }.run());
        self.watched = true;
        Ok(socket)
    }
}

/// Sends a transaction and reads the answers: the first error, or that the last message went well.
fn exchange(socket: &Socket, bytes: &[u8], last: u32) -> io::Result<Result<(), Errno>> {
    socket.send_to(bytes, &SocketAddr::new(0, 0), 0)?;
    let (mut failed, mut done) = (None, false);
    loop {
        let received = match socket.recv_from_full() {
            Ok((received, _)) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let failed = failed.or((!done).then_some(Errno::IO));
                return Ok(failed.map_or(Ok(()), Err));
            }
            Err(error) => return Err(error),
        };
        for message in Received::all(&received) {
            match message.error() {
                Some(0) => done |= message.sequence == last,
                Some(code) => failed = failed.or(Some(Errno(code))),
                None => {}
            }
        }
    }
}

/// Watches what others do to our tables.
struct Watcher {
    socket: TokioSocket,
    shared: Rc<Shared>,
    report: UnboundedSender<KernelEvent>,
}

impl Watcher {
    /// Until nobody listens any more, or the socket is of no more use.
    async fn run(self) {
        loop {
            let lost = match self.socket.recv_from_full().await {
                Ok((bytes, _)) => Received::all(&bytes).any(|message| self.is_loss(&message)),
                // Reports were lost.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => true,
                Err(error) => {
                    tracing::error!("cannot see any more what others do to the packet filter: {error}");
                    return;
                }
            };
            if lost && !self.shared.lost.replace(true) && self.report.send(KernelEvent::FirewallLost).is_err()
            {
                return;
            }
        }
    }

    /// Whether somebody else has removed something from a table of ours.
    fn is_loss(&self, message: &Received<'_>) -> bool {
        let is_ours = |table: &str| self.shared.tables.borrow().contains(table);
        message.port != self.shared.port.get() && message.removed_from().is_some_and(is_ours)
    }
}
