//! `track_file`, `vrrp_track_process`, `bfd_instance`.

use super::{Arg, Table, boolean, decimal, flag, int, loose, table, value};

/// `vrrp_track_process/param_match`.
pub(crate) static VRRP_TRACK_PROCESS_PARAM_MATCH: Table =
    table("param_match", &[flag("initial"), flag("partial")]);

/// `vrrp_track_process/weight`.
pub(crate) static VRRP_TRACK_PROCESS_WEIGHT: Table = table("weight", &[flag("reverse")]);

/// `vrrp_track_process`.
pub(crate) static VRRP_TRACK_PROCESS: Table = table(
    "vrrp_track_process",
    &[
        value("process", Arg::Text).fatal(),
        value("param_match", Arg::Text).words(&VRRP_TRACK_PROCESS_PARAM_MATCH),
        value("weight", loose(-254, 254)).words(&VRRP_TRACK_PROCESS_WEIGHT).required(),
        value("quorum", loose(1, 65_535)).fatal(),
        value("quorum_max", loose(0, 65_535)).fatal(),
        value("delay", decimal(1, 3_600_000_000, 1)).fatal(),
        value("terminate_delay", decimal(1, 3_600_000_000, 1)).fatal(),
        value("fork_delay", decimal(1, 3_600_000_000, 1)).fatal(),
        flag("full_command"),
    ],
);

/// `track_file/init_file`.
pub(crate) static TRACK_FILE_INIT_FILE: Table = table("init_file", &[flag("overwrite")]);

/// `track_file`.
pub(crate) static TRACK_FILE: Table = table(
    "track_file",
    &[
        value("file", Arg::Text).required(),
        value("weight", loose(-254, 254)).words(&VRRP_TRACK_PROCESS_WEIGHT).required(),
        value("init_file", Arg::Text).words(&TRACK_FILE_INIT_FILE),
    ],
);

/// `bfd_instance`.
pub(crate) static BFD_INSTANCE: Table = table(
    "bfd_instance",
    &[
        value("neighbor_ip", Arg::Address).fatal(),
        value("neighbour_ip", Arg::Address).fatal(),
        value("source_ip", Arg::Address).fatal(),
        value("min_rx", decimal(1_000_000, 4_294_967_000_000, 1_000)).fatal(),
        value("min_tx", decimal(1_000_000, 4_294_967_000_000, 1_000)).fatal(),
        value("idle_tx", decimal(1_000_000_000, 4_294_967_000_000, 1_000)).fatal(),
        value("multiplier", int(1, 255)).fatal(),
        flag("passive"),
        value("ttl", int(1, 255)).fatal(),
        value("hoplimit", int(1, 255)).fatal(),
        value("max_hops", int(-1, 255)).fatal(),
        boolean("multihop"),
        value("weight", loose(-253, 253)).words(&VRRP_TRACK_PROCESS_WEIGHT).fatal(),
        flag("vrrp"),
        flag("checker"),
    ],
);
