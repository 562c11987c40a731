//! Keywords outside any block.

use super::{Arg, Head, Table, block, flag, int, list, table, value};
use crate::config::apply;

/// Outside any block.
pub(crate) static TOP: Table = table(
    "",
    &[
        value("net_namespace", Arg::Text).required().does(apply::top::net_namespace),
        value("net_namespace_ipvs", Arg::Text).stores(apply::top::net_namespace_ipvs),
        flag("namespace_with_ipsets").stores(apply::top::namespace_with_ipsets),
        flag("use_pid_dir").does(apply::top::use_pid_dir),
        value("instance", Arg::Text).required().does(apply::top::instance),
        flag("linkbeat_use_polling").does(apply::top::linkbeat_use_polling),
        value("child_wait_time", int(0, 4_294_967_295)).fatal().stores(apply::top::child_wait_time),
        block("global_defs", &super::globals::GLOBAL_DEFS).does(apply::globals::block),
        block("track_group", &super::vrrp::TRACK_GROUP)
            .head(Head::UniqueName)
            .does(apply::group::track_group),
        list("static_ipaddress", &super::addresses::STATIC_IPADDRESS).does(apply::statics::addresses),
        list("static_routes", &super::routes::STATIC_ROUTES).does(apply::statics::routes),
        list("static_rules", &super::routes::STATIC_RULES).does(apply::statics::rules),
        block("vrrp_sync_group", &super::vrrp::VRRP_SYNC_GROUP)
            .head(Head::UniqueName)
            .does(apply::group::sync_group),
        block("garp_group", &super::vrrp::GARP_GROUP).does(apply::interfaces::garp_group),
        list("linkbeat_interfaces", &super::vrrp::LINKBEAT_INTERFACES).does(apply::interfaces::linkbeats),
        list("interface_up_down_delays", &super::vrrp::INTERFACE_UP_DOWN_DELAYS)
            .does(apply::interfaces::delays),
        block("vrrp_instance", &super::vrrp::VRRP_INSTANCE)
            .head(Head::UniqueName)
            .does(apply::instance::block),
        block("vrrp_script", &super::vrrp::VRRP_SCRIPT).head(Head::Name).does(apply::script::block),
        block("vrrp_track_process", &super::track::VRRP_TRACK_PROCESS)
            .head(Head::Name)
            .does(apply::track_process::block),
        block("track_file", &super::track::TRACK_FILE).head(Head::Name).does(apply::track_file::block),
        block("vrrp_track_file", &super::track::TRACK_FILE).head(Head::Name).does(apply::track_file::block),
        block("bfd_instance", &super::track::BFD_INSTANCE).head(Head::UniqueFirst).stores(apply::bfd::block),
        block("SSL", &super::checkers::SSL).stores(apply::lvs::ssl::block),
        list("virtual_server_group", &super::lvs::VIRTUAL_SERVER_GROUP)
            .head(Head::Name)
            .stores(apply::lvs::group::block),
        block("virtual_server", &super::lvs::VIRTUAL_SERVER)
            .head(Head::VirtualServer)
            .stores(apply::lvs::server::block),
    ],
);
