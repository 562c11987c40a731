//! What a keyword needs around it to be looked at, and its block to be whole.

use keepalived_rs::config::vocabulary::{Keyword, Takes};

/// The configuration in which `keyword` stands with `arguments`.
pub(crate) fn around(all: &[Keyword], keyword: &Keyword, arguments: &str) -> String {
    let mut text = match keyword.takes {
        Takes::Block | Takes::List => block(keyword, arguments),
        _ => line(keyword, arguments),
    };
    let (mut path, mut name) = (keyword.path.as_str(), keyword.name);
    // Examples that begin with `==` are all of the block.
    if let Some(body) = arguments.strip_prefix("==") {
        text = format!("{}\n{}\n}}\n", opening(path), body.replace('|', "\n"));
        (path, name) = path.rsplit_once('/').unwrap_or(("", path));
    }
    loop {
        let outer = find(all, path);
        text = match outer.map(|k| k.takes) {
            // A word of a value: its line belongs to the block around that.
            Some(Takes::Block | Takes::List) => {
                let body = with(path, name, &text);
                format!("{}\n{body}}}\n", opening(path))
            }
            Some(_) => text,
            None => return with("", name, &text),
        };
        (path, name) = path.rsplit_once('/').unwrap_or(("", path));
    }
}

/// The keyword that a path ends in.
fn find<'a>(all: &'a [Keyword], path: &str) -> Option<&'a Keyword> {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    all.iter().find(|k| k.path == above && k.name == name)
}

/// A line with a keyword, or with a word where such lines have it.
fn line(keyword: &Keyword, arguments: &str) -> String {
    let word = match keyword.takes {
        Takes::Place => "",
        _ => keyword.name,
    };
    let (word, arguments) = match arguments {
        "-" => (word.to_owned(), ""),
        "~" => (format!("{word}x"), ""),
        arguments => (word.to_owned(), arguments),
    };
    let arguments = arguments.replace('|', "\n");
    let words = format!("{word} {arguments}");
    // Examples that begin with `=` are whole lines.
    let whole = arguments.strip_prefix('=').map(|l| l.replace("~", keyword.name));
    let text = whole.unwrap_or_else(|| frame(&keyword.path).replace("{}", words.trim()));
    format!("{text}\n")
}

