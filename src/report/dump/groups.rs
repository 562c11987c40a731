//! Sockets, sync groups and static track groups.

use super::instance::{script_name, word};
use super::view::{Lines, View, command, yes};
use crate::base::{IfName, InstanceId};
use crate::config::model::{SyncGroup, Track};
use crate::plan::{GroupPlan, InstancePlan};
use crate::vrrp::machine::State;
use crate::vrrp::params::Delivery;
use crate::wire::ip::PROTO_VRRP;

/// `VRRP Sockpool`: instances that share their sockets.
pub(super) fn sockets(view: &View<'_>, out: &mut Lines) {
    let mut pool: Vec<(&InstancePlan, Vec<&InstancePlan>)> = Vec::new();
    for plan in &view.plan.instances {
        match pool.iter_mut().find(|(first, _)| share(first, plan)) {
            Some((_, users)) => users.push(plan),
            None => pool.push((plan, vec![plan])),
        }
    }
    if !pool.is_empty() {
        out.section("VRRP Sockpool");
    }
    for (plan, users) in pool {
        out.add(" fd_in -1 fd_out = -1");
        if let Some(interface) = seat(plan) {
            out.put("Interface", interface);
        }
        out.put("Family", plan.params.family);
        let is_ah = plan.params.authentication.protocol() != PROTO_VRRP;
        out.put("Protocol", if is_ah { "AH" } else { "VRRP" });
        match &plan.params.delivery {
            Delivery::Multicast(_) => out.put("Type", "Multicast"),
            Delivery::Unicast(_) => {
                out.put("Type", "Unicast");
                let observed = view.findings.observed.get(&plan.id);
                if let Some(source) = plan.source.or(observed.and_then(|o| o.source)) {
                    out.put("Address", source);
                }
            }
        }
        let sizes = users.iter().filter_map(|user| view.written(&user.name)?.options.receive_buffer);
        out.put("Rx buf size", sizes.max().unwrap_or(0));
        out.add("   VRRP instances");
        users.iter().for_each(|u| out.add(format_args!("     {} vrid {}", u.name, u.params.vrid)));
    }
}

/// The interface that sockets are on.
fn seat(plan: &InstancePlan) -> Option<&IfName> {
    plan.vmac.name.as_ref().filter(|_| !plan.vmac.xmit_base).or(plan.interface.as_ref())
}

fn share(a: &InstancePlan, b: &InstancePlan) -> bool {
    let way = |plan: &InstancePlan| match plan.params.delivery {
        Delivery::Multicast(group) => (Some(group), None),
        Delivery::Unicast(_) => (None, plan.source),
    };
    let place = |plan: &InstancePlan| {
        (seat(plan).cloned(), plan.params.family, plan.params.authentication.protocol())
    };
    place(a) == place(b) && way(a) == way(b)
}

/// `VRRP Sync groups`.
pub(super) fn section(view: &View<'_>, out: &mut Lines) {
    if !view.plan.groups.is_empty() {
        out.section("VRRP Sync groups");
    }
    for group in &view.plan.groups {
        let nothing = SyncGroup::default();
        let written = view.config.sync_groups.iter().find(|g| g.name == group.name).unwrap_or(&nothing);
        one(view, group, written, out);
    }
}

