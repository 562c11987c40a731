//! A node's kernel: tables of links, addresses, routes and rules, the stream of their changes, and the writer.

mod links;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use self::links::{forget_routes, make_link};
use super::observe::What;
use super::state::{Event, Mode, Shared, State};
use super::{LanId, NodeId};
use crate::base::{Cidr, IfIndex, Instant};
use crate::host::kernel::Errno;
use crate::host::route::Hop;
use crate::host::{
    Address, Dump, FirewallEntry, KernelEvent, KernelEvents, KernelOp, KernelWriter, Link, LocalBoxFuture,
    Route, Rule, Setting,
};

pub(super) use self::links::{move_link, remove_link, went_down};

/// Changes that wait for a reader at most; beyond, they are lost and the reader gets a [`KernelEvent::Resync`].
pub const EVENT_BUFFER: usize = 4096;

/// `EINVAL`.
const INVAL: Errno = Errno(22);
/// `ENETDOWN`.
const NETDOWN: Errno = Errno(100);

/// One answer for each operation of a batch.
type Answers = Vec<Result<(), Errno>>;

/// A batch under way.
struct Job {
    ops: Vec<KernelOp>,
    reply: Rc<RefCell<Reply>>,
}

#[derive(Default)]
struct Reply {
    answers: Option<Answers>,
    waker: Option<Waker>,
}

/// The kernel's side of a stream of changes.
struct Reader {
    queue: VecDeque<KernelEvent>,
    /// Events were lost, or none was read yet.
    resync: bool,
    waker: Option<Waker>,
}

/// Who changes a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The node's daemon.
    Daemon,
    /// Somebody else on the node.
    Administrator,
    /// Nobody: the time of an address was over.
    Kernel,
}

/// The tables of a node. `promote_secondaries` is on: deleting an address never takes others with it.
pub(super) struct Kernel {
    pub(super) links: BTreeMap<IfIndex, (Link, Option<LanId>)>,
    pub(super) addresses: Vec<Address>,
    pub(super) routes: Vec<Route>,
    pub(super) rules: Vec<Rule>,
    pub(super) firewall: BTreeSet<FirewallEntry>,
    /// The last index that an interface had.
    last_index: u32,
    /// When addresses are given up that are not there for ever.
    pub(super) ends: BTreeMap<(IfIndex, Cidr), Instant>,
    /// Addresses that the node has after it was switched on.
    pub(super) configured: Vec<Address>,
    /// Time one batch takes.
    pub(super) latency: Duration,
    /// Time from a change to its report.
    pub(super) report_latency: Duration,
    /// When the writer will have done all it was given, and when the last report arrives.
    busy_until: Instant,
    reported_until: Instant,
    jobs: BTreeMap<u64, Job>,
    readers: BTreeMap<u64, Reader>,
}

impl Kernel {
    pub(super) fn new() -> Self {
        Self {
            links: BTreeMap::new(),
            addresses: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            firewall: BTreeSet::new(),
            last_index: 0,
            ends: BTreeMap::new(),
            configured: Vec::new(),
            latency: Duration::from_micros(100),
            report_latency: Duration::from_micros(30),
            busy_until: Instant::ZERO,
            reported_until: Instant::ZERO,
            jobs: BTreeMap::new(),
            readers: BTreeMap::new(),
        }
    }

    /// The interface that packets of `link` leave by, and the LAN that is attached to: of a VMAC, those of its base.
    pub(super) fn port(&self, link: IfIndex) -> Option<(Option<LanId>, &Link)> {
        let (link, lan) = self.links.get(&link)?;
        match link.stacking.base {
            Some(base) if link.up => self.port(base),
            _ => Some((*lan, link)),
        }
    }

    /// Whether what comes in by `port` gets to `link`: that is it, or stands on it.
    pub(super) fn hears(&self, link: IfIndex, port: IfIndex) -> bool {
        link == port
            || self.links.get(&link).is_some_and(|(link, _)| link.up && link.stacking.base == Some(port))
    }

    /// The first interface that is attached to a LAN.
    pub(super) fn first_on_lan(&self) -> Option<IfIndex> {
        self.links.iter().find_map(|(index, (_, lan))| lan.map(|_| *index))
    }

    pub(super) fn usable(&self, link: IfIndex) -> bool {
        self.links.get(&link).is_some_and(|(link, _)| link.usable())
    }

    pub(super) fn has_ip(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|a| a.cidr.ip == ip)
    }

    /// The address of that key.
    pub(super) fn find(&self, key: (IfIndex, Cidr)) -> Option<usize> {
        self.addresses.iter().position(|a| a.key() == key)
    }

    pub(super) fn forget_process(&mut self) {
        self.jobs.clear();
        self.readers.clear();
        self.busy_until = Instant::ZERO;
    }

    /// The readers lose what waits for them.
    pub(super) fn overrun(&mut self) {
        for reader in self.readers.values_mut() {
            reader.overrun();
        }
    }

    fn dump(&self) -> Dump {
        Dump {
            links: self.links.values().map(|(link, _)| link.clone()).collect(),
            addresses: self.addresses.clone(),
            routes: self.routes.clone(),
            rules: self.rules.clone(),
        }
    }
}

