//! VMACs: made, lost, changed, taken over, and in the way of others.

use super::*;
use crate::kernel::claim::Occupied;

/// A VMAC on `eth0`, with what belongs to it.
fn vmac() -> Vec<Claim> {
    let link = Arc::new(LinkClaim {
        name: name("vrrp.51"),
        base: name("eth0"),
        kind: VirtualKind::Macvlan(MacAddr([0, 0, 0x5e, 0, 1, 51])),
        group: None,
        family: Family::V4,
        ipv6: false,
        instance: "VI_1".to_owned(),
    });
    let table = Arc::new(FirewallTable { name: "keepalived".to_owned(), priority: -1, counters: false });
    let rule = FirewallRule::Divert { link: name("vrrp.51"), base: name("eth0"), family: Family::V4 };
    let divert = Claim::Firewall(Arc::new(FirewallClaim { table, rule }));
    vec![Claim::Setting(Setting::ArpIsolation(name("eth0"))), Claim::Link(link), divert]
}

/// The VMAC as the kernel reports it.
fn vmac_link(index: u32, up: bool) -> Link {
    let stacking =
        Stacking { kind: LinkKind::Macvlan { private: true }, base: Some(ETH0), ..Stacking::default() };
    let mac = Some(MacAddr([0, 0, 0x5e, 0, 1, 51]));
    Link { index: IfIndex(index), name: name("vrrp.51"), up, mac, stacking, ..link(true) }
}

/// A ledger with an instance on that VMAC, which is there.
fn vmac_bench() -> Bench {
    let mut ledger = Ledger::default();
    ledger.register_static(&vmac());
    let on_vmac = AddressClaim { dev: name("vrrp.51"), ..claim("10.0.0.1") };
    let watch = Watch { vmac: Some(name("vrrp.51")), ..watch("eth0") };
    ledger.register(ONE, watch, &[Claim::Address(on_vmac.into())]);
    ledger.claim(Owner::Static, true, 1);
    let mut bench = Bench::of(ledger, &["10.0.0.7"]);
    assert_eq!(bench.ops(), ["set arp_ignore and arp_filter on eth0", "make vrrp.51"]);
    bench.answer(Ok(()));
    assert_eq!(bench.ops(), [""; 0], "the report is still to come");
    assert!(!bench.out.iter().any(|out| matches!(out, Output::Interface(..))));
    bench.event(&KernelEvent::Link(vmac_link(7, false)));
    assert_eq!(bench.ops(), ["filter IPv4 of 7"]);
    bench.event(&KernelEvent::Link(vmac_link(7, true)));
    assert!(!bench.out.iter().any(|out| matches!(out, Output::Interface(..))), "not before it is diverted");
    bench.answer(Ok(()));
    let told = Interface {
        index: Some(IfIndex(7)),
        state: LinkState::Up,
        source: "10.0.0.7".parse().ok(),
        occupied: None,
    };
    assert!(bench.out.contains(&Output::Interface(ONE, told)), "{:?}", bench.out);
    bench.out.clear();
    bench
}

#[test]
fn an_instance_begins_when_its_vmac_is_fit() {
    let mut bench = vmac_bench();
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["add 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.claim(ONE, false, 2);
    bench.answer(Ok(()));
    bench.ledger.claim(Owner::Static, false, 2);
    bench.settle();
    assert_eq!(
        bench.ops(),
        ["unmake vrrp.51", "unfilter IPv4 of 7", "unset arp_ignore and arp_filter on eth0"],
        "what it says when it goes does not leave by it"
    );
    bench.answer(Ok(()));
    assert!(bench.ledger.is_idle());
}

#[test]
fn a_vmac_that_is_gone_is_made_again_with_all_that_was_on_it() {
    let mut bench = vmac_bench();
    bench.claim(ONE, true, 1);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Address(Address { link: IfIndex(7), ..claim("10.0.0.1").on(ETH0) }));
    bench.out.clear();
    bench.event(&KernelEvent::Link(vmac_link(7, false)));
    let lost =
        Interface { index: None, state: LinkState::Up, source: "10.0.0.7".parse().ok(), occupied: None };
    assert!(bench.out.contains(&Output::Interface(ONE, lost)), "{:?}", bench.out);
    assert_eq!(bench.ops(), ["make vrrp.51"], "it is to be up");
    // The answer comes before the reports of what happened earlier.
    bench.answer(Ok(()));
    bench.event(&KernelEvent::AddressGone(Address { link: IfIndex(7), ..claim("10.0.0.1").on(ETH0) }));
    bench.event(&KernelEvent::LinkGone { index: IfIndex(7), moved: false });
    assert_eq!(bench.ops(), ["unfilter IPv4 of 7"], "it has been made already");
    bench.event(&KernelEvent::Link(vmac_link(8, false)));
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Link(vmac_link(8, true)));
    assert_eq!(bench.ops(), ["filter IPv4 of 8", "add 10.0.0.1"]);
    bench.answer(Ok(()));
    let restored = |key: &Key| {
        bench.out.iter().find_map(|out| match out {
            Output::Restored { key: back, loss, .. } if back == key => Some(*loss),
            _ => None,
        })
    };
    assert_eq!(restored(&Key::Link(name("vrrp.51"))), Some(Loss::Removed));
    let address = Key::Address(name("vrrp.51"), claim("10.0.0.1").cidr);
    assert_eq!(restored(&address), Some(Loss::WithInterface), "{:?}", bench.out);
    let found = Interface { index: Some(IfIndex(8)), ..lost };
    assert!(bench.out.contains(&Output::Interface(ONE, found)), "{:?}", bench.out);
}

