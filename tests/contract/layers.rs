//! The doors between the rooms: which room may name which, and what must not happen in it.
//!
//! Reads the sources as text, which is rough but enough: a path that begins at the crate, spelt out, in a list of
//! `use`, or by way of `super`, is found. Tests may look into every room but `linux`.

use super::{files, project};

/// What a room may name, and what it must not contain.
struct Door {
    /// The room.
    room: &'static str,
    /// Rooms, or modules of rooms, that it may name besides itself.
    may: &'static [&'static str],
    /// What it must not contain: paths by their beginning, or words; in groups.
    never: &'static [&'static [&'static str]],
}

/// The system's own calls: for `linux` alone.
const CALLS: &[&str] = &["libc", "nix", "unsafe", "socket2", "std::process", "std::os"];
/// The clock is `host`'s, and so are timers.
const CLOCK: &[&str] = &["std::time::Instant", "std::time::SystemTime", "tokio::time"];
/// Files.
const FILES: &[&str] = &["std::fs"];
/// Whatever else reads the machine, waits, talks, or has an order that differs from run to run.
const WORLD: &[&str] = &[
    "tokio",
    "tracing",
    "jiff",
    "rand",
    "std::env",
    "std::thread",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "HashMap",
    "HashSet",
    "println",
    "eprintln",
    "dbg",
];
/// What decides does not even wait.
const PURE: &[&[&str]] = &[CALLS, CLOCK, FILES, WORLD, &["std::io", "async"]];
/// What describes the machine may name its errors, and what can be waited for.
const PORTS: &[&[&str]] = &[CALLS, CLOCK, FILES, WORLD];
/// What drives may wait and log.
const PORTABLE: &[&[&str]] = &[CALLS, CLOCK, FILES, &["HashMap", "HashSet"]];
/// The simulator makes its own time, threads are none of it; it may write down what it saw.
const SIMULATED: &[&[&str]] = &[CALLS, CLOCK, &["HashMap", "HashSet", "std::thread"]];

/// What may be named by whatever decides.
const FACTS: &[&str] = &["base", "wire", "host", "config::model"];
/// What may be named by those who drive it, and by those who report.
const SUBJECTS: &[&str] =
    &["base", "wire", "host", "config", "plan", "vrrp", "bfd", "track", "lvs", "kernel", "notify", "report"];

/// Files of otherwise pure rooms that drive machines: tasks, with sockets and logs.
const DRIVERS: &[&str] = &[
    "vrrp/instance.rs",
    "vrrp/mailbox.rs",
    "vrrp/instance/announce.rs",
    "vrrp/instance/decisions.rs",
    "vrrp/instance/facts.rs",
    "vrrp/instance/seat.rs",
    "vrrp/demux.rs",
    "vrrp/group_hub.rs",
    "vrrp/observed.rs",
    "vrrp/pacer.rs",
    "vrrp/bursts.rs",
    "kernel/reconciler.rs",
    "lvs/fetch.rs",
    "track/file.rs",
    "track/linkbeat.rs",
    "track/listeners.rs",
    "track/process_watch.rs",
    "track/script.rs",
];

