//! The name tables of iproute2: numbers of routing tables, protocols, scopes and so on by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::host::Loader;

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameTable {
    /// `rt_tables`.
    Tables,
    /// `rt_protos`.
    Protocols,
    /// `rt_scopes`.
    Scopes,
    /// `rt_dsfield`.
    DsField,
    /// `rt_realms`.
    Realms,
    /// `group`: groups of interfaces.
    Groups,
}

impl NameTable {
    /// The name of its file.
    const fn file(self) -> &'static str {
        match self {
            Self::Tables => "rt_tables",
            Self::Protocols => "rt_protos",
            Self::Scopes => "rt_scopes",
            Self::DsField => "rt_dsfield",
            Self::Realms => "rt_realms",
            Self::Groups => "group",
        }
    }

    /// The names that are there without any file. The numbers are the kernel's.
    const fn built_in(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Tables => &[("default", 253), ("main", 254), ("local", 255)],
            Self::Protocols => &[
                ("none", 0),
                ("redirect", 1),
                ("kernel", 2),
                ("boot", 3),
                ("static", 4),
                ("gated", 8),
                ("ra", 9),
                ("mrt", 10),
                ("zebra", 11),
                ("bird", 12),
                ("dnrouted", 13),
                ("xorp", 14),
                ("ntk", 15),
                ("dhcp", 16),
                ("keepalived", 18),
                ("babel", 42),
            ],
            Self::Scopes => &[("global", 0), ("site", 200), ("link", 253), ("host", 254), ("nowhere", 255)],
            Self::Groups => &[("default", 0)],
            Self::DsField | Self::Realms => &[],
        }
    }
}

/// The tables that have been asked for.
#[derive(Debug, Default)]
pub(crate) struct Names {
    read: BTreeMap<NameTable, BTreeMap<String, u32>>,
}

/// Where distributions keep their tables; the first directory that has one counts.
const VENDOR: [&str; 2] = ["/usr/share/iproute2", "/usr/lib/iproute2"];

/// Where administrators keep theirs.
const ETC: &str = "/etc/iproute2";

impl Names {
    /// The number that `word` stands for: one in C notation, or a name. Numbers wrap around as stock's do.
    pub(crate) fn number(
        &mut self,
        loader: &dyn Loader,
        (usr, etc): (Option<&str>, Option<&str>),
        table: NameTable,
        word: &str,
    ) -> Option<u32> {
        if let Some(n) = c_number(word) {
            return Some(n);
        }
        let names = self.read.entry(table).or_insert_with(|| read(loader, usr, etc, table));
        names.get(word).copied()
    }
}

/// A number in C notation, cut off to 32 bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn c_number(word: &str) -> Option<u32> {
    c_integer(word).map(|n| n as u32)
}

/// A number in C notation: decimal, `0x` hexadecimal, `0` octal, perhaps with a sign.
pub(crate) fn c_integer(word: &str) -> Option<i128> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    // `from_str_radix` would take a second sign.
    let first = digits.chars().next()?;
    first.is_digit(radix).then(|| i128::from_str_radix(digits, radix).ok().map(|n| sign * n)).flatten()
}

/// Reads a table: the file of `/etc` instead of the vendor's, and the parts in `NAME.d` of both, where a file of
/// `/etc` hides the vendor's of the same name.
fn read(
    loader: &dyn Loader,
    usr: Option<&str>,
    etc: Option<&str>,
    table: NameTable,
) -> BTreeMap<String, u32> {
    let mut names: BTreeMap<String, u32> =
        table.built_in().iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let vendors: Vec<&Path> =
        usr.map_or_else(|| VENDOR.iter().map(Path::new).collect(), |dir| vec![Path::new(dir)]);
    let etc = Path::new(etc.unwrap_or(ETC));
    let whole =
        std::iter::once(&etc).chain(&vendors).find_map(|dir| loader.read(&dir.join(table.file())).ok());
    if let Some(text) = whole {
        add(&mut names, &text);
    }
    let mut parts: BTreeMap<std::ffi::OsString, PathBuf> = BTreeMap::new();
    for dir in vendors.into_iter().rev().chain(std::iter::once(etc)) {
        let pattern = dir.join(format!("{}.d", table.file())).join("*.conf");
        for path in loader.glob(&pattern) {
            if let Some(name) = path.file_name() {
                parts.insert(name.to_owned(), path);
            }
        }
    }
    for path in parts.values() {
        if let Ok(text) = loader.read(path) {
            add(&mut names, &text);
        }
    }
    names
}

/// Adds the lines `NUMBER NAME` of a file.
fn add(names: &mut BTreeMap<String, u32>, text: &[u8]) {
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        if let (Some(number), Some(name)) = (words.next().and_then(c_number), words.next()) {
            names.insert(name.to_owned(), number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::loader::MemoryLoader;

    #[test]
    fn numbers_are_c_s() {
        for (word, number) in [
            ("100", Some(100)),
            ("0x64", Some(100)),
            ("010", Some(8)),
            ("-1", Some(u32::MAX)),
            ("4294967296", Some(0)),
            ("x", None),
            ("", None),
            ("--1", None),
            ("0x", None),
            ("09", None),
        ] {
            assert_eq!(c_number(word), number, "{word}");
        }
    }

    #[test]
    fn tables_are_merged() {
        let loader = MemoryLoader::default()
            .file("/usr/share/iproute2/rt_tables", "1 vendor\n")
            .file("/usr/share/iproute2/rt_tables.d/a.conf", "2 hidden\n")
            .file("/usr/share/iproute2/rt_tables.d/b.conf", "3 part\n")
            .file("/etc/iproute2/rt_tables", "# a comment\n0x10 own # mine\n\nbad line\n")
            .file("/etc/iproute2/rt_tables.d/a.conf", "4 hides\n");
        let mut names = Names::default();
        let mut number = |word| names.number(&loader, (None, None), NameTable::Tables, word);
        assert_eq!(number("main"), Some(254));
        assert_eq!(number("own"), Some(16));
        assert_eq!(number("vendor"), None);
        assert_eq!(number("hidden"), None);
        assert_eq!((number("part"), number("hides")), (Some(3), Some(4)));
        let mut names = Names::default();
        let dirs = (Some("/usr/share/iproute2"), Some("/none"));
        assert_eq!(names.number(&loader, dirs, NameTable::Tables, "vendor"), Some(1));
        assert_eq!(names.number(&loader, dirs, NameTable::Scopes, "site"), Some(200));
    }
}
