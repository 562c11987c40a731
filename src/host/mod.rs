//! The machine we run on, as a value: small traits and plain data.
//!
//! `linux::run()` makes the real one, `sim::host()` one in memory and in virtual time. Nothing else in the
//! library touches a socket, a clock, a file or a process; that is why forty daemons fit into one test.
//!
//! A host has two **planes**. The fast plane is one single-threaded executor that runs everything whose
//! lateness peers can see: adverts, timers, claims. The slow plane is another one, for scripts, signals and
//! whatever else may take its time. Traits that are used on one plane only are not `Send`.

pub mod carrier;
pub mod files;
pub mod firewall;
pub mod kernel;
pub mod link;
pub mod loader;
pub mod net;
pub mod network;
pub mod process;
pub mod process_table;
pub mod route;
pub mod scheduling;
pub mod time;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

pub use carrier::{CarrierMethod, Carriers};
pub use files::{FileChanges, Files, Mark, Pipe};
pub use firewall::{FirewallEntry, FirewallRule, FirewallTable};
pub use kernel::{
    Address, AddressOptions, Dump, KernelEvent, KernelEvents, KernelOp, KernelWriter, Link, LinkState,
};
pub use link::{Isolation, Setting, Stacking, VirtualKind, VirtualLink};
pub use loader::Loader;
pub use net::{Announcer, Datagram, Endpoint, EndpointSpec, Frame, VrrpNet, VrrpReceiver, VrrpSender};
pub use network::{Network, Remote, Stream};
pub use process::{Child, Command, Credentials, Exit, Kill, Processes, Signal, Signals, Supervisor};
pub use process_table::{Pid, ProcessEvent, ProcessEvents, ProcessFacts, ProcessTable};
pub use route::{Route, Rule};
pub use scheduling::{Scheduler, Scheduling};
pub use time::{Clock, Plane, Tasks, Timer, Timers};

/// A boxed future that stays on its plane.
pub type LocalBoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// What the fast plane runs: handed over to its thread, then called there with the ports of that plane.
pub type FastMain = Box<dyn FnOnce(Fast) -> LocalBoxFuture<()> + Send>;

/// Starts the fast plane. The future it gives ends when the plane's main future has ended and its thread,
/// if it has one, is gone.
pub type StartFast = Box<dyn FnOnce(FastMain) -> Result<LocalBoxFuture<()>, Error>>;

/// Everything the daemon needs of its machine. Made once, on the slow plane.
pub struct Host {
    /// Clock, timers and tasks of the slow plane, which is the one `daemon::run` is called on.
    pub slow: Plane,
    /// Starts the fast plane.
    pub start_fast: StartFast,
    /// Runs scripts.
    pub processes: Rc<dyn Processes>,
    /// Interfaces that are asked for their carrier.
    pub carriers: Rc<dyn Carriers>,
    /// Other machines.
    pub network: Rc<dyn Network>,
    /// Files that are tracked.
    pub files: Rc<dyn Files>,
    /// Processes that are tracked.
    pub process_table: Rc<dyn ProcessTable>,
    /// The signals the daemon gets.
    pub signals: Box<dyn Signals>,
    /// The service manager.
    pub supervisor: Rc<dyn Supervisor>,
    /// How the daemon is scheduled.
    pub scheduler: Rc<dyn Scheduler>,
    /// The machine's name (`uname -n`).
    pub name: String,
    /// The number of the process.
    pub process: Pid,
    /// What tells this run of the machine, from boot to halt, from all others, and its network from others on it; empty if
    /// that is not known.
    pub boot: String,
}

/// The ports of the fast plane.
pub struct Fast {
    /// Clock, timers and tasks.
    pub plane: Plane,
    /// VRRP sockets.
    pub vrrp: Rc<dyn VrrpNet>,
    /// Gratuitous ARP.
    pub announcer: Rc<dyn Announcer>,
    /// Changes to links and addresses as the kernel reports them.
    pub events: Box<dyn KernelEvents>,
    /// Changes we make to the kernel's tables.
    pub writer: Rc<dyn KernelWriter>,
}

/// An operation on the machine that failed, and on what.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// What was tried, as a verb phrase: `open receive socket`.
    pub operation: &'static str,
    /// What it was tried on: an interface, a path.
    pub object: String,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

impl Error {
    /// `operation` on `object` failed with `source`.
    pub fn new(operation: &'static str, object: impl fmt::Display, source: io::Error) -> Self {
        Self { operation, object: object.to_string(), source }
    }

    /// What the system answered, in its words.
    pub fn reason(&self) -> String {
        reason(&self.source)
    }
}

/// What the system answered, in its words, without Rust's `(os error N)`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.operation, self.object, self.reason())
    }
}
