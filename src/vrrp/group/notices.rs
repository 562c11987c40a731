//! What the scripts of a sync group and of its members are told, in stock's order.
//!
//! At the start the group waits until it knows the state of all members: BACKUP is told of the group first and then
//! of the members, FAULT the other way round. Later it is told of the member that began, of the others in the group's
//! order, and of the group at last, whatever the order in which the kernel has followed their claims.

use std::collections::BTreeMap;

use super::Output;
use crate::base::{InstanceId, Priority};
use crate::vrrp::machine::State;

/// A member's notice.
type Notice = (State, Priority);

/// The notices of one sync group.
#[derive(Clone, Debug)]
pub(super) struct Notices {
    /// What each member's scripts were told last.
    members: BTreeMap<InstanceId, Option<State>>,
    /// What the group's scripts were told last.
    group: Option<State>,
    /// A member could not start at once.
    awaited: bool,
    /// The first states of all have been told.
    begun: bool,
    /// Notices that wait for those before them.
    held: BTreeMap<InstanceId, Notice>,
    /// Who is still to be told of this state, in order.
    expected: (State, Vec<InstanceId>),
}

impl Notices {
    pub(super) fn new(members: &[InstanceId]) -> Self {
        Self {
            members: members.iter().map(|id| (*id, None)).collect(),
            group: None,
            awaited: false,
            begun: false,
            held: BTreeMap::new(),
            expected: (State::Init, Vec::new()),
        }
    }

    /// A member could not start at once: then the group is told of after its members, as if this was a later change.
    pub(super) fn awaited(&mut self) {
        self.awaited = true;
    }

    /// A member was there before the group was as it is now, and its scripts know this state.
    pub(super) fn joined(&mut self, id: InstanceId, state: State) {
        self.begun = true;
        self.members.insert(id, Some(state));
        if self.members.values().all(|told| *told == Some(state)) {
            self.group = Some(state);
        }
    }

    /// The group is brought into `state`, these members one after the other.
    pub(super) fn sync(&mut self, state: State, order: Vec<InstanceId>, out: &mut Vec<Output>) {
        if self.begun {
            self.flush(out);
            self.expected = (state, order);
        }
    }

    /// A member has come into a state.
    pub(super) fn told(&mut self, id: InstanceId, notice: Notice, out: &mut Vec<Output>) {
        let (state, _) = notice;
        self.held.insert(id, notice);
        if state == State::Stopped {
            // Others may never come: nobody waits for them.
            self.begun = true;
            self.flush(out);
        } else if !self.begun {
            self.begin(state, out);
        } else if self.expected.0 == state && self.expected.1.contains(&id) {
            while let Some(next) = self.expected.1.first().copied() {
                let Some(notice) = self.held.remove(&next) else { return };
                self.expected.1.remove(0);
                self.tell(next, notice, out);
            }
        } else {
            self.flush(out);
        }
    }

    /// All members are in the same state for the first time.
    fn begin(&mut self, state: State, out: &mut Vec<Output>) {
        let same = self.held.values().filter(|(s, _)| *s == state).count();
        if same < self.members.len() {
            return;
        }
        self.begun = true;
        if state == State::Backup && !self.awaited {
            self.group = Some(state);
            out.push(Output::Notify(state));
        }
        self.flush(out);
    }

    /// Whatever is held, in the order expected, if there is one.
    fn flush(&mut self, out: &mut Vec<Output>) {
        for id in std::mem::take(&mut self.expected.1) {
            if let Some(notice) = self.held.remove(&id) {
                self.tell(id, notice, out);
            }
        }
        while let Some((id, notice)) = self.held.pop_first() {
            self.tell(id, notice, out);
        }
    }

    /// Once for each state of the group, when all members have been told.
    fn tell(&mut self, id: InstanceId, (state, priority): Notice, out: &mut Vec<Output>) {
        out.push(Output::Tell(id, state, priority));
        self.members.insert(id, Some(state));
        if self.group != Some(state) && self.members.values().all(|told| *told == Some(state)) {
            self.group = Some(state);
            out.push(Output::Notify(state));
        }
    }
}
