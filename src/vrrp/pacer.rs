//! Spaces announcements out, where the configuration asks for that (`vrrp_garp_interval`, `vrrp_gna_interval`,
//! `garp_group`).
//!
//! Each set of interfaces has a lane for each family. A lane sends one frame, waits for its interval, and sends the
//! next. What has no lane goes to the [`bursts`](super::bursts).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::bursts::{Announcement, Burst, Bursts};
use crate::base::{Family, IfName, InstanceId, Instant};
use crate::host::{Announcer, Plane};
use crate::plan::{InstancePlan, PacingPlan};
use crate::report::wording;

/// All lanes.
pub struct Pacer {
    plane: Plane,
    announcer: Rc<dyn Announcer>,
    plan: RefCell<PacingPlan>,
    lanes: RefCell<BTreeMap<(Set, Family), Rc<Lane>>>,
    /// For what has no lane.
    bursts: Rc<Bursts>,
}

/// Interfaces that share a lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Set {
    /// The group with this number.
    Group(usize),
    /// An interface by itself.
    Interface(IfName),
}

struct Lane {
    interval: Duration,
    waiting: RefCell<VecDeque<Waiting>>,
    /// When the next frame may be sent.
    free_at: Cell<Instant>,
    /// A task empties the lane.
    running: Cell<bool>,
}

/// An announcement that is to be sent.
struct Waiting {
    plan: Arc<InstancePlan>,
    announcement: Announcement,
}

impl Pacer {
    /// Lanes as `plan` wants them.
    pub fn new(plane: Plane, announcer: Rc<dyn Announcer>, plan: PacingPlan) -> Self {
        let bursts = Bursts::start(&plane, Rc::clone(&announcer));
        Self { plane, announcer, plan: RefCell::new(plan), lanes: RefCell::default(), bursts }
    }

    /// From now on lanes as `plan` wants them. What waits already is sent as it was to be.
    pub fn replace(&self, plan: PacingPlan) {
        if *self.plan.borrow() != plan {
            *self.plan.borrow_mut() = plan;
            self.lanes.borrow_mut().clear();
        }
    }

    /// Sends a burst as it may be sent.
    pub fn announce(&self, mut burst: Burst) {
        let (plan, rounds) = (Arc::clone(&burst.plan), burst.rounds);
        let lane = |a: &Announcement| self.lane(plan.paced_on(&a.frame.name), Family::of(a.ip));
        let (paced, free): (Vec<_>, Vec<_>) =
            burst.announcements.into_iter().map(|a| (lane(&a), a)).partition(|(lane, _)| lane.is_some());
        for round in 0..rounds {
            for (lane, announcement) in &paced {
                let Some(lane) = lane else { continue };
                if round == 0 && !burst.repeats {
                    wording::announcing(&plan.name, &announcement.frame.name, announcement.ip);
                }
                self.queue(lane, Waiting { plan: Arc::clone(&plan), announcement: announcement.clone() });
            }
        }
        burst.announcements = free.into_iter().map(|(_, announcement)| announcement).collect();
        self.bursts.send(burst);
    }

    fn queue(&self, lane: &Rc<Lane>, waiting: Waiting) {
        lane.waiting.borrow_mut().push_back(waiting);
        if !lane.running.replace(true) {
            let task = empty(self.plane.clone(), Rc::clone(&self.announcer), Rc::clone(lane));
            self.plane.tasks.spawn("announcements", Box::pin(task));
        }
    }

    /// Forgets what still waits of this instance: it holds its addresses no more.
    pub fn forget(&self, owner: InstanceId) {
        for lane in self.lanes.borrow().values() {
            lane.waiting.borrow_mut().retain(|w| w.plan.id != owner);
        }
        self.bursts.forget(owner);
    }

    fn lane(&self, dev: &IfName, family: Family) -> Option<Rc<Lane>> {
        let plan = self.plan.borrow();
        let number = plan.groups.iter().position(|group| group.interfaces.contains(dev));
        let group = number.and_then(|number| plan.groups.get(number));
        let intervals = group.map_or(plan.intervals, |group| group.intervals);
        let interval = match family {
            Family::V4 => intervals.arp,
            Family::V6 => intervals.na,
        };
        if interval.is_zero() {
            return None;
        }
        let set = number.map_or_else(|| Set::Interface(dev.clone()), Set::Group);
        let mut lanes = self.lanes.borrow_mut();
        let lane = lanes.entry((set, family)).or_insert_with(|| {
            Rc::new(Lane {
                interval,
                waiting: RefCell::default(),
                free_at: Cell::new(Instant::ZERO),
                running: Cell::new(false),
            })
        });
        Some(Rc::clone(lane))
    }
}

/// Sends what waits in a lane, one by one.
async fn empty(plane: Plane, announcer: Rc<dyn Announcer>, lane: Rc<Lane>) {
    loop {
        let (now, due) = (plane.now(), lane.free_at.get());
        if now < due {
            plane.sleep(due - now).await;
            let late = plane.now() - due;
            // The owner was away so long that it will listen first, and announce again.
            lane.waiting.borrow_mut().retain(|w| late < w.plan.params.shortest_master_down());
            continue;
        }
        let Some(Waiting { announcement, .. }) = lane.waiting.borrow_mut().pop_front() else { break };
        let Announcement { ip, frame } = announcement;
        lane.free_at.set(now + lane.interval);
        wording::announced(&frame.name, ip);
        if let Err(error) = announcer.announce(&[frame]) {
            wording::announcement_failed(&error);
        }
    }
    lane.running.set(false);
}
