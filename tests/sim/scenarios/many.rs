//! A thousand instances.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::harness::*;
use keepalived_rs::host::Signal;
use keepalived_rs::sim::{LanId, LanOptions, NodeId, What, World, cidr};

const LANS: u8 = 4;
const VRIDS: u8 = 250;
const ALL: usize = LANS as usize * VRIDS as usize;

struct Many {
    world: World,
    lans: Vec<LanId>,
    nodes: [NodeId; 2],
}

/// Two routers with 250 instances on each of four LANs; the first one has the higher priority everywhere.
fn many() -> Many {
    let mut world = World::new(1);
    let lans: Vec<LanId> = (0..LANS).map(|_| world.lan(LanOptions::default())).collect();
    let nodes = [1, 2].map(|i| {
        let node = world.node(if i == 1 { "a" } else { "b" });
        for (n, lan) in lans.iter().enumerate() {
            world.attach(node, *lan, &format!("eth{n}"), cidr(&format!("10.{n}.0.{i}/24")));
        }
        node
    });
    for (node, priority) in nodes.into_iter().zip([150, 100]) {
        let mut text = String::new();
        for lan in 0..LANS {
            for vrid in 1..=VRIDS {
                // Names and addresses have to differ between the LANs.
                let block = instance(vrid, priority).on(&format!("eth{lan}")).text();
                let block = block.replace(&Instance::name(vrid), &format!("VI_{lan}_{vrid}"));
                text += &block.replace("10.0.1.", &format!("10.{lan}.1."));
            }
        }
        start(&mut world, node, &Rc::new(RefCell::new(text.clone())));
    }
    world.run_for(secs(10.0));
    Many { world, lans, nodes }
}

/// How many virtual addresses `node` has.
fn held(world: &World, node: NodeId) -> usize {
    world
        .addresses(node)
        .iter()
        .filter(|a| matches!(a.cidr.ip, IpAddr::V4(ip) if ip.octets()[2] == 1))
        .count()
}

#[test]
fn a_thousand_instances_move_together_and_stop_together() {
    let Many { mut world, nodes: [a, b], lans } = many();
    assert_eq!((held(&world, a), held(&world, b)), (ALL, 0));
    let crash = world.now();
    world.crash(a);
    world.power_off(a);
    world.run_for(secs(10.0));
    assert_eq!(held(&world, b), ALL);
    let mut adverts = world.adverts_since(crash);
    adverts.retain(|advert| advert.node == b);
    let first = adverts.iter().take(ALL).map(|advert| advert.at);
    let spread: Duration = first.clone().max().unwrap() - first.min().unwrap();
    assert!(spread < secs(0.005), "adverts of all instances within {spread:?}");
    let announced = (0..LANS).zip(&lans).all(|(n, lan)| {
        (1..=VRIDS).all(|vrid| {
            let ip = IpAddr::from([10, n, 1, vrid]);
            world.announced(*lan, ip).is_some_and(|(at, node)| node == b && at > crash)
        })
    });
    assert!(announced, "every address is announced");
    let stop = world.now();
    world.signal(b, Signal::Stop);
    world.run_for(secs(0.1));
    assert_eq!(world.exit_status(b), Some(0), "all of it within a tenth of a second");
    assert_eq!(held(&world, b), 0);
    let resigned = world.adverts_since(stop).iter().filter(|advert| advert.priority == 0).count();
    assert_eq!(resigned, ALL);
    assert!(world.errors().is_empty(), "{:?}", world.errors());
}

#[test]
fn a_stall_of_the_router_with_a_thousand_masters_makes_no_second_one() {
    let Many { mut world, nodes: [a, b], .. } = many();
    for stall in [1.0, 2.5, 20.0] {
        world.freeze(b);
        world.run_for(secs(stall));
        world.thaw(b);
        world.run_for(secs(5.0));
        assert_eq!((held(&world, a), held(&world, b)), (ALL, 0));
    }
    assert!(world.adverts().iter().all(|advert| advert.node == a));
    assert!(world.errors().is_empty(), "{:?}", world.errors());
}

/// The first of 300 addresses need not wait for the last, and none is announced that is not there.
#[test]
fn an_address_is_announced_when_it_is_there_and_not_when_all_are() {
    let excluded: String =
        (0..300).map(|n| format!("    10.0.{}.{}/24\n", 2 + n / 100, n % 100 + 1)).collect();
    let block = format!("virtual_ipaddress_excluded {{\n{excluded}  }}");
    let mut cluster = Cluster::new(1, vec![instance(1, 150).with("garp_master_delay 0").with(&block).text()]);
    cluster.world.slow_kernel(cluster.nodes[0], secs(0.1));
    let start = cluster.now();
    cluster.start(0);
    cluster.run(10.0);
    let (mut added, mut announced) = (BTreeMap::new(), BTreeMap::<IpAddr, Vec<_>>::new());
    cluster.world.records_since(start, |record| {
        match &record.what {
            What::AddressAdded { address, .. } => drop(added.insert(address.cidr.ip, record.at)),
            What::Announcement { ip, .. } => announced.entry(*ip).or_default().push(record.at),
            _ => {}
        }
        None::<()>
    });
    assert_eq!(announced.len(), 301);
    for (ip, times) in &announced {
        assert_eq!(times.len(), 5, "{ip}");
        assert!(times[0] >= added[ip], "{ip}");
    }
    let first = announced.values().map(|times| times[0]).min();
    assert!(first < added.values().max().copied(), "the first does not wait for the last");
    let second = announced.values().map(|times| times[1]).min();
    let last_of_first = announced.values().map(|times| times[0]).max();
    assert!(second >= last_of_first, "repetitions wait until each address has been announced");
}
