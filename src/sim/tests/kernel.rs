use super::*;
use crate::host::kernel::Errno;
use crate::host::{KernelEvent, KernelEvents, KernelOp};

fn vip(link: IfIndex, ip: &str) -> Address {
    Address {
        link,
        cidr: cidr(ip),
        peer: None,
        broadcast: None,
        label: None,
        scope: 0,
        protocol: Address::PROTO_KEEPALIVED,
        options: AddressOptions::default(),
    }
}

async fn next(events: &mut Box<dyn KernelEvents>) -> KernelEvent {
    poll_fn(|cx| events.poll_event(cx)).await
}

#[test]
fn a_batch_is_answered_as_linux_does_and_reported() {
    let (mut world, _, [a]) = world(1);
    let link = world.index(a, "eth0");
    start_fast(&mut world, a, move |mut fast| {
        Box::pin(async move {
            let KernelEvent::Resync(dump) = next(&mut fast.events).await else { panic!("no dump first") };
            assert_eq!((dump.links.len(), dump.addresses.len()), (2, 2));
            let (one, two) = (vip(link, "10.0.0.100/32"), vip(link, "10.0.0.100/24"));
            let start = fast.plane.now();
            let add = KernelOp::AddAddress;
            let delete = KernelOp::DeleteAddress;
            let answers = fast.writer.apply(vec![
                add(one.clone()),
                add(one.clone()),
                add(two.clone()),
                delete(one.clone()),
                delete(one.clone()),
                add(vip(IfIndex(9), "10.0.0.101/32")),
                delete(vip(IfIndex(9), "10.0.0.101/32")),
            ]);
            // It works without anybody looking at it, one batch after the other.
            let second = fast.writer.apply(vec![delete(two.clone())]);
            fast.plane.sleep(MS).await;
            let (ok, no) = (Ok(()), Err);
            let (gone, nodev) = (Errno::ADDRNOTAVAIL, Errno::NODEV);
            assert_eq!(answers.await, [ok, no(Errno::EXIST), ok, ok, no(gone), no(nodev), no(nodev)]);
            assert_eq!(second.await, [ok]);
            assert_eq!(fast.plane.now(), start + MS);
            for expected in [
                KernelEvent::Address(one.clone()),
                KernelEvent::Address(two.clone()),
                KernelEvent::AddressGone(one),
                KernelEvent::AddressGone(two),
            ] {
                assert_eq!(next(&mut fast.events).await, expected);
            }
        })
    });
    world.run_for(10 * MS);
    assert_eq!(world.exit_status(a), Some(0));
}

#[test]
fn changes_by_others_are_reported_and_an_overrun_starts_anew() {
    let (mut world, _, [a]) = world(1);
    let link = world.index(a, "eth0");
    start_fast(&mut world, a, move |mut fast| {
        Box::pin(async move {
            let KernelEvent::Resync(_) = next(&mut fast.events).await else { panic!("no dump first") };
            assert_eq!(next(&mut fast.events).await, KernelEvent::Address(vip(link, "10.0.0.9/24")));
            let KernelEvent::AddressGone(gone) = next(&mut fast.events).await else { panic!() };
            assert_eq!(gone.cidr, cidr("10.0.0.9/24"));
            let KernelEvent::Link(down) = next(&mut fast.events).await else { panic!() };
            assert!(down.index == link && !down.usable());
            fast.plane.sleep(50 * MS).await;
            let KernelEvent::Resync(dump) = next(&mut fast.events).await else { panic!("no dump") };
            assert_eq!(dump.addresses.len(), 3);
            let KernelEvent::AddressGone(_) = next(&mut fast.events).await else { panic!() };
            let KernelEvent::AddressGone(_) = next(&mut fast.events).await else { panic!() };
            assert_eq!(next(&mut fast.events).await, KernelEvent::LinkGone { index: link, moved: false });
        })
    });
    world.run_for(MS);
    world.add_address(a, vip(link, "10.0.0.9/24")).unwrap();
    assert_eq!(world.add_address(a, vip(link, "10.0.0.9/24")), Err(Errno::EXIST));
    assert!(world.delete_address(a, cidr("10.0.0.9/24").ip));
    assert!(!world.delete_address(a, cidr("10.0.0.9/24").ip));
    world.link_down(a, "eth0");
    world.run_for(10 * MS);
    assert!(world.has_ip(a, cidr("10.0.0.1/24").ip), "a link that goes down keeps its addresses");
    world.add_address(a, vip(link, "10.0.0.9/24")).unwrap();
    world.run_for(MS);
    world.overrun(a);
    world.run_for(100 * MS);
    world.delete_link(a, "eth0");
    world.run_for(MS);
    assert_eq!(world.exit_status(a), Some(0));
    assert_eq!(world.addresses(a).len(), 1);
}

#[test]
fn a_crash_leaves_addresses_and_drops_what_was_not_done_yet() {
    let (mut world, _, [a]) = world(1);
    let link = world.index(a, "eth0");
    let daemon = move |fast: Fast| -> LocalBoxFuture<()> {
        Box::pin(async move {
            let add =
                |n| fast.writer.apply(vec![KernelOp::AddAddress(vip(link, &format!("10.0.0.10{n}/32")))]);
            let _ = add(1).await;
            let _ = add(2).await;
        })
    };
    world.slow_kernel(a, 10 * MS);
    start_fast(&mut world, a, daemon);
    world.run_for(15 * MS);
    world.crash(a);
    world.run_for(100 * MS);
    assert!(world.has_ip(a, cidr("10.0.0.101/32").ip) && !world.has_ip(a, cidr("10.0.0.102/32").ip));
    world.power_off(a);
    assert!(world.addresses(a).is_empty());
    world.power_on(a);
    assert_eq!(world.addresses(a).len(), 2);
    // A frozen process does nothing in the kernel either, and does it once it runs again.
    start_fast(&mut world, a, daemon);
    world.run_for(5 * MS);
    world.freeze(a);
    world.run_for(100 * MS);
    assert!(!world.has_ip(a, cidr("10.0.0.101/32").ip));
    world.thaw(a);
    world.run_for(50 * MS);
    assert!(world.has_ip(a, cidr("10.0.0.102/32").ip));
}
