//! What a scenario can do to a world.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::lan::{self, LanOptions, Origin, Packet};
use super::network::MailServer;
use super::observe::What;
use super::process::Behaviour;
use super::state::{Event, Mode};
use super::{By, LanId, NodeId, World, kernel, net};
use crate::base::{IfIndex, IfName};
use crate::host::kernel::Errno;
use crate::host::{Address, KernelEvent, KernelOp, Link, Signal};

impl World {
    /// Sets the wall clock of `node`: ahead of the others by the first, or behind them by the second.
    pub fn set_clock(&mut self, node: NodeId, ahead: Duration, behind: Duration) {
        self.fault(node, "wall clock set");
        self.state.borrow_mut().node(node).clock = (ahead, behind);
    }

    /// Kills the daemon of `node` without warning (`SIGKILL`): its tasks are dropped, its sockets closed. The
    /// kernel keeps its addresses. Nothing if none runs.
    pub fn crash(&mut self, node: NodeId) {
        self.fault(node, "crash");
        self.end_process(node);
        self.wake_node(node);
    }

    /// Switches `node` off: daemon and addresses are gone, nothing is sent or heard.
    pub fn power_off(&mut self, node: NodeId) {
        self.fault(node, "power off");
        self.end_process(node);
        let state = &mut *self.state.borrow_mut();
        let node = state.node(node);
        node.mode = Mode::Off;
        node.kernel.addresses.clear();
        node.arp.clear();
    }

    /// Switches `node` on again: with its own addresses and no daemon.
    pub fn power_on(&mut self, node: NodeId) {
        self.fault(node, "power on");
        let state = &mut *self.state.borrow_mut();
        let node = state.node(node);
        node.mode = Mode::Running;
        node.boots += 1;
        node.kernel.ends.clear();
        node.kernel.addresses = node.kernel.configured.clone();
        node.kernel.routes.clear();
        node.kernel.rules.clear();
        node.kernel.firewall.clear();
        node.kernel.links.retain(|_, (link, _)| link.stacking.base.is_none());
        for (link, _) in node.kernel.links.values_mut() {
            (link.up, link.running) = (true, true);
        }
    }

    /// Stops the processes of `node` (`SIGSTOP`, starvation): nothing of them runs, what arrives is kept by the
    /// kernel, as far as its buffers go. Time passes.
    pub fn freeze(&mut self, node: NodeId) {
        self.fault(node, "freeze");
        self.set_mode(node, Mode::Frozen);
    }

    /// Ends [`World::freeze`]. The tasks that became ready meanwhile run in a random order.
    pub fn thaw(&mut self, node: NodeId) {
        self.fault(node, "thaw");
        self.wake_node(node);
    }

    /// Stops `node` as a whole, as a hypervisor does: like [`World::freeze`], and what is sent to it is lost.
    /// Time passes.
    pub fn pause_vm(&mut self, node: NodeId) {
        self.fault(node, "pause");
        self.set_mode(node, Mode::Paused);
    }

    /// Ends [`World::pause_vm`].
    pub fn resume_vm(&mut self, node: NodeId) {
        self.fault(node, "resume");
        self.wake_node(node);
    }

    fn set_mode(&mut self, node: NodeId, mode: Mode) {
        let mut state = self.state.borrow_mut();
        if state.node(node).mode != Mode::Off {
            state.node(node).mode = mode;
        }
    }

    fn wake_node(&mut self, node: NodeId) {
        self.set_mode(node, Mode::Running);
        let state = &mut *self.state.borrow_mut();
        let latency = state.node(node).kernel.latency;
        for job in std::mem::take(&mut state.node(node).deferred) {
            state.schedule_in(latency, Event::KernelWork { node, job });
        }
        if let Some(process) = self.processes.get_mut(&node) {
            process.shuffle(&mut state.rng);
        }
    }

    /// Whether the daemon of `node` runs and is not stopped in any way.
    pub fn is_alive(&self, node: NodeId) -> bool {
        self.is_running(node) && self.state.borrow_mut().node(node).mode == Mode::Running
    }

    /// Divides `lan` into parts that do not hear each other. Nodes not named are together in a part of their own.
    pub fn partition(&mut self, lan: LanId, parts: &[&[NodeId]]) {
        self.note(None, format!("partition {lan:?} {parts:?}"));
        self.state.borrow_mut().lans[lan.0 as usize].partition(parts);
    }

    /// Ends [`World::partition`].
    pub fn heal(&mut self, lan: LanId) {
        self.note(None, format!("heal {lan:?}"));
        self.state.borrow_mut().lans[lan.0 as usize].partition(&[]);
    }

