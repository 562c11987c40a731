//! The tables against a list of all keywords and of what is known of them (`tests/fixtures/keywords.tsv`).

use super::super::top::TOP;
use super::super::*;

/// A line of the list.
struct Fact {
    block: &'static str,
    keyword: &'static str,
    /// `flag`, `value`, `list` or `block`.
    kind: &'static str,
    /// `INTEGER MIN MAX`, `DECIMAL MIN MAX`, `BOOLEAN`, `ADDRESS`, `IFNAME`, `COMMAND`, or `-` for anything else.
    range: &'static str,
    /// What stock does without an argument: `fatal`, `error` or `-`.
    missing: &'static str,
    deprecated: bool,
}

fn facts() -> Vec<Fact> {
    let text = include_str!("../../../../tests/fixtures/keywords.tsv");
    let fact = |line: &'static str| match line.split('\t').collect::<Vec<_>>()[..] {
        [block, keyword, kind, range, missing, deprecated, _] => {
            Fact { block, keyword, kind, range, missing, deprecated: deprecated == "deprecated" }
        }
        _ => panic!("not seven columns: {line}"),
    };
    text.lines().skip(1).map(fact).collect()
}

impl Fact {
    /// The row that it is about.
    fn row(&self) -> Option<&'static Row> {
        // A word of a value may be listed as `keyword/word` of its block.
        let (path, name) = match self.keyword.rsplit_once('/') {
            Some((keyword, word)) => (format!("{}/{keyword}", self.block), word),
            None => (self.block.to_owned(), self.keyword),
        };
        table(&path)?.rows.iter().find(|r| r.name == name)
    }
}

/// The table of a block or of the words behind a keyword, by path.
fn table(path: &str) -> Option<&'static Table> {
    if path == "-" {
        return Some(&TOP);
    }
    path.split('/').try_fold(&TOP, |table, name| {
        let row = table.row(name)?;
        row.inside().or(row.words)
    })
}

/// What is not a keyword of a table: lines of any block, which the reader knows, and words without a name.
fn is_elsewhere(fact: &Fact) -> bool {
    fact.block == "(any)" || fact.keyword == "(other word)"
}

#[test]
fn every_keyword_has_a_row() {
    let facts = facts();
    assert_eq!(facts.len(), 963);
    let missing: Vec<_> = facts
        .iter()
        .filter(|f| !is_elsewhere(f) && f.row().is_none())
        .map(|f| (f.block, f.keyword))
        .collect();
    assert_eq!(missing, Vec::new());
}

/// Keywords whose function sees to the argument, not their row: what is missing means something of its own there,
/// stock crashes, or (`debug`) the check goes on where stock ends.
const OWN_ARGUMENT: [&str; 9] = [
    "debug",
    "timer_expired_backup",
    "thread_timer_expired",
    "neighbor_ip",
    "neighbour_ip",
    "sorry_server_lvs_method",
    "virtualhost",
    "regex",
    "name",
];

/// Words of routes that are deprecated, which the function of the line says.
const OBSOLETE_WORDS: [&str; 2] = ["gw", "or"];

#[test]
fn what_rows_say_is_what_is_known() {
    let mut wrong = Vec::new();
    for fact in facts() {
        let Some(row) = fact.row() else { continue };
        let nests = match row.kind {
            Kind::Block(_) => "block",
            Kind::List(_) => "list",
            Kind::Flag => "flag",
            Kind::Value(_) | Kind::Position => "value",
        };
        let name = format!("{} {}", fact.block, fact.keyword);
        let nests_as_known = match (nests, fact.kind) {
            ("value", "flag") | ("list", "block") => true,
            (ours, known) => ours == known,
        };
        if !nests_as_known {
            wrong.push(format!("{name}: {nests}, not {}", fact.kind));
        }
        if row.deprecated.is_some() != fact.deprecated && !OBSOLETE_WORDS.contains(&row.name) {
            wrong.push(format!("{name}: deprecated {:?}", row.deprecated));
        }
        let missing = match row.missing {
            Missing::Fatal => "fatal",
            Missing::Error => "error",
            Missing::Fine => "-",
        };
        let own = OWN_ARGUMENT.contains(&row.name);
        if row.apply.is_some() && row.inside().is_none() && missing != fact.missing && !own {
            wrong.push(format!("{name}: missing argument: {missing}, not {}", fact.missing));
        }
        if let Some(known) = range(fact.range)
            && row.apply.is_some()
            && !known.fits(row.kind)
        {
            wrong.push(format!("{name}: {:?}, not {}", row.kind, fact.range));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A range of the list.
enum Range {
    Integer(i64, Option<i64>),
    /// In millionths.
    Decimal(u64, Option<u64>),
    Boolean,
    Address,
    Interface,
    Command,
}

fn range(text: &str) -> Option<Range> {
    let words: Vec<_> = text.split(' ').collect();
    let millionths = |w: &str| {
        let (whole, fraction) = w.split_once('.').unwrap_or((w, ""));
        format!("{whole}{fraction:0<6}").parse().unwrap()
    };
    Some(match words[..] {
        ["INTEGER", min, max] => Range::Integer(min.parse().unwrap(), max.parse().ok()),
        ["DECIMAL", min, "-"] => Range::Decimal(millionths(min), None),
        ["DECIMAL", min, max] => Range::Decimal(millionths(min), Some(millionths(max))),
        ["BOOLEAN"] => Range::Boolean,
        ["ADDRESS"] => Range::Address,
        ["IFNAME"] => Range::Interface,
        ["COMMAND"] => Range::Command,
        _ => return None,
    })
}

impl Range {
    fn fits(&self, kind: Kind) -> bool {
        let Kind::Value(arg) = kind else { return false };
        match (self, arg) {
            (Self::Integer(least, most), Arg::Integer { min, max, .. }) => {
                *least == min && most.is_none_or(|m| m == max)
            }
            (Self::Decimal(least, most), Arg::Decimal { min, max, .. }) => {
                *least == min && most.is_none_or(|m| m == max)
            }
            (Self::Boolean, Arg::Boolean)
            | (Self::Address, Arg::Address)
            | (Self::Interface, Arg::Interface)
            | (Self::Command, Arg::Command) => true,
            _ => false,
        }
    }
}
