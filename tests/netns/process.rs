//! The daemon as a process: pid files, exit statuses, going into the background, bad configurations.

use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::lab::{Kind, Router, wait_until};
use crate::support::{A, MAC_A, Two, VIPS, config, holds, holds_any, subject};

const PID_FILE: &str = "/run/keepalived.pid";

#[test]
fn terminate_and_interrupt_end_it_well() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let two = Two::new();
        let daemon = two.a.start(subject(), &config(3, 100, ""));
        wait_until("the router is master", || holds(&two.a));
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(0), "{signal}");
        assert!(!holds_any(&two.a));
        assert!(!two.a.has_file(PID_FILE));
    }
}

#[test]
fn pid_files() {
    let two = Two::new();
    let daemon = two.a.start(subject(), &config(3, 100, ""));
    wait_until("the router is master", || holds(&two.a));
    for file in [PID_FILE, "/run/vrrp.pid"] {
        let content = two.a.read(file).unwrap_or_else(|| panic!("{file} is missing"));
        let pid: u32 = content.strip_suffix('\n').unwrap().parse().unwrap();
        assert!(two.a.has_file(&format!("/proc/{pid}")), "{file} names a process that is there");
        assert_eq!(two.a.run(&format!("stat -c %a {file}")), "644\n");
    }
    daemon.stop();
    for file in [PID_FILE, "/run/vrrp.pid"] {
        assert!(!two.a.has_file(file), "{file} is left behind");
    }
}

/// By default these would end the process, or stop it, and leave its addresses.
#[test]
fn signals_that_mean_nothing_are_ignored() {
    for kind in [subject(), Kind::Stock] {
        let two = Two::new();
        let daemon = two.a.start(kind, &config(3, 100, ""));
        wait_until("the router is master", || holds(&two.a));
        let numbers =
            "QUIT TRAP USR1 ALRM STKFLT TSTP TTIN TTOU XFSZ VTALRM PROF IO PWR SYS 34 35 37 38 41 50 62 64";
        two.a.run(&format!("for n in {numbers}; do kill -$n $(cat {PID_FILE}); done"));
        let mark = two.capture.mark();
        two.wait_adverts(mark, A, 3);
        assert!(holds(&two.a), "{kind:?}");
        assert_eq!(daemon.stop().code(), Some(0), "{kind:?}");
        assert!(!holds_any(&two.a), "{kind:?}");
    }
}

/// Everything happens in another network namespace; pid files are where stock has them.
#[test]
fn net_namespace() {
    for kind in [subject(), Kind::Stock] {
        let two = Two::new();
        two.a.run(
            "ip netns add inner; ip link add o0 type veth peer name eth0 netns inner; ip link set o0 up
             ip -n inner link set eth0 up; ip -n inner addr add 10.9.0.1/24 dev eth0",
        );
        let daemon = two.a.start(kind, &format!("net_namespace inner\ninstance one\n{}", config(3, 100, "")));
        let inside = || two.a.run("ip -n inner -br -4 addr show dev eth0");
        wait_until("the router is master", || inside().contains(&VIPS[0].to_string()));
        assert!(!holds_any(&two.a), "not out here");
        let files = two.a.run("cd /run/keepalived/inner; ls *.pid");
        assert_eq!(files, "keepalived_one.pid\nvrrp_one.pid\n", "{kind:?}");
        daemon.wait_log("Changing syslog ident to Keepalived_inner_one");
        daemon.stop();
        assert!(!inside().contains(&VIPS[0].to_string()));
        assert_eq!(two.a.run("ls -d /run/keepalived 2>/dev/null || true"), "", "{kind:?}");
        // What somebody else has in there stays.
        two.a.run("mkdir -p /run/keepalived/inner; touch /run/keepalived/inner/x /run/keepalived/y");
        let daemon = two.a.start(kind, &format!("net_namespace inner\n{}", config(3, 100, "")));
        daemon.wait_log("Startup complete");
        daemon.stop();
        assert_eq!(two.a.run("cd /run/keepalived; find . -type f | sort"), "./inner/x\n./y\n", "{kind:?}");
    }
}

