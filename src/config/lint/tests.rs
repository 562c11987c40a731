use super::*;
use crate::sim::loader::MemoryLoader;

/// The findings about nodes with these configurations: severity and rule of each.
fn lint(texts: &[&str]) -> Lint {
    let loaders: Vec<_> = texts.iter().map(|text| MemoryLoader::with_main(*text)).collect();
    let node = |(number, loader)| Node {
        name: format!("node{number}"),
        loader: loader as &dyn Loader,
        options: Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false },
    };
    run(&loaders.iter().enumerate().map(node).collect::<Vec<_>>())
}

fn rules(lint: &Lint) -> Vec<String> {
    lint.findings.iter().map(|f| format!("{} {}", f.severity, f.rule)).collect()
}

/// A node with the priority `n`, and `more` in its instance.
fn node(n: u8, more: &str) -> String {
    format!(
        "vrrp_script S {{ script /bin/check }}\nvrrp_instance A {{\n interface eth0\n virtual_router_id 1\n priority {n}\n \
         virtual_ipaddress {{ 192.0.2.1/24 }}\n{more}\n}}\n"
    )
}

/// Two nodes that differ in this alone.
#[track_caller]
fn check(a: &str, b: &str, expected: &[&str]) {
    let found = lint(&[&node(150, a), &node(100, b)]);
    assert_eq!(rules(&found), expected, "{a} / {b}: {:#?}", found.findings);
    for finding in &found.findings {
        assert!(!finding.places.is_empty(), "{}", finding.text);
        for place in &finding.places {
            let span = place.span.as_ref().expect("a place in a file");
            let file = &found.nodes[place.node].sources.files[span.file.0 as usize];
            assert!(file.text.lines().nth(span.line as usize - 1).is_some());
        }
    }
}

#[test]
fn equal_nodes_are_fine() {
    check("", "", &[]);
    check("interface ens9", "interface eth0", &[]);
    check("advert_int 1.4", "", &["error file"]);
    check("state MASTER", "state BACKUP", &[]);
    check("version 2", "", &[]);
}

#[test]
fn what_splits() {
    check("version 3", "", &["error version"]);
    check("advert_int 2", "", &["error interval"]);
    check("version 3\nadvert_int 2", "version 3", &["warning interval"]);
    let pass = |p: &str| format!("authentication {{\nauth_type PASS\nauth_pass {p}\n}}");
    check(&pass("a"), "", &["error authentication"]);
    check(&pass("a"), &pass("b"), &["error authentication"]);
    check(&pass("a"), &pass("a"), &[]);
    check("virtual_ipaddress { 192.0.2.2 }", "", &["error addresses"]);
    check("version 3\nv3_checksum_as_v2", "version 3", &["error checksum"]);
    check("mcast_dst_ip 224.0.0.99", "", &["error destination"]);
    check("unicast_peer { 192.0.2.9 }", "", &["error destination"]);
    check("priority 255", "priority 255", &["error owner"]);
}

#[test]
fn no_password_is_told() {
    let pass = |p: &str| node(100, &format!("authentication {{\nauth_type PASS\nauth_pass {p}\n}}"));
    let found = lint(&[&pass("first1"), &pass("second2")]);
    let text = format!("{:?}", found.findings);
    assert!(!text.contains("first1") && !text.contains("second2"), "{text}");
}

#[test]
fn peers_send_to_each_other() {
    let unicast = |own: &str, peers: &str| format!("unicast_src_ip {own}\nunicast_peer {{\n{peers}\n}}");
    let a = unicast("192.0.2.11", "192.0.2.12");
    check(&a, &unicast("192.0.2.12", "192.0.2.11"), &[]);
    check(&a, &unicast("192.0.2.12", "192.0.2.13"), &["error peers"]);
    check(&a, &unicast("192.0.2.12", "192.0.2.11\n192.0.2.12"), &["warning peers"]);
    let b = node(100, &unicast("192.0.2.12", "192.0.2.11\n192.0.2.13"));
    let c = node(90, &unicast("192.0.2.13", "192.0.2.11\n192.0.2.12"));
    let found = lint(&[&node(150, &a), &b, &c]);
    assert_eq!(rules(&found), ["error peers", "error peers"], "{:#?}", found.findings);
}

