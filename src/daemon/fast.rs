//! What runs on the fast plane: instances, their sockets, and the reconciler.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::RESTART_PAUSE;
use crate::base::{IfName, InstanceId, Instant};
use crate::host::{Fast, Plane};
use crate::kernel::debounce::Debounce;
use crate::kernel::reconciler::{self, Claim, Deliver, Reconciler, Request, Wants};
use crate::kernel::{self, Ledger, Mirror, Survey};
use crate::notify;
use crate::plan::{Convergence, GroupPlan, InstancePlan, Plan, Subject, TrackPlan};
use crate::report::wording;
use crate::vrrp::demux::Endpoints;
use crate::vrrp::group::Report;
use crate::vrrp::group_hub::GroupHub;
use crate::vrrp::instance::{Change, Control, Facts, Instance, Message, Ports};
use crate::vrrp::pacer::Pacer;
use crate::vrrp::params::Delivery;

/// What the slow plane tells the instances by, for those that are new.
pub(super) type Inboxes = BTreeMap<InstanceId, UnboundedReceiver<Control>>;

/// A changed configuration, for the fast plane.
pub(super) struct Reload {
    /// What differs.
    pub(super) convergence: Convergence,
    /// Of the instances that are new.
    pub(super) inboxes: Inboxes,
}

/// What is asked of the fast plane as a whole.
pub(super) enum Order {
    /// To go on with another configuration.
    Reload(Box<Reload>),
    /// To tell which links and addresses there are.
    Survey(oneshot::Sender<Survey>),
}

/// What the slow plane sends to the fast one, and where the fast one sends its own.
pub(super) struct Lines {
    /// Inboxes of the instances.
    pub(super) inboxes: Inboxes,
    /// For scripts.
    pub(super) notices: UnboundedSender<notify::Message>,
    /// Interfaces that were asked for their carrier.
    pub(super) carriers: UnboundedReceiver<(IfName, bool)>,
    /// Told what has failed that nothing works without.
    pub(super) failed: UnboundedSender<&'static str>,
    /// Changed configurations and questions. When this closes, static items go, after the last instance.
    pub(super) orders: UnboundedReceiver<Order>,
}

/// Runs all instances of `plan` until all are stopped and the kernel has given up what they held, and the static items;
/// these stay until `lines.orders` closes, whatever becomes of the instances.
pub(super) async fn run(fast: Fast, mut plan: Plan, lines: Lines) {
    let Fast { plane, vrrp, announcer, events, writer } = fast;
    let Lines { inboxes, notices, carriers, failed, mut orders } = lines;
    delay_startup(&plane, &mut plan);
    wording::delays_shortened(&plan.link_delays.shortened);
    if plan.filters_unasked {
        wording::filters_unasked();
    }
    let mirror = Rc::new(RefCell::new(Mirror::default()));
    let multicast = multicast_groups(&plan.instances);
    let endpoints = Rc::new(Endpoints::new(plane.clone(), vrrp, multicast, plan.log_unknown_vrids));
    let pacer = Rc::new(Pacer::new(plane.clone(), Rc::clone(&announcer), plan.pacing.clone()));
    let (requests, requests_inbox) = unbounded_channel();
    let mut ledger = Ledger::default();
    ledger.register_static(&plan.statics);
    for instance in &plan.instances {
        ledger.register(instance.id, instance.watch(), &instance.claims());
        tracked(instance).into_iter().for_each(|name| ledger.track(instance.id, name));
    }
    for address in plan.instances.iter().flat_map(|instance| &instance.addresses) {
        mirror.borrow_mut().note_virtual(address.cidr.ip);
    }
    let debounce = Debounce::new(plan.link_delays.delays.clone());
    let mut conductor = Conductor {
        ports: Ports {
            plane: plane.clone(),
            endpoints,
            announcer,
            pacer,
            mirror: Rc::clone(&mirror),
            claims: requests,
            notices,
        },
        members: BTreeMap::new(),
        hubs: Vec::new(),
        statics: plan.statics.clone(),
    };
    let instances = conductor.start(plan.instances, plan.groups, inboxes);
    let half_done = failed.clone();
    let conduct = async move {
        while let Some(order) = orders.recv().await {
            let reload = match order {
                Order::Reload(reload) => *reload,
                Order::Survey(reply) => {
                    // Whoever asked may have stopped waiting.
                    let _ = reply.send(conductor.ports.mirror.borrow().survey());
                    continue;
                }
            };
            let done = catch_unwind(AssertUnwindSafe(|| conductor.reload(reload)));
            if done.is_err() {
                // Half of it is in effect. The daemon may be stopping already.
                let _ = half_done.send("reload");
            }
        }
    };
    plane.tasks.spawn("reload", Box::pin(conduct));
    // Only instances and the conductor hold what leads to the reconciler and the notifier: when the last one has ended,
    // so do these.
    let requests = requests_inbox;
    let address_monitoring = plan.address_monitoring;
    let reconciler = Reconciler {
        plane,
        ledger,
        debounce,
        carriers,
        address_monitoring,
        mirror,
        events,
        writer,
        requests,
        instances,
    };
    // The daemon may be stopping already.
    let fail = move || {
        let _ = failed.send("reconciler");
    };
    reconciler.run(fail).await;
}

