//! What should exist: the model with every default applied and every name resolved, in exactly one place.

mod authentication;
mod converge;
mod hand_over;
mod instance;
mod links;
mod mail;
mod notify;
mod pacing;
mod reload;
mod routes;
mod scheduling;
mod stages;
mod tracks;
mod vmac;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{IfName, InstanceId};
use crate::config::model::lvs::Lvs;
use crate::config::model::{Config, SyncGroup};
use crate::host::{Scheduling, Setting};
use crate::kernel::ledger::Watch;
use crate::kernel::{AddressClaim, Claim, RouteClaim, RuleClaim};
use crate::vrrp::params::Params;
use crate::vrrp::tracking::{Status, Tracked};

pub use converge::{Convergence, converge};
pub use hand_over::HandOverPlan;
pub use links::{LinkDelays, LinkbeatPlan, ShortenedDelay};
pub use mail::MailPlan;
pub use notify::{NotifyPlan, PipePlan};
pub use pacing::{Intervals, PacingGroup, PacingPlan};
pub use reload::{ReloadPlan, ReloadTime};
pub use stages::{StagePlan, StagePlans};
pub use tracks::{FilePlan, ProcessPlan, ScriptPlan, Subject, TrackPlan};
pub use vmac::{Present, VmacPlan, makes_links};

/// The multicast group of VRRP over IPv4 (RFC 9568 section 5.1.1.2).
pub const VRRP_GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The multicast group of VRRP over IPv6 (RFC 9568 section 5.1.2.2).
pub const VRRP_GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// `reload_file` unless it names another, and unless pid files are elsewhere.
const RELOAD_FILE: &str = "/run/keepalived.reload";

/// A whole daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Virtual routers.
    pub instances: Vec<Arc<InstancePlan>>,
    /// How many [`InstanceId`]s have been given out, since the start: none is given twice.
    pub numbers: u32,
    /// The packet filter is needed, and nobody has said which one.
    pub filters_unasked: bool,
    /// What is wanted from start to stop: VMACs, static addresses, routes and rules.
    pub statics: Vec<Claim>,
    /// Scripts that at least one instance tracks.
    pub scripts: Vec<ScriptPlan>,
    /// Files that at least one instance tracks.
    pub files: Vec<FilePlan>,
    /// Processes that at least one instance tracks.
    pub processes: Vec<ProcessPlan>,
    /// Sync groups.
    pub groups: Vec<GroupPlan>,
    /// Named pipes that events are written to, in this order.
    pub pipes: Vec<PipePlan>,
    /// Whether all states are written to them again after a reload.
    pub pipes_repeat_states: bool,
    /// How mail is sent, if it is.
    pub mail: Option<Arc<MailPlan>>,
    /// Whether packets of unknown VRIDs are logged.
    pub log_unknown_vrids: bool,
    /// Pauses between announcements.
    pub pacing: PacingPlan,
    /// Interfaces that are asked for their carrier.
    pub linkbeats: Vec<LinkbeatPlan>,
    /// How long changes of links have to last before they count.
    pub link_delays: LinkDelays,
    /// How long after the start nobody listens or speaks.
    pub startup_delay: Duration,
    /// How long after the machine's boot nobody listens or speaks.
    pub delay_after_boot: Duration,
    /// How the daemon is scheduled.
    pub scheduling: Scheduling,
    /// When the configuration is read again, and what is seen of that.
    pub reload: ReloadPlan,
    /// Scripts of the daemon's own start and stop.
    pub stages: StagePlans,
    /// What the next process goes on with.
    pub hand_over: HandOverPlan,
    /// Whether every address that comes or goes is logged (`-a`).
    pub address_monitoring: bool,
    /// What was written, but for virtual servers: dumps show it.
    pub written: Arc<Config>,
}