    /// Whether packets on `lan` get from `a` to `b`, as far as partitions go.
    pub fn connected(&self, lan: LanId, a: NodeId, b: NodeId) -> bool {
        self.state.borrow().lans[lan.0 as usize].connected(a, b)
    }

    /// Changes latency and loss of a LAN.
    pub fn set_lan(&mut self, lan: LanId, options: LanOptions) {
        self.note(None, format!("{lan:?} {options:?}"));
        self.state.borrow_mut().lans[lan.0 as usize].options = options;
    }

    /// A stranger puts a complete IPv4 packet onto `lan`; all nodes on it hear it. The header's checksum and
    /// length are filled in.
    ///
    /// # Panics
    /// If `packet` has no IPv4 header.
    pub fn inject(&mut self, lan: LanId, packet: &[u8]) {
        let packet = net::complete(packet).unwrap_or_else(|| panic!("not an IPv4 packet: {packet:02x?}"));
        lan::transmit(&mut self.state.borrow_mut(), lan, Origin::Stranger, &Packet::Ip(packet));
    }

    /// Sets an interface down (`ip link set down`). Its IPv4 addresses stay.
    pub fn link_down(&mut self, node: NodeId, name: &str) {
        self.change_link(node, name, |link| (link.up, link.running) = (false, false));
    }

    /// Sets an interface up, with carrier.
    pub fn link_up(&mut self, node: NodeId, name: &str) {
        self.change_link(node, name, |link| (link.up, link.running) = (true, true));
    }

    /// Takes the carrier from an interface that stays administratively up, or gives it back.
    pub fn carrier(&mut self, node: NodeId, name: &str, running: bool) {
        self.change_link(node, name, |link| link.running = running && link.up);
    }

    fn change_link(&mut self, node: NodeId, name: &str, change: impl FnOnce(&mut Link)) {
        let index = self.index(node, name);
        let state = &mut *self.state.borrow_mut();
        if let Some((link, _)) = state.node(node).kernel.links.get_mut(&index) {
            change(link);
            let link = link.clone();
            state.record(Some(node), What::Link(link.clone()));
            kernel::report(state, node, KernelEvent::Link(link.clone()));
            if !link.up {
                kernel::went_down(state, node, index);
            }
        }
    }

    /// Deletes an interface and its addresses.
    pub fn delete_link(&mut self, node: NodeId, name: &str) {
        let index = self.index(node, name);
        self.fault(node, "delete link");
        kernel::remove_link(&mut self.state.borrow_mut(), node, index);
    }

    /// Moves an interface to another network namespace. To the router this is its end.
    pub fn move_link(&mut self, node: NodeId, name: &str) {
        let index = self.index(node, name);
        self.fault(node, "move link");
        kernel::move_link(&mut self.state.borrow_mut(), node, index);
    }

    /// Gives an interface another name, with its addresses.
    ///
    /// # Panics
    /// If `new` is no name.
    pub fn rename_link(&mut self, node: NodeId, name: &str, new: &str) {
        let new = IfName::new(new).unwrap_or_else(|| panic!("{new} is no name of an interface"));
        self.change_link(node, name, |link| link.name = new);
    }

