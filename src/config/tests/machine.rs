//! What is found wrong only because of the machine: interfaces, key files, directories, namespaces.

use super::*;
use crate::base::IfName;
use crate::config::diagnostic::Class;
use crate::host::loader::{FileAccess, LinkFacts, LinkKind, Loader as _, Program};

const ETHERNET: LinkFacts = LinkFacts { kind: LinkKind::Other, mtu: 1500, multicast: true, ethernet: true };

/// What is wrong with an instance on an interface that is this.
fn on(link: LinkFacts, text: &str) -> Vec<String> {
    let mut machine = machine(&instance(text));
    machine.links.insert("eth0".into(), link);
    assert_eq!(machine.link(&IfName::new("eth0").unwrap()), Some(link));
    lines(&load_from(&machine)).into_iter().filter(|l| !l.contains("not in effect")).collect()
}

#[test]
fn interfaces_can_do_what_is_asked() {
    assert_eq!(on(ETHERNET, "use_vmac"), [""; 0]);
    let tunnel = LinkFacts { ethernet: false, ..ETHERNET };
    assert_eq!(
        on(tunnel, "use_vmac"),
        ["(x: Line 12) (A) use_vmac needs an interface of Ethernet type, which eth0 is not"]
    );
    let deaf = LinkFacts { multicast: false, ..ETHERNET };
    let text = "(x: Line 9) (A) interface eth0 does not support multicast, specify unicast peers - disabling";
    assert_eq!(on(deaf, ""), [text]);
    assert_eq!(on(ETHERNET, "use_vmac eth0").len(), 1);
}

#[test]
fn an_advert_has_room_for_what_the_mtu_carries() {
    // 14 + 20 + 8 + 8 bytes of headers, and two addresses.
    let small = LinkFacts { mtu: 58, ..ETHERNET };
    let more = |n: u8| {
        let all: Vec<_> = (2..=n).map(|i| format!("192.0.2.{i}")).collect();
        format!("virtual_ipaddress {{\n{}\n}}", all.join("\n"))
    };
    assert_eq!(on(small, &more(2)), [""; 0]);
    let found = on(small, &more(3));
    assert!(found[0].contains("has room for 2 addresses: the last 1"), "{found:?}");
}

#[test]
fn a_key_file_is_for_nobody_else() {
    let text = "auth_hmac {\nkey 1 file:/etc/key\nactive_key 1\n}";
    let mut machine = machine(&instance(text)).file("/etc/key", "0123456789abcdef0123456789abcdef\n");
    let mut class = |mode| {
        machine.access.insert("/etc/key".into(), FileAccess { owner: 0, mode });
        load_from(&machine).diagnostics.iter().map(|d| d.class).max()
    };
    assert_eq!(class(0o600), None);
    assert_eq!(class(0o640), Some(Class::Security));
    assert_eq!(class(0o604), Some(Class::Security));
}

#[test]
fn tracked_files_are_where_changes_can_be_noticed() {
    let mut machine = machine(&format!("track_file F {{\nfile /tmp/f\n}}\n{}", instance("track_file { F }")));
    assert_eq!(load_from(&machine).test_status(), 0);
    machine.unwatchable.insert("/tmp".into(), "a proc file system");
    let loaded = load_from(&machine);
    assert_eq!((loaded.test_status(), loaded.config.track_files.len()), (5, 0));
}

#[test]
fn namespaces_exist() {
    let mut machine = machine(&format!("net_namespace blue\n{}", instance("")));
    machine.namespaces = Some(["blue".to_owned()].into());
    let loaded = load_from(&machine);
    assert_eq!((loaded.test_status(), loaded.config.top.net_namespace.as_deref()), (0, Some("blue")));
    machine.namespaces = Some([].into());
    assert_eq!(load_from(&machine).test_status(), 5);
}

#[test]
fn without_peers_there_must_be_an_interface() {
    let alone = |text: &str| {
        let text = format!(
            "vrrp_instance A {{\nvirtual_router_id 1\nunicast_src_ip 192.0.2.9\n{text}\nvirtual_ipaddress {{\n192.0.2.1 dev eth0\n}}\n}}\n"
        );
        let loaded = load_from(&machine(&text));
        let refused =
            loaded.diagnostics.iter().any(|d| d.effect == crate::config::diagnostic::Effect::Refuses(2));
        (refused, lines(&loaded).join("\n").contains("neither unicast_peer nor interface"))
    };
    assert_eq!(alone(""), (true, true));
    assert!(!alone("unicast_peer {\n192.0.2.8\n}").1);
    assert!(!alone("interface eth0").1);
}

