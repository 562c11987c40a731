//! What runs on the fast plane: instances, their sockets, and the reconciler.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::RESTART_PAUSE;
use crate::base::{IfName, InstanceId, Instant};
use crate::host::{Fast, Plane};
use crate::kernel::debounce::Debounce;
use crate::kernel::reconciler::{self, Claim, Deliver, Hold, Reconciler, Request, Wants};
use crate::kernel::{self, Inventory, Ledger, Mirror, Owner, Survey};
use crate::notify;
use crate::plan::{Convergence, GroupPlan, InstancePlan, Plan, Subject, TrackPlan};
use crate::report::wording;
use crate::vrrp::demux::Endpoints;
use crate::vrrp::group::Report;
use crate::vrrp::group_hub::GroupHub;
use crate::vrrp::instance::{Change, Control, Facts, Instance, Message, Ports};
use crate::vrrp::machine::Inheritance;
use crate::vrrp::mailbox::{Mailbox, Post, mailbox};
use crate::vrrp::pacer::Pacer;
use crate::vrrp::params::Delivery;

/// What is asked of the fast plane.
pub(super) enum Order {
    /// To tell an instance something.
    Tell(InstanceId, Control),
    /// To go on with another configuration.
    Reload(Box<Convergence>),
    /// When the daemon stops, to leave to the next process what can be left to it.
    HandOver,
    /// To tell which links and addresses there are.
    Survey(oneshot::Sender<Survey>),
    /// To say that it is there.
    Answer(oneshot::Sender<()>),
}

/// What the slow plane sends to the fast one, and where the fast one sends its own.
pub(super) struct Lines {
    /// For scripts.
    pub(super) notices: UnboundedSender<notify::Message>,
    /// Interfaces that were asked for their carrier.
    pub(super) carriers: UnboundedReceiver<(IfName, bool)>,
    /// Told what has failed that nothing works without.
    pub(super) failed: UnboundedSender<&'static str>,
    /// Counts what the kernel has answered.
    pub(super) progress: Arc<AtomicU64>,
    /// What waits here at the start comes before anything an instance does. When this closes, all instances stop, and
    /// after the last one static items go.
    pub(super) orders: UnboundedReceiver<Order>,
    /// What the last process has left, and to whom.
    pub(super) inherited: BTreeMap<InstanceId, Inheritance>,
    /// What it may have left if it was killed.
    pub(super) left: Inventory,
    /// Told what is left to the next one.
    pub(super) handed_over: UnboundedSender<(InstanceId, Inheritance)>,
}

/// Runs all instances of `plan` until all are stopped and the kernel has given up what they held, and the static items;
/// these stay until `lines.orders` closes, whatever becomes of the instances.
pub(super) async fn run(fast: Fast, mut plan: Plan, lines: Lines) {
    let Fast { plane, vrrp, announcer, events, writer } = fast;
    let Lines { notices, carriers, failed, progress, mut orders, inherited, left, handed_over } = lines;
    delay_startup(&plane, &mut plan);
    wording::channels_open();
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
    ledger.clear_away(left);
    ledger.register_static(&plan.statics);
    for instance in &plan.instances {
        ledger.register(instance.id, instance.watch(), &instance.claims());
        tracked(instance).into_iter().for_each(|name| ledger.track(instance.id, name));
        if inherited.contains_key(&instance.id) {
            ledger.reserve(Owner::Instance(instance.id));
        }
    }
    ledger.compact();
    for address in plan.instances.iter().flat_map(|instance| &instance.addresses) {
        mirror.borrow_mut().note_virtual(address.cidr.ip);
    }
    let debounce = Debounce::new(plan.link_delays.delays.clone());
    let mut conductor = Conductor {
        ports: Rc::new(Ports {
            plane: plane.clone(),
            endpoints,
            announcer,
            pacer,
            mirror: Rc::clone(&mirror),
            claims: requests,
            notices,
            handed_over,
        }),
        members: BTreeMap::new(),
        hubs: Vec::new(),
        numbers: 0,
        statics: plan.statics.clone(),
        failed: failed.clone(),
        inherited,
        hands_over: false,
    };
    let instances = conductor.start(plan.instances, plan.groups);
    while let Ok(order) = orders.try_recv() {
        conductor.carry_out(order);
    }
    let conduct = async move {
        while let Some(order) = orders.recv().await {
            conductor.carry_out(order);
        }
        conductor.stop();
    };
    plane.tasks.spawn("conductor", Box::pin(conduct));
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
        progress,
    };
    // The daemon may be stopping already.
    let fail = move || {
        let _ = failed.send("reconciler");
    };
    reconciler.run(fail).await;
}

