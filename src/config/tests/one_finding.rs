//! One finding for one mistake: what follows from it is folded into it, and still counts.

use super::*;

/// The first finding of a text has this line, text and status, and there are `count` of them.
#[track_caller]
fn only(text: &str, count: usize, status: u8, expected: &str) -> diagnostic::Diagnostic {
    let loaded = load_text(text);
    let found: Vec<_> = lines(&loaded).into_iter().filter(|l| !l.contains("not in effect")).collect();
    assert_eq!((found.len(), loaded.test_status()), (count, status), "{text}: {found:#?}");
    assert_eq!(found[0], format!("(x: Line {expected}"), "{text}: {found:#?}");
    loaded.diagnostics.into_iter().find(|d| !d.not_in_effect).unwrap()
}

/// An undefined parameter in braces closes a block, as in stock; what is lost by that is not missed.
#[test]
fn what_braces_of_undefined_parameters_cut_off_is_not_missed() {
    let rest = "interface eth0\n virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n";
    only(
        &format!("vrrp_instance A {{\n priority ${{P}}\n {rest}}}\n"),
        1,
        5,
        "2) parameter 'P' is not defined",
    );
    only(&format!("vrrp_instance ${{N}} {{\n {rest}}}\n"), 1, 5, "1) parameter 'N' is not defined");
    let server = "virtual_server ${IP} 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 192.0.2.2 80 {\n }\n}\n";
    only(server, 1, 5, "1) parameter 'IP' is not defined");
    let globals = "global_defs {\n router_id ${X}\n enable_script_security\n script_user root\n}\n";
    let script = "vrrp_script S {\n script /bin/check\n}\n";
    let text = format!("{globals}{script}vrrp_instance A {{\n {rest} track_script {{ S }}\n}}\n");
    only(&text, 1, 6, "2) parameter 'X' is not defined");
}

/// What the finding marks.
fn marked<'t>(text: &'t str, found: &diagnostic::Diagnostic) -> &'t str {
    let span = found.span.as_ref().unwrap();
    let line = text.lines().nth(span.line as usize - 1).unwrap();
    &line[span.columns.start as usize..span.columns.end as usize]
}

#[test]
fn undefined_parameters_are_named() {
    for (line, what, mark) in [
        ("priority ${PRIO}", "parameter 'PRIO' is not defined", "${PRIO}"),
        ("priority $PRIO", "parameter 'PRIO' is not defined", "$PRIO"),
        ("priority ${_RANDOM x}", "${_RANDOM x} takes two numbers at most - not replaced", "${_RANDOM x}"),
        ("priority ${_ENV}", "${_ENV} needs the name of a variable", "${_ENV}"),
        ("authentication {\nauth_type ${T}\n}", "parameter 'T' is not defined", "${T}"),
        ("virtual_ipaddress {\n${VIP}\n}", "parameter 'VIP' is not defined", "${VIP}"),
        ("${WHOLE}", "parameter 'WHOLE' is not defined", "${WHOLE}"),
    ] {
        let text = instance(line);
        let at = if line.contains('\n') { 13 } else { 12 };
        let found = only(&text, 1, 5, &format!("{at}) {what}"));
        assert_eq!(marked(&text, &found), mark);
    }
    // What stock requires is not missing if a parameter was to give it.
    let text =
        "vrrp_instance A {\n interface eth0\n virtual_router_id ${V}\n virtual_ipaddress { 192.0.2.1 }\n}\n";
    let found = only(text, 1, 5, "3) parameter 'V' is not defined");
    assert_eq!(found.effect, diagnostic::Effect::Refuses(2));
}

#[test]
fn the_nearest_parameter_is_told() {
    let text = format!("$PRI0=5\n$NONE=\n{}", instance("priority ${PRIO}"));
    let found = only(&text, 1, 5, "14) parameter 'PRIO' is not defined");
    assert_eq!(found.hint.as_deref(), Some("did you mean '$PRI0'?"));
    let found = only(
        &text.replace("${PRIO}", "$NONE"),
        1,
        2,
        "14) *** Configuration line starting `priority` is missing a parameter after keyword `priority` at word position 2",
    );
    assert_eq!(found.hint.as_deref(), Some("the parameter 'NONE' is defined as nothing"));
}

#[test]
fn undefined_parameters_that_do_no_harm_do_not_count() {
    let secret = instance("authentication {\nauth_type PASS\nauth_pass $ecret\n}");
    only(&secret, 1, 0, "14) parameter 'ecret' is not defined");
    // A shell's own.
    assert_eq!(lines(&load_text(&instance("notify \"/bin/check '$HOME ${HOME}'\""))), [""; 0]);
    only("include ${DIR}/x.conf\n", 1, 0, "1) parameter 'DIR' is not defined");
}

