//! Routers that authenticate each other.

use std::rc::Rc;

use crate::harness::*;

/// A virtual router over IPv6.
const SIX: u8 = FIRST_V6;
const AH: &str = "version 2\n    authentication {\n auth_type AH\n auth_pass secret12\n    }";

/// `auth_hmac` with more settings.
fn hmac(more: &str) -> String {
    format!(
        "auth_hmac {{\n key 1 0123456789abcdef0123456789abcdef\n key 2 abcdef0123456789abcdef0123456789\n \
         active_key 1\n {more}\n    }}"
    )
}

/// Everything that can be authenticated: number of the virtual router, and lines.
fn kinds() -> Vec<(u8, String)> {
    vec![
        (1, AH.to_owned()),
        (1, format!("version 2\n    {}", hmac(""))),
        (1, format!("version 3\n    {}", hmac("anti_replay monotonic"))),
        (SIX, hmac("")),
    ]
}

fn no_doubts(cluster: &Cluster) {
    for i in 0..cluster.nodes.len() {
        for text in ["replayed", "invalid", "missing", "stale", "too long"] {
            assert_eq!(cluster.logged(i, text), 0, "{text}");
        }
    }
}

#[test]
fn addresses_move_between_authenticated_routers() {
    for unicast in [false, true] {
        for (vrid, lines) in kinds() {
            let router = |priority| {
                let router = instance(vrid, priority).with(&lines);
                if unicast { router.unicast(3) } else { router }.text()
            };
            let mut cluster = Cluster::running(1, vec![router(150), router(100), router(50)]);
            cluster.assert_master(0, vrid);
            cluster.world.crash(cluster.nodes[0]);
            cluster.world.delete_address(cluster.nodes[0], vip(vrid));
            cluster.run(10.0);
            cluster.assert_master(1, vrid);
            // It counts from the start again, and hears where the others are.
            cluster.start(0);
            cluster.run(10.0);
            cluster.assert_master(0, vrid);
            no_doubts(&cluster);
        }
    }
}

/// Two masters that have counted apart find together.
#[test]
fn a_partition_heals() {
    for (vrid, lines) in kinds() {
        for apart in [5.0, 60.5] {
            let router = |priority| instance(vrid, priority).with(&lines);
            let mut cluster = Cluster::pair(router(150), router(100));
            let [a, b] = [cluster.nodes[0], cluster.nodes[1]];
            cluster.world.partition(cluster.lan, &[&[a], &[b]]);
            cluster.run(apart);
            assert_eq!(cluster.holders(vrid), [0, 1]);
            cluster.world.heal(cluster.lan);
            cluster.run(5.0);
            cluster.assert_master(0, vrid);
        }
    }
}

/// The adverts of a dead master, sent again by somebody else, keep nobody waiting; without authentication, they do.
#[test]
fn replayed_adverts_do_not_count() {
    let plain = (1, "version 3".to_owned());
    for (i, (vrid, lines)) in kinds().into_iter().chain([plain]).enumerate() {
        let router = |priority| instance(vrid, priority).with(&lines);
        let mut cluster = Cluster::pair(router(150), router(100));
        let since = cluster.now().saturating_back(secs(2.5));
        let old: Vec<Rc<[u8]>> = cluster.adverts(0, vrid, since).into_iter().map(|a| a.packet).collect();
        assert!(old.len() >= 2);
        cluster.world.crash(cluster.nodes[0]);
        cluster.world.delete_address(cluster.nodes[0], vip(vrid));
        for packet in old.iter().cycle().take(20) {
            cluster.world.inject(cluster.lan, packet);
            cluster.run(0.5);
        }
        let expected: &[usize] = if i < 4 { &[1] } else { &[] };
        assert_eq!(cluster.holders(vrid), expected, "{lines}");
    }
}

/// What does not know the key neither moves nor silences a master.
#[test]
fn a_stranger_is_not_heard() {
    for (vrid, lines) in kinds() {
        let wrong = lines.replace("secret12", "secret13").replace("key 1 01", "key 1 10");
        let (known, stranger) = (
            |priority| instance(vrid, priority).with(&lines),
            |priority| instance(vrid, priority).with(&wrong),
        );
        let cluster = Cluster::running(1, vec![known(150).text(), known(100).text(), stranger(200).text()]);
        // As with a wrong password: those who do not hear each other are masters side by side.
        assert_eq!(cluster.holders(vrid), [0, 2], "{lines}");
        let text =
            if lines == AH { "invalid IPSEC HMAC-MD5 value" } else { "invalid authentication HMAC from" };
        cluster.assert_logged(0, text);
    }
}

#[test]
fn keys_and_modes_change_one_router_after_the_other() {
    let other_key = hmac("").replace("active_key 1", "active_key 2");
    for (first, second) in [
        (String::new(), hmac("mode receive-only")),
        (hmac("mode receive-only"), hmac("mode receive-only")),
        (hmac("mode receive-only"), hmac("mode permissive")),
        (hmac("mode permissive"), hmac("")),
        (hmac(""), other_key),
    ] {
        for (a, b) in [(&first, &second), (&second, &first)] {
            if first.is_empty() && a == &second {
                // An advert with a trailer is too long for one who knows none: who receives only sends none.
                assert!(!second.contains("permissive"));
            }
            let mut cluster = Cluster::pair(instance(1, 150).with(a), instance(1, 100).with(b));
            cluster.assert_master(0, 1);
        }
    }
}

#[test]
fn clocks_may_differ_by_the_window() {
    for (settings, ahead, masters) in
        [("", 4.0, 1), ("", 6.0, 2), ("time_window 10", 6.0, 1), ("anti_replay monotonic", 1e6, 1)]
    {
        for behind in [false, true] {
            let text = |priority| instance(1, priority).with(&hmac(settings)).text();
            let mut cluster = Cluster::new(1, vec![text(150), text(100)]);
            let (off, zero) = (secs(ahead), secs(0.0));
            let (ahead, behind) = if behind { (zero, off) } else { (off, zero) };
            cluster.world.set_clock(cluster.nodes[0], ahead, behind);
            cluster.start(0);
            cluster.start(1);
            cluster.run(10.0);
            assert_eq!(cluster.holders(1).len(), masters, "{settings:?} {off:?}");
            if masters == 2 {
                cluster.assert_logged(1, "exceeds window 5 sec");
            } else if !settings.contains("monotonic") {
                cluster.assert_logged(1, "approaching window");
            }
        }
    }
}

#[test]
fn a_masters_clock_may_be_set_back() {
    let mut cluster = Cluster::pair(instance(1, 150).with(&hmac("")), instance(1, 100).with(&hmac("")));
    cluster.world.set_clock(cluster.nodes[0], secs(0.0), secs(4.0));
    cluster.assert_master(0, 1);
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    no_doubts(&cluster);
}
