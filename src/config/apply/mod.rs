//! Statements → model. One function per keyword; the tables of [`schema`](super::schema) name them.

pub(crate) mod address;
pub(crate) mod bfd;
pub(crate) mod globals;
pub(crate) mod group;
pub(crate) mod hmac;
pub(crate) mod instance;
pub(crate) mod interfaces;
pub(crate) mod lvs;
pub(crate) mod options;
pub(crate) mod process;
pub(crate) mod route;
pub(crate) mod rule;
pub(crate) mod script;
pub(crate) mod settings;
pub(crate) mod statics;
mod surplus;
pub(crate) mod top;
pub(crate) mod track;
pub(crate) mod track_file;
pub(crate) mod track_process;
pub(crate) mod unicast;
pub(crate) mod user;
pub(crate) mod vmac;
mod words;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::diagnostic::{Class, Severity};
use super::grammar;
use super::lines::{Line, is_blank};
use super::model::{Config, GarpGroup};
use super::names::Names;
use super::report::{Place, Report, place_of};
use super::schema::{Arg, Kind, Missing, NO_WORDS, Row, Table, decimals};
use super::tree::{self, Stmt};
use crate::base::{Cidr, IfName};
use crate::host::Loader;
use crate::host::loader::LinkFacts;

/// What is being built, and what it takes.
pub(crate) struct Build<'a> {
    pub(crate) loader: &'a dyn Loader,
    pub(crate) report: &'a mut Report,
    /// What is finished.
    pub(crate) config: Config,
    /// Keywords already reported as not in effect, with their blocks.
    reported: BTreeSet<(&'static str, &'static str)>,
    /// The blocks around this statement: where they begin, and what may stand in them.
    blocks: Vec<(Place, &'static Table)>,
    /// How many statements that are not in effect are around this one: only the outermost is reported.
    quiet: u32,
    /// The default user of scripts.
    pub(crate) default_user: user::Default,
    /// Scripts were found that can be run, and script security is off.
    pub(crate) security: user::Security,
    /// The `vrrp_script` being read.
    pub(crate) script: Option<script::Draft>,
    /// The `vrrp_instance` being read.
    pub(crate) instance: Option<instance::Draft>,
    /// The `vrrp_sync_group` blocks that have been read.
    pub(crate) sync_groups: Vec<group::Draft>,
    /// Keywords of `global_defs` that may be given once, and have been.
    pub(crate) given: BTreeSet<&'static str>,
    /// The instances that have been read.
    pub(crate) instances: Vec<instance::Draft>,
    /// The virtual servers that have been read, and what is being read of one.
    pub(crate) lvs: lvs::Lvs,
    /// The `vrrp_script` blocks so far, and whether they can be used.
    pub(crate) scripts: BTreeMap<String, bool>,
    /// Blocks being read that are not in effect yet.
    pub(crate) drafts: Drafts,
    /// The name tables of iproute2.
    pub(crate) names: Names,
    /// What trackers may name.
    pub(crate) defined: Defined,
    /// What the block outside any other has been given so far.
    once: BTreeSet<Once>,
    /// What interfaces are that were asked for; the machine takes its time to answer.
    links: RefCell<BTreeMap<IfName, Option<LinkFacts>>>,
    /// Interfaces that were asked for, and whether they exist.
    interfaces: BTreeMap<IfName, bool>,
    /// There are instances, without which stock does not look at their scripts.
    pub(crate) has_instances: bool,
    /// The numbers of diagnostics that count only if there are instances.
    pub(crate) of_instances: Vec<usize>,
    /// An interface does not exist: stock checks nothing after reading.
    pub(crate) interface_missing: bool,
}

/// Blocks being read that are not in effect yet; one of each kind at most.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    pub(crate) sync_group: Option<group::Draft>,
    pub(crate) track_group: Option<group::MemberList>,
    pub(crate) garp_group: Option<GarpGroup>,
    pub(crate) track_file: Option<track_file::Draft>,
    pub(crate) track_process: Option<track_process::Draft>,
    pub(crate) bfd: Option<bfd::Draft>,
    pub(crate) hmac: Option<hmac::Draft>,
}

