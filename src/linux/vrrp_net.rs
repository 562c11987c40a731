//! VRRP sockets: raw, one to receive and one to send per interface and family.

mod filter;

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use nix::cmsg_space;
use nix::sys::socket::sockopt::Ipv6RecvPacketInfo;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, setsockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::buffer;
use super::watch::watch;
use crate::base::{Family, IfIndex, IfName};
use crate::host::{Datagram, Endpoint, EndpointSpec, Error, VrrpNet, VrrpReceiver, VrrpSender};
use crate::wire::ah::{AH_LEN, PROTO_AH};
use crate::wire::ip::{PROTO_VRRP, V4Header};

/// Receive buffer, in bytes as the kernel counts them (about 800 per advert): a burst of a thousand adverts.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// Queueing priority, the highest that needs no privilege: the first band of `pfifo_fast`, and internetwork
/// control where a VLAN interface maps priorities to its tags one to one.
pub(super) const PRIORITY_CONTROL: u32 = 6;

/// Opens raw sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawVrrpNet;

impl VrrpNet for RawVrrpNet {
    fn open(&self, spec: &EndpointSpec) -> Result<Endpoint, Error> {
        let place = place(spec);
        let receiver =
            receiver(spec).map_err(|e| Error::new("open the VRRP receive socket on", &place, e))?;
        let sender = sender(spec).map_err(|e| Error::new("open the VRRP send socket on", &place, e))?;
        let link = spec.interface.as_ref().map_or(0, |(link, _)| link.0);
        let front = if spec.protocol == PROTO_AH { AH_LEN as u32 } else { 0 };
        let receiver = RawReceiver {
            fd: receiver,
            family: spec.family,
            front,
            place: place.clone(),
            control: control(),
        };
        Ok((Box::new(receiver), Rc::new(RawSender { socket: sender, link, place })))
    }
}

/// Where an endpoint is, for messages.
fn place(spec: &EndpointSpec) -> String {
    spec.interface.as_ref().map_or_else(|| "all interfaces".to_owned(), |(_, name)| name.to_string())
}

const fn domain(family: Family) -> Domain {
    match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    }
}

fn receiver(spec: &EndpointSpec) -> io::Result<AsyncFd<OwnedFd>> {
    let protocol = Protocol::from(i32::from(spec.protocol));
    let socket = Socket::new(domain(spec.family), Type::RAW, Some(protocol))?;
    // Until it is bound, the socket hears every interface.
    socket.attach_filter(&filter::nothing())?;
    socket.set_nonblocking(true)?;
    if let Some((link, name)) = &spec.interface {
        bind_device(&socket, *link, name)?;
    }
    match spec.family {
        Family::V4 => {
            socket.set_multicast_all_v4(false)?;
            socket.set_multicast_loop_v4(false)?;
        }
        Family::V6 => {
            socket.set_multicast_all_v6(false)?;
            socket.set_multicast_loop_v6(false)?;
            socket.set_recv_hoplimit_v6(true)?;
            setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
        }
    }
    buffer::receive(&socket, RECEIVE_BUFFER)?;
    for group in &spec.groups {
        join(&socket, spec, *group)?;
    }
    socket.attach_filter(&filter::everything(spec.family))?;
    watch(socket.into())
}

