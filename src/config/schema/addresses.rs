//! The words of an address line.

use super::{Arg, Row, Table, flag, join, position, table, value};

/// Those of every address.
const COMMON: [Row; 14] = [
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
];

const STATIC: [Row; 15] = join(COMMON, [value("track_group", Arg::Text)]);
const VIRTUAL: [Row; 15] = join(COMMON, [flag("use_vmac")]);

/// `static_ipaddress`.
pub(crate) static STATIC_IPADDRESS: Table = table("static_ipaddress", &STATIC);

/// `vrrp_instance/virtual_ipaddress`.
pub(crate) static VIRTUAL_IPADDRESS: Table = table("virtual_ipaddress", &VIRTUAL);
