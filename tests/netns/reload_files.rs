//! Files that have to do with a reload: those that ask for it, tell of it, and those that it changes.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::lab::{Daemon, Kind, Router, wait_for, wait_until};
use crate::support::{A, Two, config, holds, side_by_side, subject};

const CONFIG: &str = "/etc/keepalived/keepalived.conf";

/// Ours and stock's at once, each on machines of its own.
fn both(scenario: impl Fn(Kind) + Sync) {
    let mut kinds = vec![subject(), Kind::Stock];
    kinds.dedup();
    side_by_side(kinds, scenario);
}

fn text(globals: &str, priority: u8) -> String {
    format!("global_defs {{\n script_user root\n {globals}\n}}\n{}", config(3, priority, ""))
}

/// One router that is master.
fn master(kind: Kind, text: &str) -> (Two, Daemon) {
    let two = Two::new();
    let daemon = two.a.start(kind, text);
    wait_until("the router is master", || holds(&two.a));
    (two, daemon)
}

fn count(daemon: &Daemon, text: &str) -> usize {
    daemon.log().matches(text).count()
}

/// Has the configuration read again, and waits until it is in effect.
#[track_caller]
fn reload(two: &Two, daemon: &Daemon, text: &str) {
    two.a.write(CONFIG, text);
    let before = count(daemon, "Reload complete");
    daemon.signal(Signal::SIGHUP);
    wait_until("the configuration is in effect", || count(daemon, "Reload complete") > before);
}

/// The priority of its next advert.
fn priority(two: &Two) -> u8 {
    two.wait_adverts(two.capture.mark(), A, 2)[1].priority
}

#[test]
fn at_a_time_that_a_file_says() {
    both(|kind| {
        let (two, daemon) = master(kind, &text("reload_time_file /run/when", 100));
        for (format, wanted) in [("%H:%M:%S", 110), ("%Y-%m-%d %H:%M:%SZ", 120)] {
            two.a.write(CONFIG, &text("reload_time_file /run/when", wanted));
            two.a.run(&format!("date -u -d '+2 sec' '+{format}' >/run/when"));
            wait_until("the priority changes", || priority(&two) == wanted);
            assert!(!two.a.has_file("/run/when"), "{kind:?}");
        }
        assert_eq!(count(&daemon, "Scheduling reload for 2"), 2, "{kind:?}: {}", daemon.log());
        two.a.write("/run/when", "noon\n");
        daemon.wait_log("Reload time noon format is incorrect - ignoring");
        two.a.write("/run/when", "2032-12-01 10:00:00\n");
        daemon.wait_log("Scheduling reload for 2032-12-01 10:00:00");
        daemon.signal(Signal::SIGUSR1);
        let dump = || two.a.read("/tmp/keepalived_parent.data").unwrap_or_default();
        wait_until("it is in the dump", || {
            dump().contains(" Reload scheduled for 2032-12-01 10:00:00 (date specified\n")
        });
        two.a.run("rm /run/when");
        daemon.wait_log("Cancelling reload scheduled for 2032-12-01 10:00:00");
    });
}

#[test]
fn a_configuration_that_is_checked_first() {
    both(|kind| {
        let globals = "reload_check_config /tmp/check.log\nreload_file /run/reading";
        let (two, daemon) = master(kind, &text(globals, 100));
        // Left behind by somebody: it is not there any more when the configuration has been read.
        two.a.write("/run/reading", "");
        two.a.write(CONFIG, &text(&format!("{globals}\n wibble"), 110));
        daemon.signal(Signal::SIGHUP);
        daemon.wait_log("New config failed validation, see /tmp/check.log for details");
        assert!(two.a.read("/tmp/check.log").is_some_and(|log| log.contains("wibble")), "{kind:?}");
        assert_eq!(two.a.run("stat -c %a /tmp/check.log"), "600\n", "{kind:?}");
        wait_until("it is no longer being read", || !two.a.has_file("/run/reading"));
        assert_eq!(priority(&two), 100, "{kind:?}");
        reload(&two, &daemon, &text(globals, 110));
        wait_until("the priority changes", || priority(&two) == 110);
    });
}