/// Names that trackers may use, and whether what they stand for can be used; the first of a name counts.
#[derive(Debug, Default)]
pub(crate) struct Defined {
    pub(crate) files: BTreeMap<String, bool>,
    pub(crate) processes: BTreeMap<String, bool>,
    pub(crate) bfds: BTreeMap<String, bool>,
    /// Names of track groups.
    pub(crate) track_groups: BTreeSet<String>,
    /// Interfaces of `garp_group` blocks.
    pub(crate) garp_interfaces: BTreeSet<IfName>,
    /// The sessions of BFD.
    pub(crate) sessions: bfd::Sessions,
}

/// What may stand only once in a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Once {
    /// An address of a list, on an interface.
    Address(&'static str, Cidr, Option<IfName>),
    /// A unicast peer.
    Peer(IpAddr),
    /// Something tracked, by its kind.
    Tracked(&'static str, String),
    /// The session of a BFD_CHECK.
    Session(String),
}

/// What a word says as a number. Blanks in front of it, which quotes make possible, do not matter, and nothing is 0.
fn numeral(word: &str) -> &str {
    match word.trim_start_matches(is_blank) {
        "" => "0",
        numeral => numeral,
    }
}

/// Replaces what is in `slot` if there is something new.
pub(crate) fn put<T>(new: Option<T>, slot: &mut Option<T>) {
    if new.is_some() {
        *slot = new;
    }
}

impl<'a> Build<'a> {
    /// An empty configuration.
    pub(crate) fn new(loader: &'a dyn Loader, report: &'a mut Report) -> Self {
        Self {
            loader,
            report,
            config: Config::default(),
            reported: BTreeSet::new(),
            blocks: Vec::new(),
            quiet: 0,
            drafts: Drafts::default(),
            names: Names::default(),
            defined: Defined::default(),
            once: BTreeSet::new(),
            links: RefCell::default(),
            default_user: user::Default::Unset,
            security: user::Security::default(),
            script: None,
            instance: None,
            sync_groups: Vec::new(),
            given: BTreeSet::new(),
            instances: Vec::new(),
            lvs: lvs::Lvs::default(),
            scripts: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            has_instances: false,
            of_instances: Vec::new(),
            interface_missing: false,
        }
    }

    /// Applies the statements of a block.
    pub(crate) fn run(&mut self, block: &'static str, stmts: &[Stmt]) {
        for stmt in stmts {
            self.has_instances |= stmt.row.name == "vrrp_instance";
            self.statement(block, stmt);
        }
    }

    fn statement(&mut self, block: &'static str, stmt: &Stmt) {
        let row = stmt.row;
        if block.is_empty() {
            self.nothing_given();
        }
        self.deprecated(stmt);
        let before = self.report.list.len();
        // Of a value that cannot be used it does not matter that it is not in effect.
        let late = row.inside().is_none();
        if !row.in_effect && !late {
            self.not_in_effect(block, stmt);
        }
        self.surplus(stmt);
        let Some(apply) = row.apply else { return };
        if self.has_argument(stmt) {
            // What is inside a block that is not in effect is not in effect either; that has been said.
            self.quiet += u32::from(!row.in_effect);
            self.blocks.push((place_of(&stmt.line), row.inside().unwrap_or(&NO_WORDS)));
            apply(self, stmt);
            self.blocks.pop();
            self.quiet -= u32::from(!row.in_effect);
        }
        let wrong = self
            .report
            .list
            .get(before..)
            .and_then(|new| new.iter().position(|d| d.severity == Severity::Error));
        // Or its words were not to be told, which has been said before.
        let wrong = wrong.map(|n| before + n).or_else(|| self.report.cause_on(&stmt.line));
        match (wrong, self.blocks.last()) {
            (Some(n), Some((place, _))) => self.report.attempt_at(*place, row.name, n),
            (Some(_), None) => {}
            (None, _) if !row.in_effect && late => self.not_in_effect(block, stmt),
            (None, _) => {}
        }
    }

    /// What an interface is, if it is there; asked once.
    pub(crate) fn link(&self, name: &IfName) -> Option<LinkFacts> {
        let mut links = self.links.borrow_mut();
        if let Some(known) = links.get(name) {
            return *known;
        }
        *links.entry(name.clone()).or_insert_with(|| self.loader.link(name))
    }

    /// A block begins whose lines are not compared with those before it.
    pub(crate) fn nothing_given(&mut self) {
        self.once.clear();
    }

    /// Whether the block outside any other has not been given this yet; from now on it has.
    pub(crate) fn is_new(&mut self, what: Once) -> bool {
        self.once.insert(what)
    }

    /// Whether the block outside any other has been given this.
    pub(crate) fn has(&self, what: &Once) -> bool {
        self.once.contains(what)
    }

    fn deprecated(&mut self, stmt: &Stmt) {
        if let Some(instead) = stmt.row.deprecated {
            let text = format!("{} is deprecated - {instead}", stmt.row.name);
            self.report.at(&stmt.line, Severity::Warning, Class::Config, text);
        }
        // Older names that do not count as mistakes, in stock's words.
        let text = match stmt.row.name {
            "vrrp_track_file" => r#""vrrp_track_file" is deprecated, please use "track_file""#.to_owned(),
            name @ ("vrrp_rlimit_rtime" | "checker_rlimit_rtime" | "bfd_rlimit_rtime") => {
                let now = name.replace("rtime", "rttime");
                format!("Keyword '{name}' is deprecated - please use '{now}'")
            }
            _ => return,
        };
        self.report.note(&stmt.line, text);
    }

    /// Says once per keyword and block that it is not in effect.
    fn not_in_effect(&mut self, block: &'static str, stmt: &Stmt) {
        let row = stmt.row;
        if self.quiet > 0 {
            return;
        }
        if matches!(row.kind, Kind::Value(Arg::Boolean))
            && stmt.word(1).and_then(grammar::boolean) == Some(false)
        {
            return;
        }
        self.word_not_in_effect(block, row.name, &stmt.place(0));
    }

    /// Says once per block and word that it is not in effect.
    pub(crate) fn word_not_in_effect(&mut self, block: &'static str, word: &'static str, at: &Line) {
        if self.quiet == 0 && self.reported.insert((block, word)) {
            self.report.warning(at, format!("keyword '{word}' is not in effect yet")).not_in_effect();
        }
    }

    /// Whether the argument that a keyword must have is there; says so if not.
    fn has_argument(&mut self, stmt: &Stmt) -> bool {
        let missing = stmt.row.missing;
        // A command has its own idea of quotes.
        let command = matches!(stmt.row.kind, Kind::Value(Arg::Command)) && stmt.has_more();
        let good = missing == Missing::Fine || stmt.len() > 1 || stmt.row.inside().is_some() || command;
        if !good {
            tree::missing_argument(self.report, stmt, missing);
        }
        good
    }

    /// The optional boolean of a statement.
    pub(crate) fn boolean(&mut self, stmt: &Stmt) -> Option<bool> {
        let Some(word) = stmt.word(1) else { return Some(true) };
        let found = grammar::boolean(word);
        if found.is_none() {
            let text = format!("'{}' must be on or off, not '{word}'", stmt.row.name);
            self.report.error(&stmt.place(1), text).hint("on, true, yes, off, false and no are understood");
        }
        found
    }

    /// The integer argument of a statement, in the range of its row.
    pub(crate) fn integer(&mut self, stmt: &Stmt) -> Option<i64> {
        self.integer_at(stmt, 1, stmt.row)
    }

    /// Word `n` of a statement as the integer of `row`.
    pub(crate) fn integer_at(&mut self, stmt: &Stmt, n: usize, row: &Row) -> Option<i64> {
        let Kind::Value(Arg::Integer { min, max, loose }) = row.kind else { return None };
        let word = stmt.word(n)?;
        let (number, tail) = grammar::integer(numeral(word));
        let value = if loose { Some(number.unwrap_or(0)) } else { number.filter(|_| tail.is_empty()) };
        // Where there are no negative numbers a minus sign alone is wrong.
        let signed = min < 0 || !numeral(word).starts_with('-');
        let value = value.filter(|v| signed && (min..=max).contains(v));
        let bad = if value.is_none() {
            format!("'{}' must be a number from {min} to {max}, not '{word}'", row.name)
        } else if !tail.is_empty() || number.is_none() {
            format!("'{tail}' is not part of a number in '{word}'; {} used", number.unwrap_or(0))
        } else {
            return value;
        };
        self.report.error(&stmt.place(n), bad);
        value
    }

    /// The decimal argument of a statement in millionths, in the range of its row.
    pub(crate) fn decimal(&mut self, stmt: &Stmt) -> Option<u64> {
        let Kind::Value(Arg::Decimal { min, max, step }) = stmt.row.kind else { return None };
        let word = stmt.word(1)?;
        let found = grammar::decimal(numeral(word), step);
        let value = found.map(|d| d.millionths).filter(|v| (min..=max).contains(v));
        let bad = match (found, value) {
            (Some(d), Some(_)) if d.trailing => {
                format!("'{}' must be {}, not '{word}'", stmt.row.name, decimals(min, max))
            }
            (Some(d), Some(v)) if d.rounded => format!("'{word}' is too precise; {} used", millionths(v)),
            (_, Some(_)) => return value,
            _ => format!("'{}' must be {}, not '{word}'", stmt.row.name, decimals(min, max)),
        };
        let units = found.is_some_and(|d| d.trailing);
        let added = self.report.error(&stmt.place(1), bad);
        if units {
            added.hint("a number stands without unit");
        }
        value
    }

    /// The decimal argument of a statement as a time in seconds.
    pub(crate) fn seconds(&mut self, stmt: &Stmt) -> Option<Duration> {
        self.decimal(stmt).map(Duration::from_micros)
    }

    /// The integer argument of a statement as another type, which must have room for the range of its row.
    pub(crate) fn number<T: TryFrom<i64>>(&mut self, stmt: &Stmt) -> Option<T> {
        self.integer(stmt).and_then(|n| T::try_from(n).ok())
    }

    /// The integer argument of a statement as whole seconds.
    pub(crate) fn whole_seconds(&mut self, stmt: &Stmt) -> Option<Duration> {
        self.number(stmt).map(Duration::from_secs)
    }

    /// The address argument of a statement.
    pub(crate) fn address(&mut self, stmt: &Stmt) -> Option<std::net::IpAddr> {
        let word = stmt.word(1)?;
        // Stock cuts off everything from the first '-' or '/' on.
        let found = grammar::address(word.split(['-', '/']).next().unwrap_or_default());
        if found.is_none() {
            let text = format!("'{}' needs an address, not '{word}'", stmt.row.name);
            self.report.error(&stmt.place(1), text);
        }
        found.map(|(ip, _)| ip)
    }

    /// Word `n` of a statement as the name of an interface, which need not exist.
    pub(crate) fn interface_name(&mut self, stmt: &Stmt, n: usize) -> Option<IfName> {
        let word = stmt.word(n)?;
        let name = IfName::new(word);
        if name.is_none() {
            let text = format!("'{word}' cannot be an interface: names have 1 to {} bytes", IfName::MAX);
            self.report.error(&stmt.place(n), text);
        }
        name
    }

    /// Word `n` of a statement as the name of an interface, which must exist unless `dynamic_interfaces` is on.
    pub(crate) fn interface(&mut self, stmt: &Stmt, n: usize, what: &str) -> Option<IfName> {
        let name = self.interface_name(stmt, n)?;
        if self.config.globals.dynamic_interfaces {
            return Some(name);
        }
        let (loader, report) = (self.loader, &mut *self.report);
        let missing = &mut self.interface_missing;
        self.interfaces.entry(name.clone()).or_insert_with(|| {
            let exists = loader.interface_exists(&name);
            if !exists {
                *missing = true;
                let text = format!("WARNING - interface {name} for {what} doesn't exist");
                let hint = "with dynamic_interfaces in global_defs it may come later";
                report.error(&stmt.place(n), text).refuses(2).hint(hint);
            }
            exists
        });
        Some(name)
    }
}

/// A number of millionths as people write it.
pub(crate) fn millionths(n: u64) -> String {
    let text = format!("{}.{:06}", n / 1_000_000, n % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
