//! `keepalived.stats`: what instances have counted, in stock's shape.

use std::fmt::Write as _;

use super::dump::view::View;
use crate::vrrp::auth::Authentication;
use crate::vrrp::machine::Counters;

/// Counters by the names that stock has for them. What is counted by kinds that stock does not tell apart is added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors {
    pub length: u64,
    pub ttl: u64,
    pub kind: u64,
    /// Stock has the name and never counts; an advert of version 2 with another interval is dropped here as there.
    pub interval: u64,
    pub addresses: u64,
    pub auth_invalid: u64,
    pub auth_mismatch: u64,
    pub auth_failure: u64,
    /// `auth_hmac`: missing, malformed, unknown key, wrong, stale, replayed.
    pub hmac: [u64; 6],
}

impl Errors {
    pub(super) fn of(counters: &Counters) -> Self {
        let mut errors = Self::default();
        for (kind, count) in &counters.rejects {
            let slot = match kind {
                0 => &mut errors.length,
                1 => &mut errors.ttl,
                3 => &mut errors.auth_invalid,
                4 => &mut errors.auth_mismatch,
                5 | 14 | 15 => &mut errors.auth_failure,
                6 => &mut errors.interval,
                7 => &mut errors.kind,
                9..=11 | 13 => &mut errors.addresses,
                16..=21 => match errors.hmac.get_mut(*kind as usize - 16) {
                    Some(slot) => slot,
                    None => continue,
                },
                // Stock shows neither wrong checksums nor wrong versions; and other kinds are accepted.
                _ => continue,
            };
            *slot += count;
        }
        errors
    }
}

/// The names of what `auth_hmac` counts.
const HMAC: [&str; 6] = ["Missing", "Malformed", "Unknown Key", "Invalid HMAC", "Stale", "Replay"];

/// The file. Instances that did not answer are not in it.
pub fn text(view: &View<'_>) -> String {
    let mut out = String::new();
    for plan in &view.plan.instances {
        let Some(observed) = view.findings.observed.get(&plan.id) else { continue };
        let hmac = matches!(plan.params.authentication, Authentication::Hmac(_));
        // A String takes everything.
        let _ = instance(&mut out, &plan.name, &observed.snapshot.counters, hmac);
    }
    out
}

fn instance(out: &mut String, name: &str, counters: &Counters, hmac: bool) -> std::fmt::Result {
    let errors = Errors::of(counters);
    writeln!(out, "VRRP Instance: {name}\n  Advertisements:")?;
    writeln!(out, "    Received: {}\n    Sent: {}", counters.advert_rcvd, counters.advert_sent)?;
    writeln!(
        out,
        "  Became master: {}\n  Released master: {}",
        counters.become_master, counters.release_master
    )?;
    writeln!(out, "  Packet Errors:\n    Length: {}\n    TTL: {}", errors.length, errors.ttl)?;
    writeln!(out, "    Invalid Type: {}\n    Advertisement Interval: {}", errors.kind, errors.interval)?;
    writeln!(out, "    Address List: {}", errors.addresses)?;
    writeln!(out, "  Authentication Errors:\n    Invalid Type: {}", errors.auth_invalid)?;
    writeln!(out, "    Type Mismatch: {}\n    Failure: {}", errors.auth_mismatch, errors.auth_failure)?;
    if hmac {
        writeln!(out, "  Authentication Extension Errors:")?;
        HMAC.iter().zip(errors.hmac).try_for_each(|(name, count)| writeln!(out, "    {name}: {count}"))?;
    }
    writeln!(out, "  Priority Zero:\n    Received: {}", counters.pri_zero_rcvd)?;
    writeln!(out, "    Sent: {}", counters.pri_zero_sent)
}
