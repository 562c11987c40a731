//! A good, a bad and an odd case for every keyword of the tables.
//!
//! What follows a keyword is made from what its row says it takes; where that is text of its own form, it stands in
//! `examples.tsv`: block, keyword, good, bad, odd. There, `*x` is any block whose own name has `x` in it (`*/x`: is `x`,
//! inside another), `-` is nothing, `~` misspells the keyword, `=` begins whole lines, and `|` another line; `(none)` says that there can be no such case.
//!
//! A row without a case fails, and so does an example without a row.

use std::collections::{BTreeMap, BTreeSet};

use keepalived_rs::config::vocabulary::{Keyword, Takes, keywords};

use super::skeleton;

/// What a case is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    /// It is right.
    Good,
    /// It is wrong.
    Bad,
    /// It is what people write all the same.
    Odd,
}

impl Sort {
    const ALL: [Self; 3] = [Self::Good, Self::Bad, Self::Odd];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Odd => "odd",
        }
    }
}

/// A case made for a keyword.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) path: String,
    pub(crate) keyword: &'static str,
    pub(crate) sort: Sort,
    /// Stock has known the keyword since a version later than 2.2.7.
    pub(crate) later: bool,
    /// Each use counts as an error.
    pub(crate) deprecated: bool,
    pub(crate) text: String,
}

impl Generated {
    pub(crate) fn name(&self) -> String {
        let path = if self.path.is_empty() { "-" } else { &self.path };
        format!("{path} {} {}", self.keyword, self.sort.name())
    }
}

/// In place of an example: there can be none.
const NONE: &str = "(none)";

/// The arguments of the three cases.
type Examples = BTreeMap<(&'static str, &'static str), [&'static str; 3]>;

fn examples() -> Examples {
    let line = |line: &'static str| match line.split('\t').collect::<Vec<_>>()[..] {
        [path, keyword, good, bad, odd] => ((path, keyword), [good, bad, odd]),
        _ => panic!("not five columns: {line}"),
    };
    let lines = include_str!("examples.tsv").lines().filter(|l| !l.starts_with('#'));
    lines.map(line).collect()
}

/// The keywords of which something is known, by block and name: those of versions later than 2.2.7, and those whose
/// every use counts as an error.
fn known(is: fn(deprecated: &str, since: &str) -> bool) -> BTreeSet<(&'static str, &'static str)> {
    let line = |line: &'static str| match line.split('\t').collect::<Vec<_>>()[..] {
        [path, keyword, _, _, _, deprecated, since] => (path, keyword, is(deprecated, since)),
        _ => panic!("not a line of keywords: {line}"),
    };
    let lines = include_str!("../fixtures/keywords.tsv").lines().skip(1);
    lines.map(line).filter(|l| l.2).map(|l| (if l.0 == "-" { "" } else { l.0 }, l.1)).collect()
}

/// All cases, three for each keyword.
pub(crate) fn cases() -> Vec<Generated> {
    let (all, examples) = (keywords(), examples());
    let later = known(|_, since| since != "2.2.7");
    let deprecated = known(|deprecated, _| deprecated == "deprecated");
    let mut unused: BTreeSet<_> = examples.keys().copied().collect();
    let mut missing = Vec::new();
    let mut cases = Vec::new();
    let mut none = BTreeSet::new();
    for keyword in all.iter().filter(|k| !k.name.starts_with('(')) {
        let fits = |pattern: &str| match pattern.strip_prefix('*') {
            Some(part) => format!("/{}", keyword.path).rsplit_once('/').is_some_and(|(above, last)| {
                last.contains(part) || part.strip_prefix('/') == Some(last) && !above.is_empty()
            }),
            None => pattern == keyword.path,
        };
        let key = examples.keys().filter(|k| k.1 == keyword.name && fits(k.0)).max_by_key(|k| k.0.len());
        let found = key.map(|key| {
            unused.remove(key);
            examples[key].map(str::to_owned)
        });
        let Some(arguments) = found.or_else(|| arguments(keyword)) else {
            missing.push(format!("{}\t{}", keyword.path, keyword.name));
            continue;
        };
        let is_later = is_later(&later, &keyword.path, keyword.name);
        for (sort, arguments) in Sort::ALL.into_iter().zip(arguments) {
            if arguments == NONE {
                none.insert((sort, keyword.name));
                continue;
            }
            cases.push(Generated {
                path: keyword.path.clone(),
                keyword: keyword.name,
                sort,
                later: is_later,
                deprecated: deprecated.contains(&(keyword.path.as_str(), keyword.name)),
                text: skeleton::around(&all, keyword, &arguments),
            });
        }
    }
    // There are no MPLS routes but by encapsulation, with which stock does not take `as`; and no namespace and no VRF
    // where the cases are run.
    assert_eq!(
        none,
        [(Sort::Good, "as"), (Sort::Good, "net_namespace"), (Sort::Good, "vrf")].into(),
        "rows of which a case cannot be written"
    );
    assert!(missing.is_empty(), "rows without a case; add them to examples.tsv:\n{}", missing.join("\n"));
    assert!(unused.is_empty(), "examples without a row: {unused:?}");
    cases
}

/// Whether a keyword, or one that it is inside of, is later than 2.2.7.
fn is_later(later: &BTreeSet<(&str, &str)>, path: &str, name: &str) -> bool {
    let above = |p: &str| match p.rsplit_once('/') {
        Some((above, name)) => (above.to_owned(), name.to_owned()),
        None => (String::new(), p.to_owned()),
    };
    if later.contains(&(path, name)) {
        return true;
    }
    if path.is_empty() {
        return false;
    }
    let (above, name) = above(path);
    is_later(later, &above, &name)
}

/// The arguments of the three cases, from the type.
fn arguments(keyword: &Keyword) -> Option<[String; 3]> {
    let of = |good: &str, bad: &str, odd: &str| Some([good, bad, odd].map(str::to_owned));
    match keyword.takes {
        Takes::Nothing => of("-", "~", "surplus"),
        Takes::Boolean => of("on", "maybe", "-"),
        Takes::Integer { min, max } => {
            let good = min.max(1).min(max);
            of(&good.to_string(), &(i128::from(max) + 1).to_string(), &format!("{good}s"))
        }
        Takes::Decimal { min, max, .. } => {
            let good = (min.max(1_000_000).min(max)) as f64 / 1e6;
            of(&good.to_string(), "-1", &format!("{good:.7}1"))
        }
        Takes::Address => of("192.0.2.77", "192.0.2.300", "192.0.2.77/24"),
        Takes::Interface => of("eth1", "a-name-of-16-bytes", "eth1 surplus"),
        Takes::Command => of("/bin/true", "\"/bin/true", "/nonexistent"),
        Takes::Block | Takes::List => of("{}", "{", "surplus {}"),
        Takes::Text | Takes::Place => None,
    }
}
