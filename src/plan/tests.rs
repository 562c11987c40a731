use super::*;
use crate::base::{Cidr, Vrid};
use crate::config::model::{self, AddressFlags, Garp, PendingAddress, TrackScript, User, VrrpScript};
use crate::vrrp::auth::Authentication;

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
    resolve(&config).instances.remove(0)
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
        startup_delay: Duration::ZERO,
        ignores_adverts: false,
        skip_check_adv_addr: false,
        timer_expired_backup: None,
    };
    assert_eq!(plan.params, expected);
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
        garp: Garp { master_repeat: Some(7), lower_prio_repeat: Some(0), ..Garp::default() },
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
        let interval = advert_int(version, Some(Duration::from_millis(written_ms)));
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

#[test]
fn a_script_runs_once_however_many_track_it_and_not_at_all_when_nobody_does() {
    let script = |name: &str| VrrpScript {
        name: name.to_owned(),
        script: Script::Run {
            program: "/x".to_owned(),
            argv: vec!["x".to_owned()],
            user: User { uid: 0, gid: 0 },
        },
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
    assert_eq!(plan.watch(), Watch { interface: None, vrf: None, family: Family::V4, source });
}
