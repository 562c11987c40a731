//! Guesses at what was meant.

pub(crate) mod characters;

use std::collections::BTreeMap;

use super::schema::top::TOP;
use super::schema::{Row, Table};

/// Keywords of old manuals that stock has not known for long, and what to do about them.
const OBSOLETE: [(&str, &str); 6] = [
    ("nat_mask", "it has no effect since LVS is in the kernel; remove it"),
    ("nb_get_retry", "please use 'retry'"),
    ("state_file_location", "please use 'state_dump_file'"),
    ("stats_file_location", "please use 'stats_dump_file'"),
    ("json_file_location", "please use 'json_dump_file'"),
    ("vrrp_nftables", "please use 'nftables'"),
];

/// How many different words are compared with what is known; nobody reads more advice, and it takes time.
pub(crate) const MOST: u32 = 20;

/// What an unknown keyword may have been meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    /// What to do about it.
    pub(crate) text: String,
    /// The keyword of the same block that was probably meant.
    pub(crate) meant: Option<&'static str>,
}

/// Advice that has been given, so that it need not be found twice.
#[derive(Debug, Default)]
pub(crate) struct Advices(BTreeMap<(&'static str, String), Option<Advice>>);

impl Advices {
    /// Advice on an unknown keyword of `table`, on the first of those that need to be thought about.
    pub(crate) fn on(&mut self, word: &str, table: &'static Table) -> Option<Advice> {
        let key = (table.name, word.to_owned());
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        if self.0.len() >= MOST as usize {
            return None;
        }
        let advice = keyword(word, table);
        self.0.insert(key, advice.clone());
        advice
    }
}

/// Advice on an unknown keyword of `table`.
fn keyword(word: &str, table: &'static Table) -> Option<Advice> {
    let plain = |text: String| Some(Advice { text, meant: None });
    let meant = |text: String, meant| Some(Advice { text, meant });
    if let Some(hint) = characters::hint(word) {
        let bare: String = word.chars().filter(|c| !characters::is_unwanted(*c)).collect();
        return meant(hint, table.row(&bare).map(|r| r.name));
    }
    if let Some((name, value)) = word.split_once(['=', ':'])
        && let Some(row) = table.row(name)
    {
        let value = if value.is_empty() { "VALUE" } else { value };
        return meant(format!("write '{name} {value}': a blank stands before a value"), Some(row.name));
    }
    if let Some((c, looks_like)) = word.chars().find_map(|c| Some((c, self::plain(c)?))) {
        let looks: String = word.chars().map(plain_or).collect();
        let known = table.row(&looks).map(|r| r.name).or_else(|| nearest(&looks, table.rows));
        let what =
            format!("the character '{c}' (U+{:04X}) looks like '{looks_like}' but is another", u32::from(c));
        return meant(known.map_or(what.clone(), |name| format!("did you mean '{name}'? {what}")), known);
    }
    if let Some(c) = word.chars().find(|c| !c.is_ascii()) {
        return plain(format!(
            "it contains the character '{c}' (U+{:04X}), which no keyword has",
            u32::from(c)
        ));
    }
    if let Some((_, instead)) = OBSOLETE.iter().find(|(name, _)| *name == word) {
        return plain((*instead).to_owned());
    }
    // What every other name of this is called, and a spelling with capitals.
    let small = word.to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(name, _)| *name == small).map_or(small.as_str(), |(_, name)| name);
    if let Some(row) = table.rows.iter().find(|r| r.name.eq_ignore_ascii_case(alias)) {
        return meant(format!("did you mean '{}'?", row.name), Some(row.name));
    }
    if word.starts_with("include") {
        return plain(
            "'include FILE' reads a file; includer, includem, includew, includeb and includea are stricter"
                .into(),
        );
    }
    if let Some(near) = nearest(word, table.rows) {
        return meant(format!("did you mean '{near}'?"), Some(near));
    }
    if closest(word, ["include"].into_iter()).is_some() {
        return plain("did you mean 'include'?".into());
    }
    if let Some(block) = home(word) {
        return plain(format!("it is a keyword of '{block}'"));
    }
    if let Some(near) = nearest(word, TOP.rows) {
        return plain(format!("did you mean '{near}', which begins outside any block?"));
    }
    let (near, block) = nearest_inside(word, TOP.rows)?;
    plain(format!("did you mean '{near}', a keyword of '{block}'?"))
}

/// What people call keywords that have other names.
const ALIASES: [(&str, &str); 4] = [
    ("vrid", "virtual_router_id"),
    ("advert_interval", "advert_int"),
    ("advertisement_interval", "advert_int"),
    ("router_priority", "priority"),
];

/// Letters of other alphabets, and what they look like.
const LOOKALIKES: [(&str, &str); 3] = [
    (
        "\u{430}\u{435}\u{43e}\u{440}\u{441}\u{443}\u{445}\u{456}\u{455}\u{458}\u{43a}\u{442}\u{43c}\u{501}",
        "aeopcyxisjktmd",
    ),
    ("\u{410}\u{412}\u{415}\u{41a}\u{41c}\u{41d}\u{41e}\u{420}\u{421}\u{422}\u{425}", "ABEKMHOPCTX"),
    ("\u{3b1}\u{3bd}\u{3bf}\u{3c1}\u{2010}\u{2011}\u{2013}", "avop---"),
];

/// The ASCII character that another one looks like.
fn plain(c: char) -> Option<char> {
    LOOKALIKES
        .iter()
        .find_map(|(others, plain)| others.chars().zip(plain.chars()).find(|(o, _)| *o == c))
        .map(|(_, p)| p)
}

fn plain_or(c: char) -> char {
    plain(c).unwrap_or(c)
}

/// The keyword of `rows` that is closest to `word`, if it is close.
fn nearest(word: &str, rows: &'static [Row]) -> Option<&'static str> {
    closest(word, rows.iter().map(|r| r.name))
}

/// The name that is closest to `word`, if it is close.
pub(crate) fn closest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (word.len() / 4).clamp(1, 3);
    // Each edit brings in one new letter at most; this is far cheaper to find out than the distance.
    let letters = letters(word);
    names
        .filter(|name| name.len().abs_diff(word.len()) <= limit)
        .filter(|name| (letters & !self::letters(name)).count_ones() as usize <= limit)
        .map(|name| (distance(word.as_bytes(), name.as_bytes()), name))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, name)| name)
}

