use super::*;
use crate::base::{Cidr, Family, Priority, Vrid};
use crate::config::model::{
    self, AddressFlags, Garp, Globals, InitialState, PendingAddress, TrackScript, User, Version,
    VirtualAddress, VrrpInstance, VrrpScript,
};
use crate::vrrp::auth::Authentication;
use crate::vrrp::params::{Delivery, GarpSchedule, UnicastChecksum};

fn instance() -> VrrpInstance {
    VrrpInstance {
        name: "VI_1".to_owned(),
        interface: IfName::new("eth0"),
        vrid: Vrid::new(51),
        ..VrrpInstance::default()
    }
}

fn resolved(globals: Globals, instance: VrrpInstance) -> InstancePlan {
    let config = Config { globals, instances: vec![instance], ..Config::default() };
    InstancePlan::clone(&resolve(&config).instances[0])
}

fn address(ip: &str, dev: Option<&str>) -> VirtualAddress {
    VirtualAddress {
        cidr: Cidr::host(ip.parse().unwrap()),
        dev: dev.and_then(IfName::new),
        label: None,
        scope: None,
        broadcast: None,
        peer: None,
        flags: AddressFlags::default(),
        pending: PendingAddress::default(),
    }
}

#[test]
fn defaults_are_stocks() {
    let plan = resolved(Globals::default(), instance());
    let expected = Params {
        vrid: Vrid::new(51).unwrap(),
        version: Version::V2,
        priority: Priority::DEFAULT,
        advert_int: Duration::from_secs(1),
        down_timer_adverts: 3,
        preempt: true,
        preempt_delay: Duration::ZERO,
        authentication: Authentication::None,
        family: Family::V4,
        delivery: Delivery::Multicast(VRRP_GROUP_V4.into()),
        v3_checksum_as_v2: false,
        addresses: vec![],
        lower_prio_no_advert: false,
        higher_prio_send_advert: None,
        garp: GarpSchedule {
            repeat: 5,
            delay: Duration::from_secs(5),
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_prio_repeat: 5,
            lower_prio_delay: Duration::from_secs(5),
            extra: Duration::ZERO,
        },
        grouped: false,
        awaits_scripts: false,
        stays: false,
        lease: None,
        startup_delay: Duration::ZERO,
        ignores_adverts: false,
        skip_check_adv_addr: false,
        timer_expired_backup: None,
    };
    assert_eq!(*plan.params, expected);
}

#[test]
fn instances_override_globals() {
    let second = Duration::from_secs(1);
    let globals = Globals {
        vrrp_version: Some(Version::V3),
        mcast_group4: Some(Ipv4Addr::new(224, 0, 101, 11)),
        down_timer_adverts: Some(5),
        lower_prio_no_advert: Some(true),
        garp: Garp { master_repeat: Some(2), master_delay: Some(second), ..Garp::default() },
        ..Globals::default()
    };
    let plan = resolved(globals.clone(), instance());
    assert_eq!(plan.params.version, Version::V3);
    assert_eq!(plan.params.delivery, Delivery::Multicast([224, 0, 101, 11].into()));
    assert_eq!((plan.params.down_timer_adverts, plan.params.lower_prio_no_advert), (5, true));
    // What is not written for lower priorities is as it is for a new master.
    let garp = &plan.params.garp;
    assert_eq!(
        (garp.repeat, garp.delay, garp.lower_prio_repeat, garp.lower_prio_delay),
        (2, second, 2, second)
    );
    let own = VrrpInstance {
        version: Some(Version::V2),
        down_timer_adverts: Some(2),
        lower_prio_no_advert: Some(false),
        garp: Garp { master_repeat: Some(7), lower_prio_repeat: Some(0), ..Garp::default() }.into(),
        ..instance()
    };
    let params = resolved(globals, own).params;
    assert_eq!(
        (params.version, params.down_timer_adverts, params.lower_prio_no_advert),
        (Version::V2, 2, false)
    );
    assert_eq!((params.garp.repeat, params.garp.lower_prio_repeat), (7, 0));
}

#[test]
fn state_master_makes_an_owner_only_without_a_priority() {
    let master = |priority| VrrpInstance { state: Some(InitialState::Master), priority, ..instance() };
    assert_eq!(resolved(Globals::default(), master(None)).params.priority, Priority::OWNER);
    assert_eq!(resolved(Globals::default(), master(Priority::new(90))).params.priority.get(), 90);
}

