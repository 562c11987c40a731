//! Who wants to know about something tracked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::mpsc::UnboundedSender;

use crate::plan::Subject;
use crate::vrrp::instance::Control;
use crate::vrrp::tracking::Status;

/// The instances that track one thing, and what they were told last.
#[derive(Clone, Debug)]
pub struct Listeners(Rc<Known>);

#[derive(Debug)]
struct Known {
    what: Subject,
    instances: RefCell<Vec<UnboundedSender<Control>>>,
    status: Cell<Option<Status>>,
}

impl Listeners {
    /// These instances, given by their inboxes, want to know about `what`.
    pub fn new(what: Subject, instances: Vec<UnboundedSender<Control>>) -> Self {
        Self(Rc::new(Known { what, instances: RefCell::new(instances), status: Cell::new(None) }))
    }

    /// From now on these instances. They are told what is known.
    pub fn replace(&self, instances: Vec<UnboundedSender<Control>>) {
        *self.0.instances.borrow_mut() = instances;
        if let Some(status) = self.0.status.get() {
            self.tell(status);
        }
    }

    /// What they were told last.
    pub fn status(&self) -> Option<Status> {
        self.0.status.get()
    }

    /// Tells them what is known now.
    pub fn tell(&self, status: Status) {
        self.0.status.set(Some(status));
        for listener in &*self.0.instances.borrow() {
            // An instance that is gone needs no news.
            let _ = listener.send(Control::Tracked(self.0.what.clone(), status));
        }
    }

    /// Tells them whether it is good.
    pub fn tell_good(&self, good: bool) {
        self.tell(if good { Status::Good } else { Status::Bad });
    }
}
