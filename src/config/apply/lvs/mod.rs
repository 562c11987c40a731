//! `virtual_server` and what belongs to it.

pub(crate) mod checker;
pub(crate) mod forwarding;
pub(crate) mod globals;
pub(crate) mod group;
pub(crate) mod http;
pub(crate) mod probe;
pub(crate) mod real;
pub(crate) mod server;
pub(crate) mod ssl;

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Build, script};
use crate::config::lines::Line;
use crate::config::model::checkers::Url;
use crate::config::model::lvs::{RealServer, Timing, VirtualServer};
use crate::config::tree::Stmt;

/// What is being read, innermost last, and what has been.
#[derive(Debug, Default)]
pub(crate) struct Lvs {
    /// The `virtual_server` being read.
    pub(crate) server: Option<Server>,
    /// The `real_server` being read.
    pub(crate) real: Option<Real>,
    /// The checker being read.
    pub(crate) checker: Option<checker::Draft>,
    /// The `url` being read.
    pub(crate) url: Option<Url>,
    /// Names of the groups so far.
    pub(crate) groups: BTreeSet<String>,
    /// The virtual servers that have been read.
    pub(crate) servers: Vec<Server>,
}

/// A `virtual_server` being read.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) server: VirtualServer,
    /// Its header.
    pub(crate) at: Line,
    /// Where the keywords that checks come back to were last written.
    pub(crate) lines: Vec<(&'static str, Line)>,
    /// Its real servers.
    pub(crate) reals: Vec<Real>,
    /// Its commands, which are looked for once it is known to be kept.
    pub(crate) commands: Vec<script::Command>,
    /// Commands of the checkers of real servers that were skipped: stock minds their security all the same.
    pub(crate) skipped: Vec<script::Command>,
}

impl Server {
    /// Where `keyword` was last written, or else the header.
    pub(crate) fn line(&self, keyword: &str) -> &Line {
        self.lines.iter().rev().find(|l| l.0 == keyword).map_or(&self.at, |l| &l.1)
    }
}

/// A `real_server` being read.
#[derive(Debug)]
pub(crate) struct Real {
    pub(crate) real: RealServer,
    /// Its header.
    pub(crate) at: Line,
    /// Its own commands and those of its checkers, which are looked for once it is known to be kept.
    pub(crate) commands: Vec<(Option<usize>, script::Command)>,
}

/// A keyword of when to check, of the innermost block.
pub(crate) fn timing(b: &mut Build<'_>, stmt: &Stmt) {
    let (mut number, mut time) = (None, None);
    if matches!(stmt.row.name, "retry" | "nb_get_retry") {
        number = self::number(b, stmt);
    } else {
        time = b.seconds(stmt);
    }
    let Some(timing) = innermost(b) else { return };
    let set = |to: &mut Option<Duration>| *to = time.or(*to);
    match stmt.row.name {
        "delay_before_retry" => set(&mut timing.delay_before_retry),
        "warmup" => set(&mut timing.warmup),
        "delay_loop" => set(&mut timing.delay_loop),
        "connect_timeout" => set(&mut timing.connect_timeout),
        _ => timing.retry = number.or(timing.retry),
    }
}

fn innermost<'b>(b: &'b mut Build<'_>) -> Option<&'b mut Timing> {
    let lvs = &mut b.lvs;
    match (&mut lvs.checker, &mut lvs.real, &mut lvs.server) {
        (Some(checker), _, _) => Some(&mut checker.checker.timing),
        (None, Some(real), _) => Some(&mut real.real.timing),
        (None, None, Some(server)) => Some(&mut server.server.timing),
        (None, None, None) => None,
    }
}

/// The integer argument of a statement.
fn number(b: &mut Build<'_>, stmt: &Stmt) -> Option<u32> {
    b.integer(stmt).and_then(|n| u32::try_from(n).ok())
}

/// The word behind a keyword.
fn text(stmt: &Stmt) -> Option<String> {
    stmt.word(1).map(str::to_owned)
}

/// Says that a keyword which counts once has been written again. Stock 2.2.7 says nothing, later ones do.
fn again(b: &mut Build<'_>, stmt: &Stmt, was: bool) {
    if was {
        b.report.warning(&stmt.line, format!("{} is there already; this one replaces it", stmt.row.name));
    }
}

/// The one word of `snmp_name`.
fn snmp_name(b: &mut Build<'_>, stmt: &Stmt) -> Option<String> {
    if stmt.len() != 2 {
        b.report.error(&stmt.line, format!("{} must have one word - ignoring", stmt.row.name));
        return None;
    }
    text(stmt)
}

/// The command of a keyword that takes the first one only.
fn first_command(b: &mut Build<'_>, stmt: &Stmt, taken: bool) -> Option<script::Command> {
    let command = script::command(b, stmt)?;
    if taken {
        let text = format!("{} script is there already - ignoring this one", stmt.row.name);
        b.report.error(&stmt.line, text);
        return None;
    }
    Some(command)
}
