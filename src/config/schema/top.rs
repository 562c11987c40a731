//! Keywords outside any block.

use super::{Arg, Head, Table, block, flag, int, list, table, value};
use crate::config::apply;

/// Outside any block.
pub(crate) static TOP: Table = table(
    "",
    &[
        value("net_namespace", Arg::Text).required().vital(),
        value("net_namespace_ipvs", Arg::Text),
        flag("namespace_with_ipsets"),
        flag("use_pid_dir"),
        value("instance", Arg::Text).required(),
        flag("linkbeat_use_polling"),
        value("child_wait_time", int(0, 4_294_967_295)).fatal(),
        block("global_defs", &super::globals::GLOBAL_DEFS).does(apply::globals::block),
        block("track_group", &super::vrrp::TRACK_GROUP).head(Head::UniqueName),
        list("static_ipaddress", &super::addresses::STATIC_IPADDRESS),
        list("static_routes", &super::routes::STATIC_ROUTES),
        list("static_rules", &super::routes::STATIC_RULES),
        block("vrrp_sync_group", &super::vrrp::VRRP_SYNC_GROUP).head(Head::UniqueName),
        block("garp_group", &super::vrrp::GARP_GROUP),
        list("linkbeat_interfaces", &super::vrrp::LINKBEAT_INTERFACES),
        list("interface_up_down_delays", &super::vrrp::INTERFACE_UP_DOWN_DELAYS),
        block("vrrp_instance", &super::vrrp::VRRP_INSTANCE)
            .head(Head::UniqueName)
            .does(apply::instance::block),
        block("vrrp_script", &super::vrrp::VRRP_SCRIPT).head(Head::Name).does(apply::script::block),
        block("vrrp_track_process", &super::track::VRRP_TRACK_PROCESS).head(Head::Name),
        block("track_file", &super::track::TRACK_FILE).head(Head::Name),
        block("vrrp_track_file", &super::track::TRACK_FILE).head(Head::Name),
        block("bfd_instance", &super::track::BFD_INSTANCE).head(Head::UniqueName),
        block("SSL", &super::checkers::SSL).does(apply::lvs::ssl::block),
        list("virtual_server_group", &super::lvs::VIRTUAL_SERVER_GROUP)
            .head(Head::Name)
            .does(apply::lvs::group::block),
        block("virtual_server", &super::lvs::VIRTUAL_SERVER)
            .head(Head::VirtualServer)
            .does(apply::lvs::server::block),
    ],
);