/// A block whose inside is whole.
fn block(keyword: &Keyword, arguments: &str) -> String {
    let path = join(&keyword.path, keyword.name);
    let body = with(&path, NOTHING, "");
    let opening = opening(&path);
    let opening = opening.trim_end_matches(" {");
    match arguments {
        "{}" => format!("{opening} {{\n{body}}}\n"),
        "{" => format!("{opening} {{\n{body}"),
        _ => format!("{opening} surplus {{\n{body}}}\n"),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// No keyword has this name.
const NOTHING: &str = " ";

/// The inside of a block: what it needs, with `text` in place of `name`.
fn with(path: &str, name: &str, text: &str) -> String {
    let mut out = String::new();
    let mut placed = false;
    for (keyword, line) in needs(path) {
        // The entry of a list only stands for what is not tested.
        if *keyword == name || (keyword.is_empty() && !text.is_empty()) {
            if !placed {
                out.push_str(text);
            }
            placed = true;
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    if !placed {
        out.push_str(text);
    }
    // At top level, what refers to others comes last.
    if path.is_empty() {
        for (keyword, text) in AFTER {
            if *keyword != name {
                out.push_str(text);
                out.push('\n');
            }
        }
    }
    out
}

/// What stands behind the keyword under test outside any block.
const AFTER: &[(&str, &str)] = &[
    (
        "vrrp_instance",
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}",
    ),
    ("", "vrrp_instance B {\ninterface eth1\nvirtual_router_id 2\nvirtual_ipaddress { 192.0.2.2 }\n}"),
];

/// The lines without which a block is not whole, by keyword.
fn needs(path: &str) -> &'static [(&'static str, &'static str)] {
    match path {
        "" => &[
            ("global_defs", "global_defs {\nenable_script_security\nscript_user root\n}"),
            ("vrrp_script", "vrrp_script S {\nscript /bin/true\n}"),
            ("track_file", "track_file F {\nfile /tmp/f\n}"),
            ("vrrp_track_process", "vrrp_track_process P {\nprocess p\n}"),
            ("bfd_instance", "bfd_instance D {\nneighbor_ip 192.0.2.200\n}"),
            ("track_group", "track_group T {\ngroup { B }\n}"),
        ],
        "global_defs/notification_email" => &[("", "a@example.com")],
        "global_defs" => {
            &[("enable_script_security", "enable_script_security"), ("script_user", "script_user root")]
        }
        "track_group" => &[("group", "group { B }")],
        "vrrp_sync_group" => &[("group", "group {\nB\nA\n}")],
        "vrrp_sync_group/group" | "track_group/group" => &[("", "A B")],
        "garp_group" => &[("garp_interval", "garp_interval 1"), ("interface", "interface eth0")],
        "garp_group/interfaces" => &[("", "eth1")],
        "linkbeat_interfaces" => &[("IFNAME", "eth0")],
        "interface_up_down_delays" => &[("IFNAME", "eth0 1")],
        "static_ipaddress" => &[("", "198.51.100.1/24 dev eth0")],
        "static_routes" | "vrrp_instance/virtual_routes" => &[("", "198.51.100.0/24 dev eth0")],
        "static_rules" | "vrrp_instance/virtual_rules" => {
            &[("", "from 198.51.100.0/24 table 5 priority 100")]
        }
        "vrrp_instance" => &[
            ("interface", "interface eth0"),
            ("virtual_router_id", "virtual_router_id 1"),
            ("virtual_ipaddress", "virtual_ipaddress { 192.0.2.1 }"),
        ],
        "vrrp_instance/authentication" => {
            &[("auth_type", "auth_type PASS"), ("auth_pass", "auth_pass secret")]
        }
        "vrrp_instance/auth_hmac" => {
            &[("key", "key 1 0123456789abcdef0123456789abcdef"), ("active_key", "active_key 1")]
        }
        "vrrp_instance/virtual_ipaddress" => &[("", "192.0.2.1")],
        "vrrp_instance/virtual_ipaddress_excluded" => &[("", "192.0.2.9")],
        "vrrp_instance/unicast_peer" => &[("", "192.0.2.11")],
        "vrrp_instance/track_interface" | "vrrp_sync_group/track_interface" => &[("", "ens9")],
        "vrrp_instance/track_script" | "vrrp_sync_group/track_script" => &[("", "S")],
        "vrrp_instance/track_file" | "vrrp_sync_group/track_file" => &[("", "F")],
        "vrrp_instance/track_process" | "vrrp_sync_group/track_process" => &[("", "P")],
        "vrrp_instance/track_bfd" | "vrrp_sync_group/track_bfd" => &[("", "D")],
        "vrrp_script" => &[("script", "script /bin/true")],
        "vrrp_track_process" => &[("process", "process p")],
        "track_file" | "vrrp_track_file" => &[("file", "file /tmp/g")],
        "bfd_instance" => &[("neighbor_ip", "neighbor_ip 192.0.2.201")],
        "virtual_server_group" => &[("", "192.0.2.50 80")],
        "virtual_server" => &[
            ("protocol", "protocol TCP"),
            ("lb_algo", "lb_algo rr"),
            ("lb_kind", "lb_kind NAT"),
            ("real_server", "real_server 192.0.2.61 80 {\n}"),
        ],
        "virtual_server/real_server/MISC_CHECK" => &[("misc_path", "misc_path /bin/true")],
        "virtual_server/real_server/HTTP_GET" | "virtual_server/real_server/SSL_GET" => {
            &[("url", "url {\npath /\n}")]
        }
        "virtual_server/real_server/HTTP_GET/url" | "virtual_server/real_server/SSL_GET/url" => {
            &[("path", "path /")]
        }
        "virtual_server/real_server/FILE_CHECK" => &[("track_file", "track_file F")],
        "virtual_server/real_server/BFD_CHECK" => &[("name", "name D")],
        _ => &[],
    }
}

/// How a block begins.
fn opening(path: &str) -> String {
    let keyword = path.rsplit('/').next().unwrap_or(path);
    let name = match path {
        "track_group" => " G",
        "vrrp_sync_group" => " Y",
        "vrrp_instance" => " A",
        "vrrp_script" => " Z",
        "vrrp_track_process" => " Q",
        "track_file" | "vrrp_track_file" => " H",
        "bfd_instance" => " E",
        "virtual_server_group" => " W",
        "virtual_server" => " 192.0.2.60 80",
        "virtual_server/real_server" => " 192.0.2.61 80",
        _ => "",
    };
    format!("{keyword}{name} {{")
}

/// The line in which a word stands: `{}` is where.
fn frame(path: &str) -> String {
    let (above, keyword) = path.rsplit_once('/').unwrap_or(("", path));
    match (above, keyword) {
        (_, "static_ipaddress") => "198.51.100.1/24 dev eth0 {}".into(),
        (_, "virtual_ipaddress" | "virtual_ipaddress_excluded") => "192.0.2.9/24 {}".into(),
        (_, "static_routes" | "virtual_routes") => "198.51.100.0/24 dev eth0 {}".into(),
        ("static_routes" | "vrrp_instance/virtual_routes", "encap") => {
            "198.51.100.0/24 dev eth0 encap {}".into()
        }
        ("static_routes" | "vrrp_instance/virtual_routes", "nexthop") => {
            "198.51.100.0/24 nexthop dev eth0 {}".into()
        }
        (_, "static_rules" | "virtual_rules") => "from 198.51.100.0/24 table 5 priority 100 {}".into(),
        (_, "track_interface") => "ens9 {}".into(),
        (_, "track_script") => "S {}".into(),
        (_, "track_file") if above == "vrrp_instance" || above == "vrrp_sync_group" => "F {}".into(),
        (_, "track_process") => "P {}".into(),
        (_, "track_bfd") => "D {}".into(),
        (_, "linkbeat_interfaces") => "eth0 {}".into(),
        (_, "unicast_peer") => "192.0.2.11 {}".into(),
        ("virtual_server_group", "fwmark") => "fwmark 5 {}".into(),
        (_, "weight") => "weight 2 {}".into(),
        (_, "init_file") => "init_file 3 {}".into(),
        (_, "lb_kind" | "lvs_method" | "sorry_server_lvs_method") => format!("{keyword} TUN {{}}"),
        (_, "regex_options") => "regex_options {}".into(),
        (_, "use_vmac" | "use_ipvlan" | "param_match" | "old_unicast_checksum") => format!("{keyword} {{}}"),
        (_, "dynamic_interfaces" | "include_check" | "lvs_timeouts") => format!("{keyword} {{}}"),
        (_, "lvs_sync_daemon") => "lvs_sync_daemon eth0 inst A {}".into(),
        _ => "{}".into(),
    }
}
