//! A packet socket on the bridge, with the kernel's timestamps.

use std::fs::File;
use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket, sockopt,
};
use socket2::{SockFilter, SockRef};

use super::packet::{Advert, Garp, Packet};

/// `PACKET_OUTGOING` of linux/if_packet.h: a copy of what a port sends. Each frame counts where it comes in.
const OUTGOING: u32 = 4;
/// What may wait to be read, in bytes.
const BUFFER: usize = 128 << 20;

/// Everything VRRP that crossed a LAN since the capture started. Nothing runs for it: the kernel notes when a frame
/// came, and keeps it until somebody asks. So it costs those who are watched next to nothing.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
    packets: Mutex<Vec<Packet>>,
}

impl Capture {
    /// Starts to record in that network namespace; the socket is open when this returns.
    pub fn start(network: &File) -> Self {
        Self::start_with(network, None)
    }

    /// As [`start`](Self::start), but of nothing else than IPv4 packets from `source`, if there is one: all others are
    /// dropped in the kernel.
    pub fn start_with(network: &File, source: Option<Ipv4Addr>) -> Self {
        let network = network.try_clone().expect("duplicate a descriptor");
        // Only this thread changes its network namespace, and it ends at once.
        let opened = std::thread::spawn(move || {
            setns(network, CloneFlags::CLONE_NEWNET).expect("enter a network namespace");
            open(source)
        });
        let socket = opened.join().expect("open a packet socket: this needs root (CAP_NET_RAW)");
        Self { socket, packets: Mutex::new(Vec::new()) }
    }

    /// All packets so far.
    pub fn packets(&self) -> Vec<Packet> {
        self.read().clone()
    }

    /// How many packets there are so far: a mark for [`adverts_since`](Self::adverts_since).
    pub fn mark(&self) -> usize {
        self.read().len()
    }

    /// Takes what has come meanwhile.
    fn read(&self) -> MutexGuard<'_, Vec<Packet>> {
        let mut packets = self.packets.lock().expect("no panic while locked");
        while let Some(packet) = receive(&self.socket) {
            packets.extend(packet);
        }
        packets
    }

    /// The adverts from `source`, in order.
    pub fn adverts(&self, source: Ipv4Addr) -> Vec<Advert> {
        self.adverts_since(0, source)
    }

    /// The adverts from `source` after the mark, in order.
    pub fn adverts_since(&self, mark: usize, source: Ipv4Addr) -> Vec<Advert> {
        let packets = self.read();
        let adverts = packets.iter().skip(mark).filter_map(|p| match p {
            Packet::Advert(advert) if advert.source == source => Some(advert.clone()),
            _ => None,
        });
        adverts.collect()
    }

    /// The adverts of all families and senders, from the IP header on; those of IPv4 without what counts packets.
    pub fn adverts_any(&self) -> Vec<Vec<u8>> {
        let packets = self.read();
        let adverts = packets.iter().filter_map(|p| match p {
            Packet::Advert(advert) => {
                let mut bytes = advert.bytes.clone();
                bytes[4..6].fill(0);
                bytes[10..12].fill(0);
                Some(bytes)
            }
            Packet::Advert6(bytes) => Some(bytes.clone()),
            _ => None,
        });
        adverts.collect()
    }

    /// The unsolicited neighbour advertisements, in order.
    pub fn advertisements(&self) -> Vec<Vec<u8>> {
        let packets = self.read();
        let frames = packets.iter().filter_map(|p| match p {
            Packet::Advertisement(frame) => Some(frame.clone()),
            _ => None,
        });
        frames.collect()
    }

    /// The gratuitous ARPs after the mark that say `mac`, in order.
    pub fn garps_since(&self, mark: usize, mac: [u8; 6]) -> Vec<Garp> {
        let packets = self.read();
        let garps = packets.iter().skip(mark).filter_map(|p| match p {
            Packet::Garp(garp) if garp.mac == mac => Some(garp.clone()),
            _ => None,
        });
        garps.collect()
    }
}

/// A program for the kernel that passes each frame once: not what is sent, and not what comes in by `bridge`, which it has
/// come in by another interface before. IPv4 packets from `source` only, if there is one.
fn filter(bridge: u32, source: Option<Ipv4Addr>) -> Vec<SockFilter> {
    /// Load a half word, load a word, jump if equal, return: of linux/bpf_common.h.
    const LDH: u16 = 0x28;
    const LD: u16 = 0x20;
    const JEQ: u16 = 0x15;
    const RET: u16 = 0x06;
    /// `SKF_AD_OFF + SKF_AD_PKTTYPE` and `SKF_AD_OFF + SKF_AD_IFINDEX` of linux/filter.h.
    const KIND: u32 = 0xffff_f004;
    const INTERFACE: u32 = 0xffff_f008;
    let code = SockFilter::new;
    let mut program = vec![
        code(LD, 0, 0, KIND),
        code(JEQ, 2, 0, OUTGOING),
        code(LD, 0, 0, INTERFACE),
        code(JEQ, 0, 1, bridge),
        code(RET, 0, 0, 0),
    ];
    if let Some(source) = source {
        program.extend([
            code(LDH, 0, 0, 12),
            code(JEQ, 0, 2, 0x0800),
            code(LD, 0, 0, 26),
            code(JEQ, 1, 0, u32::from(source)),
            code(RET, 0, 0, 0),
        ]);
    }
    program.push(code(RET, 0, 0, u32::from(u16::MAX)));
    program
}

fn open(source: Option<Ipv4Addr>) -> OwnedFd {
    let all = SockProtocol::EthAll;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, all).expect("packet socket");
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true).expect("SO_TIMESTAMPNS");
    setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).expect("SO_RCVBUFFORCE");
    let bridge = nix::net::if_::if_nametoindex("lan").unwrap_or(0);
    SockRef::from(&socket).attach_filter(&filter(bridge, source)).expect("SO_ATTACH_FILTER");
    socket
}

/// The next frame: `None`: there is none; `Some(None)`: it is of no interest.
fn receive(socket: &OwnedFd) -> Option<Option<Packet>> {
    let mut frame = [0; 2048];
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let mut parts = [IoSliceMut::new(&mut frame)];
    let flags = MsgFlags::empty();
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags).ok()?;
    let at = message.cmsgs().ok()?.find_map(|c| match c {
        ControlMessageOwned::ScmTimestampns(t) => Some(Duration::from(t)),
        _ => None,
    });
    let length = message.bytes;
    let packet = at.and_then(|at| Packet::parse(at, frame.get(..length)?));
    Some(packet)
}