/// Without `reload_check_config` stock takes what it understands; ours says in one line what is wrong where.
#[test]
fn a_refused_configuration_is_told_of_in_one_line() {
    let (two, daemon) = master(subject(), &text("", 100));
    two.a.write(CONFIG, &text("wibble\n wobble", 110));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_log(
        "New config failed validation: (/etc/keepalived/keepalived.conf: Line 3) Unknown keyword 'wibble', and 1 more \
         - the configuration stays as it was\n",
    );
    two.a.run(&format!("rm {CONFIG}"));
    daemon.signal(Signal::SIGHUP);
    wait_until("the missing file is named", || {
        daemon.log().lines().any(|line| line.contains("stays as it was") && line.contains(CONFIG))
    });
    daemon.signal(Signal::SIGUSR1);
    wait_until("a dump is written", || {
        two.a.read("/tmp/keepalived.data").is_some_and(|data| data.contains(" VRRP Instance = VI_1"))
    });
    // JSON (SIGRTMIN+2) tells what runs, too.
    two.a.run("kill -s 36 \"$(cat /run/keepalived.pid)\"");
    let json = || serde_json::from_str::<Value>(&two.a.read("/tmp/keepalived.json")?).ok();
    let json = wait_for("a dump as JSON", json);
    assert_eq!((&json[0]["data"]["iname"], &json[0]["data"]["base_priority"]), (&"VI_1".into(), &100.into()));
    assert_eq!(priority(&two), 100);
    assert!(holds(&two.a));
}

/// What is in effect before and after each reload.
#[test]
fn configurations_are_saved_around_a_reload() {
    both(|kind| {
        let save = "config_save_dir /tmp/save";
        let (two, daemon) = master(kind, &text(save, 100));
        for (wanted, number) in [(110, 1), (120, 2)] {
            reload(&two, &daemon, &text(save, wanted));
            for (when, priority) in [("pre", wanted - 10), ("post", wanted)] {
                wait_until("it is saved", || {
                    let saved =
                        two.a.run(&format!("cat /tmp/save/keepalived_vrrp.*.{number}.{when} || true"));
                    saved.contains(&format!("   Priority = {priority}\n"))
                });
            }
        }
        let modes = "stat -c '%a %n' /tmp/save/keepalived_vrrp.* | sed 's/[.][0-9]*[.]/.PID./'";
        let saved = ["1.post", "1.pre", "2.post", "2.pre"];
        let expected: String =
            saved.iter().map(|which| format!("600 /tmp/save/keepalived_vrrp.PID.{which}\n")).collect();
        assert_eq!(two.a.run(modes), expected, "{kind:?}");
    });
}

/// A directory is no configuration, a pattern is, at the start and at each reload.
#[test]
fn configurations_of_several_files() {
    both(|kind| {
        let two = Two::new();
        let daemon = two.a.start_with(kind, "", &["-f", "/etc/keepalived"]);
        assert_eq!(daemon.wait().code(), Some(6), "{kind:?}: {}", daemon.log());
        assert!(daemon.log().contains("is a directory"), "{kind:?}: {}", daemon.log());

        two.a.run("mkdir /etc/keepalived/parts");
        two.a.write("/etc/keepalived/parts/1.conf", &text("", 100));
        let pattern = ["-f", "/etc/keepalived/parts/*.conf"];
        let daemon = two.a.start_with(kind, "", &pattern);
        wait_until("the router is master", || holds(&two.a));
        let second =
            config(3, 90, "").replace("VI_1", "VI_2").replace("virtual_router_id 51", "virtual_router_id 52");
        two.a.write("/etc/keepalived/parts/2.conf", &second);
        two.a.write("/etc/keepalived/parts/3.txt", "wibble\n");
        daemon.signal(Signal::SIGHUP);
        daemon.wait_log("(VI_2) Entering BACKUP STATE");
        two.a.run("rm /etc/keepalived/parts/2.conf");
        daemon.signal(Signal::SIGHUP);
        wait_until("one is left", || {
            daemon.signal(Signal::SIGUSR1);
            let data = two.a.read("/tmp/keepalived.data").unwrap_or_default();
            data.contains("VRRP Instance = VI_1") && !data.contains("VRRP Instance = VI_2")
        });
    });
}

