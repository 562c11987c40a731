//! What should exist: the model with every default applied and every name resolved, in exactly one place.

mod pacing;
mod routes;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Family, IfName, InstanceId, Priority};
use crate::config::model::{
    Authentication, Config, Globals, InitialState, Script, Version, VirtualAddress, VrrpInstance, VrrpScript,
};
use crate::kernel::{AddressClaim, Claim, RouteClaim, RuleClaim};
use crate::vrrp::params::{GarpSchedule, Params};
use crate::vrrp::tracking::{Status, Tracked};

pub use pacing::{Intervals, PacingGroup, PacingPlan};

/// The multicast group of VRRP over IPv4 (RFC 9568 section 5.1.1.2).
pub const VRRP_GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Shortest and longest interval of version 3, which counts centiseconds in 12 bits.
const V3_INTERVALS_MS: (u128, u128) = (10, 40_950);

/// A whole daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Virtual routers; an [`InstanceId`] is an index.
    pub instances: Vec<InstancePlan>,
    /// Static addresses, routes and rules.
    pub statics: Vec<Claim>,
    /// Scripts that at least one instance tracks.
    pub scripts: Vec<ScriptPlan>,
    /// Sync groups.
    pub groups: Vec<GroupPlan>,
    /// Whether packets of unknown VRIDs are logged.
    pub log_unknown_vrids: bool,
    /// Pauses between announcements.
    pub pacing: PacingPlan,
    /// How long after the start nobody listens or speaks.
    pub startup_delay: Duration,
    /// How long after the machine's boot nobody listens or speaks.
    pub delay_after_boot: Duration,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancePlan {
    /// Its number.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Where it sends and listens.
    pub interface: IfName,
    /// Where its adverts come from; `None`: the interface's own address.
    pub source: Option<Ipv4Addr>,
    /// What its machine is told.
    pub params: Params,
    /// Addresses while master: those advertised, then those excluded, each in configuration order.
    pub addresses: Vec<AddressClaim>,
    /// How many of them are advertised.
    pub advertised: usize,
    /// Routes while master.
    pub routes: Vec<Arc<RouteClaim>>,
    /// Rules while master.
    pub rules: Vec<Arc<RuleClaim>>,
    /// `promote_secondaries` is set on the interfaces of its addresses while it is master.
    pub promote_secondaries: bool,
    /// What it tracks.
    pub tracks: Vec<TrackPlan>,
    /// Whether it goes on when its own interface is down.
    pub dont_track_primary: bool,
    /// Scripts to run on changes.
    pub notify: NotifyPlan,
}

impl InstancePlan {
    /// All that it holds while it is master.
    pub fn claims(&self) -> Vec<Claim> {
        let devices: BTreeSet<_> = self.addresses.iter().map(|a| a.dev.clone()).collect();
        let promoted = devices.into_iter().filter(|_| self.promote_secondaries).map(Claim::Promotion);
        let addresses = promoted.chain(self.addresses.iter().cloned().map(Claim::Address));
        let routes = self.routes.iter().cloned().map(Claim::Route);
        addresses.chain(routes).chain(self.rules.iter().cloned().map(Claim::Rule)).collect()
    }

    /// What the machine tracks, in the order of [`InstancePlan::tracks`].
    pub fn tracked(&self) -> Vec<Tracked> {
        let tracked = |t: &TrackPlan| Tracked {
            what: t.what.to_string(),
            weight: t.weight,
            reverse: t.reverse,
            status: Status::Pending,
        };
        self.tracks.iter().map(tracked).collect()
    }
}

/// A sync group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPlan {
    /// Its name.
    pub name: String,
    /// Its members, in configuration order; each instance is in one group at most.
    pub members: Vec<InstanceId>,
    /// Scripts to run when all members have changed their state.
    pub notify: NotifyPlan,
}

/// What an instance may track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A script.
    Script {
        /// Its place in [`Plan::scripts`].
        number: usize,
        /// Its name.
        name: String,
    },
    /// An interface: good while it is up and running.
    Interface(IfName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script { name, .. } => write!(f, "script {name}"),
            Self::Interface(name) => write!(f, "interface {name}"),
        }
    }
}

/// Something that an instance tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackPlan {
    /// What.
    pub what: Subject,
    /// Points, -253 to 253; 0: its failure is a fault.
    pub weight: i16,
    /// Turns the effect round.
    pub reverse: bool,
}

