//! Who wants to know about something tracked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::base::InstanceId;
use crate::plan::Subject;
use crate::vrrp::instance::Control;
use crate::vrrp::tracking::Status;

/// Tells an instance something. One that is gone needs no news.
pub type Tell = Rc<dyn Fn(InstanceId, Control)>;

/// The instances that track one thing, and what they were told last.
#[derive(Clone)]
pub struct Listeners(Rc<Known>);

struct Known {
    what: Subject,
    tell: Tell,
    instances: RefCell<Vec<InstanceId>>,
    status: Cell<Option<Status>>,
    tally: Cell<u64>,
    busy: Cell<bool>,
}

/// What is known of something tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What the instances were told last.
    pub status: Option<Status>,
    /// How many processes there are, or the level of a script between 0 and rise + fall - 1.
    pub count: u64,
    /// A script runs at this moment.
    pub busy: bool,
}

impl Listeners {
    /// These instances want to know about `what`.
    pub fn new(what: Subject, tell: Tell, instances: Vec<InstanceId>) -> Self {
        Self(Rc::new(Known {
            what,
            tell,
            instances: RefCell::new(instances),
            status: Cell::new(None),
            tally: Cell::new(0),
            busy: Cell::new(false),
        }))
    }

    /// From now on these instances. They are told what is known.
    pub fn replace(&self, instances: Vec<InstanceId>) {
        *self.0.instances.borrow_mut() = instances;
        if let Some(status) = self.0.status.get() {
            self.tell(status);
        }
    }

    /// What it is about.
    pub fn what(&self) -> &Subject {
        &self.0.what
    }

    /// What is known, for those who ask.
    pub fn tally(&self) -> Tally {
        Tally { status: self.0.status.get(), count: self.0.tally.get(), busy: self.0.busy.get() }
    }

    /// The number that led to what they are told.
    pub fn count(&self, count: u64) {
        self.0.tally.set(count);
    }

    /// A script begins to run, or has ended.
    pub fn busy(&self, busy: bool) {
        self.0.busy.set(busy);
    }

    /// What they were told last.
    pub fn status(&self) -> Option<Status> {
        self.0.status.get()
    }

    /// Tells them what is known now.
    pub fn tell(&self, status: Status) {
        self.0.status.set(Some(status));
        for listener in &*self.0.instances.borrow() {
            (self.0.tell)(*listener, Control::Tracked(self.0.what.clone(), status));
        }
    }

    /// Tells them whether it is good.
    pub fn tell_good(&self, good: bool) {
        self.tell(if good { Status::Good } else { Status::Bad });
    }
}
