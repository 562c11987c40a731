//! Rule lines: `[not] from NETWORK iif IF … table TABLE preference N`.

use super::super::diagnostic::Severity;
use super::super::model::{Rule, RuleAction};
use super::super::names::{NameTable, c_integer};
use super::super::schema::Table;
use super::super::schema::routes::STATIC_RULES;
use super::super::tree::Stmt;
use super::Build;
use super::route::{KEEPALIVED, realms, routing_table, selector};
use super::words::{Dropped, Words, decimal};
use crate::base::Family;

/// Names of IP protocols, and their numbers (IANA).
const IP_PROTOCOLS: [(&str, u8); 17] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ipencap", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

/// A rule line being read.
struct Reading<'s> {
    words: Words<'s>,
    rule: Rule,
    family: Option<Family>,
    action: Option<RuleAction>,
    is_static: bool,
}

/// Reads a rule line; `None` if it is to be dropped. `table` has the words it may have.
pub(crate) fn line(b: &mut Build<'_>, stmt: &Stmt, table: &'static Table) -> Option<Rule> {
    let mut reading = Reading {
        words: Words::of(stmt),
        rule: empty(),
        family: None,
        action: None,
        is_static: std::ptr::eq(table, &raw const STATIC_RULES),
    };
    while let Some(word) = reading.words.next() {
        reading.word(b, word).ok()?;
    }
    reading.finish(b, stmt).ok()
}

fn empty() -> Rule {
    Rule {
        family: Family::V4,
        inverted: false,
        from: None,
        to: None,
        preference: None,
        tos: None,
        mark: None,
        iif: None,
        oif: None,
        tunnel: None,
        users: None,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        realms: None,
        suppress_prefix: None,
        suppress_group: None,
        action: RuleAction::Nop,
        protocol: None,
        tracked: true,
        track_group: None,
    }
}

impl Reading<'_> {
    fn word(&mut self, b: &mut Build<'_>, word: &str) -> Result<(), Dropped> {
        let Self { words, rule, family, .. } = self;
        match word {
            "inet" => words.family(b, family, Family::V4)?,
            "inet6" => words.family(b, family, Family::V6)?,
            "from" => rule.from = selector(b, words, word, family)?,
            "to" => rule.to = selector(b, words, word, family)?,
            "not" => rule.inverted = true,
            "preference" | "order" | "priority" => {
                let value = words.value(b, word)?;
                let number = c_integer(value).and_then(|n| u32::try_from(n).ok());
                rule.preference =
                    Some(number.ok_or_else(|| bad(b, words, word, "a number from 0 to 4294967295"))?);
            }
            "tos" | "dsfield" => {
                rule.tos = u8::try_from(words.named(b, "TOS", NameTable::DsField, 255)?).ok();
            }
            "fwmark" => rule.mark = Some(mark(b, words)?),
            "realms" => {
                words.family(b, family, Family::V4)?;
                rule.realms = Some(realms(b, words)?);
            }
            "suppress_prefixlength" | "sup_pl" => {
                rule.suppress_prefix = Some(words.number(b, word, i32::MAX.unsigned_abs().into())?);
            }
            "suppress_ifgroup" | "sup_group" => {
                rule.suppress_group = Some(words.named(b, word, NameTable::Groups, u32::MAX)?);
            }
            "iif" | "dev" => rule.iif = Some(words.interface(b, word, "rule")?),
            "oif" => rule.oif = Some(words.interface(b, word, "rule")?),
            "tunnel-id" => rule.tunnel = Some(words.number(b, word, u64::MAX)?),
            "uidrange" => rule.users = Some(users(b, words)?),
            "protocol" => {
                if let Ok(protocol) = words.number(b, word, 255) {
                    rule.protocol = Some(protocol);
                }
            }
            "ipproto" => rule.ip_protocol = ip_protocol(b, words)?.or(rule.ip_protocol),
            "sport" => rule.source_ports = ports(b, words, word)?.or(rule.source_ports),
            "dport" => rule.destination_ports = ports(b, words, word)?.or(rule.destination_ports),
            "no_track" => rule.tracked = false,
            "track_group" if self.is_static => {
                let name = words.value(b, word)?;
                if super::statics::known_group(b, &words.place(), name) {
                    rule.track_group = Some(name.to_owned());
                }
            }
            "type" => {
                let value = words.value(b, word)?;
                self.action(b, value)?;
            }
            _ => self.action(b, word)?,
        }
        Ok(())
    }

    /// What the rule does; nothing else can be here.
    fn action(&mut self, b: &mut Build<'_>, word: &str) -> Result<(), Dropped> {
        let words = &mut self.words;
        let action = match word {
            "table" | "lookup" => match routing_table(b, words)? {
                0 => {
                    words.error(b, "Table 0 is not valid - dropping the rule");
                    return Err(Dropped);
                }
                table => RuleAction::Table(table),
            },
            "goto" => RuleAction::Goto(words.number(b, word, u32::MAX.into())?),
            "nop" => RuleAction::Nop,
            "l3mdev" => RuleAction::L3mdev,
            "blackhole" => RuleAction::Blackhole,
            "unreachable" => RuleAction::Unreachable,
            "prohibit" => RuleAction::Prohibit,
            _ => {
                words
                    .error(b, format!("Unknown rule option {word} - dropping the rule"))
                    .hint("a rule looks up a table, or is one of goto, nop, l3mdev, blackhole, unreachable, prohibit");
                return Err(Dropped);
            }
        };
        if self.action.replace(action).is_some() {
            words.error(b, "Cannot specify more than one of table/nop/goto/blackhole/prohibit/unreachable/l3mdev - dropping the rule");
            return Err(Dropped);
        }
        Ok(())
    }

    /// What concerns the whole line.
    fn finish(mut self, b: &mut Build<'_>, stmt: &Stmt) -> Result<Rule, Dropped> {
        let rule = &mut self.rule;
        let mut drop = |text: String| {
            b.report.error(&stmt.line, text);
            Err(Dropped)
        };
        let Some(action) = self.action else {
            return drop("No action specified for rule - dropping it".to_owned());
        };
        let only_tables =
            rule.realms.is_some() || rule.suppress_prefix.is_some() || rule.suppress_group.is_some();
        if only_tables && !matches!(action, RuleAction::Table(_)) {
            return drop(
                "realms and suppressors are for rules that look up a table - dropping the rule".to_owned(),
            );
        }
        match (action, rule.preference) {
            (RuleAction::Goto(target), None) => {
                return drop(format!(
                    "goto target {target} specified without preference - dropping the rule"
                ));
            }
            (RuleAction::Goto(target), Some(preference)) if preference >= target => {
                return drop(format!("preference {preference} >= goto target {target} - dropping the rule"));
            }
            _ => {}
        }
        rule.action = action;
        rule.family = self.family.unwrap_or(Family::V4);
        if rule.preference.is_none() {
            b.report
                .error(
                    &stmt.line,
                    "Rule has no preference specified - choosing one, counting down from 16384",
                )
                .hint("add preference: the order of rules should not depend on how many there are");
        }
        if rule.track_group.is_some() && rule.iif.is_none() {
            b.report
                .error(&stmt.line, "a rule with a track_group must have an iif - ignoring the track_group");
            rule.track_group = None;
        }
        if rule.tracked && rule.protocol.is_some_and(|p| p != KEEPALIVED) {
            b.report
                .error(
                    &stmt.line,
                    "Rule cannot be tracked with a protocol that is not keepalived - using keepalived",
                )
                .hint("add no_track to keep the protocol");
            rule.protocol = None;
        }
        Ok(self.rule)
    }
}

