//! What is tracked: scripts, files, processes.

use std::time::Duration;

use super::instance::{file_name, process_name, script_name, weight};
use super::view::{Lines, View, quoted, seconds, seconds_6, truth};
use crate::config::model::{ArgumentMatch, TrackFile, TrackProcess, VrrpScript};
use crate::plan::Subject;
use crate::vrrp::tracking::Status;

/// A `vrrp_script`.
pub(super) fn script(view: &View<'_>, script: &VrrpScript, out: &mut Lines) {
    out.add(format_args!(" VRRP Script = {}", script.name));
    out.put("Command", quoted(&script.script));
    let interval = script.interval.unwrap_or(Duration::from_secs(1));
    out.put("Interval", format_args!("{} sec", seconds(interval)));
    out.put("Timeout", format_args!("{} sec", seconds(script.timeout.unwrap_or_default())));
    out.put("Weight", reversed(script.weight.unwrap_or(0), script.reverse));
    out.put("Rise", script.rise.unwrap_or(1));
    out.put("Fall", script.fall.unwrap_or(1));
    let tally = view.tally(&Subject::Script(script.name.clone()));
    if let Some(tally) = tally {
        out.put("Result", tally.count);
        out.put("Insecure", "no");
        out.put("Init state", if script.init_fail && tally.status.is_none() { "failed" } else { "unknown" });
        out.put(
            "Status",
            match tally.status {
                Some(Status::Good) => "GOOD",
                Some(Status::Bad) => "BAD",
                _ => "INIT",
            },
        );
    }
    if let Some(user) = script.script.user() {
        out.put("Script uid:gid", format_args!("{}:{}", user.uid, user.gid));
    }
    out.add("   VRRP instances :");
    tracking(view, |what| script_name(what) == Some(&script.name), out);
    if let Some(tally) = tally {
        out.put("State", if tally.busy { "running" } else { "idle" });
    }
}

fn reversed(weight: i16, reverse: bool) -> String {
    format!("{weight}{}", if reverse { " reverse" } else { "" })
}

/// The instances that track something.
fn tracking(view: &View<'_>, is_it: impl Fn(&Subject) -> bool, out: &mut Lines) {
    let of = |i: &std::sync::Arc<crate::plan::InstancePlan>| {
        let track = i.tracks.iter().find(|track| is_it(&track.what))?;
        Some(format!("{}, {}", i.name, weight(track)))
    };
    let lines: Vec<String> = view.plan.instances.iter().filter_map(of).collect();
    out.list("Tracking instances", &lines, String::clone);
}

/// `VRRP Track files`.
pub(super) fn files(view: &View<'_>, out: &mut Lines) {
    if !view.plan.files.is_empty() {
        out.section("VRRP Track files");
    }
    let is_tracked = |f: &&TrackFile| view.plan.files.iter().any(|plan| plan.name == f.name);
    view.config.track_files.iter().filter(is_tracked).for_each(|f| file(view, f, out));
}

fn file(view: &View<'_>, file: &TrackFile, out: &mut Lines) {
    out.add(format_args!(" Track file = {}", file.name));
    out.put("File", &file.path);
    if let Some(tally) = view.tally(&Subject::File(file.name.clone())) {
        let number = if let Some(Status::Number(number)) = tally.status { number } else { 0 };
        out.put("Status", number);
    }
    out.put("Weight", reversed(file.weight, file.reverse));
    tracking(view, |what| file_name(what) == Some(&file.name), out);
}

/// `VRRP Track processes`.
pub(super) fn processes(view: &View<'_>, out: &mut Lines) {
    if !view.plan.processes.is_empty() {
        out.section("VRRP Track processes");
    }
    let is_tracked = |p: &&TrackProcess| view.plan.processes.iter().any(|plan| plan.name == p.name);
    view.config.track_processes.iter().filter(is_tracked).for_each(|p| process(view, p, out));
}

fn process(view: &View<'_>, process: &TrackProcess, out: &mut Lines) {
    out.add(format_args!(" VRRP Track process = {}", process.name));
    out.put("Process", &process.program);
    if !process.arguments.is_empty() {
        out.put("Parameters", process.arguments.join(" "));
    }
    match process.matching {
        Some(ArgumentMatch::Initial) => out.put("Param match", "initial"),
        Some(ArgumentMatch::Partial) => out.put("Param match", "partial"),
        Some(ArgumentMatch::Exact) => out.put("Param match", "exact"),
        None if !process.arguments.is_empty() => out.add("   Param match"),
        None => {}
    }
    out.put("Min processes", process.quorum);
    if let Some(most) = process.quorum_max {
        out.put("Max processes", most);
    }
    let tally = view.tally(&Subject::Process(process.name.clone()));
    if let Some(tally) = tally {
        out.put("Current processes", tally.count);
        out.put("Have quorum", truth(tally.status == Some(Status::Good)));
    }
    out.put("Weight", reversed(process.weight, process.reverse));
    let delay = |time: Option<Duration>| format!("{}s", seconds_6(time.unwrap_or_default()));
    out.put("Terminate delay", delay(process.terminate_delay));
    out.put("Fork delay", delay(process.fork_delay));
    if tally.is_some() {
        out.add("   Fork delay timer not running");
        out.add("   Terminate delay timer not running");
    }
    let whole = process.full_command || process.matching.is_some() || !process.arguments.is_empty();
    out.put("Full command", truth(whole));
    tracking(view, |what| process_name(what) == Some(&process.name), out);
}
