use super::*;

const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
const C: InstanceId = InstanceId(2);
const PRIORITY: Priority = Priority::DEFAULT;

/// What a group of B, A and C decides on each of these reports.
fn decisions(reports: &[(InstanceId, Report)]) -> Vec<Vec<Output>> {
    let mut group = Group::new(vec![B, A, C]);
    let decide = |(id, report): &(InstanceId, Report)| {
        let mut out = Vec::new();
        group.handle(*id, report.clone(), &mut out);
        out
    };
    reports.iter().map(decide).collect()
}

fn faulty(id: InstanceId, trouble: &str) -> (InstanceId, Report) {
    (id, Report::Faulty(Some(trouble.into())))
}

fn well(id: InstanceId) -> (InstanceId, Report) {
    (id, Report::Faulty(None))
}

fn blames(id: InstanceId, trouble: &str, others: bool) -> Output {
    Output::Order(id, Order::Fault(Some(Blame { trouble: trouble.into(), others })))
}

fn freed(id: InstanceId) -> Output {
    Output::Order(id, Order::Fault(None))
}

const ELECTED: [(InstanceId, Report); 3] = [(C, Report::Wants), (A, Report::Wants), (B, Report::Wants)];

#[test]
fn all_become_master_when_the_last_one_wants_to() {
    let master = |id| Output::Order(id, Order::Master);
    let mut reports = ELECTED.to_vec();
    reports.extend([(B, Report::Mastered), (A, Report::Mastered)]);
    assert_eq!(
        decisions(&reports),
        [vec![], vec![], vec![master(B), master(A), master(C)], vec![Output::Syncing(State::Master)], vec![]]
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
        assert!(decisions[4..].concat().is_empty(), "known already; and wishes have to be renewed by all");
    }
}

#[test]
fn a_fault_takes_all_along_until_the_last_one_is_gone() {
    let mut reports = ELECTED.to_vec();
    reports.extend([faulty(B, "b"), faulty(C, "c"), well(B), well(C)]);
    reports.extend(ELECTED);
    let decisions = decisions(&reports);
    assert_eq!(decisions[3], [Output::Syncing(State::Fault), blames(A, "b", false), blames(C, "b", false)]);
    // B has its own fault; now it is dragged as well.
    assert_eq!(decisions[4], [blames(B, "c", false), blames(A, "b", true)]);
    assert_eq!(decisions[5], [blames(A, "c", false), freed(C)]);
    assert_eq!(decisions[6], [Output::Syncing(State::Backup), freed(B), freed(A)]);
    assert_eq!(decisions[9].len(), 3, "and then there is a new election");
}

/// Everybody's blame is true, and nobody is told twice of the same.
#[test]
fn whom_to_blame_is_told_when_it_changes() {
    let reports = [
        faulty(C, "c"),
        faulty(C, "c"),
        faulty(C, "another c"),
        faulty(A, "a"),
        faulty(A, "another a"),
        faulty(B, "b"),
        well(C),
        well(A),
        well(B),
    ];
    let orders = decisions(&reports).into_iter().map(|mut decision| {
        decision.retain(|output| matches!(output, Output::Order(..)));
        decision
    });
    let expected = [
        vec![blames(B, "c", false), blames(A, "c", false)],
        vec![],
        vec![blames(B, "another c", false), blames(A, "another c", false)],
        vec![blames(B, "another c", true), blames(C, "a", false)],
        // Not news to B, which blames C.
        vec![blames(C, "another a", false)],
        vec![blames(A, "another c", true), blames(C, "another a", true)],
        vec![blames(B, "another a", false), blames(A, "b", false)],
        vec![freed(B), blames(C, "b", false)],
        vec![freed(A), freed(C)],
    ];
    assert_eq!(orders.collect::<Vec<_>>(), expected);
}

#[test]
fn all_announce_when_one_hears_a_lower_priority() {
    let announce = |id| Output::Order(id, Order::Announce);
    assert_eq!(decisions(&[(A, Report::HeardLower)]), [vec![announce(B), announce(C)]]);
}

/// What scripts are told of on these reports: of a member, or of the group.
fn told(reports: &[(InstanceId, Report)]) -> Vec<(Option<InstanceId>, State)> {
    let decisions = decisions(reports).concat().into_iter();
    let told = decisions.filter_map(|decision| match decision {
        Output::Tell(id, state, _) => Some((Some(id), state)),
        Output::Notify(state) => Some((None, state)),
        _ => None,
    });
    told.collect()
}

/// All members have come into this state, in this order.
fn all(state: State, order: [InstanceId; 3]) -> [(InstanceId, Report); 3] {
    order.map(|id| (id, Report::Told(state, PRIORITY)))
}

#[test]
fn at_the_start_backup_is_told_of_the_group_first_and_fault_last() {
    use State::{Backup, Fault};
    let members = |state| [A, B, C].map(|id| (Some(id), state)).to_vec();
    let group = |state| vec![(None, state)];
    assert_eq!(told(&all(Backup, [C, B, A])), [group(Backup), members(Backup)].concat());
    assert_eq!(told(&all(Fault, [C, B, A])), [members(Fault), group(Fault)].concat());
    // B came into BACKUP before A was known to be faulty: nobody is told that.
    let mut reports = vec![(B, Report::Told(Backup, PRIORITY))];
    reports.extend(all(Fault, [A, B, C]));
    assert_eq!(told(&reports), [members(Fault), group(Fault)].concat());
}

#[test]
fn later_the_member_that_began_is_told_first_and_the_group_last() {
    let mut reports = all(State::Backup, [A, B, C]).to_vec();
    let first = told(&reports).len();
    // A is the last one to want to.
    reports.extend([(B, Report::Wants), (C, Report::Wants), (A, Report::Wants)]);
    reports.extend(all(State::Master, [C, B, A]));
    let expected = [Some(A), Some(B), Some(C), None].map(|id| (id, State::Master));
    assert_eq!(told(&reports)[first..], expected);
}

#[test]
fn nobody_waits_for_ever_for_a_notice() {
    let mut reports = all(State::Backup, [A, B, C]).to_vec();
    let first = told(&reports).len();
    reports.extend(ELECTED);
    // The claims of C and A are followed; B's is not, and then there is a fault.
    reports.extend([C, A].map(|id| (id, Report::Told(State::Master, PRIORITY))));
    reports.push(faulty(A, "a"));
    reports.push((B, Report::Told(State::Stopped, PRIORITY)));
    let expected = [(Some(A), State::Master), (Some(C), State::Master), (Some(B), State::Stopped)].to_vec();
    assert_eq!(told(&reports)[first..], expected);
}
