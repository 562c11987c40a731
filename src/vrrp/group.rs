//! A sync group: instances that are master together or not at all.
//!
//! Members report, the group orders. It is answered synchronously, so "may I become master?" has no race: the member
//! whose wish is the last one that was missing takes all of them along.

use std::collections::BTreeMap;

use super::machine::State;
use crate::base::InstanceId;

/// What a member reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Its master is down: it wants to become master.
    Wants,
    /// It no longer does: an advert came.
    Withdraws,
    /// It lost an election, and is BACKUP now.
    Lost,
    /// Something of its own is wrong (`true`), or no longer.
    Faulty(bool),
    /// Its scripts have been told of this state.
    Told(State),
}

/// What a member has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Become MASTER.
    Master,
    /// Become BACKUP, without resigning: somebody else is master already.
    Backup,
    /// Another member is faulty (`true`), or none is any more.
    Fault(bool),
}

/// A decision of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A member has to do this.
    Order(InstanceId, Order),
    /// The members are brought into this state, for the log.
    Syncing(State),
    /// All members are in this state now, for the scripts of the group.
    Notify(State),
}

#[derive(Clone, Copy, Debug, Default)]
struct Member {
    wants: bool,
    faulty: bool,
    /// Has been told that another one is faulty.
    dragged: bool,
    told: Option<State>,
}

/// One sync group.
#[derive(Clone, Debug)]
pub struct Group {
    /// In configuration order.
    order: Vec<InstanceId>,
    members: BTreeMap<InstanceId, Member>,
    /// Ordered to be master.
    master: bool,
    told: Option<State>,
}

impl Group {
    /// A group of these instances.
    pub fn new(order: Vec<InstanceId>) -> Self {
        let members = order.iter().map(|id| (*id, Member::default())).collect();
        Self { order, members, master: false, told: None }
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
                self.step_back(id, out);
            }
            Report::Faulty(faulty) => {
                member.faulty = faulty;
                self.drag(out);
            }
            Report::Told(state) => {
                member.told = Some(state);
                self.told(state, out);
            }
        }
    }

    /// Everybody, once everybody wants to; the one whose wish was missing first.
    fn elect(&mut self, last: InstanceId, out: &mut Vec<Output>) {
        if self.master || !self.members.values().all(|m| m.wants && !m.faulty) {
            return;
        }
        self.master = true;
        out.push(Output::Syncing(State::Master));
        out.push(Output::Order(last, Order::Master));
        let others = self.order.iter().filter(|id| **id != last);
        out.extend(others.map(|id| Output::Order(*id, Order::Master)));
        self.forget_wishes();
    }

    /// Wishes count for one election only.
    fn forget_wishes(&mut self) {
        for member in self.members.values_mut() {
            member.wants = false;
        }
    }

    /// One of them found another master: so do all.
    fn step_back(&mut self, who: InstanceId, out: &mut Vec<Output>) {
        if !std::mem::take(&mut self.master) {
            return;
        }
        out.push(Output::Syncing(State::Backup));
        let others = self.order.iter().filter(|id| **id != who);
        out.extend(others.map(|id| Output::Order(*id, Order::Backup)));
        self.forget_wishes();
    }

    /// Whoever is well learns whether another one is not.
    fn drag(&mut self, out: &mut Vec<Output>) {
        let faulty = self.members.values().filter(|m| m.faulty).count();
        if faulty > 0 {
            self.master = false;
            self.forget_wishes();
        }
        let mut first = true;
        for id in &self.order {
            let Some(member) = self.members.get_mut(id) else { continue };
            let dragged = faulty > usize::from(member.faulty);
            if dragged == std::mem::replace(&mut member.dragged, dragged) {
                continue;
            }
            if dragged && std::mem::take(&mut first) {
                out.push(Output::Syncing(State::Fault));
            }
            out.push(Output::Order(*id, Order::Fault(dragged)));
        }
    }

    /// The group's scripts run when all members' have been started, and once for each state.
    fn told(&mut self, state: State, out: &mut Vec<Output>) {
        let all = self.members.values().all(|m| m.told == Some(state));
        if all && self.told != Some(state) {
            self.told = Some(state);
            out.push(Output::Notify(state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: InstanceId = InstanceId(0);
    const B: InstanceId = InstanceId(1);
    const C: InstanceId = InstanceId(2);

    /// What a group of A, B and C decides on each of these reports.
    fn decisions(reports: &[(InstanceId, Report)]) -> Vec<Vec<Output>> {
        let mut group = Group::new(vec![A, B, C]);
        let decide = |(id, report): &(InstanceId, Report)| {
            let mut out = Vec::new();
            group.handle(*id, *report, &mut out);
            out
        };
        reports.iter().map(decide).collect()
    }

    const ELECTED: [(InstanceId, Report); 3] = [(C, Report::Wants), (A, Report::Wants), (B, Report::Wants)];

    #[test]
    fn all_become_master_when_the_last_one_wants_to() {
        let master = |id| Output::Order(id, Order::Master);
        assert_eq!(
            decisions(&ELECTED),
            [vec![], vec![], vec![Output::Syncing(State::Master), master(B), master(A), master(C)]]
        );
    }

    #[test]
    fn a_wish_can_be_withdrawn() {
        let reports = [(A, Report::Wants), (B, Report::Wants), (A, Report::Withdraws), (C, Report::Wants)];
        assert!(decisions(&reports).concat().is_empty());
    }

    #[test]
    fn one_that_loses_takes_all_along() {
        let backup = |id| Output::Order(id, Order::Backup);
        for lost in [Report::Lost, Report::Withdraws] {
            let mut reports = ELECTED.to_vec();
            reports.extend([(A, lost), (B, Report::Lost), (A, Report::Wants)]);
            let decisions = decisions(&reports);
            assert_eq!(decisions[3], [Output::Syncing(State::Backup), backup(B), backup(C)]);
            assert!(
                decisions[4..].concat().is_empty(),
                "known already; and wishes have to be renewed by all"
            );
        }
    }

    #[test]
    fn a_fault_takes_all_along_until_the_last_one_is_gone() {
        let fault = |id, on| Output::Order(id, Order::Fault(on));
        let mut reports = ELECTED.to_vec();
        reports
            .extend([(B, true), (C, true), (B, false), (C, false)].map(|(id, on)| (id, Report::Faulty(on))));
        reports.extend(ELECTED);
        let decisions = decisions(&reports);
        assert_eq!(decisions[3], [Output::Syncing(State::Fault), fault(A, true), fault(C, true)]);
        // B has its own fault; now it is dragged as well.
        assert_eq!(decisions[4], [Output::Syncing(State::Fault), fault(B, true)]);
        assert_eq!(decisions[5], [fault(C, false)]);
        assert_eq!(decisions[6], [fault(A, false), fault(B, false)]);
        assert_eq!(decisions[9].len(), 4, "and then there is a new election");
    }

    #[test]
    fn scripts_of_the_group_come_after_those_of_its_members() {
        let told = |id| (id, Report::Told(State::Backup));
        let reports = [told(A), told(B), told(C), told(A), (A, Report::Told(State::Fault)), told(A)];
        let decisions = decisions(&reports);
        assert_eq!(decisions[2], [Output::Notify(State::Backup)]);
        assert!(decisions[3..].concat().is_empty(), "once for each state");
    }
}
