//! VRRP sockets and the sending of frames.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::NodeId;
use super::lan::{self, Origin, Packet};
use super::observe::What;
use super::state::{Mode, Shared};
use crate::base::{Family, IfIndex, IfName};
use crate::host::{
    Announcer, Datagram, Endpoint, EndpointSpec, Error, Frame, VrrpNet, VrrpReceiver, VrrpSender,
};
use crate::wire::ah::{AH_LEN, PROTO_AH};
use crate::wire::ip::{self, V4_HEADER_LEN, V4Header, V6Header};

/// Packets a socket's receive buffer holds; what comes after is dropped, as a kernel does it.
pub const RECEIVE_BUFFER: usize = 256;

/// `ENODEV`.
const NODEV: i32 = 19;
/// `EINVAL`.
const INVAL: i32 = 22;
/// `ENETDOWN`, which packet sockets give.
const NETDOWN: i32 = 100;
/// `ENETUNREACH`, which IP sockets give.
const NETUNREACH: i32 = 101;

/// The kernel's side of a receive socket.
pub(super) struct Socket {
    /// The interface it is bound to; `None`: all of them.
    pub(super) link: Option<IfIndex>,
    family: Family,
    protocol: u8,
    groups: Vec<IpAddr>,
    /// VRIDs let through; `None`: all.
    vrids: Option<Vec<u8>>,
    queue: VecDeque<Rc<[u8]>>,
    waker: Option<Waker>,
}

impl Socket {
    /// A packet came in on the socket's interface; `local` if it is for an address of this node.
    pub(super) fn arrive(&mut self, header: &ip::Header, packet: &Rc<[u8]>, local: bool) {
        let front = if self.protocol == PROTO_AH { AH_LEN } else { 0 };
        let vrid = packet.get(header.len + front + 1);
        let wanted = header.protocol == self.protocol
            && Family::of(header.source) == self.family
            && (local || self.groups.contains(&header.destination))
            && self.vrids.as_ref().is_none_or(|vrids| vrid.is_some_and(|v| vrids.contains(v)));
        if wanted && self.queue.len() < RECEIVE_BUFFER {
            self.queue.push_back(Rc::clone(packet));
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }
}

/// [`VrrpNet`] and [`Announcer`] of a node.
pub(super) struct Net {
    pub(super) world: Shared,
    pub(super) node: NodeId,
}

impl VrrpNet for Net {
    fn open(&self, spec: &EndpointSpec) -> Result<Endpoint, Error> {
        let mut world = self.world.borrow_mut();
        let id = world.number();
        let node = world.node(self.node);
        let link = spec.interface.as_ref().map(|(link, _)| *link);
        let place =
            spec.interface.as_ref().map_or_else(|| "all interfaces".to_owned(), |(_, n)| n.to_string());
        if link.is_some_and(|link| !node.kernel.links.contains_key(&link)) {
            let missing = io::Error::from_raw_os_error(NODEV);
            return Err(Error::new("open receive socket on", &place, missing));
        }
        let socket = Socket {
            link,
            family: spec.family,
            protocol: spec.protocol,
            groups: spec.groups.clone(),
            vrids: None,
            queue: VecDeque::new(),
            waker: None,
        };
        node.sockets.insert(id, socket);
        let receiver = Receiver { world: Rc::clone(&self.world), node: self.node, socket: id };
        let sender = Sender { world: Rc::clone(&self.world), node: self.node, link, place };
        Ok((Box::new(receiver), Rc::new(sender)))
    }
}

struct Receiver {
    world: Shared,
    node: NodeId,
    socket: u64,
}

impl Receiver {
    /// Runs `f` on the kernel's side, which is there as long as the receiver is.
    fn with<T>(&self, f: impl FnOnce(&mut Socket) -> T) -> Option<T> {
        self.world.borrow_mut().node(self.node).sockets.get_mut(&self.socket).map(f)
    }
}

impl VrrpReceiver for Receiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<Datagram, Error>> {
        if let Some(received) = self.try_recv(buf) {
            return Poll::Ready(received);
        }
        self.with(|socket| socket.waker = Some(cx.waker().clone()));
        Poll::Pending
    }

