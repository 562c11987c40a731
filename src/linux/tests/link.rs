//! VMACs and the packet filter on the real kernel.

use std::fs::read_to_string;
use std::process::Command;
use std::sync::Arc;

use super::kernel::Started;
use super::{in_a_namespace, ip};
use crate::base::{Family, IfIndex, IfName, MacAddr};
use crate::host::kernel::Errno;
use crate::host::{
    FirewallEntry, FirewallRule, FirewallTable, KernelEvent, KernelOp, KernelWriter as _, Link, Setting,
    VirtualKind, VirtualLink,
};

fn vmac(base: IfIndex, name: &str) -> VirtualLink {
    VirtualLink {
        name: IfName::new(name).unwrap(),
        instance: "VI_1".to_owned(),
        base,
        real_base: base,
        kind: VirtualKind::Macvlan(MacAddr([0, 0, 0x5e, 0, 1, 51])),
        group: 7,
        vrf: None,
        family: Family::V4,
        ipv6: false,
    }
}

/// Waits until the kernel reports `wanted` as it should be.
async fn reported(started: &mut Started, wanted: &VirtualLink) -> Link {
    let seen = started.until("its report", |event| match event {
        KernelEvent::Link(link) if wanted.is(&link) => Some(link),
        _ => None,
    });
    seen.await
}

fn setting(path: &str) -> String {
    read_to_string(format!("/proc/sys/net/{path}")).unwrap().trim().to_owned()
}

#[test]
fn a_vmac_comes_as_it_should_be_and_goes() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let wanted = vmac(started.link("va"), "vrrp.51");
        let make = || vec![KernelOp::AddLink(wanted.clone(), None)];
        assert_eq!(started.writer.apply(make()).await, [Ok(())]);
        let link = reported(&mut started, &wanted).await;
        assert_eq!((link.stacking.group, link.stacking.base), (7, Some(wanted.base)));
        for (path, value) in [
            ("ipv4/conf/vrrp.51/arp_ignore", "1"),
            ("ipv4/conf/vrrp.51/accept_local", "1"),
            ("ipv6/conf/vrrp.51/disable_ipv6", "1"),
            ("ipv6/conf/vrrp.51/addr_gen_mode", "1"),
        ] {
            assert_eq!(setting(path), value, "{path}");
        }
        // What somebody has changed is put right, and it stays the same link.
        ip("link set vrrp.51 down");
        ip("link set vrrp.51 address 02:00:00:00:00:99");
        assert_eq!(started.writer.apply(make()).await, [Ok(())]);
        assert_eq!(reported(&mut started, &wanted).await.index, link.index);
        let unmake = || vec![KernelOp::DeleteLink(wanted.clone(), None)];
        assert_eq!(started.writer.apply(unmake()).await, [Ok(())]);
        assert_eq!(started.writer.apply(unmake()).await, [Err(Errno::NODEV)]);
    });
}

#[test]
fn what_a_predecessor_left_on_another_interface_is_replaced_and_a_strangers_is_not() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let (va, vb) = (started.link("va"), started.link("vb"));
        assert_eq!(started.writer.apply(vec![KernelOp::AddLink(vmac(vb, "vrrp.51"), None)]).await, [Ok(())]);
        let wanted = vmac(va, "vrrp.51");
        assert_eq!(started.writer.apply(vec![KernelOp::AddLink(wanted.clone(), None)]).await, [Ok(())]);
        assert_eq!(reported(&mut started, &wanted).await.stacking.base, Some(va));
        ip("link add mine link va type macvlan mode bridge");
        let refused = started.writer.apply(vec![KernelOp::AddLink(vmac(va, "mine"), None)]).await;
        assert_eq!(refused, [Err(Errno::EXIST)]);
        assert_eq!(
            started.writer.apply(vec![KernelOp::AddLink(vmac(IfIndex(99), "vrrp.52"), None)]).await,
            [Err(Errno::NODEV)]
        );
    });
}