    /// An administrator adds an address.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn add_address(&mut self, node: NodeId, address: Address) -> Result<(), Errno> {
        let op = KernelOp::AddAddress(address);
        kernel::change(&mut self.state.borrow_mut(), node, op, By::Administrator)
    }

    /// An administrator deletes the address `ip` from `node`, wherever it is. `false` if it is not there.
    pub fn delete_address(&mut self, node: NodeId, ip: IpAddr) -> bool {
        let state = &mut *self.state.borrow_mut();
        let address = state.node(node).kernel.addresses.iter().find(|a| a.cidr.ip == ip).cloned();
        address.is_some_and(|a| {
            kernel::change(state, node, KernelOp::DeleteAddress(a), By::Administrator).is_ok()
        })
    }

    /// An administrator adds or deletes a route or rule.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn change(&mut self, node: NodeId, op: KernelOp) -> Result<(), Errno> {
        kernel::change(&mut self.state.borrow_mut(), node, op, By::Administrator)
    }

    /// Sends a signal to the daemon of `node`.
    pub fn signal(&mut self, node: NodeId, signal: Signal) {
        self.fault(node, &format!("signal {signal:?}"));
        let state = &mut *self.state.borrow_mut();
        let (queue, waker) = &mut *state.node(node).signals.borrow_mut();
        queue.push_back(signal);
        if let Some(waker) = waker.take() {
            waker.wake();
        }
    }

    /// Sets how long a batch of kernel operations takes on `node` (100 µs).
    pub fn slow_kernel(&mut self, node: NodeId, latency: Duration) {
        self.fault(node, &format!("kernel takes {latency:?}"));
        self.state.borrow_mut().node(node).kernel.latency = latency;
    }

    /// Sets how long it takes until the daemon of `node` hears of a change in its kernel (30 µs).
    pub fn slow_reports(&mut self, node: NodeId, latency: Duration) {
        self.state.borrow_mut().node(node).kernel.report_latency = latency;
    }

    /// The kernel loses all changes that the daemon of `node` has not read yet: it must look anew.
    pub fn overrun(&mut self, node: NodeId) {
        self.fault(node, "overrun");
        self.state.borrow_mut().node(node).kernel.overrun();
    }

    /// Sets what the program at `path` does on `node` from now on.
    pub fn set_program(&mut self, node: NodeId, path: &str, behaviour: Behaviour) {
        self.fault(node, &format!("{path}: {behaviour:?}"));
        self.state.borrow_mut().node(node).programs.behaviours.insert(path.to_owned(), behaviour);
    }

    /// Sets how the mail server at `server` behaves towards `node` from now on; it works unless said otherwise.
    pub fn set_mail_server(&mut self, node: NodeId, server: IpAddr, behaviour: MailServer) {
        self.fault(node, &format!("mail server {server}: {behaviour:?}"));
        self.state.borrow_mut().node(node).servers.mail.insert(server, behaviour);
    }

    /// Sets what `node` finds when it looks a host up; nothing unless said otherwise.
    pub fn set_addresses(&mut self, node: NodeId, name: &str, addresses: &[IpAddr]) {
        self.fault(node, &format!("{name} is {addresses:?}"));
        self.state.borrow_mut().node(node).servers.names.insert(name.to_owned(), addresses.to_vec());
    }

    /// Sets whether name servers answer `node`.
    pub fn set_resolver(&mut self, node: NodeId, answers: bool) {
        self.fault(node, &format!("name servers answer: {answers}"));
        self.state.borrow_mut().node(node).servers.mute = !answers;
    }

    /// Writes the file `path` on `node`, or removes it.
    pub fn set_file(&mut self, node: NodeId, path: &str, text: Option<&str>) {
        self.fault(node, &format!("{path} says {text:?}"));
        let state = &mut *self.state.borrow_mut();
        state.node(node).tracked.set_file(path.as_ref(), text.map(str::as_bytes));
    }

    /// From now on the disk of `node` does not answer who writes in `folder`.
    pub fn hang_disk(&mut self, node: NodeId, folder: &str) {
        self.fault(node, &format!("the disk does not answer in {folder}"));
        self.state.borrow_mut().node(node).tracked.hung = Some(folder.into());
    }

    /// What the file `path` says on `node`.
    pub fn file(&self, node: NodeId, path: &str) -> Option<String> {
        let state = &mut *self.state.borrow_mut();
        let text = state.node(node).tracked.file(path.as_ref())?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// Starts and ends processes on `node` so that `count` of this name run there.
    pub fn set_processes(&mut self, node: NodeId, name: &str, count: usize) {
        self.fault(node, &format!("{count} processes {name}"));
        self.state.borrow_mut().node(node).tracked.set_processes(name, count);
    }

    /// Sets whether the kernel of `node` reports processes to daemons that start from now on; it does not unless said
    /// so, as in a container.
    pub fn set_process_reports(&mut self, node: NodeId, on: bool) {
        self.state.borrow_mut().node(node).tracked.set_reports(on);
    }

    /// Sets whether `path` can be opened for reading on `node`; all can unless said otherwise.
    pub fn set_readable(&mut self, node: NodeId, path: &str, readable: bool) {
        let state = &mut *self.state.borrow_mut();
        let unreadable = &mut state.node(node).programs.unreadable;
        if readable {
            unreadable.remove(&PathBuf::from(path));
        } else {
            unreadable.insert(PathBuf::from(path));
        }
    }

    /// The index of an interface.
    ///
    /// # Panics
    /// If `node` has none of this name.
    pub fn index(&self, node: NodeId, name: &str) -> IfIndex {
        let wanted = IfName::new(name);
        let state = &mut *self.state.borrow_mut();
        let node = state.node(node);
        let found = node.kernel.links.values().find(|(link, _)| Some(&link.name) == wanted.as_ref());
        found.map(|(link, _)| link.index).unwrap_or_else(|| panic!("{} has no {name}", node.name))
    }

    /// Puts a note into the records.
    pub(super) fn fault(&mut self, node: NodeId, text: &str) {
        self.note(Some(node), text.to_owned());
    }

    fn note(&mut self, node: Option<NodeId>, text: String) {
        self.state.borrow_mut().record(node, What::Fault(text));
    }
}