/// Nobody listens or speaks before the configured time after the start, or after the machine's boot, has passed.
fn delay_startup(plane: &Plane, plan: &mut Plan) {
    let since_boot = plane.now() - Instant::ZERO;
    let delay = plan.startup_delay.max(plan.delay_after_boot.saturating_sub(since_boot));
    if delay.is_zero() {
        return;
    }
    wording::startup_delayed(delay);
    for instance in &mut plan.instances {
        instance.params.startup_delay = delay;
    }
    let clock = plane.clone();
    let task = async move {
        clock.sleep(delay).await;
        wording::startup_delay_over();
    };
    plane.tasks.spawn("startup delay", Box::pin(task));
}

/// Starts instances, and carries the configuration's changes to them.
struct Conductor {
    /// What instances work with.
    ports: Ports,
    /// How to reach each instance.
    members: BTreeMap<InstanceId, UnboundedSender<Message>>,
    /// Sync groups.
    hubs: Vec<(GroupPlan, Rc<GroupHub>)>,
    /// The static items.
    statics: Vec<kernel::Claim>,
}

impl Conductor {
    /// Starts `instances` in these groups. Gives what the kernel's news reach them by.
    fn start(
        &mut self,
        instances: Vec<InstancePlan>,
        groups: Vec<GroupPlan>,
        mut inboxes: Inboxes,
    ) -> BTreeMap<InstanceId, Deliver> {
        let mut news_inboxes = BTreeMap::new();
        let mut deliver: BTreeMap<_, Deliver> = BTreeMap::new();
        for plan in &instances {
            let (news, inbox) = unbounded_channel();
            news_inboxes.insert(plan.id, inbox);
            self.members.insert(plan.id, news.clone());
            let tell = move |n| {
                // An instance that has stopped needs no news.
                let _ = news.send(Message::Control(Control::Kernel(n)));
            };
            deliver.insert(plan.id, Box::new(tell));
        }
        self.regroup(groups);
        for plan in instances {
            let (Some(mut inbox), Some(mut news)) = (inboxes.remove(&plan.id), news_inboxes.remove(&plan.id))
            else {
                continue;
            };
            let name = format!("instance {}", plan.name);
            let facts = Rc::new(RefCell::new(Facts::new(plan.clone(), self.hub(plan.id))));
            let ports = self.ports.clone();
            let task = async move { supervise(facts, ports, &mut inbox, &mut news).await };
            self.ports.plane.tasks.spawn(&name, Box::pin(task));
        }
        deliver
    }

    /// The sync group of an instance.
    fn hub(&self, id: InstanceId) -> Option<Rc<GroupHub>> {
        self.hubs.iter().find(|(group, _)| group.members.contains(&id)).map(|(_, hub)| Rc::clone(hub))
    }

    /// Makes the sync groups that are new, or have other members than before.
    fn regroup(&mut self, groups: Vec<GroupPlan>) {
        let mut old = std::mem::take(&mut self.hubs);
        for group in groups {
            let known = old.iter().position(|(o, _)| o.name == group.name && o.members == group.members);
            let hub = known.map(|place| old.swap_remove(place).1).unwrap_or_else(|| {
                let member = |id: &InstanceId| Some((*id, self.members.get(id)?.clone()));
                let members = group.members.iter().filter_map(member).collect();
                Rc::new(GroupHub::new(group.name.clone(), members, self.ports.notices.clone()))
            });
            self.hubs.push((group, hub));
        }
    }

