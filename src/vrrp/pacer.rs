//! Spaces announcements out, where the configuration asks for that (`vrrp_garp_interval`, `vrrp_gna_interval`,
//! `garp_group`).
//!
//! Each set of interfaces has a lane for each family. A lane sends one frame, waits for its interval, and sends the
//! next. Without an interval announcements do not pass through here.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::base::{Family, IfName, InstanceId, Instant};
use crate::host::{Announcer, Frame, Plane};
use crate::plan::PacingPlan;
use crate::report::wording;

/// All lanes.
pub struct Pacer {
    plane: Plane,
    announcer: Rc<dyn Announcer>,
    plan: RefCell<PacingPlan>,
    lanes: RefCell<BTreeMap<(Set, Family), Rc<Lane>>>,
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

/// A frame that is to be sent.
pub struct Waiting {
    /// Who announces.
    pub owner: InstanceId,
    /// Sent later than this it would be wrong: the owner was away so long that it will listen first, and announce again.
    pub patience: Duration,
    /// What to send.
    pub frame: Frame,
}

impl Pacer {
    /// Lanes as `plan` wants them.
    pub fn new(plane: Plane, announcer: Rc<dyn Announcer>, plan: PacingPlan) -> Self {
        Self { plane, announcer, plan: RefCell::new(plan), lanes: RefCell::default() }
    }

    /// From now on lanes as `plan` wants them. What waits already is sent as it was to be.
    pub fn replace(&self, plan: PacingPlan) {
        if *self.plan.borrow() != plan {
            *self.plan.borrow_mut() = plan;
            self.lanes.borrow_mut().clear();
        }
    }

    /// Takes what is to be sent through `dev` if that has a lane; gives it back if not.
    pub fn take(&self, dev: &IfName, family: Family, waiting: Waiting) -> Option<Frame> {
        let Some(lane) = self.lane(dev, family) else { return Some(waiting.frame) };
        lane.waiting.borrow_mut().push_back(waiting);
        if !lane.running.replace(true) {
            let task = empty(self.plane.clone(), Rc::clone(&self.announcer), lane);
            self.plane.tasks.spawn("announcements", Box::pin(task));
        }
        None
    }

    /// Forgets what still waits of this instance: it holds its addresses no more.
    pub fn forget(&self, owner: InstanceId) {
        for lane in self.lanes.borrow().values() {
            lane.waiting.borrow_mut().retain(|w| w.owner != owner);
        }
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
            lane.waiting.borrow_mut().retain(|w| late < w.patience);
            continue;
        }
        let Some(Waiting { frame, .. }) = lane.waiting.borrow_mut().pop_front() else { break };
        lane.free_at.set(now + lane.interval);
        if let Err(error) = announcer.announce(&[frame]) {
            wording::paced_announcement_failed(&error);
        }
    }
    lane.running.set(false);
}
