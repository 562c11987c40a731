//! What connects the members of one sync group: reports in, orders out, at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::group::{Group, Order, Output, Report};
use super::instance;
use super::machine::{Notice, State};
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
    /// What is wrong with members that are in FAULT by themselves.
    troubles: RefCell<BTreeMap<InstanceId, Arc<str>>>,
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
        let (members, troubles) = (members.into_iter().collect(), RefCell::default());
        Self { number, name, group: RefCell::new(group), members, troubles, notices }
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What is wrong with a member, in words that name it; `None`: nothing any more. Before it reports that it is faulty.
    pub fn note(&self, member: InstanceId, trouble: Option<String>) {
        let mut troubles = self.troubles.borrow_mut();
        match trouble {
            Some(trouble) => troubles.insert(member, trouble.into()),
            None => troubles.remove(&member),
        };
    }

    /// What is wrong with the member that has reported, or with another one, but not with `except`.
    fn trouble(&self, reporter: InstanceId, except: Option<InstanceId>) -> Option<Arc<str>> {
        let troubles = self.troubles.borrow();
        let reported = troubles.get(&reporter).filter(|_| except != Some(reporter));
        let other = || troubles.iter().find(|(id, _)| except != Some(**id)).map(|(_, trouble)| trouble);
        reported.or_else(other).map(Arc::clone)
    }

    /// A member reports. Orders are in the members' inboxes when this returns.
    pub fn report(&self, member: InstanceId, report: Report) {
        let mut out = Vec::new();
        self.group.borrow_mut().handle(member, report, &mut out);
        for output in out {
            match output {
                Output::Syncing(state) => {
                    let trouble = self.trouble(member, None).filter(|_| state == State::Fault);
                    wording::group(&self.name, state, trouble.as_deref());
                }
                Output::Order(id, order) => {
                    let trouble = self.trouble(member, Some(id)).filter(|_| order == Order::Fault(true));
                    if let Some(member) = self.members.get(&id) {
                        let message = match trouble {
                            Some(trouble) => instance::Message::Dragged(self.number, trouble),
                            None => instance::Message::Group(self.number, order),
                        };
                        // A member that has stopped needs no orders.
                        member.send(message);
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
