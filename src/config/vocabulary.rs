//! The keywords of the language, for tools that want to know them: tests, editors, documentation.

use super::schema::top::TOP;
use super::schema::{Arg, Kind, Missing, Row, Table};

/// One keyword of one block, or one word of one kind of line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// The keywords around it, outermost first and joined by `/`; empty outside any block. The words of a value are
    /// inside its keyword: `vrrp_script/weight` has `reverse`.
    pub path: String,
    /// The keyword. In capitals it is no word of the language but what stands in its place, such as `ADDRESS`.
    pub name: &'static str,
    /// What follows it.
    pub takes: Takes,
    /// What a missing argument means.
    pub missing: MissingArgument,
    /// Each use is reported as deprecated.
    pub deprecated: bool,
}

/// What follows a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// Text of its own form, or any.
    Text,
    /// `on` or `off`, or nothing for `on`.
    Boolean,
    /// A decimal integer, both ends included.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A decimal number.
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
    /// A command with arguments.
    Command,
    /// `{` keywords `}`.
    Block,
    /// `{` entries `}`, one a line.
    List,
    /// It is not a word but a place in a line.
    Place,
}

/// What the absence of an argument means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingArgument {
    /// Nothing, or what the keyword says.
    Fine,
    /// An error; the line is ignored.
    Error,
    /// Keepalived stops at once with status 2.
    Fatal,
}

/// All keywords, those of a block before those inside it.
pub fn keywords() -> Vec<Keyword> {
    let mut all = Vec::new();
    add(&mut all, "", &TOP);
    all
}

fn add(all: &mut Vec<Keyword>, path: &str, table: &'static Table) {
    all.extend(table.rows.iter().map(|row| keyword(path, row)));
    for row in table.rows {
        if let Some(inside) = row.inside().or(row.words) {
            let path = if path.is_empty() { row.name.to_owned() } else { format!("{path}/{}", row.name) };
            add(all, &path, inside);
        }
    }
}

fn keyword(path: &str, row: &Row) -> Keyword {
    let takes = match row.kind {
        Kind::Flag => Takes::Nothing,
        Kind::Block(_) => Takes::Block,
        Kind::List(_) => Takes::List,
        Kind::Position => Takes::Place,
        Kind::Value(Arg::Text) => Takes::Text,
        Kind::Value(Arg::Boolean) => Takes::Boolean,
        Kind::Value(Arg::Integer { min, max, .. }) => Takes::Integer { min, max },
        Kind::Value(Arg::Decimal { min, max, step }) => Takes::Decimal { min, max, step },
        Kind::Value(Arg::Address) => Takes::Address,
        Kind::Value(Arg::Interface) => Takes::Interface,
        Kind::Value(Arg::Command) => Takes::Command,
    };
    let missing = match row.missing {
        Missing::Fine => MissingArgument::Fine,
        Missing::Error => MissingArgument::Error,
        Missing::Fatal => MissingArgument::Fatal,
    };
    Keyword { path: path.to_owned(), name: row.name, takes, missing, deprecated: row.deprecated.is_some() }
}
