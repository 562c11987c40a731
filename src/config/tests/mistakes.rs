//! One diagnostic per mistake, where it is.

use super::*;
use crate::config::diagnostic::{Effect, Severity};

/// The statement that begins at line 12 has these and no other diagnostics.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let loaded = load_text(&instance(text));
    assert_eq!(lines(&loaded), expected, "{text}");
}

#[test]
fn values() {
    check("priority 300", &["(x: Line 12) 'priority' must be a number from 1 to 255, not '300'"]);
    check("priority 150x", &["(x: Line 12) 'priority' must be a number from 1 to 255, not '150x'"]);
    check("garp_master_delay 7s", &["(x: Line 12) 's' is not part of a number in '7s'; 7 used"]);
    check("garp_master_repeat 0", &["(x: Line 12) 'garp_master_repeat' must be at least 1; 1 used"]);
    check("advert_int 1s", &["(x: Line 12) 'advert_int' must be a number from 0.01 to 255, not '1s'"]);
    check(
        "advert_int 0.5",
        &["(x: Line 12) (A) advert_int must be whole seconds in VRRP version 2 - rounding"],
    );
    check("state master", &["(x: Line 12) Unknown state 'master', BACKUP used"]);
    check("lower_prio_no_advert x", &["(x: Line 12) 'lower_prio_no_advert' must be on or off, not 'x'"]);
    check(
        "notify_master /none",
        &[
            "(x: Line 12) Disabling notify_master script '/none' since not found/accessible (No such file or directory)",
        ],
    );
    check("track_script { T }", &["(x: Line 12) track script T not found, ignoring..."]);
    check("mcast_src_ip ::1", &["(x: Line 12) ::1 is not of the instance's address family - ignoring"]);
}

#[test]
fn structure() {
    check("foo bar", &["(x: Line 12) Unknown keyword 'foo'"]);
    check("foo {\n bar {\n }\n}\nbaz", &["(x: Line 12) Unknown keyword 'foo'"]);
    check("interface eth0 {", &["(x: Line 12) Unexpected '{' - ignoring"]);
    check("nopreempt }", &["(x: Line 13) Extra '}' found"]);
    check("priority \"150", &["(x: Line 12) Unterminated quote"]);
    check(
        "authentication\nauth_type PASS\nauth_pass x\n}",
        &["(x: Line 13) Missing '{' after 'authentication'"],
    );
    let loaded = load_text("vrrp_script S {\n script </x\n foo {\n  bar {\n }\n}\n");
    assert_eq!(
        lines(&loaded),
        [
            "(x: Line 3) Unknown keyword 'foo'",
            "(x: Line 3) Missing '}' at the end, to close what is opened here or inside"
        ]
    );
    let loaded = load_text("vrrp_script S {\n script </x\n");
    assert_eq!(lines(&loaded), ["(x: Line 1) Missing '}' at the end, to close 'vrrp_script'"]);
}

#[test]
fn columns_point_at_the_word() {
    for (text, word) in [
        (" priority 300 # x\n", "300"),
        ("\tfoo bar\n", "foo"),
        ("virtual_ipaddress { 192.0.2.2 dev nope0 }\n", "nope0"),
        ("interface \"nope1\"\n", "nope1"),
    ] {
        let loaded = load_text(&instance(text));
        let [diagnostic] = &loaded.diagnostics[..] else { panic!("{text}: {:?}", lines(&loaded)) };
        let span = diagnostic.span.as_ref().unwrap();
        let source = loaded.sources.files[0].text.lines().nth(span.line as usize - 1).unwrap();
        assert_eq!(&source[span.columns.start as usize..span.columns.end as usize], word, "{text}");
    }
}

#[test]
fn expanded_text_tells_where_it_came_from() {
    let loaded = load_text("$VI=\\\n foo \\\n bar\n$VI\n");
    assert_eq!(loaded.diagnostics[0].span.as_ref().map(|s| s.line), Some(2));
    let trail: Vec<_> = loaded.diagnostics[0].trail.iter().map(|(s, t)| (s.line, t.as_str())).collect();
    assert_eq!(trail, [(4, "$VI is used here")]);
}

