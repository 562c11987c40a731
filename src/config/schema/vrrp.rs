//! VRRP: instances, scripts, groups.

use super::{Arg, NO_WORDS, Table, block, boolean, decimal, flag, int, list, loose, position, table, value};
use crate::config::apply::{self, instance, options};

/// `track_group`.
pub(crate) static TRACK_GROUP: Table =
    table("track_group", &[list("group", &NO_WORDS).does(apply::group::track_members)]);

/// Words of a line of `track_interface`.
pub(crate) static TRACKED_INTERFACE: Table =
    table("track_interface", &[position("IFNAME"), value("weight", Arg::Text), flag("reverse")]);

/// Words of a line of `track_script`, `track_file`, `track_process`, `track_bfd` (where not in effect).
pub(crate) static TRACKED: Table = table(
    "track_script",
    &[position("NAME"), value("weight", Arg::Text), flag("reverse"), flag("noreverse")],
);

/// `vrrp_sync_group`.
pub(crate) static VRRP_SYNC_GROUP: Table = table(
    "vrrp_sync_group",
    &[
        list("group", &NO_WORDS).does(apply::group::sync_members),
        list("track_interface", &TRACKED_INTERFACE).does(apply::group::tracks),
        list("track_script", &TRACKED).does(apply::group::track_script),
        list("track_file", &TRACKED).does(apply::group::tracks),
        list("track_process", &TRACKED).does(apply::group::tracks),
        list("track_bfd", &TRACKED).stores(apply::group::tracks),
        value("notify_master", Arg::Command).fatal().does(apply::group::notify_master),
        value("notify_backup", Arg::Command).fatal().does(apply::group::notify_backup),
        value("notify_fault", Arg::Command).fatal().does(apply::group::notify_fault),
        value("notify_stop", Arg::Command).fatal().does(apply::group::notify_stop),
        value("notify", Arg::Command).fatal().does(apply::group::notify),
        boolean("smtp_alert").does(apply::group::smtp_alert),
        boolean("notify_priority_changes").does(apply::group::notify_priority_changes),
        flag("global_tracking").deprecated("please remove it").does(apply::group::global_tracking),
        flag("sync_group_tracking_weight").does(apply::group::tracking_weight),
    ],
);

/// `garp_group`.
pub(crate) static GARP_GROUP: Table = table(
    "garp_group",
    &[
        value("garp_interval", decimal(0, 4_294_967_295, 1)).fatal().does(apply::interfaces::garp_interval),
        value("gna_interval", decimal(0, 4_294_967_295, 1)).fatal().does(apply::interfaces::gna_interval),
        value("interface", Arg::Interface).fatal().does(apply::interfaces::interface),
        list("interfaces", &NO_WORDS).does(apply::interfaces::interfaces),
    ],
);

/// `linkbeat_interfaces`.
pub(crate) static LINKBEAT_INTERFACES: Table =
    table("linkbeat_interfaces", &[position("IFNAME"), flag("MII"), flag("ETHTOOL"), flag("IOCTL")]);

/// `interface_up_down_delays`.
pub(crate) static INTERFACE_UP_DOWN_DELAYS: Table = table("interface_up_down_delays", &[position("IFNAME")]);

/// `vrrp_instance/use_vmac`.
pub(crate) static USE_VMAC: Table = table(
    "use_vmac",
    &[
        value("name", Arg::Text),
        position("MAC"),
        flag("netlink_notify_msg").later(),
        value("group", Arg::Text),
    ],
);

/// `vrrp_instance/use_ipvlan`.
pub(crate) static USE_IPVLAN: Table = table(
    "use_ipvlan",
    &[
        value("name", Arg::Text),
        position("ADDRESS"),
        flag("bridge"),
        flag("private"),
        flag("vepa"),
        value("group", Arg::Text),
    ],
);

/// `vrrp_instance/unicast_peer`.
pub(crate) static UNICAST_PEER: Table =
    table("unicast_peer", &[position("ADDRESS"), value("min_ttl", Arg::Text), value("max_ttl", Arg::Text)]);

/// `vrrp_instance/old_unicast_checksum`.
pub(crate) static OLD_UNICAST_CHECKSUM: Table = table("old_unicast_checksum", &[flag("never")]);

/// Words of a line of `track_script`.
pub(crate) static TRACKED_SCRIPT: Table = table(
    "track_script",
    &[position("NAME"), value("weight", Arg::Text), flag("reverse"), flag("noreverse")],
);

