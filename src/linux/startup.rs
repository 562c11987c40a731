//! What a program settles with the system before it becomes a daemon.

use std::fs::{File, OpenOptions, read_to_string};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

use crate::host::Error;

/// Capabilities that VRRP needs, with their numbers (`linux/capability.h`).
const NEEDED: [(u32, &str); 2] = [(12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW")];

/// Sets the mask for the mode of files made from now on, by scripts too.
pub fn set_umask(mask: u32) {
    umask(Mode::from_bits_truncate(mask));
}

/// How many files the daemon may have open, as far as the hard limit goes: some 16,000 interfaces with VRRP over both
/// families. More would cost the kernel memory, and some programs close all numbers up to the limit.
const FILES: u64 = 65_536;

/// Limits of open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimit {
    soft: u64,
    hard: u64,
}

impl FileLimit {
    #[cfg(test)]
    pub(super) fn new(soft: u64, hard: u64) -> Self {
        Self { soft, hard }
    }

    /// As the C library has it.
    pub(super) fn raw(self) -> libc::rlimit {
        libc::rlimit { rlim_cur: self.soft, rlim_max: self.hard }
    }
}

/// Raises the soft limit of open files: each interface that has virtual routers needs four, whereas 1,024 is the
/// default. Gives what it was, which scripts are to have: there are programs that cannot deal with more. `None` if
/// nothing has changed.
pub fn raise_file_limit() -> Option<FileLimit> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let wanted = hard.min(FILES);
    if soft >= wanted {
        return None;
    }
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).ok()?;
    Some(FileLimit { soft, hard })
}

/// Ignores the signals that are requests to a running daemon, until it runs and handles them: by default they would end
/// the process.
pub fn ignore_early_signals() {
    let real_time = [libc::SIGRTMIN() + 2, libc::SIGRTMAX() - 1];
    for signal in [libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2].into_iter().chain(real_time) {
        // SAFETY: no handler of ours is involved, and the numbers are valid.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Opens a file to append to, mode 0600 when it has to be made. A symbolic link in the last place is not followed.
///
/// # Errors
/// The system refused; for a symbolic link with `ELOOP`.
pub fn open_to_append(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(path).map_err(|e| Error::new("open", path.display(), e))
}

/// The capabilities that VRRP needs and this process does not have. None are missing where `/proc` cannot tell:
/// then the system calls will.
pub fn missing_capabilities() -> Vec<&'static str> {
    missing(&read_to_string("/proc/self/status").unwrap_or_default())
}

/// The same for the text of `/proc/PID/status`.
fn missing(status: &str) -> Vec<&'static str> {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(u64::MAX);
    NEEDED.iter().filter(|(bit, _)| effective & (1 << bit) == 0).map(|(_, name)| *name).collect()
}

/// Release and version of the kernel, as `uname -rv` has them.
pub fn kernel() -> String {
    let part = |name| read_to_string(Path::new("/proc/sys/kernel").join(name)).unwrap_or_default();
    format!("{} {}", part("osrelease").trim(), part("version").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_status() {
        assert_eq!(missing("CapInh:\t0\nCapEff:\t0000000000003000\n"), Vec::<&str>::new());
        assert_eq!(missing("CapEff:\t0000000000001000\n"), ["CAP_NET_RAW"]);
        assert_eq!(missing("CapEff:\t0000000000000000\n"), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
        assert_eq!(missing("no such line"), Vec::<&str>::new());
    }

    #[test]
    fn appends_and_does_not_follow_links() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("log"), directory.path().join("link"));
        for text in ["a", "b"] {
            std::io::Write::write_all(&mut open_to_append(&file).expect("open"), text.as_bytes())
                .expect("write");
        }
        assert_eq!(read_to_string(&file).expect("read"), "ab");
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("metadata").permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::os::unix::fs::symlink(&file, &link).expect("link");
        let error = open_to_append(&link).expect_err("a link");
        assert_eq!(error.source.raw_os_error(), Some(libc::ELOOP));
    }
}
