//! What is understood.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::base::{Cidr, Family, IfName, Priority, Vrid};
use crate::config::model::*;

fn cidr(ip: &str, prefix: u8) -> Cidr {
    Cidr::new(ip.parse().unwrap(), prefix).unwrap()
}

#[test]
fn seeds_give_their_instances() {
    for (name, text) in seeds() {
        let loaded = load_from(&MemoryLoader::with_main(text.clone()));
        let written = String::from_utf8_lossy(&text).matches("vrrp_instance ").count();
        assert_eq!(loaded.config.instances.len(), written, "{name}");
        assert_eq!(loaded.refusal(), None, "{name}: {:?}", lines(&loaded));
        for instance in &loaded.config.instances {
            assert!(!instance.addresses.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_seed_in_full() {
    let (_, text) = seeds().into_iter().find(|s| s.0 == "three-nodes.master.conf").unwrap();
    let mut loader = MemoryLoader::with_main(text);
    loader = loader.program("/usr/local/keepalived/etc/keepalived/check_nginx.sh");
    let config = load_from(&loader).config;
    assert_eq!(config.globals.router_id.as_deref(), Some("Nginx"));
    let [script] = &config.scripts[..] else { panic!("{:?}", config.scripts) };
    assert_eq!(
        *script,
        VrrpScript {
            name: "check_nginx".into(),
            script: Script::Run(Arc::new(Run {
                program: "/usr/local/keepalived/etc/keepalived/check_nginx.sh".into(),
                argv: vec!["/usr/local/keepalived/etc/keepalived/check_nginx.sh".into()],
                user: User { uid: 0, gid: 0, groups: Vec::new() },
            })),
            interval: Some(Duration::from_secs(2)),
            timeout: None,
            weight: Some(-5),
            reverse: false,
            rise: Some(2),
            fall: Some(3),
            init_fail: false,
        }
    );
    let [instance] = &config.instances[..] else { panic!("{:?}", config.instances) };
    let expected = VrrpInstance {
        name: "VI_1".into(),
        state: Some(InitialState::Master),
        interface: IfName::new("enp1s0"),
        vrid: Vrid::new(51),
        priority: Priority::new(150),
        advert_int: Some(Duration::from_secs(1)),
        authentication: Some(Authentication::Pass(*b"keep520\0")),
        family: Some(Family::V4),
        source: Some("10.43.0.29".parse().unwrap()),
        addresses: vec![VirtualAddress {
            cidr: cidr("10.43.1.25", 22),
            dev: None,
            label: None,
            scope: None,
            broadcast: None,
            peer: None,
            flags: AddressFlags::default(),
            pending: PendingAddress::default(),
        }],
        track_scripts: vec![TrackScript { script: "check_nginx".into(), weight: None, reverse: None }],
        ..VrrpInstance::default()
    };
    assert_eq!(*instance, expected);
}

#[test]
fn address_lines() {
    let text = "virtual_ipaddress {\n 192.0.2.2/24 dev eth1 label eth1:v scope link brd 192.0.2.255\n 192.0.2.3/25 brd +\n \
                192.0.2.4/25 broadcast -\n 192.0.2.5 peer 198.51.100.1\n}\nvirtual_ipaddress_excluded { 192.0.2.6/24 scope 0x14 }";
    let loaded = load_text(&instance(text));
    assert_eq!(lines(&loaded), Vec::<String>::new());
    let instance = &loaded.config.instances[0];
    let plain = |c| VirtualAddress {
        cidr: c,
        dev: None,
        label: None,
        scope: None,
        broadcast: None,
        peer: None,
        flags: AddressFlags::default(),
        pending: PendingAddress::default(),
    };
    assert_eq!(
        instance.addresses,
        [
            plain(cidr("192.0.2.1", 32)),
            VirtualAddress {
                dev: IfName::new("eth1"),
                label: Some("eth1:v".into()),
                scope: Some(253),
                broadcast: Some("192.0.2.255".parse().unwrap()),
                ..plain(cidr("192.0.2.2", 24))
            },
            VirtualAddress {
                broadcast: Some("192.0.2.127".parse().unwrap()),
                ..plain(cidr("192.0.2.3", 25))
            },
            VirtualAddress { broadcast: Some("192.0.2.0".parse().unwrap()), ..plain(cidr("192.0.2.4", 25)) },
            VirtualAddress { peer: Some(cidr("198.51.100.1", 32)), ..plain(cidr("192.0.2.5", 32)) },
        ]
    );
    assert_eq!(instance.excluded, [VirtualAddress { scope: Some(20), ..plain(cidr("192.0.2.6", 24)) }]);
}

#[test]
fn scripts_of_an_instance() {
    let text = "notify_master \"/bin/notify.sh 'a b' c\" nobody nogroup\nnotify /bin/notify.sh\n\
                track_script { S weight -20 reverse }";
    let loaded = load_text(&instance(text));
    assert_eq!(lines(&loaded), Vec::<String>::new());
    let instance = &loaded.config.instances[0];
    let run = |argv: &[&str], id| {
        let argv = argv.iter().map(|&a| a.to_owned()).collect();
        Some(Script::Run(Arc::new(Run {
            program: "/bin/notify.sh".into(),
            argv,
            user: User { uid: id, gid: id, groups: Vec::new() },
        })))
    };
    assert_eq!(instance.notify_master, run(&["/bin/notify.sh", "a b", "c"], 65_534));
    assert_eq!(instance.notify, run(&["/bin/notify.sh"], 0));
    let track = TrackScript { script: "S".into(), weight: Some(-20), reverse: Some(true) };
    assert_eq!(instance.track_scripts, [track]);
}

#[test]
fn settings_for_all_apply_wherever_they_stand() {
    let text = "vrrp_instance A {\n interface nope0\n virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n}\n\
                global_defs {\n dynamic_interfaces\n vrrp_version 3\n vrrp_garp_master_refresh 60\n}\n";
    let loaded = load_text(text);
    assert_eq!(lines(&loaded), Vec::<String>::new());
    assert_eq!(loaded.config.globals.vrrp_version, Some(Version::V3));
    assert_eq!(loaded.config.globals.garp.master_refresh, Some(Duration::from_secs(60)));
    assert_eq!(loaded.config.instances.len(), 1);
}

#[test]
fn an_unknown_block_costs_what_it_costs_stock() {
    // Its closing brace ends the instance, so what follows is lost: the instance has no address.
    let text = "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n foo {\n  priority 7\n }\n \
                virtual_ipaddress { 192.0.2.1 }\n}\n";
    let loaded = load_text(text);
    let instance = &loaded.config.instances[0];
    assert_eq!((instance.priority, instance.addresses.len()), (Priority::new(7), 0));
    assert_eq!(lines(&loaded), ["(x: Line 4) Unknown keyword 'foo'"]);
    assert!(loaded.diagnostics[0].hint.as_deref().unwrap_or_default().contains("vrrp_instance"));
}

#[test]
fn included_files_are_relative_to_their_includer() {
    let loader = machine("include conf.d/*.conf\nvrrp_instance A { $X }\n")
        .file("/etc/keepalived/conf.d/b.conf", "include sub/c\n")
        .file("/etc/keepalived/conf.d/a.conf", "$X=interface eth0\n")
        .file("/etc/keepalived/conf.d/sub/c", "global_defs {\n router_id c\n}\n");
    let loaded = load_from(&loader);
    assert_eq!(loaded.config.globals.router_id.as_deref(), Some("c"));
    let names: Vec<_> = loaded.sources.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, [MemoryLoader::MAIN, "conf.d/b.conf", "conf.d/a.conf", "sub/c"]);
}
