//! What runs on the fast plane: instances, their sockets, and the reconciler.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::base::{IfName, InstanceId, Instant};
use crate::host::{Fast, Plane};
use crate::kernel::debounce::Debounce;
use crate::kernel::reconciler::{Claim, Deliver, Reconciler};
use crate::kernel::{Ledger, Mirror};
use crate::notify::Message;
use crate::plan::{InstancePlan, Plan, Subject};
use crate::report::wording;
use crate::vrrp::demux::Endpoints;
use crate::vrrp::group::Report;
use crate::vrrp::group_hub::GroupHub;
use crate::vrrp::instance::{Control, Instance, Ports};
use crate::vrrp::pacer::Pacer;
use crate::vrrp::params::Delivery;

/// The pause before a task that panicked starts again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Runs all instances of `plan`, which get their control messages from `inboxes`, until all are stopped and the kernel
/// has given up what they held, and the static items; these stay until `stopped`, whatever becomes of the instances.
pub(super) async fn run(
    fast: Fast,
    mut plan: Plan,
    inboxes: Vec<UnboundedReceiver<Control>>,
    notices: UnboundedSender<Message>,
    carriers: UnboundedReceiver<(IfName, bool)>,
    stopped: oneshot::Receiver<()>,
) {
    let Fast { plane, vrrp, announcer, events, writer } = fast;
    delay_startup(&plane, &mut plan);
    wording::delays_shortened(&plan.link_delays.shortened);
    if plan.filters_unasked {
        wording::filters_unasked();
    }
    let mirror = Rc::new(RefCell::new(Mirror::default()));
    let multicast = multicast_groups(&plan.instances);
    let endpoints = Rc::new(Endpoints::new(plane.clone(), vrrp, multicast, plan.log_unknown_vrids));
    let pacer = Rc::new(Pacer::new(plane.clone(), Rc::clone(&announcer), plan.pacing.clone()));
    let (claims, claims_inbox) = unbounded_channel();
    let mut ledger = Ledger::default();
    if !plan.statics.is_empty() {
        ledger.register_static(&plan.statics);
        let claims = claims.clone();
        let keep = async move {
            // An error means as much: nobody is there any more to tell.
            let _ = stopped.await;
            drop(claims);
        };
        plane.tasks.spawn("static items", Box::pin(keep));
    }
    for address in plan.instances.iter().flat_map(|instance| &instance.addresses) {
        mirror.borrow_mut().note_virtual(address.cidr.ip);
    }
    let mut instances: BTreeMap<_, Deliver> = BTreeMap::new();
    let (news, news_inboxes): (Vec<_>, Vec<_>) = plan.instances.iter().map(|_| unbounded_channel()).unzip();
    let groups = group_hubs(&plan, &news, &notices);
    let inboxes = inboxes.into_iter().zip(news.into_iter().zip(news_inboxes));
    for (plan, (mut inbox, (news, mut news_inbox))) in plan.instances.into_iter().zip(inboxes) {
        ledger.register(plan.id, plan.watch(), &plan.claims());
        for (index, track) in plan.tracks.iter().enumerate() {
            if let Subject::Interface(interface) = &track.what {
                ledger.track(plan.id, index, interface.clone());
            }
        }
        let deliver = move |n| {
            // An instance that has stopped needs no news.
            let _ = news.send(Control::Kernel(n));
        };
        instances.insert(plan.id, Box::new(deliver));
        let ports = Ports {
            plane: plane.clone(),
            endpoints: Rc::clone(&endpoints),
            announcer: Rc::clone(&announcer),
            pacer: Rc::clone(&pacer),
            mirror: Rc::clone(&mirror),
            claims: claims.clone(),
            notices: notices.clone(),
            facts: Rc::default(),
            group: groups.get(&plan.id).cloned(),
        };
        let name = format!("instance {}", plan.name);
        let task = async move { supervise(plan, ports, &mut inbox, &mut news_inbox).await };
        plane.tasks.spawn(&name, Box::pin(task));
    }
    // Only instances and static items hold these from now on: when the last one ends, so do the reconciler and the notifier.
    drop((claims, notices, endpoints, groups));
    let debounce = Debounce::new(plan.link_delays.delays);
    Reconciler { plane, ledger, debounce, carriers, mirror, events, writer, claims: claims_inbox, instances }
        .run()
        .await;
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

/// The sync group of each instance that is in one.
fn group_hubs(
    plan: &Plan,
    news: &[UnboundedSender<Control>],
    notices: &UnboundedSender<Message>,
) -> BTreeMap<InstanceId, Rc<GroupHub>> {
    let mut hubs = BTreeMap::new();
    for (number, group) in plan.groups.iter().enumerate() {
        let inbox = |id: &InstanceId| Some((*id, news.get(id.0 as usize)?.clone()));
        let members = group.members.iter().filter_map(inbox).collect();
        let hub = Rc::new(GroupHub::new(number, group.name.clone(), members, notices.clone()));
        hubs.extend(group.members.iter().map(|id| (*id, Rc::clone(&hub))));
    }
    hubs
}

/// The multicast groups that instances use on each interface.
fn multicast_groups(instances: &[InstancePlan]) -> BTreeMap<IfName, Vec<IpAddr>> {
    let mut groups: BTreeMap<IfName, Vec<IpAddr>> = BTreeMap::new();
    for instance in instances {
        let (Some(interface), Delivery::Multicast(group)) = (instance.seat(), &instance.params.delivery)
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
    mut plan: InstancePlan,
    ports: Ports,
    inbox: &mut UnboundedReceiver<Control>,
    news: &mut UnboundedReceiver<Control>,
) {
    loop {
        let run = Instance::new(plan.clone(), ports.clone()).run(inbox, news);
        if AssertUnwindSafe(run).catch_unwind().await.is_ok() {
            return;
        }
        wording::panicked(&plan.name);
        plan.params.startup_delay = Duration::ZERO;
        report(&ports, &plan, true);
        // Number 0 is never awaited: machines count from 1.
        let release = Claim { owner: plan.id, hold: false, number: 0 };
        // The reconciler outlives all instances.
        let _ = ports.claims.send(release);
        ports.plane.sleep(RESTART_PAUSE).await;
        report(&ports, &plan, false);
    }
}

/// Tells the sync group that something is wrong with this member, or no longer.
fn report(ports: &Ports, plan: &InstancePlan, faulty: bool) {
    if let Some(group) = &ports.group {
        group.report(plan.id, Report::Faulty(faulty));
    }
}
