//! What signals write, next to stock: line by line, but for values that differ from run to run or on purpose.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::lab::{Daemon, Kind, Lan, Router, wait_for, wait_until};
use crate::support::subject;

/// `SIGRTMIN+2` and `SIGRTMAX-1`, which nix has no names for.
const JSON: i32 = 36;
const STATS_CLEAR: i32 = 63;

/// A master that uses most of what there is, a backup, one in FAULT, one that speaks by unicast; and all around them.
const CONFIG: &str = r#"
global_defs {
    router_id R1
    notification_email {
        a@example.org
    }
    smtp_server 127.0.0.1
    script_user root
    enable_script_security
    max_auto_priority 99
    vrrp_garp_interval 0.001
}
static_ipaddress {
    198.51.100.1/24 dev eth1 no_track
}
static_routes {
    203.0.113.0/24 via 198.51.100.2 dev eth1 no_track
}
static_rules {
    from 192.0.2.0/24 table 100 no_track priority 400
    to 192.0.5.0/24 priority 500 fwmark 7 lookup 101
}
track_group TG {
    group {
        VI_M
    }
}
garp_group {
    garp_interval 0.1
    gna_interval 0.2
    interfaces {
        eth0
    }
}
vrrp_script good {
    script "/usr/bin/test -d /run"
    interval 1
    weight 5
    rise 2
    fall 3
    timeout 2
}
vrrp_script bad {
    script "/usr/bin/false"
    interval 2
}
track_file tf {
    file /run/tf
    weight 2
}
vrrp_sync_group G {
    group {
        VI_U
    }
    track_script {
        good weight 0
    }
    notify_master "/usr/bin/true gm"
    notify "/usr/bin/true g"
}
vrrp_instance VI_M {
    interface eth0
    virtual_router_id 51
    priority 150
    authentication {
        auth_type PASS
        auth_pass secret12
    }
    virtual_ipaddress {
        10.7.0.100/24
        10.7.0.101/24 brd 10.7.0.255 scope link label eth0:v
        10.7.0.102/32 dev eth1 no_track
    }
    virtual_ipaddress_excluded {
        10.7.0.200/24
        2001:db8::5/64
    }
    virtual_routes {
        192.0.2.0/24 via 10.7.0.254 dev eth0
        src 10.7.0.100 to 192.0.3.0/24 via 10.7.0.254 dev eth0 metric 5 table 7 no_track
    }
    virtual_rules {
        from 192.0.2.0/24 table 100 priority 701
        from 192.0.6.0/24 to 1.2.3.4 priority 700 table 8 no_track
    }
    track_interface {
        eth1 weight 5
    }
    track_script {
        good weight 10
    }
    track_file {
        tf weight 3
    }
    notify_master "/usr/bin/true m 'two words'"
    notify_backup "/usr/bin/true b"
    notify_fault "/usr/bin/true f"
    notify_stop "/usr/bin/true s"
    notify "/usr/bin/true any"
    notify_master_rx_lower_pri "/usr/bin/true low"
    smtp_alert
    garp_master_delay 2
    garp_master_refresh 60
    preempt_delay 3
    promote_secondaries
}
vrrp_instance VI_B {
    interface eth0
    virtual_router_id 52
    version 3
    advert_int 0.5
    priority 50
    nopreempt
    virtual_ipaddress {
        10.7.0.120
    }
}
vrrp_instance VI_F {
    interface eth0
    virtual_router_id 53
    dont_track_primary
    skip_check_adv_addr
    lower_prio_no_advert
    higher_prio_send_advert
    notify_deleted "/usr/bin/true d"
    track_script {
        bad
    }
    authentication {
        auth_type AH
        auth_pass ahpass
    }
    virtual_ipaddress {
        10.7.0.130/24
    }
}
vrrp_instance VI_U {
    interface eth1
    virtual_router_id 54
    version 3
    priority 100
    unicast_src_ip 10.8.0.1
    unicast_peer {
        10.8.0.2
        10.8.0.3
    }
    virtual_ipaddress {
        10.8.0.100
    }
}
"#;

