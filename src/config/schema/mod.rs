//! The vocabulary: one table per block, one row per keyword.
//!
//! A row says how its keyword nests, what argument it takes, what its absence means, and which function of
//! [`apply`](super::apply) puts it into the model. Whether anything acts on what is in the model is one flag of the
//! row, `in_effect`; what is not in effect is reported once.

pub(crate) mod addresses;
pub(crate) mod checkers;
pub(crate) mod globals;
pub(crate) mod lvs;
pub(crate) mod routes;
pub(crate) mod top;
pub(crate) mod track;
pub(crate) mod vrrp;

use super::apply::{Build, millionths};
use super::tree::Stmt;

/// The keywords of one block, or the words of one kind of line.
#[derive(Debug)]
pub(crate) struct Table {
    /// The keyword that opens the block; empty outside any block.
    pub(crate) name: &'static str,
    /// Its rows, in the order of the reference.
    pub(crate) rows: &'static [Row],
}

impl Table {
    /// The row of `keyword`. Positions have no keyword.
    pub(crate) fn row(&self, keyword: &str) -> Option<&'static Row> {
        self.rows.iter().find(|r| r.name == keyword && !matches!(r.kind, Kind::Position))
    }
}

/// One keyword of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The keyword, or what stands in its place.
    pub(crate) name: &'static str,
    /// How it nests and what it takes.
    pub(crate) kind: Kind,
    /// What a missing argument means.
    pub(crate) missing: Missing,
    /// What must follow the keyword of a block.
    pub(crate) head: Head,
    /// Words that may follow on the same line.
    pub(crate) words: Option<&'static Table>,
    /// Stock reports each use as deprecated, which counts as an error; what to do instead.
    pub(crate) deprecated: Option<&'static str>,
    /// Puts it into the model; `None` for a word, which the keyword of its line takes care of.
    pub(crate) apply: Option<Apply>,
    /// Something acts on it, if something acts on what it stands in. If not, it is reported once as not in effect.
    pub(crate) in_effect: bool,
}

/// Puts one statement into the model.
pub(crate) type Apply = fn(&mut Build<'_>, &Stmt);

/// How a keyword nests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// No argument; further words are ignored.
    Flag,
    /// An argument.
    Value(Arg),
    /// `{` keywords `}`.
    Block(&'static Table),
    /// `{` entries `}`, one a line; the table has the words of an entry.
    List(&'static Table),
    /// Not a keyword but a place in a line, such as the address that an address line begins with.
    Position,
}

/// What an argument must look like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg {
    /// Anything, or nothing that the row could say.
    Text,
    /// `on`, `off` and their synonyms, or nothing for `on`.
    Boolean,
    /// A decimal integer in a range, both ends included.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Text behind the digits is an error, but the number counts ("`[L]`" of the reference).
        loose: bool,
    },
    /// A decimal number, counted in millionths.
    Decimal {
        /// Least value, in millionths.
        min: u64,
        /// Greatest value, in millionths.
        max: u64,
        /// What it is a multiple of, in millionths.
        step: u64,
    },
    /// An IPv4 or IPv6 address.
    Address,
    /// The name of an interface.
    Interface,
    /// A command with arguments, and who runs it.
    Command,
}

/// What the absence of an argument means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Nothing: it is optional.
    Fine,
    /// An error; the line is ignored.
    Error,
    /// Stock stops at once with status 2.
    Fatal,
}

/// What must follow the keyword of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing.
    None,
    /// A name; without it stock stops at once with status 2.
    Name,
    /// One name that no block of this kind has had; otherwise the block is skipped.
    UniqueName,
    /// The same, and further words are ignored.
    UniqueFirst,
    /// An address and port, `fwmark N` or `group NAME`.
    VirtualServer,
    /// An address and port.
    RealServer,
}

/// Two lists of rows, one behind the other. `N` is the sum of their lengths.
const fn join<const A: usize, const B: usize, const N: usize>(first: [Row; A], second: [Row; B]) -> [Row; N] {
    assert!(A + B == N);
    let mut rows = [position(""); N];
    let mut n = 0;
    while n < N {
        rows[n] = if n < A { first[n] } else { second[n - A] };
        n += 1;
    }
    rows
}

/// A line without words of its own.
pub(crate) static NO_WORDS: Table = table("", &[]);

/// The row of an entry of a list.
pub(crate) static ENTRY: Row = position("");