fn one(view: &View<'_>, group: &GroupPlan, written: &SyncGroup, out: &mut Lines) {
    let states: Vec<State> = group.members.iter().filter_map(|id| state(view, *id)).collect();
    if states.is_empty() {
        out.add(format_args!(" VRRP Sync Group = {}", group.name));
    } else {
        let count = |state| states.iter().filter(|s| **s == state).count();
        out.add(format_args!(" VRRP Sync Group = {}, {}", group.name, word(common(&states))));
        let (faulty, init) = (count(State::Fault), count(State::Init));
        out.add(format_args!("   Num member fault {faulty}, num member init {init}"));
    }
    let name = |id: &InstanceId| view.plan.instances.iter().find(|i| i.id == *id).map(|i| i.name.clone());
    let members: Vec<String> = group.members.iter().filter_map(name).collect();
    out.list("VRRP member instances", &members, String::clone);
    if written.tracking_weight {
        out.add("   sync group tracking weight set");
    }
    let mail = &view.config.globals.options.mail;
    let mails = mail.tells_of(written.smtp_alert);
    out.put("Using smtp notification", yes(mails));
    if let Some(on) = written.notify_priority_changes {
        out.put("Notify priority changes", yes(on));
    }
    tracked(view, written, out);
    let scripts = &group.notify;
    for (name, script) in [
        ("Backup", &scripts.backup),
        ("Master", &scripts.master),
        ("Fault", &scripts.fault),
        ("Stop", &scripts.stop),
        ("Generic", &scripts.any),
    ] {
        if let Some(script) = script {
            out.put(&format!("{name} state transition script"), command(script));
        }
    }
}

fn state(view: &View<'_>, id: InstanceId) -> Option<State> {
    Some(view.findings.observed.get(&id)?.snapshot.state)
}

/// The group is what all of its members are; in FAULT if one of them is.
fn common(states: &[State]) -> State {
    let all = |state| states.iter().all(|s| *s == state);
    match states {
        _ if states.contains(&State::Fault) => State::Fault,
        _ if states.contains(&State::Init) => State::Init,
        _ if all(State::Master) => State::Master,
        _ => State::Backup,
    }
}

fn tracked(view: &View<'_>, written: &SyncGroup, out: &mut Lines) {
    let line =
        |weight: i16, reverse: bool| format!("weight {weight}{}", if reverse { " reverse" } else { "" });
    let interfaces = &written.tracks.interfaces;
    out.list("Tracked interfaces", interfaces, |t| format!("{} {}", t.interface, line(t.weight, t.reverse)));
    out.list("Tracked scripts", &written.track_scripts, |t| {
        let script = view.config.scripts.iter().find(|s| s.name == t.script);
        let weight = t.weight.or(script.and_then(|s| s.weight)).unwrap_or(0);
        let reverse = t.reverse.unwrap_or(script.is_some_and(|s| s.reverse));
        format!("{} {}", t.script, line(weight, reverse))
    });
    let own = |track: &Track, own: Option<(i16, bool)>| {
        let (weight, reverse) = own.unwrap_or_default();
        line(track.weight.unwrap_or(weight), track.reverse.unwrap_or(reverse))
    };
    out.list("Tracked files", &written.tracks.files, |t| {
        let file = view.config.track_files.iter().find(|f| f.name == t.name);
        format!("{}, {}", t.name, own(t, file.map(|f| (f.weight, f.reverse))))
    });
    // Singular, and so it is in stock.
    out.list("Tracked process", &written.tracks.processes, |t| {
        let process = view.config.track_processes.iter().find(|p| p.name == t.name);
        format!("{}, {}", t.name, own(t, process.map(|p| (p.weight, p.reverse))))
    });
}

/// `Static Track groups`.
pub(super) fn track_groups(view: &View<'_>, out: &mut Lines) {
    if !view.config.track_groups.is_empty() {
        out.section("Static Track groups");
    }
    for group in &view.config.track_groups {
        out.add(format_args!(" Static Track Group = {}", group.name));
        out.list("VRRP member instances", &group.members, String::clone);
    }
}

/// `VRRP Scripts`: those that are tracked.
pub(super) fn scripts(view: &View<'_>, out: &mut Lines) {
    if !view.plan.scripts.is_empty() {
        out.section("VRRP Scripts");
    }
    let tracked = |name: &str| {
        view.plan.instances.iter().any(|i| i.tracks.iter().any(|t| script_name(&t.what) == Some(name)))
    };
    // In the order of the file.
    for script in view.config.scripts.iter().filter(|script| tracked(&script.name)) {
        super::track::script(view, script, out);
    }
}
