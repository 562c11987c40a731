//! The processes of the machine, ours or not.

use std::task::{Context, Poll};

use super::Error;

/// The number of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

/// What tells processes apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessFacts {
    /// The name the kernel keeps, at most 15 bytes.
    pub name: Vec<u8>,
    /// The command line, with a NUL behind each argument; empty where it was not asked for.
    pub command: Vec<u8>,
}

/// Which processes there are.
pub trait ProcessTable {
    /// All processes.
    fn list(&self) -> Vec<Pid>;

    /// What there is to know of a process; `None` if it has ended, reaped or not. The command line only if `command`.
    fn describe(&self, pid: Pid, command: bool) -> Option<ProcessFacts>;

    /// Starts to report what happens to processes.
    ///
    /// # Errors
    /// The kernel does not, or not to us: it does in the initial namespaces only.
    fn watch(&self) -> Result<Box<dyn ProcessEvents>, Error>;
}

/// What happened to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// A process has made another one.
    Forked {
        /// Who made it.
        parent: Pid,
        /// The new one.
        child: Pid,
    },
    /// It executes another program, or has another name.
    Changed(Pid),
    /// It has ended.
    Ended(Pid),
    /// Reports were lost.
    Lost,
}

/// The stream of reports.
pub trait ProcessEvents {
    /// The next one.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<ProcessEvent>;
}
