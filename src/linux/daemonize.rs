//! Into the background, the classical way.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;

use nix::unistd::{ForkResult, chdir, fork, setsid};

use crate::host::Error;

/// Continues in a background process: a child of init, without a terminal, in `/`, standard streams on
/// `/dev/null`. The process it is called in exits with status 0 and does not return, nor does the one between
/// them; neither runs destructors.
///
/// # Errors
/// `fork(2)` failed, or `/dev/null` cannot be opened. Errors after the first fork are those of the background
/// process.
///
/// # Panics
/// If other threads exist: they would be missing in the background process, and with them whatever lock they hold.
pub fn daemonize() -> Result<(), Error> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    assert!(threads <= 1, "daemonize must come before any thread is started");
    // Opened first: this is what can fail, and here somebody still sees the error.
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.map_err(|e| Error::new("open", "/dev/null", e))?;
    leave_to_child()?;
    // The leader of a new session has no terminal; its child can never get one.
    setsid().map_err(|e| Error::new("leave", "the session", e.into()))?;
    leave_to_child()?;
    chdir("/").map_err(|e| Error::new("change to", "/", e.into()))?;
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: `null` is open; the standard streams are replaced, which nobody owns.
        if unsafe { libc::dup2(null.as_raw_fd(), stream) } < 0 {
            return Err(Error::new("redirect stream", stream, io::Error::last_os_error()));
        }
    }
    Ok(())
}

/// Goes on as a child; the parent exits.
fn leave_to_child() -> Result<(), Error> {
    // SAFETY: there is one thread only, as `daemonize` made sure, so the child is as whole as the parent.
    match unsafe { fork() }.map_err(|e| Error::new("fork", "into the background", e.into()))? {
        ForkResult::Child => Ok(()),
        // SAFETY: ends the process; buffers and exit handlers are the child's now.
        ForkResult::Parent { .. } => unsafe { libc::_exit(0) },
    }
}
