//! What an instance was told that is still true.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::kernel::ledger::Interface;
use crate::plan::{InstancePlan, Subject};
use crate::vrrp::group::Blame;
use crate::vrrp::group_hub::GroupHub;
use crate::vrrp::machine::Inheritance;
use crate::vrrp::tracking::Status;

/// What an instance has to be told again after a panic.
pub struct Facts {
    pub(super) plan: Arc<InstancePlan>,
    pub(super) group: Option<Rc<GroupHub>>,
    pub(super) interface: Option<Interface>,
    pub(super) tracked: BTreeMap<Subject, Status>,
    /// Another member of the sync group is faulty.
    pub(super) dragged: Option<Blame>,
    /// A reload has removed it, and it has stopped.
    pub(super) deleted: bool,
    /// What a process before this one has left that was master.
    pub(super) inherits: Option<Inheritance>,
}

impl Facts {
    /// Of an instance that has not been told anything but its plan and its sync group.
    pub fn new(plan: Arc<InstancePlan>, group: Option<Rc<GroupHub>>) -> Self {
        Self {
            plan,
            group,
            interface: None,
            tracked: BTreeMap::new(),
            dragged: None,
            deleted: false,
            inherits: None,
        }
    }

    /// The process before this one was master, and has left this.
    pub fn inherits(&mut self, left: Inheritance) {
        self.inherits = Some(left);
    }

    /// As it is planned.
    pub fn plan(&self) -> &InstancePlan {
        &self.plan
    }

    /// Its sync group.
    pub fn group(&self) -> Option<Rc<GroupHub>> {
        self.group.clone()
    }

    /// Whether it has stopped because a reload has removed it.
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// It has started: it inherits nothing any more, and does not wait for the end of the start-up delay a second time.
    pub fn started(&mut self) {
        self.inherits = None;
        if !self.plan.params.startup_delay.is_zero() {
            Arc::make_mut(&mut self.plan).params_mut().startup_delay = Duration::ZERO;
        }
    }
}
