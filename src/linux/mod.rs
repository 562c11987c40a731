//! The ports of `host` on Linux. The only room with `unsafe`, `libc`, `nix` and blocking system calls.
//!
//! Three threads: the **main** one is the slow plane; **vrrp** is the fast plane; **netlink** talks to the
//! kernel about links and addresses, because a batch of 1,000 addresses keeps a thread in the kernel for 20 ms.
//! Each has a single-threaded runtime. All of them live in the network namespace the process is in when they
//! are started.

mod announcer;
mod buffer;
mod carrier;
mod clock;
mod files;
mod kernel;
mod log_socket;
mod moderation;
mod network;
mod plane;
mod process;
mod process_table;
mod replace;
mod scheduling;
mod signals;
mod supervisor;
mod tasks;
mod timer;
mod tls;
mod vrrp_net;
mod watch;

pub mod daemonize;
pub mod journal;
pub mod loader;
pub mod log_file;
pub mod namespace;
pub mod pidfile;
pub mod startup;
pub mod syslog;

pub use plane::{Options, aside, client, run};

#[cfg(test)]
mod tests;