#[test]
fn settings_are_left_as_they_were_found() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane).await;
        let va = || IfName::new("va").unwrap();
        let write = |path: &str, value: &str| std::fs::write(format!("/proc/sys/net/{path}"), value).unwrap();
        write("ipv4/conf/all/rp_filter", "2");
        write("ipv4/conf/vb/arp_ignore", "2");
        let settings = [Setting::SourceChecks, Setting::ArpIsolation(va())];
        let now = || {
            ["all/rp_filter", "va/rp_filter", "default/rp_filter", "va/arp_ignore", "va/arp_filter"]
                .map(|path| setting(&format!("ipv4/conf/{path}")))
        };
        let before = now();
        let set = settings.iter().cloned().map(KernelOp::Set).collect();
        assert_eq!(started.writer.apply(set).await, [Ok(()), Ok(())]);
        assert_eq!(now(), ["0", "2", "2", "1", "1"]);
        // What an administrator does meanwhile is his.
        write("ipv4/conf/va/arp_filter", "0");
        let unset = settings.iter().cloned().map(KernelOp::Unset).collect();
        assert_eq!(started.writer.apply(unset).await, [Ok(()), Ok(())]);
        assert_eq!(now(), before);
        let gone = KernelOp::Set(Setting::ArpIsolation(IfName::new("none").unwrap()));
        assert_eq!(started.writer.apply(vec![gone]).await, [Err(Errno::NODEV)]);
    });
}

/// A daemon that was killed cannot put anything back: the next one does.
#[test]
fn what_a_predecessor_has_changed_is_put_back_at_the_start() {
    in_a_namespace(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let notes = directory.path().join("settings");
        let now = || {
            ["all/rp_filter", "va/rp_filter", "vb/arp_ignore", "va/arp_filter", "va/promote_secondaries"]
                .map(|path| setting(&format!("ipv4/conf/{path}")))
        };
        std::fs::write("/proc/sys/net/ipv4/conf/all/rp_filter", "2").unwrap();
        let before = now();
        let name = |text| IfName::new(text).unwrap();
        let settings = [
            Setting::SourceChecks,
            Setting::ArpIsolation(name("va")),
            Setting::ArpIsolation(name("vb")),
            Setting::Promotion(name("va")),
        ];
        let set = || settings.iter().cloned().map(KernelOp::Set).collect();
        let first = Started::noting(plane.clone(), Some(notes.clone())).await;
        assert_eq!(first.writer.apply(set()).await, [Ok(()); 4]);
        assert_ne!(now(), before);
        drop(first);
        // What somebody has changed meanwhile is his; and an interface made anew is another one.
        std::fs::write("/proc/sys/net/ipv4/conf/va/promote_secondaries", "0").unwrap();
        let second = Started::noting(plane.clone(), Some(notes.clone())).await;
        assert_eq!(now(), before);
        assert!(!notes.exists());
        assert_eq!(second.writer.apply(set()).await, [Ok(()); 4]);
        let unset = settings.iter().cloned().map(KernelOp::Unset).collect();
        assert_eq!(second.writer.apply(unset).await, [Ok(()); 4]);
        assert_eq!(now(), before);
        assert!(!notes.exists(), "nothing is left to be put back");
    });
}

/// The kernel has no two macvlans of one hardware address up on one link.
#[test]
fn a_vmac_that_cannot_come_up_is_not_left_behind() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane).await;
        ip("link add other link va address 00:00:5e:00:01:33 type macvlan mode bridge");
        ip("link set other up");
        let wanted = vmac(started.link("va"), "vrrp.51");
        let answers = started.writer.apply(vec![KernelOp::AddLink(wanted, None)]).await;
        assert_eq!(answers, [Err(Errno(98))], "address in use");
        assert!(!std::fs::exists("/proc/sys/net/ipv4/conf/vrrp.51").unwrap());
    });
}

#[test]
fn a_link_is_made_out_of_the_one_with_its_number() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let wanted = vmac(started.link("va"), "vrrp.51");
        assert_eq!(started.writer.apply(vec![KernelOp::AddLink(wanted.clone(), None)]).await, [Ok(())]);
        let link = reported(&mut started, &wanted).await;
        ip("link set vrrp.51 type macvlan mode bridge");
        ip("link set vrrp.51 name renamed");
        let again = vec![KernelOp::AddLink(wanted.clone(), Some(link.index))];
        assert_eq!(started.writer.apply(again).await, [Ok(())]);
        assert_eq!(reported(&mut started, &wanted).await.index, link.index);
        // Of one that is gone a new one is made; another that has its name is not touched.
        ip("link del vrrp.51");
        let again = || vec![KernelOp::AddLink(wanted.clone(), Some(link.index))];
        assert_eq!(started.writer.apply(again()).await, [Ok(())]);
        let second = IfIndex(nix::net::if_::if_nametoindex("vrrp.51").unwrap());
        assert_ne!(second, link.index);
        let gone = vec![KernelOp::DeleteLink(wanted.clone(), Some(second))];
        assert_eq!(started.writer.apply(gone).await, [Ok(())]);
        ip("link add vrrp.51 type veth peer name other");
        assert_eq!(started.writer.apply(again()).await, [Err(Errno::EXIST)]);
    });
}

