//! How the daemon is scheduled, what it may use up, and that scripts get none of it.

use crate::lab::{Router, wait_until};
use crate::support::{Two, config, holds, subject};

const SETTINGS: &str = "global_defs {
    vrrp_priority -5
    vrrp_rt_priority 10
    vrrp_rlimit_rttime 20000
    vrrp_cpu_affinity 0
    vrrp_no_swap
    script_user root
    enable_script_security
}
";

/// A script that tells how it is scheduled.
const TELL: &str = "{ chrt -p $$; nice; grep -E 'VmLck|Cpus_allowed_list' /proc/$$/status
    grep -E 'realtime timeout|core file' /proc/$$/limits; } >/tmp/told.new; mv /tmp/told.new /tmp/told";

/// The thread of the daemon with this name, as the router counts it.
fn thread(router: &Router, name: &str) -> String {
    // Others may end meanwhile.
    let find = format!("grep -slx {name} /proc/$(cat /run/vrrp.pid)/task/*/comm || true");
    router.run(&find).trim().trim_end_matches("/comm").to_owned()
}

/// Policy, priority and CPUs of a thread.
fn scheduled(router: &Router, thread: &str) -> (String, String) {
    let policy = router.run(&format!("chrt -p $(basename {thread}) | sed 's/.*: //' | tr '\\n' ' '"));
    let cpus = router.run(&format!("sed -n 's/Cpus_allowed_list:[[:space:]]*//p' {thread}/status"));
    (policy.trim().to_owned(), cpus.trim().to_owned())
}

#[test]
fn vrrp_is_scheduled_as_configured_and_scripts_are_not() {
    let two = Two::new();
    let free = two.a.run("sed -n 's/Cpus_allowed_list:[[:space:]]*//p' /proc/self/status").trim().to_owned();
    let limits = two.a.run("grep -E 'realtime timeout|core file' /proc/self/limits");
    two.a.write_script("/etc/tell.sh", TELL);
    let plain = config(3, 100, "notify /etc/tell.sh");
    let daemon = two.a.start_with(subject(), &format!("{SETTINGS}{plain}"), &["-m"]);
    wait_until("the router is master", || holds(&two.a));
    for name in ["vrrp", "netlink"] {
        let (policy, cpus) = scheduled(&two.a, &thread(&two.a, name));
        assert_eq!((policy.as_str(), cpus.as_str()), ("SCHED_RR|SCHED_RESET_ON_FORK 10", "0"), "{name}");
    }
    let process = |what: &str| two.a.run(&format!("cd /proc/$(cat /run/vrrp.pid); {what}"));
    assert_eq!(process("ps -o ni= -p $(cat /run/vrrp.pid)").trim(), "-5");
    assert_ne!(process("awk '/VmLck/ { print $2 }' status").trim(), "0");
    assert_eq!(process("awk '/realtime timeout/ { print $4 }' limits").trim(), "20000");
    assert_eq!(process("awk '/core file/ { print $5 }' limits").trim(), "unlimited");

    wait_until("the script has told", || two.a.has_file("/tmp/told"));
    let told = two.a.read("/tmp/told").unwrap();
    let expected = format!("Cpus_allowed_list:\t{free}\nVmLck:\t       0 kB\n");
    assert!(told.contains("SCHED_OTHER\n") && told.contains("\n0\n"), "{told}");
    assert!(expected.lines().all(|line| told.contains(line)), "{told}");
    assert!(limits.lines().all(|line| told.contains(line)), "{told}{limits}");

    // A reload changes it, too, while the router goes on.
    two.a.write("/etc/keepalived/keepalived.conf", &plain);
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    wait_until("nothing is real-time any more", || {
        scheduled(&two.a, &thread(&two.a, "vrrp")) == ("SCHED_OTHER 0".to_owned(), free.clone())
    });
    assert_eq!(process("ps -o ni= -p $(cat /run/vrrp.pid)").trim(), "0");
    assert_eq!(process("awk '/VmLck/ { print $2 }' status").trim(), "0");
    assert!(holds(&two.a));
}

/// Who may not do it says so, and runs.
#[test]
fn what_is_not_permitted_is_a_warning() {
    let two = Two::new();
    let text = format!("{SETTINGS}{}", config(3, 100, ""));
    two.a.write("/etc/keepalived/keepalived.conf", &text);
    let program = subject().program();
    let capabilities = "-sys_nice,-ipc_lock,-sys_resource";
    two.a.run(&format!(
        "setpriv --bounding-set {capabilities} --inh-caps {capabilities} {} -n -l >/tmp/log 2>&1 & echo $! >/tmp/pid",
        program
    ));
    wait_until("the router is master", || holds(&two.a));
    let log = two.a.read("/tmp/log").unwrap();
    for refused in ["cannot set priority -5: ", "cannot set real-time priority 10: ", "cannot lock memory: "]
    {
        assert!(log.contains(refused), "no `{refused}` in:\n{log}");
    }
    two.a.run("kill $(cat /run/keepalived.pid)");
    wait_until("it ends", || !two.a.has_file("/run/keepalived.pid"));
}

/// The kernel has one pattern for the whole machine; here a file stands for it.
#[test]
fn the_pattern_of_core_dumps_is_restored() {
    let two = Two::new();
    let pattern = || two.a.run("cat /proc/sys/kernel/core_pattern");
    two.a.run("echo before >/tmp/pattern; mount --bind /tmp/pattern /proc/sys/kernel/core_pattern");
    let daemon = two.a.start_with(subject(), &config(3, 100, ""), &["--core-dump-pattern=/tmp/core.%p"]);
    wait_until("the router is master", || holds(&two.a));
    assert_eq!(pattern().trim(), "/tmp/core.%p");
    daemon.stop();
    assert_eq!(pattern(), "before\n");
}
