//! The life of the daemon, its scripts, pipes and dumps.

use std::time::Duration;

use tracing::{error, info, warn};

use crate::host::{Error, Exit, Pid, Signal};

/// A notify script could not be executed.
pub fn notify_not_executed(name: &str, error: &Error) {
    warn!(target: "vrrp", "({name}) {error}");
}

/// A named pipe could not be made, or is not ours.
pub fn pipe_not_made(name: &str, error: &Error) {
    error!(target: "vrrp", "Unable to use {name} fifo: {error}");
}

/// What was to be written to a named pipe is lost.
pub fn pipe_not_written(name: &str, error: &Error) {
    warn!(target: "vrrp", "{name} fifo: {error}");
}

/// The script that reads a named pipe has ended.
pub fn pipe_reader_ended(name: &str, exit: Exit) {
    match exit {
        Exit::Signal(signal) => info!(target: "vrrp", "{name} fifo script terminated due to signal {signal}"),
        Exit::Status(status) => info!(target: "vrrp", "{name} fifo script terminated with status {status}"),
    }
}

/// A task panicked.
pub fn panicked(task: &str) {
    error!(target: "vrrp", "Task {task} panicked; its addresses are released and it starts again");
}

/// A task panicked: which one, and what becomes of it.
pub fn task_panicked(task: &str, then: &str) {
    error!("Task {task} panicked; it {then}");
}

/// A task panicked that nothing works without.
pub fn part_failed(task: &str) {
    error!("Task {task} panicked - giving up all addresses and terminating");
}

/// The fast plane did not stop in time.
pub fn stop_overdue(limit: Duration) {
    warn!("The VRRP plane has not stopped within {} s - terminating", limit.as_secs());
}

/// The daemon is up.
pub fn started() {
    info!("Startup complete");
}

/// The configuration is to be read again.
pub fn reloading() {
    info!("Reloading ...");
}

/// What was read is in effect.
pub fn reloaded() {
    info!("Reload complete");
}

/// The daemon was told to stop.
pub fn stopping() {
    info!("Stopping");
}

/// There is no instance.
pub fn nothing_to_run() {
    info!("Warning - keepalived has no configuration to run");
}

/// The fast plane cannot start.
pub fn cannot_start(error: &Error) {
    error!("{error}");
}

/// The fast plane ended though nobody had stopped it.
pub fn fast_plane_ended() {
    error!("The VRRP plane ended unexpectedly - terminating");
}

/// A dump is to be written.
pub fn printing(what: Signal, process: Pid) {
    let Pid(process) = process;
    match what {
        Signal::Stop | Signal::Reload => {}
        Signal::Data => {
            info!("Printing parent data for process({process}) on signal");
            info!(target: "vrrp", "Printing VRRP data for process({process}) on signal");
        }
        Signal::Stats => info!(target: "vrrp", "Printing VRRP stats for process({process}) on signal"),
        Signal::StatsClear => {
            info!(target: "vrrp", "Printing and clearing VRRP stats for process({process}) on signal");
        }
        Signal::Json => info!(target: "vrrp", "Printing VRRP as json for process({process}) on signal"),
    }
}

/// Some instances did not say in time what can be seen of them.
pub fn silent_instances(count: usize) {
    warn!(target: "vrrp", "{count} instances did not answer in time and are left out of the dump");
}

/// A dump was not written.
pub fn not_dumped(error: &Error) {
    warn!(cause = %error, "Unable to write a dump");
}