/// Nobody becomes master before the configured time after the start, or after the machine's boot, has passed.
fn delay_startup(plane: &Plane, plan: &mut Plan) {
    let since_boot = plane.now() - Instant::ZERO;
    let delay = plan.startup_delay.max(plan.delay_after_boot.saturating_sub(since_boot));
    if delay.is_zero() {
        return;
    }
    wording::startup_delayed(delay);
    for instance in &mut plan.instances {
        Arc::make_mut(instance).params_mut().startup_delay = delay;
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
    ports: Rc<Ports>,
    /// How to reach each instance.
    members: BTreeMap<InstanceId, Post<Message>>,
    /// Sync groups.
    hubs: Vec<(GroupPlan, Rc<GroupHub>)>,
    /// How many there have been.
    numbers: u32,
    /// The static items.
    statics: Vec<kernel::Claim>,
    /// Told what has failed that nothing works without.
    failed: UnboundedSender<&'static str>,
    /// What the last process has left to those that have not started yet.
    inherited: BTreeMap<InstanceId, Inheritance>,
    /// Whether the stop is one with a next start.
    hands_over: bool,
}

impl Conductor {
    /// Starts `instances` in these groups. Gives what the kernel's news reach them by.
    fn start(
        &mut self,
        instances: Vec<Arc<InstancePlan>>,
        groups: Vec<GroupPlan>,
    ) -> BTreeMap<InstanceId, Deliver> {
        let mut starting = Vec::new();
        let mut deliver: BTreeMap<_, Deliver> = BTreeMap::new();
        for plan in instances {
            let (post, messages) = mailbox(usize::MAX);
            self.members.insert(plan.id, post.clone());
            let tell = move |news| {
                post.send(Message::Control(Control::Kernel(news)));
            };
            deliver.insert(plan.id, Box::new(tell));
            starting.push((plan, messages));
        }
        self.regroup(groups);
        for (plan, messages) in starting {
            let name = format!("instance {}", plan.name);
            let hub = self.hub(plan.id);
            let mut facts = Facts::new(plan, hub);
            if let Some(left) = self.inherited.remove(&facts.plan().id) {
                facts.inherits(left);
            }
            let facts = Rc::new(RefCell::new(facts));
            self.ports.plane.tasks.spawn(&name, Box::pin(supervise(facts, Rc::clone(&self.ports), messages)));
        }
        deliver
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Tell(id, what) => {
                if let Some(member) = self.members.get(&id) {
                    member.send(Message::Control(what));
                }
            }
            Order::Reload(convergence) => {
                if catch_unwind(AssertUnwindSafe(|| self.reload(*convergence))).is_err() {
                    // Half of it is in effect. The daemon may be stopping already.
                    let _ = self.failed.send("reload");
                }
            }
            // The daemon may be stopping.
            Order::Answer(reply) => {
                let _ = reply.send(());
            }
            Order::HandOver => self.hands_over = true,
            Order::Survey(reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(self.ports.mirror.borrow().survey());
            }
        }
    }

    /// Tells all instances to stop.
    fn stop(self) {
        let how = if self.hands_over { Control::HandOver } else { Control::Stop };
        for member in self.members.values() {
            member.send(Message::Control(how.clone()));
        }
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
                self.numbers += 1;
                Rc::new(GroupHub::new(self.numbers, group.name.clone(), members, self.ports.notices.clone()))
            });
            self.hubs.push((group, hub));
        }
    }

    /// Carries a changed configuration out, all of it at once: nothing else runs on this plane meanwhile.
    fn reload(&mut self, convergence: Convergence) {
        let Convergence { plan, added, changed, gone } = convergence;
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
            instances: starting.iter().chain(&staying).map(|plan| wants(plan)).collect(),
            statics,
            delays: plan.link_delays.delays,
            asked: plan.linkbeats.into_iter().map(|linkbeat| linkbeat.interface).collect(),
            added: Vec::new(),
        };
        let before: BTreeMap<InstanceId, Option<Rc<GroupHub>>> =
            staying.iter().map(|plan| (plan.id, self.hub(plan.id))).collect();
        let added = self.start(starting, plan.groups).into_iter().collect();
        // The reconciler outlives all instances.
        let _ = self.ports.claims.send(Request::Reload(Box::new(reconciler::Reload { added, ..news })));
        for plan in staying {
            let Some(member) = self.members.get(&plan.id) else { continue };
            let (group, rejoins) = (self.hub(plan.id), rejoins(&plan));
            let same = match (before.get(&plan.id).and_then(Option::as_ref), &group) {
                (Some(before), Some(now)) => Rc::ptr_eq(before, now),
                (before, now) => before.is_none() && now.is_none(),
            };
            let change = Change { plan, group, regrouped: !same, rejoins };
            member.send(Message::Reload(Box::new(change)));
        }
        for id in gone {
            if let Some(member) = self.members.remove(&id) {
                member.send(Message::Control(Control::Delete));
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
fn multicast_groups(instances: &[Arc<InstancePlan>]) -> BTreeMap<IfName, Vec<IpAddr>> {
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
async fn supervise(facts: Rc<RefCell<Facts>>, ports: Rc<Ports>, mut messages: Mailbox<Message>) {
    let id = facts.borrow().plan().id;
    loop {
        // In a box, since a task keeps room for all that it moves twice.
        let mut instance = Box::new(Instance::new(Rc::clone(&facts), Rc::clone(&ports)));
        if AssertUnwindSafe(instance.run(&mut messages)).catch_unwind().await.is_ok() {
            break;
        }
        // What it holds goes with it.
        drop(instance);
        wording::panicked(&facts.borrow().plan().name);
        facts.borrow_mut().started();
        let trouble = wording::panic_trouble(&facts.borrow().plan().name);
        report(&facts, id, Some(trouble.into()));
        // Number 0 is never awaited: machines count from 1.
        let release = Claim { owner: id, hold: Hold::Release, number: 0 };
        // The reconciler outlives all instances.
        let _ = ports.claims.send(Request::Claim(release));
        ports.plane.sleep(RESTART_PAUSE).await;
        report(&facts, id, None);
    }
    if facts.borrow().is_deleted() {
        let _ = ports.claims.send(Request::Forget(id));
    }
}

/// Tells the sync group what is wrong with this member, or that nothing is any longer.
fn report(facts: &RefCell<Facts>, id: InstanceId, trouble: Option<Arc<str>>) {
    let group = facts.borrow().group();
    if let Some(group) = group {
        group.report(id, Report::Faulty(trouble));
    }
}