/// What cannot be changed while the daemon runs; nothing else is changed then either.
#[test]
fn what_a_reload_cannot_change() {
    both(|kind| {
        let (two, daemon) = master(kind, &text("", 100));
        for (top, globals, what) in [
            ("net_namespace inner", "", "network namespace"),
            ("instance other", "", "instance name"),
            ("", "nftables other", "nftables table name"),
        ] {
            two.a.run("ip netns list | grep -q inner || ip netns add inner");
            two.a.write(CONFIG, &format!("{top}\n{}", text(globals, 110)));
            daemon.signal(Signal::SIGHUP);
            daemon.wait_log(&format!("Cannot change {what} at a reload - please restart keepalived"));
            assert_eq!(priority(&two), 100, "{kind:?} {what}");
        }
        assert!(holds(&two.a));
    });
}

#[test]
fn umask_and_names_follow() {
    both(|kind| {
        let (two, daemon) = master(kind, &text("umask 022", 100));
        let data = "/tmp/keepalived.data";
        let mode = || {
            two.a.run(&format!("rm -f {data}"));
            daemon.signal(Signal::SIGUSR1);
            wait_until("a dump is written", || two.a.has_file(data));
            two.a.run(&format!("stat -c %a {data}")).trim().to_owned()
        };
        assert_eq!(mode(), "644", "{kind:?}");
        let names = "process_name router\nvrrp_process_name beat";
        reload(&two, &daemon, &text(&format!("umask 077\n{names}"), 100));
        assert_eq!(mode(), "600", "{kind:?}");
        // Of threads that end meanwhile there is nothing to read.
        let comm = |file: &str| {
            two.a.run(&format!("cat /proc/$(cat /run/{file}.pid)/task/*/comm 2>/dev/null || true"))
        };
        wait_until("the process has its name", || comm("keepalived").starts_with("router\n"));
        wait_until("VRRP has its name", || comm("vrrp").lines().any(|name| name == "beat"));
        reload(&two, &daemon, &text("process_names", 100));
        wait_until("VRRP has stock's name", || comm("vrrp").lines().any(|n| n == "keepalived_vrrp"));
        if kind == Kind::Ours {
            reload(&two, &daemon, &text("", 100));
            assert_eq!(mode(), "600", "as at a start with this configuration");
            let names = comm("vrrp");
            assert!(names.starts_with("keepalived-rs\n") && names.contains("\nvrrp\n"), "{names}");
        }
    });
}

#[test]
fn the_first_instance_and_the_last() {
    both(|kind| {
        let two = Two::new();
        let none = "global_defs {\n router_id none\n}\n";
        let daemon = two.a.start(kind, none);
        daemon.wait_log("no configuration to run");
        assert!(two.a.has_file("/run/keepalived.pid") && !two.a.has_file("/run/vrrp.pid"), "{kind:?}");
        // Stock says `Startup complete` once more, and not that the reload is.
        two.a.write(CONFIG, &text("", 100));
        daemon.signal(Signal::SIGHUP);
        wait_until("the router is master", || holds(&two.a));
        let pid = two.a.read("/run/vrrp.pid").unwrap_or_default();
        assert!(two.a.has_file(&format!("/proc/{}", pid.trim())), "{kind:?}: {pid:?}");
        assert_eq!(two.a.run("stat -c %a /run/vrrp.pid"), "644\n", "{kind:?}");
        reload(&two, &daemon, none);
        wait_until("it gives up its address", || !holds(&two.a));
        assert!(two.a.has_file("/run/vrrp.pid"), "{kind:?}");
        daemon.stop();
        assert!(!two.a.has_file("/run/vrrp.pid"), "{kind:?}");
    });
}

