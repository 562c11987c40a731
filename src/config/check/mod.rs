//! Cross-checks of what has been read, one function per rule, in stock's order.
//!
//! The numbers are those of the catalogue of rules that the project keeps; 5.12 is the twelfth about one instance.

mod ids;
mod instance;
mod link;
mod lvs;
mod protocol;
mod strict;
mod sync;
mod weights;

use std::collections::{BTreeMap, BTreeSet};

use super::apply::Build;
use super::apply::instance::Draft;
use super::diagnostic::{Class, Severity};
use super::model::SyncGroup;

/// Checks everything and moves what can be used into the model.
pub(crate) fn run(b: &mut Build<'_>) {
    without_instances(b);
    // Virtual servers first, as stock: theirs are the first scripts it sees.
    lvs::run(b);
    firewall(b);
    // Stock checks nothing behind a missing interface; we do, but what only that would find must not change the
    // status that people know.
    let scripts = b.security.scripts && b.has_instances && !b.interface_missing;
    let readers = b.security.servers && !b.config.lvs.servers.is_empty();
    if !b.config.globals.script_security {
        // Stock's first process tells of its own scripts, before the others start.
        if b.security.stages {
            security(b, "start/shutdown scripts", b.security.insecure_stages);
        }
        if scripts || readers || b.security.others {
            security(b, "scripts", b.security.insecure);
        }
    }
    let mut drafts = std::mem::take(&mut b.instances);
    drafts.iter_mut().for_each(|draft| link::unicast_base(b, draft));
    drafts.retain(|draft| instance::complete(b, draft));
    let mut groups = sync::link(b, &drafts);
    let weights = weights::Weights::of(&b.config);
    let mut vmacs = link::Names::new();
    let group_of: BTreeMap<&str, &SyncGroup> =
        groups.iter().flat_map(|g| g.members.iter().map(move |m| (m.as_str(), g))).collect();
    for draft in &mut drafts {
        let group = group_of.get(draft.instance.name.as_str()).copied();
        instance::check(b, draft, group, &weights, &mut vmacs);
    }
    link::shared(b, &mut drafts, &group_of);
    let mut taken = ids::Taken::default();
    drafts.retain(|draft| !ids::clash(b, draft, &mut taken));
    sync::owners(b, &mut groups, &drafts, &weights);
    track_groups(b, &drafts);
    unused_scripts(b, &drafts, &groups);
    b.config.sync_groups = groups;
    drafts.iter_mut().for_each(|draft| draft.instance.family = draft.family);
    let left_out: Vec<_> = drafts.extract_if(.., |draft| draft.faulty).map(|d| d.instance).collect();
    b.config.left_out = left_out;
    // In place: thousands of instances are not in memory twice.
    b.config.instances = drafts.into_iter().map(|draft| draft.instance).collect();
}

/// The instances by name, with their numbers.
type ByName<'a> = BTreeMap<&'a str, (usize, &'a Draft)>;

fn by_name(drafts: &[Draft]) -> ByName<'_> {
    drafts.iter().enumerate().map(|(n, d)| (d.instance.name.as_str(), (n, d))).collect()
}

/// Rule 1: one firewall is enough.
fn firewall(b: &mut Build<'_>) {
    let firewall = &mut b.config.globals.options.firewall;
    if firewall.iptables.is_some() && firewall.nftables.is_some() {
        firewall.iptables = None;
        b.report.add(
            None,
            Severity::Warning,
            Class::Log,
            "Both iptables and nftables specified - using nftables",
        );
    } else if firewall.ipsets.as_ref().is_some_and(|s| !s.is_empty()) && firewall.iptables.is_none() {
        firewall.ipsets = None;
        b.report.add(None, Severity::Warning, Class::Log, "vrrp_ipsets without vrrp_iptables - ignoring it");
    }
}

/// What concerns the scripts of instances does not count when there are none.
fn without_instances(b: &mut Build<'_>) {
    let numbers = std::mem::take(&mut b.of_instances);
    if b.has_instances {
        return;
    }
    for number in numbers {
        if let Some(diagnostic) = b.report.list.get_mut(number) {
            diagnostic.class = Class::Log;
        }
    }
}

/// Section 10.4: scripts of that kind without `enable_script_security`.
fn security(b: &mut Build<'_>, kind: &str, insecure: bool) {
    let mut text = format!("SECURITY VIOLATION - {kind} are being executed but script_security not enabled.");
    if insecure {
        text.push_str(" There are insecure scripts.");
    }
    let added = b.report.add(None, Severity::Warning, Class::Security, text);
    added.hint("add enable_script_security to global_defs");
    b.report.lacks_anywhere("enable_script_security");
}

/// Rule 9: groups that static addresses, routes and rules name.
fn track_groups(b: &mut Build<'_>, drafts: &[Draft]) {
    let drafts = by_name(drafts);
    let known = |name: &String| drafts.contains_key(name.as_str());
    for group in &b.config.track_groups {
        for member in group.members.iter().filter(|m| !known(m)) {
            let text = format!("track_group {}: there is no instance {member}", group.name);
            b.report.add(None, Severity::Warning, Class::Log, text);
        }
    }
}

/// Scripts that nobody tracks do not run.
fn unused_scripts(b: &mut Build<'_>, drafts: &[Draft], groups: &[SyncGroup]) {
    // Without instances stock does not look at them.
    if !b.has_instances {
        return;
    }
    let of_instances = drafts.iter().flat_map(|draft| &draft.instance.track_scripts);
    let tracked = of_instances.chain(groups.iter().flat_map(|group| &group.track_scripts));
    let used: BTreeSet<&str> = tracked.map(|track| track.script.as_str()).collect();
    for script in b.config.scripts.iter().filter(|script| !used.contains(script.name.as_str())) {
        let text = format!("Warning - script {} is not used", script.name);
        b.report.add(None, Severity::Note, Class::Log, text);
    }
}
