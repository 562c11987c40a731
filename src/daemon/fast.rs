//! What runs on the fast plane: instances, their sockets, and the reconciler.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::base::IfName;
use crate::host::Fast;
use crate::kernel::reconciler::{Claim, Deliver, Reconciler};
use crate::kernel::{Ledger, Mirror};
use crate::notify::Message;
use crate::plan::{InstancePlan, Plan};
use crate::report::wording;
use crate::vrrp::demux::Endpoints;
use crate::vrrp::instance::{Control, Instance, Ports};

/// The pause before a task that panicked starts again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Runs all instances of `plan`, which get their control messages from `inboxes`, until all are stopped and the kernel
/// has given up their addresses.
pub(super) async fn run(
    fast: Fast,
    plan: Plan,
    inboxes: Vec<UnboundedReceiver<Control>>,
    notices: UnboundedSender<Message>,
) {
    let Fast { plane, vrrp, announcer, events, writer } = fast;
    let mirror = Rc::new(RefCell::new(Mirror::default()));
    let groups = groups(&plan.instances);
    let endpoints = Rc::new(Endpoints::new(plane.clone(), vrrp, groups, plan.log_unknown_vrids));
    let (claims, claims_inbox) = unbounded_channel();
    let mut ledger = Ledger::default();
    let mut instances: BTreeMap<_, Deliver> = BTreeMap::new();
    for (plan, mut inbox) in plan.instances.into_iter().zip(inboxes) {
        ledger.register(plan.id, plan.interface.clone(), &plan.addresses);
        let (news, mut news_inbox) = unbounded_channel();
        let deliver = move |n| {
            // An instance that has stopped needs no news.
            let _ = news.send(Control::Kernel(n));
        };
        instances.insert(plan.id, Box::new(deliver));
        let ports = Ports {
            plane: plane.clone(),
            endpoints: Rc::clone(&endpoints),
            announcer: Rc::clone(&announcer),
            mirror: Rc::clone(&mirror),
            claims: claims.clone(),
            notices: notices.clone(),
            facts: Rc::default(),
        };
        let name = format!("instance {}", plan.name);
        let task = async move { supervise(plan, ports, &mut inbox, &mut news_inbox).await };
        plane.tasks.spawn(&name, Box::pin(task));
    }
    // Only instances hold these from now on: when the last one ends, so do the reconciler and the notifier.
    drop((claims, notices, endpoints));
    Reconciler { plane, ledger, mirror, events, writer, claims: claims_inbox, instances }.run().await;
}

/// The multicast groups that instances use on each interface.
fn groups(instances: &[InstancePlan]) -> BTreeMap<IfName, Vec<IpAddr>> {
    let mut groups: BTreeMap<IfName, Vec<IpAddr>> = BTreeMap::new();
    for instance in instances {
        let group = IpAddr::V4(instance.params.destination);
        let on_interface = groups.entry(instance.interface.clone()).or_default();
        if !on_interface.contains(&group) {
            on_interface.push(group);
        }
    }
    groups
}

/// Runs one instance; after a panic gives up its addresses and, after a pause, starts it again.
async fn supervise(
    plan: InstancePlan,
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
        // Number 0 is never awaited: machines count from 1.
        let release = Claim { owner: plan.id, hold: false, number: 0 };
        // The reconciler outlives all instances.
        let _ = ports.claims.send(release);
        ports.plane.sleep(RESTART_PAUSE).await;
    }
}