#[test]
fn an_instance_that_would_lack_capabilities_is_refused() {
    let two = Two::new();
    let program = subject().program();
    two.a.write(CONFIG, "global_defs {\n router_id none\n}\n");
    two.a.run(&format!(
        "setpriv --bounding-set -net_admin --inh-caps -net_admin {program} -n -l >/tmp/log 2>&1 & echo $! >/tmp/pid"
    ));
    let logged = |text: &str| two.a.read("/tmp/log").is_some_and(|log| log.contains(text));
    wait_until("it runs", || logged("Startup complete"));
    two.a.write(CONFIG, &text("", 100));
    two.a.run("kill -HUP $(cat /tmp/pid)");
    wait_until("it refuses", || {
        logged("VRRP needs root, or CAP_NET_ADMIN - the configuration stays as it was")
    });
    assert!(!two.a.has_file("/run/vrrp.pid"));
    two.a.run("kill $(cat /tmp/pid)");
    wait_until("it ends", || !two.a.has_file("/run/keepalived.pid"));
}

/// A pipe that gets another reader, another name, and that goes.
#[test]
fn pipes_follow() {
    both(|kind| {
        let two = Two::new();
        for n in 1..=3 {
            two.a.write_script(&format!("/etc/read{n}.sh"), &format!("exec cat \"$1\" >>/tmp/read{n}"));
        }
        let pipe = |path: &str, reader: u8| {
            text(&format!("vrrp_notify_fifo {path}\nvrrp_notify_fifo_script /etc/read{reader}.sh"), 100)
        };
        let daemon = two.a.start(kind, &pipe("/run/one", 1));
        wait_until("the router is master", || holds(&two.a));
        let read =
            |n: u8, what: &str| two.a.read(&format!("/tmp/read{n}")).unwrap_or_default().contains(what);
        wait_until("the first reader reads", || read(1, "\"VI_1\" MASTER"));
        let is_there = |path: &str| two.a.run(&format!("test -p {path} && echo yes || true")) == "yes\n";
        reload(&two, &daemon, &pipe("/run/one", 2));
        two.a.run("ip link set eth0 down");
        wait_until("the second reader reads", || read(2, "\"VI_1\" FAULT"));
        assert!(is_there("/run/one"), "{kind:?}");
        reload(&two, &daemon, &pipe("/run/two", 3));
        two.a.run("ip link set eth0 up");
        wait_until("the third reads from the other pipe", || read(3, "\"VI_1\" MASTER"));
        assert!(is_there("/run/two") && !is_there("/run/one"), "{kind:?}");
        reload(&two, &daemon, &text("", 100));
        wait_until("the pipe goes", || !is_there("/run/two"));
        assert!(holds(&two.a));
        daemon.stop();
    });
}

/// The user of scripts, and whether they are looked at, may change.
#[test]
fn who_runs_scripts_follows() {
    both(|kind| {
        let two = Two::new();
        two.a.write_script("/etc/tell.sh", "id -un >>/tmp/told");
        two.a.run("chmod 777 /tmp; touch /tmp/told; chmod 666 /tmp/told");
        let text = |globals: &str, priority: u8| {
            format!("global_defs {{\n {globals}\n}}\n{}", config(3, priority, "notify /etc/tell.sh"))
        };
        let daemon = two.a.start(kind, &text("script_user root", 100));
        let told = |lines: &str| wait_until(lines, || two.a.read("/tmp/told").unwrap_or_default() == lines);
        told("root\nroot\n");
        reload(&two, &daemon, &text("script_user nobody", 100));
        two.a.run("ip link set eth0 down");
        told("root\nroot\nnobody\n");
        two.a.run("chmod 777 /etc/tell.sh");
        reload(&two, &daemon, &text("script_user root\n enable_script_security", 100));
        two.a.run("ip link set eth0 up");
        wait_until("the router is master", || holds(&two.a));
        daemon.stop();
        told("root\nroot\nnobody\n");
    });
}

