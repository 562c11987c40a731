//! What a scenario can see of a world: the records of what happened, and the tables as they are.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use tracing::Level;

use super::{By, LanId, NodeId, World};
use crate::base::{Family, Instant, MacAddr};
use crate::host::{Address, Command, FirewallEntry, KernelEvent, KernelOp, Link, Route, Rule};
use crate::wire::ah::{AH_LEN, PROTO_AH};
use crate::wire::ip;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// Where; `None` for what concerns all.
    pub node: Option<NodeId>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// The daemon sent an advert.
    Advert {
        /// On which LAN.
        lan: LanId,
        /// The packet, from the IP header on.
        packet: Rc<[u8]>,
    },
    /// The daemon announced an address by gratuitous ARP or a neighbour advertisement.
    Announcement {
        /// On which LAN.
        lan: LanId,
        /// The address.
        ip: IpAddr,
        /// The frame.
        frame: Rc<[u8]>,
    },
    /// An address was added.
    AddressAdded {
        /// The address.
        address: Address,
        /// By whom.
        by: By,
    },
    /// An address was deleted.
    AddressDeleted {
        /// The address.
        address: Address,
        /// By whom.
        by: By,
    },
    /// A route or rule was added or deleted.
    Changed {
        /// The change.
        op: KernelOp,
        /// By whom.
        by: By,
    },
    /// An interface changed.
    Link(Link),
    /// The daemon wrote a log line.
    Log {
        /// Its level.
        level: Level,
        /// The message, and behind it the other fields.
        text: String,
    },
    /// The daemon ran a program.
    Program(Command),
    /// The daemon wrote to a named pipe.
    Piped {
        /// The pipe.
        path: PathBuf,
        /// What.
        text: String,
    },
    /// A mail server took a mail of the daemon.
    Mailed(Mail),
    /// The daemon told the service manager that it is up.
    Ready,
    /// The daemon told the service manager that it reloads its configuration.
    Reloading,
    /// The daemon told the service manager how it is.
    Status(String),
    /// The daemon told the service manager that it is stopping.
    Stopping,
    /// The daemon exited with this status.
    Exit(u8),
    /// The scenario did something.
    Fault(String),
}

/// A mail that a server has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// By which one.
    pub server: SocketAddr,
    /// Who sent it.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// Its text, lines ending with LF.
    pub text: String,
}

impl Mail {
    /// What it is about.
    pub fn subject(&self) -> &str {
        self.text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default()
    }
}

/// A VRRP advert that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// When.
    pub at: Instant,
    /// By whom.
    pub node: NodeId,
    /// Where.
    pub lan: LanId,
    /// Over which protocol.
    pub family: Family,
    /// Virtual router identifier.
    pub vrid: u8,
    /// Priority; 0: the sender resigns.
    pub priority: u8,
    /// The packet, from the IP header on.
    pub packet: Rc<[u8]>,
}

impl Record {
    /// The advert, if it is one.
    pub fn advert(&self) -> Option<Advert> {
        let (What::Advert { lan, packet }, Some(node)) = (&self.what, self.node) else {
            return None;
        };
        let header = ip::Header::parse(packet).ok()?;
        let front = if header.protocol == PROTO_AH { AH_LEN } else { 0 };
        let [_, vrid, priority] = *packet.get(header.len + front..)?.first_chunk()?;
        let family = Family::of(header.source);
        Some(Advert { at: self.at, node, lan: *lan, family, vrid, priority, packet: Rc::clone(packet) })
    }
}

impl World {
    /// Records log lines of this level and the more important ones; `INFO` unless said otherwise.
    pub fn set_log_level(&mut self, level: Level) {
        self.state.borrow_mut().log_level = level;
    }

    /// All that happened, in order.
    pub fn records(&self) -> Vec<Record> {
        self.state.borrow().records.clone()
    }

    /// What happened at or after `since` and for which `f` has an answer.
    pub fn records_since<T>(&self, since: Instant, f: impl FnMut(&Record) -> Option<T>) -> Vec<T> {
        let state = self.state.borrow();
        let start = state.records.partition_point(|record| record.at < since);
        state.records.iter().skip(start).filter_map(f).collect()
    }

