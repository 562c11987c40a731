//! The ports of `host` in memory: a world of nodes and LANs in virtual time.
//!
//! A [`World`] is made from a seed. It has LANs, and nodes with interfaces on them; on a node a daemon is
//! [started](World::start) with a [`Host`] whose every port leads into the world. Nothing happens until the world
//! is [run](World::run_for); then tasks are polled until all of them wait, the earliest event of the schedule is
//! taken, and so on. Time passes between events only. The same seed and the same calls give the same run, event
//! for event, on every machine.
//!
//! ```
//! use keepalived_rs::sim::{LanOptions, World, cidr};
//! use std::time::Duration;
//!
//! let mut world = World::new(1);
//! let lan = world.lan(LanOptions::default());
//! let node = world.node("a");
//! world.attach(node, lan, "eth0", cidr("10.0.0.1/24"));
//! world.start(node, |host| {
//!     Box::pin(async move {
//!         host.slow.sleep(Duration::from_secs(3600)).await;
//!         7
//!     })
//! });
//! world.run_for(Duration::from_secs(3601));
//! assert_eq!(world.exit_status(node), Some(7));
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `exec` | tasks of a process |
//! | `state` | the schedule, and what all ports share |
//! | `time`, `net`, `network`, `kernel`, `process`, `files`, `loader` | the ports |
//! | `lan` | who hears what |
//! | `faults` | what a scenario can do to a world |
//! | `observe`, `log`, `pcap` | what it can see |

pub mod loader;

mod exec;
mod faults;
mod files;
mod kernel;
mod lan;
mod log;
mod net;
mod network;
mod observe;
mod pcap;
mod process;
mod rng;
mod state;
#[cfg(test)]
mod tests;
mod time;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub use kernel::{By, EVENT_BUFFER};
pub use lan::LanOptions;
pub use net::RECEIVE_BUFFER;
pub use network::MailServer;
pub use observe::{Advert, Mail, Record, What};
pub use process::Behaviour;
pub use rng::Rng;

use self::exec::{Inbox, Latch, PlaneId, Process, Spawner};
use self::kernel::Kernel;
use self::lan::Lan;
use self::state::{Event, Mode, Node, Shared, State};
use crate::base::{Cidr, IfIndex, IfName, Instant, MacAddr};
use crate::host::{
    Address, AddressOptions, Fast, FastMain, Host, Link, LocalBoxFuture, Pid, Plane, Stacking, StartFast,
};

/// A machine of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// A LAN of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanId(u32);

/// A task polled this often without any time passing will never come to rest.
const LIVELOCK: u64 = 5_000_000;

/// An address with its prefix from text.
///
/// # Panics
/// If `text` is not one. For scenarios, which write their addresses themselves.
pub fn cidr(text: &str) -> Cidr {
    text.split_once('/')
        .and_then(|(ip, prefix)| Cidr::new(ip.parse().ok()?, prefix.parse().ok()?))
        .unwrap_or_else(|| panic!("{text} is not an address with a prefix length"))
}

/// Nodes and LANs, and the time they live in. See the [module](self).
///
/// Methods that take the name of an interface, or start a daemon where one runs, panic on the mistake: it is one
/// of the scenario.
pub struct World {
    processes: BTreeMap<NodeId, Process>,
    state: Shared,
    /// Times a task was polled since time last passed.
    polls: u64,
}

