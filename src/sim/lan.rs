//! LANs: who hears what, when, and whether at all.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use super::observe::What;
use super::state::{Event, Mode, State};
use super::{LanId, NodeId};
use crate::base::{IfIndex, Instant, MacAddr};
use crate::wire::ip;

/// How a LAN behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanOptions {
    /// Time a packet takes to a receiver, each value of the range equally likely. Packets to one receiver stay in
    /// order.
    pub latency: RangeInclusive<Duration>,
    /// Probability that a packet does not reach a receiver, in parts per million, for each receiver separately.
    pub loss_ppm: u32,
}

impl Default for LanOptions {
    /// 50 to 150 µs, no loss.
    fn default() -> Self {
        Self { latency: Duration::from_micros(50)..=Duration::from_micros(150), loss_ppm: 0 }
    }
}

/// Something on the wire.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    /// An IP packet.
    Ip(Rc<[u8]>),
    /// An Ethernet frame.
    Frame(Rc<[u8]>),
}

/// An interface attached to a LAN.
struct Port {
    node: NodeId,
    link: IfIndex,
    /// When the last packet will have arrived: a later one cannot overtake it.
    busy_until: Instant,
}

pub(super) struct Lan {
    pub(super) options: LanOptions,
    ports: Vec<Port>,
    /// Which part of a partitioned LAN a node is in; those not listed are in part 0.
    parts: BTreeMap<NodeId, usize>,
    /// Who announced an address last, as seen by one who hears everybody.
    pub(super) announced: BTreeMap<IpAddr, (Instant, NodeId)>,
}

impl Lan {
    pub(super) fn new(options: LanOptions) -> Self {
        Self { options, ports: Vec::new(), parts: BTreeMap::new(), announced: BTreeMap::new() }
    }

    pub(super) fn attach(&mut self, node: NodeId, link: IfIndex) {
        self.ports.push(Port { node, link, busy_until: Instant::ZERO });
    }

    pub(super) fn partition(&mut self, parts: &[&[NodeId]]) {
        self.parts.clear();
        for (part, nodes) in parts.iter().enumerate() {
            self.parts.extend(nodes.iter().map(|node| (*node, part + 1)));
        }
    }

    /// Whether packets get from `a` to `b`, as far as partitions go.
    pub(super) fn connected(&self, a: NodeId, b: NodeId) -> bool {
        self.parts.get(&a) == self.parts.get(&b)
    }
}

/// Where a packet comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// An interface of a node.
    Node(NodeId, IfIndex),
    /// A station the scenario plays.
    Stranger,
}

/// Puts `packet` on `lan`: it will arrive at every other interface that it can reach.
pub(super) fn transmit(state: &mut State, lan: LanId, from: Origin, packet: &Packet) {
    let State { now, lans, rng, .. } = state;
    let Lan { options, ports, parts, .. } = &mut lans[lan.0 as usize];
    let mut arrivals = Vec::with_capacity(ports.len());
    for port in ports {
        if let Origin::Node(node, link) = from
            && ((node, link) == (port.node, port.link) || parts.get(&node) != parts.get(&port.node))
        {
            continue;
        }
        if rng.chance(options.loss_ppm) {
            continue;
        }
        port.busy_until = port.busy_until.max(*now + rng.duration(&options.latency));
        arrivals.push((port.busy_until, port.node, port.link));
    }
    for (at, node, link) in arrivals {
        state.schedule(at, Event::Arrival { node, link, packet: packet.clone() });
    }
}

/// `packet` arrives at an interface.
pub(super) fn arrive(state: &mut State, node: NodeId, link: IfIndex, packet: &Packet) {
    let now = state.now;
    let node = state.node(node);
    if !matches!(node.mode, Mode::Running | Mode::Frozen) || !node.kernel.usable(link) {
        return;
    }
    match packet {
        Packet::Frame(frame) => {
            if let Some((ip, mac)) = announcement(frame) {
                node.arp.insert(ip, (now, mac));
            }
        }
        Packet::Ip(bytes) => {
            let Ok(header) = ip::Header::parse(bytes) else {
                return;
            };
            let local = node.kernel.has_ip(header.destination);
            let (sockets, kernel) = (&mut node.sockets, &node.kernel);
            for socket in sockets.values_mut().filter(|s| s.link.is_none_or(|on| kernel.hears(on, link))) {
                socket.arrive(&header, bytes, local);
            }
        }
    }
}

/// A frame leaves by an interface that is attached to `lan`: note what it announces, then send it.
pub(super) fn announce(state: &mut State, lan: LanId, node: NodeId, link: IfIndex, frame: Rc<[u8]>) {
    if let Some((ip, _)) = announcement(&frame) {
        let now = state.now;
        state.lans[lan.0 as usize].announced.insert(ip, (now, node));
        state.record(Some(node), What::Announcement { lan, ip, frame: Rc::clone(&frame) });
    }
    transmit(state, lan, Origin::Node(node, link), &Packet::Frame(frame));
}

/// The address and hardware address that a frame announces.
fn announcement(frame: &[u8]) -> Option<(IpAddr, MacAddr)> {
    gratuitous_arp(frame).or_else(|| neighbour_advertisement(frame))
}

/// An unsolicited neighbour advertisement (RFC 4861 section 4.4) with the option of the target's address alone.
fn neighbour_advertisement(frame: &[u8]) -> Option<(IpAddr, MacAddr)> {
    let frame: &[u8; 86] = frame.first_chunk()?;
    let is_ours =
        frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 136 && frame[78..80] == [2, 1];
    let (target, mac): (&[u8; 16], &[u8; 6]) = (frame[62..].first_chunk()?, frame[80..].first_chunk()?);
    is_ours.then(|| (IpAddr::from(*target), MacAddr(*mac)))
}

/// ARP for IPv4 over Ethernet (RFC 826) with sender and target address equal.
fn gratuitous_arp(frame: &[u8]) -> Option<(IpAddr, MacAddr)> {
    let frame: &[u8; 42] = frame.first_chunk()?;
    let (ethernet, arp) = frame.split_at(14);
    let is_arp = ethernet.ends_with(&[0x08, 0x06]) && arp.starts_with(&[0, 1, 0x08, 0, 6, 4]);
    let sender: [u8; 4] = *arp.get(14..)?.first_chunk()?;
    let target: [u8; 4] = *arp.get(24..)?.first_chunk()?;
    let mac: [u8; 6] = *arp.get(8..)?.first_chunk()?;
    (is_arp && sender == target).then(|| (IpAddr::from(sender), MacAddr(mac)))
}
