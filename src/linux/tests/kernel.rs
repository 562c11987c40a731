//! Links and addresses on the real kernel.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use super::{in_a_namespace, ip, ip_batch, quantiles, soon};
use crate::base::{Cidr, IfIndex, MacAddr};
use crate::host::kernel::Errno;
use crate::host::{Address, AddressOptions, Dump, KernelEvent, KernelEvents, KernelOp, KernelWriter, Plane};
use crate::linux::kernel::{self, Events, Writer};
use crate::linux::scheduling::Threads;
use crate::linux::startup::Original;

/// Started netlink threads and the picture it gave first.
pub(super) struct Started {
    plane: Plane,
    events: Events,
    pub(super) writer: Writer,
    dump: Dump,
}

impl Started {
    pub(super) async fn new(plane: Plane) -> Self {
        Self::noting(plane, None).await
    }

    /// With a file for settings that are changed.
    pub(super) async fn noting(plane: Plane, notes: Option<PathBuf>) -> Self {
        let (kernel, _thread) = kernel::start(Threads::new(Original::read()), notes).unwrap();
        let (mut events, writer) = (kernel.events, kernel.writer);
        let first = soon(&plane, "the first event", poll_fn(|cx| events.poll_event(cx))).await;
        let KernelEvent::Resync(dump) = first else { panic!("first event: {first:?}") };
        Self { plane, events, writer, dump }
    }

    pub(super) fn link(&self, name: &str) -> IfIndex {
        self.dump.links.iter().find(|link| link.name.as_str() == name).unwrap().index
    }

    /// Waits for an event for which `choose` gives something.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        mut choose: impl FnMut(KernelEvent) -> Option<T>,
    ) -> T {
        let events = &mut self.events;
        let wanted = async {
            loop {
                if let Some(found) = choose(poll_fn(|cx| events.poll_event(cx)).await) {
                    return found;
                }
            }
        };
        soon(&self.plane, what, wanted).await
    }
}

fn vip(link: IfIndex, n: u16) -> Address {
    let [high, low] = n.to_be_bytes();
    Address {
        link,
        cidr: Cidr::host([10, 8, high, low].into()),
        peer: None,
        broadcast: None,
        label: None,
        scope: 0,
        protocol: Address::PROTO_KEEPALIVED,
        options: AddressOptions::default(),
    }
}

#[test]
fn the_first_event_tells_what_there_is() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane).await;
        let links = &started.dump.links;
        let va = links.iter().find(|link| link.name.as_str() == "va").unwrap();
        assert!(va.usable() && va.arp && va.multicast && !va.loopback);
        assert_eq!((va.mtu, va.mac), (1500, Some(MacAddr([2, 0, 0, 0, 0, 0x0a]))));
        let lo = links.iter().find(|link| link.name.as_str() == "lo").unwrap();
        assert!(lo.loopback && !lo.arp && lo.mac.is_none());
        assert!(links.is_sorted_by_key(|link| link.index));
        let own = started.dump.addresses.iter().find(|address| address.link == va.index);
        assert_eq!(own.unwrap().cidr, Cidr { ip: [10, 9, 0, 1].into(), prefix: 24 });
    });
}

#[test]
fn an_address_comes_and_goes_with_all_it_has() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let wanted = Address {
            // A network of its own: within one, Linux takes addresses of one scope only.
            cidr: Cidr { ip: [10, 7, 0, 100].into(), prefix: 24 },
            broadcast: Some(Ipv4Addr::new(10, 7, 0, 255)),
            label: Some("va:vip".to_owned()),
            scope: 253,
            ..vip(started.link("va"), 0)
        };
        let add = || vec![KernelOp::AddAddress(wanted.clone())];
        let delete = || vec![KernelOp::DeleteAddress(wanted.clone())];
        assert_eq!(started.writer.apply(add()).await, [Ok(())]);
        let seen = started.until("the addition", |event| match event {
            KernelEvent::Address(address) if address.key() == wanted.key() => Some(address),
            _ => None,
        });
        assert_eq!(seen.await, wanted);
        assert_eq!(started.writer.apply(add()).await, [Err(Errno::EXIST)]);
        assert_eq!(started.writer.apply(delete()).await, [Ok(())]);
        let gone = started.until("the deletion", |event| match event {
            KernelEvent::AddressGone(address) => Some(address),
            _ => None,
        });
        assert_eq!(gone.await, wanted);
        assert_eq!(started.writer.apply(delete()).await, [Err(Errno::ADDRNOTAVAIL)]);
    });
}

