//! `keepalived.json`, in stock's shape.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::dump::instance::{
    accepts, address_lines, interface_name, is_strict, mails, own_tracks, rules, script_name,
};
use super::dump::items;
use super::dump::view::{View, quoted};
use super::stats::Errors;
use crate::config::model::{ArgumentMatch, Script, Version, VrrpInstance};
use crate::plan::{InstancePlan, Subject};
use crate::vrrp::auth::Authentication;
use crate::vrrp::machine::{Counters, State};
use crate::vrrp::observed::Observed;
use crate::vrrp::tracking::Status;

/// An instance.
#[derive(Serialize)]
struct Instance<'a> {
    data: Data<'a>,
    stats: Stats,
}

/// What it is.
#[derive(Serialize)]
struct Data<'a> {
    iname: &'a str,
    dont_track_primary: u8,
    skip_check_adv_addr: u8,
    strict_mode: u8,
    vmac_ifname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifp_ifname: Option<&'a str>,
    master_priority: u8,
    last_transition: Box<RawValue>,
    garp_delay: Box<RawValue>,
    garp_refresh: u64,
    garp_rep: u32,
    garp_refresh_rep: u32,
    garp_lower_prio_delay: u64,
    garp_lower_prio_rep: u32,
    lower_prio_no_advert: u8,
    higher_prio_send_advert: u8,
    vrid: u8,
    base_priority: u8,
    effective_priority: u8,
    vipset: bool,
    promote_secondaries: bool,
    adver_int: Box<RawValue>,
    master_adver_int: Box<RawValue>,
    accept: u8,
    nopreempt: bool,
    preempt_delay: u64,
    state: u8,
    wantstate: u8,
    version: u8,
    smtp_alert: bool,
    notify_deleted: bool,
    #[serde(flatten)]
    scripts: Scripts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vroutes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vrules: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_ifp: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_script: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_process: Vec<String>,
    auth_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_data: Option<&'static str>,
}

/// Its scripts.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
struct Scripts {
    #[serde(skip_serializing_if = "Option::is_none")]
    script_backup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_stop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_deleted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master_rx_lower_pri: Option<String>,
}

/// What it has counted.
#[derive(Serialize)]
struct Stats {
    advert_rcvd: u64,
    advert_sent: u64,
    become_master: u64,
    release_master: u64,
    packet_len_err: u64,
    advert_interval_err: u64,
    ip_ttl_err: u64,
    invalid_type_rcvd: u64,
    addr_list_err: u64,
    invalid_authtype: u64,
    authtype_mismatch: u64,
    auth_failure: u64,
    #[serde(flatten)]
    hmac: Option<Hmac>,
    pri_zero_rcvd: u64,
    pri_zero_sent: u64,
}

/// What it has counted about `auth_hmac`.
#[derive(Serialize)]
struct Hmac {
    auth_ext_missing: u64,
    auth_ext_malformed: u64,
    auth_ext_unknown_key: u64,
    auth_ext_invalid_hmac: u64,
    auth_ext_stale: u64,
    auth_ext_replay: u64,
}

/// A tracked kind of process.
#[derive(Serialize)]
struct Process<'a> {
    process: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param_match: Option<&'static str>,
    min_processes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_processes: Option<u32>,
    current_processes: u64,
    have_quorum: bool,
    weight: i32,
    terminate_delay: Box<RawValue>,
    fork_delay: Box<RawValue>,
    fork_delay_timer_running: bool,
    terminate_delay_timer_running: bool,
    full_command: bool,
}

/// `json_version 2`.
#[derive(Serialize)]
struct Second<'a> {
    vrrp: Vec<Instance<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_process: Vec<Process<'a>>,
}

