//! The keywords of `virtual_server`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::super::Build;
use super::{Server, first_command, forwarding, number, text};
use crate::base::Family;
use crate::config::grammar;
use crate::config::lines::Line;
use crate::config::model::lvs::{
    Forwarding, Granularity, Protocol, Scheduler, Service, SorryServer, Timing, VirtualServer,
};
use crate::config::tree::Stmt;

/// How long a client stays with its server if nothing else is written.
pub(crate) const PERSISTENCE: Duration = Duration::from_secs(360);

/// Keywords that checks come back to.
const CHECKED: [&str; 9] = [
    "ha_suspend",
    "protocol",
    "ops",
    "quorum",
    "hysteresis",
    "sorry_server",
    "sorry_server_inhibit",
    "quorum_up",
    "quorum_down",
];

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(service) = service(stmt) else { return };
    let family = match &service {
        Service::Address { ip, .. } => Some(Family::of(*ip)),
        _ => None,
    };
    let lines = stmt.body.iter().filter(|s| CHECKED.contains(&s.row.name));
    b.lvs.server = Some(Server {
        server: new(service, family),
        at: header(stmt),
        lines: lines.map(|s| (s.row.name, s.place(s.len().min(2) - 1))).collect(),
        reals: Vec::new(),
        commands: Vec::new(),
        skipped: Vec::new(),
    });
    b.run("virtual_server", &stmt.body);
    let Some(mut server) = b.lvs.server.take() else { return };
    sorry_family(b, &mut server);
    b.lvs.servers.push(server);
}

/// The address of a service or server, for what concerns all of it.
pub(super) fn header(stmt: &Stmt) -> Line {
    stmt.place(1)
}

/// What the header says; `None` if it is bad, which has been told.
fn service(stmt: &Stmt) -> Option<Service> {
    let first = stmt.word(1)?;
    match (first, stmt.word(2)) {
        ("group", Some(name)) => Some(Service::Group(name.to_owned())),
        ("fwmark", Some(mark)) => grammar::integer(mark).0?.try_into().ok().map(Service::Mark),
        _ => endpoint(stmt, 1).map(|(ip, port)| Service::Address { ip, port }),
    }
}

/// An address and perhaps a port in the words from number `n` on; 0 is no port.
pub(super) fn endpoint(stmt: &Stmt, n: usize) -> Option<(IpAddr, u16)> {
    let address = stmt.word(n)?.split(['-', '/']).next()?;
    let (ip, _) = grammar::address(address)?;
    let port = match stmt.word(n + 1) {
        None => 0,
        Some(word) => match grammar::integer(word) {
            (Some(port), "") => u16::try_from(port).ok()?,
            _ => return None,
        },
    };
    Some((ip, port))
}

const fn new(service: Service, family: Option<Family>) -> VirtualServer {
    VirtualServer {
        service,
        family,
        protocol: None,
        scheduler: None,
        flag1: false,
        flag2: false,
        flag3: false,
        ops: false,
        forwarding: None,
        persistence_engine: None,
        persistence_timeout: None,
        persistence_granularity: None,
        timing: Timing {
            retry: None,
            delay_before_retry: None,
            warmup: None,
            delay_loop: None,
            connect_timeout: None,
        },
        alpha: false,
        omega: false,
        inhibit_on_failure: false,
        ha_suspend: false,
        smtp_alert: None,
        virtualhost: None,
        snmp_name: None,
        quorum: None,
        hysteresis: None,
        quorum_up: None,
        quorum_down: None,
        weight: None,
        sorry: None,
        real_servers: Vec::new(),
    }
}

/// At the end of the block: a sorry server of another family can only be reached through a tunnel. If nothing else
/// has told the family, it does.
fn sorry_family(b: &mut Build<'_>, server: &mut Server) {
    let Some(sorry) = &server.server.sorry else { return };
    let family = Family::of(sorry.ip);
    if matches!(sorry.forwarding, Some(Forwarding::Tunnel(_)))
        || *server.server.family.get_or_insert(family) == family
    {
        return;
    }
    let text = format!(
        "Address family of virtual server and sorry server {} don't match - skipping sorry server.",
        sorry.ip
    );
    let hint = "behind TUN it may be of the other family, if lb_kind stands above sorry_server";
    b.report.error(server.line("sorry_server"), text).hint(hint);
    server.server.sorry = None;
}

fn set(b: &mut Build<'_>, set: impl FnOnce(&mut VirtualServer)) {
    if let Some(draft) = &mut b.lvs.server {
        set(&mut draft.server);
    }
}

fn is(b: &Build<'_>, test: impl FnOnce(&VirtualServer) -> bool) -> bool {
    b.lvs.server.as_ref().is_some_and(|d| test(&d.server))
}

