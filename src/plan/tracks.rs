//! What instances track, their own and what their sync group tracks for all its members.

use std::fmt;
use std::time::Duration;

use crate::base::IfName;
use crate::config::model::{
    Config, InitFile, Script, SyncGroup, Track, TrackScript, Tracks, VrrpInstance, VrrpScript,
};
use crate::track::process::Pattern;
use crate::track::quorum::Quorum;

use super::Plan;

/// What an instance may track.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The script of this name in [`Plan::scripts`].
    Script(String),
    /// An interface: good while it is up and running.
    Interface(IfName),
    /// The number in the file of this name in [`Plan::files`].
    File(String),
    /// The processes of this name in [`Plan::processes`].
    Process(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(name) => write!(f, "script {name}"),
            Self::Interface(name) => write!(f, "interface {name}"),
            Self::File(name) => write!(f, "file {name}"),
            Self::Process(name) => write!(f, "process {name}"),
        }
    }
}

/// Something that an instance tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackPlan {
    /// What.
    pub what: Subject,
    /// Points, -253 to 253, and for a file what its number is multiplied by, -254 to 254; 0: its failure is a fault.
    pub weight: i16,
    /// Turns the effect round.
    pub reverse: bool,
}

/// A script that is run again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptPlan {
    /// Its name.
    pub name: String,
    /// What to run.
    pub script: Script,
    /// Time from start to start.
    pub interval: Duration,
    /// How long it may run.
    pub timeout: Duration,
    /// Successes in a row that make it good.
    pub rise: u32,
    /// Failures in a row that make it bad.
    pub fall: u32,
}

/// A file whose number is tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlan {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// What is written into it at the start.
    pub init: Option<InitFile>,
}

/// Processes that are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessPlan {
    /// Its name.
    pub name: String,
    /// Which processes.
    pub pattern: Pattern,
    /// How many there have to be.
    pub quorum: Quorum,
    /// How long a change that new processes bring has to last before it counts.
    pub fork_delay: Duration,
    /// How long a change that processes bring which end has to last before it counts.
    pub terminate_delay: Duration,
}

/// What `instance`, a member of `group`, tracks. What was not seen before is added to `plan`. What the instance tracks
/// itself counts before what its group does.
pub(super) fn of_instance(
    config: &Config,
    instance: &VrrpInstance,
    group: Option<&SyncGroup>,
    plan: &mut Plan,
) -> Vec<TrackPlan> {
    let mut tracks = Vec::new();
    add(config, &instance.track_scripts, &instance.tracks, plan, &mut tracks);
    if let Some(group) = group {
        let mut of_group = Vec::new();
        add(config, &group.track_scripts, &group.tracks, plan, &mut of_group);
        // Its own interface it watches anyway.
        let own = instance.interface.clone().filter(|_| !instance.dont_track_primary).map(Subject::Interface);
        of_group.retain(|track| Some(&track.what) != own.as_ref());
        of_group.retain(|track| tracks.iter().all(|t: &TrackPlan| t.what != track.what));
        tracks.extend(of_group);
    }
    tracks
}

fn add(
    config: &Config,
    scripts: &[TrackScript],
    others: &Tracks,
    plan: &mut Plan,
    tracks: &mut Vec<TrackPlan>,
) {
    for reference in scripts {
        let Some(script) = config.scripts.iter().find(|s| s.name == reference.script) else { continue };
        let is_it = |s: &ScriptPlan| s.name == script.name;
        add_once(&mut plan.scripts, is_it, || script_plan(script));
        tracks.push(TrackPlan {
            what: Subject::Script(script.name.clone()),
            weight: reference.weight.or(script.weight).unwrap_or(0),
            reverse: reference.reverse.unwrap_or(script.reverse),
        });
    }
    for track in &others.interfaces {
        let what = Subject::Interface(track.interface.clone());
        tracks.push(TrackPlan { what, weight: track.weight, reverse: track.reverse });
    }
    for track in &others.files {
        tracks.extend(file(config, track, plan));
    }
    for track in &others.processes {
        tracks.extend(process(config, track, plan));
    }
}

/// Adds a thing to `list` if it is not there.
fn add_once<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool, make: impl FnOnce() -> T) {
    if !list.iter().any(is_it) {
        list.push(make());
    }
}

fn file(config: &Config, track: &Track, plan: &mut Plan) -> Option<TrackPlan> {
    let file = config.track_files.iter().find(|f| f.name == track.name)?;
    add_once(
        &mut plan.files,
        |f| f.name == file.name,
        || FilePlan { name: file.name.clone(), path: file.path.clone(), init: file.init },
    );
    Some(TrackPlan {
        what: Subject::File(file.name.clone()),
        weight: track.weight.unwrap_or(file.weight),
        reverse: track.reverse.unwrap_or(file.reverse),
    })
}

fn process(config: &Config, track: &Track, plan: &mut Plan) -> Option<TrackPlan> {
    let process = config.track_processes.iter().find(|p| p.name == track.name)?;
    add_once(
        &mut plan.processes,
        |p| p.name == process.name,
        || ProcessPlan {
            name: process.name.clone(),
            pattern: Pattern::new(
                &process.program,
                &process.arguments,
                process.matching,
                process.full_command,
            ),
            quorum: Quorum { least: process.quorum, most: process.quorum_max },
            fork_delay: process.fork_delay.unwrap_or_default(),
            terminate_delay: process.terminate_delay.unwrap_or_default(),
        },
    );
    Some(TrackPlan {
        what: Subject::Process(process.name.clone()),
        weight: track.weight.unwrap_or(process.weight).clamp(-253, 253),
        reverse: track.reverse.unwrap_or(process.reverse),
    })
}

fn script_plan(script: &VrrpScript) -> ScriptPlan {
    let interval = script.interval.unwrap_or(Duration::from_secs(1));
    ScriptPlan {
        name: script.name.clone(),
        script: script.script.clone(),
        interval,
        timeout: script.timeout.unwrap_or(interval),
        rise: script.rise.unwrap_or(1).max(1),
        fall: script.fall.unwrap_or(1).max(1),
    }
}
