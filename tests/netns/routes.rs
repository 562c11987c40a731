//! Routes, rules and static items on the real kernel, next to stock's.

use nix::sys::signal::Signal;

use crate::lab::{Kind, Router, wait_until};
use crate::support::{A, Two, config, each_pair, holds, side_by_side, subject};
use crate::vmac::instance;

/// A route or rule of each kind and with each option, as far as the kernel here has them: MPLS and ILA are missing.
const ROUTES: &str = "virtual_routes {
    10.30.1.0/24 via 10.7.0.9 dev eth0
    10.30.1.0/24 via 10.7.0.10 dev eth0 metric 5
    10.30.2.0/24 dev eth1 src 10.7.0.100
    default via 10.7.0.9 table 100
    10.30.3.0/24 dev eth1 scope link
    10.30.4.0/24 via 10.7.0.9 mtu lock 1400 advmss 1300 rtt 1s rttvar lock 500ms window 3000 cwnd lock 10 initcwnd 10 initrwnd 11 hoplimit 9 quickack 1 fastopen_no_cookie 1 features ecn congctl lock reno rto_min 300ms ssthresh 100 reordering 4 realms 3/4 tos 0x10 no_track
    10.30.5.0/24 dev eth0 rtt 100 rto_min 5ms
    blackhole 10.31.0.0/16
    unreachable 10.32.0.0/16
    prohibit 10.33.0.0/16
    throw 10.34.0.0/16 table 1000
    10.35.0.0/16 nexthop via 10.7.0.9 dev eth0 weight 3 nexthop via 10.7.0.11 dev eth0 weight 1 onlink
    10.36.0.0/16 append via 10.7.0.9 dev eth0
    10.36.0.0/16 append via 10.7.0.10 dev eth0
    10.37.0.0/16 add via 10.7.0.10 dev eth0
    10.38.0.5 via 192.168.77.1 onlink dev eth0 protocol 4 no_track
    10.39.0.0/16 via 10.7.0.9 dev eth0 ttl-propagate disabled
    10.40.0.0/16 encap ip id 100 dst 10.7.0.77 src 10.7.0.2 tos 4 ttl 9 flags 4 dev eth0
    10.41.0.0/16 encap ip6 id 100 dst fd00::77 hoplimit 9 tc 8 dev eth0
    fd31::/64 via fd00::9 dev eth0 pref high expires 1000 metric 33
    fd32::/64 dev eth1
    fd33::/64 via fd00::9 from fd55::/64
    fd34::/64 nexthop via fd00::9 dev eth0 weight 3 nexthop via fd00::8 dev eth0
    fd35::/64 via fd00::9 dev eth0 table 1000
    blackhole fd36::/64
  }
  virtual_rules {
    from 10.30.1.0/24 table 100
    to 10.30.1.0/24 table 100
    from 10.30.2.0/24 to 10.30.3.0/24 iif eth0 table 101 priority 500
    not from 10.30.2.0/24 oif eth1 lookup 1000 priority 501
    fwmark 5/0xff table 100 priority 502
    fwmark 7 table 100 priority 502
    tos 0x10 table 100 priority 503
    ipproto tcp sport 80-90 dport 443-444 table 100 priority 504
    uidrange 1-1000 table 100 priority 505
    l3mdev priority 506
    blackhole from 10.30.3.0/24 priority 507
    unreachable from 10.30.4.0/24 priority 508
    prohibit from 10.30.5.0/24 priority 509
    from 10.30.6.0/24 goto 600 priority 510
    nop priority 600
    from 10.30.7.0/24 realms 3/4 table 100 priority 511
    from 10.30.8.0/24 table main suppress_prefixlength 8 suppress_ifgroup 3 priority 512
    tunnel-id 77 table 100 priority 513
    from fd32::/64 table 100
    from 10.30.9.0/24 table 100 priority 515 no_track protocol 77
  }";

/// Static items, and a group that depends on some of them.
const STATICS: &str = "track_group tg {
  group {
    VI_1
  }
}
static_ipaddress {
  10.50.0.1/24 dev eth1
  10.51.0.1/32 dev eth1 scope link track_group tg
}
static_routes {
  10.52.0.0/16 via 10.50.0.9 dev eth1
  10.53.0.0/16 dev eth1 table 77 track_group tg
}
static_rules {
  from 10.54.0.0/16 table 77 priority 900
}
";

/// What a router has that keepalived made, in the kernel's own words.
fn held(router: &Router) -> Vec<String> {
    let script = "for f in -4 -6; do ip $f -d route show table all; ip $f rule show; done; ip -4 -o addr show dev eth1";
    let all = router.run(script);
    let ours = |line: &&str| {
        let local =
            line.starts_with("local") || line.starts_with("broadcast") || line.starts_with("multicast");
        !local
            && !line.contains("proto kernel")
            && !line.contains(" valid_lft forever preferred_lft forever fe80")
    };
    all.lines().filter(ours).map(without_time).collect()
}