    fn try_recv(&mut self, buf: &mut [u8]) -> Option<Result<Datagram, Error>> {
        let packet = self.with(|socket| socket.queue.pop_front()).flatten()?;
        // A datagram that is longer than the buffer is cut off.
        let len = packet.len().min(buf.len());
        let (from, to) = (packet.get(..len)?, buf.get_mut(..len)?);
        to.copy_from_slice(from);
        let header = ip::Header::parse(&packet).ok()?;
        // As Linux: of IPv6, the header does not count.
        let counted = if header.source.is_ipv4() { header.len } else { 0 };
        Some(Ok(Datagram {
            source: header.source,
            destination: header.destination,
            ttl: header.ttl,
            protocol: header.protocol,
            declared_len: header.total_len - (header.len - counted),
            header_len: counted,
            payload: header.len.min(len)..len,
        }))
    }

    fn set_vrids(&mut self, vrids: &[u8]) {
        self.with(|socket| socket.vrids = Some(vrids.to_vec()));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.world.borrow_mut().node(self.node).sockets.remove(&self.socket);
    }
}

struct Sender {
    world: Shared,
    node: NodeId,
    link: Option<IfIndex>,
    place: String,
}

impl VrrpSender for Sender {
    fn send(&self, packet: &[u8], _destination: IpAddr) -> Result<(), Error> {
        let fail =
            |errno| Err(Error::new("send advert on", &self.place, io::Error::from_raw_os_error(errno)));
        let Some(packet) = complete(packet) else {
            return fail(INVAL);
        };
        let mut world = self.world.borrow_mut();
        let kernel = &world.node(self.node).kernel;
        // There are no routes: without an interface, it is the first one on a LAN.
        let index = self.link.or_else(|| kernel.first_on_lan());
        let Some((lan, link)) = index.and_then(|index| kernel.port(index)) else {
            return fail(NODEV);
        };
        let (index, up, running) = (link.index, link.up, link.running);
        if !up {
            return fail(NETUNREACH);
        }
        if let (Some(lan), true) = (lan, running) {
            world.record(Some(self.node), What::Advert { lan, packet: Rc::clone(&packet) });
            lan::transmit(&mut world, lan, Origin::Node(self.node, index), &Packet::Ip(packet));
        }
        Ok(())
    }
}

/// What the kernel makes of a packet that comes with its own IP header: it fills in total length and checksum of an
/// IPv4 one.
pub(super) fn complete(packet: &[u8]) -> Option<Rc<[u8]>> {
    if V6Header::parse(packet).is_ok() {
        return Some(packet.into());
    }
    let mut packet = packet.to_vec();
    let total_len = u16::try_from(packet.len()).ok()?;
    let header: &mut [u8; V4_HEADER_LEN] = packet.first_chunk_mut()?;
    [header[2], header[3]] = total_len.to_be_bytes();
    (header[10], header[11]) = (0, 0);
    let len = V4Header::parse(&packet).ok()?.header_len;
    let checksum = crate::wire::finish(crate::wire::sum(0, packet.get(..usize::from(len))?));
    packet.get_mut(10..12)?.copy_from_slice(&checksum.to_be_bytes());
    Some(packet.into())
}

impl Announcer for Net {
    fn forwards_v6(&self, _interface: &IfName) -> bool {
        true
    }

    fn announce(&self, frames: &[Frame]) -> Result<(), Error> {
        let mut world = self.world.borrow_mut();
        let mut result = Ok(());
        for frame in frames {
            let node = world.node(self.node);
            debug_assert_ne!(node.mode, Mode::Off, "a machine that is off sends nothing");
            let errno = match node.kernel.port(frame.link) {
                None => NODEV,
                Some((_, link)) if !link.up => NETDOWN,
                Some((lan, link)) => {
                    let (port, running) = (link.index, link.running);
                    if let (Some(lan), true) = (lan, running) {
                        lan::announce(&mut world, lan, self.node, port, frame.bytes.as_slice().into());
                    }
                    continue;
                }
            };
            let failed =
                Error::new("send frame on interface", frame.link.0, io::Error::from_raw_os_error(errno));
            result = result.and(Err(failed));
        }
        result
    }
}