/// The master of `VI_B`.
const PEER: &str = "vrrp_instance VI_B {\n interface eth0\n virtual_router_id 52\n version 3\n advert_int 0.3\n \
                    priority 200\n virtual_ipaddress {\n 10.7.0.120\n }\n}\n";

/// A daemon in the middle of it all.
struct Scene {
    router: Router,
    daemon: Daemon,
    _peer: Daemon,
    _lans: [Lan; 2],
}

fn scene(kind: Kind, config: &str) -> Scene {
    let lans = [Lan::new(), Lan::new()];
    let router = lans[0].router("eth0", "10.7.0.1/24");
    router.attach(&lans[1], "eth1", "10.8.0.1/24");
    router.write("/run/tf", "4\n");
    let peer = lans[0].router("eth0", "10.7.0.9/24").start(Kind::Stock, PEER);
    peer.wait_log("(VI_B) Entering MASTER STATE");
    let capture = lans[0].capture();
    let daemon = router.start(kind, config);
    for line in ["(VI_M) Entering MASTER STATE", "(VI_U) Entering MASTER STATE", "VRRP_Script(bad) failed"] {
        daemon.wait_log(line);
    }
    wait_until("the last address is there", || router.has("10.7.0.200".parse().unwrap()));
    // By then it has heard the other master.
    let mark = capture.mark();
    wait_until("adverts are there", || capture.adverts_since(mark, "10.7.0.9".parse().unwrap()).len() > 3);
    Scene { router, daemon, _peer: peer, _lans: lans }
}

impl Scene {
    fn new(kind: Kind) -> Self {
        scene(kind, CONFIG)
    }