/// Scripts to run on changes of state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyPlan {
    /// `notify_master`.
    pub master: Option<Script>,
    /// `notify_backup`.
    pub backup: Option<Script>,
    /// `notify_fault`.
    pub fault: Option<Script>,
    /// `notify_stop`.
    pub stop: Option<Script>,
    /// `notify`.
    pub any: Option<Script>,
    /// `notify_master_rx_lower_pri`.
    pub master_rx_lower_pri: Option<Script>,
}

/// A script that is run again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptPlan {
    /// Its name.
    pub name: String,
    /// What to run.
    pub script: Script,
    /// Time from start to start.
    pub interval: Duration,
    /// How long it may run.
    pub timeout: Duration,
    /// Successes in a row that make it good.
    pub rise: u32,
    /// Failures in a row that make it bad.
    pub fall: u32,
}

/// Applies all defaults. Blocks that lack what they cannot do without are left out; `config` has said so.
pub fn resolve(config: &Config) -> Plan {
    let mut plan = Plan {
        log_unknown_vrids: config.globals.log_unknown_vrids,
        pacing: pacing::resolve(config),
        startup_delay: config.globals.pending.startup_delay.unwrap_or_default(),
        delay_after_boot: config.globals.pending.delay_after_boot.unwrap_or_default(),
        ..Plan::default()
    };
    let mut preferences = routes::Preferences::default();
    plan.statics = routes::statics(config, &mut preferences);
    for instance in &config.instances {
        let id = InstanceId(plan.instances.len() as u32);
        let mut tracks = tracks(config, instance, &mut plan.scripts);
        routes::track_devices(config, instance, &mut tracks);
        let rules = routes::rules(&instance.pending.rules, &mut preferences);
        let resolved = resolve_instance(&config.globals, instance, id, tracks);
        plan.instances.extend(resolved.map(|plan| InstancePlan { rules, ..plan }));
    }
    plan
}

fn resolve_instance(
    globals: &Globals,
    instance: &VrrpInstance,
    id: InstanceId,
    tracks: Vec<TrackPlan>,
) -> Option<InstancePlan> {
    let interface = instance.interface.clone()?;
    let version = instance.version.or(globals.vrrp_version).unwrap_or(Version::V2);
    let priority = instance.priority.unwrap_or(default_priority(instance));
    // A master of old configurations: stock does not let it be one that may not preempt.
    let born_master = instance.state == Some(InitialState::Master) || priority.is_owner();
    let preempt = !instance.nopreempt || born_master;
    let may_delay = preempt && !born_master;
    let params = Params {
        vrid: instance.vrid?,
        version,
        priority,
        advert_int: advert_int(version, instance.advert_int),
        down_timer_adverts: instance.down_timer_adverts.or(globals.down_timer_adverts).unwrap_or(3).max(1),
        preempt,
        preempt_delay: instance.preempt_delay.filter(|_| may_delay).unwrap_or_default(),
        password: match &instance.authentication {
            Some(Authentication::Pass(password)) if version == Version::V2 => Some(*password),
            _ => None,
        },
        destination: globals.mcast_group4.unwrap_or(VRRP_GROUP_V4),
        addresses: instance.addresses.iter().filter_map(|a| v4(a.cidr.ip)).collect(),
        lower_prio_no_advert: instance.lower_prio_no_advert.or(globals.lower_prio_no_advert).unwrap_or(false),
        higher_prio_send_advert: instance.higher_prio_send_advert.or(globals.higher_prio_send_advert),
        garp: garp(globals, instance),
        startup_delay: Duration::ZERO,
        ignores_adverts: priority.is_owner() && ignores_adverts(globals, instance),
        skip_check_adv_addr: (instance.pending.skip_check_adv_addr)
            .or(globals.pending.skip_check_adv_addr)
            .unwrap_or(false),
        timer_expired_backup: instance.pending.timer_expired_backup.and_then(Priority::new),
        grouped: false,
    };
    let claims = |list: &[VirtualAddress]| -> Vec<AddressClaim> {
        list.iter().filter(|a| v4(a.cidr.ip).is_some()).map(|a| claim(&interface, a)).collect()
    };
    let mut addresses = claims(&instance.addresses);
    let advertised = addresses.len();
    addresses.extend(claims(&instance.excluded));
    Some(InstancePlan {
        id,
        name: instance.name.clone(),
        source: instance.mcast_src_ip.and_then(v4),
        params,
        addresses,
        advertised,
        routes: routes::routes(&instance.pending.routes),
        rules: Vec::new(),
        promote_secondaries: instance.pending.promote_secondaries,
        tracks,
        dont_track_primary: instance.dont_track_primary,
        notify: notify(instance),
        interface,
    })
}