#[test]
fn a_router_born_master_preempts_without_delay() {
    let delay = Duration::from_secs(300);
    for (state, nopreempt, expected) in [
        (InitialState::Master, true, (true, Duration::ZERO)),
        (InitialState::Backup, true, (false, Duration::ZERO)),
        (InitialState::Backup, false, (true, delay)),
    ] {
        let written = VrrpInstance {
            state: Some(state),
            nopreempt,
            preempt_delay: Some(delay),
            priority: Priority::new(100),
            ..instance()
        };
        let params = resolved(Globals::default(), written).params;
        assert_eq!((params.preempt, params.preempt_delay), expected, "{state:?} {nopreempt}");
    }
}

#[test]
fn intervals_are_what_the_version_can_tell() {
    for (version, written_ms, expected_ms) in [
        (Version::V2, 100, 1_000),
        (Version::V2, 1_400, 1_000),
        (Version::V2, 1_500, 2_000),
        (Version::V2, 300_000, 255_000),
        (Version::V3, 100, 100),
        (Version::V3, 104, 100),
        (Version::V3, 105, 110),
        (Version::V3, 60_000, 40_950),
    ] {
        let interval = instance::advert_int(version, Some(Duration::from_millis(written_ms)));
        assert_eq!(interval.as_millis(), expected_ms, "{version:?} {written_ms}");
    }
}

#[test]
fn a_password_is_for_version_2() {
    let password = Authentication::Password(*b"secret12");
    for (version, password) in [(Version::V2, password), (Version::V3, Authentication::None)] {
        let authentication = Some(model::Authentication::Pass(*b"secret12"));
        let written = VrrpInstance { version: Some(version), authentication, ..instance() };
        assert_eq!(resolved(Globals::default(), written).params.authentication, password);
    }
}

#[test]
fn excluded_addresses_are_held_but_not_advertised() {
    let written = VrrpInstance {
        addresses: vec![address("10.0.0.1", None), address("10.0.0.2", Some("eth1"))],
        excluded: vec![address("10.0.0.3", None)],
        ..instance()
    };
    let plan = resolved(Globals::default(), written);
    assert_eq!(plan.params.addresses, [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)]);
    let held: Vec<_> = plan.addresses.iter().map(|a| format!("{} {}", a.dev, a.cidr)).collect();
    assert_eq!(held, ["eth0 10.0.0.1/32", "eth1 10.0.0.2/32", "eth0 10.0.0.3/32"]);
    assert_eq!(plan.advertised, 2);
}

/// The plan of the first instance of a configuration.
fn first_of(text: String) -> InstancePlan {
    use crate::sim::loader::MemoryLoader;
    let main = MemoryLoader::MAIN.to_owned();
    let options = crate::config::Options { main, config_id: None, all_files: false };
    let loaded = crate::config::load(&MemoryLoader::with_main(text), &options);
    InstancePlan::clone(&resolve(&loaded.config).instances[0])
}

/// Stock lets what a VMAC announces wait its turn among what its base does.
#[test]
fn announcements_of_a_vmac_are_paced_with_those_of_its_interface() {
    let text = "vrrp_instance V {\n interface eth0\n virtual_router_id 51\n use_vmac\n virtual_ipaddress {\n \
                10.0.0.1\n 10.0.0.2 dev eth1\n }\n}\n";
    let plan = first_of(text.to_owned());
    let paced: Vec<_> =
        plan.addresses.iter().map(|a| (a.dev.as_str(), plan.paced_on(&a.dev).as_str())).collect();
    assert_eq!(paced, [("vrrp.51", "eth0"), ("eth1", "eth1")]);
}

#[test]
fn what_is_not_to_track_its_interface_tracks_it_for_a_route() {
    for (keyword, dev, expected) in
        [("dont_track_primary", "eth0", &["eth0"][..]), ("", "eth0", &[]), ("", "eth1", &["eth1"])]
    {
        let text = format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 1\n {keyword}\n virtual_ipaddress {{\n \
             10.0.0.9 dev eth0\n }}\n virtual_routes {{\n 10.1.0.0/24 dev {dev}\n }}\n}}\n"
        );
        let plan = first_of(text);
        let expected: Vec<_> =
            expected.iter().filter_map(|dev| IfName::new(dev)).map(Subject::Interface).collect();
        let tracked: Vec<_> = plan.tracks.into_iter().map(|track| track.what).collect();
        assert_eq!(tracked, expected, "{keyword} {dev}");
    }
}