/// The line without the seconds a route has left.
fn without_time(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let keep = |n: &usize| words.get(n.wrapping_sub(1)) != Some(&"expires");
    (0..words.len()).filter(keep).map(|n| words[n]).collect::<Vec<_>>().join(" ")
}

/// Two routers with a second interface each, and IPv6.
fn lab() -> Two {
    let two = Two::new();
    for (n, router) in [&two.a, &two.b].into_iter().enumerate() {
        router.attach(&two.lan, "eth1", &format!("10.9.0.{}/24", n + 1));
        router.run(&format!("ip -6 addr add fd00::{}/64 dev eth0 nodad", n + 1));
    }
    two
}

fn rich(priority: u8) -> String {
    format!("{STATICS}{}", config(3, priority, ROUTES))
}

/// Waits until the last rule of the list is there.
fn wait_rules(router: &Router) {
    wait_until("the rules are there", || router.run("ip rule show").contains("proto 77"));
}

/// Routes, rules and static items look to the kernel as stock's do, and a stop leaves nothing behind.
#[test]
fn all_options_are_those_of_stock() {
    let shown = |kind: Kind| {
        let two = lab();
        let before = held(&two.a);
        let daemon = two.a.start(kind, &rich(100));
        wait_until("the router is master", || holds(&two.a));
        wait_rules(&two.a);
        let there = held(&two.a);
        daemon.stop();
        assert_eq!(held(&two.a), before, "a stopped daemon leaves what it found");
        there
    };
    let (ours, stocks) = (shown(subject()), shown(Kind::Stock));
    assert!(stocks.len() > 50, "{stocks:#?}");
    assert_eq!(ours, stocks);
}

/// All of it moves with the addresses, and only the static items stay.
#[test]
fn routes_move_with_the_addresses() {
    each_pair(|a, b| {
        let two = lab();
        let (first, _second) = two.started((a, b), &rich(150), &rich(100));
        let rules = |router: &Router| router.run("ip rule show").matches("lookup 100 ").count();
        wait_rules(&two.a);
        let (held_by_a, none) = (rules(&two.a), rules(&two.b));
        assert_eq!(none, 0);
        assert!(two.b.run("ip route show").contains("10.52.0.0/16"), "static routes are everywhere");
        first.stop();
        two.wait_master_b();
        wait_rules(&two.b);
        assert_eq!((rules(&two.a), rules(&two.b)), (0, held_by_a));
    });
}

/// Whatever somebody removes is back; ours stays master meanwhile.
#[test]
fn what_is_removed_is_back() {
    let two = lab();
    let _daemon = two.a.start(subject(), &rich(100));
    wait_until("the router is master", || holds(&two.a));
    wait_rules(&two.a);
    let whole = held(&two.a);
    let mark = two.capture.mark();
    let removals = [
        "ip route del 10.30.1.0/24 via 10.7.0.9",
        "ip route replace 10.30.2.0/24 dev eth1 proto static && ip route del 10.30.2.0/24 proto static",
        "ip route del blackhole 10.31.0.0/16",
        "ip route del 10.40.0.0/16",
        "ip -6 route del fd31::/64",
        "ip rule del priority 500",
        "ip rule del priority 504",
        "ip rule del priority 512",
        "ip addr del 10.7.0.100/24 dev eth0",
        "ip route del 10.52.0.0/16",
        "ip rule del priority 900",
        "ip addr del 10.51.0.1/32 dev eth1",
    ];
    for removal in removals {
        two.a.run(removal);
        wait_until(&format!("`{removal}` is undone"), || {
            let (mut now, mut then) = (held(&two.a), whole.clone());
            now.sort();
            then.sort();
            now == then
        });
    }
    assert!(
        two.capture.adverts_since(mark, A).iter().all(|advert| advert.priority == 100),
        "it stays master"
    );
    // What is not tracked is not watched.
    two.a.run("ip route del 10.38.0.5 && ip route del 10.30.4.0/24 tos 0x10 && ip rule del priority 515");
    two.a.run("ip rule del priority 502 && ip rule del priority 502");
    wait_until("the tracked rules are back", || two.a.run("ip rule show").matches("502:").count() == 2);
    assert!(!two.a.run("ip rule show").contains("515:"));
    assert!(!two.a.run("ip route show").contains("10.38.0.5"));
}

