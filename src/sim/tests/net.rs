use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::base::Family;
use crate::host::{EndpointSpec, Frame};
use crate::wire::ip::V4Header;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

fn eth0() -> IfName {
    IfName::new("eth0").unwrap()
}

fn spec(link: IfIndex) -> EndpointSpec {
    EndpointSpec {
        interface: Some((link, IfName::new("eth0").unwrap())),
        family: Family::V4,
        protocol: 112,
        groups: vec![IpAddr::V4(GROUP)],
    }
}

/// An IPv4 packet to the group, its payload three bytes that look like the start of an advert.
fn packet(source: [u8; 4], vrid: u8, priority: u8) -> Vec<u8> {
    let mut packet = vec![0; 23];
    let header = V4Header {
        header_len: 20,
        tos: 0,
        total_len: 0,
        id: 1,
        ttl: 255,
        protocol: 112,
        source: source.into(),
        destination: GROUP,
    };
    header.emit(&mut packet);
    packet[20..].copy_from_slice(&[0x31, vrid, priority]);
    packet
}

/// Sends `count` packets, numbered by their priority, one every `pause`.
fn talk(world: &mut World, node: NodeId, count: u8, pause: Duration) {
    let link = world.index(node, "eth0");
    let ip = world.addresses(node)[1].cidr.ip;
    start_fast(world, node, move |fast| {
        Box::pin(async move {
            let (_, sender) = fast.vrrp.open(&spec(link)).unwrap();
            let IpAddr::V4(ip) = ip else { panic!("{ip} is not IPv4") };
            for n in 1..=count {
                sender.send(&packet(ip.octets(), 7, n), GROUP.into()).unwrap();
                fast.plane.sleep(pause).await;
            }
        })
    });
}

/// Notes every packet as `source priority milliseconds`.
fn listen(world: &mut World, node: NodeId, vrids: Option<&'static [u8]>) -> Notes {
    let notes = Notes::default();
    let (seen, link, start) = (notes.clone(), world.index(node, "eth0"), world.now());
    // The fast plane's entry must be Send; the notes reach it through the slow plane's side of the same thread.
    world.start(node, |host| {
        let (to_slow, mut from_fast) = tokio::sync::mpsc::unbounded_channel();
        let main = move |fast: Fast| -> LocalBoxFuture<()> {
            Box::pin(async move {
                let (mut receiver, _sender) = fast.vrrp.open(&spec(link)).unwrap();
                if let Some(vrids) = vrids {
                    receiver.set_vrids(vrids);
                }
                let mut buf = [0xa5; 100];
                loop {
                    let got = poll_fn(|cx| receiver.poll_recv(cx, &mut buf)).await.unwrap();
                    assert_eq!((got.ttl, got.protocol, got.header_len, got.declared_len), (255, 112, 20, 23));
                    assert_eq!(got.destination, IpAddr::V4(GROUP));
                    let millis = (fast.plane.now() - start).as_millis();
                    let text = format!("{} {} {millis}", got.source, buf[got.payload][2]);
                    to_slow.send(text).unwrap();
                }
            })
        };
        let fast = (host.start_fast)(Box::new(main)).unwrap();
        Box::pin(async move {
            let _fast = fast;
            while let Some(text) = from_fast.recv().await {
                seen.add(text);
            }
            0
        })
    });
    notes
}

#[test]
fn packets_reach_all_others_in_order_and_are_counted_as_adverts() {
    let (mut world, lan, [a, b, c]) = world(1);
    world.set_lan(lan, LanOptions { latency: Duration::ZERO..=20 * MS, loss_ppm: 0 });
    let (b, c) = (listen(&mut world, b, None), listen(&mut world, c, Some(&[1, 7])));
    talk(&mut world, a, 50, MS);
    world.run_for(200 * MS);
    let expected: Vec<String> = (1..=50).map(|n| format!("10.0.0.1 {n}")).collect();
    for notes in [b.take(), c.take()] {
        let without_time: Vec<&str> = notes.iter().map(|n| n.rsplit_once(' ').unwrap().0).collect();
        assert_eq!(without_time, expected);
    }
    let adverts = world.adverts();
    assert_eq!(adverts.len(), 50);
    assert!(adverts.iter().all(|x| (x.node, x.lan, x.vrid) == (a, lan, 7)));
}

#[test]
fn filters_partitions_links_and_pauses_keep_packets_out() {
    let (mut world, lan, [a, b, c, d, e]) = world(1);
    let filtered = listen(&mut world, b, Some(&[8]));
    let parted = listen(&mut world, c, None);
    let down = listen(&mut world, d, None);
    let paused = listen(&mut world, e, None);
    world.run_for(MS);
    world.partition(lan, &[&[c]]);
    world.link_down(d, "eth0");
    world.pause_vm(e);
    talk(&mut world, a, 20, MS);
    world.run_for(10 * MS + MS / 2);
    world.heal(lan);
    world.link_up(d, "eth0");
    world.resume_vm(e);
    world.run_for(MS / 4);
    for notes in [&filtered, &parted, &down, &paused] {
        assert_eq!(notes.take(), [""; 0]);
    }
    world.run_for(100 * MS);
    assert_eq!(filtered.take(), [""; 0]);
    for notes in [parted, down, paused] {
        assert_eq!(notes.take().len(), 9);
    }
}

