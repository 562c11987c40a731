//! Configurations of any length: a part, or several, that stand there any number of times.

/// A configuration that can be as long as one likes.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// Pieces of text; those at odd places are repeated. In them `@n` is the number of the repetition, `@a` an address
    /// of its own, `@i` and `@v` an interface and a virtual router id that together are its own.
    pieces: &'static [&'static str],
}

impl Shape {
    /// Its text with each repeated part `count` times.
    pub(crate) fn text(&self, count: usize) -> String {
        let mut text = HEAD.to_owned();
        for (place, piece) in self.pieces.iter().enumerate() {
            if place % 2 == 0 {
                text.push_str(piece);
                continue;
            }
            for n in 0..count {
                let address = format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
                let piece = piece.replace("@n", &n.to_string()).replace("@a", &address);
                let (interface, vrid) = ((n / 250).to_string(), (n % 250 + 1).to_string());
                text.push_str(&piece.replace("@i", &interface).replace("@v", &vrid));
            }
        }
        text
    }
}

const HEAD: &str = "global_defs {\n dynamic_interfaces\n enable_script_security\n script_user root\n}\n";

const fn shape(name: &'static str, pieces: &'static [&'static str]) -> Shape {
    Shape { name, pieces }
}

/// The beginning of an instance.
macro_rules! instance {
    ($more:literal) => {
        concat!(
            "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n",
            $more
        )
    };
}

/// Any number of instances.
macro_rules! instances {
    ($more:literal) => {
        concat!(
            "vrrp_instance V@n {\n interface eth@i\n virtual_router_id @v\n virtual_ipaddress { @a }\n",
            $more,
            "}\n"
        )
    };
}

/// The beginning of a virtual server.
macro_rules! server {
    ($more:literal) => {
        concat!("virtual_server 192.0.2.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n", $more)
    };
}

pub(crate) const SHAPES: &[Shape] = &[
    shape("instances", &["", instances!("")]),
    shape("notify", &["", instances!(" notify /bin/true\n")]),
    shape("vmac", &["", instances!(" use_vmac v@n\n")]),
    shape("one name", &["", instance!("}\n")]),
    shape("braces on a line", &["", "foo { a } ", "\n"]),
    shape("open braces on a line", &["", "vrrp_instance x {", "\n", "}", "\n"]),
    shape("one vrid", &["", "vrrp_instance V@n {\n interface eth0\n virtual_router_id 1\n}\n"]),
    shape("groups", &["", instances!(""), "", "vrrp_sync_group G@n {\n group {\n V@n\n W\n}\n}\n"]),
    shape("one group", &["", instances!(""), "vrrp_sync_group G {\n group {\n", "V@n\n", "}\n}\n"]),
    shape("group of nobody", &["vrrp_sync_group G {\n group {\n", "V@n\n", "}\n}\n"]),
    shape("addresses", &[instance!(" virtual_ipaddress {\n"), "@a dev eth0\n", "}\n}\n"]),
    shape("one address", &[instance!(" virtual_ipaddress {\n"), "192.0.2.2\n", "}\n}\n"]),
    shape("excluded", &[instance!(" virtual_ipaddress_excluded {\n"), "@a\n", "}\n}\n"]),
    shape("routes", &[instance!(" virtual_routes {\n"), "@a via 192.0.2.9 dev eth0\n", "}\n}\n"]),
    shape("rules", &[instance!(" virtual_rules {\n"), "from @a table 5\n", "}\n}\n"]),
    shape("peers", &[instance!(" unicast_src_ip 192.0.2.9\n unicast_peer {\n"), "@a\n", "}\n}\n"]),
    shape("track_interface", &[instance!(" track_interface {\n"), "e@n weight 5\n", "}\n}\n"]),
    shape(
        "track_script",
        &[
            "",
            "vrrp_script s@n {\n script /bin/true\n}\n",
            instance!(" priority 255\n track_script {\n"),
            "s@n weight 5\n",
            "}\n}\n",
        ],
    ),
    shape(
        "track_bfd",
        &[
            "",
            "bfd_instance b@n {\n neighbor_ip @a\n}\n",
            instance!(" track_bfd {\n"),
            "b@n weight 5\n",
            "}\n}\n",
        ],
    ),
    shape(
        "scripts of a group",
        &[
            "",
            "vrrp_script s@n {\n script /bin/true\n weight 5\n}\n",
            "",
            instances!(" track_script {\n s@n\n}\n"),
            "vrrp_sync_group G {\n group {\n",
            "V@n\n",
            "}\n}\n",
        ],
    ),
    shape("unknown trackers", &[instance!(" track_script {\n"), "s@n\n", "}\n}\n"]),
    shape("keyword", &[instance!(""), "priority 7\n", "}\n"]),
    shape("track_file", &["", "track_file f@n {\n file /tmp/f@n\n}\n"]),
    shape("track_process", &["", "vrrp_track_process p@n {\n process x@n\n}\n"]),
    shape("bfd", &["", "bfd_instance b@n {\n neighbor_ip @a\n}\n"]),
    shape("bfd sources", &["", "bfd_instance b@n {\n neighbor_ip 192.0.2.1\n source_ip @a\n}\n"]),
    shape("garp_group", &["", "garp_group {\n garp_interval 1\n interface eth@n\n}\n"]),
    shape("one garp_group", &["garp_group {\n garp_interval 1\n interfaces {\n", "eth@n\n", "}\n}\n"]),
    shape(
        "static addresses",
        &[
            "",
            "track_group G@n {\n group { V }\n}\n",
            "static_ipaddress {\n",
            "@a/32 dev eth0 track_group G@n\n",
            "}\n",
        ],
    ),
    shape("static routes", &["static_routes {\n", "@a/32 dev eth0\n", "}\n"]),
    shape("next hops", &["static_routes {\n 192.0.2.0/24 ", "nexthop via @a ", "\n}\n"]),
    shape("static rules", &["static_rules {\n", "from @a/32 table 7\n", "}\n"]),
    shape(
        "virtual servers",
        &["", "virtual_server @a 80 {\n lb_algo rr\n lb_kind NAT\n real_server @a 80 {\n}\n}\n"],
    ),
    shape("one virtual server", &["", server!(" real_server 192.0.2.2 80 {\n}\n}\n")]),
    shape(
        "server groups",
        &["", "virtual_server_group g@n {\n @a 80\n}\nvirtual_server group g@n {\n lb_algo rr\n}\n"],
    ),
    shape("server group", &["virtual_server_group g {\n", "@a 80\n", "}\nvirtual_server group g {\n}\n"]),
    shape("real servers", &[server!(""), "real_server @a 80 {\n TCP_CHECK {\n}\n}\n", "}\n"]),
    shape("one real server", &[server!(""), "real_server 192.0.2.2 80 {\n}\n", "}\n"]),
    shape("checkers", &[server!(" real_server 192.0.2.2 80 {\n"), "TCP_CHECK {\n}\n", "}\n}\n"]),
    shape(
        "BFD_CHECK",
        &[
            "",
            "bfd_instance b@n {\n neighbor_ip @a\n}\n",
            server!(" real_server 192.0.2.2 80 {\n"),
            "BFD_CHECK {\n name b@n\n}\n",
            "}\n}\n",
        ],
    ),
    shape(
        "pages",
        &[
            server!(" real_server 192.0.2.2 80 {\n HTTP_GET {\n"),
            "url {\n path /@n\n status_code 200\n}\n",
            "}\n}\n}\n",
        ],
    ),
    shape("unknown keywords", &["", "frobnicate@n 5\n"]),
    shape("misspelt keywords", &["", "vrrp_instanc\n"]),
    shape("no addresses", &[instance!(" virtual_ipaddress {\n"), "junk@n\n", "}\n}\n"]),
    shape("definitions", &["", "$A@n=@n\n", "", "x $A@n\n"]),
    shape("one definition", &["$A=\\\n", "a b\\\n", "\n$A\n"]),
    shape("includes", &["", "include /nowhere@n\n"]),
    shape("included lines", &["$A=\\\n", "include /nowhere@n\\\n", "\n$A\n"]),
    shape("lists of files", &["include /nowhere", "{a}", "\n"]),
    shape("conditions", &["", "@node1 ", "\n"]),
    shape("words", &["global_defs {\n router_id ", "a ", "\n}\n"]),
    shape("escapes", &["global_defs {\n router_id ", "\\#", "\n}\n"]),
    shape("open braces", &["", "{"]),
    shape("closing braces", &["", "}"]),
    shape("blocks on a line", &["", "static_ipaddress{}"]),
    shape("blanks before braces", &["", " ", "", "{"]),
    shape("open references", &["x ", "${", "\n"]),
    shape("half references", &["x ", "${a ", "}\n"]),
    shape("references in braces", &["", "{$a", "\n"]),
    shape("quotes", &["", "a \"b\n"]),
    shape("NUL", &["", "a\0b\n"]),
    shape("nothing", &["", "\r\n"]),
];
