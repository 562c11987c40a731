//! Addresses: added, deleted, deleted by somebody else.

use super::*;

#[test]
fn a_claim_is_confirmed_when_the_kernel_has_followed() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["add 10.0.0.1", "add 10.0.0.2"]);
    assert_eq!(bench.out, []);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 1 }]);
    assert!(bench.ledger.is_idle());
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.1", "delete 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), [""; 0]);
}

#[test]
fn whoever_claims_much_is_told_of_what_is_there_already() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(ONE, true, 1);
    let second = bench.open.split_off(1);
    bench.answer(Ok(()));
    let placed = vec![claim("10.0.0.1").place()];
    assert_eq!(bench.out, [Output::Placed { owner: ONE, number: 1, addresses: placed }]);
    bench.out.clear();
    bench.settle();
    assert_eq!(bench.out, [], "it is told once");
    bench.open = second;
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 1 }]);
}

#[test]
fn a_claim_that_changes_nothing_is_confirmed_at_once() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(ONE, false, 1);
    assert_eq!((bench.out, bench.open), (vec![Output::Confirmed { owner: ONE, number: 1 }], vec![]));
}

#[test]
fn left_overs_of_a_predecessor_are_removed_at_once() {
    let mut bench = Bench::new(&["10.0.0.1", "10.0.0.9"]);
    assert_eq!(bench.ops(), ["delete 10.0.0.1"], "not what no instance claims");
    bench.answer(Ok(()));
    assert_eq!(bench.present(), ["10.0.0.9"]);
}

#[test]
fn an_address_that_two_hold_stays_until_both_have_given_it_up() {
    let mut bench = Bench::new(&[]);
    bench.claim(ONE, true, 1);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.claim(TWO, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
}

#[test]
fn a_deleted_address_is_put_back_at_once_and_then_less_and_less_often() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    for times in 1..=4 {
        bench.delete("10.0.0.2");
        assert_eq!(bench.ops(), ["add 10.0.0.2"], "{times}");
        bench.answer(Ok(()));
        let pause = (times == 4).then_some(FIRST_PAUSE);
        let restored = Output::Restored {
            owners: vec![TWO],
            key: claim("10.0.0.2").key(),
            loss: Loss::Removed,
            times,
            pause,
        };
        assert_eq!(std::mem::take(&mut bench.out), [restored]);
    }
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), [""; 0], "somebody is fighting over it");
    assert_eq!(bench.ledger.next_deadline(), Some(bench.now + FIRST_PAUSE));
    bench.pass(FIRST_PAUSE);
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    bench.pass(PEACE + FIRST_PAUSE);
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "a new story");
}

/// Reports and answers come on different ways: which of them is first says nothing.
#[test]
fn what_goes_before_its_addition_is_answered_is_put_back() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    let report = KernelEvent::Address(claim("10.0.0.2").on(ETH0));
    bench.delete("10.0.0.2");
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "the second report is as old as the first");
    bench.answer(Ok(()));
    assert_eq!(bench.ops(), [""; 0]);
    bench.event(&report);
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.event(&report);
    bench.delete("10.0.0.2");
    bench.out.clear();
    bench.answer(Ok(()));
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "it is gone again");
    assert!(bench.present().is_empty());
    bench.event(&report);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), ["10.0.0.2"]);
    let times = bench.out.iter().filter_map(|output| match output {
        Output::Restored { loss: Loss::Removed, times, .. } => Some(*times),
        _ => None,
    });
    assert_eq!(times.collect::<Vec<_>>(), [2, 3]);
}

/// The picture may be older than the addition, or somebody may have removed it in between: it is asked for once more.
#[test]
fn what_is_not_in_a_new_picture_is_added_again_though_it_was_answered() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.event(&KernelEvent::Resync(Dump { links: vec![link(true)], ..Dump::default() }));
    bench.answer(Ok(()));
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Err(Errno::EXIST));
    assert_eq!((bench.ops(), bench.present()), (vec![], vec!["10.0.0.2".to_owned()]));
    let restored = |output: &Output| matches!(output, Output::Restored { .. });
    assert!(!bench.out.iter().any(restored), "nobody had removed it");
}

#[test]
fn what_is_reported_gone_needs_no_answer() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.claim(TWO, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
    bench.delete("10.0.0.2");
    bench.out.clear();
    bench.answer(Err(Errno::IO));
    assert_eq!(bench.ops(), [""; 0]);
    assert_eq!(bench.out, [Output::Confirmed { owner: TWO, number: 2 }]);
}