    /// Carries a changed configuration out, all of it at once: nothing else runs on this plane meanwhile.
    fn reload(&mut self, reload: Reload) {
        let Reload { convergence: Convergence { plan, added, changed, gone }, inboxes } = reload;
        wording::delays_shortened(&plan.link_delays.shortened);
        self.ports.pacer.replace(plan.pacing);
        let groups = multicast_groups(&plan.instances);
        let rejoined = self.ports.endpoints.replace(groups, plan.log_unknown_vrids);
        let rejoins = |plan: &InstancePlan| plan.device().is_some_and(|i| rejoined.contains(i));
        for address in plan.instances.iter().flat_map(|instance| &instance.addresses) {
            self.ports.mirror.borrow_mut().note_virtual(address.cidr.ip);
        }
        let (added, changed) = (BTreeSet::from_iter(added), BTreeSet::from_iter(changed));
        let (starting, others): (Vec<_>, Vec<_>) =
            plan.instances.into_iter().partition(|plan| added.contains(&plan.id));
        let staying: Vec<_> =
            others.into_iter().filter(|plan| changed.contains(&plan.id) || rejoins(plan)).collect();
        let statics = (plan.statics != self.statics).then(|| plan.statics.clone());
        self.statics = plan.statics;
        let news = reconciler::Reload {
            instances: starting.iter().chain(&staying).map(wants).collect(),
            statics,
            delays: plan.link_delays.delays,
            asked: plan.linkbeats.into_iter().map(|linkbeat| linkbeat.interface).collect(),
            added: Vec::new(),
        };
        let before: BTreeMap<InstanceId, Option<Rc<GroupHub>>> =
            staying.iter().map(|plan| (plan.id, self.hub(plan.id))).collect();
        let added = self.start(starting, plan.groups, inboxes).into_iter().collect();
        // The reconciler outlives all instances.
        let _ = self.ports.claims.send(Request::Reload(Box::new(reconciler::Reload { added, ..news })));
        for plan in staying {
            let Some(member) = self.members.get(&plan.id) else { continue };
            let (group, rejoins) = (self.hub(plan.id), rejoins(&plan));
            let same = match (before.get(&plan.id).and_then(Option::as_ref), &group) {
                (Some(before), Some(now)) => Rc::ptr_eq(before, now),
                (before, now) => before.is_none() && now.is_none(),
            };
            // An instance that has stopped needs no news.
            let change = Change { plan, group, regrouped: !same, rejoins };
            let _ = member.send(Message::Reload(Box::new(change)));
        }
        for id in gone {
            if let Some(member) = self.members.remove(&id) {
                let _ = member.send(Message::Control(Control::Delete));
            }
        }
    }
}

/// What the reconciler has to know of an instance.
fn wants(plan: &InstancePlan) -> Wants {
    Wants { id: plan.id, watch: plan.watch(), claims: plan.claims(), tracked: tracked(plan) }
}

/// The interfaces that an instance tracks.
fn tracked(plan: &InstancePlan) -> Vec<IfName> {
    let interface = |track: &TrackPlan| match &track.what {
        Subject::Interface(interface) => Some(interface.clone()),
        _ => None,
    };
    plan.tracks.iter().filter_map(interface).collect()
}

/// The multicast groups that instances use on each interface.
fn multicast_groups(instances: &[InstancePlan]) -> BTreeMap<IfName, Vec<IpAddr>> {
    let mut groups: BTreeMap<IfName, Vec<IpAddr>> = BTreeMap::new();
    for instance in instances {
        let (Some(interface), Delivery::Multicast(group)) = (instance.device(), &instance.params.delivery)
        else {
            continue;
        };
        let on_interface = groups.entry(interface.clone()).or_default();
        if !on_interface.contains(group) {
            on_interface.push(*group);
        }
    }
    groups
}

/// Runs one instance; after a panic gives up its addresses and, after a pause, starts it again.
async fn supervise(
    facts: Rc<RefCell<Facts>>,
    ports: Ports,
    inbox: &mut UnboundedReceiver<Control>,
    news: &mut UnboundedReceiver<Message>,
) {
    let id = facts.borrow().plan().id;
    loop {
        let run = Instance::new(Rc::clone(&facts), ports.clone()).run(inbox, news);
        if AssertUnwindSafe(run).catch_unwind().await.is_ok() {
            break;
        }
        wording::panicked(&facts.borrow().plan().name);
        facts.borrow_mut().started();
        report(&facts, id, true);
        // Number 0 is never awaited: machines count from 1.
        let release = Claim { owner: id, hold: false, number: 0 };
        // The reconciler outlives all instances.
        let _ = ports.claims.send(Request::Claim(release));
        ports.plane.sleep(RESTART_PAUSE).await;
        report(&facts, id, false);
    }
    if facts.borrow().is_deleted() {
        let _ = ports.claims.send(Request::Forget(id));
    }
}

/// Tells the sync group that something is wrong with this member, or no longer.
fn report(facts: &RefCell<Facts>, id: InstanceId, faulty: bool) {
    let group = facts.borrow().group();
    if let Some(group) = group {
        group.report(id, Report::Faulty(faulty));
    }
}
