//! The task that asks interfaces for their carrier and tells the reconciler.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::base::IfName;
use crate::host::{CarrierMethod, Carriers, Plane};
use crate::plan::LinkbeatPlan;
use crate::report::wording;

/// How often they are asked.
const INTERVAL: Duration = Duration::from_secs(1);

/// One interface.
struct Watched {
    plan: LinkbeatPlan,
    carrier: Option<bool>,
}

/// All interfaces that are asked.
pub struct Linkbeat {
    plane: Plane,
    carriers: Rc<dyn Carriers>,
    watched: Vec<Watched>,
    tell: UnboundedSender<(IfName, bool)>,
}

impl Linkbeat {
    /// Asks all of them once, and tells `tell`.
    pub fn new(
        plane: Plane,
        carriers: Rc<dyn Carriers>,
        plans: Vec<LinkbeatPlan>,
        tell: UnboundedSender<(IfName, bool)>,
    ) -> Self {
        let watched = plans.into_iter().map(|plan| Watched { plan, carrier: None }).collect();
        let mut linkbeat = Self { plane, carriers, watched, tell };
        linkbeat.ask();
        linkbeat
    }

    /// Asks until the daemon stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.plane.sleep(INTERVAL) => self.ask(),
            }
        }
    }

    fn ask(&mut self) {
        for Watched { plan, carrier } in &mut self.watched {
            // What cannot be asked has no carrier: it may come back, or be driven by another driver.
            let now = ask(&*self.carriers, plan).unwrap_or(false);
            let before = carrier.replace(now);
            if before.is_some_and(|before| before != now) {
                wording::linkbeat(&plan.interface, now);
            }
            if before != Some(now) {
                // The reconciler is gone when the daemon stops.
                let _ = self.tell.send((plan.interface.clone(), now));
            }
        }
    }
}

/// The way that is configured, and those behind it.
fn ask(carriers: &dyn Carriers, plan: &LinkbeatPlan) -> Option<bool> {
    let all = [CarrierMethod::Mii, CarrierMethod::Ethtool, CarrierMethod::Flags];
    let ways = all.into_iter().skip_while(|way| *way != plan.method);
    ways.filter_map(|way| carriers.carrier(&plan.interface, way)).next()
}