/// A keyword without argument: whatever follows it, it is on.
pub(crate) fn flag(b: &mut Build<'_>, stmt: &Stmt) {
    set(b, |s| {
        let flag = match stmt.row.name {
            "alpha" => &mut s.alpha,
            "omega" => &mut s.omega,
            "inhibit_on_failure" => &mut s.inhibit_on_failure,
            "ha_suspend" => &mut s.ha_suspend,
            "flag-1" => &mut s.flag1,
            "flag-2" => &mut s.flag2,
            "flag-3" => &mut s.flag3,
            _ => &mut s.ops,
        };
        *flag = true;
    });
}

/// `hashed`, `sh-port` and their kin, which must follow `lb_algo sh` or `lb_algo mh`.
pub(crate) fn hash_flag(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.row.name;
    if !is(b, |s| matches!(s.scheduler, Some(Scheduler::Sh | Scheduler::Mh))) {
        let wanted = if name.starts_with("mh") { "mh" } else { "sh" };
        let text = format!("{name} only applies to {wanted} scheduler - ignoring");
        b.report.error(&stmt.line, text).hint(format!("it must stand below lb_algo {wanted}"));
        return;
    }
    let maglev = is(b, |s| s.scheduler == Some(Scheduler::Mh));
    if name != "hashed" && name.starts_with("mh") != maglev {
        b.report.warning(&stmt.line, format!("{name} has no meaning for this scheduler"));
        return;
    }
    set(b, |s| match name {
        "sh-fallback" | "mh-fallback" => s.flag1 = true,
        "sh-port" | "mh-port" => s.flag2 = true,
        _ => {}
    });
}

pub(crate) fn ip_family(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let Some(family) = family(word) else {
        b.report.error(&stmt.place(1), format!("unknown address family {word}")).hint("inet or inet6");
        return;
    };
    if is(b, |s| s.family.is_some_and(|f| f != family)) {
        let text = format!("Virtual server specified family {word} conflicts with server family");
        b.report.error(&stmt.place(1), text);
        return;
    }
    set(b, |s| s.family = Some(family));
}

/// `inet` or `inet6`.
pub(super) fn family(word: &str) -> Option<Family> {
    match word {
        "inet" => Some(Family::V4),
        "inet6" => Some(Family::V6),
        _ => None,
    }
}

pub(crate) fn scheduler(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    match Scheduler::ALL.into_iter().find(|s| s.name() == word) {
        Some(scheduler) => set(b, |s| s.scheduler = Some(scheduler)),
        None => {
            let names: Vec<_> = Scheduler::ALL.map(Scheduler::name).to_vec();
            let text = format!("Invalid lvs_scheduler '{word}' - ignoring");
            b.report.error(&stmt.place(1), text).hint(format!("one of {}", names.join(", ")));
        }
    }
}

pub(crate) fn method(b: &mut Build<'_>, stmt: &Stmt) {
    let old = b.lvs.server.as_ref().and_then(|d| d.server.forwarding);
    let new = forwarding::read(b, stmt, old);
    set(b, |s| s.forwarding = new);
}

pub(crate) fn persistence_engine(b: &mut Build<'_>, stmt: &Stmt) {
    const MAX: usize = 15;
    let mut name = text(stmt).unwrap_or_default();
    if name.len() > MAX {
        let text = format!("persistence_engine '{name}' is longer than {MAX} bytes - truncating");
        b.report.error(&stmt.place(1), text);
        let end = (0..=MAX).rev().find(|n| name.is_char_boundary(*n)).unwrap_or(0);
        name.truncate(end);
    }
    set(b, |s| s.persistence_engine = Some(name));
}

pub(crate) fn persistence_timeout(b: &mut Build<'_>, stmt: &Stmt) {
    let time = match stmt.word(1) {
        None => Some(PERSISTENCE),
        Some(_) => number(b, stmt).map(|n| Duration::from_secs(n.into())),
    };
    if time.is_some() {
        set(b, |s| s.persistence_timeout = time);
    }
}

pub(crate) fn persistence_granularity(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let known = b.lvs.server.as_ref().and_then(|d| d.server.family);
    let family = known.unwrap_or(if word.contains('.') { Family::V4 } else { Family::V6 });
    let mask = match family {
        Family::V4 => netmask(b, stmt, word).map(Granularity::V4),
        Family::V6 => match grammar::integer(word) {
            (Some(n @ 1..=128), "") => u8::try_from(n).ok().map(Granularity::V6),
            _ => None,
        },
    };
    let Some(mask) = mask else {
        let (name, want) = match family {
            Family::V4 => ("IPv4", "a netmask such as 255.255.255.0"),
            Family::V6 => ("IPv6", "a prefix length from 1 to 128"),
        };
        let text = format!("Invalid {name} persistence_granularity specified - {word}");
        b.report.error(&stmt.place(1), text).hint(want);
        return;
    };
    set(b, |s| {
        s.family = Some(family);
        s.persistence_granularity = Some(mask);
        s.persistence_timeout.get_or_insert(PERSISTENCE);
    });
}

/// A number as C writes it: decimal, `0x` and hexadecimal, or `0` and octal.
fn c_number(text: &str) -> Option<u64> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    // `from_str_radix` would take a sign.
    digits.chars().all(|c| c.is_digit(radix)).then(|| u64::from_str_radix(digits, radix).ok())?
}