#[test]
fn the_vrf_of_a_route_is_its_table() {
    let text = instance("virtual_routes {\n198.51.100.0/24 via 192.0.2.254 dev eth0 vrf red\n}");
    let mut machine = machine(&text);
    assert!(lines(&load_from(&machine)).join("\n").contains("VRF red not found"));
    machine.interfaces.as_mut().unwrap().insert("red".into());
    machine.links.insert("red".into(), LinkFacts { kind: LinkKind::Vrf { table: 77 }, ..ETHERNET });
    let loaded = load_from(&machine);
    assert_eq!(lines(&loaded), [""; 0]);
    assert_eq!(loaded.config.instances[0].options.routes[0].table, Some(77));
    machine.links.insert("red".into(), ETHERNET);
    assert!(lines(&load_from(&machine)).join("\n").contains("red is not a VRF"));
}

#[test]
fn a_key_may_be_a_credential() {
    let text = |key: &str| instance(&format!("version 3\nauth_hmac {{\nkey 1 {key}\nactive_key 1\n}}"));
    let machine =
        |key: &str| machine(&text(key)).file("/run/credentials/k/vrrp", "0123456789abcdef0123456789abcdef\n");
    let mut service = machine("credential:vrrp");
    service.variables.insert("CREDENTIALS_DIRECTORY".into(), "/run/credentials/k".into());
    let loaded = load_from(&service);
    assert_eq!(loaded.test_status(), 0, "{:?}", lines(&loaded));
    let hmac = loaded.config.instances[0].options.hmac.as_ref().unwrap();
    assert_eq!(hmac.keys[0].1.0, b"0123456789abcdef0123456789abcdef");
    // As systemd makes them: of a service with a user of its own, the group's permissions are those of an access list.
    for (directory, key, is_secret) in [
        (0o500, 0o400, true),
        (0o550, 0o440, true),
        (0o700, 0o644, true),
        (0o755, 0o440, true),
        (0o755, 0o444, false),
    ] {
        let modes = [("/run/credentials/k", directory), ("/run/credentials/k/vrrp", key)];
        service.access.extend(modes.map(|(path, mode)| (path.into(), FileAccess { owner: 0, mode })));
        let loaded = load_from(&service);
        assert_eq!(loaded.test_status(), if is_secret { 0 } else { 6 }, "{:?}", lines(&loaded));
    }
    // Of what is no file, that is what is said.
    service.access.insert("/run/credentials/k/other".into(), FileAccess { owner: 0, mode: 0o755 });
    let mut other = machine("credential:other");
    (other.variables, other.access) = (service.variables.clone(), service.access.clone());
    let [only] = &load_from(&other).diagnostics[..] else { panic!() };
    assert!(only.text.contains("cannot be read from /run/credentials/k/other"), "{}", only.text);
    let [only] = &load_from(&machine("credential:vrrp")).diagnostics[..] else { panic!() };
    assert!(only.text.contains("CREDENTIALS_DIRECTORY is not set"), "{}", only.text);
    let mut outside = machine("credential:../k/vrrp");
    outside.variables = service.variables.clone();
    assert_eq!(load_from(&outside).test_status(), 5);
}

/// Whoever is paged has to know which directory it is.
#[test]
fn an_unsafe_path_is_told_with_the_component_that_is_unsafe() {
    for (security, verdict) in [("enable_script_security", " - disabling."), ("", ".")] {
        let text = format!(
            "global_defs {{\n {security}\n script_user root\n}}\nvrrp_script S {{\n script /srv/a/check\n}}\n"
        );
        let mut machine = machine(&text);
        let path = std::path::PathBuf::from("/srv/a/check");
        let insecure = Some("/srv/a".into());
        machine.programs.insert("/srv/a/check".into(), Ok(Program { found: path.clone(), path, insecure }));
        let told = format!(
            "(x: Line 6) Unsafe permissions found for script '/srv/a/check'{verdict} \
             (it runs as root, but others than root can change '/srv/a')"
        );
        let found = lines(&load_from(&machine));
        assert!(found.contains(&told), "{found:?}");
    }
}
