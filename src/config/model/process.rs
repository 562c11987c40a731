//! Settings of `global_defs` for one of stock's processes, which are planes and threads here.

use super::{Script, User};

/// How a process runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its name, at most 15 bytes.
    pub name: Option<String>,
    /// Nice value, -20 to 19.
    pub priority: Option<i8>,
    /// Priority of the real-time scheduler, 1 to 99.
    pub rt_priority: Option<u8>,
    /// Its memory is locked.
    pub no_swap: bool,
    /// CPUs it may run on; empty: all.
    pub cpus: Vec<u32>,
    /// Longest time on a CPU without a pause, in µs, at least 2; 0: no limit.
    pub rlimit_rttime: Option<u32>,
}

/// Sizes of the receive buffers of netlink sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netlink {
    /// Of the socket for commands, in bytes; 0: as the kernel has it.
    pub command: Option<u32>,
    /// Beyond the limit of the system.
    pub command_force: Option<bool>,
    /// Of the socket that listens, in bytes; 0: as the kernel has it.
    pub monitor: Option<u32>,
    /// Beyond the limit of the system.
    pub monitor_force: Option<bool>,
}

/// A FIFO that events are written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    /// Its path.
    pub path: Option<String>,
    /// Who owns it.
    pub user: Option<User>,
    /// Something is written to read from it, though it may not be usable.
    pub has_script: bool,
    /// What reads from it.
    pub script: Option<Script>,
}
