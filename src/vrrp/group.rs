//! A sync group: instances that are master together or not at all.
//!
//! Members report, the group orders. It is answered synchronously, so "may I become master?" has no race: the member
//! whose wish is the last one that was missing takes all of them along.

mod notices;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::notices::Notices;
use super::machine::State;
use crate::base::{InstanceId, Priority};

/// What a member reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Its master is down: it wants to become master.
    Wants,
    /// It no longer does: an advert came.
    Withdraws,
    /// It could not start before something tracked was known.
    Awaited,
    /// It was there before the group was as it is now, in this state.
    Joined(State),
    /// For the first time since the start or since it joined it hears another master.
    Follows,
    /// It lost an election, and is BACKUP now.
    Lost,
    /// Something of its own is wrong: what, in words that name it; or nothing any more.
    Faulty(Option<Arc<str>>),
    /// It has become master, as it was ordered to.
    Mastered,
    /// As master it heard an advert of lower priority.
    HeardLower,
    /// Its scripts are to be told of this state and effective priority.
    Told(State, Priority),
}

/// Why a member cannot take part, although nothing of its own is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// What is wrong with another member, in words that name it.
    pub trouble: Arc<str>,
    /// Something is wrong with still others.
    pub others: bool,
}

/// What a member has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Become MASTER.
    Master,
    /// Become BACKUP, without resigning: somebody else is master already.
    Backup,
    /// Another member is faulty, or none is any more.
    Fault(Option<Blame>),
    /// Announce the addresses: another member heard an advert of lower priority.
    Announce,
}

/// A decision of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A member has to do this.
    Order(InstanceId, Order),
    /// The members are brought into this state, for the log.
    Syncing(State),
    /// The scripts of a member are told of its state and effective priority.
    Tell(InstanceId, State, Priority),
    /// The scripts of the group are told of its state.
    Notify(State),
}

#[derive(Clone, Debug, Default)]
struct Member {
    wants: bool,
    /// Was master when it joined; the group as a whole need not be.
    holds: bool,
    /// What is wrong with it.
    trouble: Option<Arc<str>>,
    /// The other one that it has been told is faulty, and what it was told.
    blames: Option<(InstanceId, Blame)>,
}

/// One sync group.
#[derive(Clone, Debug)]
pub struct Group {
    /// In configuration order.
    order: Vec<InstanceId>,
    members: BTreeMap<InstanceId, Member>,
    /// Ordered to be master.
    master: bool,
    /// None of them has followed that order yet.
    ordered: bool,
    /// One of them was faulty when this was last looked at.
    faulty: bool,
    notices: Notices,
}

impl Group {
    /// A group of these instances.
    pub fn new(order: Vec<InstanceId>) -> Self {
        let members = order.iter().map(|id| (*id, Member::default())).collect();
        let notices = Notices::new(&order);
        Self { order, members, master: false, ordered: false, faulty: false, notices }
    }

    /// Takes a report and appends what it leads to.
    pub fn handle(&mut self, id: InstanceId, report: Report, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        match report {
            Report::Wants => {
                member.wants = true;
                self.elect(id, out);
            }
            Report::Withdraws | Report::Lost => {
                member.wants = false;
                member.holds = false;
                self.step_back(id, out);
            }
            Report::Awaited => self.notices.awaited(),
            Report::Follows => self.step_back(id, out),
            Report::Joined(state) => {
                member.holds = state == State::Master;
                self.master = self.members.values().all(|m| m.holds);
                self.notices.joined(id, state);
            }
            Report::Faulty(trouble) => {
                member.trouble = trouble;
                self.drag(id, out);
            }
            Report::Mastered => {
                if std::mem::take(&mut self.ordered) {
                    out.push(Output::Syncing(State::Master));
                }
            }
            Report::HeardLower => {
                let others = self.order.iter().filter(|other| **other != id);
                out.extend(others.map(|id| Output::Order(*id, Order::Announce)));
            }
            Report::Told(state, priority) => self.notices.told(id, (state, priority), out),
        }
    }

    /// Everybody, once everybody wants to; the one whose wish was missing first.
    fn elect(&mut self, last: InstanceId, out: &mut Vec<Output>) {
        if self.master || !self.members.values().all(|m| (m.wants || m.holds) && m.trouble.is_none()) {
            return;
        }
        self.master = true;
        self.ordered = true;
        let mut order = self.beginning_with(last);
        order.retain(|id| self.members.get(id).is_some_and(|m| !m.holds));
        out.extend(order.iter().map(|id| Output::Order(*id, Order::Master)));
        self.notices.sync(State::Master, order, out);
        self.forget_wishes();
    }

    /// All members, this one first.
    fn beginning_with(&self, first: InstanceId) -> Vec<InstanceId> {
        let others = self.order.iter().copied().filter(|id| *id != first);
        std::iter::once(first).chain(others).collect()
    }

    /// Wishes count for one election only.
    fn forget_wishes(&mut self) {
        for member in self.members.values_mut() {
            member.wants = false;
            member.holds = false;
        }
    }

    /// One of them found another master: so do all.
    fn step_back(&mut self, who: InstanceId, out: &mut Vec<Output>) {
        let hold = self.members.values().any(|m| m.holds);
        if !std::mem::take(&mut self.master) && !hold {
            return;
        }
        self.ordered = false;
        out.push(Output::Syncing(State::Backup));
        let order = self.beginning_with(who);
        out.extend(order.iter().skip(1).map(|id| Output::Order(*id, Order::Backup)));
        self.notices.sync(State::Backup, order, out);
        self.forget_wishes();
    }

    /// Everybody learns whether another one is faulty, and whom to blame.
    fn drag(&mut self, who: InstanceId, out: &mut Vec<Output>) {
        let troubled = |id: &InstanceId| Some((*id, Arc::clone(self.members.get(id)?.trouble.as_ref()?)));
        let faulty: Vec<(InstanceId, Arc<str>)> = self.order.iter().filter_map(troubled).collect();
        let any = !faulty.is_empty();
        if any {
            self.master = false;
            self.ordered = false;
            self.forget_wishes();
        }
        if any != std::mem::replace(&mut self.faulty, any) {
            let state = if any { State::Fault } else { State::Backup };
            out.push(Output::Syncing(state));
            self.notices.sync(state, self.beginning_with(who), out);
        }
        for id in &self.order {
            let Some(member) = self.members.get_mut(id) else { continue };
            let blames = blame(*id, member, &faulty);
            if blames != member.blames {
                member.blames.clone_from(&blames);
                out.push(Output::Order(*id, Order::Fault(blames.map(|(_, blame)| blame))));
            }
        }
    }
}

/// Whom a member has to blame, of those who are faulty in configuration order: the same one as before while that is
/// still true. Else the last one, since links that come back often do so in configuration order.
fn blame(id: InstanceId, member: &Member, faulty: &[(InstanceId, Arc<str>)]) -> Option<(InstanceId, Blame)> {
    let mut others = faulty.iter().rev().filter(|(other, _)| *other != id);
    let last = others.next()?;
    let more = others.next().is_some();
    let known = member.blames.as_ref();
    let same = faulty.iter().find(|(other, _)| known.is_some_and(|(known, _)| known == other));
    let (who, trouble) = same.unwrap_or(last);
    Some((*who, Blame { trouble: Arc::clone(trouble), others: more }))
}

#[cfg(test)]
mod tests;