    /// All adverts sent, in order.
    pub fn adverts(&self) -> Vec<Advert> {
        self.adverts_since(Instant::ZERO)
    }

    /// The adverts sent at or after `since`.
    pub fn adverts_since(&self, since: Instant) -> Vec<Advert> {
        self.records_since(since, Record::advert)
    }

    /// The log lines of `node`.
    pub fn log(&self, node: NodeId) -> Vec<String> {
        self.records_since(Instant::ZERO, |record| match &record.what {
            What::Log { text, .. } if record.node == Some(node) => Some(text.clone()),
            _ => None,
        })
    }

    /// Log lines of level `ERROR`, with time and node. Must be empty at the end of a scenario that does not ask
    /// for them.
    pub fn errors(&self) -> Vec<String> {
        self.records_since(Instant::ZERO, |record| match &record.what {
            What::Log { level: Level::ERROR, .. } => Some(self.line(record)),
            _ => None,
        })
    }

    /// The programs `node` ran, and when.
    pub fn programs(&self, node: NodeId) -> Vec<(Instant, Command)> {
        self.records_since(Instant::ZERO, |record| match &record.what {
            What::Program(command) if record.node == Some(node) => Some((record.at, command.clone())),
            _ => None,
        })
    }

    /// The mails of `node` that servers have taken, and when.
    pub fn mails(&self, node: NodeId) -> Vec<(Instant, Mail)> {
        self.records_since(Instant::ZERO, |record| match &record.what {
            What::Mailed(mail) if record.node == Some(node) => Some((record.at, mail.clone())),
            _ => None,
        })
    }

    /// How many connections `node` has to mail servers.
    pub fn open_connections(&self, node: NodeId) -> usize {
        self.state.borrow_mut().node(node).servers.open
    }

    /// How many programs of the daemon of `node` are running.
    pub fn running_programs(&self, node: NodeId) -> usize {
        self.state.borrow_mut().node(node).programs.running()
    }

    /// The exit status of the last daemon of `node`, if it has ended by itself.
    pub fn exit_status(&self, node: NodeId) -> Option<u8> {
        self.state.borrow_mut().node(node).exit_status
    }

    /// The addresses `node` has, in the kernel's order.
    pub fn addresses(&self, node: NodeId) -> Vec<Address> {
        self.state.borrow_mut().node(node).kernel.addresses.clone()
    }

    /// The routes of `node`.
    pub fn routes(&self, node: NodeId) -> Vec<Route> {
        self.state.borrow_mut().node(node).kernel.routes.clone()
    }

    /// The rules of `node`.
    pub fn rules(&self, node: NodeId) -> Vec<Rule> {
        self.state.borrow_mut().node(node).kernel.rules.clone()
    }

    /// The interfaces of `node`.
    pub fn links(&self, node: NodeId) -> Vec<Link> {
        self.state.borrow_mut().node(node).kernel.links.values().map(|(link, _)| link.clone()).collect()
    }

    /// What the packet filter of `node` has of a daemon.
    pub fn firewall(&self, node: NodeId) -> Vec<FirewallEntry> {
        self.state.borrow_mut().node(node).kernel.firewall.iter().cloned().collect()
    }

    /// Somebody flushes the packet filter of `node`.
    pub fn flush_firewall(&mut self, node: NodeId) {
        let state = &mut *self.state.borrow_mut();
        state.node(node).kernel.firewall.clear();
        super::kernel::report(state, node, KernelEvent::FirewallLost);
    }

    /// Whether `node` has the address `ip` on any interface.
    pub fn has_ip(&self, node: NodeId, ip: IpAddr) -> bool {
        self.state.borrow_mut().node(node).kernel.has_ip(ip)
    }