#[test]
fn what_is_not_in_effect_is_said_once() {
    let rest = "80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 192.0.2.9 80 { }\n}";
    let text = &format!("virtual_server 192.0.2.1 {rest}\nvirtual_server 192.0.2.2 {rest}\n");
    let loaded = load_text(text);
    assert_eq!(lines(&loaded), ["(x: Line 1) keyword 'virtual_server' is not in effect yet"]);
    let found = &loaded.diagnostics[0];
    assert_eq!((found.severity, found.class, found.shown_by_test()), (Severity::Warning, Class::Log, true));
    check(
        "use_vmac netlink_notify_msg\nuse_vmac netlink_notify_msg",
        &["(x: Line 12) keyword 'netlink_notify_msg' is not in effect yet"],
    );
}

#[test]
fn verdicts_and_refusals() {
    let unsafe_script = "vrrp_script S { script /bin/check }\nvrrp_instance A {\n interface eth0\n \
                         virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n}\n";
    for (text, status, refusal) in [
        ("", 0, None),
        ("foo", 5, None),
        (unsafe_script, 6, None),
        ("vrrp_instance A {\n}\n", 5, Some(2)),
        ("vrrp_instance A {\n interface nope0\n}\n", 5, Some(2)),
        ("vrrp_instance A {\n interface\n}\n", 2, Some(2)),
        ("include_none /x\n", 5, None),
        ("includea /none\n", 6, Some(6)),
        ("includer /etc/exec\n", 6, Some(6)),
        ("include /etc/exec\n", 0, None),
    ] {
        let mut loader = machine(text);
        loader.files.insert("/etc/exec".into(), Err(crate::host::loader::ReadError::Executable));
        let loaded = load_from(&loader);
        assert_eq!(
            (loaded.test_status(), loaded.refusal()),
            (status, refusal),
            "{text}: {:?}",
            lines(&loaded)
        );
    }
}

#[test]
fn a_missing_main_file_refuses() {
    let loaded = load_from(&MemoryLoader::default());
    assert_eq!((loaded.test_status(), loaded.refusal()), (6, Some(6)));
    assert_eq!(lines(&loaded), ["Config files missing 'x'."]);
}

#[test]
fn hints_teach() {
    for (text, hint) in [
        ("prioritty 5", "did you mean 'priority'?"),
        ("auth_pass x", "it is a keyword of 'authentication'"),
        ("notify_master /bin/check arg", "a command with arguments must be quoted as a whole"),
        ("nopreempt\nstate MASTER", "state MASTER without priority means 255"),
        ("notify \"[[ -f /x ]]\"", "'[[' is for a shell, but no shell runs it"),
        ("notify \"exit 0\"", "'exit' is for a shell, but no shell runs it"),
        ("notify \"if true\"", "'if' is for a shell, but no shell runs it"),
        ("state MASTER", "with 255 it never gives way"),
        ("nopreempt\npriority 100\nstate MASTER", "give all routers state BACKUP"),
        (
            "authentication {\nauth_type PASS\nauth_pass 123456789\n}",
            "all routers use the first 8 bytes only",
        ),
        ("nat_mask 255.0.0.0", "it has no effect since LVS is in the kernel"),
        ("lvs_sync_daemon_inteface eth0", "did you mean 'lvs_sync_daemon_interface'?"),
        ("pr\u{435}empt", "did you mean 'preempt'? the character"),
        ("}\nvvrp_script S {\nscript /bin/check", "did you mean 'vrrp_script'?"),
        ("}\nvirtual_server 192.0.2.1 80 {\nnb_get_retry 3", "please use 'retry'"),
    ] {
        let loaded = load_text(&instance(text));
        let hints: Vec<_> = loaded.diagnostics.iter().filter_map(|d| d.hint.as_deref()).collect();
        assert!(hints.iter().any(|h| h.starts_with(hint)), "{text}: {hints:?}");
    }
}

#[test]
fn many_diagnostics_become_one() {
    let mut text = "foo\n".repeat(30_000);
    text.push_str("includea /none\n");
    let loaded = load_text(&text);
    assert_eq!(loaded.diagnostics.len(), 10_001);
    let last = loaded.diagnostics.last().unwrap();
    assert_eq!((last.class, last.effect), (Class::Security, Effect::Refuses(6)));
    assert_eq!(loaded.test_status(), 6);
}