/// The file: one line. Instances that did not answer are not in it.
pub fn text<'a>(view: &View<'a>) -> String {
    let known =
        |plan: &'a Arc<InstancePlan>| Some(instance(view, plan, view.findings.observed.get(&plan.id)?));
    let vrrp: Vec<_> = view.plan.instances.iter().filter_map(known).collect();
    let json = match view.config.globals.options.files.json_version {
        Some(2) => serde_json::to_string(&Second { vrrp, track_process: processes(view) }),
        _ => serde_json::to_string(&vrrp),
    };
    // No map has keys that are not text, so nothing can fail. Stock writes slashes so; they occur in strings only.
    json.unwrap_or_default().replace('/', "\\/") + "\n"
}

fn instance<'a>(view: &View<'a>, plan: &'a InstancePlan, observed: &Observed) -> Instance<'a> {
    let nothing = VrrpInstance::default();
    let written = view.written(&plan.name).unwrap_or(&nothing);
    Instance { data: data(view, plan, written, observed), stats: stats(plan, &observed.snapshot.counters) }
}

fn data<'a>(
    view: &View<'a>,
    plan: &'a InstancePlan,
    written: &VrrpInstance,
    observed: &Observed,
) -> Data<'a> {
    let (params, seen) = (&plan.params, &observed.snapshot);
    let garp = &params.garp;
    let (vips, evips) = address_lines(view, plan, written);
    let own = own_tracks(plan, written);
    let tracks = || own.iter();
    // Only newer versions of stock have this.
    let second = view.config.globals.options.files.json_version == Some(2);
    let commands = tracks().filter_map(|track| {
        let name = script_name(&track.what)?;
        view.config.scripts.iter().find(|s| s.name == name).map(|s| quoted(&s.script))
    });
    let processes = tracks().filter_map(|track| match &track.what {
        Subject::Process(name) if second => Some(name.clone()),
        _ => None,
    });
    Data {
        iname: &plan.name,
        dont_track_primary: plan.dont_track_primary.into(),
        skip_check_adv_addr: params.skip_check_adv_addr.into(),
        strict_mode: is_strict(view, written).into(),
        vmac_ifname: plan.vmac.name.as_ref().map_or("", |name| name.as_str()),
        ifp_ifname: plan.vmac.name.as_ref().or(plan.interface.as_ref()).map(|name| name.as_str()),
        master_priority: seen.master_priority,
        last_transition: micros(observed.since),
        garp_delay: decimal(garp.delay),
        garp_refresh: garp.refresh.as_secs(),
        garp_rep: garp.repeat,
        garp_refresh_rep: garp.refresh_repeat,
        garp_lower_prio_delay: garp.lower_prio_delay.as_secs(),
        garp_lower_prio_rep: garp.lower_prio_repeat,
        lower_prio_no_advert: params.lower_prio_no_advert.into(),
        higher_prio_send_advert: params.higher_prio_send_advert.unwrap_or(true).into(),
        vrid: params.vrid.get(),
        base_priority: params.priority.get(),
        effective_priority: seen.priority.get(),
        vipset: seen.state == State::Master,
        promote_secondaries: plan.promote_secondaries,
        adver_int: decimal(params.advert_int),
        master_adver_int: decimal(seen.master_interval),
        accept: accepts(view, plan, written).into(),
        nopreempt: !params.preempt,
        preempt_delay: params.preempt_delay.as_secs(),
        state: number(seen.state),
        wantstate: number(seen.wanted),
        version: if params.version == Version::V2 { 2 } else { 3 },
        smtp_alert: mails(view, written),
        notify_deleted: written.options.notify_deleted.is_some(),
        scripts: scripts(plan, written),
        vips,
        evips,
        vroutes: written.options.routes.iter().map(items::route).collect(),
        vrules: rules(plan, written),
        track_ifp: tracks().filter_map(|track| interface_name(&track.what)).collect(),
        track_script: commands.collect(),
        track_process: processes.collect(),
        auth_type: match params.authentication {
            Authentication::None | Authentication::Hmac(_) => 0,
            Authentication::Password(_) => 1,
            Authentication::Ah(_) => 2,
        },
        auth_data: match params.authentication {
            Authentication::Password(_) | Authentication::Ah(_) => Some("********"),
            Authentication::None | Authentication::Hmac(_) => None,
        },
    }
}

