//! VRRP sockets: raw IPv4, one to receive and one to send per interface.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockAddr, SockFilter, SockRef, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::buffer;
use super::watch::watch;
use crate::base::{Family, IfIndex, IfName};
use crate::host::{Datagram, Endpoint, EndpointSpec, Error, VrrpNet, VrrpReceiver, VrrpSender};
use crate::wire::ip::{PROTO_VRRP, V4Header};

/// Receive buffer, in bytes as the kernel counts them (about 800 per advert): a burst of a thousand adverts.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// Queueing priority, the highest that needs no privilege: the first band of `pfifo_fast`, and internetwork
/// control where a VLAN interface maps priorities to its tags one to one.
pub(super) const PRIORITY_CONTROL: u32 = 6;
/// What a classic BPF program gives to let the whole packet through.
const ALL: u32 = u32::MAX;

/// Opens raw sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawVrrpNet;

impl VrrpNet for RawVrrpNet {
    fn open(&self, spec: &EndpointSpec) -> Result<Endpoint, Error> {
        if spec.family != Family::V4 {
            let unsupported = io::Error::from(io::ErrorKind::Unsupported);
            return Err(Error::new("open IPv6 VRRP sockets on", &spec.name, unsupported));
        }
        let receiver =
            receiver(spec).map_err(|e| Error::new("open the VRRP receive socket on", &spec.name, e))?;
        let sender =
            sender(spec.link).map_err(|e| Error::new("open the VRRP send socket on", &spec.name, e))?;
        let name = spec.name.clone();
        Ok((
            Box::new(RawReceiver { fd: receiver, name: name.clone() }),
            Rc::new(RawSender { socket: sender, name }),
        ))
    }
}

fn receiver(spec: &EndpointSpec) -> io::Result<AsyncFd<OwnedFd>> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(i32::from(PROTO_VRRP))))?;
    // Until it is bound, the socket hears every interface.
    socket.attach_filter(&[ret(0)])?;
    socket.set_nonblocking(true)?;
    socket.bind_device_by_index_v4(NonZeroU32::new(spec.link.0))?;
    socket.set_multicast_all_v4(false)?;
    socket.set_multicast_loop_v4(false)?;
    buffer::receive(&socket, RECEIVE_BUFFER)?;
    for group in &spec.groups {
        let IpAddr::V4(group) = group else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        socket.join_multicast_v4_n(group, &InterfaceIndexOrAddress::Index(spec.link.0))?;
    }
    socket.attach_filter(&version_4([ret(ALL)]))?;
    watch(socket.into())
}

fn sender(link: IfIndex) -> io::Result<Socket> {
    // IPPROTO_RAW: the IP header comes from us, and nothing is ever received; the filter makes sure of it.
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?;
    socket.attach_filter(&[ret(0)])?;
    socket.set_nonblocking(true)?;
    socket.set_header_included_v4(true)?;
    socket.bind_device_by_index_v4(NonZeroU32::new(link.0))?;
    set_multicast_interface(&socket, link)?;
    socket.set_multicast_loop_v4(false)?;
    socket.set_priority(PRIORITY_CONTROL)?;
    Ok(socket)
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
    name: IfName,
}

impl RawReceiver {
    /// Receives until there is a packet with a sound header, or an error, `WouldBlock` among them.
    fn receive(&self, buf: &mut [u8]) -> io::Result<Datagram> {
        loop {
            let len = match nix::unistd::read(self.fd.get_ref(), buf) {
                Err(nix::errno::Errno::EINTR) => continue,
                result => result?,
            };
            let Some(packet) = buf.get(..len) else { continue };
            if let Some(datagram) = datagram(packet) {
                return Ok(datagram);
            }
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::new("receive VRRP packets on", &self.name, error)
    }
}

/// The packet as the kernel gave it, from the IP header on; `None` if that header is malformed.
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

impl VrrpReceiver for RawReceiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<Datagram, Error>> {
        loop {
            let mut guard = match ready!(self.fd.poll_read_ready(cx)) {
                Ok(guard) => guard,
                Err(error) => return Poll::Ready(Err(self.failed(error))),
            };
            match guard.try_io(|_| self.receive(buf)) {
                Ok(result) => return Poll::Ready(result.map_err(|e| self.failed(e))),
                Err(_would_block) => {}
            }
        }
    }

    fn try_recv(&mut self, buf: &mut [u8]) -> Option<Result<Datagram, Error>> {
        match self.receive(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            result => Some(result.map_err(|e| self.failed(e))),
        }
    }

    fn set_vrids(&mut self, vrids: &[u8]) {
        // Without the filter the daemon sees more than it needs and sorts it out itself.
        if let Err(error) = SockRef::from(self.fd.get_ref()).attach_filter(&accept_vrids(vrids)) {
            tracing::warn!("cannot filter VRRP packets on {}: {error}", self.name);
        }
    }
}

struct RawSender {
    socket: Socket,
    name: IfName,
}

impl VrrpSender for RawSender {
    fn send(&self, packet: &[u8], destination: IpAddr) -> Result<(), Error> {
        let flags = if destination.is_multicast() { libc::MSG_DONTROUTE } else { 0 };
        let address = SockAddr::from(SocketAddr::new(destination, 0));
        let sent = self.socket.send_to_with_flags(packet, &address, flags);
        sent.map(drop).map_err(|e| Error::new("send a VRRP packet on", &self.name, e))
    }
}

/// One classic BPF instruction.
const fn op(code: u32, jt: u8, jf: u8, k: u32) -> SockFilter {
    SockFilter::new(code as u16, jt, jf, k)
}

/// Ends the program: keep this many bytes of the packet.
const fn ret(keep: u32) -> SockFilter {
    op(libc::BPF_RET | libc::BPF_K, 0, 0, keep)
}

/// Drops what is not IPv4, then goes on with `rest`. Offset 0 of a raw IPv4 socket's filter is the IP header.
fn version_4(rest: impl IntoIterator<Item = SockFilter>) -> Vec<SockFilter> {
    let mut program = vec![
        op(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, 0),
        op(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, 0xf0),
        op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, 0x40),
        ret(0),
    ];
    program.extend(rest);
    program
}

/// Lets through IPv4 packets whose second payload byte is one of `vrids`.
fn accept_vrids(vrids: &[u8]) -> Vec<SockFilter> {
    // 0 is no VRID, so at most 255 are left, which is as far as a jump reaches.
    let wanted: BTreeSet<u8> = vrids.iter().copied().filter(|vrid| *vrid != 0).collect();
    let mut rest = vec![
        op(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0), // X = length of the IP header
        op(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, 0, 0, 1),
    ];
    for (left, vrid) in (1..=wanted.len()).rev().zip(&wanted) {
        // Over the comparisons that follow and the `ret` that drops.
        let accept = u8::try_from(left).unwrap_or(u8::MAX);
        rest.push(op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, accept, 0, u32::from(*vrid)));
    }
    rest.extend([ret(0), ret(ALL)]);
    version_4(rest)
}