#[test]
fn files_that_are_new_among_those_included() {
    both(|kind| {
        let two = Two::new();
        two.a.write("/etc/conf.d/one.conf", &config(3, 100, ""));
        let daemon = two.a.start(kind, "include /etc/conf.d/*.conf\n");
        wait_until("the router is master", || holds(&two.a));
        let other = config(3, 100, "").replace("VI_1", "VI_2").replace("_id 51", "_id 52");
        two.a.write("/etc/conf.d/two.conf", &other.replace("10.7.0.10", "10.7.0.20"));
        daemon.signal(Signal::SIGHUP);
        wait_until("the new instance is master", || two.a.has([10, 7, 0, 200].into()));
        two.a.run("rm /etc/conf.d/two.conf");
        daemon.signal(Signal::SIGHUP);
        wait_until("and goes", || !two.a.has([10, 7, 0, 200].into()));
        assert!(holds(&two.a), "{kind:?}");
    });
}

/// Paths of programs as they are written, with the links in them.
#[test]
fn links_to_programs_are_kept_if_asked_for() {
    let two = Two::new();
    two.a.write_script("/etc/real.sh", "echo \"$0\" >>/tmp/told");
    two.a.run("ln -s /etc/real.sh /etc/link.sh");
    let text = |globals: &str| {
        let more = "notify_master /etc/link.sh\n notify_fault /etc/link.sh";
        format!("global_defs {{\n script_user root\n {globals}\n}}\n{}", config(3, 100, more))
    };
    let told = |lines: &str| wait_until(lines, || two.a.read("/tmp/told").unwrap_or_default() == lines);
    let daemon = two.a.start(subject(), &text(""));
    told("/etc/real.sh\n");
    reload(&two, &daemon, &text("use_symlink_paths"));
    two.a.run("ip link set eth0 down");
    told("/etc/real.sh\n/etc/link.sh\n");
}

/// What the service manager is told, in order: also of a configuration that is refused.
#[test]
fn the_service_manager_is_told() {
    let two = Two::new();
    let socket = UnixDatagram::bind(two.a.path("/run/notify")).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    two.a.write(CONFIG, &text("", 100));
    let program = subject().program();
    two.a.run(&format!("NOTIFY_SOCKET=/run/notify {program} -n -l >/tmp/log 2>&1 & echo $! >/tmp/pid"));
    let told = |router: &Router| {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap_or_else(|e| {
            panic!("nothing more was told ({e}):\n{}", router.read("/tmp/log").unwrap_or_default())
        });
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(told(&two.a), "READY=1");
    let expected = [
        (text("", 110), vec!["RELOADING=1", "READY=1"]),
        (text("wibble", 120), vec!["RELOADING=1", "STATUS=Reload refused", "READY=1"]),
        (text("", 120), vec!["RELOADING=1", "STATUS=Reload complete", "READY=1"]),
    ];
    for (text, lines) in expected {
        two.a.write(CONFIG, &text);
        two.a.run("kill -HUP $(cat /tmp/pid)");
        for line in lines {
            let told = told(&two.a);
            assert!(told.starts_with(line), "{told:?} instead of {line:?}");
        }
    }
    two.a.run("kill $(cat /tmp/pid)");
    assert_eq!(told(&two.a), "STOPPING=1");
    wait_until("it ends", || !two.a.has_file("/run/keepalived.pid"));
}