/// A tracked route needs its interface, and so do the members of a group that a static item names.
#[test]
fn interface_of_a_route_goes_down() {
    let routes = "virtual_routes {\n 10.30.2.0/24 dev eth1\n }";
    let grouped = format!(
        "track_group tg {{\n group {{\n VI_1\n }}\n}}\nstatic_routes {{\n 10.52.0.0/16 dev eth1 track_group tg\n}}\n{}",
        config(3, 150, "")
    );
    let cases = [config(3, 150, routes), grouped];
    let work: Vec<(Kind, String)> = [subject(), Kind::Stock]
        .into_iter()
        .flat_map(|kind| cases.clone().map(|text| (kind, text)))
        .collect();
    side_by_side(work, |(kind, text)| {
        let two = lab();
        let count =
            |router: &Router| router.run("ip route show").matches("dev eth1 proto keepalived").count();
        let (first, _second) =
            two.started((kind, kind), &text, &text.replace("priority 150", "priority 100"));
        wait_until("the route is there", || count(&two.a) == 1);
        two.a.run("ip link set eth1 down");
        first.wait_log("(VI_1) Entering FAULT STATE");
        two.wait_master_b();
        two.a.run("ip link set eth1 up");
        two.wait_master_a();
        wait_until("the route is back", || count(&two.a) == 1);
    });
}

/// Routes that were there before are not touched.
#[test]
fn others_routes_stay() {
    let two = lab();
    two.a.run("ip route add 10.37.0.0/16 via 10.7.0.10 dev eth0 && ip rule add from 10.54.0.0/16 table 77 priority 900");
    let before = held(&two.a);
    let daemon = two.a.start(subject(), &rich(100));
    wait_until("the router is master", || holds(&two.a));
    wait_rules(&two.a);
    daemon.stop();
    assert_eq!(held(&two.a), before);
}

/// A daemon that was killed leaves its routes; the next one takes them over, and removes them at its end.
#[test]
fn left_over_routes_are_adopted() {
    let two = lab();
    let before = held(&two.a);
    let first = two.a.start(subject(), &rich(150));
    wait_until("the router is master", || holds(&two.a));
    wait_rules(&two.a);
    let whole = held(&two.a);
    first.crash();
    let mark = two.capture.mark();
    let again = two.a.start(subject(), &rich(150));
    two.wait_adverts(mark, A, 2);
    wait_until("all is there again", || held(&two.a).len() == whole.len());
    again.stop();
    let left: Vec<_> = held(&two.a).into_iter().filter(|line| !before.contains(line)).collect();
    // With a protocol of somebody else's nobody can tell whose they are.
    assert!(left.iter().all(|line| !line.contains("proto keepalived")), "{left:#?}");
}

/// `promote_secondaries` is set while there are virtual addresses that the kernel may delete with others, and left as it
/// was found.
#[test]
fn secondaries_are_promoted_while_there_are_addresses() {
    let setting = |router: &Router| {
        router.run("cat /proc/sys/net/ipv4/conf/eth0/promote_secondaries").trim().to_owned()
    };
    let cases =
        [("0", "promote_secondaries", 32, "1"), ("1", "", 24, "1"), ("0", "", 24, "1"), ("0", "", 32, "0")];
    for (before, options, prefix, during) in cases {
        let two = Two::new();
        two.a.run(&format!("sysctl -qw net.ipv4.conf.eth0.promote_secondaries={before}"));
        let vip = format!("10.50.0.1/{prefix}");
        let daemon = two.a.start(subject(), &instance("V", "eth0", 100, options, &vip));
        wait_until("the router is master", || two.a.has("10.50.0.1".parse().unwrap()));
        assert_eq!(setting(&two.a), during, "{before} {options} {prefix}");
        daemon.stop();
        assert_eq!(setting(&two.a), before);
    }
}

/// The kernel would delete all other addresses of a network together with its first one, those of instances that stay
/// master included.
#[test]
fn the_first_address_of_a_network_takes_no_others_along() {
    let two = Two::new();
    two.a.run("sysctl -qw net.ipv4.conf.eth0.promote_secondaries=0");
    let each = |n: u8| {
        let vrid = format!("virtual_router_id {n}");
        instance(&format!("V{n}"), "eth0", 100, "", &format!("10.50.0.{n}/24"))
            .replace("virtual_router_id 51", &vrid)
    };
    let daemon = two.a.start(subject(), &[1, 2].map(each).concat());
    let shows = |what: &str| two.a.run(&format!("ip -4 -o address show dev eth0 {what}"));
    let has = |what: &str, n: u8| shows(what).contains(&format!("10.50.0.{n}/"));
    wait_until("the router is master of both", || has("", 1) && has("", 2));
    let (first, other) = if has("secondary", 2) { (1, 2) } else { (2, 1) };
    two.a.run("ip -o -4 monitor address >/tmp/moves 2>/dev/null & sleep 0.2");
    two.a.write("/etc/keepalived/keepalived.conf", &each(other));
    daemon.signal(Signal::SIGHUP);
    wait_until("the first is given up", || !has("", first));
    // Whatever happened before this is in the file then, too.
    two.a.run("ip address add 10.60.0.1/32 dev eth0");
    let moves = || two.a.read("/tmp/moves").unwrap_or_default();
    wait_until("the monitor has written", || moves().contains("10.60.0.1"));
    let lost = moves().lines().any(|l| l.contains("Deleted") && l.contains(&format!("10.50.0.{other}/")));
    assert!(!lost, "{}", moves());
    assert!(has("", other));
}