impl Plan {
    /// The names of VMACs and ipvlans.
    pub fn link_names(&self) -> BTreeSet<IfName> {
        let name = |claim: &Claim| match claim {
            Claim::Link(link) => Some(link.name.clone()),
            _ => None,
        };
        self.statics.iter().filter_map(name).collect()
    }
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancePlan {
    /// Its number.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// The interface it is on; `None`: wherever the routes lead, which is for unicast only.
    pub interface: Option<IfName>,
    /// What it has of its own on that.
    pub vmac: VmacPlan,
    /// Without an interface, the VRF whose routes are meant.
    pub vrf: Option<IfName>,
    /// Where its adverts come from; `None`: the interface's own address.
    pub source: Option<IpAddr>,
    /// Whether it cannot take part while that address is not there.
    pub track_source: bool,
    /// What its machine is told.
    pub params: Arc<Params>,
    /// Addresses while master: those advertised, then those excluded, each in configuration order.
    pub addresses: Vec<Arc<AddressClaim>>,
    /// How many of them are advertised.
    pub advertised: usize,
    /// Which of its addresses are announced in between: one for each interface that wants to be reminded.
    pub reminded: Vec<usize>,
    /// What its VMACs are made of.
    pub links: Vec<Claim>,
    /// What keeps everybody from its addresses, if it does not accept what is sent to them.
    pub drops: Vec<Claim>,
    /// Routes while master.
    pub routes: Vec<Arc<RouteClaim>>,
    /// Rules while master.
    pub rules: Vec<Arc<RuleClaim>>,
    /// `promote_secondaries` was asked for.
    pub promote_secondaries: bool,
    /// What it tracks.
    pub tracks: Vec<TrackPlan>,
    /// Whether it goes on when its own interface is down.
    pub dont_track_primary: bool,
    /// Who is told of changes. Instances that have the same one after the other share it.
    pub notify: Arc<NotifyPlan>,
}

impl InstancePlan {
    /// What its machine is told, to be changed. A machine that has been told is not changed with it.
    pub fn params_mut(&mut self) -> &mut Params {
        Arc::make_mut(&mut self.params)
    }

    /// The interface whose pauses between announcements count on `dev`: of its VMAC what that stands on.
    pub fn paced_on<'a>(&'a self, dev: &'a IfName) -> &'a IfName {
        let is_vmac = self.vmac.name.as_ref() == Some(dev);
        self.interface.as_ref().filter(|_| is_vmac).unwrap_or(dev)
    }

    /// What it has to know of its interface.
    pub fn watch(&self) -> Watch {
        Watch {
            interface: self.interface.clone(),
            vmac: self.vmac.name.clone().filter(|_| !self.vmac.xmit_base),
            from_vmac: self.vmac.is_ipvlan && !self.vmac.xmit_base,
            vrf: self.vrf.clone(),
            family: self.params.family,
            source: self.source.filter(|_| self.track_source),
            anywhere: self.params.delivery.is_unicast(),
        }
    }

    /// What its sockets are bound to, if anything.
    pub fn device(&self) -> Option<&IfName> {
        let vmac = self.vmac.name.as_ref().filter(|_| !self.vmac.xmit_base);
        vmac.or(self.interface.as_ref()).or(self.vrf.as_ref())
    }

    /// All that it holds while it is master.
    pub fn claims(&self) -> Vec<Claim> {
        let promoted =
            self.promoting().into_iter().map(|dev| Claim::Setting(Setting::Promotion(dev.clone())));
        let addresses = (self.links.iter().cloned())
            .chain(promoted)
            .chain(self.drops.iter().cloned())
            .chain(self.addresses.iter().cloned().map(Claim::Address));
        let routes = self.routes.iter().cloned().map(Claim::Route);
        addresses.chain(routes).chain(self.rules.iter().cloned().map(Claim::Rule)).collect()
    }

    /// Where `promote_secondaries` is set while it is master: where it has addresses of networks, whose first one the kernel
    /// must not delete together with all others there, those of other instances and the host's own included. On VMACs
    /// it is always set.
    fn promoting(&self) -> BTreeSet<&IfName> {
        let endangers = |a: &&Arc<AddressClaim>| {
            self.promote_secondaries || (a.cidr.ip.is_ipv4() && a.cidr.prefix < 32 && !self.is_on_vmac(a))
        };
        self.addresses.iter().filter(endangers).map(|a| &a.dev).collect()
    }

    fn is_on_vmac(&self, address: &AddressClaim) -> bool {
        self.links.iter().any(|link| matches!(link, Claim::Link(link) if link.name == address.dev))
    }