#[test]
fn a_missing_brace_is_the_only_finding() {
    let list = "vrrp_instance A {\n    interface eth0\n    virtual_ipaddress {\n        192.0.2.1\n    virtual_router_id 1\n    \
                priority 100\n    authentication {\n        auth_type PASS\n        auth_pass x\n    }\n}\nvrrp_instance B {\n    \
                interface eth0\n    virtual_router_id 2\n    virtual_ipaddress { 192.0.2.2 }\n}\n";
    only(list, 1, 5, "3) Missing '}' at the end, probably to close 'virtual_ipaddress'");
    let wrong = list.replace("virtual_router_id 2", "virtual_router_id 999");
    let loaded = load_text(&wrong);
    assert_eq!(
        lines(&loaded),
        [
            "(x: Line 3) Missing '}' at the end, probably to close 'virtual_ipaddress'",
            "(x: Line 14) 'virtual_router_id' must be a number from 1 to 255, not '999'"
        ]
    );
    let block = "vrrp_instance A {\n    interface eth0\n    virtual_router_id 1\n    virtual_ipaddress { 192.0.2.1 }\n\n\
                 vrrp_instance B {\n    interface eth0\n    virtual_router_id 2\n    virtual_ipaddress { 192.0.2.2 }\n}\n\
                 vrrp_sync_group G {\n    group {\n        A\n        B\n    }\n}\n";
    only(block, 1, 5, "1) Missing '}' at the end, probably to close 'vrrp_instance'");
}

#[test]
fn findings_come_in_the_order_of_lines() {
    let text = "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n}\nfoo\n\"x\n";
    let loaded = load_text(text);
    let order: Vec<_> = loaded.diagnostics.iter().filter_map(|d| d.span.as_ref()).map(|s| s.line).collect();
    assert_eq!(order, [1, 5, 6]);
    let mut machine = machine("foo\ninclude /b\nbar\ninclude /a\n").file("/a", "baz\n").file("/b", "\nqux\n");
    machine.interfaces = None;
    let loaded = load_from(&machine);
    let order: Vec<_> =
        loaded.diagnostics.iter().filter_map(|d| d.span.as_ref()).map(|s| (s.file.0, s.line)).collect();
    assert_eq!(order, [(0, 1), (0, 3), (1, 2), (2, 1)]);
}

#[test]
fn two_keywords_on_a_line() {
    let text = "vrrp_instance A { interface eth0 virtual_router_id 5\n virtual_ipaddress { 192.0.2.1 }\n}\n";
    let found = only(text, 1, 5, "1) 'virtual_router_id' is not read: it stands on the line of 'interface'");
    assert_eq!(found.hint.as_deref(), Some("keepalived reads one keyword a line"));
    assert_eq!(marked(text, &found), "virtual_router_id");
    only(
        &instance("state MASTER priority 100\npriority 90"),
        1,
        0,
        "12) 'priority' is not read: it stands on the line of 'state'",
    );
}

#[test]
fn one_line_repeated_is_one_mistake() {
    let found = only(
        &instance("~SEQ(i, 250, 270) priority $i"),
        1,
        5,
        "12) 'priority' must be a number from 1 to 255, not '256'",
    );
    assert_eq!(found.hint.as_deref(), Some("the same for 15 values: $i=256, $i=257, $i=258, …"));
    let found = only(
        &instance("virtual_ipaddress {\n~LST({a,b}, {x,1}, {y,2}) ${a} dev eth$b\n}"),
        1,
        5,
        "13) 'x' is not an address - dropping the line",
    );
    assert_eq!(found.hint.as_deref(), Some("the same for 2 values: $a=x $b=1, $a=y $b=2"));
    // Two mistakes stay two.
    let loaded = load_text(&instance("~SEQ(i, 255, 257) priority $i\n~SEQ(i, 1, 2) foo$i"));
    assert_eq!(loaded.diagnostics.len(), 2, "{:#?}", lines(&loaded));
}