    /// Sends a signal and gives the file that it makes.
    #[track_caller]
    fn dump(&self, signal: i32, path: &str) -> String {
        let _ = std::fs::remove_file(self.router.path(path));
        self.signal(signal);
        // Stock writes it bit by bit.
        let mut before = None;
        let text = wait_for(&format!("{path} is there"), || {
            let now = self.router.read(path).filter(|text| !text.is_empty());
            (before.replace(now.clone()) == Some(now.clone())).then_some(now).flatten()
        });
        let mode = std::fs::metadata(self.router.path(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "nobody else reads {path}");
        text
    }

    fn signal(&self, signal: i32) {
        let pid = wait_for("the daemon runs", || self.daemon.processes().first().copied());
        let kill = format!("kill -{signal} {pid}");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }
}

/// What is not compared, and why.
const MASKED: [(&str, &str); 25] = [
    ("   Last transition = ", "time"),
    ("   Read timeout = ", "time"),
    (" GARP next time ", "time; ours does not tell"),
    (" GNA next time ", "time; ours does not tell"),
    ("   fd_in ", "ours shows no descriptors"),
    (" fd_in ", "ours shows no descriptors"),
    ("   Password = ", "ours does not tell"),
    ("   Flags", "stock counts what it does not name"),
    ("   Send advert after receive higher priority advert = ", "ours does unless told not to"),
    (" Send advert after receive higher priority advert = ", "the same"),
    ("   index = ", "numbers of interfaces"),
    ("   Master down timer = ", "stock computes that of a master otherwise"),
    ("   Reset ARP config counter ", "ours does not tell"),
    ("   Original arp_ignore ", "ours does not tell"),
    ("   Original arp_filter ", "ours does not tell"),
    ("   Original promote_secondaries ", "of all interfaces that have addresses, in ours"),
    ("   Reset promote_secondaries counter ", "the same"),
    (" Smtp HELO name = ", "the name of the machine"),
    (" Email notification from = ", "the name of the machine"),
    (" Gratuitous ARP lower priority ", "stock's parent has not applied defaults"),
    ("   Result = ", "depends on how often the script has run"),
    ("   State = idle", "depends on the moment"),
    ("   State = running", "depends on the moment"),
    ("   IPv6 address = ", "link-local addresses may still be tentative"),
    ("   Delayed state change running = ", "depends on the moment"),
];

/// Lines that stock alone has: of libraries that ours does not use, and of what it asks the kernel.
const STOCKS_OWN: [&str; 3] =
    [" libnftnl version ", "   rp_filter ", "   Not IPv6 forwarding. Last checked "];

/// The lines of a data dump that are to be the same, up to what stock lacks.
fn lines(text: &str) -> Vec<String> {
    let known = text.lines().take_while(|line| *line != "------< History >------");
    let common = known.filter(|line| !STOCKS_OWN.iter().any(|own| line.starts_with(own)));
    let shown = common.map(|line| match MASKED.iter().find(|(start, _)| line.starts_with(start)) {
        // The states of scripts are one.
        Some((start, _)) if start.starts_with("   State = ") => "   State = *".to_owned(),
        Some((start, _)) => format!("{start}*"),
        None => line.to_owned(),
    });
    shown.collect()
}

#[track_caller]
fn assert_same(ours: &[String], stock: &[String]) {
    for (number, (a, b)) in ours.iter().zip(stock).enumerate() {
        assert_eq!(a, b, "line {number}, behind {:#?}", &ours[number.saturating_sub(5)..number]);
    }
    assert_eq!(ours.len(), stock.len(), "{:?} {:?}", ours.last(), stock.last());
}

#[test]
fn data_as_in_stock() {
    let [ours, stock] = [subject(), Kind::Stock].map(|kind| {
        let scene = Scene::new(kind);
        let data = scene.dump(Signal::SIGUSR1 as i32, "/tmp/keepalived.data");
        let parent = wait_for("the parent's is there", || scene.router.read("/tmp/keepalived_parent.data"));
        scene.daemon.wait_log("Printing parent data for process(");
        scene.daemon.wait_log("Printing VRRP data for process(");
        let others =
            ["_check", "_bfd"].map(|part| scene.router.has_file(&format!("/tmp/keepalived{part}.data")));
        assert_eq!(others, [false; 2], "there is nobody to write them");
        assert!(kind == Kind::Stock || !data.contains("secret12"), "{data}");
        (data, parent)
    });
    assert_same(&lines(&ours.0), &lines(&stock.0));
    assert_same(&lines(&ours.1), &lines(&stock.1));
}

/// Names in the order in which they are written.
fn keys(text: &str) -> Vec<&str> {
    let mut parts = text.split('"').peekable();
    let mut keys = Vec::new();
    while let Some(part) = parts.next() {
        if parts.peek().is_some_and(|next| next.starts_with(':')) {
            keys.push(part);
        }
    }
    keys
}

/// JSON without what differs: times, counters, secrets, and what ours does otherwise.
fn comparable(text: &str) -> Value {
    let mut json: Value = serde_json::from_str(text).unwrap();
    for instance in json.as_array_mut().unwrap() {
        let data = instance["data"].as_object_mut().unwrap();
        data.remove("last_transition").unwrap().as_f64().unwrap();
        data.remove("higher_prio_send_advert").unwrap();
        if let Some(secret) = data.get_mut("auth_data") {
            *secret = secret.is_string().into();
        }
        let stats = instance["stats"].as_object_mut().unwrap();
        for name in ["advert_sent", "advert_rcvd"] {
            stats.remove(name).unwrap().as_u64().unwrap();
        }
    }
    json
}

#[test]
fn json_as_in_stock() {
    let [ours, stock] = [subject(), Kind::Stock].map(|kind| {
        let scene = Scene::new(kind);
        let text = scene.dump(JSON, "/tmp/keepalived.json");
        scene.daemon.wait_log("Printing VRRP as json for process(");
        text
    });
    assert_eq!(keys(&ours), keys(&stock));
    assert_eq!(comparable(&ours), comparable(&stock));
    assert_eq!(ours.lines().count(), 1);
    assert!(ours.contains(r"'\/usr\/bin\/true' 'm' 'two words'"), "slashes as in stock: {ours}");
}

#[test]
fn stats_as_in_stock() {
    let [ours, stock] = [subject(), Kind::Stock].map(|kind| {
        let scene = Scene::new(kind);
        let before = scene.dump(Signal::SIGUSR2 as i32, "/tmp/keepalived.stats");
        let cleared = scene.dump(STATS_CLEAR, "/tmp/keepalived.stats");
        let after = scene.dump(Signal::SIGUSR2 as i32, "/tmp/keepalived.stats");
        scene.daemon.wait_log("Printing and clearing VRRP stats for process(");
        // Adverts go on while we look.
        let masked = |line: &str| match line.trim().split_once(": ") {
            Some((name @ ("Received" | "Sent"), _)) => name.to_owned(),
            _ => line.to_owned(),
        };
        [before, cleared, after].map(|text| text.lines().map(masked).collect::<Vec<_>>())
    });
    for (ours, stock) in ours.iter().zip(&stock) {
        assert_same(ours, stock);
    }
    assert!(ours[1].contains(&"  Became master: 1".to_owned()), "what is cleared is written first");
    assert!(!ours[2].contains(&"  Became master: 1".to_owned()));
}

#[test]
fn names_and_places_of_files() {
    let config = CONFIG.replace("router_id R1", "data_use_instance");
    for kind in [subject(), Kind::Stock] {
        let scene = scene(kind, &format!("instance blue\n{config}"));
        scene.dump(Signal::SIGUSR1 as i32, "/tmp/keepalived.blue.data");
        scene.dump(Signal::SIGUSR2 as i32, "/tmp/keepalived.stats");
        scene.dump(JSON, "/tmp/keepalived.json");
        wait_until("the parent's is there", || scene.router.has_file("/tmp/keepalived_parent.blue.data"));
        let left =
            scene.router.run("ls -A /tmp | grep -v '^keepalived.*[a-z]$' | grep -v '^daemon-' || true");
        assert_eq!(left, "", "what was written first has other names");
    }
}

#[test]
fn vmacs_as_in_stock() {
    let config = "global_defs {\n vrrp_strict\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n use_vmac\n \
                  virtual_ipaddress {\n 10.7.0.100/24\n }\n}\nvrrp_instance VI_2 {\n interface eth0\n \
                  virtual_router_id 52\n use_vmac vmx\n vmac_xmit_base\n strict_mode off\n \
                  virtual_ipaddress {\n 10.7.0.200/24\n }\n}\n";
    let [ours, stock] = [subject(), Kind::Stock].map(|kind| {
        let lan = Lan::new();
        let router = lan.router("eth0", "10.7.0.1/24");
        let daemon = router.start(kind, config);
        for ip in ["10.7.0.100", "10.7.0.200"] {
            wait_until(&format!("{ip} is there"), || router.has(ip.parse().unwrap()));
        }
        daemon.signal(Signal::SIGUSR1);
        // Whole when there is something in it, and no more comes.
        let mut last = None;
        lines(&wait_for("the dump", || {
            let text = router.read("/tmp/keepalived.data").filter(|text| !text.is_empty())?;
            (last.replace(text.clone()) == Some(text.clone())).then_some(text)
        }))
    });
    assert!(
        ours.iter().any(|line| line.ends_with(" dev vrrp.51@eth0 scope global set nftable_set")),
        "{ours:#?}"
    );
    assert_same(&ours, &stock);
}

/// Of ours alone: the second version of the document, and where newer versions of stock can be told to write.
#[test]
fn what_newer_versions_of_stock_have() {
    let config = CONFIG.replace("router_id R1", "json_version 2\n state_dump_file /run/dumps/");
    let scene = scene(subject(), &config);
    scene.router.run("mkdir /run/dumps");
    let json: Value = serde_json::from_str(&scene.dump(JSON, "/tmp/keepalived.json")).unwrap();
    assert_eq!(json["vrrp"].as_array().unwrap().len(), 4);
    let data = scene.dump(Signal::SIGUSR1 as i32, "/run/dumps/keepalived.data");
    assert!(data.contains("\n History of VI_F\n   Cause = script bad failed\n"), "{data}");
}
