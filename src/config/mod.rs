//! Text → model and diagnostics. Pure: the machine is asked only through the [`Loader`] it is given.
//!
//! A configuration never fails to load. Loading gives a model *and* a list of diagnostics; what to do about them
//! is decided by the caller, with [`Loaded::test_status`] and [`Loaded::refusal`].

pub mod diagnostic;
pub mod model;

use diagnostic::{Class, Diagnostic, Effect, Sources};
use model::Config;

use crate::host::Loader;

/// How to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The main file, or a glob pattern (`-f`).
    pub main: String,
    /// The id that `@id` lines are compared with (`-i`); `None`: the node name up to its first dot.
    pub config_id: Option<String>,
    /// Make missing and unreadable included files errors (`-e`).
    pub all_files: bool,
}

/// What loading gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What was understood.
    pub config: Config,
    /// What was not, in the order it was noticed.
    pub diagnostics: Vec<Diagnostic>,
    /// The text that the diagnostics point into.
    pub sources: Sources,
}

impl Loaded {
    /// The exit status of `-t`.
    pub fn test_status(&self) -> u8 {
        match self.diagnostics.iter().map(|d| d.class).max().unwrap_or(Class::Log) {
            Class::Log => 0,
            Class::Missing => 4,
            Class::Config => 5,
            Class::Security => 6,
            Class::Fatal => 2,
        }
    }

    /// The exit status of a daemon that may not start with this, or `None` if it may.
    pub fn refusal(&self) -> Option<u8> {
        self.diagnostics.iter().find_map(|d| match d.effect {
            Effect::Refuses(status) => Some(status),
            Effect::Runs => None,
        })
    }
}

/// Loads a configuration.
pub fn load(_loader: &dyn Loader, _options: &Options) -> Loaded {
    Loaded { config: Config::default(), diagnostics: Vec::new(), sources: Sources::default() }
}