const DOORS: &[Door] = &[
    Door { room: "base", may: &[], never: PURE },
    Door { room: "wire", may: &["base"], never: PURE },
    Door { room: "host", may: &["base"], never: PORTS },
    Door { room: "config", may: &["base", "host"], never: PURE },
    Door {
        room: "plan",
        may: &["base", "wire", "host", "config::model", "vrrp", "track", "kernel"],
        never: PURE,
    },
    Door { room: "vrrp", may: FACTS, never: PURE },
    Door { room: "bfd", may: FACTS, never: PURE },
    Door { room: "track", may: FACTS, never: PURE },
    Door { room: "lvs", may: FACTS, never: PURE },
    Door { room: "kernel", may: FACTS, never: PURE },
    Door { room: "notify", may: SUBJECTS, never: PORTABLE },
    Door { room: "report", may: SUBJECTS, never: PORTABLE },
    Door { room: "control", may: SUBJECTS, never: PORTABLE },
    Door { room: "linux", may: &["base", "wire", "host"], never: &[&["HashMap", "HashSet", "tokio::time"]] },
    Door { room: "sim", may: &["base", "wire", "host"], never: SIMULATED },
    Door { room: "daemon", may: SUBJECTS, never: PORTABLE },
    Door { room: "cli", may: &["base", "wire"], never: PURE },
    // The one place that names `linux`. It reads and prints, but leaves the system's own calls to that room.
    Door {
        room: "main",
        may: &["base", "cli", "config", "daemon", "host", "linux", "lvs", "plan", "report", "wire"],
        never: &[&["libc", "nix", "unsafe"]],
    },
    Door { room: "lib", may: &[], never: &[&["unsafe"]] },
];

/// The door of the drivers.
const DRIVER: Door = Door { room: "drivers", may: SUBJECTS, never: PORTABLE };

/// What `source`, the text of `file` (its path below `src`), does that it must not.
fn breaches(file: &str, source: &str) -> Vec<String> {
    let room = file.split(['/', '.']).next().unwrap_or_default();
    let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
    let door = if DRIVERS.contains(&file) { Some(&DRIVER) } else { DOORS.iter().find(|d| d.room == room) };
    let Some(door) = door else { return vec![format!("{file}: the room {room} has no door")] };

    let code = code(source);
    // Tests stand at the end of a file, or in a file of their own.
    let (code, tests) = match code.find("#[cfg(test)]mod tests{") {
        _ if is_test => ("", code.as_str()),
        Some(at) => code.split_at(at),
        None => (code.as_str(), ""),
    };
    let below = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let mut found: Vec<String> = (rooms(code, below).into_iter())
        .filter(|path| !begins(path, room) && !door.may.iter().any(|may| begins(path, may)))
        .map(|path| format!("{file}: names {path}"))
        .collect();
    found.extend(
        door.never
            .iter()
            .copied()
            .flatten()
            .filter(|w| contains(code, w))
            .map(|w| format!("{file}: contains {w}")),
    );
    if room != "linux" && room != "main" {
        let named =
            rooms(tests, below + usize::from(!is_test)).into_iter().any(|path| begins(&path, "linux"));
        found.extend(named.then(|| format!("{file}: a test names linux")));
        found.extend(contains(tests, "unsafe").then(|| format!("{file}: a test contains unsafe")));
    }
    found
}

/// Code without comments, strings, and white space that separates nothing.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            string(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            if rest.starts_with("'\\") { 4 } else { 3 }
        } else if c.is_whitespace() {
            let next = rest.trim_start();
            if code.ends_with(word) && next.starts_with(word) {
                code.push(' ');
            }
            rest.len() - next.len()
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[skip..];
    }
    code
}

/// Length of the string literal that `text` begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// All paths below the crate's root that `code` names; it stands `below` modules below that root.
fn rooms(code: &str, below: usize) -> Vec<String> {
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "keepalived_rs::".to_owned(), "super::".repeat(below)] {
        for (at, _) in code.match_indices(&root) {
            let outside = |c: char| !c.is_alphanumeric() && c != '_' && c != ':';
            if code[..at].ends_with(outside) || at == 0 {
                expand("", &code[at + root.len()..], &mut found);
            }
        }
    }
    found
}

