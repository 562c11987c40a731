//! The life of the daemon, its scripts, pipes and dumps.

use std::time::Duration;

use tracing::{error, info, warn};

use crate::host::{Error, Exit, Pid, Signal};

/// Notify scripts take longer than the stop of the daemon may, and are ended.
pub fn scripts_cut(count: usize) {
    warn!(target: "notify", "{} ended", notify_scripts(count, "running"));
}

/// Notify scripts that waited for others when the daemon stopped, and whose turn never came.
pub fn scripts_left_out(count: usize) {
    warn!(target: "notify", "{} not started", notify_scripts(count, "waiting"));
}

fn notify_scripts(count: usize, doing: &str) -> String {
    let (scripts, are) = if count == 1 { ("script", "is") } else { ("scripts", "are") };
    format!("{count} notify {scripts} that {are} still {doing} at the stop {are}")
}

/// A notify script could not be executed.
pub fn notify_not_executed(name: &str, error: &Error) {
    warn!(target: "vrrp", "({name}) {error}");
}

/// The script of the daemon's start or stop begins.
pub fn stage_begins(stage: &str, script: &str) {
    info!("Running {stage} script {script}");
}

/// It has ended.
pub fn stage_ended(stage: &str, exit: Exit) {
    match exit {
        Exit::Status(0) => info!("{stage} script script succeeded"),
        Exit::Status(status) => info!("{stage} script script failed, status {status}"),
        Exit::Signal(signal) => info!("{stage} script script terminated due to signal {signal}"),
    }
}

/// It has taken too long.
pub fn stage_timed_out(stage: &str) {
    info!("{stage} script timed out");
}

/// It could not be executed.
pub fn stage_not_executed(stage: &str, error: &Error) {
    warn!(cause = %error, "{stage} script script failed");
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

/// What is wrong with an instance until it starts again, as its sync group is told.
pub fn panic_trouble(instance: &str) -> String {
    format!("Instance {instance}: it panicked, and starts again")
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

/// The configuration is to be read again; `check`: it is looked at first as `-t` would.
pub fn reloading(check: bool) {
    if check {
        info!("validate conf before Reload");
    }
    info!("Reloading ...");
}

/// It is to be read again while it is being read.
pub fn reload_queued() {
    info!("Reload already in progress, request queued");
}

/// What was asked for meanwhile is done now.
pub fn reload_from_queue() {
    info!("Processing queued reload");
}

/// What was read is of no use.
pub fn reload_refused(why: &str) {
    error!("{why} - the configuration stays as it was");
}

/// The file that says that the configuration is being read is missing.
pub fn reload_file_not_made(error: &Error) {
    warn!(cause = %error, "Failed to create reload file");
}

/// When the configuration will be read again.
pub fn reload_scheduled(time: &str) {
    info!("Scheduling reload for {time}");
}

/// That will be at another time.
pub fn reload_moved(before: &str, time: &str) {
    info!("Reload time updated from {before} to {time}");
}

/// Or not at all.
pub fn reload_cancelled(time: &str) {
    info!("Cancelling reload scheduled for {time}");
}

/// The file with the time of the next reload has another text.
pub fn reload_time_wrong(text: &str, why: &str) {
    warn!("Reload time {text} {why} - ignoring");
}

/// The file with the time of the next reload will not be looked at.
pub fn reload_time_not_watched(error: &Error) {
    warn!(cause = %error, "Unable to monitor reload timer file - ignoring");
}

/// The file with the time of a reload that has been done is still there.
pub fn reload_time_not_removed(error: &Error) {
    warn!("{error}");
}

/// What was read is in effect.
pub fn reloaded() {
    info!("Reload complete");
}

/// The daemon was told to stop.
pub fn stopping() {
    info!("Stopping");
}

/// These masters resign when the daemon is started again, although it is to hand them over.
pub fn not_to_be_handed_over(instances: &[String]) {
    for name in instances {
        info!(
            target: "vrrp",
            "({name}) --hand-over: not handed over, since peers wait less than 2 s for adverts, or those of its sync group do"
        );
    }
}

/// What the last process has left is not used.
pub fn hand_over_not_used(error: &Error) {
    warn!(cause = %error, "What the last process has handed over is not used");
}

/// The file that says what may be in the kernel cannot be written, or does not go.
pub fn claims_not_noted(error: &Error) {
    warn!(target: "vrrp", "what a crash leaves may stay: {error}");
}

/// The next process will not know of what is left to it.
pub fn not_handed_over(error: &Error) {
    warn!(cause = %error, "Nothing is handed over to the next start");
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
        Signal::Stop | Signal::HandOver | Signal::Reload => {}
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
