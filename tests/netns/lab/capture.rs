//! A packet socket on the bridge, with the kernel's timestamps.

use std::fs::File;
use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use socket2::SockFilter;

use super::packet::{Advert, Garp, Packet};

/// `PACKET_OUTGOING` of linux/if_packet.h: a copy of what a port sends. Each frame counts where it comes in.
const OUTGOING: u8 = 4;

/// Everything VRRP that crossed a LAN since the capture started.
#[derive(Debug)]
pub struct Capture {
    packets: Arc<Mutex<Vec<Packet>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
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
        let packets = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, is_ready) = mpsc::channel();
        let (to, until) = (Arc::clone(&packets), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            // Only this thread changes its network namespace, and it ends here.
            setns(network, CloneFlags::CLONE_NEWNET).expect("enter a network namespace");
            let socket = open();
            if let Some(source) = source {
                socket2::SockRef::from(&socket).attach_filter(&only_from(source)).expect("SO_ATTACH_FILTER");
            }
            ready.send(()).expect("tell that the capture runs");
            while !until.load(Ordering::Relaxed) {
                if let Some(packet) = receive(socket.as_raw_fd()) {
                    to.lock().expect("no panic while locked").push(packet);
                }
            }
        });
        is_ready.recv().expect("open a packet socket: this needs root (CAP_NET_RAW)");
        Self { packets, stop, thread: Some(thread) }
    }

    /// All packets so far.
    pub fn packets(&self) -> Vec<Packet> {
        self.packets.lock().expect("no panic while locked").clone()
    }

    /// How many packets there are so far: a mark for [`adverts_since`](Self::adverts_since).
    pub fn mark(&self) -> usize {
        self.packets.lock().expect("no panic while locked").len()
    }

    /// The adverts from `source`, in order.
    pub fn adverts(&self, source: Ipv4Addr) -> Vec<Advert> {
        self.adverts_since(0, source)
    }

    /// The adverts from `source` after the mark, in order.
    pub fn adverts_since(&self, mark: usize, source: Ipv4Addr) -> Vec<Advert> {
        let packets = self.packets.lock().expect("no panic while locked");
        let adverts = packets.iter().skip(mark).filter_map(|p| match p {
            Packet::Advert(advert) if advert.source == source => Some(advert.clone()),
            _ => None,
        });
        adverts.collect()
    }

    /// The adverts of all families and senders, from the IP header on; those of IPv4 without what counts packets.
    pub fn adverts_any(&self) -> Vec<Vec<u8>> {
        let packets = self.packets.lock().expect("no panic while locked");
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
        let packets = self.packets.lock().expect("no panic while locked");
        let frames = packets.iter().filter_map(|p| match p {
            Packet::Advertisement(frame) => Some(frame.clone()),
            _ => None,
        });
        frames.collect()
    }

    /// The gratuitous ARPs after the mark that say `mac`, in order.
    pub fn garps_since(&self, mark: usize, mac: [u8; 6]) -> Vec<Garp> {
        let packets = self.packets.lock().expect("no panic while locked");
        let garps = packets.iter().skip(mark).filter_map(|p| match p {
            Packet::Garp(garp) if garp.mac == mac => Some(garp.clone()),
            _ => None,
        });
        garps.collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A program for the kernel that passes IPv4 packets from `source` only.
fn only_from(source: Ipv4Addr) -> [SockFilter; 6] {
    /// Load a half word, load a word, jump if equal, return: of linux/bpf_common.h.
    const LDH: u16 = 0x28;
    const LD: u16 = 0x20;
    const JEQ: u16 = 0x15;
    const RET: u16 = 0x06;
    let code = SockFilter::new;
    [
        code(LDH, 0, 0, 12),
        code(JEQ, 0, 3, 0x0800),
        code(LD, 0, 0, 26),
        code(JEQ, 0, 1, u32::from(source)),
        code(RET, 0, 0, u32::from(u16::MAX)),
        code(RET, 0, 0, 0),
    ]
}

fn open() -> std::os::fd::OwnedFd {
    let all = SockProtocol::EthAll;
    let socket =
        socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, all).expect("packet socket");
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true).expect("SO_TIMESTAMPNS");
    setsockopt(&socket, sockopt::RcvBuf, &(4 << 20)).expect("SO_RCVBUF");
    // So that the thread notices when it shall end.
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, 20_000)).expect("SO_RCVTIMEO");
    socket
}

fn receive(socket: i32) -> Option<Packet> {
    let mut frame = [0; 2048];
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let mut parts = [IoSliceMut::new(&mut frame)];
    let message = recvmsg::<LinkAddr>(socket, &mut parts, Some(&mut control), MsgFlags::empty()).ok()?;
    let from = message.address?;
    // The bridge hands each frame to its own interface a second time.
    if from.pkttype() == OUTGOING || Some(from.ifindex()) == bridge() {
        return None;
    }
    let at = message.cmsgs().ok()?.find_map(|c| match c {
        ControlMessageOwned::ScmTimestampns(t) => Some(Duration::from(t)),
        _ => None,
    })?;
    let length = message.bytes;
    Packet::parse(at, frame.get(..length)?)
}

/// The interface index of the bridge in this thread's network namespace.
fn bridge() -> Option<usize> {
    nix::net::if_::if_nametoindex("lan").ok().map(|index| index as usize)
}
