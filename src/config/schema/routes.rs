//! The words of route and rule lines.

use super::{Arg, Row, Table, flag, join, position, table, value};

/// `static_routes/encap`.
pub(crate) static STATIC_ROUTES_ENCAP: Table = table(
    "encap",
    &[value("ip", Arg::Text), value("ip6", Arg::Text), value("mpls", Arg::Text), value("ila", Arg::Text)],
);

/// `static_routes/nexthop`.
pub(crate) static STATIC_ROUTES_NEXTHOP: Table = table(
    "nexthop",
    &[
        value("via", Arg::Text),
        value("dev", Arg::Text),
        value("weight", Arg::Text),
        flag("onlink"),
        value("encap", Arg::Text),
        value("realms", Arg::Text),
    ],
);

/// `static_routes`.
pub(crate) static STATIC_ROUTES: Table = table("static_routes", &STATIC_ROUTES_ROWS);

const STATIC_ROUTES_ROWS: [Row; 50] = join(ROUTE, [value("track_group", Arg::Text)]);

/// The words of both kinds of lines.
const ROUTE: [Row; 49] = [
    position("DESTINATION"),
    position("TYPE"),
    flag("inet"),
    flag("inet6"),
    value("src", Arg::Text),
    value("via", Arg::Text),
    value("gw", Arg::Text),
    value("or", Arg::Text),
    value("from", Arg::Text),
    value("tos", Arg::Text),
    value("dsfield", Arg::Text),
    value("table", Arg::Text),
    value("protocol", Arg::Text),
    value("scope", Arg::Text),
    value("metric", Arg::Text),
    value("priority", Arg::Text),
    value("preference", Arg::Text),
    value("dev", Arg::Text),
    value("oif", Arg::Text),
    flag("onlink"),
    value("encap", Arg::Text).words(&STATIC_ROUTES_ENCAP),
    value("expires", Arg::Text),
    value("mtu", Arg::Text),
    value("advmss", Arg::Text),
    value("reordering", Arg::Text),
    value("cwnd", Arg::Text),
    value("ssthresh", Arg::Text),
    value("window", Arg::Text),
    value("initcwnd", Arg::Text),
    value("initrwnd", Arg::Text),
    value("hoplimit", Arg::Text),
    value("rtt", Arg::Text),
    value("rttvar", Arg::Text),
    value("rto_min", Arg::Text),
    value("realms", Arg::Text),
    value("features", Arg::Text),
    value("quickack", Arg::Text),
    value("congctl", Arg::Text),
    value("pref", Arg::Text),
    value("ttl-propagate", Arg::Text),
    value("fastopen_no_cookie", Arg::Text),
    flag("add"),
    flag("prepend"),
    flag("append"),
    value("as", Arg::Text),
    flag("no_track"),
    value("vrf", Arg::Text),
    value("nexthop", Arg::Text).words(&STATIC_ROUTES_NEXTHOP),
    position("(missing value)"),
];

/// `static_rules`.
pub(crate) static STATIC_RULES: Table = table("static_rules", &STATIC_RULES_ROWS);

const STATIC_RULES_ROWS: [Row; 35] = join(RULE, [value("track_group", Arg::Text)]);

/// The words of both kinds of lines.
const RULE: [Row; 34] = [
    flag("inet"),
    flag("inet6"),
    value("from", Arg::Text),
    value("to", Arg::Text),
    value("table", Arg::Text),
    value("lookup", Arg::Text),
    flag("not"),
    value("preference", Arg::Text),
    value("order", Arg::Text),
    value("priority", Arg::Text),
    value("tos", Arg::Text),
    value("dsfield", Arg::Text),
    value("fwmark", Arg::Text),
    value("realms", Arg::Text),
    value("suppress_prefixlength", Arg::Text),
    value("sup_pl", Arg::Text),
    value("suppress_ifgroup", Arg::Text),
    value("sup_group", Arg::Text),
    value("iif", Arg::Text),
    value("dev", Arg::Text),
    value("oif", Arg::Text),
    value("tunnel-id", Arg::Text),
    value("uidrange", Arg::Text),
    flag("l3mdev"),
    value("protocol", Arg::Text),
    value("ipproto", Arg::Text),
    value("sport", Arg::Text),
    value("dport", Arg::Text),
    value("goto", Arg::Text),
    flag("nop"),
    position("ACTION"),
    value("type", Arg::Text),
    flag("no_track"),
    position("(missing value)"),
];

/// `vrrp_instance/virtual_routes`.
pub(crate) static VIRTUAL_ROUTES: Table = table("virtual_routes", &ROUTE);

/// `vrrp_instance/virtual_rules`.
pub(crate) static VIRTUAL_RULES: Table = table("virtual_rules", &RULE);
