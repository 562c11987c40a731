//! Keywords of `global_defs` that are not in effect yet.

mod files;
mod mail;
mod schedule;

pub(crate) use files::*;
pub(crate) use mail::*;
pub(crate) use schedule::*;

use std::time::Duration;

use super::super::model::{Fifo, GlobalOptions, ReceivePolicy, StageScript};
use super::super::tree::Stmt;
use super::words::decimal;
use super::{Build, options, put, script, user};

/// What is set.
type Slot<T> = fn(&mut GlobalOptions) -> &mut T;

fn slot<'b, T>(b: &'b mut Build<'_>, slot: Slot<T>) -> &'b mut T {
    slot(&mut b.config.globals.options)
}

/// A flag: its slot becomes true.
pub(crate) fn flag(b: &mut Build<'_>, to: Slot<bool>) {
    *slot(b, to) = true;
}

/// An optional boolean.
pub(crate) fn boolean(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<bool>>) {
    put(b.boolean(stmt), slot(b, to));
}

/// Stock 2.2.7 does not look at the argument, later ones want a boolean.
pub(crate) fn lenient_boolean(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<bool>>) {
    let word = stmt.word(1);
    let on = word.is_none_or(|w| super::super::grammar::boolean(w).unwrap_or(true));
    if let Some(word) = word.filter(|w| super::super::grammar::boolean(w).is_none()) {
        let text = format!("'{}' must be on or off, not '{word}'; on is used", stmt.row.name);
        b.report.warning(&stmt.place(1), text);
    }
    *slot(b, to) = Some(on);
}

/// A number.
pub(crate) fn number<T: TryFrom<i64>>(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<T>>) {
    put(b.number(stmt), slot(b, to));
}

/// A time with a fraction.
pub(crate) fn seconds(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<Duration>>) {
    put(b.seconds(stmt), slot(b, to));
}

/// A time with a fraction, the longest one if there are several.
pub(crate) fn longest(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<Duration>>) {
    let time = b.seconds(stmt);
    let slot = slot(b, to);
    *slot = (*slot).max(time);
}

/// A time without a fraction.
pub(crate) fn whole_seconds(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<Duration>>) {
    put(b.whole_seconds(stmt), slot(b, to));
}

/// A text, the last one if there are several.
pub(crate) fn text(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<String>>) {
    put(stmt.word(1).map(str::to_owned), slot(b, to));
}

/// A text that may be given once only.
pub(crate) fn text_once(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<String>>) {
    if slot(b, to).is_some() {
        b.report.error(&stmt.line, format!("{} is given twice - ignoring the second one", stmt.row.name));
    } else {
        text(b, stmt, to);
    }
}

/// The name of a process, which the kernel cuts off.
pub(crate) fn process_name(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Option<String>>) {
    const MAX: usize = 15;
    let word = stmt.word(1).unwrap_or_default();
    let mut end = word.len().min(MAX);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    if end < word.len() {
        b.report.error(&stmt.place(1), format!("process name {word} is longer than {MAX} bytes - truncated"));
    }
    *slot(b, to) = word.get(..end).map(str::to_owned);
}

/// `startup_script` or `shutdown_script`.
pub(crate) fn stage_script(b: &mut Build<'_>, stmt: &Stmt, to: Slot<StageScript>) {
    if !b.given.insert(stmt.row.name) {
        b.report.error(&stmt.line, format!("{} is given twice - ignoring the second one", stmt.row.name));
        return;
    }
    match script::stage(b, stmt) {
        Some(script) => slot(b, to).script = script,
        None => {
            b.given.remove(stmt.row.name);
        }
    }
}

/// `max_auto_priority [N]`.
pub(crate) fn max_auto_priority(b: &mut Build<'_>, stmt: &Stmt) {
    let number = if stmt.len() > 1 { b.number(stmt) } else { Some(99) };
    put(number, &mut b.config.globals.options.max_auto_priority);
}

/// `min_auto_priority_delay MICROSECONDS`.
pub(crate) fn min_auto_priority_delay(b: &mut Build<'_>, stmt: &Stmt) {
    let time = b.number(stmt).map(Duration::from_micros);
    put(time, &mut b.config.globals.options.min_auto_priority_delay);
}

/// Stock takes any word here.
pub(crate) fn default_interface(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    match crate::base::IfName::new(word) {
        Some(name) => b.config.globals.options.default_interface = Some(name),
        None => {
            b.report.warning(&stmt.place(1), format!("'{word}' cannot be an interface - ignoring"));
        }
    }
}

