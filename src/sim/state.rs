//! What the ports of all nodes share: time, schedule, LANs, nodes, records.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use tracing::Level;

use super::files::Tracked;
use super::kernel::Kernel;
use super::lan::{Lan, Packet};
use super::net::Socket;
use super::network::Servers;
use super::observe::{Record, What};
use super::process::Programs;
use super::rng::Rng;
use super::time::TimerCell;
use super::{NodeId, World};
use crate::base::{Cidr, IfIndex, Instant, MacAddr};
use crate::host::KernelEvent;

/// The state of a world, shared by the ports of all its nodes. Never borrowed while a task is polled or dropped.
pub(super) type Shared = Rc<RefCell<State>>;

/// Where an event stands in the schedule: by time, and by the order of scheduling among equals.
pub(super) type Key = (Instant, u64);

/// Something that will happen.
pub(super) enum Event {
    /// A timer fires.
    Timer(Rc<TimerCell>),
    /// A packet or frame arrives at an interface.
    Arrival { node: NodeId, link: IfIndex, packet: Packet },
    /// A batch of kernel operations is done.
    KernelWork { node: NodeId, job: u64 },
    /// A change of the kernel's tables is reported to those who listen.
    KernelReport { node: NodeId, event: KernelEvent },
    /// An address is given up by the kernel, unless it has got another end meanwhile.
    AddressEnd { node: NodeId, key: (IfIndex, Cidr) },
    /// A program ends by itself.
    ProgramEnd { node: NodeId, program: u64 },
    /// The scenario does something.
    Action(Box<dyn FnOnce(&mut World)>),
}

/// What a node's processes can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everything.
    Running,
    /// Nothing of theirs is run; the kernel works (`SIGSTOP`, starvation).
    Frozen,
    /// Nor does the kernel: what is sent to it is lost (a paused virtual machine).
    Paused,
    /// Switched off.
    Off,
}

/// One machine.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) kernel: Kernel,
    pub(super) sockets: BTreeMap<u64, Socket>,
    /// Kernel batches that became due while the node was frozen.
    pub(super) deferred: Vec<u64>,
    pub(super) programs: Programs,
    pub(super) tracked: Tracked,
    pub(super) servers: Servers,
    pub(super) signals: super::process::SignalQueue,
    /// What the node's ARP cache would hold: who was heard to announce an address last, and when.
    pub(super) arp: BTreeMap<IpAddr, (Instant, MacAddr)>,
    /// Exit status of the last daemon that ended by itself.
    pub(super) exit_status: Option<u8>,
    /// How often it has been switched on.
    pub(super) boots: u32,
    /// By how much its wall clock is ahead, and by how much behind.
    pub(super) clock: (Duration, Duration),
}

pub(super) struct State {
    pub(super) now: Instant,
    next: u64,
    pub(super) schedule: BTreeMap<Key, Event>,
    pub(super) rng: Rng,
    pub(super) lans: Vec<Lan>,
    pub(super) nodes: Vec<Node>,
    pub(super) records: Vec<Record>,
    pub(super) log_level: Level,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            // Far from 0: a daemon that computes with times before its start must not get away with saturation.
            now: Instant::from_micros(1_000_000_000),
            next: 0,
            schedule: BTreeMap::new(),
            rng: Rng::new(seed),
            lans: Vec::new(),
            nodes: Vec::new(),
            records: Vec::new(),
            log_level: Level::INFO,
        }
    }

    /// A number that was not given out before.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// `event` will happen at `at`, or now if that is past.
    pub(super) fn schedule(&mut self, at: Instant, event: Event) -> Key {
        let key = (at.max(self.now), self.number());
        self.schedule.insert(key, event);
        key
    }

    /// `event` will happen in `delay`.
    pub(super) fn schedule_in(&mut self, delay: Duration, event: Event) -> Key {
        self.schedule(self.now + delay, event)
    }

    pub(super) fn record(&mut self, node: Option<NodeId>, what: What) {
        self.records.push(Record { at: self.now, node, what });
    }

    pub(super) fn node(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.0 as usize]
    }

    /// The process of `node` is gone: what was under way on its behalf is dropped.
    ///
    /// Its sockets and timers closed themselves when its tasks were dropped.
    pub(super) fn forget_process(&mut self, node: NodeId) {
        let node = self.node(node);
        node.kernel.forget_process();
        node.deferred.clear();
        node.programs.forget_process();
        node.tracked.forget_process();
        node.signals = Rc::default();
    }
}