#[test]
fn what_could_not_be_used_is_not_missed() {
    let server = |protocol, algo, kind, real| {
        format!(
            "virtual_server 192.0.2.1 80 {{\n protocol {protocol}\n lb_algo {algo}\n lb_kind {kind}\n real_server {real} 80 {{\n }}\n}}\n"
        )
    };
    only(&server("TCPP", "rr", "DR", "192.0.2.2"), 1, 5, "2) Unknown protocol TCPP - ignoring");
    only(&server("TCP", "rrr", "DR", "192.0.2.2"), 1, 5, "3) Invalid lvs_scheduler 'rrr' - ignoring");
    only(&server("TCP", "rr", "DRR", "192.0.2.2"), 1, 5, "4) unknown routing method 'DRR'");
    only(
        &server("TCP", "rr", "DR", "192.0.2.300"),
        1,
        5,
        "5) real_server has an invalid address or port - skipping block",
    );
    only(
        &server("TCP", "rr", "DR", "192.0.2.2").replace("lb_kind", "lb_knd"),
        1,
        5,
        "4) Unknown keyword 'lb_knd'",
    );
    only(
        "bfd_instance D {\n neighbor_ip\n}\n",
        1,
        2,
        "2) *** Configuration line starting `neighbor_ip` is missing a parameter after keyword `neighbor_ip` at word position 2",
    );
    only("bfd_instance D {\n neighbor_ip x\n}\n", 1, 5, "2) 'neighbor_ip' needs an address, not 'x'");
    only("vrrp_script S {\n script \"/bin/check\n}\n", 1, 5, "2) Unterminated quote");
    only(
        &format!("{}vrrp_sync_group G {{\n group {{\n X\n A\n }}\n}}\n", instance("")),
        1,
        5,
        "16) Virtual router X specified in sync group G doesn't exist - ignoring",
    );
    only(
        "vrrp_instance A {\n interface eth0\n virtul_router_id 5\n virtual_ipaddress { 192.0.2.1 }\n}\n",
        1,
        5,
        "3) Unknown keyword 'virtul_router_id'",
    );
    only(
        "global_defs {\n max_auto_priority 1000\n}\n",
        1,
        5,
        "2) 'max_auto_priority' must be a number from -1 to 99, not '1000'",
    );
    let loaded = load_text("global_defs {\n max_auto_priority 1000\n}\n");
    assert_eq!(loaded.diagnostics.len(), 1, "{:#?}", lines(&loaded));
}

#[test]
fn what_editors_and_habits_bring_in() {
    for (text, hint) in [
        ("priority=100", "write 'priority 100': a blank stands before a value"),
        ("priority: 100", "write 'priority VALUE': a blank stands before a value"),
        ("advert_int = 1", "no '=' stands before a value: write 'advert_int 1'"),
        ("advert_int =1", "no '=' stands before a value: write 'advert_int 1'"),
        ("priority\u{a0}100", "a blank that is none (U+00A0) is part of it"),
        ("advert_int 1\u{a0}", "a blank that is none (U+00A0) is part of it"),
        ("virtual_ipaddress {\n192.0.2.2, 192.0.2.3\n}", "lists have no commas: write one entry a line"),
        ("include", "'include FILE' reads a file"),
        ("inlcude /x", "did you mean 'include'?"),
        ("include \"/x\"", "quotes are part of the path here"),
        ("nopreempt no", "leave the keyword out to have it off"),
        ("native_ipv6 no", "leave the keyword out to have it off"),
    ] {
        let loaded = load_text(&instance(text));
        let [found] = &loaded.diagnostics[..] else { panic!("{text}: {:#?}", lines(&loaded)) };
        assert!(found.hint.as_deref().is_some_and(|h| h.starts_with(hint)), "{text}: {found:#?}");
    }
    let quoted = instance("authentication {\nauth_type PASS\nauth_pass \u{201c}abc\u{201d}\n}");
    let loaded = load_text(&quoted);
    assert!(lines(&loaded)[0].contains("(U+201C) is no quote"), "{:#?}", lines(&loaded));
    assert_eq!(loaded.diagnostics.len(), 1);
    let marked = load_text(&format!("\u{feff}{}", instance("")));
    assert!(marked.diagnostics[0].hint.as_deref().is_some_and(|h| h.starts_with("a byte order mark")));
    only(
        &instance("").replace('\n', "\r"),
        1,
        5,
        "1) This file is a single line: what ends its lines is no line feed but a carriage return",
    );
}

#[test]
fn nobody_reads_a_thousand_advices() {
    let text: String = (0..1_000).map(|n| format!("prioritx{n:03}\n")).collect();
    let loaded = load_text(&text.repeat(2));
    assert_eq!(loaded.diagnostics.len(), 2_000);
    let advised = loaded.diagnostics.iter().filter(|d| d.hint.is_some()).count();
    assert!(advised <= 2 * suggest::MOST as usize, "{advised}");
}

/// Entries behind the keyword instead of between braces: what follows is read as it is meant.
#[test]
fn a_value_where_a_block_belongs() {
    for (line, name) in [
        ("virtual_ipaddress 192.0.2.1", "virtual_ipaddress"),
        ("unicast_peer 192.0.2.2", "unicast_peer"),
        ("authentication PASS secret", "authentication"),
    ] {
        let text = format!(
            "vrrp_instance A {{\n interface eth0\n virtual_router_id 1\n {line}\n}}\n\
             vrrp_instance B {{\n interface eth0\n virtual_router_id 2\n virtual_ipaddress {{\n 192.0.2.3\n }}\n}}\n"
        );
        let found = load_text(&text);
        let errors: Vec<_> = found
            .diagnostics
            .iter()
            .filter(|d| d.severity == diagnostic::Severity::Error)
            .map(|d| d.text.as_str())
            .collect();
        assert_eq!(errors, [format!("'{name}' needs a block, not a value")], "{line}");
        assert_eq!(found.config.instances.len(), 2);
    }
}
