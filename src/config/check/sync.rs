//! Sync groups and their members.

use std::collections::BTreeMap;

use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::diagnostic::{Class, Severity};
use crate::config::model::SyncGroup;

use super::instance::is_owner;
use super::weights::Weights;
use super::{ByName, by_name};

/// Rule 4: finds the members. Groups without any are removed.
pub(super) fn link(b: &mut Build<'_>, drafts: &[Draft]) -> Vec<SyncGroup> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut kept = Vec::new();
    let drafts = by_name(drafts);
    for draft in std::mem::take(&mut b.sync_groups) {
        let name = draft.group.name.clone();
        let mut group = draft.group.clone();
        let before = b.report.list.len();
        for (member, place) in draft.members() {
            if !drafts.contains_key(member.as_str()) {
                let text = format!(
                    "Virtual router {member} specified in sync group {name} doesn't exist - ignoring"
                );
                b.report.error(place, text);
                b.report.misses(member);
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
                let text = format!("Sync group {name} has no virtual router(s) - removing");
                b.report.lacks(&draft.name, "group", text);
                b.report.comes_from(before);
                continue;
            }
            [only] => {
                let text = format!(
                    "Sync group {name} has only 1 virtual router ({only}) - this probably isn't what you want"
                );
                // Nothing of it is lost: to stock an error, but none that keeps a configuration from being used.
                b.report.at(&draft.name, Severity::Warning, Class::Config, text);
                // A member that does not exist, or is in another group, has been told.
                b.report.comes_from(before);
            }
            _ => {}
        }
        own_interfaces(b, &draft, &group, &drafts);
        kept.push(group);
    }
    kept
}

/// The members of a group in the order of the configuration.
fn members<'a>(group: &SyncGroup, drafts: &ByName<'a>) -> Vec<&'a Draft> {
    let mut found: Vec<_> = group.members.iter().filter_map(|m| drafts.get(m.as_str()).copied()).collect();
    found.sort_unstable_by_key(|(n, _)| *n);
    found.into_iter().map(|(_, draft)| draft).collect()
}

/// A sync group need not track what its members run on.
fn own_interfaces(
    b: &mut Build<'_>,
    draft: &crate::config::apply::group::Draft,
    group: &SyncGroup,
    drafts: &ByName<'_>,
) {
    if group.tracks.interfaces.is_empty() {
        return;
    }
    for member in members(group, drafts) {
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
pub(super) fn owners(b: &mut Build<'_>, groups: &mut [SyncGroup], drafts: &[Draft], weights: &Weights) {
    let drafts = by_name(drafts);
    for group in groups {
        let of_group = members(group, &drafts);
        let Some(owner) = of_group.iter().find(|d| is_owner(d)) else { continue };
        if !of_group.iter().all(|d| is_owner(d)) {
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
        for track in &mut group.track_scripts {
            let own = weights.script(&track.script);
            weightless("track script", &track.script, &mut track.weight, own);
        }
        for track in &mut group.tracks.files {
            let own = weights.file(&track.name);
            weightless("track file", &track.name, &mut track.weight, own);
        }
        for track in &mut group.tracks.processes {
            let own = weights.process(&track.name);
            weightless("track process", &track.name, &mut track.weight, own);
        }
        for track in &mut group.tracks.bfds {
            let own = weights.bfd(&track.name);
            weightless("track bfd", &track.name, &mut track.weight, own);
        }
        for track in &mut group.tracks.interfaces {
            let mut weight = Some(track.weight);
            weightless("track interface", track.interface.as_str(), &mut weight, 0);
            track.weight = weight.unwrap_or(0);
        }
    }
}
