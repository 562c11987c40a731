//! Mail: where to, and what it says of whom it is from.

use std::time::Duration;

use crate::config::model::{Globals, MailServer};

/// How long a mail server may take to answer, unless written.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How mail is sent. What is not written here follows from the name of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPlan {
    /// Who takes it.
    pub server: MailServer,
    /// How long it may take to accept a connection, and for each answer.
    pub timeout: Duration,
    /// The name that it is greeted with.
    pub helo: Option<String>,
    /// The sender.
    pub from: Option<String>,
    /// The recipients; at least one.
    pub to: Vec<String>,
    /// The name of this router, with which subjects begin.
    pub router: Option<String>,
    /// Whether faults are told.
    pub faults: bool,
}

/// Nothing without a server, or without recipients.
pub(super) fn resolve(globals: &Globals) -> Option<MailPlan> {
    let mail = &globals.options.mail;
    if mail.to.is_empty() {
        return None;
    }
    Some(MailPlan {
        server: mail.server.clone()?,
        timeout: mail.timeout.unwrap_or(TIMEOUT),
        helo: mail.helo.clone(),
        from: mail.from.clone(),
        to: mail.to.clone(),
        router: globals.router_id.clone(),
        faults: !mail.no_faults,
    })
}