/// The keyword of any block that is closest to `word`, and the block; the outermost one if there are several.
fn nearest_inside(word: &str, rows: &'static [Row]) -> Option<(&'static str, &'static str)> {
    // Short words are close to too much.
    if word.len() < 8 {
        return None;
    }
    let blocks = || rows.iter().filter_map(|r| r.inside().map(|t| (r.name, t)));
    let here = blocks().find_map(|(block, t)| Some((nearest(word, t.rows)?, block)));
    here.or_else(|| blocks().find_map(|(_, t)| nearest_inside(word, t.rows)))
}

/// Which characters a word has: a bit for each of them, some of which share one.
fn letters(word: &str) -> u64 {
    word.bytes().fold(0, |set, b| set | 1 << (b & 63))
}

/// The block that has this keyword, the outermost one if there are several.
fn home(word: &str) -> Option<&'static str> {
    fn inside(rows: &'static [Row], word: &str) -> Option<&'static str> {
        let blocks = || rows.iter().filter_map(|r| r.inside().map(|t| (r.name, t)));
        let here = blocks().find(|(_, t)| t.row(word).is_some()).map(|(name, _)| name);
        here.or_else(|| blocks().find_map(|(_, t)| inside(t.rows, word)))
    }
    inside(TOP.rows, word)
}

/// How many bytes must be put in, taken out, changed, or swapped with their neighbour, to make `b` of `a`.
fn distance(a: &[u8], b: &[u8]) -> usize {
    // Three rows of the table of distances between the beginnings of both.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.iter().enumerate() {
        let mut left = i + 1;
        let mut row = vec![left];
        for (j, (y, (diagonal, up))) in b.iter().zip(above.iter().zip(above.iter().skip(1))).enumerate() {
            left = (diagonal + usize::from(x != y)).min(up + 1).min(left + 1);
            let swapped = j.checked_sub(1).filter(|&k| previous == Some(y) && b.get(k) == Some(x));
            if let Some(two_back) = swapped.and_then(|k| before.get(k)) {
                left = left.min(two_back + 1);
            }
            row.push(left);
        }
        before = std::mem::replace(&mut above, row);
        previous = Some(x);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::lvs::VIRTUAL_SERVER;
    use crate::config::schema::vrrp::VRRP_INSTANCE;

    #[test]
    fn near_misses_are_recognised() {
        for (word, table, hint) in [
            ("lvs_sync_daemon_inteface", &VRRP_INSTANCE, "did you mean 'lvs_sync_daemon_interface'?"),
            ("unicast_pear", &TOP, "did you mean 'unicast_peer', a keyword of 'vrrp_instance'?"),
            ("vvrp_script", &TOP, "did you mean 'vrrp_script'?"),
            ("prioritiy", &VRRP_INSTANCE, "did you mean 'priority'?"),
            (
                "p\u{433}eempt",
                &VRRP_INSTANCE,
                "it contains the character '\u{433}' (U+0433), which no keyword has",
            ),
            (
                "pr\u{435}empt",
                &VRRP_INSTANCE,
                "did you mean 'preempt'? the character '\u{435}' (U+0435) looks like 'e' but is another",
            ),
            (
                "virtual_router_\u{456}d",
                &VRRP_INSTANCE,
                "did you mean 'virtual_router_id'? the character '\u{456}' (U+0456) looks like 'i' but is another",
            ),
            ("nat_mask", &TOP, "it has no effect since LVS is in the kernel; remove it"),
            ("nb_get_retry", &VIRTUAL_SERVER, "please use 'retry'"),
            ("router_id", &VRRP_INSTANCE, "it is a keyword of 'global_defs'"),
        ] {
            assert_eq!(keyword(word, table).map(|a| a.text).as_deref(), Some(hint), "{word}");
        }
        assert_eq!(keyword("frobnicate", &VRRP_INSTANCE), None);
    }

    #[test]
    fn distances() {
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b"abc"), 0);
        assert_eq!(distance(b"state", b"sttae"), 1);
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