fn v4(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

/// `state MASTER` without a priority makes an address owner, as in stock.
fn default_priority(instance: &VrrpInstance) -> Priority {
    match instance.state {
        Some(InitialState::Master) => Priority::OWNER,
        _ => Priority::DEFAULT,
    }
}

/// The interval as the version can tell it: rounded half up to whole seconds or centiseconds, and within its limits.
fn advert_int(version: Version, written: Option<Duration>) -> Duration {
    let written = written.unwrap_or(Duration::from_secs(1));
    match version {
        Version::V2 => {
            let secs = ((written.as_millis() + 500) / 1000).clamp(1, 255);
            Duration::from_secs(secs as u64)
        }
        Version::V3 => {
            let millis = (written.as_micros() + 5_000) / 10_000 * 10;
            let (shortest, longest) = V3_INTERVALS_MS;
            Duration::from_millis(millis.clamp(shortest, longest) as u64)
        }
    }
}

/// In strict mode an address owner does not listen, unless told otherwise.
fn ignores_adverts(globals: &Globals, instance: &VrrpInstance) -> bool {
    let strict = instance.pending.strict.or(globals.pending.strict).unwrap_or(false);
    let own = instance.pending.owner_ignore_adverts;
    own.or(strict.then_some(true)).or(globals.pending.owner_ignore_adverts).unwrap_or(false)
}

fn garp(globals: &Globals, instance: &VrrpInstance) -> GarpSchedule {
    let (own, all) = (&instance.garp, &globals.garp);
    let mut default = GarpSchedule::default();
    if globals.pending.min_garp.unwrap_or(false) {
        default = GarpSchedule { repeat: 1, delay: Duration::ZERO, ..default };
    }
    let repeat = own.master_repeat.or(all.master_repeat).unwrap_or(default.repeat).max(1);
    let delay = own.master_delay.or(all.master_delay).unwrap_or(default.delay);
    GarpSchedule {
        repeat,
        delay,
        refresh: own.master_refresh.or(all.master_refresh).unwrap_or(default.refresh),
        refresh_repeat: own
            .master_refresh_repeat
            .or(all.master_refresh_repeat)
            .unwrap_or(default.refresh_repeat)
            .max(1),
        lower_prio_repeat: own.lower_prio_repeat.or(all.lower_prio_repeat).unwrap_or(repeat),
        lower_prio_delay: own.lower_prio_delay.or(all.lower_prio_delay).unwrap_or(delay),
    }
}

fn claim(interface: &IfName, address: &VirtualAddress) -> AddressClaim {
    AddressClaim {
        dev: address.dev.clone().unwrap_or_else(|| interface.clone()),
        cidr: address.cidr,
        peer: address.peer.map(|p| p.ip),
        broadcast: address.broadcast.filter(|_| Family::of(address.cidr.ip) == Family::V4),
        label: address.label.clone(),
        scope: address.scope.unwrap_or(0),
    }
}

/// The scripts `instance` tracks; those not seen before are added to `scripts`.
fn tracks(config: &Config, instance: &VrrpInstance, scripts: &mut Vec<ScriptPlan>) -> Vec<TrackPlan> {
    let mut tracks = Vec::new();
    for reference in &instance.track_scripts {
        let Some(script) = config.scripts.iter().find(|s| s.name == reference.script) else { continue };
        let known = scripts.iter().position(|s| s.name == script.name);
        let index = known.unwrap_or_else(|| {
            scripts.push(script_plan(script));
            scripts.len() - 1
        });
        tracks.push(TrackPlan {
            what: Subject::Script { number: index, name: script.name.clone() },
            weight: reference.weight.or(script.weight).unwrap_or(0),
            reverse: reference.reverse.unwrap_or(script.reverse),
        });
    }
    tracks
}

fn script_plan(script: &VrrpScript) -> ScriptPlan {
    let interval = script.interval.unwrap_or(Duration::from_secs(1));
    ScriptPlan {
        name: script.name.clone(),
        script: script.script.clone(),
        interval,
        timeout: script.timeout.unwrap_or(interval),
        rise: script.rise.unwrap_or(1).max(1),
        fall: script.fall.unwrap_or(1).max(1),
    }
}

fn notify(instance: &VrrpInstance) -> NotifyPlan {
    NotifyPlan {
        master: instance.notify_master.clone(),
        backup: instance.notify_backup.clone(),
        fault: instance.notify_fault.clone(),
        stop: instance.notify_stop.clone(),
        any: instance.notify.clone(),
        master_rx_lower_pri: instance.notify_master_rx_lower_pri.clone(),
    }
}

#[cfg(test)]
mod tests;
