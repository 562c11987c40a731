//! `auth_hmac`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::diagnostic::{Class, Severity};
use super::super::grammar;
use super::super::lines::Line;
use super::super::model::{Hmac, HmacKey, HmacMode};
use super::super::tree::Stmt;
use super::Build;
use super::instance::set_options;

/// How long keys are, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 32..=64;

/// The permission bits of the group and of all others.
const OTHERS: u32 = 0o077;
/// Those of all others alone.
const ANYBODY: u32 = 0o007;

/// What the name of a credential begins with.
const CREDENTIAL: &str = "credential:";

/// A block being read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    hmac: Hmac,
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    b.drafts.hmac = Some(Draft::default());
    b.run("auth_hmac", &stmt.body);
    let Some(Draft { hmac }) = b.drafts.hmac.take() else { return };
    let active = hmac.active.is_some_and(|id| hmac.keys.iter().any(|k| k.0 == id));
    let signs = hmac.mode != HmacMode::ReceiveOnly;
    set_options(b, |p| p.hmac = Some(hmac));
    if !active {
        // Stock goes on without signatures, which is what nobody who writes this can want.
        let text = if signs {
            "auth_hmac has no active_key that is defined - the instance stays in FAULT"
        } else {
            "auth_hmac has no active_key that is defined"
        };
        b.report
            .lacks_one_of(&stmt.line, &["key", "active_key"], text)
            .hint("key ID TEXT, and active_key ID");
    }
}

fn set(b: &mut Build<'_>, set: impl FnOnce(&mut Hmac)) {
    if let Some(draft) = &mut b.drafts.hmac {
        set(&mut draft.hmac);
    }
}

/// `key ID TEXT|hex:DIGITS|file:PATH|credential:NAME`.
pub(crate) fn key(b: &mut Build<'_>, stmt: &Stmt) {
    let id = match stmt.word(1).map(grammar::integer) {
        Some((Some(n @ 1..=255), "")) => u8::try_from(n).unwrap_or(u8::MAX),
        _ => {
            b.report.error(&stmt.place(1), "the number of a key must be from 1 to 255 - ignoring the key");
            return;
        }
    };
    if b.drafts.hmac.as_ref().is_some_and(|d| d.hmac.keys.iter().any(|k| k.0 == id)) {
        b.report.error(&stmt.place(1), format!("key {id} is given twice - ignoring the second one"));
        return;
    }
    let bytes = stmt.word(2).ok_or("is missing".to_owned()).and_then(|word| bytes(b, word));
    // What is no key need not be secret.
    if bytes.is_ok()
        && let Some(word) = stmt.word(2)
        && let Some(Ok(path)) = file(b, word)
    {
        match word.starts_with(CREDENTIAL) {
            true => secrecy_of_credential(b, &stmt.place(2), &path),
            false => secrecy(b, &stmt.place(2), &path),
        }
    }
    match bytes {
        Ok(bytes) if LENGTH.contains(&bytes.len()) => set(b, |h| h.keys.push((id, HmacKey(bytes)))),
        Ok(bytes) => {
            wrong(b, &stmt.place(2), id, &format!("has {} bytes, not 32 to 64", bytes.len()));
        }
        Err(why) => wrong(b, &stmt.place(2), id, &why),
    }
}

/// Says when others than the one it is for can read the file of a key.
fn secrecy(b: &mut Build<'_>, place: &Line, path: &Path) {
    let Some(access) = b.loader.access(path) else { return };
    let path = path.display();
    if access.mode & OTHERS != 0 {
        let text =
            format!("SECURITY VIOLATION - key file {path} is accessible to others (mode {:o})", access.mode);
        b.report.at(place, Severity::Error, Class::Security, text).hint(format!("chmod 600 {path}"));
    } else if access.owner != 0 && access.owner != b.loader.own_credentials().0 {
        let text = format!("key file {path} belongs to user {}, who can read and change it", access.owner);
        b.report.warning(place, text).hint(format!("chown root {path}"));
    }
}