/// A netmask. Stock reads one to four numbers as C's `inet_aton` does, so that `24` is 0.0.0.24.
fn netmask(b: &mut Build<'_>, stmt: &Stmt, word: &str) -> Option<u32> {
    let parts: Vec<u64> = word.split('.').map(c_number).collect::<Option<_>>()?;
    let (last, bytes) = parts.split_last()?;
    let room = 32_u32.checked_sub(8 * u32::try_from(bytes.len()).ok()?).filter(|r| *r > 0)?;
    if bytes.iter().any(|p| *p > 255) || *last >= 1 << room {
        return None;
    }
    let high = bytes.iter().fold(0, |n, p| n << 8 | p) << room;
    let mask = u32::try_from(high | last).ok()?;
    if mask.leading_ones() + mask.trailing_zeros() < 32 {
        let text = format!("persistence_granularity {word} is the mask {}", Ipv4Addr::from(mask));
        b.report.warning(&stmt.place(1), text).hint("a netmask such as 255.255.255.0 was probably meant");
    }
    Some(mask)
}

pub(crate) fn protocol(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let known = [("TCP", Protocol::Tcp), ("UDP", Protocol::Udp), ("SCTP", Protocol::Sctp)];
    match known.into_iter().find(|k| k.0.eq_ignore_ascii_case(word)) {
        Some((_, protocol)) => set(b, |s| s.protocol = Some(protocol)),
        None => {
            let text = format!("Unknown protocol {word} - ignoring");
            b.report.error(&stmt.place(1), text).hint("TCP, UDP or SCTP");
        }
    }
}

pub(crate) fn smtp_alert(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        set(b, |s| s.smtp_alert = Some(on));
    }
}

pub(crate) fn virtualhost(b: &mut Build<'_>, stmt: &Stmt) {
    let was = is(b, |s| s.virtualhost.is_some());
    super::again(b, stmt, was);
    set(b, |s| s.virtualhost = text(stmt));
}

pub(crate) fn snmp_name(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(name) = super::snmp_name(b, stmt) {
        set(b, |s| s.snmp_name = Some(name));
    }
}

/// `quorum_up` and `quorum_down`.
pub(crate) fn quorum_script(b: &mut Build<'_>, stmt: &Stmt) {
    let is_this = |c: &super::script::Command| c.keyword == stmt.row.name;
    let taken = b.lvs.server.as_ref().is_some_and(|d| d.commands.iter().any(is_this));
    if let Some(command) = first_command(b, stmt, taken)
        && let Some(draft) = &mut b.lvs.server
    {
        draft.commands.push(command);
    }
}

pub(crate) fn quorum(b: &mut Build<'_>, stmt: &Stmt) {
    let quorum = number(b, stmt).unwrap_or(1);
    set(b, |s| s.quorum = Some(quorum));
}

pub(crate) fn hysteresis(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = number(b, stmt) {
        set(b, |s| s.hysteresis = Some(n));
    }
}

pub(crate) fn weight(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = number(b, stmt) {
        set(b, |s| s.weight = Some(n));
    }
}

pub(crate) fn sorry_server(b: &mut Build<'_>, stmt: &Stmt) {
    match endpoint(stmt, 1) {
        // The method that stands above it is its own from now on, whatever lb_kind says later.
        Some((ip, port)) => set(b, |s| {
            s.sorry = Some(SorryServer { ip, port, forwarding: s.forwarding, inhibit: false });
        }),
        None => {
            b.report.error(&stmt.place(1), "sorry_server has an invalid address or port - ignoring");
        }
    }
}

pub(crate) fn sorry_server_inhibit(b: &mut Build<'_>, stmt: &Stmt) {
    if !before_sorry(b, stmt) {
        set(b, |s| {
            if let Some(sorry) = &mut s.sorry {
                sorry.inhibit = true;
            }
        });
    }
}

pub(crate) fn sorry_server_method(b: &mut Build<'_>, stmt: &Stmt) {
    if before_sorry(b, stmt) {
        return;
    }
    // Without its argument stock complains of the missing server first.
    if stmt.len() < 2 {
        crate::config::tree::missing_argument(b.report, stmt, crate::config::schema::Missing::Fatal);
        return;
    }
    let old = b.lvs.server.as_ref().and_then(|d| d.server.sorry.as_ref()).and_then(|s| s.forwarding);
    let new = forwarding::read(b, stmt, old);
    set(b, |s| {
        if let Some(sorry) = &mut s.sorry {
            sorry.forwarding = new;
        }
    });
}

/// Says that a setting of the sorry server comes before it.
fn before_sorry(b: &mut Build<'_>, stmt: &Stmt) -> bool {
    let before = is(b, |s| s.sorry.is_none());
    if before {
        let text = format!("{} before or without sorry_server - ignoring", stmt.row.name);
        b.report.error(&stmt.line, text).hint("it must stand below sorry_server");
    }
    before
}
