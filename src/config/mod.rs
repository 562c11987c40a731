//! Text → model and diagnostics. Pure: the machine is asked only through the [`Loader`] it is given.
//!
//! A configuration never fails to load. Loading gives a model *and* a list of diagnostics; what to do about them
//! is decided by the caller, with [`Loaded::test_status`] and [`Loaded::refusal`].

mod apply;
mod check;
pub mod diagnostic;
mod expand;
mod grammar;
mod include;
mod lines;
pub mod model;
mod names;
mod reader;
mod report;
mod schema;
mod suggest;
mod tree;

use diagnostic::{Class, Diagnostic, Effect, Sources};
use model::Config;
use reader::Reader;
use report::Report;

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
pub fn load(loader: &dyn Loader, options: &Options) -> Loaded {
    let mut report = Report::default();
    let mut reader = Reader::new(loader, options, &mut report);
    let mut builder = tree::Builder::default();
    while let Some(line) = reader.next(builder.in_globals(), &mut report) {
        if let Some(stmt) = builder.line(&mut report, line)
            && stmt.row.name == "include_check"
        {
            let checks = include::checks(reader.checks(), stmt, &mut report);
            reader.set_checks(checks);
        }
    }
    let stmts = builder.finish(&mut report);
    let mut build = apply::Build::new(loader, &mut report);
    // Whatever the order in the file: instances and scripts depend on the settings for all of them.
    let (globals, others): (Vec<_>, Vec<_>) = stmts.into_iter().partition(|s| s.row.name == "global_defs");
    build.has_instances = others.iter().any(|s| s.row.name == "vrrp_instance");
    build.run("", &globals);
    build.run("", &others);
    check::run(&mut build);
    let config = build.config;
    Loaded { config, diagnostics: report.finish(), sources: reader.into_sources() }
}

#[cfg(test)]
mod tests;