#[test]
fn an_address_with_a_peer_and_one_of_ipv6_are_taken() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let link = started.link("va");
        let with_peer =
            Address { peer: Some([10, 7, 0, 2].into()), label: Some("va".to_owned()), ..vip(link, 1) };
        let v6 = Address { cidr: Cidr::host("2001:db8::9".parse().unwrap()), ..vip(link, 0) };
        for wanted in [with_peer, v6] {
            assert_eq!(started.writer.apply(vec![KernelOp::AddAddress(wanted.clone())]).await, [Ok(())]);
            let seen = started.until("the addition", |event| match event {
                KernelEvent::Address(address) if address.key() == wanted.key() => Some(address),
                _ => None,
            });
            assert_eq!(seen.await, wanted);
            assert_eq!(started.writer.apply(vec![KernelOp::DeleteAddress(wanted)]).await, [Ok(())]);
        }
    });
}

#[test]
fn what_others_do_is_seen() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let va = started.link("va");
        ip("addr del 10.9.0.1/24 dev va");
        let gone = started.until("the deletion", |event| match event {
            KernelEvent::AddressGone(address) => Some(address.cidr.ip),
            _ => None,
        });
        assert_eq!(gone.await, Ipv4Addr::new(10, 9, 0, 1));
        ip("link set vb down");
        let lost = |event| matches!(event, KernelEvent::Link(l) if l.index == va && l.up && !l.running);
        started.until("the loss of the carrier", |event| lost(event).then_some(())).await;
        ip("link del va");
        started
            .until("the end of the link", |event| {
                (event == KernelEvent::LinkGone { index: va, moved: false }).then_some(())
            })
            .await;
    });
}

#[test]
fn one_failure_in_a_batch_stops_nobody() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane).await;
        let link = started.link("va");
        let nowhere = Address { link: IfIndex(4711), ..vip(link, 2) };
        let ops = [vip(link, 1), vip(link, 1), nowhere, vip(link, 3)].map(KernelOp::AddAddress);
        let answers = started.writer.apply(ops.into()).await;
        assert_eq!(answers, [Ok(()), Err(Errno::EXIST), Err(Errno::NODEV), Ok(())]);
        assert_eq!(started.writer.apply(Vec::new()).await, []);
    });
}

#[test]
fn a_thousand_addresses_are_answered_one_by_one() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane.clone()).await;
        let link = started.link("va");
        let all = || (0..1000).map(|n| vip(link, n));
        let mut took = Vec::new();
        for ops in [
            all().map(KernelOp::AddAddress).collect::<Vec<_>>(),
            all().map(KernelOp::DeleteAddress).collect::<Vec<_>>(),
        ] {
            let start = plane.now();
            let answers = started.writer.apply(ops).await;
            took.push((plane.now() - start).as_micros());
            assert_eq!(answers, vec![Ok(()); 1000]);
        }
        println!("1000 addresses: added in {} µs, deleted in {} µs", took[0], took[1]);
    });
}

#[test]
fn one_address_takes_this_long() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane.clone()).await;
        let link = started.link("va");
        let mut took = Vec::new();
        for n in 0..500 {
            for op in [KernelOp::AddAddress(vip(link, n)), KernelOp::DeleteAddress(vip(link, n))] {
                let start = plane.now();
                assert_eq!(started.writer.apply(vec![op]).await, [Ok(())]);
                took.push((plane.now() - start).as_micros());
            }
        }
        let (median, p99) = quantiles(took);
        println!("one address: answered after {median} µs (median), {p99} µs (99 %)");
    });
}

#[test]
fn work_given_before_the_end_is_done() {
    in_a_namespace(|plane| async move {
        let (kernel, threads) = kernel::start(Threads::new(Original::read()), None).unwrap();
        let mut started = Started::new(plane).await;
        let link = started.link("va");
        // Neither awaited nor even polled.
        drop(kernel.writer.apply((0..300).map(|n| KernelOp::AddAddress(vip(link, n))).collect()));
        drop(kernel);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut seen = 0;
        started
            .until("300 additions", |event| {
                seen += u32::from(matches!(event, KernelEvent::Address(_)));
                (seen == 300).then_some(())
            })
            .await;
    });
}

#[test]
fn an_overflow_gives_a_new_picture() {
    const MANY: usize = 12_000;
    in_a_namespace(|plane| async move {
        // On this thread's own runtime, which does not read while the thread is busy.
        let mut events = kernel::watch_here(&plane);
        let first = soon(&plane, "the first event", poll_fn(|cx| events.poll_event(cx))).await;
        assert!(matches!(first, KernelEvent::Resync(_)));
        let storm: String =
            (0..MANY).map(|n| format!("addr add 10.{}.{}.1/32 dev va\n", 10 + n / 250, n % 250)).collect();
        ip_batch(["-batch", "-"].into_iter(), &storm);
        let resync = async {
            loop {
                if let KernelEvent::Resync(dump) = poll_fn(|cx| events.poll_event(cx)).await {
                    return dump;
                }
            }
        };
        let dump = soon(&plane, "a new picture", resync).await;
        let ours = dump.addresses.iter().filter(|address| address.cidr.prefix == 32 && address.scope == 0);
        assert_eq!(ours.count(), MANY);
    });
}