impl Reader {
    fn overrun(&mut self) {
        self.queue.clear();
        self.resync = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Does one operation, and reports what it changed.
pub(super) fn change(state: &mut State, node: NodeId, op: KernelOp, by: By) -> Result<(), Errno> {
    let kernel = &mut state.node(node).kernel;
    match op {
        KernelOp::AddAddress(address) => {
            if !kernel.links.contains_key(&address.link) {
                return Err(Errno::NODEV);
            }
            if kernel.find(address.key()).is_some() {
                return Err(Errno::EXIST);
            }
            kernel.addresses.push(address.clone());
            state.record(Some(node), What::AddressAdded { address: address.clone(), by });
            report(state, node, KernelEvent::Address(address));
        }
        KernelOp::ChangeAddress(address) => {
            if !kernel.links.contains_key(&address.link) {
                return Err(Errno::NODEV);
            }
            match kernel.find(address.key()).and_then(|at| kernel.addresses.get_mut(at)) {
                Some(known) => known.options.valid = address.options.valid,
                None => {
                    kernel.addresses.push(address.clone());
                    state.record(Some(node), What::AddressAdded { address: address.clone(), by });
                }
            }
            set_end(state, node, &address);
            state.record(Some(node), What::Changed { op: KernelOp::ChangeAddress(address.clone()), by });
            report(state, node, KernelEvent::Address(address));
        }
        KernelOp::DeleteAddress(address) => {
            if !kernel.links.contains_key(&address.link) {
                return Err(Errno::NODEV);
            }
            let at = kernel.find(address.key()).ok_or(Errno::ADDRNOTAVAIL)?;
            let address = kernel.addresses.remove(at);
            kernel.ends.remove(&address.key());
            forget_routes(kernel, &address);
            state.record(Some(node), What::AddressDeleted { address: address.clone(), by });
            report(state, node, KernelEvent::AddressGone(address));
        }
        KernelOp::AddRoute(route) => {
            let is_up =
                |hop: &Hop| hop.link.is_none_or(|on| kernel.links.get(&on).is_some_and(|(link, _)| link.up));
            if !route.hops().iter().all(is_up) {
                return Err(NETDOWN);
            }
            if route.source.is_some_and(|ip| !kernel.has_ip(ip)) {
                return Err(INVAL);
            }
            if kernel.routes.iter().any(|r| r.is_same(&route)) {
                return Err(Errno::EXIST);
            }
            kernel.routes.push((*route).clone());
            state.record(Some(node), What::Changed { op: KernelOp::AddRoute(route.clone()), by });
            report(state, node, KernelEvent::Route(route));
        }
        KernelOp::DeleteRoute(route) => {
            let at = kernel.routes.iter().position(|r| r.is_same(&route)).ok_or(Errno::SRCH)?;
            let route = Box::new(kernel.routes.remove(at));
            state.record(Some(node), What::Changed { op: KernelOp::DeleteRoute(route.clone()), by });
            report(state, node, KernelEvent::RouteGone(route));
        }
        KernelOp::AddRule(rule) => {
            if kernel.rules.contains(&rule) {
                return Err(Errno::EXIST);
            }
            kernel.rules.push((*rule).clone());
            state.record(Some(node), What::Changed { op: KernelOp::AddRule(rule.clone()), by });
            report(state, node, KernelEvent::Rule(rule));
        }
        KernelOp::DeleteRule(rule) => {
            let at = kernel.rules.iter().position(|r| r == &*rule).ok_or(Errno::NOENT)?;
            kernel.rules.remove(at);
            state.record(Some(node), What::Changed { op: KernelOp::DeleteRule(rule.clone()), by });
            report(state, node, KernelEvent::RuleGone(rule));
        }
        KernelOp::AddLink(link, origin) => make_link(state, node, link, origin, by)?,
        KernelOp::DeleteLink(link, number) => {
            let is_it = |known: &Link| number.map_or(known.name == link.name, |index| known.index == index);
            let known = kernel.links.values().find(|(known, _)| is_it(known));
            let index = known.ok_or(Errno::NODEV)?.0.index;
            state.record(Some(node), What::Changed { op: KernelOp::DeleteLink(link, number), by });
            remove_link(state, node, index);
        }
        KernelOp::AddFirewall(entry) => {
            kernel.firewall.insert(entry.clone());
            state.record(Some(node), What::Changed { op: KernelOp::AddFirewall(entry), by });
        }
        KernelOp::DeleteFirewall(entry) => {
            kernel.firewall.remove(&entry);
            state.record(Some(node), What::Changed { op: KernelOp::DeleteFirewall(entry), by });
        }
        KernelOp::Set(Setting::Filter(table)) | KernelOp::Unset(Setting::Filter(table)) => {
            kernel.firewall.retain(|entry| entry.table != table);
        }
        // Secondary addresses are always promoted; nobody asks for addresses, nor checks where packets come from.
        KernelOp::Set(_) | KernelOp::Unset(_) => {}
    }
    Ok(())
}

/// The kernel is to give an address up after its time, or never. Linux may be up to a second late.
fn set_end(state: &mut State, node: NodeId, address: &Address) {
    let key = address.key();
    let Some(valid) = address.options.valid else {
        state.node(node).kernel.ends.remove(&key);
        return;
    };
    let late = Duration::from_micros(state.rng.pick(0..=1_000_000));
    let at = state.now + valid + late;
    state.node(node).kernel.ends.insert(key, at);
    state.schedule(at, Event::AddressEnd { node, key });
}

/// The time of an address may be over.
pub(super) fn ended(state: &mut State, node: NodeId, key: (IfIndex, Cidr)) {
    let now = state.now;
    let kernel = &mut state.node(node).kernel;
    if kernel.ends.get(&key).is_none_or(|at| *at > now) {
        return;
    }
    kernel.ends.remove(&key);
    if let Some(address) = kernel.addresses.iter().find(|a| a.key() == key).cloned() {
        // It is there, on an interface that is.
        let _ = change(state, node, KernelOp::DeleteAddress(address), By::Kernel);
    }
}

/// Reports a change to all who listen, in order.
pub(super) fn report(state: &mut State, node: NodeId, event: KernelEvent) {
    let now = state.now;
    let kernel = &mut state.node(node).kernel;
    if kernel.readers.is_empty() {
        return;
    }
    kernel.reported_until = kernel.reported_until.max(now + kernel.report_latency);
    let at = kernel.reported_until;
    state.schedule(at, Event::KernelReport { node, event });
}

/// A report arrives.
pub(super) fn reported(state: &mut State, node: NodeId, event: &KernelEvent) {
    for reader in state.node(node).kernel.readers.values_mut() {
        if reader.queue.len() >= EVENT_BUFFER {
            reader.overrun();
        } else if !reader.resync {
            // With a resync pending the dump will contain it.
            reader.queue.push_back(event.clone());
            reader.wake();
        }
    }
}

/// A batch is due: done now, or when the process runs again (its netlink thread is stopped with it).
pub(super) fn work(state: &mut State, node: NodeId, job: u64) {
    if state.node(node).mode != Mode::Running {
        state.node(node).deferred.push(job);
        return;
    }
    let Some(Job { ops, reply }) = state.node(node).kernel.jobs.remove(&job) else {
        return;
    };
    let answers = ops.into_iter().map(|op| change(state, node, op, By::Daemon)).collect();
    let mut reply = reply.borrow_mut();
    reply.answers = Some(answers);
    if let Some(waker) = reply.waker.take() {
        waker.wake();
    }
}

/// [`KernelWriter`] of a node.
pub(super) struct Writer {
    pub(super) world: Shared,
    pub(super) node: NodeId,
}

impl KernelWriter for Writer {
    fn apply(&self, ops: Vec<KernelOp>) -> LocalBoxFuture<Answers> {
        let reply = Rc::<RefCell<Reply>>::default();
        let mut world = self.world.borrow_mut();
        let (now, job) = (world.now, world.number());
        let kernel = &mut world.node(self.node).kernel;
        kernel.jobs.insert(job, Job { ops, reply: Rc::clone(&reply) });
        // One thread does one batch after the other.
        kernel.busy_until = kernel.busy_until.max(now) + kernel.latency;
        let at = kernel.busy_until;
        world.schedule(at, Event::KernelWork { node: self.node, job });
        Box::pin(poll_fn(move |cx| {
            let mut reply = reply.borrow_mut();
            if let Some(answers) = reply.answers.take() {
                return Poll::Ready(answers);
            }
            reply.waker = Some(cx.waker().clone());
            Poll::Pending
        }))
    }
}

/// [`KernelEvents`] of a node.
pub(super) struct Events {
    world: Shared,
    node: NodeId,
    reader: u64,
}

impl Events {
    pub(super) fn new(world: &Shared, node: NodeId) -> Self {
        let mut state = world.borrow_mut();
        let reader = state.number();
        let new = Reader { queue: VecDeque::new(), resync: true, waker: None };
        state.node(node).kernel.readers.insert(reader, new);
        Self { world: Rc::clone(world), node, reader }
    }
}

impl KernelEvents for Events {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<KernelEvent> {
        let mut world = self.world.borrow_mut();
        let kernel = &mut world.node(self.node).kernel;
        let Some(reader) = kernel.readers.get_mut(&self.reader) else {
            return Poll::Pending;
        };
        if std::mem::take(&mut reader.resync) {
            return Poll::Ready(KernelEvent::Resync(kernel.dump()));
        }
        if let Some(event) = reader.queue.pop_front() {
            return Poll::Ready(event);
        }
        reader.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.world.borrow_mut().node(self.node).kernel.readers.remove(&self.reader);
    }
}
