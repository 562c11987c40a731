//! `vrrp_track_process`.

use std::time::Duration;

use super::super::model::{ArgumentMatch, TrackProcess};
use super::super::tree::Stmt;
use super::Build;
use super::track_file::reverse;

/// A block being read.
#[derive(Debug)]
pub(crate) struct Draft {
    process: TrackProcess,
    /// Its `process` has been read.
    given: bool,
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    let process = TrackProcess {
        name: name.clone(),
        program: String::new(),
        arguments: Vec::new(),
        matching: None,
        weight: 0,
        reverse: false,
        quorum: 1,
        quorum_max: None,
        fork_delay: None,
        terminate_delay: None,
        full_command: false,
    };
    b.drafts.track_process = Some(Draft { process, given: false });
    b.run("vrrp_track_process", &stmt.body);
    let Some(Draft { process, given }) = b.drafts.track_process.take() else { return };
    if !given {
        let text = format!("track process '{name}' process name not specified - removing");
        b.report.lacks(&stmt.place(1), "process", text);
    }
    if b.defined.processes.contains_key(&name) {
        let text = format!("vrrp_track_process '{name}' is there already; this one is never used");
        b.report.warning(&stmt.place(1), text);
        return;
    }
    b.defined.processes.insert(name, given);
    if given {
        b.config.track_processes.push(process);
    }
}

fn set(b: &mut Build<'_>, set: impl FnOnce(&mut TrackProcess)) {
    if let Some(draft) = &mut b.drafts.track_process {
        set(&mut draft.process);
    }
}

pub(crate) fn process(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(draft) = &mut b.drafts.track_process else { return };
    if draft.given {
        b.report.error(&stmt.place(1), "process is given twice - ignoring the second one");
        return;
    }
    draft.given = true;
    stmt.word(1).unwrap_or_default().clone_into(&mut draft.process.program);
    draft.process.arguments = stmt.words_from(2).map(str::to_owned).collect();
}

pub(crate) fn param_match(b: &mut Build<'_>, stmt: &Stmt) {
    let matching = match stmt.word(1) {
        None => ArgumentMatch::Exact,
        Some("initial") => ArgumentMatch::Initial,
        Some("partial") => ArgumentMatch::Partial,
        Some(word) => {
            let text = format!("Invalid param_match type {word} - ignoring");
            b.report.error(&stmt.place(1), text).hint("initial and partial are understood");
            return;
        }
    };
    set(b, |p| p.matching = Some(matching));
}

pub(crate) fn weight(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(weight) = b.number(stmt) else { return };
    let reverse = reverse(b, stmt);
    let Some(draft) = &mut b.drafts.track_process else { return };
    if draft.process.weight != 0 {
        b.report.error(&stmt.place(1), "weight is given twice - ignoring the second one");
        return;
    }
    (draft.process.weight, draft.process.reverse) = (weight, reverse);
}

pub(crate) fn quorum(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(quorum) = b.number(stmt) else { return };
    let Some(Draft { process, .. }) = &mut b.drafts.track_process else { return };
    if process.quorum_max.is_some_and(|max| quorum > max) {
        b.report.error(&stmt.place(1), "quorum is greater than quorum_max - ignoring");
        return;
    }
    process.quorum = quorum;
}

pub(crate) fn quorum_max(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(max) = b.number(stmt) else { return };
    let Some(Draft { process, .. }) = &mut b.drafts.track_process else { return };
    // A maximum of 0 is about a process that must not run, and then the quorum does not matter.
    if max > 0 && max < process.quorum {
        b.report.error(&stmt.place(1), "quorum_max is less than quorum - ignoring");
        return;
    }
    process.quorum_max = Some(max);
}

fn delays(b: &mut Build<'_>, stmt: &Stmt, slots: fn(&mut TrackProcess, Duration)) {
    if let Some(time) = b.seconds(stmt) {
        set(b, |p| slots(p, time));
    }
}

pub(crate) fn delay(b: &mut Build<'_>, stmt: &Stmt) {
    delays(b, stmt, |p, time| (p.fork_delay, p.terminate_delay) = (Some(time), Some(time)));
}

pub(crate) fn fork_delay(b: &mut Build<'_>, stmt: &Stmt) {
    delays(b, stmt, |p, time| p.fork_delay = Some(time));
}

pub(crate) fn terminate_delay(b: &mut Build<'_>, stmt: &Stmt) {
    delays(b, stmt, |p, time| p.terminate_delay = Some(time));
}

pub(crate) fn full_command(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |p| p.full_command = true);
}
