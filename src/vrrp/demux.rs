//! One receive socket per interface and family, and the table that finds a packet's instance.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::{Rc, Weak};

use futures_util::FutureExt as _;

use super::check::Packet;
use super::mailbox::Post;
use super::sparing::{Failures, Sparing};
use crate::base::{Family, IfIndex, IfName, Vrid};
use crate::host::{Datagram, EndpointSpec, Error, Plane, VrrpNet, VrrpReceiver, VrrpSender};
use crate::report::wording;
use crate::wire::ah::{AH_LEN, PROTO_AH};
use crate::wire::ip::PROTO_VRRP;
use crate::wire::trailer::TRAILER_LEN;
use crate::wire::vrrp::HEADER_LEN;

/// The longest packet: IPv4 header with options, authentication header, VRRP header, 255 IPv6 addresses,
/// authentication data, trailer.
const LONGEST: usize = 60 + AH_LEN + 8 + 255 * 16 + 8 + TRAILER_LEN;
/// Packets taken from a socket before anything else gets a turn.
const TURN: usize = 64;
/// Packets taken at most when an instance wants to know what has arrived: a socket buffer's worth.
const DRAIN: usize = 4096;

/// What an instance wants to hear, of the packets with its VRID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Those to a multicast group.
    Group(IpAddr),
    /// Those to an address of ours, from whomever, but above all from these.
    Unicast(IpAddr, Vec<IpAddr>),
}

/// An instance that listens.
struct Slot {
    number: u64,
    hears: Hears,
    inbox: Post<Packet>,
}

/// An open endpoint, shared by the instances of a family on one interface.
pub struct Endpoint {
    /// Its interface, for messages; `None`: all of them.
    name: Option<IfName>,
    family: Family,
    plane: Plane,
    log_unknown: Rc<Cell<bool>>,
    receiver: RefCell<Box<dyn VrrpReceiver>>,
    /// VRIDs that the kernel delivers packets of; perhaps some that nobody has any more.
    heard: RefCell<Vec<u8>>,
    sender: Rc<dyn VrrpSender>,
    /// By VRID, where there are any. More than one have the same if they listen to different groups, addresses or peers.
    slots: RefCell<BTreeMap<u8, Vec<Slot>>>,
    /// Numbers slots.
    numbers: Cell<u64>,
    /// Shared by all endpoints of a plane, of which VMACs may need thousands.
    buffer: Rc<RefCell<Vec<u8>>>,
    /// Packets without a whole header, and those of routers we do not know: what is said of them.
    short: Sparing,
    unknown: Sparing,
    /// Packets that could not be sent: what is said of them.
    unsent: Failures,
    /// Packets that found an inbox full.
    overflows: Cell<u64>,
}

impl Endpoint {
    /// Sends a complete packet.
    ///
    /// # Errors
    /// It did not leave.
    pub fn send(&self, packet: &[u8], destination: IpAddr) -> Result<(), Error> {
        self.sender.send(packet, destination)
    }

    /// A packet of the instance `name` did not leave: that is logged, but not each time again while it lasts.
    pub fn not_sent(&self, name: &str, error: &Error) {
        if let Some(left_out) = self.unsent.turn(self.plane.now(), error.source.raw_os_error()) {
            wording::send_failed(name, error, left_out);
        }
    }

    /// Delivers everything that has arrived, without waiting: an advert that is here beats a timer that is due.
    pub fn drain(&self) {
        for _ in 0..DRAIN {
            let mut buffer = self.buffer.borrow_mut();
            let received = self.receiver.borrow_mut().try_recv(&mut buffer);
            match received {
                Some(Ok(datagram)) => self.deliver(&datagram, &buffer),
                Some(Err(_)) => {}
                None => return,
            }
        }
    }

    /// Packets dropped because an instance did not keep up.
    pub fn overflows(&self) -> u64 {
        self.overflows.get()
    }

    /// Takes up to a turn's worth of packets, waiting for the first.
    async fn turn(&self) {
        poll_fn(|cx| {
            let mut buffer = self.buffer.borrow_mut();
            let mut received = false;
            for _ in 0..TURN {
                let result = self.receiver.borrow_mut().poll_recv(cx, &mut buffer);
                match result {
                    std::task::Poll::Ready(Ok(datagram)) => self.deliver(&datagram, &buffer),
                    // The link went down; the link watcher tells the instances.
                    std::task::Poll::Ready(Err(_)) => {}
                    std::task::Poll::Pending if received => return std::task::Poll::Ready(()),
                    std::task::Poll::Pending => return std::task::Poll::Pending,
                }
                received = true;
            }
            std::task::Poll::Ready(())
        })
        .await;
    }