/// `vrrp_instance/authentication`.
pub(crate) static AUTHENTICATION: Table = table(
    "authentication",
    &[
        value("auth_type", Arg::Text).fatal().does(apply::instance::auth_type),
        value("auth_pass", Arg::Text).fatal().does(apply::instance::auth_pass),
    ],
);

/// `vrrp_instance/auth_hmac`.
pub(crate) static AUTH_HMAC: Table = table(
    "auth_hmac",
    &[
        value("key", Arg::Text).required().does(apply::hmac::key),
        value("active_key", int(1, 255)).fatal().does(apply::hmac::active_key),
        value("time_window", int(1, 300)).fatal().does(apply::hmac::time_window),
        value("anti_replay", Arg::Text).fatal().does(apply::hmac::anti_replay),
        value("mode", Arg::Text).fatal().does(apply::hmac::mode),
    ],
);

/// `vrrp_instance`.
pub(crate) static VRRP_INSTANCE: Table = table(
    "vrrp_instance",
    &[
        value("state", Arg::Text).fatal().does(apply::instance::state),
        value("interface", Arg::Interface).fatal().does(apply::instance::interface),
        value("vrf", Arg::Interface).fatal().does(apply::options::vrf),
        value("use_vmac", Arg::Text).words(&USE_VMAC).does(apply::vmac::use_vmac),
        flag("use_vmac_addr").does(|b, _| options::flag(b, |p| &mut p.vmac_addresses)),
        flag("vmac_xmit_base").does(|b, _| options::flag(b, |p| &mut p.vmac_xmit_base)),
        value("use_ipvlan", Arg::Text).words(&USE_IPVLAN).required().does(apply::vmac::use_ipvlan),
        list("unicast_peer", &UNICAST_PEER).does(apply::unicast::peers),
        flag("unicast_fault_no_peer").does(|b, _| instance::set(b, |i| i.fault_without_peers = true)),
        value("unicast_src_ip", Arg::Address).fatal().does(apply::unicast::source),
        value("mcast_src_ip", Arg::Address).fatal().does(apply::unicast::source),
        value("mcast_dst_ip", Arg::Address).fatal().does(apply::unicast::mcast_dst_ip),
        flag("track_src_ip").does(|b, _| instance::set(b, |i| i.track_src_ip = true)),
        flag("check_unicast_src").does(|b, _| instance::set(b, |i| i.check_unicast_src = true)),
        value("unicast_ttl", int(0, 255)).fatal().does(apply::unicast::ttl),
        value("old_unicast_checksum", Arg::Text)
            .words(&OLD_UNICAST_CHECKSUM)
            .does(apply::unicast::old_checksum),
        flag("native_ipv6").does(apply::unicast::native_ipv6),
        flag("dont_track_primary").does(apply::instance::dont_track_primary),
        list("track_interface", &TRACKED_INTERFACE).does(apply::instance::tracks),
        list("track_script", &TRACKED_SCRIPT).does(apply::instance::track_script),
        list("track_file", &TRACKED).does(apply::instance::tracks),
        list("track_process", &TRACKED).does(apply::instance::tracks),
        list("track_bfd", &TRACKED).stores(apply::instance::tracks),
        value("virtual_router_id", int(1, 255)).fatal().does(apply::instance::virtual_router_id),
        value("version", loose(2, 3)).fatal().does(apply::instance::version),
        value("priority", int(1, 255)).fatal().does(apply::instance::priority),
        value("advert_int", decimal(10_000, 255_000_000, 1)).fatal().does(apply::instance::advert_int),
        flag("accept").does(apply::options::accept),
        flag("no_accept").does(apply::options::no_accept),
        boolean("skip_check_adv_addr").does(apply::options::skip_check_adv_addr),
        boolean("strict_mode").does(|b, s| options::boolean(b, s, |p| &mut p.strict)),
        flag("preempt").does(apply::instance::preempt),
        flag("nopreempt").does(apply::instance::nopreempt),
        value("preempt_delay", decimal(0, 1_000_000_000, 1)).fatal().does(apply::instance::preempt_delay),
        value("debug", loose(0, 4)).required().stores(|b, s| options::number(b, s, |p| &mut p.debug)),
        value("notify_master", Arg::Command).fatal().does(apply::instance::notify_master),
        value("notify_backup", Arg::Command).fatal().does(apply::instance::notify_backup),
        value("notify_fault", Arg::Command).fatal().does(apply::instance::notify_fault),
        value("notify_stop", Arg::Command).fatal().does(apply::instance::notify_stop),
        value("notify", Arg::Command).fatal().does(apply::instance::notify),
        value("notify_deleted", Arg::Command).does(apply::options::notify_deleted),
        value("notify_master_rx_lower_pri", Arg::Command)
            .fatal()
            .does(apply::instance::notify_master_rx_lower_pri),
        boolean("smtp_alert").does(|b, s| options::boolean(b, s, |p| &mut p.smtp_alert)),
        boolean("notify_priority_changes")
            .does(|b, s| options::boolean(b, s, |p| &mut p.notify_priority_changes)),
        value("lvs_sync_daemon_interface", Arg::Interface)
            .fatal()
            .deprecated("please use global lvs_sync_daemon")
            .stores(apply::options::lvs_sync_daemon),
        flag("linkbeat_use_polling")
            .deprecated("please use linkbeat_interfaces")
            .does(|b, _| options::flag(b, |p| &mut p.linkbeat_polling)),
        boolean("v3_checksum_as_v2").does(apply::unicast::v3_checksum_as_v2),
        value("garp_master_delay", loose(0, 4_294)).fatal().does(apply::instance::garp),
        value("garp_master_repeat", loose(0, 4_294_967_295)).fatal().does(apply::instance::garp),
        value("garp_master_refresh", loose(0, 4_294_967_295)).fatal().does(apply::instance::garp),
        value("garp_master_refresh_repeat", loose(0, 4_294_967_295)).fatal().does(apply::instance::garp),
        value("garp_lower_prio_delay", loose(0, 4_294)).fatal().does(apply::instance::garp),
        value("garp_lower_prio_repeat", loose(0, 2_147_483_647)).fatal().does(apply::instance::garp),
        value("down_timer_adverts", loose(1, 100)).fatal().does(apply::instance::down_timer_adverts),
        value("garp_extra_if", int(0, 86_400)).required().does(apply::options::garp_extra),
        value("vmac_garp_intvl", int(0, 86_400))
            .required()
            .deprecated("please use garp_extra_if")
            .does(apply::options::garp_extra),
        boolean("lower_prio_no_advert").does(apply::instance::lower_prio_no_advert),
        boolean("higher_prio_send_advert").does(apply::instance::higher_prio_send_advert),
        boolean("owner_ignore_adverts").does(|b, s| options::boolean(b, s, |p| &mut p.owner_ignore_adverts)),
        value("timer_expired_backup", int(1, 254)).does(apply::options::timer_expired),
        value("thread_timer_expired", int(1, 254))
            .deprecated("please use timer_expired_backup")
            .does(apply::options::timer_expired),
        value("kernel_rx_buf_size", int(0, 4_294_967_295))
            .required()
            .stores(apply::options::kernel_rx_buf_size),
        block("authentication", &AUTHENTICATION).does(apply::instance::authentication),
        block("auth_hmac", &AUTH_HMAC).does(apply::hmac::block),
        list("virtual_ipaddress", &super::addresses::VIRTUAL_IPADDRESS)
            .does(apply::instance::virtual_ipaddress),
        list("virtual_ipaddress_excluded", &super::addresses::VIRTUAL_IPADDRESS)
            .does(apply::instance::virtual_ipaddress_excluded),
        flag("no_virtual_ipaddress").does(|b, _| options::flag(b, |p| &mut p.no_addresses)),
        flag("promote_secondaries").does(|b, _| options::flag(b, |p| &mut p.promote_secondaries)),
        list("virtual_routes", &super::routes::VIRTUAL_ROUTES).does(apply::options::virtual_routes),
        list("virtual_rules", &super::routes::VIRTUAL_RULES).does(apply::options::virtual_rules),
    ],
);

/// `vrrp_script/weight`.
pub(crate) static VRRP_SCRIPT_WEIGHT: Table = table("weight", &[flag("reverse")]);

/// `vrrp_script`.
pub(crate) static VRRP_SCRIPT: Table = table(
    "vrrp_script",
    &[
        value("script", Arg::Command).required().does(apply::script::script),
        value("interval", decimal(1_000, 4_294_000_000, 1_000)).fatal().does(apply::script::interval),
        value("timeout", decimal(1_000, 4_294_000_000, 1_000)).fatal().does(apply::script::timeout),
        value("weight", loose(-253, 253)).words(&VRRP_SCRIPT_WEIGHT).fatal().does(apply::script::weight),
        value("rise", loose(1, 2_147_483_647)).fatal().does(apply::script::rise),
        value("fall", loose(1, 2_147_483_647)).fatal().does(apply::script::fall),
        value("user", Arg::Text).fatal().does(apply::script::user),
        flag("init_fail").does(apply::script::init_fail),
    ],
);
