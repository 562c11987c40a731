//! Frames straight to an interface: one packet socket, many frames per system call.

use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;

use socket2::{Domain, Socket, Type};

use super::buffer;
use super::vrrp_net::PRIORITY_CONTROL;
use crate::base::IfName;
use crate::host::{Announcer, Error, Frame};

/// Frames per call of `sendmmsg(2)`, which takes at most 1,024.
const BATCH: usize = 256;
/// Send buffer, in bytes as the kernel counts them (about 800 per frame): two thousand announcements.
const SEND_BUFFER: usize = 2 * 1024 * 1024;
/// Offset and size of the protocol number in an Ethernet frame.
const ETHERTYPE: std::ops::Range<usize> = 12..14;

/// A packet socket that sends on every interface and receives nothing.
pub(super) struct PacketAnnouncer(Socket);

impl PacketAnnouncer {
    /// Opens the socket.
    ///
    /// # Errors
    /// No permission (`CAP_NET_RAW`).
    pub(super) fn open() -> Result<Self, Error> {
        let open = || {
            // Protocol 0: nothing is received.
            let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
            socket.set_nonblocking(true)?;
            socket.set_priority(PRIORITY_CONTROL)?;
            buffer::send(&socket, SEND_BUFFER)?;
            Ok(socket)
        };
        open().map(Self).map_err(|e| Error::new("open", "the packet socket for announcements", e))
    }

    /// Sends as many of `frames` as one call takes; gives how many, at least one.
    fn send(&self, frames: &[Frame]) -> io::Result<usize> {
        let frames = frames.get(..BATCH).unwrap_or(frames);
        let mut addresses: Vec<_> = frames.iter().map(address).collect();
        let mut buffers: Vec<_> = frames
            .iter()
            .map(|frame| libc::iovec {
                iov_base: frame.bytes.as_ptr().cast_mut().cast(),
                iov_len: frame.bytes.len(),
            })
            .collect();
        let mut messages: Vec<_> = addresses
            .iter_mut()
            .zip(&mut buffers)
            .map(|(address, buffer)| {
                // SAFETY: all zeroes is a valid `mmsghdr`: null pointers with lengths of 0.
                let mut message: libc::mmsghdr = unsafe { zeroed() };
                message.msg_hdr.msg_name = (&raw mut *address).cast();
                message.msg_hdr.msg_namelen = size_of_val(address) as libc::socklen_t;
                message.msg_hdr.msg_iov = buffer;
                message.msg_hdr.msg_iovlen = 1;
                message
            })
            .collect();
        // SAFETY: the messages point into `addresses`, `buffers` and `frames`, which live until the call is over;
        // the kernel writes to `msg_len` of each message only. At most `BATCH` messages, so the cast is exact.
        let sent = unsafe {
            libc::sendmmsg(
                self.0.as_raw_fd(),
                messages.as_mut_ptr(),
                messages.len() as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

impl Announcer for PacketAnnouncer {
    fn forwards_v6(&self, interface: &IfName) -> bool {
        // A name of the kernel's has no slash in it. One short read, answered by the kernel from memory.
        let path = format!("/proc/sys/net/ipv6/conf/{interface}/forwarding");
        std::fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
    }

    fn announce(&self, frames: &[Frame]) -> Result<(), Error> {
        let mut first_error = None;
        let mut left = frames;
        while let [frame, rest @ ..] = left {
            match self.send(left) {
                Ok(sent) => left = left.get(sent.max(1)..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // It stopped at the first frame that is left. The next one may be for another interface.
                    first_error.get_or_insert_with(|| (frame.name.clone(), error));
                    left = rest;
                }
            }
        }
        match first_error {
            None => Ok(()),
            Some((name, error)) => Err(Error::new("announce on interface", name, error)),
        }
    }
}

/// Where a frame goes: out of its interface; the rest is in the frame.
fn address(frame: &Frame) -> libc::sockaddr_ll {
    let protocol = frame.bytes.get(ETHERTYPE).and_then(|bytes| bytes.first_chunk().copied());
    // SAFETY: all zeroes is a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = u16::from_ne_bytes(protocol.unwrap_or_default());
    // An index the kernel cannot have gives its answer for an interface that is not there.
    address.sll_ifindex = i32::try_from(frame.link.0).unwrap_or(i32::MAX);
    address
}
