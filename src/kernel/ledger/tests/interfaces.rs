//! Interfaces that come, go and change, and who hears of it.

use super::*;

#[test]
fn addresses_follow_an_interface_that_goes_and_comes_back() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    bench.event(&KernelEvent::LinkGone { index: ETH0, moved: false });
    let gone = Interface { state: LinkState::Deleted, ..Interface::default() };
    assert_eq!(
        bench.out,
        [
            Output::NoInterface { key: claim("10.0.0.2").key() },
            Output::Interface(ONE, gone),
            Output::Interface(TWO, gone),
        ]
    );
    bench.event(&KernelEvent::Link(Link { index: IfIndex(9), ..link(true) }));
    assert_eq!(
        bench.open,
        [(claim("10.0.0.2").key(), KernelOp::AddAddress(claim("10.0.0.2").on(IfIndex(9))))]
    );
}

/// Nobody is to blame, and nobody is fought, when an interface comes and goes; whether the kernel reported all of it or not.
#[test]
fn what_went_with_its_interface_is_told_so_when_it_is_back() {
    let mut ledger = Ledger::default();
    ledger.register_static(&claims(&["10.0.0.1"]));
    ledger.claim(Owner::Static, true, 1);
    let mut bench = Bench::of(ledger, &[]);
    bench.answer(Ok(()));
    let back = |loss, times| Output::Restored {
        owners: vec![],
        key: claim("10.0.0.1").key(),
        loss,
        times,
        pause: None,
    };
    for index in 3..10 {
        let before = IfIndex(index - 1);
        let again = Link { index: IfIndex(index), ..link(true) };
        if index % 2 == 0 {
            bench.event(&KernelEvent::AddressGone(claim("10.0.0.1").on(before)));
            assert_eq!(bench.ops(), ["add 10.0.0.1"]);
            bench.event(&KernelEvent::LinkGone { index: before, moved: false });
            bench.answer(Err(Errno::NODEV));
            assert_eq!(bench.open, [], "there is nowhere to put it");
            bench.event(&KernelEvent::Link(again));
        } else {
            bench.event(&KernelEvent::Resync(Dump { links: vec![again], ..Dump::default() }));
        }
        bench.out.clear();
        bench.answer(Ok(()));
        assert_eq!(std::mem::take(&mut bench.out), [back(Loss::WithInterface, 0)], "{index}");
    }
    bench.event(&KernelEvent::AddressGone(claim("10.0.0.1").on(IfIndex(9))));
    bench.answer(Ok(()));
    assert_eq!(bench.out, [back(Loss::Removed, 1)]);
}

#[test]
fn instances_hear_of_their_interface_and_its_first_address_that_is_no_virtual_one() {
    let mut bench = Bench::new(&["10.0.0.2", "10.0.0.7", "10.0.0.8"]);
    let interface = |source: &str, state| Interface {
        index: Some(ETH0),
        state,
        source: source.parse().ok(),
        occupied: None,
    };
    let both = |i: Interface| vec![Output::Interface(ONE, i), Output::Interface(TWO, i)];
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.7", LinkState::Up)));
    bench.event(&KernelEvent::Link(link(false)));
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.7", LinkState::NoCarrier)));
    bench.event(&KernelEvent::Address(claim("10.0.0.3").on(ETH0)));
    bench.event(&KernelEvent::Link(link(false)));
    assert_eq!(std::mem::take(&mut bench.out), [], "nothing new");
    bench.delete("10.0.0.7");
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.8", LinkState::NoCarrier)));
    bench.delete("10.0.0.8");
    bench.delete("10.0.0.3");
    assert_eq!(bench.out.split_off(2), both(interface("", LinkState::NoCarrier)));
}

#[test]
fn instances_hear_of_interfaces_they_track() {
    let mut ledger = Ledger::default();
    ledger.register(ONE, watch("eth1"), &[]);
    ledger.track(ONE, name("eth0"));
    ledger.track(TWO, name("eth0"));
    let mut mirror = Mirror::default();
    let mut tell = |event: &KernelEvent| {
        mirror.apply(event);
        ledger.event(&mirror, event);
        let mut out = ledger.settle(Instant::ZERO, &mirror);
        out.retain(|o| matches!(o, Output::Tracked(..)));
        out
    };
    let both = |state| [ONE, TWO].map(|id| Output::Tracked(id, name("eth0"), state)).to_vec();
    assert_eq!(tell(&KernelEvent::Resync(Dump::default())), both(LinkState::Missing));
    assert_eq!(tell(&KernelEvent::Link(link(true))), both(LinkState::Up));
    assert_eq!(tell(&KernelEvent::Link(link(true))), []);
    assert_eq!(tell(&KernelEvent::Link(link(false))), both(LinkState::NoCarrier));
    assert_eq!(tell(&KernelEvent::Link(Link { up: false, ..link(false) })), both(LinkState::Down));
    for (moved, state) in [(false, LinkState::Deleted), (true, LinkState::Moved)] {
        tell(&KernelEvent::Link(link(true)));
        assert_eq!(tell(&KernelEvent::LinkGone { index: ETH0, moved }), both(state));
    }
    tell(&KernelEvent::Link(link(true)));
    let renamed = KernelEvent::Link(Link { name: name("lan0"), ..link(true) });
    assert_eq!(tell(&renamed), both(LinkState::Renamed));
    assert_eq!(tell(&KernelEvent::Link(link(true))), both(LinkState::Up), "it has its name back");
}

#[test]
fn an_address_does_not_stay_behind_on_an_interface_that_is_renamed() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Link(Link { name: name("lan0"), ..link(true) }));
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), [""; 0]);
    bench.event(&KernelEvent::Link(link(true)));
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "and the name is back");
}

#[test]
fn an_untracked_address_is_left_alone_until_it_is_claimed_anew_or_its_interface_returns() {
    let untracked = AddressClaim { tracked: false, ..claim("10.0.0.1") };
    let mut ledger = Ledger::default();
    ledger.register(ONE, watch("eth0"), &[Claim::Address(untracked.into())]);
    let mut bench = Bench::of(ledger, &[]);
    bench.claim(ONE, true, 1);
    bench.answer(Ok(()));
    bench.delete("10.0.0.1");
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.ops(), [""; 0], "somebody wants it so");
    bench.claim(ONE, false, 2);
    bench.claim(ONE, true, 3);
    assert_eq!(bench.ops(), ["add 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Link(Link { up: false, running: false, ..link(false) }));
    bench.delete("10.0.0.1");
    bench.answer(Err(Errno::IO));
    bench.event(&KernelEvent::Link(link(true)));
    assert_eq!(bench.ops(), ["add 10.0.0.1"], "the kernel took it with its interface");
}