/// Says what the word that was read last should be.
fn bad(b: &mut Build<'_>, words: &Words<'_>, keyword: &str, what: &str) -> Dropped {
    let place = words.place();
    b.report.at(
        &place,
        Severity::Error,
        super::super::diagnostic::Class::Config,
        format!("'{keyword}' must be {what}, not '{}' - dropping the rule", place.text()),
    );
    Dropped
}

/// `MARK[/MASK]`, both in C notation.
fn mark(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<(u32, u32), Dropped> {
    let word = words.value(b, "fwmark")?;
    let (mark, mask) = word.split_once('/').unwrap_or((word, "0xffffffff"));
    let number = |text| c_integer(text).and_then(|n| u32::try_from(n).ok());
    let found = number(mark).zip(number(mask));
    found.ok_or_else(|| bad(b, words, "fwmark", "MARK or MARK/MASK"))
}

/// `START-END` of user ids.
fn users(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<(u32, u32), Dropped> {
    let word = words.value(b, "uidrange")?;
    let number = |text: &str| decimal(text).and_then(|n| u32::try_from(n).ok());
    let found = word.split_once('-').and_then(|(start, end)| number(start).zip(number(end)));
    let (start, end) = found.ok_or_else(|| bad(b, words, "uidrange", "START-END"))?;
    if start > end {
        // Stock says nothing, and the kernel refuses the rule.
        b.report.warning(&words.place(), format!("uidrange {word} is empty - dropping the rule"));
        return Err(Dropped);
    }
    Ok((start, end))
}

/// A name or number of an IP protocol; `None` if there is no such protocol, which drops the selector only.
fn ip_protocol(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<Option<u8>, Dropped> {
    let word = words.value(b, "ipproto")?;
    let known = IP_PROTOCOLS.iter().find(|p| p.0 == word).map(|p| p.1);
    let found = known.or_else(|| decimal(word).and_then(|n| u8::try_from(n).ok()));
    if found.is_none() {
        words
            .error(b, format!("Invalid ipproto {word} - ignoring it"))
            .hint("tcp, udp, icmp, … or a number from 0 to 255");
    }
    Ok(found)
}

/// `PORT` or `START-END`; `None` if it is neither, which drops the selector only.
fn ports(b: &mut Build<'_>, words: &mut Words<'_>, keyword: &str) -> Result<Option<(u16, u16)>, Dropped> {
    let word = words.value(b, keyword)?;
    let (start, end) = word.split_once('-').unwrap_or((word, word));
    let Some((start, end)) = decimal(start).zip(decimal(end)) else {
        words.error(b, format!("invalid {keyword} range {word} - ignoring it")).hint("PORT or START-END");
        return Ok(None);
    };
    match (u16::try_from(start), u16::try_from(end)) {
        (Ok(start), Ok(end)) if start <= end => Ok(Some((start, end))),
        _ => {
            // Stock says nothing, and the kernel refuses the rule.
            b.report.warning(
                &words.place(),
                format!("{keyword} {word} is not a range of ports - dropping the rule"),
            );
            Err(Dropped)
        }
    }
}