fn scripts(plan: &InstancePlan, written: &VrrpInstance) -> Scripts {
    let text = |script: &Option<Script>| script.as_ref().map(quoted);
    let notify = &plan.notify;
    Scripts {
        script_backup: text(&notify.backup),
        script_master: text(&notify.master),
        script_fault: text(&notify.fault),
        script_stop: text(&notify.stop),
        script_deleted: written.options.notify_deleted.as_ref().and_then(text),
        script: text(&notify.any),
        script_master_rx_lower_pri: text(&notify.master_rx_lower_pri),
    }
}

fn stats(plan: &InstancePlan, counters: &Counters) -> Stats {
    let errors = Errors::of(counters);
    let [missing, malformed, unknown_key, invalid_hmac, stale, replay] = errors.hmac;
    let hmac = matches!(plan.params.authentication, Authentication::Hmac(_)).then_some(Hmac {
        auth_ext_missing: missing,
        auth_ext_malformed: malformed,
        auth_ext_unknown_key: unknown_key,
        auth_ext_invalid_hmac: invalid_hmac,
        auth_ext_stale: stale,
        auth_ext_replay: replay,
    });
    Stats {
        advert_rcvd: counters.advert_rcvd,
        advert_sent: counters.advert_sent,
        become_master: counters.become_master,
        release_master: counters.release_master,
        packet_len_err: errors.length,
        advert_interval_err: errors.interval,
        ip_ttl_err: errors.ttl,
        invalid_type_rcvd: errors.kind,
        addr_list_err: errors.addresses,
        invalid_authtype: errors.auth_invalid,
        authtype_mismatch: errors.auth_mismatch,
        auth_failure: errors.auth_failure,
        hmac,
        pri_zero_rcvd: counters.pri_zero_rcvd,
        pri_zero_sent: counters.pri_zero_sent,
    }
}

fn processes<'a>(view: &View<'a>) -> Vec<Process<'a>> {
    let tracked = |name: &String| view.plan.processes.iter().any(|plan| plan.name == *name);
    let all = view.config.track_processes.iter().filter(|process| tracked(&process.name));
    let each = all.map(|process| {
        let tally = view.tally(&Subject::Process(process.name.clone())).unwrap_or_default();
        let arguments = &process.arguments;
        Process {
            process: &process.program,
            parameters: (!arguments.is_empty()).then(|| arguments.join(" ")),
            param_match: process.matching.map(|matching| match matching {
                ArgumentMatch::Exact => "exact",
                ArgumentMatch::Initial => "initial",
                ArgumentMatch::Partial => "partial",
            }),
            min_processes: process.quorum,
            max_processes: process.quorum_max,
            current_processes: tally.count,
            have_quorum: tally.status == Some(Status::Good),
            weight: i32::from(process.weight) * if process.reverse { -1 } else { 1 },
            terminate_delay: micros(process.terminate_delay.unwrap_or_default()),
            fork_delay: micros(process.fork_delay.unwrap_or_default()),
            fork_delay_timer_running: false,
            terminate_delay_timer_running: false,
            full_command: process.full_command || process.matching.is_some() || !arguments.is_empty(),
        }
    });
    each.collect()
}

/// Stock's numbers of states.
const fn number(state: State) -> u8 {
    match state {
        State::Init => 0,
        State::Backup => 1,
        State::Master => 2,
        State::Fault => 3,
        State::Stopped => 98,
    }
}

/// Seconds with six decimals.
fn micros(time: Duration) -> Box<RawValue> {
    raw(format!("{}.{:06}", time.as_secs(), time.subsec_micros()))
}

/// Seconds with as many decimals as they need.
fn decimal(time: Duration) -> Box<RawValue> {
    raw(time.as_secs_f64().to_string())
}

/// A number as it is to be written.
fn raw(number: String) -> Box<RawValue> {
    RawValue::from_string(number).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
