//! One receive socket per interface, and the table that finds a packet's instance.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::rc::{Rc, Weak};

use tokio::sync::mpsc::Sender;

use super::check::Packet;
use crate::base::{Family, IfIndex, IfName, Vrid};
use crate::host::{Datagram, EndpointSpec, Error, Plane, VrrpNet, VrrpReceiver, VrrpSender};
use crate::report::wording;
use crate::wire::vrrp::HEADER_LEN;

/// The longest packet: IPv4 header with options, VRRP header, 255 IPv6 addresses, authentication data.
const LONGEST: usize = 60 + 8 + 255 * 16 + 8;
/// Packets taken from a socket before anything else gets a turn.
const TURN: usize = 64;
/// Packets taken at most when an instance wants to know what has arrived: a socket buffer's worth.
const DRAIN: usize = 4096;

/// An open endpoint, shared by the instances on one interface.
pub struct Endpoint {
    name: IfName,
    plane: Plane,
    log_unknown: bool,
    receiver: RefCell<Box<dyn VrrpReceiver>>,
    sender: Rc<dyn VrrpSender>,
    /// By VRID.
    slots: RefCell<Vec<Option<Sender<Packet>>>>,
    buffer: RefCell<Vec<u8>>,
    /// Packets that found an inbox full.
    overflows: Cell<u64>,
}

impl Endpoint {
    /// Sends a complete packet.
    ///
    /// # Errors
    /// What the system answered.
    pub fn send(&self, packet: &[u8], destination: IpAddr) -> Result<(), Error> {
        self.sender.send(packet, destination)
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
                match self.receiver.borrow_mut().poll_recv(cx, &mut buffer) {
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
        let Some(pdu) = buffer.get(datagram.payload.clone()) else { return };
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (datagram.source, datagram.destination) else {
            return;
        };
        if pdu.len() < HEADER_LEN {
            wording::packet_too_short(datagram.header_len + pdu.len());
            return;
        }
        let vrid = pdu[1];
        let slots = self.slots.borrow();
        let Some(Some(inbox)) = slots.get(usize::from(vrid)) else {
            if self.log_unknown {
                wording::unknown_vrid(vrid, &self.name);
            }
            return;
        };
        let packet = Packet {
            at: self.plane.now(),
            source,
            destination,
            ttl: datagram.ttl,
            ip_header_len: datagram.header_len,
            ip_total_len: datagram.declared_len,
            pdu: pdu.to_vec(),
        };
        if inbox.try_send(packet).is_err() {
            self.overflows.set(self.overflows.get() + 1);
        }
    }

    /// Tells the kernel which VRIDs are worth delivering; all of them if the others are to be logged.
    fn refilter(&self) {
        if self.log_unknown {
            return;
        }
        let slots = self.slots.borrow();
        let vrids: Vec<u8> =
            (0..=u8::MAX).filter(|v| slots.get(usize::from(*v)).is_some_and(Option::is_some)).collect();
        self.receiver.borrow_mut().set_vrids(&vrids);
    }
}

/// An instance's place at an endpoint; given up when dropped.
pub struct Seat {
    endpoint: Rc<Endpoint>,
    vrid: Vrid,
}

impl Seat {
    /// The endpoint.
    pub fn endpoint(&self) -> &Rc<Endpoint> {
        &self.endpoint
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(slot) = self.endpoint.slots.borrow_mut().get_mut(usize::from(self.vrid.get())) {
            *slot = None;
        }
        self.endpoint.refilter();
    }
}

/// Opens endpoints and shares them.
pub struct Endpoints {
    plane: Plane,
    net: Rc<dyn VrrpNet>,
    log_unknown: bool,
    /// Groups that instances use, by interface.
    groups: BTreeMap<IfName, Vec<IpAddr>>,
    open: RefCell<BTreeMap<IfIndex, Weak<Endpoint>>>,
}

impl Endpoints {
    /// `groups`: the multicast groups to join on each interface.
    pub fn new(
        plane: Plane,
        net: Rc<dyn VrrpNet>,
        groups: BTreeMap<IfName, Vec<IpAddr>>,
        log_unknown: bool,
    ) -> Self {
        Self { plane, net, log_unknown, groups, open: RefCell::default() }
    }

    /// A place for virtual router `vrid` on an interface; its packets go to `inbox`.
    ///
    /// # Errors
    /// The sockets cannot be opened.
    pub fn seat(
        &self,
        link: IfIndex,
        name: &IfName,
        vrid: Vrid,
        inbox: Sender<Packet>,
    ) -> Result<Seat, Error> {
        let known = self.open.borrow().get(&link).and_then(Weak::upgrade);
        let endpoint = match known {
            Some(endpoint) => endpoint,
            None => self.open(link, name)?,
        };
        endpoint.slots.borrow_mut()[usize::from(vrid.get())] = Some(inbox);
        endpoint.refilter();
        Ok(Seat { endpoint, vrid })
    }

    fn open(&self, link: IfIndex, name: &IfName) -> Result<Rc<Endpoint>, Error> {
        let groups = self.groups.get(name).cloned().unwrap_or_default();
        let spec = EndpointSpec { link, name: name.clone(), family: Family::V4, groups };
        let (receiver, sender) = self.net.open(&spec)?;
        let endpoint = Rc::new(Endpoint {
            name: name.clone(),
            plane: self.plane.clone(),
            log_unknown: self.log_unknown,
            receiver: RefCell::new(receiver),
            sender,
            slots: RefCell::new(vec![None; 256]),
            buffer: RefCell::new(vec![0; LONGEST]),
            overflows: Cell::new(0),
        });
        self.open.borrow_mut().insert(link, Rc::downgrade(&endpoint));
        let reader = Rc::downgrade(&endpoint);
        self.plane.tasks.spawn("demux", Box::pin(read(reader)));
        Ok(endpoint)
    }
}

/// Reads as long as an instance has a seat.
async fn read(endpoint: Weak<Endpoint>) {
    // Weak while waiting, so that the last seat closes the socket.
    while poll_fn(|cx| match endpoint.upgrade() {
        Some(endpoint) => std::pin::pin!(endpoint.turn()).poll(cx).map(|()| true),
        None => std::task::Poll::Ready(false),
    })
    .await
    {}
}
