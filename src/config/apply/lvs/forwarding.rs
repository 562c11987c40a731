//! `lb_kind`, `lvs_method`, `sorry_server_lvs_method`.

use super::super::Build;
use crate::config::grammar;
use crate::config::model::lvs::{Checksum, Forwarding, Tunnel};
use crate::config::tree::Stmt;

/// Reads a method. An unknown one leaves the `old`; with bad options the method counts and the old tunnel stays.
pub(super) fn read(b: &mut Build<'_>, stmt: &Stmt, old: Option<Forwarding>) -> Option<Forwarding> {
    let word = stmt.word(1).unwrap_or_default();
    if !matches!(word, "NAT" | "DR" | "TUN") {
        let text = format!("unknown routing method '{word}'");
        b.report.error(&stmt.place(1), text).hint("NAT, DR and TUN are understood, in capitals");
        return old;
    }
    let tunnel = tunnel(stmt);
    if let Err((n, text)) = &tunnel {
        b.report.error(&stmt.place(*n), text.as_str());
    }
    Some(match word {
        "NAT" => Forwarding::Nat,
        "DR" => Forwarding::Direct,
        _ => match (tunnel, old) {
            (Ok(tunnel), _) => Forwarding::Tunnel(tunnel),
            (Err(_), Some(Forwarding::Tunnel(old))) => Forwarding::Tunnel(old),
            (Err(_), _) => Forwarding::Tunnel(Tunnel::Ipip),
        },
    })
}

/// The options behind the method; or what is wrong with which word.
fn tunnel(stmt: &Stmt) -> Result<Tunnel, (usize, String)> {
    let (mut kind, mut port, mut checksum) = ("ipip", None, Checksum::None);
    let mut n = 2;
    while let Some(word) = stmt.word(n) {
        match word {
            "type" => {
                n += 1;
                kind = match stmt.word(n) {
                    Some(kind @ ("ipip" | "gue" | "gre")) => kind,
                    Some(other) => return Err((n, format!("Unknown tunnel type '{other}'"))),
                    None => return Err((n - 1, "Missing tunnel type".into())),
                };
            }
            "port" => {
                n += 1;
                port = match stmt.word(n).map(grammar::integer) {
                    Some((Some(p @ 1..=65_535), "")) => u16::try_from(p).ok(),
                    Some(_) => return Err((n, "Invalid gue tunnel port".into())),
                    None => return Err((n - 1, "Missing port of gue tunnel".into())),
                };
            }
            "nocsum" => checksum = Checksum::None,
            "csum" => checksum = Checksum::Full,
            "remcsum" => checksum = Checksum::Remote,
            other => return Err((n, format!("Invalid tunnel option '{other}'"))),
        }
        n += 1;
    }
    match (kind, port, checksum) {
        ("gue", Some(port), _) => Ok(Tunnel::Gue { port, checksum }),
        ("gue", None, _) | (_, Some(_), _) => {
            Err((1, "gue tunnels require a port, others cannot have one".into()))
        }
        ("gre", None, Checksum::Remote) => Err((1, "gre tunnels have no remote checksum".into())),
        ("gre", None, _) => Ok(Tunnel::Gre { checksum }),
        (_, None, Checksum::None) => Ok(Tunnel::Ipip),
        (_, None, _) => Err((1, "ipip tunnels have no checksum".into())),
    }
}
