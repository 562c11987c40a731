//! Who scripts run as, and whether that is safe.

use super::super::model::User;
use super::super::tree::Stmt;
use super::Build;

/// The default user of scripts.
#[derive(Debug)]
pub(crate) enum Default {
    /// `script_user` has not been seen.
    Unset,
    /// `script_user`, and its name.
    Set(User, String),
    /// `script_user` names nobody.
    Bad,
}

/// What has been found out about scripts.
#[derive(Debug, Default)]
pub(crate) struct Security {
    /// Some command of VRRP was found.
    pub(crate) scripts: bool,
    /// Some other command was found, which counts without instances too.
    pub(crate) others: bool,
    /// Some command was found that reads a FIFO of virtual servers: it counts if one of those can be used.
    pub(crate) servers: bool,
    /// Some command that runs as root can be changed by others.
    pub(crate) insecure: bool,
    /// Some command of the daemon's own start or stop was found, which stock tells of apart from the others.
    pub(crate) stages: bool,
    /// Some of those that runs as root can be changed by others.
    pub(crate) insecure_stages: bool,
}

/// The user, and group if there is one, in the words of a statement from number `n` on.
pub(crate) fn named(b: &Build<'_>, stmt: &Stmt, n: usize) -> Result<User, String> {
    let user = stmt.word(n).unwrap_or_default();
    resolve(b, user, stmt.word(n + 1))
}

/// A user and perhaps a group by name. `:` and `:GROUP` ask for the user's supplementary groups.
pub(crate) fn resolve(b: &Build<'_>, user: &str, group: Option<&str>) -> Result<User, String> {
    let (uid, primary) = b.loader.user(user).ok_or_else(|| format!("user '{user}' does not exist"))?;
    let gid = match group.map(|g| g.trim_start_matches(':')) {
        None | Some("") => primary,
        Some(group) => b.loader.group(group).ok_or_else(|| format!("group '{group}' does not exist"))?,
    };
    let all = group.is_some_and(|g| g.starts_with(':')) || wants_groups(b);
    let groups = if all { b.loader.groups(user, gid) } else { Vec::new() };
    Ok(User { uid, gid, groups })
}

/// Whether every script gets all the groups of its user.
fn wants_groups(b: &Build<'_>) -> bool {
    b.config.globals.options.set_supplementary_groups.unwrap_or(false)
}

/// The user of scripts that name none: `script_user`, then `keepalived_script`, then whoever we are.
pub(crate) fn default(b: &Build<'_>) -> Option<User> {
    match &b.default_user {
        // Whether all get their groups may be said behind it.
        Default::Set(user, name) if wants_groups(b) => {
            Some(User { groups: b.loader.groups(name, user.gid), ..user.clone() })
        }
        Default::Set(user, _) => Some(user.clone()),
        Default::Bad => None,
        Default::Unset => match resolve(b, "keepalived_script", None) {
            Ok(user) => Some(user),
            Err(_) if b.config.globals.script_security => None,
            Err(_) => {
                let (uid, gid) = b.loader.own_credentials();
                Some(User { uid, gid, groups: Vec::new() })
            }
        },
    }
}