    fn deliver(&self, datagram: &Datagram, buffer: &[u8]) {
        let Some(payload) = buffer.get(datagram.payload.clone()) else { return };
        let sealed = datagram.protocol == PROTO_AH;
        // Others than VRRP use authentication headers, too.
        if sealed && payload.first() != Some(&PROTO_VRRP) {
            return;
        }
        let front = if sealed { AH_LEN } else { 0 };
        let pdu = payload.get(front..).unwrap_or_default();
        if pdu.len() < HEADER_LEN {
            if let Some(left_out) = self.short.turn(self.plane.now()) {
                wording::packet_too_short(self.family, datagram.header_len + payload.len(), left_out);
            }
            return;
        }
        let vrid = pdu[1];
        let slots = self.slots.borrow();
        let slots = slots.get(&vrid).map(Vec::as_slice).unwrap_or_default();
        if slots.is_empty() {
            self.unknown(vrid);
        }
        let Some(Slot { inbox, .. }) = find(slots, datagram.source, datagram.destination) else { return };
        let packet = Packet {
            at: self.plane.now(),
            source: datagram.source,
            destination: datagram.destination,
            ttl: datagram.ttl,
            unix_time: self.plane.unix_time(),
            ip_header_len: datagram.header_len + front,
            ip_total_len: datagram.declared_len,
            sealed: sealed.then(|| buffer.get(..datagram.payload.end).unwrap_or_default().to_vec()),
            pdu: pdu.to_vec(),
        };
        if !inbox.send(packet) {
            self.overflows.set(self.overflows.get() + 1);
        }
    }

    /// A packet for nobody.
    fn unknown(&self, vrid: u8) {
        if self.log_unknown.get() {
            if let Some(left_out) = self.unknown.turn(self.plane.now()) {
                wording::unknown_vrid(vrid, self.name.as_ref(), left_out);
            }
        } else if self.is_heard(vrid) {
            self.refilter();
        }
    }

    fn is_heard(&self, vrid: u8) -> bool {
        self.heard.borrow().contains(&vrid)
    }

    /// Tells the kernel which VRIDs are worth delivering, unless all of them are, since the others are to be logged. That
    /// costs more than a packet for nobody: whoever leaves does not do it, but the first packet that comes then.
    fn refilter(&self) {
        if self.log_unknown.get() {
            return;
        }
        let vrids: Vec<u8> = self.slots.borrow().keys().copied().collect();
        self.receiver.borrow_mut().set_vrids(&vrids);
        *self.heard.borrow_mut() = vrids;
    }
}

/// Who a packet is for. What is sent to a group or an address that nobody listens to is for the first that listens to
/// another group, which will count it.
fn find(slots: &[Slot], source: IpAddr, destination: IpAddr) -> Option<&Slot> {
    let knows = |slot: &&Slot| matches!(&slot.hears, Hears::Unicast(_, peers) if peers.contains(&source));
    let here = |slot: &&Slot| match &slot.hears {
        Hears::Group(group) => *group == destination,
        Hears::Unicast(own, _) => *own == destination,
    };
    let mut listening = slots.iter().filter(here);
    let known = listening.clone().find(knows).or_else(|| listening.next());
    known.or_else(|| slots.iter().find(|slot| matches!(slot.hears, Hears::Group(_))))
}

/// An instance's place at an endpoint; given up when dropped.
pub struct Seat {
    endpoint: Rc<Endpoint>,
    vrid: Vrid,
    number: u64,
}

impl Seat {
    /// The endpoint.
    pub fn endpoint(&self) -> &Rc<Endpoint> {
        &self.endpoint
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let vrid = self.vrid.get();
        let mut all = self.endpoint.slots.borrow_mut();
        if let Some(slots) = all.get_mut(&vrid) {
            slots.retain(|slot| slot.number != self.number);
            if slots.is_empty() {
                all.remove(&vrid);
            }
        }
    }
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its interface; `None`: all of them.
    pub interface: Option<(IfIndex, IfName)>,
    /// What its packets are sent over.
    pub family: Family,
    /// Their IP protocol: that of VRRP, or that of an authentication header.
    pub protocol: u8,
}

/// An endpoint by interface, family and protocol.
type Key = (Option<IfIndex>, Family, u8);

/// Opens endpoints and shares them.
pub struct Endpoints {
    plane: Plane,
    net: Rc<dyn VrrpNet>,
    log_unknown: Rc<Cell<bool>>,
    /// Groups that instances use, by interface.
    groups: RefCell<BTreeMap<IfName, Vec<IpAddr>>>,
    open: RefCell<BTreeMap<Key, Weak<Endpoint>>>,
    buffer: Rc<RefCell<Vec<u8>>>,
}

