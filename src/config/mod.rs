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
pub mod lint;
pub mod model;
mod names;
mod reader;
mod report;
mod schema;
mod suggest;
mod tree;
pub mod vocabulary;

use std::ops::ControlFlow;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// What was understood.
    pub config: Config,
    /// What was not, in the order of files, lines and columns; what concerns no line comes last.
    pub diagnostics: Vec<Diagnostic>,
    /// The text that the diagnostics point into.
    pub sources: Sources,
    /// An interface does not exist that has to.
    pub lacks_interface: bool,
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
        let refusing = self.diagnostics.iter().filter_map(|d| match d.effect {
            Effect::Refuses(status) => Some((d.class, status)),
            Effect::Runs => None,
        });
        refusing.max_by_key(|(class, _)| *class).map(|(_, status)| status)
    }
}

/// How many bytes may come of definitions, repetition and files that are read again, in all; each line counts 64
/// bytes beside its length. About a million lines.
pub const GROWTH: usize = 128 << 20;

/// Loads a configuration.
pub fn load(loader: &dyn Loader, options: &Options) -> Loaded {
    load_within(loader, options, GROWTH)
}

/// Loads a configuration; no more than `growth` bytes come of its expansions (see [`GROWTH`]). The time this takes is
/// linear in the length of the files and `growth`.
pub fn load_within(loader: &dyn Loader, options: &Options, growth: usize) -> Loaded {
    load_in_turn(loader, options, growth).unwrap_or_else(|| load_at_once(loader, options, growth))
}

/// Puts each block into the model as soon as it is complete, so that only one at a time is in memory. `None` if that
/// cannot be: instances and scripts depend on the settings for all of them, and some of those come after them.
fn load_in_turn(loader: &dyn Loader, options: &Options, growth: usize) -> Option<Loaded> {
    let mut report = Report::default();
    let mut build = apply::Build::new(loader, &mut report);
    let mut others = false;
    let reader = read(options, growth, &mut build, |build, stmts| {
        for stmt in stmts {
            if stmt.row.name != "global_defs" {
                others = true;
            } else if others {
                return ControlFlow::Break(());
            }
            build.run("", &[stmt]);
        }
        ControlFlow::Continue(())
    })?;
    Some(finish(build, reader))
}

/// Reads everything before the first block is put into the model, and then those of `global_defs` first.
fn load_at_once(loader: &dyn Loader, options: &Options, growth: usize) -> Loaded {
    let mut report = Report::default();
    let mut build = apply::Build::new(loader, &mut report);
    let (mut globals, mut others) = (Vec::new(), Vec::new());
    let reader = read(options, growth, &mut build, |_, stmts| {
        for stmt in stmts {
            if stmt.row.name == "global_defs" { globals.push(stmt) } else { others.push(stmt) }
        }
        ControlFlow::<()>::Continue(())
    });
    build.run("", &globals);
    build.run("", &others);
    drop((globals, others));
    reader.map_or_else(Loaded::default, |reader| finish(build, reader))
}

/// Reads all files and hands the statements outside any block to `take`; `None` if that wants no more.
fn read<'a>(
    options: &Options,
    growth: usize,
    build: &mut apply::Build<'a>,
    mut take: impl FnMut(&mut apply::Build<'a>, Vec<tree::Stmt>) -> ControlFlow<()>,
) -> Option<Reader<'a>> {
    let mut reader = Reader::new(build.loader, options, growth, build.report);
    let mut builder = tree::Builder::default();
    while let Some(line) = reader.next(builder.in_globals(), build.report) {
        if let Some(stmt) = builder.line(build.report, line)
            && stmt.row.name == "include_check"
        {
            let checks = include::checks(reader.checks(), stmt, build.report);
            reader.set_checks(checks);
        }
        let complete = builder.take_complete();
        if !complete.is_empty() && take(build, complete).is_break() {
            return None;
        }
    }
    let complete = builder.finish(build.report);
    if take(build, complete).is_break() {
        return None;
    }
    Some(reader)
}

/// The statements outside any block, without what is wrong with them.
fn statements(loader: &dyn Loader, options: &Options) -> Vec<tree::Stmt> {
    let mut report = Report::default();
    let mut all = Vec::new();
    read(options, GROWTH, &mut apply::Build::new(loader, &mut report), |_, stmts| {
        all.extend(stmts);
        ControlFlow::Continue(())
    });
    all
}

/// Checks what has been read as a whole.
fn finish(mut build: apply::Build<'_>, reader: Reader<'_>) -> Loaded {
    check::run(&mut build);
    let apply::Build { config, report, interface_missing: lacks_interface, .. } = build;
    let diagnostics = std::mem::take(report).finish();
    Loaded { config, diagnostics, sources: reader.into_sources(), lacks_interface }
}

#[cfg(test)]
mod tests;
