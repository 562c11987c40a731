//! Trackers with weights that cannot do anything.

use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::model::SyncGroup;

use super::instance::is_owner;

/// Rule 5.23: the priority of an address owner is fixed, and so is that of a member of a sync group, which changes
/// state with the others, unless the group says otherwise.
pub(super) fn useless(b: &mut Build<'_>, draft: &mut Draft, group: Option<&SyncGroup>) {
    let owner = is_owner(draft);
    let why = match group {
        _ if owner => "due to address_owner",
        Some(group) if !group.tracking_weight => "due to SYNC group",
        _ => return,
    };
    let name = draft.instance.name.clone();
    let (config, report) = (&b.config, &mut *b.report);
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
        let own = || config.scripts.iter().find(|s| s.name == track.script).and_then(|s| s.weight);
        let kept = track.weight.or_else(own).unwrap_or(0) == 0;
        if !kept {
            error("track_script", format!("ignoring tracked script {} with weights", track.script));
        }
        kept
    });
    draft.instance.tracks.files.retain_mut(|track| {
        let own = || config.track_files.iter().find(|f| f.name == track.name).map_or(0, |f| f.weight);
        match track.weight.unwrap_or_else(own) {
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
        let own = || config.bfd.iter().find(|i| i.name == track.name).map_or(0, |i| i.weight);
        let kept = track.weight.unwrap_or_else(own) == 0;
        if !kept {
            error("track_bfd", format!("ignoring tracked bfd {} with weights", track.name));
        }
        kept
    });
}