impl Endpoints {
    /// `groups`: the multicast groups to join on each interface.
    pub fn new(
        plane: Plane,
        net: Rc<dyn VrrpNet>,
        groups: BTreeMap<IfName, Vec<IpAddr>>,
        log_unknown: bool,
    ) -> Self {
        let (log_unknown, groups) = (Rc::new(Cell::new(log_unknown)), RefCell::new(groups));
        let buffer = Rc::new(RefCell::new(vec![0; LONGEST]));
        Self { plane, net, log_unknown, groups, open: RefCell::default(), buffer }
    }

    /// After a reload: whether unknown VRIDs are logged, and the multicast groups to join. Gives the interfaces on
    /// which there are more than before; whoever has a seat there has to take a new one.
    pub fn replace(&self, groups: BTreeMap<IfName, Vec<IpAddr>>, log_unknown: bool) -> BTreeSet<IfName> {
        let old = std::mem::replace(&mut *self.groups.borrow_mut(), groups);
        let groups = self.groups.borrow();
        let is_joined = |name: &IfName, group: &IpAddr| old.get(name).is_some_and(|old| old.contains(group));
        let lacks = groups.iter().filter(|(name, new)| !new.iter().all(|group| is_joined(name, group)));
        let rejoined: BTreeSet<IfName> = lacks.map(|(name, _)| name.clone()).collect();
        let mut open = self.open.borrow_mut();
        if self.log_unknown.replace(log_unknown) != log_unknown {
            let all: Vec<u8> = (1..=u8::MAX).collect();
            for endpoint in open.values().filter_map(Weak::upgrade) {
                match log_unknown {
                    true => endpoint.receiver.borrow_mut().set_vrids(&all),
                    false => endpoint.refilter(),
                }
            }
        }
        open.retain(|_, endpoint| {
            let stays = |e: Rc<Endpoint>| e.name.as_ref().is_none_or(|name| !rejoined.contains(name));
            endpoint.upgrade().is_some_and(stays)
        });
        rejoined
    }

    /// A seat for virtual router `vrid`; its packets go to `inbox`.
    ///
    /// # Errors
    /// The sockets cannot be opened.
    pub fn seat(&self, place: Place, vrid: Vrid, hears: Hears, inbox: Post<Packet>) -> Result<Seat, Error> {
        let key = (place.interface.as_ref().map(|(link, _)| *link), place.family, place.protocol);
        let known = self.open.borrow().get(&key).and_then(Weak::upgrade);
        let endpoint = match known {
            Some(endpoint) => endpoint,
            None => self.open(place)?,
        };
        let number = endpoint.numbers.get() + 1;
        endpoint.numbers.set(number);
        let mut slots = endpoint.slots.borrow_mut();
        let slots_of = slots.entry(vrid.get()).or_default();
        // One in most of them, and there may be thousands.
        slots_of.reserve_exact(1);
        slots_of.push(Slot { number, hears, inbox });
        drop(slots);
        if !endpoint.is_heard(vrid.get()) {
            endpoint.refilter();
        }
        Ok(Seat { endpoint, vrid, number })
    }

    fn open(&self, place: Place) -> Result<Rc<Endpoint>, Error> {
        let Place { interface, family, protocol } = place;
        let (link, name) = interface.clone().unzip();
        let all = self.groups.borrow();
        let groups = name.as_ref().and_then(|name| all.get(name));
        let groups =
            groups.into_iter().flatten().copied().filter(|group| Family::of(*group) == family).collect();
        let (receiver, sender) = self.net.open(&EndpointSpec { interface, family, protocol, groups })?;
        let endpoint = Rc::new(Endpoint {
            name,
            family,
            plane: self.plane.clone(),
            log_unknown: Rc::clone(&self.log_unknown),
            receiver: RefCell::new(receiver),
            heard: RefCell::default(),
            sender,
            slots: RefCell::default(),
            numbers: Cell::new(0),
            buffer: Rc::clone(&self.buffer),
            short: Sparing::default(),
            unknown: Sparing::default(),
            unsent: Failures::default(),
            overflows: Cell::new(0),
        });
        self.open.borrow_mut().insert((link, family, protocol), Rc::downgrade(&endpoint));
        let reader = Rc::downgrade(&endpoint);
        self.plane.tasks.spawn("demux", Box::pin(read(reader)));
        Ok(endpoint)
    }
}

/// Reads as long as an instance has a seat. A packet that makes it panic is lost, and nothing else.
async fn read(endpoint: Weak<Endpoint>) {
    while AssertUnwindSafe(read_on(endpoint.clone())).catch_unwind().await.is_err() {
        wording::task_panicked("demux", "goes on with the next packet");
    }
}

async fn read_on(endpoint: Weak<Endpoint>) {
    // Weak while waiting, so that the last seat closes the socket.
    while poll_fn(|cx| match endpoint.upgrade() {
        Some(endpoint) => std::pin::pin!(endpoint.turn()).poll(cx).map(|()| true),
        None => std::task::Poll::Ready(false),
    })
    .await
    {}
}
