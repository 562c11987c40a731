//! Interfaces that are asked for their carrier.

use std::os::fd::{AsRawFd, OwnedFd};

use socket2::{Domain, Socket, Type};

use crate::base::IfName;
use crate::host::{CarrierMethod, Carriers};

/// `SIOCGMIIPHY` and `SIOCGMIIREG` of linux/sockios.h.
const MII_PHY: libc::c_ulong = 0x8947;
const MII_REGISTER: libc::c_ulong = 0x8948;
/// `SIOCETHTOOL`.
const ETHTOOL: libc::c_ulong = 0x8946;
/// `ETHTOOL_GLINK` of linux/ethtool.h.
const GET_LINK: u32 = 0x0a;
/// The status register of a transceiver, and its bit for the link (linux/mii.h).
const BMSR: u16 = 1;
const BMSR_LINK: u16 = 0x0004;

/// Asks by `ioctl`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interfaces;

impl Carriers for Interfaces {
    fn carrier(&self, interface: &IfName, method: CarrierMethod) -> Option<bool> {
        let socket: OwnedFd = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?.into();
        match method {
            CarrierMethod::Mii => mii(&socket, interface),
            CarrierMethod::Ethtool => ethtool(&socket, interface),
            CarrierMethod::Flags => flags(&socket, interface),
        }
    }
}

/// `struct ifreq` of net/if.h: a name, and room for what the request is about.
#[repr(C)]
struct Request<T> {
    name: [u8; libc::IFNAMSIZ],
    data: T,
    room: [u64; 3],
}

impl<T> Request<T> {
    fn new(interface: &IfName, data: T) -> Self {
        let mut name = [0; libc::IFNAMSIZ];
        for (to, from) in name.iter_mut().zip(interface.as_str().bytes().take(libc::IFNAMSIZ - 1)) {
            *to = from;
        }
        Self { name, data, room: [0; 3] }
    }

    fn ask(&mut self, socket: &OwnedFd, what: libc::c_ulong) -> Option<()> {
        let request: *mut Self = self;
        // SAFETY: the descriptor is open, and the request is at least as large as a `struct ifreq`, whose name ends with
        // a NUL. Each caller has put into `data` what its request takes.
        let answer = unsafe { libc::ioctl(socket.as_raw_fd(), what as _, request) };
        (answer == 0).then_some(())
    }
}

/// `struct mii_ioctl_data` of linux/mii.h: transceiver, register, value written, value read.
fn mii(socket: &OwnedFd, interface: &IfName) -> Option<bool> {
    let mut request = Request::new(interface, [0_u16; 4]);
    request.ask(socket, MII_PHY)?;
    let [phy, ..] = request.data;
    // A link that was lost since the last time is said to be lost once more: the second answer is about now.
    for _ in 0..2 {
        request.data = [phy, BMSR, 0, 0];
        request.ask(socket, MII_REGISTER)?;
    }
    let [_, _, _, status] = request.data;
    // All ones or none at all: nobody is there.
    (status != 0 && status != u16::MAX).then_some(status & BMSR_LINK != 0)
}

fn ethtool(socket: &OwnedFd, interface: &IfName) -> Option<bool> {
    // `struct ethtool_value`: command and answer.
    let mut value = [GET_LINK, 0];
    let mut request = Request::new(interface, value.as_mut_ptr());
    request.ask(socket, ETHTOOL)?;
    let [_, link] = value;
    Some(link != 0)
}

fn flags(socket: &OwnedFd, interface: &IfName) -> Option<bool> {
    let mut request = Request::new(interface, 0_i16);
    request.ask(socket, libc::SIOCGIFFLAGS as libc::c_ulong)?;
    let running = libc::IFF_UP | libc::IFF_RUNNING;
    Some(i32::from(request.data) & running == running)
}