fn nft(arguments: &str) -> String {
    let output = Command::new("nft")
        .args(arguments.split_whitespace())
        .output()
        .expect("this test runs `nft`: install the Debian package nftables");
    assert!(output.status.success(), "nft {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_packet_filter_has_what_it_is_given() {
    in_a_namespace(|plane| async move {
        let mut started = Started::new(plane).await;
        let table = Arc::new(FirewallTable { name: "kk".to_owned(), priority: -1, counters: false });
        let entry = |ip: &str, link| FirewallEntry {
            table: Arc::clone(&table),
            rule: FirewallRule::Drop { ip: ip.parse().unwrap(), link },
        };
        let va = started.link("va");
        let add = |entry: FirewallEntry| KernelOp::AddFirewall(entry);
        let (one, two) = (entry("10.0.0.1", None), entry("10.0.0.2", None));
        let local = entry("fe80::1", Some(va));
        let all = vec![add(one.clone()), add(two.clone()), add(local.clone())];
        assert_eq!(started.writer.apply(all).await, [Ok(()), Ok(()), Ok(())]);
        assert!(nft("list set ip kk vips").contains("elements = { 10.0.0.1, 10.0.0.2 }"));
        assert!(nft("list set ip6 kk vips_link_local").contains("elements = { fe80::1 . \"va\" }"));
        let rules = nft("list chain ip6 kk out");
        assert!(rules.contains("ip6 saddr fe80::/10 goto out_link_local ip6 saddr @vips drop"), "{rules}");
        assert_eq!(started.writer.apply(vec![KernelOp::DeleteFirewall(two)]).await, [Ok(())]);
        assert!(nft("list set ip kk vips").contains("elements = { 10.0.0.1 }"));
        // Others' tables are theirs.
        nft("add table ip other");
        nft("delete table ip other");
        nft("flush ruleset");
        started.until("the news", |event| (event == KernelEvent::FirewallLost).then_some(())).await;
        assert_eq!(started.writer.apply(vec![add(one.clone())]).await, [Ok(())]);
        assert!(nft("list set ip kk vips").contains("elements = { 10.0.0.1 }"));
        assert!(
            nft("list set ip6 kk vips_link_local").contains("fe80::1"),
            "what was lost with it is back, too"
        );
        let none = vec![KernelOp::DeleteFirewall(one), KernelOp::DeleteFirewall(local)];
        // What a predecessor left is not there any more.
        nft("add table ip left");
        nft("add table ip6 left");
        let left = FirewallTable { name: "left".to_owned(), ..(*table).clone() };
        let clear = vec![KernelOp::Set(Setting::Filter(Arc::new(left)))];
        assert_eq!(started.writer.apply(clear).await, [Ok(())]);
        assert!(!nft("list tables").contains("left"));
        assert_eq!(started.writer.apply(none).await, [Ok(()), Ok(())]);
        assert_eq!(nft("list ruleset"), "");
    });
}

#[test]
fn a_thousand_addresses_are_one_transaction() {
    in_a_namespace(|plane| async move {
        let started = Started::new(plane).await;
        let table = Arc::new(FirewallTable { name: "kk".to_owned(), priority: -1, counters: true });
        let drops = |v6: bool| {
            let table = Arc::clone(&table);
            (0..1000_u32).map(move |n| {
                let ip = if v6 {
                    std::net::Ipv6Addr::from((0x2001_0db8_u128 << 96) + u128::from(n)).into()
                } else {
                    std::net::Ipv4Addr::from(0x0a00_0000 + n).into()
                };
                FirewallEntry { table: Arc::clone(&table), rule: FirewallRule::Drop { ip, link: None } }
            })
        };
        let all: Vec<_> = drops(false).chain(drops(true)).collect();
        let add = all.iter().cloned().map(KernelOp::AddFirewall).collect();
        assert!(started.writer.apply(add).await.iter().all(Result::is_ok));
        assert_eq!(nft("list set ip6 kk vips").matches("2001:db8::").count(), 1000);
        let delete = all.into_iter().map(KernelOp::DeleteFirewall).collect();
        assert!(started.writer.apply(delete).await.iter().all(Result::is_ok));
        assert_eq!(nft("list ruleset"), "");
    });
}
