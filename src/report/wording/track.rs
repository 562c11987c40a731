//! What is found out about things tracked.

use std::time::Duration;

use tracing::{info, warn};

use crate::base::IfName;
use crate::host::{Error, Exit};
use crate::track::script::Outcome;

/// A track script ended otherwise than the last time.
pub fn script_returned(name: &str, outcome: Outcome) {
    if let Outcome::Ended(Exit::Status(status)) = outcome {
        info!(target: "vrrp", "Script `{name}` now returning {status}");
    }
}

/// It is a track script's turn again, and it has not ended yet.
pub fn script_skipped(name: &str, ending: bool) {
    let state = if ending { "is being timed out" } else { "is already running" };
    info!(target: "vrrp", "Track script {name} {state}, expect idle - skipping run");
}

/// The verdict on a track script changed.
pub fn script_verdict(name: &str, outcome: Outcome) {
    match outcome {
        Outcome::Ended(Exit::Status(0)) => info!(target: "vrrp", "VRRP_Script({name}) succeeded"),
        Outcome::Ended(Exit::Status(status)) => {
            info!(target: "vrrp", "VRRP_Script({name}) failed (exited with status {status})");
        }
        Outcome::Ended(Exit::Signal(signal)) => {
            info!(target: "vrrp", "VRRP_Script({name}) failed (due to signal {signal})");
        }
        Outcome::TimedOut => info!(target: "vrrp", "VRRP_Script({name}) timed_out"),
        Outcome::NotExecuted => info!(target: "vrrp", "VRRP_Script({name}) failed (could not be executed)"),
    }
}

/// The configuration was read again, and what is known of a track script stays.
pub fn script_kept(name: &str, good: bool) {
    let verdict = if good { "successful" } else { "unsuccessful" };
    info!(target: "vrrp", "VRRP_Script({name}) considered {verdict} on reload");
}

/// The program of a track script cannot be executed, or is not safe to be.
pub fn script_remark(name: &str, remark: &str) {
    warn!(target: "vrrp", "Script `{name}`: {remark}");
}

/// An interface that is asked for its carrier has one now, or no longer.
pub fn linkbeat(interface: &IfName, carrier: bool) {
    let how = if carrier { "up" } else { "down" };
    info!(target: "vrrp", "Linkbeat reports {interface} {how}");
}

/// A tracked file says a number that nobody can use.
pub fn file_number_ignored(path: &str, number: i64) {
    info!(target: "vrrp", "Invalid number {number} read from {path} - ignoring");
}

/// A tracked file could not be made at the start.
pub fn file_not_made(name: &str, error: &Error) {
    warn!(target: "vrrp", "track_file {name}: {error}");
}

/// Changes of tracked files are not reported by the system.
pub fn files_not_watched(error: &Error, interval: Duration) {
    warn!(target: "vrrp", "{error} - tracked files are looked at every {} s instead", interval.as_secs());
}

/// The kernel does not report processes.
pub fn processes_not_reported(error: &Error, interval: Duration) {
    warn!(
        target: "vrrp",
        "{error} - tracked processes are counted every {} s instead (the kernel reports them in the initial \
         namespaces only, not in containers)",
        interval.as_secs()
    );
}

/// There are as many of the tracked processes as there have to be now, or no longer.
pub fn quorum(name: &str, met: bool) {
    let change = if met { "gained" } else { "lost" };
    info!(target: "vrrp", "Quorum {change} for tracked process {name}");
}
