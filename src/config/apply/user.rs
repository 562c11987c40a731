//! Who scripts run as, and whether that is safe.

use super::super::model::User;
use super::super::tree::Stmt;
use super::Build;

/// The default user of scripts.
#[derive(Debug)]
pub(crate) enum Default {
    /// `script_user` has not been seen.
    Unset,
    /// `script_user`.
    Set(User),
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
}

/// The user, and group if there is one, in the words of a statement from number `n` on.
pub(crate) fn named(b: &Build<'_>, stmt: &Stmt, n: usize) -> Result<User, String> {
    let user = stmt.word(n).unwrap_or_default();
    resolve(b, user, stmt.word(n + 1))
}

/// A user and perhaps a group by name. `:` and `:GROUP` ask for supplementary groups, which no script gets yet.
pub(crate) fn resolve(b: &Build<'_>, user: &str, group: Option<&str>) -> Result<User, String> {
    let (uid, primary) = b.loader.user(user).ok_or_else(|| format!("user '{user}' does not exist"))?;
    let gid = match group.map(|g| g.trim_start_matches(':')) {
        None | Some("") => primary,
        Some(group) => b.loader.group(group).ok_or_else(|| format!("group '{group}' does not exist"))?,
    };
    Ok(User { uid, gid })
}

/// The user of scripts that name none: `script_user`, then `keepalived_script`, then whoever we are.
pub(crate) fn default(b: &Build<'_>) -> Option<User> {
    match &b.default_user {
        Default::Set(user) => Some(user.clone()),
        Default::Bad => None,
        Default::Unset => match b.loader.user("keepalived_script") {
            Some((uid, gid)) => Some(User { uid, gid }),
            None if b.config.globals.script_security => None,
            None => {
                let (uid, gid) = b.loader.own_credentials();
                Some(User { uid, gid })
            }
        },
    }
}
