//! File descriptors on the runtime's reactor.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Has the current runtime watch `fd`, which must be non-blocking, for input.
///
/// # Errors
/// What `epoll_ctl` answered.
///
/// # Panics
/// Outside a runtime.
pub(super) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is an open descriptor, always the same one, and stays open until it is dropped, which
    // only the `AsyncFd` that owns it can do.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(|error| error.into_parts().1)
}