pub(crate) fn mcast_group6(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    match word.split(['-', '/']).next().unwrap_or_default().parse::<std::net::Ipv6Addr>() {
        Ok(group) if group.is_multicast() => {
            if !super::unicast::is_link_local_group(group) {
                let text = format!("vrrp_mcast_group6 {group} should be link-local multicast");
                b.report
                    .error(&stmt.place(1), text)
                    .hint("ff02::/16: other groups are for more than one link");
            }
            b.config.globals.mcast_group6 = Some(group);
        }
        _ => {
            let text = format!("'{}' needs an IPv6 multicast address, not '{word}'", stmt.row.name);
            b.report.error(&stmt.place(1), text);
        }
    }
}

pub(crate) fn garp_extra(b: &mut Build<'_>, stmt: &Stmt) {
    put(options::extra(b, stmt), &mut b.config.globals.options.garp_extra);
}

/// `vrrp_iptables [IN [OUT]]`.
pub(crate) fn iptables(b: &mut Build<'_>, stmt: &Stmt) {
    if b.config.globals.options.firewall.iptables.is_some() {
        b.report.error(&stmt.line, "vrrp_iptables is given twice - ignoring the second one");
        return;
    }
    if let Some(word) = stmt.words_from(1).find(|w| w.is_empty() || w.len() > 27) {
        let text = format!("the name of a chain has 1 to 27 bytes, which '{word}' has not - ignoring");
        b.report.error(&stmt.line, text);
        return;
    }
    let chains = match (stmt.word(1), stmt.word(2)) {
        (None, _) => ("INPUT".to_owned(), Some("OUTPUT".to_owned())),
        (Some(input), output) => (input.to_owned(), output.map(str::to_owned)),
    };
    b.config.globals.options.firewall.iptables = Some(chains);
    let text =
        "vrrp_iptables: nftables does what is asked for, in a table of its own and not in these chains";
    b.report.warning(&stmt.line, text).hint("use nftables, which has options for the table");
}

/// `vrrp_ipsets [NAME…]`.
pub(crate) fn ipsets(b: &mut Build<'_>, stmt: &Stmt) {
    let names: Vec<String> = stmt.words_from(1).take(6).map(str::to_owned).collect();
    let twice = names.iter().enumerate().any(|(n, name)| names.iter().take(n).any(|other| other == name));
    if twice || names.iter().any(|n| n.is_empty() || n.len() > 30) {
        let text = "names of sets have 1 to 30 bytes and differ - ignoring all of them";
        b.report.error(&stmt.line, text);
        return;
    }
    b.config.globals.options.firewall.ipsets = Some(names);
    let text = "vrrp_ipsets: addresses are in sets of nftables, which need no names";
    b.report.warning(&stmt.line, text);
}

/// `nftables [TABLE]`.
pub(crate) fn nftables(b: &mut Build<'_>, stmt: &Stmt) {
    let table = stmt.word(1).unwrap_or("keepalived");
    super::top::once(b, stmt, table, |b| &mut b.config.globals.options.firewall.nftables);
}

/// `…_fifo PATH [USER [GROUP]]`. An unknown user is only logged, and the pipe is not made.
pub(crate) fn fifo(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Fifo>) {
    if slot(b, to).path.is_some() {
        b.report.error(&stmt.line, format!("{} is given twice - ignoring the second one", stmt.row.name));
        return;
    }
    let owner = match stmt.len() {
        0..=2 => None,
        _ => match user::named(b, stmt, 2) {
            Ok(user) => Some(user),
            Err(why) => {
                b.report.warning(&stmt.place(2), format!("{why} - not making {}", stmt.row.name));
                return;
            }
        },
    };
    let path = stmt.word(1).map(str::to_owned);
    let fifo = slot(b, to);
    (fifo.path, fifo.owner) = (path, owner);
}

/// `…_fifo_script COMMAND`.
pub(crate) fn fifo_script(b: &mut Build<'_>, stmt: &Stmt, to: Slot<Fifo>) {
    if !b.given.insert(stmt.row.name) {
        b.report.error(&stmt.line, format!("{} is given twice - ignoring the second one", stmt.row.name));
        return;
    }
    let before = std::mem::take(&mut b.security.scripts);
    if let Some(script) = script::notify(b, stmt) {
        slot(b, to).script = script;
    }
    // What is read from the common one concerns virtual servers too.
    b.security.servers |= b.security.scripts && stmt.row.name == "notify_fifo_script";
    b.security.scripts |= before;
}