/// With `-V` the addresses stay, and the peer is not told: it waits. What is left behind goes at the next start.
#[test]
fn addresses_stay_if_asked_for() {
    for kind in [subject(), Kind::Stock] {
        let two = Two::new();
        let daemon = two.a.start_with(kind, &config(3, 100, ""), &["-V"]);
        wait_until("the router is master", || holds(&two.a));
        daemon.stop();
        assert!(holds(&two.a), "{kind:?}");
        let adverts = two.capture.adverts(A);
        assert!(adverts.iter().all(|advert| advert.priority != 0), "{kind:?} said goodbye");
        assert!(!daemon.log().contains("sent 0 priority"), "{kind:?}");
        let _again = two.a.start_with(kind, &config(3, 100, ""), &["-V"]);
        wait_until("what was left is gone", || !holds_any(&two.a));
        wait_until("the router is master again", || holds(&two.a));
    }
}

/// With `-a` addresses are told of in stock's words, but not our own.
#[test]
fn address_monitoring() {
    for kind in [subject(), Kind::Stock] {
        let two = Two::new();
        let daemon = two.a.start_with(kind, &config(3, 100, ""), &["-a"]);
        wait_until("the router is master", || holds(&two.a));
        two.a.run("ip addr add 10.7.9.9/24 dev eth0; ip addr del 10.7.9.9/24 dev eth0");
        for told in ["10.7.0.2 added to eth0", "10.7.9.9 added to eth0", "10.7.9.9 removed from eth0"] {
            daemon.wait_log(&format!("Netlink reflector reports IP {told}\n"));
        }
        assert!(!daemon.log().contains(&format!("reports IP {}", VIPS[0])), "{kind:?}: {}", daemon.log());
    }
}

#[test]
fn pid_files_where_asked_for() {
    let two = Two::new();
    let options =
        ["-p", "/run/x/main.pid", "-r", "/run/x/vrrp.pid", "-c", "/run/x/c.pid", "-b", "/run/x/b.pid"];
    two.a.run("mkdir /run/x");
    let daemon = two.a.start_with(subject(), &config(3, 100, ""), &options);
    wait_until("the router is master", || holds(&two.a));
    assert!(two.a.has_file("/run/x/main.pid") && two.a.has_file("/run/x/vrrp.pid"));
    assert!(!two.a.has_file(PID_FILE));
    daemon.stop();
    assert!(!two.a.has_file("/run/x/main.pid") && !two.a.has_file("/run/x/vrrp.pid"));
}

/// A daemon that nobody would find, and that would not notice a second one, does not start.
#[test]
fn pid_file_that_cannot_be_written() {
    let two = Two::new();
    let mut cases = vec![(Kind::Stock, "-p", 0)];
    if subject() == Kind::Ours {
        cases.extend([(Kind::Ours, "-p", 1), (Kind::Ours, "-r", 1)]);
    }
    for (kind, option, status) in cases {
        let daemon = two.a.start_with(kind, &config(3, 100, ""), &[option, "/none/x.pid"]);
        assert_eq!(daemon.wait().code(), Some(status), "{kind:?}");
        daemon.wait_log("pidfile_write : Cannot open /none/x.pid pidfile");
    }
}

#[test]
fn the_second_one_sees_the_first() {
    let two = Two::new();
    let first = two.a.start(subject(), &config(3, 100, ""));
    wait_until("the router is master", || holds(&two.a));
    let second = two.a.start(subject(), &config(3, 100, ""));
    assert_eq!(second.wait().code(), Some(0));
    second.wait_log("already running");
    assert!(holds(&two.a), "the first one's addresses stay");
    assert_eq!(first.exited(), None);
}

#[test]
fn background() {
    let two = Two::new();
    two.a.write("/etc/keepalived/keepalived.conf", &config(3, 100, ""));
    let started = two.a.namespace().command(subject().program()).stdin(Stdio::null()).status().unwrap();
    assert_eq!(started.code(), Some(0));
    wait_until("the router is master", || holds(&two.a));
    two.a.run(&format!("kill -TERM $(cat {PID_FILE})"));
    wait_until("it ends", || !two.a.has_file(PID_FILE));
    assert!(!holds_any(&two.a));
}

/// Exit status of a daemon started with this configuration, or of `-t` with it.
fn status(kind: Kind, router: &Router, config: &str, options: &[&str]) -> Option<i32> {
    router.start_with(kind, config, options).wait().code()
}

#[track_caller]
fn same_status(config: &str, options: &[&str], expected: i32) {
    let two = Two::new();
    assert_eq!(status(subject(), &two.a, config, options), Some(expected));
    assert_eq!(status(Kind::Stock, &two.a, config, options), Some(expected));
}

