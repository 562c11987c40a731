//! Trackers with weights that cannot do anything.

use std::collections::BTreeMap;

use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::model::{Config, SyncGroup};

use super::instance::is_owner;

/// The weights that trackers have where what tracks them gives none, by name; the first of a name counts.
#[derive(Debug)]
pub(super) struct Weights {
    scripts: BTreeMap<String, i16>,
    files: BTreeMap<String, i16>,
    processes: BTreeMap<String, i16>,
    bfds: BTreeMap<String, i16>,
}

impl Weights {
    /// Those of everything that has been read.
    pub(super) fn of(config: &Config) -> Self {
        let scripts = config.scripts.iter().rev().map(|s| (s.name.clone(), s.weight.unwrap_or(0)));
        let files = config.track_files.iter().rev().map(|f| (f.name.clone(), f.weight));
        let processes = config.track_processes.iter().rev().map(|p| (p.name.clone(), p.weight));
        let bfds = config.bfd.iter().rev().map(|i| (i.name.clone(), i.weight));
        Self {
            scripts: scripts.collect(),
            files: files.collect(),
            processes: processes.collect(),
            bfds: bfds.collect(),
        }
    }

    pub(super) fn script(&self, name: &str) -> i16 {
        self.scripts.get(name).copied().unwrap_or(0)
    }

    pub(super) fn file(&self, name: &str) -> i16 {
        self.files.get(name).copied().unwrap_or(0)
    }

    pub(super) fn process(&self, name: &str) -> i16 {
        self.processes.get(name).copied().unwrap_or(0)
    }

    pub(super) fn bfd(&self, name: &str) -> i16 {
        self.bfds.get(name).copied().unwrap_or(0)
    }
}

/// Weights of interfaces that the instance cannot do without.
pub(super) fn needed(b: &mut Build<'_>, draft: &Draft) {
    let instance = &draft.instance;
    let held = instance.addresses.iter().chain(&instance.excluded).filter(|a| !a.flags.no_track);
    let routes = instance.options.routes.iter().filter(|route| route.tracked);
    let needed: Vec<_> =
        held.filter_map(|a| a.dev.as_ref()).chain(routes.filter_map(|r| r.dev.as_ref())).collect();
    let weighted = instance.tracks.interfaces.iter().filter(|track| track.weight != 0);
    for track in weighted.filter(|track| needed.contains(&&track.interface)) {
        let text = format!(
            "({}) the weight of track_interface {} has no effect: without it the instance is in FAULT, as its own \
             addresses or routes are on it",
            instance.name, track.interface
        );
        let hint = "with no_track behind these, the weight counts";
        b.report.warning(draft.line("track_interface"), text).hint(hint);
    }
}

/// Rule 5.23: the priority of an address owner is fixed, and so is that of a member of a sync group, which changes
/// state with the others, unless the group says otherwise.
pub(super) fn useless(b: &mut Build<'_>, draft: &mut Draft, group: Option<&SyncGroup>, own: &Weights) {
    let owner = is_owner(draft);
    let why = match group {
        _ if owner => "due to address_owner",
        Some(group) if !group.tracking_weight => "due to SYNC group",
        _ => return,
    };
    let name = draft.instance.name.clone();
    let report = &mut *b.report;
    let lines = draft.lines.clone();
    let mut error = |keyword: &str, text: String| {
        let place = lines.get(keyword).unwrap_or(&draft.name);
        report.error(place, format!("({name}) {text} {why}"));
    };
    draft.instance.tracks.interfaces.retain(|track| {
        if track.weight == 0 {
            return true;
        }
        error("track_interface", format!("ignoring tracked interface {} with a weight", track.interface));
        false
    });
    draft.instance.track_scripts.retain(|track| {
        let kept = track.weight.unwrap_or_else(|| own.script(&track.script)) == 0;
        if !kept {
            error("track_script", format!("ignoring tracked script {} with weights", track.script));
        }
        kept
    });
    draft.instance.tracks.files.retain_mut(|track| {
        match track.weight.unwrap_or_else(|| own.file(&track.name)) {
            0 => true,
            1 => {
                error("track_file", format!("ignoring the weight of tracked file {}", track.name));
                track.weight = Some(0);
                true
            }
            weight => {
                error("track_file", format!("ignoring tracked file {} with weight {weight}", track.name));
                false
            }
        }
    });
    draft.instance.tracks.bfds.retain(|track| {
        let kept = track.weight.unwrap_or_else(|| own.bfd(&track.name)) == 0;
        if !kept {
            error("track_bfd", format!("ignoring tracked bfd {} with weights", track.name));
        }
        kept
    });
}