const fn table(name: &'static str, rows: &'static [Row]) -> Table {
    Table { name, rows }
}

const fn row(name: &'static str, kind: Kind) -> Row {
    Row {
        name,
        kind,
        missing: Missing::Fine,
        head: Head::None,
        words: None,
        deprecated: None,
        apply: None,
        in_effect: true,
    }
}

const fn flag(name: &'static str) -> Row {
    row(name, Kind::Flag)
}

const fn boolean(name: &'static str) -> Row {
    row(name, Kind::Value(Arg::Boolean))
}

const fn value(name: &'static str, arg: Arg) -> Row {
    row(name, Kind::Value(arg))
}

const fn block(name: &'static str, table: &'static Table) -> Row {
    row(name, Kind::Block(table))
}

const fn list(name: &'static str, table: &'static Table) -> Row {
    row(name, Kind::List(table))
}

const fn position(name: &'static str) -> Row {
    row(name, Kind::Position)
}

const fn int(min: i64, max: i64) -> Arg {
    Arg::Integer { min, max, loose: false }
}

const fn loose(min: i64, max: i64) -> Arg {
    Arg::Integer { min, max, loose: true }
}

const fn decimal(min: u64, max: u64, step: u64) -> Arg {
    Arg::Decimal { min, max, step }
}

impl Row {
    const fn fatal(self) -> Self {
        Self { missing: Missing::Fatal, ..self }
    }

    const fn required(self) -> Self {
        Self { missing: Missing::Error, ..self }
    }

    const fn deprecated(self, instead: &'static str) -> Self {
        Self { deprecated: Some(instead), ..self }
    }

    const fn head(self, head: Head) -> Self {
        Self { head, ..self }
    }

    const fn words(self, words: &'static Table) -> Self {
        Self { words: Some(words), ..self }
    }

    /// Into the model, and something acts on it.
    const fn does(self, apply: Apply) -> Self {
        Self { apply: Some(apply), ..self }
    }

    /// Into the model, for what is still to come.
    const fn stores(self, apply: Apply) -> Self {
        Self { apply: Some(apply), in_effect: false, ..self }
    }

    /// A word that nothing acts on yet.
    const fn later(self) -> Self {
        Self { in_effect: false, ..self }
    }

    /// What it takes, in words.
    pub(crate) fn argument(&self) -> String {
        let text = match (self.kind, self.head) {
            (_, Head::VirtualServer) => "an address and a port, 'fwmark' and a number, or 'group' and a name",
            (_, Head::RealServer) => "an address and a port",
            (_, Head::Name | Head::UniqueName | Head::UniqueFirst) => "a name",
            (Kind::Value(Arg::Integer { min, max, .. }), _) => {
                return format!("a number from {min} to {max}");
            }
            (Kind::Value(Arg::Decimal { min, max, .. }), _) => {
                return format!("{}, without a unit", decimals(min, max));
            }
            (Kind::Value(Arg::Boolean), _) => "on, true, yes, off, false or no",
            (Kind::Value(Arg::Address), _) => "an IPv4 or IPv6 address",
            (Kind::Value(Arg::Interface), _) => "the name of an interface",
            (Kind::Value(Arg::Command), _) => "a command; quote it if it has arguments",
            (Kind::Value(Arg::Text), _) => match self.words.and_then(|t| t.rows.first().zip(t.rows.last())) {
                Some((first, last)) if !matches!(first.kind, Kind::Position) => {
                    return format!("words such as {} or {}", first.name, last.name);
                }
                _ => "a word; see keepalived-rs.conf(5)",
            },
            (Kind::Block(_) | Kind::List(_), _) => "nothing but '{'",
            (Kind::Flag | Kind::Position, _) => "nothing",
        };
        text.to_owned()
    }

    /// The table of what is inside, of a block or a list.
    pub(crate) const fn inside(&self) -> Option<&'static Table> {
        match self.kind {
            Kind::Block(t) | Kind::List(t) => Some(t),
            _ => None,
        }
    }
}

/// What a decimal number can be, in words.
pub(crate) fn decimals(min: u64, max: u64) -> String {
    // Which is no limit but that of our arithmetic.
    let most = u64::MAX / 1_000_000 * 1_000_000;
    let least = millionths(min);
    if max >= most {
        format!("a number of at least {least}")
    } else {
        format!("a number from {least} to {}", millionths(max))
    }
}

#[cfg(test)]
mod tests;