    /// Of each interface without adverts that is to be reminded, the first address.
    pub fn extra_announced(&self) -> impl Iterator<Item = &AddressClaim> {
        self.reminded.iter().filter_map(|n| self.addresses.get(*n).map(Arc::as_ref))
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
    /// Who is told of changes of state of the group.
    pub notify: NotifyPlan,
}

/// Applies all defaults. Blocks that lack what they cannot do without are left out; `config` has said so.
pub fn resolve(config: &Config) -> Plan {
    resolve_among(config, &Present::default())
}

/// The same on a machine that has these links: VMACs get names that are free.
pub fn resolve_among(config: &Config, present: &Present) -> Plan {
    let mut plan = Plan {
        log_unknown_vrids: config.globals.log_unknown_vrids,
        pacing: pacing::resolve(config),
        startup_delay: config.globals.options.startup_delay.unwrap_or_default(),
        delay_after_boot: config.globals.options.delay_after_boot.unwrap_or_default(),
        scheduling: scheduling::resolve(&config.globals.options),
        reload: ReloadPlan::of(config, RELOAD_FILE),
        stages: StagePlans::of(config),
        written: Arc::new(without_servers(config)),
        ..Plan::default()
    };
    let mut preferences = routes::Preferences::default();
    let mut links = vmac::Links::new(config, present);
    plan.statics = routes::statics(config, &mut preferences);
    for instance in &config.instances {
        let id = InstanceId(plan.instances.len() as u32);
        let group = config.sync_groups.iter().find(|g| g.members.contains(&instance.name));
        let mut tracks = tracks::of_instance(config, instance, group, &mut plan);
        routes::track_devices(config, instance, &mut tracks);
        let rules = routes::rules(&instance.options.rules, &mut preferences);
        let resolved = instance::resolve(&config.globals, instance, id, tracks, &mut links);
        let notify = notify::resolve(&config.globals, instance, group);
        let last = plan.instances.last().map(|last| &last.notify).filter(|last| ***last == notify);
        let notify = last.map_or_else(|| Arc::new(notify), Arc::clone);
        plan.instances.extend(resolved.map(|mut plan| {
            plan.params_mut().grouped = group.is_some();
            plan.notify = notify;
            plan.rules = rules;
            Arc::new(plan)
        }));
    }
    plan.statics.extend(links.claims());
    let firewall = &config.globals.options.firewall;
    let filters = |claim: &Claim| matches!(claim, Claim::Firewall(_));
    if plan.statics.iter().any(filters) || plan.instances.iter().any(|i| !i.drops.is_empty()) {
        plan.filters_unasked = firewall.nftables.is_none() && firewall.iptables.is_none();
        plan.statics.push(Claim::Setting(Setting::Filter(vmac::table(&config.globals))));
    }
    plan.pipes = notify::pipes(&config.globals);
    plan.mail = mail::resolve(&config.globals).map(Arc::new);
    plan.pipes_repeat_states = config.globals.options.fifo_states_on_reload;
    plan.numbers = plan.instances.len() as u32;
    plan.groups =
        config.sync_groups.iter().map(|group| resolve_group(config, group, &plan.instances)).collect();
    plan.linkbeats = links::linkbeats(config, &plan.instances);
    plan.link_delays = links::resolve(config, &plan.instances);
    plan
}

/// A configuration without what takes most room, and nobody asks for.
fn without_servers(config: &Config) -> Config {
    Config {
        globals: config.globals.clone(),
        scripts: config.scripts.clone(),
        instances: config.instances.clone(),
        lvs: Lvs::default(),
        left_out: Vec::new(),
        top: config.top.clone(),
        sync_groups: config.sync_groups.clone(),
        track_groups: config.track_groups.clone(),
        garp_groups: config.garp_groups.clone(),
        linkbeats: config.linkbeats.clone(),
        link_delays: config.link_delays.clone(),
        static_addresses: config.static_addresses.clone(),
        static_routes: config.static_routes.clone(),
        static_rules: config.static_rules.clone(),
        track_files: config.track_files.clone(),
        track_processes: config.track_processes.clone(),
        bfd: config.bfd.clone(),
    }
}

fn resolve_group(config: &Config, group: &SyncGroup, instances: &[Arc<InstancePlan>]) -> GroupPlan {
    let id = |name: &String| instances.iter().find(|i| i.name == *name).map(|i| i.id);
    GroupPlan {
        name: group.name.clone(),
        members: group.members.iter().filter_map(id).collect(),
        notify: NotifyPlan {
            master: group.notify_master.clone(),
            backup: group.notify_backup.clone(),
            fault: group.notify_fault.clone(),
            stop: group.notify_stop.clone(),
            any: group.notify.clone(),
            mail: config.globals.options.mail.tells_of(group.smtp_alert),
            ..NotifyPlan::default()
        },
    }
}

#[cfg(test)]
mod tests;
