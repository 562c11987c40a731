//! `encap` of routes and next hops. An unknown type, and one that nothing follows, drop the encapsulation alone; a bad
//! value behind it drops the route, which would otherwise carry packets past their tunnel. So does stock, or the kernel.

use super::super::super::model::{Encap, IpEncap};
use super::super::super::names::NameTable;
use super::super::Build;
use super::super::words::{Dropped, Words, decimal};
use crate::base::Family;

/// Reads what stands behind `encap`; `None` if it cannot be used.
pub(super) fn read(
    b: &mut Build<'_>,
    words: &mut Words<'_>,
    _keyword: &str,
) -> Result<Option<Encap>, Dropped> {
    let Some(kind) = words.next() else {
        words.error(b, "Missing encap type").hint("ip, ip6, mpls or ila");
        return Ok(None);
    };
    match kind {
        "ip" => ip(b, words, Family::V4),
        "ip6" => ip(b, words, Family::V6),
        "mpls" => {
            let word = words.value(b, kind)?;
            let labels: Option<Vec<u32>> = word.split('/').map(label).collect();
            if labels.is_none() {
                words
                    .error(b, format!("invalid mpls address {word} for encapsulation"))
                    .hint("LABEL[/LABEL…], each below 1048576");
            }
            labels.map(|l| Some(Encap::Mpls(l))).ok_or(Dropped)
        }
        "ila" => {
            let word = words.value(b, kind)?;
            let locator = locator(word);
            if locator.is_none() {
                words
                    .error(b, format!("invalid locator {word} for ila encapsulation"))
                    .hint("H:H:H:H, hexadecimal");
            }
            locator.map(|l| Some(Encap::Ila(l))).ok_or(Dropped)
        }
        _ => {
            words.error(b, format!("Unknown encap type - {kind}")).hint("ip, ip6, mpls or ila");
            // Its value is not a word of the route.
            if words.peek().and_then(decimal).is_some() {
                words.next();
            }
            Ok(None)
        }
    }
}

/// A label of 20 bits.
fn label(word: &str) -> Option<u32> {
    decimal(word).and_then(|n| u32::try_from(n).ok()).filter(|n| *n < 1 << 20)
}

/// Four groups of 16 bits.
fn locator(word: &str) -> Option<u64> {
    let mut groups = word.split(':');
    let mut locator = 0;
    for _ in 0..4 {
        let group = groups.next().filter(|g| g.len() <= 4)?;
        locator = locator << 16 | u64::from(u16::from_str_radix(group, 16).ok()?);
    }
    groups.next().is_none().then_some(locator)
}

/// The options of `encap ip` and `encap ip6`, as far as they go.
fn ip(b: &mut Build<'_>, words: &mut Words<'_>, family: Family) -> Result<Option<Encap>, Dropped> {
    let mut found =
        IpEncap { family, id: None, destination: None, source: None, tos: None, ttl: None, flags: None };
    let (tos, ttl) = match family {
        Family::V4 => ("tos", "ttl"),
        Family::V6 => ("tc", "hoplimit"),
    };
    let mut good = true;
    while let Some(word) = words.next_of(&["id", "dst", "src", tos, ttl, "flags"]) {
        let mut outer = Some(family);
        let read = match word {
            "id" => words.number(b, word, u64::MAX).map(|n| found.id = Some(n)),
            "dst" => words.address(b, word, &mut outer).map(|ip| found.destination = Some(ip)),
            "src" => words.address(b, word, &mut outer).map(|ip| found.source = Some(ip)),
            "flags" => words.number(b, word, u16::MAX.into()).map(|n| found.flags = Some(n)),
            _ if word == tos => {
                words.named(b, "dsfield", NameTable::DsField, 255).map(|n| found.tos = u8::try_from(n).ok())
            }
            _ => words.number(b, word, 255).map(|n| found.ttl = Some(n)),
        };
        good &= read.is_ok();
    }
    if good && found.destination.is_none() && found.id.is_none() {
        words.error(b, "address or id missing for ip encapsulation");
        return Ok(None);
    }
    if good { Ok(Some(Encap::Ip(found))) } else { Err(Dropped) }
}