fn join(socket: &Socket, spec: &EndpointSpec, group: IpAddr) -> io::Result<()> {
    let Some((link, _)) = &spec.interface else { return Err(io::ErrorKind::InvalidInput.into()) };
    match (spec.family, group) {
        (Family::V4, IpAddr::V4(group)) => {
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(link.0))
        }
        (Family::V6, IpAddr::V6(group)) => socket.join_multicast_v6(&group, link.0),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn sender(spec: &EndpointSpec) -> io::Result<Socket> {
    // IPPROTO_RAW: the IP header comes from us, and nothing is ever received; the filter makes sure of it.
    let protocol = Protocol::from(libc::IPPROTO_RAW);
    let socket = Socket::new(domain(spec.family), Type::RAW, Some(protocol))?;
    socket.attach_filter(&filter::nothing())?;
    socket.set_nonblocking(true)?;
    if let Some((link, name)) = &spec.interface {
        bind_device(&socket, *link, name)?;
    }
    match spec.family {
        Family::V4 => {
            socket.set_header_included_v4(true)?;
            if let Some((link, _)) = &spec.interface {
                set_multicast_interface(&socket, *link)?;
            }
            socket.set_multicast_loop_v4(false)?;
        }
        Family::V6 => {
            socket.set_header_included_v6(true)?;
            if let Some((link, _)) = &spec.interface {
                socket.set_multicast_if_v6(link.0)?;
            }
            socket.set_multicast_loop_v6(false)?;
        }
    }
    socket.set_priority(PRIORITY_CONTROL)?;
    Ok(socket)
}

/// Hears and sends on this interface only. By index, which a rename cannot race; kernels before 5.1 know names only.
fn bind_device(socket: &Socket, link: IfIndex, name: &IfName) -> io::Result<()> {
    // The same socket option for both families.
    match socket.bind_device_by_index_v4(NonZeroU32::new(link.0)) {
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => {
            socket.bind_device(Some(name.as_str().as_bytes()))
        }
        bound => bound,
    }
}

/// `IP_MULTICAST_IF` by index; socket2 can do it by address only.
fn set_multicast_interface(socket: &Socket, link: IfIndex) -> io::Result<()> {
    let any = libc::in_addr { s_addr: 0 };
    let index = libc::c_int::try_from(link.0).map_err(|_| io::ErrorKind::InvalidInput)?;
    let request = libc::ip_mreqn { imr_multiaddr: any, imr_address: any, imr_ifindex: index };
    // SAFETY: the kernel reads `request`, of which pointer and size are given.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_MULTICAST_IF,
            (&raw const request).cast(),
            size_of_val(&request) as libc::socklen_t,
        )
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

struct RawReceiver {
    fd: AsyncFd<OwnedFd>,
    family: Family,
    /// Bytes between the IP header and the PDU.
    front: u32,
    place: String,
    /// Room for ancillary data (IPv6).
    control: Vec<u8>,
}

/// Room for the destination and the hop limit of a packet.
fn control() -> Vec<u8> {
    cmsg_space!(libc::in6_pktinfo, libc::c_int)
}

/// Receives until there is a packet with a sound header, or an error, `WouldBlock` among them.
fn receive(fd: &OwnedFd, family: Family, control: &mut [u8], buf: &mut [u8]) -> io::Result<Datagram> {
    loop {
        let received = match family {
            Family::V4 => receive_v4(fd, buf),
            Family::V6 => receive_v6(fd, control, buf),
        };
        match received {
            Ok(Some(datagram)) => return Ok(datagram),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The packet comes from its IP header on; `None` if that is malformed.
fn receive_v4(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<Option<Datagram>> {
    let len = nix::unistd::read(fd, buf)?;
    Ok(buf.get(..len).and_then(datagram))
}

fn datagram(packet: &[u8]) -> Option<Datagram> {
    let header = V4Header::parse(packet).ok()?;
    let header_len = usize::from(header.header_len);
    Some(Datagram {
        source: header.source.into(),
        destination: header.destination.into(),
        ttl: header.ttl,
        protocol: header.protocol,
        declared_len: usize::from(header.total_len),
        header_len,
        payload: header_len..packet.len(),
    })
}

/// The packet comes without its IP headers; what matters of them is beside it. `None` if it is not.
fn receive_v6(fd: &OwnedFd, control: &mut [u8], buf: &mut [u8]) -> io::Result<Option<Datagram>> {
    let mut parts = [IoSliceMut::new(buf)];
    let message = recvmsg::<SockaddrIn6>(fd.as_raw_fd(), &mut parts, Some(control), MsgFlags::empty())?;
    let (mut destination, mut hops) = (None, None);
    for ancillary in message.cmsgs()? {
        match ancillary {
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                destination = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr));
            }
            ControlMessageOwned::Ipv6HopLimit(limit) => hops = u8::try_from(limit).ok(),
            _ => {}
        }
    }
    let (Some(source), Some(destination), Some(ttl)) = (message.address, destination, hops) else {
        return Ok(None);
    };
    Ok(Some(Datagram {
        source: source.ip().into(),
        destination: destination.into(),
        ttl,
        protocol: PROTO_VRRP,
        declared_len: message.bytes,
        header_len: 0,
        payload: 0..message.bytes,
    }))
}

impl VrrpReceiver for RawReceiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<Datagram, Error>> {
        let failed = |error| Error::new("receive VRRP packets on", &self.place, error);
        loop {
            let mut guard = match ready!(self.fd.poll_read_ready(cx)) {
                Ok(guard) => guard,
                Err(error) => return Poll::Ready(Err(failed(error))),
            };
            let received = guard.try_io(|fd| receive(fd.get_ref(), self.family, &mut self.control, buf));
            if let Ok(result) = received {
                return Poll::Ready(result.map_err(failed));
            }
        }
    }

    fn try_recv(&mut self, buf: &mut [u8]) -> Option<Result<Datagram, Error>> {
        match receive(self.fd.get_ref(), self.family, &mut self.control, buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            result => Some(result.map_err(|e| Error::new("receive VRRP packets on", &self.place, e))),
        }
    }

    fn set_vrids(&mut self, vrids: &[u8]) {
        // Without the filter the daemon sees more than it needs and sorts it out itself.
        let program = filter::vrids(self.family, self.front, vrids);
        if let Err(error) = SockRef::from(self.fd.get_ref()).attach_filter(&program) {
            tracing::warn!("cannot filter VRRP packets on {}: {error}", self.place);
        }
    }
}

struct RawSender {
    socket: Socket,
    /// The interface; 0: whichever the routes say.
    link: u32,
    place: String,
}

impl VrrpSender for RawSender {
    fn send(&self, packet: &[u8], destination: IpAddr) -> Result<(), Error> {
        let flags = if destination.is_multicast() { libc::MSG_DONTROUTE } else { 0 };
        let address = match destination {
            IpAddr::V4(_) => SocketAddr::new(destination, 0),
            // Link-local addresses need their link.
            IpAddr::V6(ip) => SocketAddrV6::new(ip, 0, 0, self.link).into(),
        };
        let sent = self.socket.send_to_with_flags(packet, &SockAddr::from(address), flags);
        sent.map(drop).map_err(|e| Error::new("send a VRRP packet on", &self.place, e))
    }
}
