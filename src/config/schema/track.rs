//! `track_file`, `vrrp_track_process`, `bfd_instance`.

use super::{Arg, Table, boolean, decimal, flag, int, loose, table, value};
use crate::config::apply;

/// `vrrp_track_process/param_match`.
pub(crate) static VRRP_TRACK_PROCESS_PARAM_MATCH: Table =
    table("param_match", &[flag("initial"), flag("partial")]);

/// `vrrp_track_process/weight`.
pub(crate) static VRRP_TRACK_PROCESS_WEIGHT: Table = table("weight", &[flag("reverse")]);

/// `vrrp_track_process`.
pub(crate) static VRRP_TRACK_PROCESS: Table = table(
    "vrrp_track_process",
    &[
        value("process", Arg::Text).fatal().does(apply::track_process::process),
        value("param_match", Arg::Text)
            .words(&VRRP_TRACK_PROCESS_PARAM_MATCH)
            .does(apply::track_process::param_match),
        value("weight", loose(-254, 254))
            .words(&VRRP_TRACK_PROCESS_WEIGHT)
            .required()
            .does(apply::track_process::weight),
        value("quorum", loose(1, 65_535)).fatal().does(apply::track_process::quorum),
        value("quorum_max", loose(0, 65_535)).fatal().does(apply::track_process::quorum_max),
        value("delay", decimal(1, 3_600_000_000, 1)).fatal().does(apply::track_process::delay),
        value("terminate_delay", decimal(1, 3_600_000_000, 1))
            .fatal()
            .does(apply::track_process::terminate_delay),
        value("fork_delay", decimal(1, 3_600_000_000, 1)).fatal().does(apply::track_process::fork_delay),
        flag("full_command").does(apply::track_process::full_command),
    ],
);

/// `track_file/init_file`.
pub(crate) static TRACK_FILE_INIT_FILE: Table = table("init_file", &[flag("overwrite")]);

/// `track_file`.
pub(crate) static TRACK_FILE: Table = table(
    "track_file",
    &[
        value("file", Arg::Text).required().does(apply::track_file::file),
        value("weight", loose(-254, 254))
            .words(&VRRP_TRACK_PROCESS_WEIGHT)
            .required()
            .does(apply::track_file::weight),
        value("init_file", Arg::Text).words(&TRACK_FILE_INIT_FILE).does(apply::track_file::init_file),
    ],
);

/// `bfd_instance`.
pub(crate) static BFD_INSTANCE: Table = table(
    "bfd_instance",
    &[
        value("neighbor_ip", Arg::Address).fatal().stores(apply::bfd::neighbor_ip),
        value("neighbour_ip", Arg::Address).fatal().stores(apply::bfd::neighbor_ip),
        value("source_ip", Arg::Address).fatal().stores(apply::bfd::source_ip),
        value("min_rx", decimal(1_000_000, 4_294_967_000_000, 1_000)).fatal().stores(apply::bfd::min_rx),
        value("min_tx", decimal(1_000_000, 4_294_967_000_000, 1_000)).fatal().stores(apply::bfd::min_tx),
        value("idle_tx", decimal(1_000_000_000, 4_294_967_000_000, 1_000))
            .fatal()
            .stores(apply::bfd::idle_tx),
        value("multiplier", int(1, 255)).fatal().stores(apply::bfd::multiplier),
        flag("passive").stores(apply::bfd::passive),
        value("ttl", int(1, 255)).fatal().stores(apply::bfd::ttl),
        value("hoplimit", int(1, 255)).fatal().stores(apply::bfd::ttl),
        value("max_hops", int(-1, 255)).fatal().stores(apply::bfd::max_hops),
        boolean("multihop").stores(apply::bfd::multihop),
        value("weight", loose(-253, 253))
            .words(&VRRP_TRACK_PROCESS_WEIGHT)
            .fatal()
            .stores(apply::bfd::weight),
        flag("vrrp").stores(apply::bfd::vrrp),
        flag("checker").stores(apply::bfd::checker),
    ],
);