#[test]
fn a_script_runs_once_however_many_track_it_and_not_at_all_when_nobody_does() {
    let script = |name: &str| VrrpScript {
        name: name.to_owned(),
        script: model::Script::Run(Arc::new(model::Run {
            program: "/x".to_owned(),
            argv: vec!["x".to_owned()],
            user: User { uid: 0, gid: 0, groups: Vec::new() },
        })),
        interval: Some(Duration::from_secs(7)),
        timeout: None,
        weight: Some(-5),
        reverse: false,
        rise: None,
        fall: Some(3),
        init_fail: false,
    };
    let track = |weight, reverse| TrackScript { script: "b".to_owned(), weight, reverse };
    let config = Config {
        scripts: vec![script("a"), script("b")],
        instances: vec![
            VrrpInstance { track_scripts: vec![track(None, None)], ..instance() },
            VrrpInstance { track_scripts: vec![track(Some(0), Some(true))], ..instance() },
        ],
        ..Config::default()
    };
    let plan = resolve(&config);
    assert_eq!(plan.scripts.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["b"]);
    let (script, seven) = (&plan.scripts[0], Duration::from_secs(7));
    assert_eq!((script.interval, script.timeout, script.rise, script.fall), (seven, seven, 1, 3));
    let tracks: Vec<_> = plan
        .instances
        .iter()
        .map(|i| (i.tracks[0].what.to_string(), i.tracks[0].weight, i.tracks[0].reverse))
        .collect();
    let b = || "script b".to_owned();
    assert_eq!(tracks, [(b(), -5, false), (b(), 0, true)]);
}

#[test]
fn what_cannot_run_is_left_out() {
    let config = Config {
        instances: vec![
            VrrpInstance { vrid: None, ..instance() },
            VrrpInstance { interface: None, ..instance() },
            instance(),
        ],
        ..Config::default()
    };
    let plan = resolve(&config);
    assert_eq!(plan.instances.iter().map(|i| i.id).collect::<Vec<_>>(), [InstanceId(0)]);
}

#[test]
fn an_ipv6_instance_has_ipv6_defaults() {
    let mut six = instance();
    six.family = Some(Family::V6);
    six.addresses = vec![address("fe80::1", None)];
    six.excluded = vec![address("192.0.2.9", None)];
    let globals = Globals { vrrp_version: Some(Version::V2), ..Globals::default() };
    let plan = resolved(globals, six);
    assert_eq!((plan.params.version, plan.params.family), (Version::V3, Family::V6));
    assert_eq!(plan.params.delivery, Delivery::Multicast(VRRP_GROUP_V6.into()));
    let preferred: Vec<_> = plan.addresses.iter().map(|a| a.options.preferred).collect();
    assert_eq!(preferred, [Some(Duration::ZERO), None]);
}

#[test]
fn peers_take_the_place_of_the_group() {
    let mut unicast = instance();
    unicast.interface = None;
    assert_eq!(resolve(&Config { instances: vec![unicast.clone()], ..Config::default() }).instances, []);
    unicast.fault_without_peers = true;
    unicast.source = Some([192, 0, 2, 1].into());
    unicast.track_src_ip = true;
    let plan = resolved(Globals::default(), unicast);
    let Delivery::Unicast(to) = &plan.params.delivery else { panic!("{:?}", plan.params.delivery) };
    assert_eq!((to.peers.len(), to.ttl), (0, 255));
    assert_eq!(to.checksum, UnicastChecksum::Learns(VRRP_GROUP_V4.into()));
    let source = Some([192, 0, 2, 1].into());
    let family = Family::V4;
    assert_eq!(
        plan.watch(),
        Watch { interface: None, vmac: None, from_vmac: false, vrf: None, family, source, anywhere: true }
    );
}

/// The links that `instances` need, as `NAME on BASE`.
fn links(globals: Globals, instances: Vec<VrrpInstance>) -> (Plan, Vec<String>) {
    let plan = resolve(&Config { globals, instances, ..Config::default() });
    let text = |claim: &Claim| match claim {
        Claim::Link(link) => Some(format!("{} on {}", link.name, link.base)),
        _ => None,
    };
    let links = plan.statics.iter().filter_map(text).collect();
    (plan, links)
}

/// An instance with a VMAC and these addresses.
fn on_vmac(interface: &str, family: Family, addresses: Vec<VirtualAddress>) -> VrrpInstance {
    let mut instance = VrrpInstance { interface: IfName::new(interface), ..instance() };
    instance.family = Some(family);
    instance.options.vmac = Some(model::Vmac::default());
    instance.addresses = addresses;
    instance
}

