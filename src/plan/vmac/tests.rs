use super::*;
use crate::base::IfIndex;
use crate::config;
use crate::host::Stacking;
use crate::plan::resolve_among;
use crate::sim::loader::MemoryLoader;

fn name(text: &str) -> IfName {
    IfName::new(text).unwrap()
}

fn link(index: u32, text: &str, kind: LinkKind, base: u32, mac: [u8; 6]) -> Link {
    Link {
        index: IfIndex(index),
        name: name(text),
        up: true,
        running: true,
        multicast: true,
        arp: true,
        loopback: false,
        mtu: 1500,
        mac: Some(MacAddr(mac)),
        stacking: Stacking { kind, base: (base > 0).then_some(IfIndex(base)), ..Stacking::default() },
    }
}

const PRIVATE: LinkKind = LinkKind::Macvlan { private: true };
const VMAC: [u8; 6] = [0, 0, 0x5e, 0, 1, 51];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// What the VMAC of VRID 51 on eth0 is called when these links are there beside eth0 and eth1.
fn called(words: &str, links: Vec<Link>, ours: &[&str]) -> String {
    let text = format!(
        "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n {words}\n \
         virtual_ipaddress {{\n 10.0.0.1\n }}\n}}\n"
    );
    let options = config::Options { main: MemoryLoader::MAIN.to_owned(), config_id: None, all_files: false };
    let config = config::load(&MemoryLoader::with_main(text), &options).config;
    assert!(makes_links(&config), "{words}");
    let bases = [link(2, "eth0", LinkKind::Other, 0, OTHER), link(3, "eth1", LinkKind::Other, 0, OTHER)];
    let links = bases.into_iter().chain(links).collect();
    let present = Present { links, ours: ours.iter().map(|text| name(text)).collect() };
    let plan = resolve_among(&config, &present);
    plan.instances[0].vmac.name.as_ref().unwrap().to_string()
}

#[test]
fn a_name_that_somebody_else_has_is_passed_over() {
    let veth = |text| link(9, text, LinkKind::Other, 0, OTHER);
    assert_eq!(called("use_vmac", vec![], &[]), "vrrp.51");
    assert_eq!(called("use_vmac", vec![veth("vrrp.51")], &[]), "vrrp1.51");
    assert_eq!(called("use_vmac", vec![veth("vrrp.51"), veth("vrrp1.51")], &[]), "vrrp2.51");
    assert_eq!(called("use_vmac vip0", vec![veth("vrrp.51")], &[]), "vip0");
    assert_eq!(called("use_vmac", vec![link(9, "vrrp.51", PRIVATE, 3, VMAC)], &[]), "vrrp1.51");
    assert_eq!(called("use_vmac", vec![link(9, "vrrp.51", PRIVATE, 2, OTHER)], &[]), "vrrp1.51");
    // At a reload, what the running plan has made is no stranger's.
    assert_eq!(called("use_vmac", vec![link(9, "vrrp.51", PRIVATE, 3, VMAC)], &["vrrp.51"]), "vrrp.51");
    let left = link(9, "vrrp.51", LinkKind::Ipvlan { l2: true }, 2, OTHER);
    assert_eq!(called("use_ipvlan 10.0.0.9/24", vec![left.clone()], &[]), "vrrp.51", "a predecessor's");
    assert_eq!(called("use_vmac", vec![left], &[]), "vrrp1.51");
}

#[test]
fn what_has_the_hardware_address_is_the_vmac_under_its_name_unless_one_is_written() {
    let left = |kind, base| vec![link(9, "other", kind, base, VMAC)];
    assert_eq!(called("use_vmac", left(PRIVATE, 2), &[]), "other");
    assert_eq!(called("use_vmac", left(PRIVATE, 2), &["other"]), "other", "nor does a reload change it");
    assert_eq!(called("use_vmac vip0", left(PRIVATE, 2), &[]), "vip0");
    assert_eq!(called("use_vmac", left(PRIVATE, 3), &[]), "vrrp.51");
    assert_eq!(called("use_vmac", left(LinkKind::Macvlan { private: false }, 2), &[]), "vrrp.51");
}
