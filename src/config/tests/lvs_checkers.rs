//! Checkers: what is understood.

use std::time::Duration;

use super::*;
use crate::base::IfName;
use crate::config::model::checkers::*;
use crate::config::model::lvs::{Ssl, Timing};
use crate::config::model::{Run, Script};

/// The checkers of a real server, and what is said.
fn checkers(text: &str) -> (Vec<Checker>, Vec<String>) {
    let text = format!(
        "track_file T {{\n file /tmp/t\n}}\nbfd_instance B {{\n neighbor_ip 192.0.2.7\n}}\n\
         virtual_server 192.0.2.1 80 {{\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 192.0.2.2 80 {{\n{text}\n}}\n}}\n"
    );
    let loaded = load_text(&text);
    let told = lines(&loaded).into_iter().filter(|l| !l.contains("not in effect")).collect();
    let [server] = &loaded.config.lvs.servers[..] else { panic!("{told:?}") };
    (server.real_servers[0].checkers.clone(), told)
}

fn one(text: &str) -> Checker {
    let (checkers, told) = checkers(text);
    assert_eq!((checkers.len(), &told[..]), (1, &[][..]), "{text}");
    checkers.into_iter().next().unwrap()
}

#[test]
fn what_checkers_have_in_common() {
    let common = "connect_ip 192.0.2.5\nconnect_port 8080\nbindto 192.0.2.6\nbind_port 99\nbind_if eth7\n\
                  connect_timeout 2.5\nfwmark 4\nretry 0\ndelay_before_retry 1\nwarmup 2\ndelay_loop 3\nalpha\n\
                  log_all_failures off";
    for (name, own) in [
        ("TCP_CHECK", ""),
        ("PING_CHECK", ""),
        ("UDP_CHECK", ""),
        ("SMTP_CHECK", ""),
        ("DNS_CHECK", ""),
        ("HTTP_GET", "url { path / }"),
        ("SSL_GET", "url { path / }"),
    ] {
        let checker = one(&format!("{name} {{\n{common}\n{own}\n}}"));
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(
            checker.timing,
            Timing {
                retry: Some(0),
                delay_before_retry: seconds(1),
                warmup: seconds(2),
                delay_loop: seconds(3),
                connect_timeout: Some(Duration::from_millis(2_500)),
            },
            "{name}"
        );
        assert_eq!((checker.alpha, checker.log_all_failures), (Some(true), Some(false)), "{name}");
        let expected = Connection {
            ip: Some("192.0.2.5".parse().unwrap()),
            port: Some(8080),
            bind_ip: Some("192.0.2.6".parse().unwrap()),
            bind_port: Some(99),
            bind_if: IfName::new("eth7"),
            mark: Some(4),
        };
        assert_eq!(checker.connection, Some(Box::new(expected)), "{name}");
    }
}

#[test]
fn http() {
    let text = "SSL_GET {\nvirtualhost a\nhttp_protocol 1.0c\nsni_name b\nfast_recovery\ntls_compliant off\nurl {\n\
        path /x\ndigest 640205b7b0fc66c1ea91c463fac6334d\nstatus_code 200 301-399\nstatus_code 404\nvirtualhost c\n\
        regex 'a b\\.c'\nregex_no_match\nregex_options caseless dotall\nregex_min_offset 3\nregex_max_offset 9\n\
        regex_stack 1 2\ntls_compliant\n}\nurl { path / }\n}";
    let Check::Http(http) = one(text).check else { panic!() };
    let url = Url {
        path: "/x".into(),
        digest: Some(0x6402_05b7_b0fc_66c1_ea91_c463_fac6_334d_u128.to_be_bytes()),
        status: vec![200..=200, 301..=399, 404..=404],
        virtualhost: Some("c".into()),
        regex: Some("a b\\.c".into()),
        no_match: true,
        regex_options: vec!["caseless", "dotall"],
        min_offset: Some(3),
        max_offset: Some(9),
        regex_stack: Some((1, 2)),
        tls_compliant: Some(true),
    };
    let expected = HttpCheck {
        tls: true,
        virtualhost: Some("a".into()),
        protocol: Some(HttpProtocol::V10Close),
        enable_sni: Some(true),
        sni_name: Some("b".into()),
        fast_recovery: Some(true),
        tls_compliant: Some(false),
        urls: vec![url, Url { path: "/".into(), ..Url::default() }],
    };
    assert_eq!(*http, expected);
    let Check::Http(http) = one("HTTP_GET {\nurl { path / }\n}").check else { panic!() };
    assert!(!http.tls);
}

