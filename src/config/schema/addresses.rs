//! The words of an address line.

use super::{Arg, Table, flag, position, table, value};

/// `static_ipaddress`.
pub(crate) static STATIC_IPADDRESS: Table = table(
    "static_ipaddress",
    &[
        position("ADDRESS"),
        value("dev", Arg::Text),
        value("brd", Arg::Text),
        value("broadcast", Arg::Text),
        value("scope", Arg::Text),
        value("label", Arg::Text),
        value("peer", Arg::Text),
        flag("home"),
        flag("-nodad"),
        flag("mngtmpaddr"),
        flag("noprefixroute"),
        flag("autojoin"),
        flag("no_track"),
        value("preferred_lft", Arg::Text),
        value("track_group", Arg::Text),
    ],
);

/// `vrrp_instance/virtual_ipaddress`.
pub(crate) static VIRTUAL_IPADDRESS: Table = table(
    "virtual_ipaddress",
    &[
        position("ADDRESS"),
        value("dev", Arg::Text),
        value("brd", Arg::Text),
        value("broadcast", Arg::Text),
        value("scope", Arg::Text),
        value("label", Arg::Text),
        value("peer", Arg::Text),
        flag("home"),
        flag("-nodad"),
        flag("mngtmpaddr"),
        flag("noprefixroute"),
        flag("autojoin"),
        flag("no_track"),
        value("preferred_lft", Arg::Text),
        flag("use_vmac"),
    ],
);
