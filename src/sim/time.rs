//! Virtual time: [`Clock`] and [`Timers`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::NodeId;
use super::state::{Event, Key, Shared};
use crate::base::Instant;
use crate::host::{Clock, Timer, Timers};

/// What the wall clocks say when the world begins: in January 2027.
const BEGINNING: Duration = Duration::from_secs(1_800_000_000);

/// The time line, the timers on it, and the wall clock of a node.
pub(super) struct Time(pub(super) Shared, pub(super) NodeId);

impl Clock for Time {
    fn now(&self) -> Instant {
        self.0.borrow().now
    }

    fn unix_time(&self) -> Duration {
        let mut world = self.0.borrow_mut();
        let passed = world.now - Instant::ZERO;
        let (ahead, behind) = world.node(self.1).clock;
        (BEGINNING + ahead + passed).saturating_sub(behind)
    }
}

impl Timers for Time {
    fn timer(&self) -> Box<dyn Timer> {
        Box::new(SimTimer { world: Rc::clone(&self.0), cell: Rc::default() })
    }
}

/// What the schedule knows of a timer.
#[derive(Default)]
pub(super) struct TimerCell {
    at: Cell<Option<Instant>>,
    /// Where it stands in the schedule; `None` once its time has come.
    key: Cell<Option<Key>>,
    waker: RefCell<Option<Waker>>,
}

impl TimerCell {
    /// Its time has come.
    pub(super) fn fire(&self) {
        self.key.set(None);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

struct SimTimer {
    world: Shared,
    cell: Rc<TimerCell>,
}

impl SimTimer {
    fn unschedule(&self) {
        if let Some(key) = self.cell.key.take() {
            self.world.borrow_mut().schedule.remove(&key);
        }
    }
}

impl Timer for SimTimer {
    fn set(&mut self, at: Option<Instant>) {
        self.unschedule();
        self.cell.at.set(at);
        if let Some(at) = at {
            let event = Event::Timer(Rc::clone(&self.cell));
            self.cell.key.set(Some(self.world.borrow_mut().schedule(at, event)));
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.world.borrow().now;
        if self.cell.at.get().is_some_and(|at| at <= now) {
            self.unschedule();
            self.cell.at.set(None);
            return Poll::Ready(());
        }
        *self.cell.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for SimTimer {
    fn drop(&mut self) {
        self.unschedule();
    }
}
