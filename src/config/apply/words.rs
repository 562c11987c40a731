//! A line read word by word.

use std::net::IpAddr;

use super::super::diagnostic::{Class, Diagnostic, Severity};
use super::super::grammar;
use super::super::lines::Line;
use super::super::names::NameTable;
use super::super::tree::Stmt;
use super::Build;
use crate::base::{Cidr, Family};

/// The line is to be dropped; why has been said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dropped;

/// Where we are in a line.
#[derive(Debug)]
pub(super) struct Words<'s> {
    stmt: &'s Stmt,
    /// The number of the next word.
    n: usize,
}

impl<'s> Words<'s> {
    /// From the beginning.
    pub(super) const fn of(stmt: &'s Stmt) -> Self {
        Self::from(stmt, 0)
    }

    /// From word number `n` on.
    pub(super) const fn from(stmt: &'s Stmt, n: usize) -> Self {
        Self { stmt, n }
    }

    /// The next word, which stays the next one.
    pub(super) fn peek(&self) -> Option<&'s str> {
        self.stmt.word(self.n)
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'s str> {
        let word = self.peek();
        self.n += usize::from(word.is_some());
        word
    }

    /// Skips the next word if it is this one.
    pub(super) fn skip(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.n += usize::from(found);
        found
    }

    /// The next word if it is one of these.
    pub(super) fn next_of(&mut self, words: &[&str]) -> Option<&'s str> {
        self.peek().filter(|w| words.contains(w)).inspect(|_| self.n += 1)
    }

    /// The number of the word that was read last.
    pub(super) const fn last(&self) -> usize {
        self.n.saturating_sub(1)
    }

    /// Where the word is that was read last.
    pub(super) fn place(&self) -> Line {
        self.stmt.place(self.n.saturating_sub(1))
    }

    /// The word behind `keyword`, without which stock stops at once with status 2.
    pub(super) fn value(&mut self, b: &mut Build<'_>, keyword: &str) -> Result<&'s str, Dropped> {
        self.next().ok_or_else(|| {
            let line = self.stmt.word(0).unwrap_or_default();
            let text = format!(
                "*** Configuration line starting `{line}` is missing a parameter after keyword `{keyword}` at word position {}",
                self.n + 1
            );
            b.report.at(&self.place(), Severity::Error, Class::Fatal, text).refuses(2);
            Dropped
        })
    }

    /// Reports an error at the word that was read last.
    pub(super) fn error<'b>(&self, b: &'b mut Build<'_>, text: impl Into<String>) -> &'b mut Diagnostic {
        b.report.error(&self.place(), text)
    }

    /// A decimal number behind `keyword`.
    pub(super) fn number<T: TryFrom<u64>>(
        &mut self,
        b: &mut Build<'_>,
        keyword: &str,
        max: u64,
    ) -> Result<T, Dropped> {
        let word = self.value(b, keyword)?;
        decimal(word).filter(|n| *n <= max).and_then(|n| T::try_from(n).ok()).ok_or_else(|| {
            self.error(b, format!("'{keyword}' must be a number from 0 to {max}, not '{word}'"));
            Dropped
        })
    }

    /// A number or name of a name table behind `keyword`, up to `max`.
    pub(super) fn named(
        &mut self,
        b: &mut Build<'_>,
        keyword: &str,
        table: NameTable,
        max: u32,
    ) -> Result<u32, Dropped> {
        let word = self.value(b, keyword)?;
        b.named(table, word).filter(|n| *n <= max).ok_or_else(|| {
            self.error(b, format!("{keyword} {word} not found or invalid"))
                .hint("a number, or a name of the file of that kind in /etc/iproute2 or /usr/share/iproute2");
            Dropped
        })
    }

    /// An address behind `keyword`, which must not contradict `family`.
    pub(super) fn address(
        &mut self,
        b: &mut Build<'_>,
        keyword: &str,
        family: &mut Option<Family>,
    ) -> Result<IpAddr, Dropped> {
        let stated = match self.peek() {
            Some("inet") => Some(Family::V4),
            Some("inet6") => Some(Family::V6),
            _ => None,
        };
        if stated.is_some() && keyword == "via" {
            self.n += 1;
        }
        let word = self.value(b, keyword)?;
        match grammar::address(word) {
            Some((ip, None)) => {
                self.family(b, family, Family::of(ip))?;
                if stated.is_some_and(|s| s != Family::of(ip)) {
                    self.error(b, format!("{ip} is not of the family that stands before it"));
                    return Err(Dropped);
                }
                Ok(ip)
            }
            _ => {
                self.error(b, format!("'{word}' is not an address"));
                Err(Dropped)
            }
        }
    }

    /// A network, which must not contradict `family`: an address with or without prefix.
    pub(super) fn network(
        &self,
        b: &mut Build<'_>,
        word: &str,
        family: &mut Option<Family>,
    ) -> Result<Cidr, Dropped> {
        let cidr = grammar::address(word).and_then(|(ip, prefix)| match prefix {
            None => Some(Cidr::host(ip)),
            Some(p) => decimal(p).and_then(|p| u8::try_from(p).ok()).and_then(|p| Cidr::new(ip, p)),
        });
        let Some(cidr) = cidr else {
            self.error(b, format!("'{word}' is not an address or network"));
            return Err(Dropped);
        };
        self.family(b, family, Family::of(cidr.ip))?;
        Ok(cidr)
    }

    /// Notes the family of an address.
    pub(super) fn family(
        &self,
        b: &mut Build<'_>,
        family: &mut Option<Family>,
        this: Family,
    ) -> Result<(), Dropped> {
        if *family.get_or_insert(this) == this {
            return Ok(());
        }
        self.error(b, "Cannot mix IPv4 and IPv6 addresses");
        Err(Dropped)
    }

    /// The name of an interface behind `keyword`; it must exist unless `dynamic_interfaces` is on.
    pub(super) fn interface(
        &mut self,
        b: &mut Build<'_>,
        keyword: &str,
        what: &str,
    ) -> Result<crate::base::IfName, Dropped> {
        self.value(b, keyword)?;
        b.interface(self.stmt, self.n - 1, what).ok_or(Dropped)
    }
}

/// Decimal digits and nothing else, but for a plus sign.
pub(super) fn decimal(word: &str) -> Option<u64> {
    let digits = word.strip_prefix('+').unwrap_or(word);
    digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl Build<'_> {
    /// The number that a word stands for in a name table.
    pub(super) fn named(&mut self, table: NameTable, word: &str) -> Option<u32> {
        let files = &self.config.globals.options.files;
        let dirs = (files.iproute_usr.as_deref(), files.iproute_etc.as_deref());
        self.names.number(self.loader, dirs, table, word)
    }
}
