//! `use_vmac` and `use_ipvlan`.

use super::super::grammar;
use super::super::model::{Ipvlan, IpvlanMode, Vmac, VmacAddress};
use super::super::names::NameTable;
use super::super::tree::Stmt;
use super::Build;
use super::instance::set_options;
use super::unicast::same_family;
use super::words::{Dropped, Words};
use crate::base::{Cidr, IfName, MacAddr};
use crate::host::loader::LinkKind;

/// The hardware addresses of virtual routers begin with these bytes; the one of the family follows (RFC 9568
/// section 7.3).
const VIRTUAL_ROUTER: [u8; 4] = [0x00, 0x00, 0x5e, 0x00];

/// What is wrong with an address of any other number of bytes.
const WRONG_LENGTH: &str = "must have six bytes, or five";

/// `use_vmac [[name] IFNAME] [MAC] [netlink_notify_msg] [group GROUP]`, in any order.
pub(crate) fn use_vmac(b: &mut Build<'_>, stmt: &Stmt) {
    let mut vmac = Vmac::default();
    let mut words = Words::from(stmt, 1);
    while let Some(word) = words.next() {
        match word {
            "netlink_notify_msg" => {
                vmac.notify_netlink = true;
                b.word_not_in_effect("use_vmac", "netlink_notify_msg", &words.place());
            }
            "group" => vmac.group = group(b, &mut words).unwrap_or(vmac.group),
            _ if word.contains(':') => match mac(word) {
                Ok(_) if vmac.mac.is_some() => {
                    words.error(b, "VMAC address is given twice - ignoring the second one");
                }
                Ok(mac) => vmac.mac = Some(mac),
                // Stock does not count the bytes.
                Err(why @ WRONG_LENGTH) => {
                    let text = format!("VMAC address {word} {why} - ignoring it");
                    b.report.warning(&words.place(), text);
                }
                Err(why) => {
                    words.error(b, format!("VMAC address {word} {why} - ignoring it"));
                }
            },
            _ => name(b, &mut words, word, &mut vmac.name, is_vmac),
        }
    }
    set_options(b, |p| p.vmac = Some(vmac));
}

/// `use_ipvlan [[name] IFNAME] [ADDRESS[/PREFIX]] [MODE] [group GROUP]`, in any order.
pub(crate) fn use_ipvlan(b: &mut Build<'_>, stmt: &Stmt) {
    if b.instance.as_ref().is_some_and(|d| d.instance.options.ipvlan.is_some()) {
        b.report.error(&stmt.line, "use_ipvlan is given twice - ignoring the second one");
        return;
    }
    let mut ipvlan = Ipvlan::default();
    let mut words = Words::from(stmt, 1);
    while let Some(word) = words.next() {
        let mode = match word {
            "bridge" => Some(IpvlanMode::Bridge),
            "private" => Some(IpvlanMode::Private),
            "vepa" => Some(IpvlanMode::Vepa),
            _ => None,
        };
        match (mode, word) {
            (Some(_), _) if ipvlan.mode.is_some() => {
                words.error(b, format!("ipvlan type already specified - ignoring '{word}'"));
            }
            (Some(_), _) => ipvlan.mode = mode,
            (None, "group") => ipvlan.group = group(b, &mut words).unwrap_or(ipvlan.group),
            _ => match address(word) {
                Some(_) if ipvlan.address.is_some() => {
                    words.error(b, format!("ipvlan address already specified - ignoring '{word}'"));
                }
                Some(cidr) if same_family(b, stmt, words.last(), cidr.ip) => ipvlan.address = Some(cidr),
                Some(_) => {}
                None => name(b, &mut words, word, &mut ipvlan.name, is_ipvlan),
            },
        }
    }
    set_options(b, |p| p.ipvlan = Some(ipvlan));
}

/// What is wrong with an interface of that name, if there is one already.
fn is_vmac(kind: LinkKind) -> Option<&'static str> {
    (kind != LinkKind::Macvlan { private: true }).then_some("is not a private macvlan")
}

fn is_ipvlan(kind: LinkKind) -> Option<&'static str> {
    (kind != LinkKind::Ipvlan { l2: true }).then_some("is not an l2 ipvlan")
}

/// `[name] IFNAME`.
fn name(
    b: &mut Build<'_>,
    words: &mut Words<'_>,
    word: &str,
    slot: &mut Option<IfName>,
    wrong: fn(LinkKind) -> Option<&'static str>,
) {
    let word = if word == "name" { words.next().unwrap_or(word) } else { word };
    if slot.is_some() {
        words.error(b, format!("interface name already specified - ignoring '{word}'"));
        return;
    }
    *slot = IfName::new(word).filter(|_| !word.contains(['/', ':']) && word != "." && word != "..");
    if slot.is_none() {
        words.error(b, format!("interface name '{word}' too long or invalid characters - ignoring it"));
    }
    let existing = slot.as_ref().and_then(|name| b.link(name));
    if let Some(why) = existing.and_then(|link| wrong(link.kind)) {
        words.error(b, format!("interface {word} already exists and {why}; ignoring the name"));
        *slot = None;
    }
}

/// The number of an interface group behind `group`.
fn group(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<Option<u32>, Dropped> {
    if words.peek().is_none() {
        words.error(b, "'group' is missing its value - ignoring it");
        return Err(Dropped);
    }
    words.named(b, "group", NameTable::Groups, u32::MAX).map(Some)
}

/// Six bytes, or five that the virtual router id is put behind; or why not.
fn mac(word: &str) -> Result<VmacAddress, &'static str> {
    let bytes: Option<Vec<u8>> = word.split(':').map(octet).collect();
    let bytes = bytes.ok_or("is not a hardware address")?;
    if bytes.first().is_some_and(|b| b & 1 != 0) {
        return Err("is a multicast one");
    }
    if bytes.starts_with(&VIRTUAL_ROUTER) && matches!(bytes.get(4), Some(1 | 2)) {
        return Err("is one of RFC 9568, which need not be named");
    }
    match bytes[..] {
        [a, b, c, d, e, f] => Ok(VmacAddress::Whole(MacAddr([a, b, c, d, e, f]))),
        [a, b, c, d, e] => Ok(VmacAddress::Prefix([a, b, c, d, e])),
        _ => Err(WRONG_LENGTH),
    }
}

fn octet(text: &str) -> Option<u8> {
    if text.len() > 2 {
        return None;
    }
    u8::from_str_radix(text, 16).ok()
}

/// An address, perhaps with a prefix.
fn address(word: &str) -> Option<Cidr> {
    match grammar::address(word)? {
        (ip, None) => Some(Cidr::host(ip)),
        (ip, Some(prefix)) => Cidr::new(ip, prefix.parse().ok()?),
    }
}
