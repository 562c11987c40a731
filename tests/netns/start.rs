//! Starts that are refused, and the one with nothing to do.

use std::process::{Command, Stdio};

use crate::lab::{Kind, Router};
use crate::support::{Two, config};

/// Exit status and stderr of ours on `router`, started through `before`.
fn start(router: &Router, before: &[&str], options: &[&str]) -> (Option<i32>, String) {
    let words: Vec<_> = before.iter().copied().chain([Kind::Ours.program()]).collect();
    let mut command: Command = router.namespace().command(words[0]);
    command.args(&words[1..]).args(["-G"]).args(options).stdin(Stdio::null());
    let output = command.output().expect("run nsenter");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn nothing_to_run_is_waited_with() {
    for kind in [Kind::Ours, Kind::Stock] {
        let two = Two::new();
        let daemon = two.a.start(kind, "global_defs {\n    router_id a\n}\n");
        daemon.wait_log("Warning - keepalived has no configuration to run");
        if kind == Kind::Ours {
            daemon.wait_log("Startup complete");
        }
        assert_eq!(daemon.exited(), None, "{kind:?}");
        assert_eq!(daemon.stop().code(), Some(0), "{kind:?}");
    }
    let two = Two::new();
    let without_vrrp = two.a.start_with(Kind::Ours, &config(3, 100, ""), &["-C"]);
    without_vrrp.wait_log("Warning - keepalived has no configuration to run");
    without_vrrp.wait_log("Startup complete");
    assert!(two.a.has_file("/run/keepalived.pid") && !two.a.has_file("/run/vrrp.pid"));
    assert_eq!(without_vrrp.stop().code(), Some(0));
}

#[test]
fn without_permission_it_says_so_and_does_not_start() {
    let two = Two::new();
    two.a.write("/etc/keepalived/keepalived.conf", &config(3, 100, ""));
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    for options in [&["-n"][..], &[]] {
        let (status, text) = start(&two.a, &nobody, options);
        assert_eq!(status, Some(4), "{text}");
        assert_eq!(text, "VRRP needs root, or CAP_NET_ADMIN and CAP_NET_RAW\n");
    }
    // As root, but without one of the two.
    let (status, text) =
        start(&two.a, &["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"], &["-n"]);
    assert_eq!((status, text.as_str()), (Some(4), "VRRP needs root, or CAP_NET_RAW\n"));
}

/// The interface itself is called a warning.
#[test]
fn who_does_not_start_for_want_of_an_interface_says_so() {
    for kind in [Kind::Ours, Kind::Stock] {
        let two = Two::new();
        let daemon = two.a.start(kind, &config(3, 100, "").replace("eth0", "eth7"));
        assert_eq!(daemon.wait().code(), Some(2), "{kind:?}");
        daemon.wait_log("WARNING - interface eth7 for vrrp_instance VI_1 doesn't exist");
        daemon.wait_log("Non-existent interface specified in configuration");
    }
}

#[test]
fn a_refused_start_in_the_background_tells_the_caller() {
    let two = Two::new();
    two.a.write("/etc/keepalived/keepalived.conf", &config(3, 100, "").replace("eth0", "eth7"));
    let (status, text) = start(&two.a, &["env"], &[]);
    assert_eq!(status, Some(2));
    assert!(text.contains("eth7"), "{text}");
    assert!(!two.a.has_file("/run/keepalived.pid"));
}