#[test]
fn what_surprises() {
    check("priority 100", "", &["warning priority"]);
    check("state MASTER", "state MASTER", &["warning state"]);
    check("", "state MASTER", &["warning state"]);
    check("", "nopreempt", &["warning preemption"]);
    check("nopreempt", "nopreempt", &[]);
    check("use_vmac", "", &["warning vmac"]);
    check("virtual_ipaddress_excluded { 192.0.2.9 }", "", &["warning excluded"]);
    let short = node(100, "").replace("/24", "/32");
    assert_eq!(rules(&lint(&[&node(150, ""), &short])), ["warning prefix"]);
}

#[test]
fn weights_must_reach() {
    let track = |weight: &str| format!("track_script {{\nS weight {weight}\n}}");
    check(&track("-40"), "", &["warning weight"]);
    check(&track("-50"), &track("-50"), &["warning weight"]);
    check(&track("-51"), &track("-51"), &[]);
    check(&track("51"), &track("51"), &[]);
    check(&track("50"), &track("50"), &["warning weight"]);
    check(&track("60 reverse"), "", &[]);
}

#[test]
fn virtual_routers_are_told_apart() {
    let other = node(100, "").replace("virtual_router_id 1", "virtual_router_id 2");
    assert_eq!(rules(&lint(&[&node(150, ""), &other])), ["error vrid"]);
    let elsewhere = other.replace("192.0.2.1", "192.0.2.7");
    assert_eq!(rules(&lint(&[&node(150, ""), &elsewhere])), ["warning alone", "warning alone"]);
    // The same VRID on two interfaces, in another order.
    let block = |name: &str, dev: &str, ip: &str, priority: u8| {
        format!(
            "vrrp_instance {name} {{\n interface {dev}\n virtual_router_id 1\n priority {priority}\n virtual_ipaddress {{ {ip} }}\n}}\n"
        )
    };
    let a = block("A", "eth0", "192.0.2.1", 150) + &block("B", "eth1", "192.0.2.2", 150);
    let b = block("X", "eth1", "192.0.2.2", 100) + &block("Y", "eth0", "192.0.2.1", 100);
    assert_eq!(rules(&lint(&[&a, &b])), Vec::<String>::new());
}

#[test]
fn sync_groups_hold_the_same() {
    let two = |p: u8, groups: &str| {
        let second = node(p, "").replace("vrrp_script S { script /bin/check }\n", "");
        let second =
            second.replace("_instance A", "_instance B").replace("id 1", "id 2").replace("2.1/", "2.2/");
        format!("{}{second}{groups}", node(p, ""))
    };
    let both = "vrrp_sync_group G {\n group {\n A\n B\n }\n}\n";
    assert_eq!(rules(&lint(&[&two(150, both), &two(100, both)])), Vec::<String>::new());
    assert_eq!(rules(&lint(&[&two(150, both), &two(100, "")])), ["warning sync_group"]);
}

#[test]
fn mistakes_of_a_file_are_errors() {
    let found = lint(&[&node(150, "frobnicate"), &node(100, "")]);
    assert_eq!((rules(&found), found.status()), (vec!["error file".to_owned()], 5));
    assert_eq!(lint(&[&node(150, ""), &node(100, "priority 150")]).status(), 0);
}

#[test]
fn seeds_of_one_cluster_agree() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/seeds/");
    for pair in ["simple-pair", "script-weight", "lvs-dr-tcp"] {
        let read = |n: &str| std::fs::read_to_string(format!("{folder}{pair}.{n}.conf")).unwrap();
        let found = lint(&[&read("one"), &read("two")]);
        let splits = found.findings.iter().filter(|f| f.severity == Severity::Error && f.rule != "file");
        assert_eq!(splits.count(), 0, "{pair}: {:#?}", found.findings);
    }
}
