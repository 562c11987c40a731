//! Socket buffers beyond what the system grants everybody.

use std::io;
use std::os::fd::AsFd;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce, SndBuf, SndBufForce};

/// Makes the receive buffer `bytes` large, as the kernel counts them. Where forcing is not allowed (containers of
/// ordinary users) it gets what `net.core.rmem_max` grants.
///
/// # Errors
/// Not a socket.
pub(super) fn receive(socket: &impl AsFd, bytes: usize) -> io::Result<()> {
    setsockopt(socket, RcvBufForce, &bytes).or_else(|_| setsockopt(socket, RcvBuf, &bytes))?;
    Ok(())
}

/// The same for the send buffer and `net.core.wmem_max`.
///
/// # Errors
/// Not a socket.
pub(super) fn send(socket: &impl AsFd, bytes: usize) -> io::Result<()> {
    setsockopt(socket, SndBufForce, &bytes).or_else(|_| setsockopt(socket, SndBuf, &bytes))?;
    Ok(())
}
