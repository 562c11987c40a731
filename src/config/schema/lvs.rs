//! `virtual_server` and what belongs to it.

use super::{Arg, Head, Table, block, boolean, decimal, flag, int, loose, position, table, value};

/// `virtual_server_group/fwmark`.
pub(crate) static VIRTUAL_SERVER_GROUP_FWMARK: Table = table("fwmark", &[flag("inet"), flag("inet6")]);

/// `virtual_server_group`.
pub(crate) static VIRTUAL_SERVER_GROUP: Table = table(
    "virtual_server_group",
    &[position("ADDRESS"), value("fwmark", Arg::Text).words(&VIRTUAL_SERVER_GROUP_FWMARK)],
);

/// Words of `lb_kind`, `lvs_method` and `sorry_server_lvs_method`.
pub(crate) static FORWARDING: Table = table(
    "lb_kind",
    &[
        flag("NAT"),
        flag("DR"),
        flag("TUN"),
        value("type", Arg::Text),
        flag("ipip"),
        flag("gue"),
        flag("gre"),
        value("port", Arg::Text),
        flag("nocsum"),
        flag("csum"),
        flag("remcsum"),
    ],
);

/// `virtual_server/real_server`.
pub(crate) static REAL_SERVER: Table = table(
    "real_server",
    &[
        value("weight", loose(0, 2_147_483_647)).fatal(),
        value("lvs_method", Arg::Text).words(&FORWARDING).fatal(),
        value("uthreshold", loose(0, 4_294_967_295)).fatal(),
        value("lthreshold", loose(0, 4_294_967_295)).fatal(),
        boolean("inhibit_on_failure"),
        value("notify_up", Arg::Command).fatal(),
        value("notify_down", Arg::Command).fatal(),
        boolean("alpha"),
        value("retry", int(1, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        boolean("smtp_alert"),
        value("virtualhost", Arg::Text).required(),
        value("snmp_name", Arg::Text).required(),
        block("MISC_CHECK", &super::checkers::MISC_CHECK),
        block("SMTP_CHECK", &super::checkers::SMTP_CHECK),
        block("TCP_CHECK", &super::checkers::CONNECTION),
        block("PING_CHECK", &super::checkers::CONNECTION),
        block("UDP_CHECK", &super::checkers::UDP_CHECK),
        block("HTTP_GET", &super::checkers::HTTP_GET),
        block("SSL_GET", &super::checkers::SSL_GET),
        block("DNS_CHECK", &super::checkers::DNS_CHECK),
        block("FILE_CHECK", &super::checkers::FILE_CHECK),
        block("BFD_CHECK", &super::checkers::BFD_CHECK),
    ],
);

/// `virtual_server`.
pub(crate) static VIRTUAL_SERVER: Table = table(
    "virtual_server",
    &[
        value("ip_family", Arg::Text).fatal(),
        value("retry", int(1, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        flag("inhibit_on_failure"),
        value("lb_algo", Arg::Text).fatal(),
        value("lvs_sched", Arg::Text).fatal(),
        flag("hashed"),
        flag("ops"),
        flag("flag-1"),
        flag("flag-2"),
        flag("flag-3"),
        flag("sh-port"),
        flag("sh-fallback"),
        flag("mh-port"),
        flag("mh-fallback"),
        value("lb_kind", Arg::Text).words(&FORWARDING).fatal(),
        value("lvs_method", Arg::Text).words(&FORWARDING).fatal(),
        value("persistence_engine", Arg::Text).fatal(),
        value("persistence_timeout", int(1, 2_678_400)),
        value("persistence_granularity", Arg::Text).fatal(),
        value("protocol", Arg::Text).fatal(),
        flag("ha_suspend"),
        boolean("smtp_alert"),
        value("virtualhost", Arg::Text).required(),
        value("snmp_name", Arg::Text).required(),
        flag("alpha"),
        flag("omega"),
        value("quorum_up", Arg::Command).fatal(),
        value("quorum_down", Arg::Command).fatal(),
        value("quorum", loose(1, 4_294_967_295)).fatal(),
        value("hysteresis", loose(0, 4_294_967_295)).fatal(),
        value("weight", loose(1, 2_147_483_647)).fatal(),
        value("sorry_server", Arg::Text).fatal(),
        flag("sorry_server_inhibit"),
        value("sorry_server_lvs_method", Arg::Text).words(&FORWARDING).fatal(),
        block("real_server", &REAL_SERVER).head(Head::RealServer),
    ],
);
