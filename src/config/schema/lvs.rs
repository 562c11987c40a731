//! `virtual_server` and what belongs to it.

use super::{Arg, Head, Row, Table, block, boolean, decimal, flag, int, loose, position, table, value};
use crate::config::apply::lvs::{checker, real, server, timing};

/// Greatest time of a checker, in millionths of a second.
const LONGEST: u64 = u64::MAX - 1;

/// A keyword of when to check.
pub(super) const fn time(name: &'static str, min: u64) -> Row {
    value(name, decimal(min, LONGEST, 1)).fatal().does(timing)
}

/// `connect_timeout`.
pub(super) const fn connect_timeout() -> Row {
    value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal().does(timing)
}

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
        value("weight", loose(0, 2_147_483_647)).fatal().does(real::count),
        value("lvs_method", Arg::Text).words(&FORWARDING).fatal().does(real::method),
        value("uthreshold", loose(0, 4_294_967_295)).fatal().does(real::count),
        value("lthreshold", loose(0, 4_294_967_295)).fatal().does(real::count),
        boolean("inhibit_on_failure").does(real::boolean),
        value("notify_up", Arg::Command).fatal().does(real::notify),
        value("notify_down", Arg::Command).fatal().does(real::notify),
        boolean("alpha").does(real::boolean),
        value("retry", int(1, 4_294_967_295)).fatal().does(timing),
        time("delay_before_retry", 0),
        time("warmup", 0),
        time("delay_loop", 1),
        connect_timeout(),
        boolean("smtp_alert").does(real::boolean),
        value("virtualhost", Arg::Text).required().does(real::virtualhost),
        value("snmp_name", Arg::Text).required().does(real::snmp_name),
        block("MISC_CHECK", &super::checkers::MISC_CHECK).does(checker::block),
        block("SMTP_CHECK", &super::checkers::SMTP_CHECK).does(checker::block),
        block("TCP_CHECK", &super::checkers::CONNECTION).does(checker::block),
        block("PING_CHECK", &super::checkers::CONNECTION).does(checker::block),
        block("UDP_CHECK", &super::checkers::UDP_CHECK).does(checker::block),
        block("HTTP_GET", &super::checkers::HTTP_GET).does(checker::block),
        block("SSL_GET", &super::checkers::SSL_GET).does(checker::block),
        block("DNS_CHECK", &super::checkers::DNS_CHECK).does(checker::block),
        block("FILE_CHECK", &super::checkers::FILE_CHECK).does(checker::block),
        block("BFD_CHECK", &super::checkers::BFD_CHECK).does(checker::block),
    ],
);

/// `virtual_server`.
pub(crate) static VIRTUAL_SERVER: Table = table(
    "virtual_server",
    &[
        value("ip_family", Arg::Text).fatal().does(server::ip_family),
        value("retry", int(1, 4_294_967_295)).fatal().does(timing),
        time("delay_before_retry", 0),
        time("warmup", 0),
        time("delay_loop", 1),
        connect_timeout(),
        flag("inhibit_on_failure").does(server::flag),
        value("lb_algo", Arg::Text).fatal().does(server::scheduler),
        value("lvs_sched", Arg::Text).fatal().does(server::scheduler),
        flag("hashed").does(server::hash_flag),
        flag("ops").does(server::flag),
        flag("flag-1").does(server::flag),
        flag("flag-2").does(server::flag),
        flag("flag-3").does(server::flag),
        flag("sh-port").does(server::hash_flag),
        flag("sh-fallback").does(server::hash_flag),
        flag("mh-port").does(server::hash_flag),
        flag("mh-fallback").does(server::hash_flag),
        value("lb_kind", Arg::Text).words(&FORWARDING).fatal().does(server::method),
        value("lvs_method", Arg::Text).words(&FORWARDING).fatal().does(server::method),
        value("persistence_engine", Arg::Text).fatal().does(server::persistence_engine),
        value("persistence_timeout", int(1, 2_678_400)).does(server::persistence_timeout),
        value("persistence_granularity", Arg::Text).fatal().does(server::persistence_granularity),
        value("protocol", Arg::Text).fatal().does(server::protocol),
        flag("ha_suspend").does(server::flag),
        boolean("smtp_alert").does(server::smtp_alert),
        value("virtualhost", Arg::Text).required().does(server::virtualhost),
        value("snmp_name", Arg::Text).required().does(server::snmp_name),
        flag("alpha").does(server::flag),
        flag("omega").does(server::flag),
        value("quorum_up", Arg::Command).fatal().does(server::quorum_script),
        value("quorum_down", Arg::Command).fatal().does(server::quorum_script),
        value("quorum", loose(1, 4_294_967_295)).fatal().does(server::quorum),
        value("hysteresis", loose(0, 4_294_967_295)).fatal().does(server::hysteresis),
        value("weight", loose(1, 2_147_483_647)).fatal().does(server::weight),
        value("sorry_server", Arg::Text).fatal().does(server::sorry_server),
        flag("sorry_server_inhibit").does(server::sorry_server_inhibit),
        value("sorry_server_lvs_method", Arg::Text).words(&FORWARDING).does(server::sorry_server_method),
        block("real_server", &REAL_SERVER).head(Head::RealServer).does(real::block),
    ],
);