#[test]
fn a_vmac_whose_report_never_comes_is_made_again() {
    let mut bench = vmac_bench();
    bench.event(&KernelEvent::LinkGone { index: IfIndex(7), moved: false });
    assert_eq!(bench.ops(), ["unfilter IPv4 of 7", "make vrrp.51"]);
    bench.answer(Ok(()));
    bench.pass(Duration::from_millis(999));
    assert_eq!(bench.ops(), [""; 0]);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.ops(), ["make vrrp.51"]);
}

#[test]
fn a_filter_that_somebody_else_flushes_is_made_again() {
    let mut bench = vmac_bench();
    bench.event(&KernelEvent::FirewallLost);
    assert_eq!(bench.ops(), ["filter IPv4 of 7"]);
    bench.answer(Ok(()));
    assert_eq!(bench.ops(), [""; 0]);
}

/// What the last change makes a link out of.
fn origin(bench: &Bench) -> Option<IfIndex> {
    match bench.open.last() {
        Some((_, KernelOp::AddLink(_, origin))) => *origin,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_vmac_that_is_renamed_or_changed_is_made_right_and_keeps_what_is_on_it() {
    let renamed = Link { name: name("other"), ..vmac_link(7, true) };
    let mode = LinkKind::Macvlan { private: false };
    let bridged = Stacking { kind: mode, ..vmac_link(7, true).stacking };
    let bridged = Link { stacking: bridged, ..vmac_link(7, true) };
    for changed in [renamed, bridged] {
        let mut bench = vmac_bench();
        bench.claim(ONE, true, 1);
        bench.answer(Ok(()));
        bench.event(&KernelEvent::Link(changed.clone()));
        assert_eq!(bench.ops(), ["make vrrp.51"], "{changed:?}");
        assert_eq!(origin(&bench), Some(IfIndex(7)));
        bench.answer(Ok(()));
        bench.event(&KernelEvent::Link(vmac_link(7, true)));
        assert_eq!(bench.ops(), [""; 0], "address and filter are where they were");
        // A stop while it is not as it should be takes it away all the same.
        bench.event(&KernelEvent::Link(changed));
        bench.answer(Err(Errno(1)));
        bench.claim(ONE, false, 2);
        bench.answer(Ok(()));
        bench.ledger.claim(Owner::Static, false, 2);
        bench.settle();
        assert!(bench.ops().contains(&"unmake vrrp.51".to_owned()), "{:?}", bench.ops());
        bench.answer(Ok(()));
        assert!(bench.ledger.is_idle());
    }
}

#[test]
fn a_vmac_that_a_predecessor_left_is_taken_over_by_its_hardware_address() {
    let mut ledger = Ledger::default();
    ledger.register_static(&vmac());
    let on_vmac = AddressClaim { dev: name("vrrp.51"), ..claim("10.0.0.1") };
    ledger.register(
        ONE,
        Watch { vmac: Some(name("vrrp.51")), ..watch("eth0") },
        &[Claim::Address(on_vmac.into())],
    );
    ledger.claim(Owner::Static, true, 1);
    let left = |ip: &str, protocol| Address { link: IfIndex(7), protocol, ..claim(ip).on(ETH0) };
    let ours = Address::PROTO_KEEPALIVED;
    let dump = Dump {
        links: vec![link(true), Link { name: name("old"), ..vmac_link(7, true) }],
        addresses: vec![left("10.0.0.1", 0), left("10.0.0.2", ours), left("10.0.0.3", 0)],
        ..Dump::default()
    };
    let mut bench = Bench::on(ledger, dump);
    assert_eq!(bench.ops(), ["set arp_ignore and arp_filter on eth0", "make vrrp.51"]);
    assert_eq!(origin(&bench), Some(IfIndex(7)));
    bench.answer(Ok(()));
    // What is claimed of its addresses and not held, and what keepalived left; another's stays.
    let ops = bench.ops();
    assert!(
        ops.contains(&"delete 10.0.0.1".to_owned()) && ops.contains(&"delete 10.0.0.2".to_owned()),
        "{ops:?}"
    );
    assert!(!ops.contains(&"delete 10.0.0.3".to_owned()), "{ops:?}");
}

#[test]
fn a_link_in_the_way_of_a_vmac_is_left_alone_and_named() {
    let foreign = Link { stacking: Stacking::default(), mac: None, ..vmac_link(9, true) };
    let mode = LinkKind::Macvlan { private: false };
    let twin = Stacking { kind: mode, ..vmac_link(9, true).stacking };
    let twin = Link { name: name("other"), stacking: twin, ..vmac_link(9, true) };
    for (obstacle, what) in [(foreign, Occupied::Name), (twin, Occupied::HardwareAddress)] {
        let mut ledger = Ledger::default();
        ledger.register_static(&vmac());
        ledger.register(ONE, Watch { vmac: Some(name("vrrp.51")), ..watch("eth0") }, &[]);
        ledger.claim(Owner::Static, true, 1);
        let mut bench = Bench::on(ledger, Dump { links: vec![link(true), obstacle], ..Dump::default() });
        assert_eq!(bench.ops(), ["set arp_ignore and arp_filter on eth0"]);
        bench.answer(Ok(()));
        let key = Key::Link(name("vrrp.51"));
        assert!(bench.out.contains(&Output::Occupied { key, what }), "{:?}", bench.out);
        let told = bench.out.iter().rev().find_map(|out| match out {
            Output::Interface(ONE, interface) => Some(*interface),
            _ => None,
        });
        assert_eq!(told.map(|told| (told.index, told.occupied)), Some((None, Some(what))));
        bench.event(&KernelEvent::LinkGone { index: IfIndex(9), moved: false });
        assert_eq!(bench.ops(), ["make vrrp.51"]);
    }
}

#[test]
fn a_foreign_link_of_that_name_is_named_even_if_there_is_one_to_take_over() {
    let mut ledger = Ledger::default();
    ledger.register_static(&vmac());
    ledger.claim(Owner::Static, true, 1);
    let left = Link { name: name("old"), ..vmac_link(7, true) };
    let foreign = Link { stacking: Stacking::default(), mac: None, ..vmac_link(9, true) };
    let mut bench = Bench::on(ledger, Dump { links: vec![link(true), left, foreign], ..Dump::default() });
    let (key, what) = (Key::Link(name("vrrp.51")), Occupied::Name);
    assert!(bench.out.contains(&Output::Occupied { key, what }), "{:?}", bench.out);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::LinkGone { index: IfIndex(9), moved: false });
    assert_eq!(bench.ops(), ["make vrrp.51"]);
    assert_eq!(origin(&bench), Some(IfIndex(7)));
}

/// The claims of a VMAC of this name and VRID.
fn vmac_named(dev: &str, vrid: u8) -> Vec<Claim> {
    let mut claims = vmac();
    if let Claim::Link(link) = &mut claims[1] {
        let link = Arc::make_mut(link);
        link.name = name(dev);
        link.kind = VirtualKind::Macvlan(MacAddr([0, 0, 0x5e, 0, 1, vrid]));
    }
    claims.truncate(2);
    claims
}

/// A reload that gives a VMAC another name: the one that is to go is not somebody else's.
#[test]
fn a_vmac_of_ours_that_makes_room_is_in_nobodys_way() {
    let mut ledger = Ledger::default();
    ledger.register_static(&vmac_named("vrrp.51", 51));
    ledger.register(ONE, Watch { vmac: Some(name("vrrp.51")), ..watch("eth0") }, &[]);
    ledger.claim(Owner::Static, true, 1);
    let mut bench = Bench::of(ledger, &["10.0.0.7"]);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Link(vmac_link(7, true)));
    assert_eq!(bench.ops(), [""; 0]);
    bench.out.clear();
    bench.ledger.reconfigure(Owner::Static, &vmac_named("a", 51));
    bench.ledger.rewatch(ONE, Watch { vmac: Some(name("a")), ..watch("eth0") }, &[]);
    bench.ledger.reconfigured();
    bench.settle();
    assert_eq!(bench.ops(), ["unmake vrrp.51"]);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::LinkGone { index: IfIndex(7), moved: false });
    assert_eq!(bench.ops(), ["make a"]);
    let accused = bench.out.iter().find(|out| match out {
        Output::Occupied { .. } => true,
        Output::Interface(_, interface) => interface.occupied.is_some(),
        _ => false,
    });
    assert_eq!(accused, None);
}