    /// Whether an interface of `node` is up and running.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn is_usable(&self, node: NodeId, name: &str) -> bool {
        let index = self.index(node, name);
        self.state.borrow_mut().node(node).kernel.usable(index)
    }

    /// The hardware address of an interface of `node`.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn mac(&self, node: NodeId, name: &str) -> Option<MacAddr> {
        let index = self.index(node, name);
        self.state.borrow_mut().node(node).kernel.port(index)?.1.mac
    }

    /// Who announced `ip` last on `lan`, and when: what a switch or an ARP cache that hears everybody believes.
    pub fn announced(&self, lan: LanId, ip: IpAddr) -> Option<(Instant, NodeId)> {
        self.state.borrow().lans[lan.0 as usize].announced.get(&ip).copied()
    }

    /// The last announcement of `ip` that `node` heard: when, and which hardware address.
    pub fn arp_cache(&self, node: NodeId, ip: IpAddr) -> Option<(Instant, MacAddr)> {
        self.state.borrow_mut().node(node).arp.get(&ip).copied()
    }

    /// The records as text, one line each. Two runs are the same if these are.
    pub fn trace(&self) -> String {
        self.trace_since(Instant::ZERO)
    }

    /// The records from `since` on as text.
    pub fn trace_since(&self, since: Instant) -> String {
        let mut text = String::new();
        for line in self.records_since(since, |record| Some(self.line(record))) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn line(&self, record: &Record) -> String {
        let name = |node: NodeId| self.state.borrow().nodes[node.0 as usize].name.clone();
        let node = record.node.map_or_else(|| "*".to_owned(), name);
        let what = match &record.what {
            What::Advert { lan, packet } => match record.advert() {
                Some(advert) => format!("advert on {} vrid {} prio {}", lan.0, advert.vrid, advert.priority),
                None => format!("sent {packet:02x?}"),
            },
            What::Announcement { lan, ip, .. } => format!("announced {ip} on {}", lan.0),
            What::AddressAdded { address, by } => format!("{by:?} added {}", address.cidr),
            What::AddressDeleted { address, by } => format!("{by:?} deleted {}", address.cidr),
            What::Changed { op, by } => format!("{by:?} {}", op_text(op)),
            What::Link(link) => format!("link {} up {} running {}", link.name, link.up, link.running),
            What::Log { level, text } => format!("{level} {text}"),
            What::Program(command) => format!("ran {}", command.argv.join(" ")),
            What::Mailed(mail) => format!("mailed {:?} to {}", mail.subject(), mail.to.join(", ")),
            What::Ready => "ready".to_owned(),
            What::Piped { path, text } => format!("wrote {text:?} to {}", path.display()),
            What::Reloading => "reloading".to_owned(),
            What::Status(text) => format!("status {text:?}"),
            What::Stopping => "stopping".to_owned(),
            What::Exit(status) => format!("exit {status}"),
            What::Fault(text) => format!("-- {text}"),
        };
        format!("{} {node:<4} {what}", record.at)
    }
}

fn op_text(op: &KernelOp) -> String {
    match op {
        KernelOp::AddAddress(address) => format!("added {}", address.cidr),
        KernelOp::ChangeAddress(Address { cidr, options, .. }) => match options.valid {
            Some(valid) => format!("{cidr} stays for {valid:?}"),
            None => format!("{cidr} stays"),
        },
        KernelOp::DeleteAddress(address) => format!("deleted {}", address.cidr),
        KernelOp::AddRoute(route) => format!("added route {route}"),
        KernelOp::DeleteRoute(route) => format!("deleted route {route}"),
        KernelOp::AddRule(rule) => format!("added rule {rule}"),
        KernelOp::DeleteRule(rule) => format!("deleted rule {rule}"),
        KernelOp::AddLink(link, _) => format!("made link {}", link.name),
        KernelOp::DeleteLink(link, _) => format!("deleted link {}", link.name),
        KernelOp::AddFirewall(entry) => format!("filters {:?}", entry.rule),
        KernelOp::DeleteFirewall(entry) => format!("no longer filters {:?}", entry.rule),
        KernelOp::Set(setting) => format!("set {setting}"),
        KernelOp::Unset(setting) => format!("unset {setting}"),
    }
}