/// Each pause is told once, the longest one, too.
#[test]
fn that_restoring_backs_off_is_told_once_for_each_stage() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    for _ in 0..30 {
        bench.delete("10.0.0.2");
        if let Some(at) = bench.ledger.next_deadline() {
            bench.pass(at - bench.now);
        }
        assert_eq!(bench.ops(), ["add 10.0.0.2"]);
        bench.answer(Ok(()));
    }
    let told = bench.out.iter().filter_map(|out| match out {
        Output::Restored { pause, times, .. } => pause.map(|pause| (*times, pause.as_millis())),
        _ => None,
    });
    let stages = [20, 40, 80, 160, 320, 640, 1280, 2560, 5000];
    assert_eq!(told.collect::<Vec<_>>(), (4..).zip(stages).collect::<Vec<_>>());
}

/// Who keeps removing an address does so whoever claims it: a new claim takes it at once, and then goes on as before.
#[test]
fn what_is_fought_over_stays_so_for_a_new_claim() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    for _ in 0..6 {
        bench.delete("10.0.0.2");
        if let Some(at) = bench.ledger.next_deadline() {
            bench.pass(at - bench.now);
        }
        bench.answer(Ok(()));
    }
    // A reload changes it while it has to wait: no reason not to.
    bench.delete("10.0.0.2");
    let labelled = AddressClaim { label: Some("eth0:1".to_owned()), ..claim("10.0.0.2") };
    bench.ledger.reconfigure(Owner::Instance(TWO), &[Claim::Address(labelled.into())]);
    bench.settle();
    assert_eq!(bench.ops(), [""; 0]);
    let pause = FIRST_PAUSE * 4;
    assert_eq!(bench.ledger.next_deadline(), Some(bench.now + pause));
    bench.pass(pause);
    bench.answer(Ok(()));
    bench.claim(TWO, false, 2);
    bench.answer(Ok(()));
    bench.claim(TWO, true, 3);
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "a new master has its addresses at once");
    bench.answer(Ok(()));
    bench.delete("10.0.0.2");
    assert_eq!(bench.ledger.next_deadline(), Some(bench.now + pause * 2));
}

#[test]
fn news_that_the_answer_has_overtaken_do_no_harm() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    // The report of a deletion of our own, long ago.
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Err(Errno::EXIST));
    assert_eq!(bench.out, [], "it was there all the time: nothing to tell");
    // Changing one's mind while a change is on its way.
    bench.claim(TWO, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
    bench.claim(TWO, true, 3);
    bench.answer(Err(Errno::ADDRNOTAVAIL));
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: TWO, number: 3 }]);
}

#[test]
fn what_fails_is_told_confirmed_and_tried_again() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(TWO, true, 1);
    bench.answer(Err(Errno(1)));
    assert!(matches!(
        bench.out[..],
        [Output::Failed { errno: Errno(1), .. }, Output::Confirmed { owner: TWO, number: 1 }]
    ));
    bench.pass(FIRST_PAUSE);
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), ["10.0.0.2"]);
}

#[test]
fn an_address_that_an_administrator_adds_to_a_backup_is_left_alone() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, false, 1);
    bench.event(&KernelEvent::Address(claim("10.0.0.2").on(ETH0)));
    assert_eq!(bench.ops(), [""; 0]);
}

#[test]
fn a_lost_report_is_made_up_for_by_a_resync() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Resync(Dump { links: vec![link(true)], ..Dump::default() }));
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    assert!(bench.out.iter().any(|o| matches!(o, Output::Restored { .. })), "and announced again");
}

#[test]
fn secondaries_are_promoted_while_there_are_addresses() {
    let mut ledger = Ledger::default();
    let list = [Claim::Address(claim("10.0.0.1").into()), Claim::Setting(Setting::Promotion(name("eth0")))];
    ledger.register(ONE, watch("eth0"), &list);
    let mut bench = Bench::of(ledger, &[]);
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["set promote_secondaries on eth0", "add 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Resync(Dump {
        links: vec![link(true)],
        addresses: vec![claim("10.0.0.1").on(ETH0)],
        ..Dump::default()
    }));
    assert_eq!(bench.ops(), [""; 0], "a setting outlives lost reports");
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.1", "unset promote_secondaries on eth0"]);
}
