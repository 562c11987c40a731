//! What is tracked besides scripts: interfaces, files, processes, BFD sessions.

use std::time::Duration;

use crate::base::IfName;

/// What an instance or a sync group tracks, besides scripts. BFD sessions are not in effect yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// `track_interface`, in order.
    pub interfaces: Vec<TrackInterface>,
    /// `track_file`: names in [`Config::track_files`](super::Config::track_files).
    pub files: Vec<Track>,
    /// `track_process`: names in [`Config::track_processes`](super::Config::track_processes).
    pub processes: Vec<Track>,
    /// `track_bfd`: names in [`Config::bfd`](super::Config::bfd).
    pub bfds: Vec<Track>,
}

/// A line of `track_interface`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackInterface {
    /// The interface.
    pub interface: IfName,
    /// `weight`, -253 to 253; 0: a fault while the interface is down.
    pub weight: i16,
    /// `reverse`.
    pub reverse: bool,
}

/// A line of `track_file`, `track_process` or `track_bfd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// What is tracked.
    pub name: String,
    /// `weight`, -254 to 254 (BFD: -253 to 253), if it differs from the tracked block's own.
    pub weight: Option<i16>,
    /// `reverse` or `noreverse`, if written.
    pub reverse: Option<bool>,
}

/// `track_file`, whose other name is `vrrp_track_file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackFile {
    /// Its name.
    pub name: String,
    /// `file`.
    pub path: String,
    /// `weight`, a multiplier from -254 to 254; 1 unless written.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `init_file`.
    pub init: Option<InitFile>,
}

/// `init_file`: the file is made, or filled, at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InitFile {
    /// What is written into it; values outside -254 to 254 have no further effect.
    pub value: i64,
    /// A file that is there is overwritten.
    pub overwrite: bool,
}

/// `vrrp_track_process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackProcess {
    /// Its name.
    pub name: String,
    /// `process`: the program.
    pub program: String,
    /// `process`: the arguments it must have.
    pub arguments: Vec<String>,
    /// `param_match`; `None`: exactly these arguments, if there are any.
    pub matching: Option<ArgumentMatch>,
    /// `weight`, -254 to 254; 0: a fault.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `quorum`, 1 to 65,535.
    pub quorum: u32,
    /// `quorum_max`, 0 to 65,535; `None`: any number.
    pub quorum_max: Option<u32>,
    /// `fork_delay` and `delay`, 1 µs to 3,600 s: how long a quorum must be reached before it counts.
    pub fork_delay: Option<Duration>,
    /// `terminate_delay` and `delay`, 1 µs to 3,600 s: how long it must be missed before that counts.
    pub terminate_delay: Option<Duration>,
    /// `full_command`: the command line counts, not the name of the process.
    pub full_command: bool,
}

/// `param_match`: how arguments are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentMatch {
    /// Without a word: the same arguments.
    Exact,
    /// `initial`: the command line begins with these, the last of which may go on.
    Initial,
    /// `partial`: the first arguments are these.
    Partial,
}