#[test]
fn interface_that_is_missing() {
    same_status(&config(3, 100, "").replace("eth0", "eth7"), &[], 2);
}

#[test]
fn no_virtual_router_id() {
    same_status(&config(3, 100, "").replace("virtual_router_id 51", ""), &[], 2);
}

#[test]
fn configuration_test() {
    same_status(&config(3, 100, ""), &["-t"], 0);
    same_status(&config(3, 100, "").replace("eth0", "eth7"), &["-t"], 5);
    same_status(&config(3, 100, "wibble"), &["-t"], 5);
}

/// Without its configuration file stock does not start, and yet its `-t` is content; ours is not.
#[test]
fn configuration_file_that_is_missing() {
    let two = Two::new();
    let run = |kind: Kind, options: &[&str]| {
        let mut command = two.a.namespace().command(kind.program());
        command.args(["-n", "-l", "-f", "/etc/keepalived/none.conf"]).args(options);
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap().code()
    };
    assert_eq!((run(subject(), &[]), run(Kind::Stock, &[])), (Some(6), Some(6)));
    assert_eq!(run(Kind::Stock, &["-t"]), Some(0));
    if subject() == Kind::Ours {
        assert!(run(Kind::Ours, &["-t"]).is_some_and(|status| status != 0));
    }
}

#[test]
fn unknown_option() {
    let two = Two::new();
    let run = |kind: Kind| {
        let mut command = two.a.namespace().command(kind.program());
        command.arg("--wibble").stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().code()
    };
    assert_eq!((run(subject()), run(Kind::Stock)), (Some(1), Some(1)));
}

/// Without root two capabilities are enough, and a place for the pid files; scripts run as who the daemon is.
#[test]
fn two_capabilities_are_enough() {
    let two = Two::new();
    two.a.run("mkdir -m 777 /run/k; mkdir -p /tmp/seen; chmod 777 /tmp/seen");
    two.a.write_script("/etc/keepalived/check.sh", "id -u >/tmp/seen/check; id -G >/tmp/seen/groups");
    two.a.write_script("/etc/keepalived/notify.sh", "echo $* $(id -u) >>/tmp/seen/notify");
    let more = "track_script {\n check\n }\n notify /etc/keepalived/notify.sh\n garp_master_delay 1";
    let text = format!(
        "vrrp_script check {{\n script /etc/keepalived/check.sh\n interval 1\n}}\n{}",
        config(3, 100, more)
    );
    two.a.write("/etc/keepalived/keepalived.conf", &text);
    two.a.run("chmod -R a+rX /etc/keepalived");
    let start = |capabilities: &str, pid_files: &str| {
        let mut command = two.a.namespace().command("setpriv");
        command.args(["--reuid=4242", "--regid=4242", "--clear-groups"]);
        command.arg(format!("--inh-caps=-all{capabilities}"));
        command.arg(format!("--ambient-caps=-all{capabilities}"));
        command.args([Kind::Ours.program(), "-n", "-l", "-D"]);
        command.args(["-p", &format!("{pid_files}/k.pid"), "-r", &format!("{pid_files}/vrrp.pid")]);
        command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("setpriv is of util-linux")
    };
    let refused = |capabilities, pid_files| {
        let output = start(capabilities, pid_files).wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, said) = refused(",+net_admin", "/run/k");
    assert_eq!(status, Some(4), "{said}");
    assert!(said.contains("VRRP needs root, or CAP_NET_RAW\n"), "{said}");
    let (status, said) = refused(",+net_admin,+net_raw", "/run");
    assert!(status.is_some_and(|status| status != 0) && said.contains("/run/k.pid"), "{status:?} {said}");

    let daemon = start(",+net_admin,+net_raw", "/run/k");
    wait_until("the router is master", || holds(&two.a));
    wait_until("addresses are announced", || two.capture.garps_since(0, MAC_A).len() >= 10);
    wait_until("scripts run as the daemon does", || {
        two.a.read("/tmp/seen/check").is_some_and(|text| text == "4242\n")
            && two.a.read("/tmp/seen/groups").is_some_and(|text| text == "4242\n")
            && two.a.read("/tmp/seen/notify").unwrap_or_default().contains("INSTANCE VI_1 MASTER 100 4242\n")
    });
    two.a.run("kill -TERM $(cat /run/k/k.pid)");
    let output = daemon.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!holds_any(&two.a));
    assert_eq!(two.a.run("ls /run/k"), "");
}