/// Adds the paths that `text` begins with: `a::b`, or `{a::b,c}` with lists in lists.
fn expand(prefix: &str, text: &str, found: &mut Vec<String>) {
    let Some(list) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !c.is_alphanumeric() && !"_:*".contains(c)).unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        if rest.starts_with('{') && path.ends_with("::") {
            expand(&format!("{prefix}{path}"), rest, found);
        } else {
            found.push(format!("{prefix}{path}"));
        }
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                if at > start {
                    expand(prefix, &list[start..at], found);
                }
                if c == '}' {
                    return;
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Whether `path` is `beginning` or something in it.
fn begins(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether `code` has `what`: a word, or a path, spelt out or in a list of `use`.
fn contains(code: &str, what: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let first = what.split("::").next().unwrap_or(what);
    code.match_indices(first).any(|(at, _)| {
        let after = &code[at + first.len()..];
        if code[..at].ends_with(word) || after.starts_with(word) {
            return false;
        }
        let mut paths = Vec::new();
        if first != what {
            expand("", &code[at..], &mut paths);
        }
        first == what || paths.iter().any(|path| begins(path, what))
    })
}

#[test]
fn every_room_keeps_its_doors() {
    let root = project("src");
    let mut found = Vec::new();
    for path in files("src", ".rs") {
        let file = path.strip_prefix(&root).expect("it is below src").to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        found.extend(breaches(&file, &source));
    }
    assert!(found.is_empty(), "doors broken:\n{}", found.join("\n"));
}

#[test]
fn a_planted_breach_is_found() {
    for (file, source, breach) in [
        ("vrrp/machine.rs", "use tokio::sync::mpsc;", "contains tokio"),
        ("vrrp/machine.rs", "fn f() { tracing::info!(\"x\") }", "contains tracing"),
        ("vrrp/machine.rs", "use crate::{base::Vrid, linux::host};", "names linux::host"),
        ("vrrp/machine.rs", "use crate::config::{model::Config, load};", "names config::load"),
        ("vrrp/machine.rs", "use super::super::kernel::claim;", "names kernel::claim"),
        ("vrrp/mod.rs", "use super::track;", "names track"),
        ("vrrp/instance.rs", "unsafe { f() }", "contains unsafe"),
        ("vrrp/instance.rs", "use crate::sim::World;", "names sim::World"),
        ("base/time.rs", "use std::{fmt, time::{Duration, Instant}};", "contains std::time::Instant"),
        ("base/time.rs", "use crate::*;", "names *"),
        ("config/load.rs", "std::\n fs::read(\"x\")", "contains std::fs"),
        ("daemon/mod.rs", "keepalived_rs::linux::run()", "names linux::run"),
        ("sim/world.rs", "use crate::vrrp::Machine;", "names vrrp::Machine"),
        ("plan/mod.rs", "use std::collections::HashMap;", "contains HashMap"),
        ("plan/tests.rs", "use crate::linux::host;", "a test names linux"),
        ("plan/mod.rs", "#[cfg(test)]\nmod tests { use crate::linux; }", "a test names linux"),
        ("attic/mod.rs", "", "the room attic has no door"),
    ] {
        let found = breaches(file, source);
        assert_eq!(found, [format!("{file}: {breach}")], "{source}");
    }
}

#[test]
fn what_is_allowed_is_not_a_breach() {
    for (file, source) in [
        (
            "vrrp/machine.rs",
            "// tokio\nuse crate::base::{Vrid, Priority}; /* libc */ const A: &str = \"unsafe \\\" nix\";",
        ),
        (
            "vrrp/machine.rs",
            "use crate::config::model::Config; use super::{timers, event}; fn unsafe_not() {}",
        ),
        ("vrrp/instance.rs", "use tokio::sync::mpsc; use crate::kernel::claim; use crate::report::wording;"),
        ("kernel/ledger/tests.rs", "use crate::sim::World; use std::fs;"),
        ("plan/mod.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::sim::World; use std::fs; }"),
        ("main.rs", "use keepalived_rs::{cli, linux};"),
    ] {
        assert_eq!(breaches(file, source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn drivers_exist() {
    // A driver that is renamed would silently be judged as pure, or another one as a driver.
    let gone: Vec<_> = DRIVERS.iter().filter(|file| !project("src").join(file).exists()).collect();
    assert!(gone.is_empty(), "no such file: {gone:?}");
}