#[test]
fn udp_patterns() {
    let check = |text: &str| match one(&format!("UDP_CHECK {{\n{text}\n}}")).check {
        Check::Udp(udp) => *udp,
        other => panic!("{other:?}"),
    };
    assert_eq!(check("payload 0a 0B c").payload, Some(vec![0x0a, 0x0b, 0x0c]));
    assert_eq!(check("payload \"0a 0b\"").payload, Some(vec![0x0a, 0x0b]));
    assert_eq!(check("payload 0a0").payload, Some(vec![0x0a, 0x00]));
    let reply = check("require_reply 1x Xf XX");
    assert_eq!(reply.reply, [(0x10, 0xf0), (0x0f, 0x0f), (0, 0)]);
    let any = check("require_reply");
    assert!(any.require_reply && any.reply.is_empty());
    let lengths = check("min_reply_length 1\nmax_reply_length 65535");
    assert_eq!((lengths.min_reply, lengths.max_reply), (Some(1), Some(65_535)));
    let (kept, told) = checkers("UDP_CHECK {\nmin_reply_length 256\n}");
    assert_eq!((kept.len(), told.len()), (1, 1), "{told:?}");
}

#[test]
fn a_mail_server_and_a_name_server() {
    let checker = one("SMTP_CHECK {\nhelo_name me\nhost {\nconnect_ip 192.0.2.8\nconnect_port 26\n}\n}");
    assert_eq!(checker.check, Check::Smtp { helo_name: Some("me".into()) });
    let connection = checker.connection.as_ref().unwrap();
    assert_eq!(connection.ip, Some("192.0.2.8".parse().unwrap()));
    assert_eq!(connection.port, Some(26));
    let checker = one("DNS_CHECK {\ntype mx\nname example.\n}");
    assert_eq!(checker.check, Check::Dns { record: Some(DnsType::Mx), name: Some("example.".into()) });
}

#[test]
fn a_program() {
    let text = "MISC_CHECK {\nmisc_path \"/bin/check a\"\nmisc_timeout 5\nmisc_dynamic\nuser nobody\n}";
    let (found, _) = checkers(text);
    let [Checker { check: Check::Misc(misc), .. }] = &found[..] else { panic!("{found:?}") };
    let Script::Run(run) = &misc.script else { panic!("{misc:?}") };
    let Run { program, argv, user } = &**run;
    assert_eq!((&program[..], &argv[..]), ("/bin/check", &["/bin/check".to_owned(), "a".to_owned()][..]));
    assert_eq!((user.uid, misc.timeout, misc.dynamic), (65_534, Some(Duration::from_secs(5)), true));
    // One that is not there is left out, and the others stay.
    let gone = "MISC_CHECK {\nmisc_path /no/such\n}";
    let (found, told) = checkers(&format!("TCP_CHECK {{ }}\n{gone}\n{text}\n{gone}\nPING_CHECK {{ }}"));
    let [tcp, misc, ping] = &found[..] else { panic!("{told:?}") };
    assert_eq!((&tcp.check, &ping.check), (&Check::Tcp, &Check::Ping));
    assert!(matches!(&misc.check, Check::Misc(m) if matches!(m.script, Script::Run(_))));
}

#[test]
fn files_and_sessions() {
    let checker = one("FILE_CHECK {\ntrack_file T\nweight -300 reverse\n}");
    let expected = Check::File { file: "T".into(), weight: Some(-300), reverse: Some(true) };
    assert_eq!(checker.check, expected);
    assert_eq!(one("BFD_CHECK {\nname B\n}").check, Check::Bfd { name: "B".into() });
    let twice = "BFD_CHECK {\nname B\n}\n";
    let (found, told) = checkers(&twice.repeat(2));
    assert_eq!((found.len(), told.len()), (1, 1), "{told:?}");
}

#[test]
fn one_diagnostic_for_a_checker_that_is_dropped() {
    for text in [
        "HTTP_GET { }",
        "HTTP_GET {\nurl { }\n}",
        "MISC_CHECK { }",
        "MISC_CHECK {\nmisc_path\n}",
        "MISC_CHECK {\nmisc_path /bin/check\nuser nosuch\n}",
        "FILE_CHECK { }",
        "FILE_CHECK {\ntrack_file U\n}",
        "BFD_CHECK { }",
        "BFD_CHECK {\nname\n}",
        "BFD_CHECK {\nname C\n}",
        "BFD_CHECK {\nname B C\n}",
        "TCP_CHECK {\nconnect_ip fe80::1\n}",
    ] {
        let (found, told) = checkers(text);
        assert_eq!((found.len(), told.len()), (0, 1), "{text}: {told:?}");
    }
}

#[test]
fn keys() {
    let loaded = load_text("SSL {\npassword a\nca b\n}\nSSL {\ncertificate c\nkey d\nkey e\n}");
    let expected = Ssl { certificate: Some("c".into()), key: Some("e".into()), ..Ssl::default() };
    assert_eq!(loaded.config.lvs.ssl, Some(expected));
    assert_eq!(loaded.test_status(), 5);
}