impl World {
    /// An empty world. All its randomness follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { processes: BTreeMap::new(), state: Rc::new(RefCell::new(State::new(seed))), polls: 0 }
    }

    /// The present moment.
    pub fn now(&self) -> Instant {
        self.state.borrow().now
    }

    /// Adds a LAN.
    pub fn lan(&mut self, options: LanOptions) -> LanId {
        let lans = &mut self.state.borrow_mut().lans;
        lans.push(Lan::new(options));
        LanId(lans.len() as u32 - 1)
    }

    /// Adds a machine, with a loopback interface.
    pub fn node(&mut self, name: &str) -> NodeId {
        let id = {
            let nodes = &mut self.state.borrow_mut().nodes;
            nodes.push(Node {
                name: name.to_owned(),
                mode: Mode::Running,
                kernel: Kernel::new(),
                sockets: BTreeMap::new(),
                deferred: Vec::new(),
                programs: process::Programs::default(),
                tracked: files::Tracked::default(),
                servers: network::Servers::default(),
                signals: Rc::default(),
                arp: BTreeMap::new(),
                exit_status: None,
                boots: 1,
                clock: Default::default(),
            });
            NodeId(nodes.len() as u32 - 1)
        };
        self.add_link(id, "lo", None, cidr("127.0.0.1/8"));
        id
    }

    /// The machine's name.
    pub fn name(&self, node: NodeId) -> String {
        self.state.borrow_mut().node(node).name.clone()
    }

    /// Gives `node` an interface on `lan`, up and running, with an address.
    ///
    /// # Panics
    /// If `name` is too long for an interface.
    pub fn attach(&mut self, node: NodeId, lan: LanId, name: &str, cidr: Cidr) -> IfIndex {
        let link = self.add_link(node, name, Some(lan), cidr);
        self.state.borrow_mut().lans[lan.0 as usize].attach(node, link);
        link
    }

    /// Gives an interface of `node` one more address, which it also has after it was switched off and on.
    ///
    /// # Panics
    /// If there is no interface of this name.
    pub fn configure(&mut self, node: NodeId, name: &str, cidr: Cidr) {
        let link = self.index(node, name);
        let kernel = &mut self.state.borrow_mut().nodes[node.0 as usize].kernel;
        let address = configured(link, cidr, 0);
        kernel.addresses.push(address.clone());
        kernel.configured.push(address);
    }

    fn add_link(&mut self, node: NodeId, name: &str, lan: Option<LanId>, cidr: Cidr) -> IfIndex {
        let mut state = self.state.borrow_mut();
        let kernel = &mut state.node(node).kernel;
        let index = IfIndex(kernel.links.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        let ethernet = lan.is_some();
        let [_, _, high, low] = node.0.to_be_bytes();
        let link = Link {
            index,
            name: IfName::new(name).unwrap_or_else(|| panic!("{name:?} is no name for an interface")),
            up: true,
            running: true,
            multicast: ethernet,
            arp: ethernet,
            loopback: !ethernet,
            mtu: if ethernet { 1500 } else { 65_536 },
            mac: ethernet.then_some(MacAddr([2, 0, 0, high, low, index.0 as u8])),
            stacking: Stacking::default(),
        };
        let address = configured(index, cidr, if ethernet { 0 } else { 254 });
        kernel.links.insert(index, (link, lan));
        kernel.addresses.push(address.clone());
        kernel.configured.push(address);
        index
    }

    /// Starts a daemon on `node`. `main` is called at once; the future it gives is the daemon, its value the exit
    /// status. When it ends, and when it is [crashed](World::crash), whatever it spawned is dropped.
    ///
    /// # Panics
    /// If a daemon runs on `node`, or the node is switched off.
    pub fn start(&mut self, node: NodeId, main: impl FnOnce(Host) -> LocalBoxFuture<u8>) {
        assert!(!self.processes.contains_key(&node), "a daemon runs on {}", self.name(node));
        assert_ne!(self.state.borrow_mut().node(node).mode, Mode::Off, "{} is off", self.name(node));
        self.fault(node, "start");
        self.state.borrow_mut().node(node).exit_status = None;
        let (inbox, fast_ended) = (Rc::<Inbox>::default(), Rc::<Latch>::default());
        let mut process = Process::new(node, Rc::clone(&inbox), Rc::clone(&fast_ended));
        let host = host(&self.state, node, &inbox, &fast_ended);
        process.main(log::speaking(&self.state, node, || main(host)));
        self.processes.insert(node, process);
    }

    /// Whether a daemon runs on `node`.
    pub fn is_running(&self, node: NodeId) -> bool {
        self.processes.contains_key(&node)
    }

    /// Lets `duration` pass.
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now() + duration);
    }

    /// Lets time pass until `end`.
    ///
    /// # Panics
    /// If a task keeps itself ready for ever without time passing, and if a task panics.
    pub fn run_until(&mut self, end: Instant) {
        loop {
            self.settle();
            let mut state = self.state.borrow_mut();
            let next = state.schedule.first_entry().filter(|entry| entry.key().0 <= end);
            let Some((key, event)) = next.map(|entry| entry.remove_entry()) else {
                state.now = state.now.max(end);
                return;
            };
            if key.0 > state.now {
                state.now = key.0;
                self.polls = 0;
            }
            drop(state);
            self.happen(event);
        }
    }

    /// `action` will be called at `at`.
    pub fn at(&mut self, at: Instant, action: impl FnOnce(&mut World) + 'static) {
        self.state.borrow_mut().schedule(at, Event::Action(Box::new(action)));
    }

    /// Polls the tasks of all processes that can run until all of them wait.
    fn settle(&mut self) {
        loop {
            let mut progress = false;
            let mut ended = Vec::new();
            for (node, process) in &mut self.processes {
                if self.state.borrow_mut().node(*node).mode != Mode::Running {
                    continue;
                }
                log::speaking(&self.state, *node, || {
                    while process.step() {
                        progress = true;
                        self.polls += 1;
                        assert!(self.polls < LIVELOCK, "task {:?} never comes to rest", process.next_name());
                    }
                });
                if let Some(status) = process.status() {
                    ended.push((*node, status));
                }
            }
            for (node, status) in ended {
                self.end_process(node);
                let mut state = self.state.borrow_mut();
                state.node(node).exit_status = Some(status);
                state.record(Some(node), What::Exit(status));
            }
            if !progress {
                return;
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let event = match event {
            Event::Action(action) => return action(self),
            event => event,
        };
        let state = &mut *self.state.borrow_mut();
        match event {
            Event::Timer(timer) => timer.fire(),
            Event::Arrival { node, link, packet } => lan::arrive(state, node, link, &packet),
            Event::KernelWork { node, job } => kernel::work(state, node, job),
            Event::KernelReport { node, event } => kernel::reported(state, node, &event),
            Event::AddressEnd { node, key } => kernel::ended(state, node, key),
            Event::ProgramEnd { node, program } => process::ended(state, node, program),
            Event::Action(_) => unreachable!("handled above"),
        }
    }

    /// Drops all tasks of the node's process.
    fn end_process(&mut self, node: NodeId) {
        if let Some(process) = self.processes.remove(&node) {
            debug_assert_eq!(process.node, node);
            log::speaking(&self.state, node, || drop(process));
            self.state.borrow_mut().forget_process(node);
        }
    }
}

/// An address that is not a daemon's.
fn configured(link: IfIndex, cidr: Cidr, scope: u8) -> Address {
    let (peer, broadcast, label) = (None, None, None);
    Address { link, cidr, peer, broadcast, label, scope, protocol: 0, options: AddressOptions::default() }
}

/// The ports of a process on `node`.
fn host(world: &Shared, node: NodeId, inbox: &Rc<Inbox>, fast_ended: &Rc<Latch>) -> Host {
    let time = Rc::new(time::Time(Rc::clone(world), node));
    let plane = |plane| Plane {
        clock: time.clone(),
        timers: time.clone(),
        tasks: Rc::new(Spawner { inbox: Rc::clone(inbox), plane }),
    };
    let tracking = Rc::new(files::Tracking { world: Rc::clone(world), node });
    let manager = Rc::new(process::Manager { world: Rc::clone(world), node });
    let (signals, name, boot) = {
        let mut world = world.borrow_mut();
        let node = world.node(node);
        (Rc::clone(&node.signals), node.name.clone(), node.boots.to_string())
    };
    Host {
        slow: plane(PlaneId::Slow),
        start_fast: start_fast(world, node, plane(PlaneId::Fast), inbox, fast_ended),
        processes: manager.clone(),
        carriers: tracking.clone(),
        network: Rc::new(network::Internet { world: Rc::clone(world), node }),
        files: tracking.clone(),
        process_table: tracking,
        signals: Box::new(process::Receiver(signals)),
        supervisor: manager.clone(),
        scheduler: manager,
        name,
        process: Pid(1),
        boot,
    }
}

/// The fast plane: no thread, only tasks that end together.
fn start_fast(world: &Shared, node: NodeId, plane: Plane, inbox: &Rc<Inbox>, ended: &Rc<Latch>) -> StartFast {
    let (world, inbox, ended) = (Rc::clone(world), Rc::clone(inbox), Rc::clone(ended));
    Box::new(move |main: FastMain| {
        let net = Rc::new(net::Net { world: Rc::clone(&world), node });
        let fast = Fast {
            plane,
            vrrp: net.clone(),
            announcer: net,
            events: Box::new(kernel::Events::new(&world, node)),
            writer: Rc::new(kernel::Writer { world, node }),
        };
        inbox.push("fast", PlaneId::Fast, true, main(fast));
        let done: LocalBoxFuture<()> = Box::pin(async move { ended.wait().await });
        Ok(done)
    })
}
