//! Sync groups and their members.

use std::collections::BTreeMap;

use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::model::SyncGroup;

use super::instance::is_owner;

/// Rule 4: finds the members. Groups without any are removed.
pub(super) fn link(b: &mut Build<'_>, drafts: &[Draft]) -> Vec<SyncGroup> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut kept = Vec::new();
    for draft in std::mem::take(&mut b.sync_groups) {
        let name = draft.group.name.clone();
        let mut group = draft.group.clone();
        for (member, place) in draft.members() {
            if !drafts.iter().any(|d| d.instance.name == *member) {
                let text = format!(
                    "Virtual router {member} specified in sync group {name} doesn't exist - ignoring"
                );
                b.report.error(place, text);
                continue;
            }
            match taken.insert(member.clone(), name.clone()) {
                None => group.members.push(member.clone()),
                Some(other) => {
                    let text = format!(
                        "Virtual router {member} cannot be in sync group {name}: it is in {other} - ignoring"
                    );
                    b.report.error(place, text);
                    taken.insert(member.clone(), other);
                }
            }
        }
        match &group.members[..] {
            [] => {
                b.report.error(&draft.name, format!("Sync group {name} has no virtual router(s) - removing"));
                continue;
            }
            [only] => {
                let text = format!(
                    "Sync group {name} has only 1 virtual router ({only}) - this probably isn't what you want"
                );
                b.report.error(&draft.name, text);
            }
            _ => {}
        }
        own_interfaces(b, &draft, &group, drafts);
        kept.push(group);
    }
    kept
}

/// A sync group need not track what its members run on.
fn own_interfaces(
    b: &mut Build<'_>,
    draft: &crate::config::apply::group::Draft,
    group: &SyncGroup,
    drafts: &[Draft],
) {
    for member in drafts.iter().filter(|d| group.members.contains(&d.instance.name)) {
        for track in &group.tracks.interfaces {
            if member.instance.interface.as_ref() == Some(&track.interface) {
                let text = format!(
                    "({}) track_interface {} of sync group {} is its own interface, which is tracked anyway",
                    member.instance.name, track.interface, group.name
                );
                b.report.error(&draft.name, text);
            }
        }
    }
}

/// Rules 4 and 9: the priority of an address owner is fixed, so weights cannot do anything.
pub(super) fn owners(b: &mut Build<'_>, groups: &mut [SyncGroup], drafts: &[Draft]) {
    for group in groups {
        let of_group = || drafts.iter().filter(|d| group.members.contains(&d.instance.name));
        let owners = of_group().filter(|d| is_owner(d)).count();
        let Some(owner) = of_group().find(|d| is_owner(d)).filter(|_| owners > 0) else { continue };
        if owners < of_group().count() {
            // Stock 2.2.7 says nothing.
            let text = format!("Sync group {}: some members are address owners and some are not", group.name);
            b.report.warning(&owner.name, text);
        }
        let name = group.name.clone();
        let mut weightless = |what: &str, tracked: &str, weight: &mut Option<i16>, own: i16| {
            if weight.unwrap_or(own) != 0 {
                let text = format!(
                    "({name}) Cannot have weighted {what} '{tracked}' with a member of priority 255 - setting weight to 0"
                );
                b.report.error(&owner.name, text);
                *weight = Some(0);
            }
        };
        let config = &b.config;
        for track in &mut group.track_scripts {
            let own = config.scripts.iter().find(|s| s.name == track.script).and_then(|s| s.weight);
            weightless("track script", &track.script, &mut track.weight, own.unwrap_or(0));
        }
        for track in &mut group.tracks.files {
            let own = config.track_files.iter().find(|f| f.name == track.name).map_or(0, |f| f.weight);
            weightless("track file", &track.name, &mut track.weight, own);
        }
        for track in &mut group.tracks.processes {
            let own = config.track_processes.iter().find(|p| p.name == track.name).map_or(0, |p| p.weight);
            weightless("track process", &track.name, &mut track.weight, own);
        }
        for track in &mut group.tracks.bfds {
            let own = config.bfd.iter().find(|i| i.name == track.name).map_or(0, |i| i.weight);
            weightless("track bfd", &track.name, &mut track.weight, own);
        }
        for track in &mut group.tracks.interfaces {
            let mut weight = Some(track.weight);
            weightless("track interface", track.interface.as_str(), &mut weight, 0);
            track.weight = weight.unwrap_or(0);
        }
    }
}