/// `snmp_socket TRANSPORT:ADDRESS`.
pub(crate) fn snmp_socket(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.len() > 2 {
        b.report.error(&stmt.place(2), "Too many parameters specified for snmp_socket - ignoring");
        return;
    }
    text_once(b, stmt, |g| &mut g.snmp.socket);
}

pub(crate) fn snmp_rfc(b: &mut Build<'_>, _stmt: &Stmt) {
    let snmp = &mut b.config.globals.options.snmp;
    (snmp.rfc_v2, snmp.rfc_v3) = (true, true);
}

/// `vrrp_rx_bufs_policy MTU|ADVERT|BYTES`.
pub(crate) fn receive_policy(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let policy = if word.eq_ignore_ascii_case("MTU") {
        ReceivePolicy::Mtu
    } else if word.eq_ignore_ascii_case("ADVERT") {
        ReceivePolicy::Advert
    } else if let Some(bytes) = decimal(word).and_then(|n| u32::try_from(n).ok()) {
        ReceivePolicy::Bytes(bytes)
    } else {
        let text = format!("Invalid vrrp_rx_bufs_policy {word}");
        b.report.error(&stmt.place(1), text).hint("MTU, ADVERT or a number of bytes");
        return;
    };
    if stmt.len() > 2 {
        b.report.error(&stmt.place(2), "vrrp_rx_bufs_policy can be one thing only - ignoring the rest");
    }
    b.config.globals.options.buffers.receive = Some(policy);
}

/// `vrrp_rx_bufs_multiplier N` and nothing else.
pub(crate) fn receive_multiplier(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.len() > 2 {
        b.report.error(&stmt.place(2), "vrrp_rx_bufs_multiplier must have one number - ignoring");
        return;
    }
    number(b, stmt, |g| &mut g.buffers.receive_multiplier);
}

/// `umask`.
pub(crate) fn umask(b: &mut Build<'_>, stmt: &Stmt) {
    let text: Vec<&str> = stmt.words_from(1).collect();
    match mask(&text.join(" ")) {
        Ok(mask) => b.config.globals.options.umask = Some(mask),
        Err(why) => {
            b.report
                .error(&stmt.place(1), format!("umask: {why} - ignoring"))
                .hint("a number up to 0777, or names of bits such as IRUSR | IWGRP | IRWXO");
        }
    }
}

/// A mask: a number in C notation, or names of bits with `|` between them; or why not.
fn mask(text: &str) -> Result<u16, String> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let number = super::super::names::c_integer(text).and_then(|n| u16::try_from(n).ok());
        return number.filter(|n| *n <= 0o777).ok_or_else(|| format!("invalid value {text}"));
    }
    let mut mask = 0;
    for name in text.split('|').map(str::trim) {
        mask |= bit(name).ok_or_else(|| format!("unknown bit '{name}'"))?;
    }
    Ok(mask)
}

/// `IRUSR` and its kin, or `IRWXU`, `IRWXG`, `IRWXO`.
fn bit(name: &str) -> Option<u16> {
    let (what, shift) = match name.strip_prefix('I')? {
        "RWXU" => (7, 6),
        "RWXG" => (7, 3),
        "RWXO" => (7, 0),
        name => {
            let what = match name.get(..1)? {
                "R" => 4,
                "W" => 2,
                "X" => 1,
                _ => return None,
            };
            let shift = match name.get(1..)? {
                "USR" => 6,
                "GRP" => 3,
                "OTH" => 0,
                _ => return None,
            };
            (what, shift)
        }
    };
    Some(what << shift)
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn masks() {
        for (text, value) in [
            ("0177", Some(0o177)),
            ("0x1f", Some(0x1f)),
            ("127", Some(127)),
            ("0777", Some(0o777)),
            ("01000", None),
            ("512", None),
            ("IRUSR", Some(0o400)),
            ("IRUSR|IWGRP | IXOTH", Some(0o421)),
            ("IRWXG", Some(0o070)),
            ("IRUSR|", None),
            ("IRUSR IWGRP", None),
            ("022 x", None),
            ("", None),
            ("-1", None),
            ("IÄUSR", None),
        ] {
            assert_eq!(mask(text).ok(), value, "{text}");
        }
    }
}