/// The same of a credential. systemd lets the user of the service read it by an access list, which the permissions of the
/// group then stand for; and it shuts the directory.
fn secrecy_of_credential(b: &mut Build<'_>, place: &Line, path: &Path) {
    let is_open = |path: &Path| b.loader.access(path).is_some_and(|access| access.mode & ANYBODY != 0);
    if is_open(path) && path.parent().is_none_or(is_open) {
        let path = path.display();
        let text = format!("SECURITY VIOLATION - credential {path} is accessible to others");
        b.report.at(place, Severity::Error, Class::Security, text).hint(format!("chmod 600 {path}"));
    }
}

fn wrong(b: &mut Build<'_>, place: &Line, id: u8, why: &str) {
    b.report.error(place, format!("key {id} {why} - ignoring the key"));
}

/// The file that a key is in, if it is in one: `file:PATH`, or `credential:NAME` for one that systemd hands over to the
/// service (`LoadCredential=`, systemd.exec(5)). The inner error: why there is no such file.
fn file(b: &Build<'_>, word: &str) -> Option<Result<PathBuf, String>> {
    if let Some(path) = word.strip_prefix("file:") {
        return Some(Ok(PathBuf::from(path)));
    }
    let name = word.strip_prefix(CREDENTIAL)?;
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Some(Err(format!("is in no credential: '{name}' cannot be the name of one")));
    }
    let directory = b.loader.variable("CREDENTIALS_DIRECTORY").filter(|d| !d.is_empty());
    let none = "is a credential, and CREDENTIALS_DIRECTORY is not set, as it is in a service of systemd";
    Some(directory.map(|d| Path::new(&d).join(name)).ok_or_else(|| none.to_owned()))
}

/// The bytes of a key, or why there are none.
fn bytes(b: &Build<'_>, word: &str) -> Result<Vec<u8>, String> {
    if let Some(digits) = word.strip_prefix("hex:") {
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        return pairs.collect::<Option<_>>().ok_or_else(|| "is not hexadecimal".to_owned());
    }
    if let Some(path) = file(b, word) {
        let path = path?;
        let unreadable = |why| format!("cannot be read from {}: {why}", path.display());
        let mut text = b.loader.read(&path).map_err(unreadable)?;
        while text.last().is_some_and(|c| matches!(c, b'\n' | b'\r')) {
            text.pop();
        }
        return Ok(text);
    }
    Ok(word.as_bytes().to_vec())
}

pub(crate) fn active_key(b: &mut Build<'_>, stmt: &Stmt) {
    let id = b.number(stmt);
    set(b, |h| super::put(id, &mut h.active));
}

pub(crate) fn time_window(b: &mut Build<'_>, stmt: &Stmt) {
    let window: Option<Duration> = b.whole_seconds(stmt);
    set(b, |h| super::put(window, &mut h.window));
}

pub(crate) fn anti_replay(b: &mut Build<'_>, stmt: &Stmt) {
    match stmt.word(1) {
        Some("time") => set(b, |h| h.monotonic = false),
        Some("monotonic") => set(b, |h| h.monotonic = true),
        other => {
            let text = format!("anti_replay is time or monotonic, not '{}'", other.unwrap_or_default());
            b.report.error(&stmt.place(1), text);
        }
    }
}

pub(crate) fn mode(b: &mut Build<'_>, stmt: &Stmt) {
    let mode = match stmt.word(1) {
        Some("enforce") => HmacMode::Enforce,
        Some("permissive") => HmacMode::Permissive,
        Some("receive-only") => HmacMode::ReceiveOnly,
        other => {
            let text =
                format!("mode is enforce, permissive or receive-only, not '{}'", other.unwrap_or_default());
            b.report.error(&stmt.place(1), text);
            return;
        }
    };
    set(b, |h| h.mode = mode);
}