#[test]
fn vmacs_are_called_as_stock_calls_them() {
    let word = |mut address: VirtualAddress| {
        address.pending.use_vmac = true;
        address
    };
    let six = vec![address("fe80::9", None), word(address("fe80::10", Some("eth1")))];
    let instances = vec![
        on_vmac("eth0", Family::V4, vec![address("10.7.0.1", None)]),
        on_vmac("eth1", Family::V4, vec![address("10.8.0.1", None)]),
        on_vmac("eth0", Family::V6, six),
    ];
    let mut globals = Globals::default();
    let (plan, names) = links(globals.clone(), instances.clone());
    assert_eq!(names, ["vrrp.51 on eth0", "vrrp1.51 on eth1", "vrrp6.51 on eth0", "vrrp2.51 on eth1"]);
    let devices: Vec<_> = plan.instances[2].addresses.iter().map(|a| a.dev.as_str()).collect();
    assert_eq!(devices, ["vrrp6.51", "vrrp2.51"]);
    globals.options.vmac_prefix = Some("vm".to_owned());
    globals.options.vmac_addr_prefix = Some("a-long-prefix".to_owned());
    let (_, names) = links(globals, instances);
    assert_eq!(names, ["vm.51 on eth0", "vm1.51 on eth1", "vm6.51 on eth0", "a-long-prefi.51 on eth1"]);
}

#[test]
fn addresses_of_the_other_family_and_of_other_interfaces_are_on_vmacs_if_asked_for() {
    let addresses =
        || vec![address("10.7.0.1", None), address("10.8.0.1", Some("eth1")), address("2001:db8::1", None)];
    let mut instance = on_vmac("eth0", Family::V4, addresses());
    let devices = |instance: &VrrpInstance| {
        let (plan, links) = links(Globals::default(), vec![instance.clone()]);
        let devices = plan.instances[0].addresses.iter().map(|a| a.dev.to_string()).collect::<Vec<_>>();
        (devices.join(" "), links.len(), plan.instances[0].device().map(ToString::to_string))
    };
    let vmac = Some("vrrp.51".to_owned());
    assert_eq!(devices(&instance), ("vrrp.51 eth1 eth0".to_owned(), 1, vmac.clone()));
    instance.options.vmac_addresses = true;
    assert_eq!(devices(&instance), ("vrrp.51 vrrp1.51 vrrp6.51".to_owned(), 3, vmac));
    instance.options.vmac_xmit_base = true;
    assert_eq!(devices(&instance).2.as_deref(), Some("eth0"));
    // Two addresses on one interface share a VMAC.
    instance.addresses.push(address("10.8.0.2", Some("eth1")));
    assert_eq!(devices(&instance).1, 3);
}

#[test]
fn what_is_not_accepted_is_dropped() {
    let dropped = |strict: bool, accept: Option<bool>, priority: u8| {
        let mut instance = instance();
        (instance.options.strict, instance.options.accept) = (Some(strict), accept);
        instance.priority = Priority::new(priority);
        instance.addresses = vec![address("10.7.0.1", None)];
        resolved(Globals::default(), instance).drops.len()
    };
    assert_eq!(
        [dropped(false, None, 100), dropped(false, Some(false), 100), dropped(true, None, 100)],
        [0, 1, 1]
    );
    assert_eq!([dropped(true, Some(true), 100), dropped(true, Some(false), 255)], [0, 0]);
}

#[test]
fn an_ipvlan_has_its_own_address_and_the_interface_the_virtual_ones() {
    let mut instance = instance();
    instance.addresses = vec![address("10.7.0.1", None)];
    let own = Cidr { ip: "10.7.0.9".parse().unwrap(), prefix: 24 };
    instance.options.ipvlan = Some(model::Ipvlan { address: Some(own), ..model::Ipvlan::default() });
    let (plan, names) = links(Globals::default(), vec![instance]);
    assert_eq!(names, ["vrrp.51 on eth0"]);
    let on = |claim: &Claim| match claim {
        Claim::Address(address) => Some((address.dev.to_string(), address.cidr)),
        _ => None,
    };
    assert_eq!(plan.statics.iter().find_map(on), Some(("vrrp.51".to_owned(), own)));
    let instance = &plan.instances[0];
    assert_eq!(instance.addresses[0].dev.as_str(), "eth0");
    assert_eq!((instance.source, instance.device().unwrap().as_str()), (Some(own.ip), "vrrp.51"));
    assert!(instance.watch().from_vmac);
    assert!(!plan.statics.iter().any(|claim| matches!(claim, Claim::Firewall(_) | Claim::LinkLocal(_))));
}

#[test]
fn an_interface_that_is_needed_has_no_weight() {
    let eth1 = IfName::new("eth1").unwrap();
    for (no_track, weight) in [(false, 0), (true, 20)] {
        let mut written = instance();
        let track = model::TrackInterface { interface: eth1.clone(), weight: 20, reverse: false };
        written.tracks.interfaces.push(track);
        let mut held = address("10.0.1.9", Some("eth1"));
        held.flags.no_track = no_track;
        written.addresses.push(held);
        let tracks = resolved(Globals::default(), written).tracks;
        assert_eq!(tracks, [TrackPlan { what: Subject::Interface(eth1.clone()), weight, reverse: false }]);
    }
}