#[test]
fn a_frozen_node_finds_what_arrived_up_to_the_buffer() {
    let (mut world, _, [a, b]) = world(1);
    let notes = listen(&mut world, b, None);
    world.run_for(MS);
    world.freeze(b);
    talk(&mut world, a, 3, MS);
    world.run_for(20 * MS);
    assert_eq!(notes.take(), [""; 0]);
    world.thaw(b);
    world.run_for(MS);
    assert_eq!(notes.take(), ["10.0.0.1 1 21", "10.0.0.1 2 21", "10.0.0.1 3 21"]);
    world.freeze(b);
    world.crash(a);
    talk(&mut world, a, 255, MS / 10);
    world.run_for(100 * MS);
    world.crash(a);
    talk(&mut world, a, 255, MS / 10);
    world.run_for(100 * MS);
    world.thaw(b);
    world.run_for(MS);
    assert_eq!(notes.take().len(), RECEIVE_BUFFER);
}

#[test]
fn loss_is_random_and_a_run_repeats_exactly() {
    let run = |seed| {
        let (mut world, lan, [a, b]) = world(seed);
        world.set_lan(lan, LanOptions { latency: MS..=5 * MS, loss_ppm: 300_000 });
        let notes = listen(&mut world, b, None);
        talk(&mut world, a, 250, 3 * MS);
        world.run_for(2000 * MS);
        (notes.take(), world.trace())
    };
    let (received, trace) = run(5);
    assert!((130..220).contains(&received.len()), "{} of 250", received.len());
    assert_eq!(run(5), (received.clone(), trace));
    assert_ne!(run(6).0, received);
}

#[test]
fn sending_fails_as_on_linux() {
    let (mut world, _, [a]) = world(1);
    let link = world.index(a, "eth0");
    let start = world.now();
    start_fast(&mut world, a, move |fast| {
        Box::pin(async move {
            let error = fast.vrrp.open(&spec(IfIndex(99))).err().unwrap();
            assert_eq!(error.source.raw_os_error(), Some(19));
            let (_receiver, sender) = fast.vrrp.open(&spec(link)).unwrap();
            let mut errors = Vec::new();
            for step in 1..=4_u32 {
                let vrrp = sender.send(&packet([10, 0, 0, 1], 1, 1), GROUP.into()).err();
                let frame =
                    fast.announcer.announce(&[Frame { link, name: eth0(), bytes: vec![0; 42] }]).err();
                errors.push([vrrp, frame].map(|e| e.and_then(|e| e.source.raw_os_error())));
                fast.plane.sleep_until(start + step * 10 * MS).await;
            }
            let expected = [[None, None], [None, None], [Some(101), Some(100)], [Some(19), Some(19)]];
            assert_eq!(errors, expected);
        })
    });
    world.run_for(5 * MS);
    world.carrier(a, "eth0", false);
    world.run_for(10 * MS);
    world.link_down(a, "eth0");
    world.run_for(10 * MS);
    world.delete_link(a, "eth0");
    world.run_for(20 * MS);
    assert_eq!(world.exit_status(a), Some(0));
    assert_eq!(world.adverts().len(), 1, "without carrier nothing leaves");
}

#[test]
fn announcements_reach_the_caches_of_those_who_hear_them() {
    let (mut world, lan, [a, b, c]) = world(1);
    world.partition(lan, &[&[c]]);
    let link = world.index(a, "eth0");
    let ip: IpAddr = [10, 0, 0, 100].into();
    start_fast(&mut world, a, move |fast| {
        Box::pin(async move {
            let mut arp = vec![0xff; 6];
            arp.extend([2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 100]);
            arp.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 10, 0, 0, 100]);
            assert_eq!(arp.len(), 42);
            let mut question = arp.clone();
            question[41] = 101;
            let frames = [arp, question].map(|bytes| Frame { link, name: eth0(), bytes });
            fast.announcer.announce(&frames).unwrap();
        })
    });
    let start = world.now();
    world.run_for(MS);
    assert_eq!(world.announced(lan, ip), Some((start, a)));
    assert_eq!(world.arp_cache(b, ip).unwrap().1, MacAddr([2, 0, 0, 0, 0, 2]));
    assert_eq!(world.arp_cache(c, ip), None);
    assert_eq!(world.announced(lan, [10, 0, 0, 101].into()), None, "a question is no announcement");
}

#[test]
fn a_stranger_is_heard_and_a_capture_is_written() {
    let (mut world, lan, [a, b]) = world(1);
    let notes = listen(&mut world, b, None);
    talk(&mut world, a, 2, MS);
    world.run_for(10 * MS);
    world.inject(lan, &packet([10, 0, 0, 9], 1, 200));
    world.run_for(10 * MS);
    assert_eq!(notes.take(), ["10.0.0.1 1 0", "10.0.0.1 2 1", "10.0.0.9 200 10"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lan.pcap");
    world.write_pcap(lan, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 24 + 2 * (16 + 14 + 23));
    assert_eq!(bytes[..8], [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]);
    assert_eq!(bytes[40..54], [1, 0, 0x5e, 0, 0, 0x12, 2, 0, 0, 0, 0, 2, 8, 0]);
}
