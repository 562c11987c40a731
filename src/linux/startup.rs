//! What a program settles with the system before it becomes a daemon.

use std::fs::{File, OpenOptions, read_to_string};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::stat::{Mode, umask};
use nix::sys::time::TimeVal;

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

/// How the process was started: programs that it starts get all of it back.
#[derive(Clone, Copy, Debug)]
pub struct Original {
    /// Nice value.
    pub(super) nice: i32,
    /// Open files (`RLIMIT_NOFILE`).
    pub(super) files: libc::rlimit,
    /// Size of core dumps in bytes (`RLIMIT_CORE`).
    pub(super) core: libc::rlimit,
    /// How long a real-time thread may run without a pause, in µs (`RLIMIT_RTTIME`).
    pub(super) cpu_time: libc::rlimit,
}

impl Original {
    /// How this process is now.
    pub fn read() -> Self {
        Self {
            // SAFETY: no pointers.
            nice: unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) },
            files: limit(libc::RLIMIT_NOFILE),
            core: limit(libc::RLIMIT_CORE),
            cpu_time: limit(libc::RLIMIT_RTTIME),
        }
    }

    /// Makes this process as it was. Only makes system calls: between fork and exec nothing else is allowed. What is
    /// not permitted does not happen: a program with more than its due is better than none.
    pub(super) fn restore(&self) {
        // SAFETY: no pointers.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, self.nice) };
        let limits = [
            (libc::RLIMIT_NOFILE, self.files),
            (libc::RLIMIT_CORE, self.core),
            (libc::RLIMIT_RTTIME, self.cpu_time),
        ];
        for (resource, limit) in limits {
            let _ = set_limit(resource, limit);
        }
    }
}

/// A limit of this process; of one that the kernel does not know: none.
fn limit(resource: libc::__rlimit_resource_t) -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the kernel fills in `limit`, which outlives the call.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    limit
}

/// Sets a limit of this process. Makes one system call and nothing else.
pub(super) fn set_limit(resource: libc::__rlimit_resource_t, limit: libc::rlimit) -> io::Result<()> {
    // SAFETY: the kernel reads `limit`, which outlives the call.
    match unsafe { libc::setrlimit(resource, &raw const limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Gives freed memory back to the system. The C library keeps it for later, but what a picture of all links needs, or a
/// configuration that is read, is needed once.
pub(super) fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no pointers.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Raises the soft limit of open files: each interface that has virtual routers needs four, whereas 1,024 is the
/// default. Scripts do not get it: there are programs that cannot deal with more.
pub fn raise_file_limit() {
    let limit = limit(libc::RLIMIT_NOFILE);
    let wanted = limit.rlim_max.min(FILES);
    if limit.rlim_cur < wanted {
        // Then there are as many as there were.
        let _ = set_limit(libc::RLIMIT_NOFILE, libc::rlimit { rlim_cur: wanted, ..limit });
    }
}

/// Allows core dumps of any size, or of the size that is permitted.
///
/// # Errors
/// Not even that.
pub fn allow_core_dumps() -> Result<(), Error> {
    let all = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let hard = limit(libc::RLIMIT_CORE).rlim_max;
    let most = libc::rlimit { rlim_cur: hard, rlim_max: hard };
    let done = set_limit(libc::RLIMIT_CORE, all).or_else(|_| set_limit(libc::RLIMIT_CORE, most));
    done.map_err(|e| Error::new("allow", "core dumps", e))
}

/// Where the kernel is told what to do with core dumps.
const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";

/// Another pattern for core dumps, until this is dropped.
#[derive(Debug)]
pub struct CorePattern {
    before: String,
}

impl CorePattern {
    /// Sets the pattern, see core(5). It is one for the whole machine.
    ///
    /// # Errors
    /// The system refused.
    pub fn set(pattern: &str) -> Result<Self, Error> {
        let failed = |e| Error::new("set", CORE_PATTERN, e);
        let before = read_to_string(CORE_PATTERN).map_err(failed)?;
        std::fs::write(CORE_PATTERN, pattern).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for CorePattern {
    fn drop(&mut self) {
        if let Err(error) = std::fs::write(CORE_PATTERN, &self.before) {
            tracing::warn!("{}", Error::new("restore", CORE_PATTERN, error));
        }
    }
}

/// Ignores every signal but those that end a process because it asked for it or is broken, as keepalived does: by default
/// most would end the daemon, or stop it, and leave its addresses behind. Those that are requests get their handlers when
/// the daemon runs.
pub fn ignore_signals() {
    // CHLD: children of whoever ignores it vanish without telling how they ended.
    let kept = [
        libc::SIGTERM,
        libc::SIGINT,
        libc::SIGCHLD,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGABRT,
    ];
    for signal in (1..=libc::SIGRTMAX()).filter(|signal| !kept.contains(signal)) {
        // Signals that cannot be ignored (KILL, STOP, those libc keeps) stay as they are.
        // SAFETY: no handler of ours is involved.
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
    let effective = effective(status);
    NEEDED.iter().filter(|(bit, _)| effective & (1 << bit) == 0).map(|(_, name)| *name).collect()
}

/// The effective capabilities in the text of `/proc/PID/status`; all where it cannot tell.
fn effective(status: &str) -> u64 {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(u64::MAX)
}

/// Whether this process has the capability with this number (`linux/capability.h`).
pub(super) fn is_capable(capability: u32) -> bool {
    effective(&read_to_string("/proc/self/status").unwrap_or_default()) & (1 << capability) != 0
}

/// The CPU time used so far by this process and by those it has started and waited for, in stock's words, in seconds.
pub fn cpu_usage() -> String {
    let used = |who| {
        let usage = getrusage(who).ok();
        let shown = |time: TimeVal| format!("{}.{:06}", time.tv_sec(), time.tv_usec());
        usage.map_or_else(Default::default, |u| (shown(u.user_time()), shown(u.system_time())))
    };
    let (own, children) = (used(UsageWho::RUSAGE_SELF), used(UsageWho::RUSAGE_CHILDREN));
    format!("CPU usage (self/children) user: {}/{} system: {}/{}", own.0, children.0, own.1, children.1)
}

/// Release and version of the kernel, as `uname -rv` has them.
pub fn kernel() -> String {
    let part = |name| read_to_string(Path::new("/proc/sys/kernel").join(name)).unwrap_or_default();
    format!("{} {}", part("osrelease").trim(), part("version").trim())
}

/// The kernel's own number of this boot, and that of the network namespace; empty where it has none.
pub(super) fn boot() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let boot = read_to_string("/proc/sys/kernel/random/boot_id");
    let namespace = std::fs::metadata("/proc/thread-self/ns/net").map(|metadata| metadata.ino());
    boot.ok()
        .zip(namespace.ok())
        .map_or_else(String::new, |(boot, number)| format!("{} {number}", boot.trim()))
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
