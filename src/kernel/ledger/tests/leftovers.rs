//! What a predecessor that was killed has left.

use super::*;
use crate::kernel::Inventory;

/// What is there, of what a predecessor may have left of these claims, and nobody claims now.
fn removed(left: &[Claim], claimed: &[Claim], dump: Dump) -> (Bench, Vec<String>) {
    let mut ledger = Ledger::default();
    ledger.clear_away(Inventory::parse("b", &Inventory::text("b", left.iter())));
    ledger.register(ONE, watch("eth0"), claimed);
    let bench = Bench::on(ledger, dump);
    let ops = bench.ops();
    (bench, ops)
}

#[test]
fn what_nobody_claims_any_more_goes_if_it_is_named_and_keepalived_s() {
    let marked = |ip: &str| Address { protocol: Address::PROTO_KEEPALIVED, ..claim(ip).on(ETH0) };
    let unmarked = Address { protocol: 0, ..claim("10.0.0.3").on(ETH0) };
    let addresses = vec![marked("10.0.0.1"), marked("10.0.0.2"), unmarked, marked("10.0.0.4")];
    let resolved = route("10.5.0.0", Some("eth0"), true).route.resolve(|_| Ok::<_, ()>(ETH0)).unwrap();
    let (wanted, unwanted) = (rule(7), rule(8));
    let dump = Dump {
        links: vec![link(true)],
        addresses,
        routes: vec![resolved],
        rules: vec![wanted.rule.clone(), unwanted.rule.clone()],
    };
    let mut left = claims(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    left.push(Claim::Route(route("10.5.0.0", Some("eth0"), true)));
    left.extend([Claim::Rule(Arc::clone(&wanted)), Claim::Rule(unwanted)]);
    let mut claimed = claims(&["10.0.0.2"]);
    claimed.push(Claim::Rule(wanted));
    let (mut bench, ops) = removed(&left, &claimed, dump.clone());
    let goes = ["delete 8", "delete 10.5.0.0", "delete 10.0.0.1"];
    // What is claimed and not held goes, too, as ever.
    assert!(goes.iter().all(|op| ops.contains(&(*op).to_owned())), "{ops:?}");
    assert!(
        !ops.contains(&"delete 10.0.0.3".to_owned()) && !ops.contains(&"delete 10.0.0.4".to_owned()),
        "{ops:?}"
    );
    let told = bench.out.iter().filter(|out| matches!(out, Output::Leftover { .. })).count();
    assert_eq!(told, goes.len());
    bench.answer(Ok(()));
    assert!(bench.ledger.is_idle());
    // Who holds the rest at once has nothing taken away.
    let mut ledger = Ledger::default();
    ledger.clear_away(Inventory::parse("b", &Inventory::text("b", left.iter())));
    ledger.register_static(&left);
    ledger.claim(Owner::Static, true, 1);
    let bench = Bench::on(ledger, dump);
    assert_eq!(bench.ops(), [""; 0]);
}
