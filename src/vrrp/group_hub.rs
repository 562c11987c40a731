//! What connects the members of one sync group: reports in, orders out, at once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;

use super::group::{Group, Output, Report};
use super::instance;
use super::machine::Notice;
use super::mailbox::Post;
use crate::base::InstanceId;
use crate::notify::Message;
use crate::report::wording;

/// One sync group on the fast plane.
pub struct GroupHub {
    number: u32,
    name: String,
    group: RefCell<Group>,
    members: BTreeMap<InstanceId, Post<instance::Message>>,
    notices: UnboundedSender<Message>,
}

impl GroupHub {
    /// A group of these members, in configuration order. No two have the same `number`: after a reload, orders of the old
    /// one may still be on their way. Notices go to `notices`.
    pub fn new(
        number: u32,
        name: String,
        members: Vec<(InstanceId, Post<instance::Message>)>,
        notices: UnboundedSender<Message>,
    ) -> Self {
        let group = Group::new(members.iter().map(|(id, _)| *id).collect());
        Self { number, name, group: RefCell::new(group), members: members.into_iter().collect(), notices }
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// A member reports. Orders are in the members' inboxes when this returns.
    pub fn report(&self, member: InstanceId, report: Report) {
        let mut out = Vec::new();
        let trouble = if let Report::Faulty(trouble) = &report { trouble.clone() } else { None };
        self.group.borrow_mut().handle(member, report, &mut out);
        for output in out {
            match output {
                Output::Syncing(state) => {
                    wording::group(&self.name, state, trouble.as_deref());
                }
                Output::Order(id, order) => {
                    if let Some(member) = self.members.get(&id) {
                        // A member that has stopped needs no orders.
                        member.send(instance::Message::Group(self.number, order));
                    }
                }
                // The queue may be gone when the daemon is stopping.
                Output::Tell(id, state, priority) => {
                    let _ = self.notices.send(Message::Instance(id, Notice::State(state, priority)));
                }
                Output::Notify(state) => {
                    let _ = self.notices.send(Message::Group(self.name.clone(), state));
                }
            }
        }
    }
}
