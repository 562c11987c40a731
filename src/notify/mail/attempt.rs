//! One attempt to send a mail: what has to be looked up for it, and what came of it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::dialogue::{Outcome, connect};
use super::letter::Letter;
use super::queue::Mail;
use crate::config::model::MailHost;
use crate::host::{Network, Plane};
use crate::plan::MailPlan;
use crate::report::wording::mail as wording;

/// What attempts are made with.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) plane: Plane,
    pub(super) network: Rc<dyn Network>,
    /// Dates are in the time of this zone.
    pub(super) zone: TimeZone,
    /// What this machine is called, if nobody knows it better.
    pub(super) name: String,
}

/// What had to be looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    servers: Vec<SocketAddr>,
    /// None of them could be reached: they may be others by now.
    stale: bool,
    /// The name of this machine; none if nothing needs it.
    own_name: Option<String>,
}

/// What has come of an attempt.
pub(super) struct Done {
    pub(super) known: Known,
    pub(super) mail: Option<(Mail, Outcome)>,
}

/// Looks up what is not `known` yet, and tries to send `mail`, if there is one.
pub(super) async fn attempt(tools: Tools, plan: Arc<MailPlan>, mut known: Known, mail: Option<Mail>) -> Done {
    look_up(&tools, &plan, &mut known).await;
    let Some(mail) = mail else { return Done { known, mail: None } };
    let own_name = known.own_name.as_ref().unwrap_or(&tools.name);
    let letter = Letter::new(&mail, &plan, own_name, &tools.zone);
    let outcome = match connect(&tools.plane, &*tools.network, &known.servers, plan.timeout).await {
        Some(talk) => talk.deliver(&letter).await,
        None => {
            known.stale = true;
            Outcome::Unreachable
        }
    };
    Done { known, mail: Some((mail, outcome)) }
}

async fn look_up(tools: &Tools, plan: &MailPlan, known: &mut Known) {
    let Tools { plane, network, .. } = tools;
    let needs_name = plan.helo.is_none() || plan.from.is_none() || plan.router.is_none();
    if needs_name && known.own_name.is_none() {
        known.own_name = plane.within(plan.timeout, network.own_name()).await;
    }
    let port = plan.server.port;
    match &plan.server.host {
        MailHost::Address(ip) => known.servers = vec![SocketAddr::new(*ip, port)],
        MailHost::Name(_) if !known.servers.is_empty() && !known.stale => {}
        MailHost::Name(name) => {
            let found = plane.within(plan.timeout, network.look_up(name)).await.unwrap_or_default();
            if found.is_empty() {
                // Those it had before may do.
                wording::unknown_server(name);
            } else {
                known.servers = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
                known.stale = false;
            }
        }
    }
}
