//! Mail about changes: a task of its own, so that nobody waits for a mail server.
//!
//! | file | subject |
//! |---|---|
//! | `words` | what mails say |
//! | `letter` | a mail as it is handed to a server |
//! | `dialogue` | what is said to a server, and how it answers |
//! | `queue` | mails that wait, and for how long |
//!
//! One mail at a time, in the order of what happened, with one connection each. A server that is not there, or says that
//! it cannot just now, is tried again after growing pauses; what it refuses for good is gone.

mod dialogue;
mod letter;
mod queue;
mod words;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedReceiver;

use self::dialogue::{Outcome, connect, within};
use self::letter::Letter;
use self::queue::{Mail, Queue};
use crate::base::Instant;
use crate::config::model::MailHost;
use crate::host::{Network, Plane};
use crate::plan::MailPlan;
use crate::report::wording::mail as wording;

pub use self::words::Alert;
pub(super) use self::words::Change;

/// How long a stop waits for mails that are not sent yet.
pub const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What the mailer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// To mail this, which happened at that time since 1970.
    Alert(Alert, Duration),
    /// To send mail like this from now on, or not at all.
    Settings(Option<Arc<MailPlan>>),
    /// To finish, within [`STOP_LIMIT`].
    Stop,
}

/// What had to be looked up.
#[derive(Clone, Debug, Default)]
struct Known {
    servers: Vec<SocketAddr>,
    /// None of them could be reached: they may be others by now.
    stale: bool,
    /// The name of this machine.
    own_name: String,
}

/// What has come of an attempt.
struct Done {
    known: Known,
    mail: Option<(Mail, Outcome)>,
}

/// Sends mail.
pub struct Mailer {
    plane: Plane,
    network: Rc<dyn Network>,
    zone: TimeZone,
    plan: Option<Arc<MailPlan>>,
    /// `None`: nothing has been looked up yet.
    known: Option<Known>,
    queue: Queue,
    /// What is under way; it is for this plan.
    busy: Option<(Arc<MailPlan>, Pin<Box<dyn Future<Output = Done>>>)>,
    /// When it ends, at the latest.
    end: Option<Instant>,
}

impl Mailer {
    /// Sends as `plan` says, with dates in the time of `zone`.
    pub fn new(plane: Plane, network: Rc<dyn Network>, plan: Option<Arc<MailPlan>>, zone: TimeZone) -> Self {
        Self { plane, network, zone, plan, known: None, queue: Queue::default(), busy: None, end: None }
    }

    /// Does what it is told, until it is told to stop and all is sent or the time is over.
    pub async fn run(&mut self, posts: &mut UnboundedReceiver<Post>) {
        let mut timer = self.plane.timers.timer();
        // What was under way when it panicked is lost.
        self.busy = None;
        loop {
            if self.busy.is_none() {
                self.begin();
            }
            if self.end.is_some_and(|end| end <= self.plane.now() || self.is_idle()) {
                break;
            }
            let retry = self.queue.next_deadline().filter(|_| self.busy.is_none());
            timer.set(self.end.into_iter().chain(retry).min());
            tokio::select! {
                biased;
                post = posts.recv(), if self.end.is_none() => self.take(post.unwrap_or(Post::Stop)),
                done = finished(&mut self.busy) => self.finish(done),
                () = timer.fired() => {}
            }
        }
        let left = self.queue.clear() + usize::from(self.busy.take().is_some());
        wording::lost(left, "stop");
    }

    fn is_idle(&self) -> bool {
        self.busy.is_none() && self.queue.len() == 0
    }

    fn take(&mut self, post: Post) {
        match post {
            Post::Alert(..) if self.plan.is_none() => {}
            Post::Alert(alert, at) => {
                if let Some(lost) = self.queue.push(Mail { alert, at, left: None }) {
                    wording::overflow(lost);
                }
            }
            Post::Settings(plan) if plan == self.plan => {}
            Post::Settings(plan) => {
                self.plan = plan;
                self.known = None;
                self.queue.hurry();
                if self.plan.is_none() {
                    wording::lost(self.queue.clear(), "no server or no recipients any more");
                }
            }
            Post::Stop => {
                self.end = Some(self.plane.now() + STOP_LIMIT);
                self.queue.hurry();
            }
        }
    }

    /// Begins what is to be done next: names are looked up before there is a mail, as the network may be gone when there
    /// is one.
    fn begin(&mut self) {
        let Some(plan) = &self.plan else { return };
        let mail = match &self.known {
            None => None,
            Some(_) => match self.queue.take(self.plane.now()) {
                Some(mail) => Some(mail),
                None => return,
            },
        };
        let known = self.known.clone();
        let (plane, network, zone) = (self.plane.clone(), Rc::clone(&self.network), self.zone.clone());
        let of = Arc::clone(plan);
        let attempt = attempt(plane, network, zone, Arc::clone(plan), known, mail);
        self.busy = Some((of, Box::pin(attempt)));
    }

    fn finish(&mut self, (plan, done): (Arc<MailPlan>, Done)) {
        let current = self.plan.as_ref().is_some_and(|now| Arc::ptr_eq(now, &plan));
        if current {
            self.known = Some(done.known);
        }
        match done.mail {
            None => {}
            Some((_, Outcome::Done)) => self.queue.hurry(),
            // Each attempt is the last one now.
            Some((_, Outcome::Unreachable)) if self.end.is_some() => {
                wording::lost(1 + self.queue.clear(), "stop");
            }
            Some((_, Outcome::Later(_))) if self.end.is_some() => wording::lost(1, "stop"),
            Some(_) if self.plan.is_none() => wording::lost(1, "no server or no recipients any more"),
            Some((mut mail, outcome)) => {
                if let Outcome::Later(Some(left)) = outcome {
                    mail.left = Some(left);
                }
                let pause = self.queue.defer(self.plane.now(), mail);
                if current {
                    wording::deferred(self.queue.len(), pause);
                } else {
                    // It was another server that failed.
                    self.queue.hurry();
                }
            }
        }
    }
}

/// Ready when what is under way has come to its end; never if nothing is.
async fn finished(
    busy: &mut Option<(Arc<MailPlan>, Pin<Box<dyn Future<Output = Done>>>)>,
) -> (Arc<MailPlan>, Done) {
    let Some((plan, attempt)) = busy else { return std::future::pending().await };
    let done = attempt.await;
    let plan = Arc::clone(plan);
    *busy = None;
    (plan, done)
}

/// Looks up what is not known yet, and tries to send `mail`, if there is one.
async fn attempt(
    plane: Plane,
    network: Rc<dyn Network>,
    zone: TimeZone,
    plan: Arc<MailPlan>,
    known: Option<Known>,
    mail: Option<Mail>,
) -> Done {
    let mut known = look_up(&plane, &*network, &plan, known.unwrap_or_default()).await;
    let Some(mail) = mail else { return Done { known, mail: None } };
    let letter = Letter::new(&mail, &plan, &known.own_name, &zone);
    let helo = plan.helo.as_deref().unwrap_or(&known.own_name);
    let outcome = match connect(&plane, &*network, &known.servers, plan.timeout).await {
        Some(talk) => talk.deliver(helo, &letter).await,
        None => {
            known.stale = true;
            Outcome::Unreachable
        }
    };
    Done { known, mail: Some((mail, outcome)) }
}

/// What `known` lacks.
async fn look_up(plane: &Plane, network: &dyn Network, plan: &MailPlan, mut known: Known) -> Known {
    let needs_name = plan.helo.is_none() || plan.from.is_none() || plan.router.is_none();
    if needs_name && known.own_name.is_empty() {
        known.own_name = within(plane, plan.timeout, network.own_name()).await.unwrap_or_default();
    }
    let port = plan.server.port;
    match &plan.server.host {
        MailHost::Address(ip) => known.servers = vec![SocketAddr::new(*ip, port)],
        MailHost::Name(_) if !known.servers.is_empty() && !known.stale => {}
        MailHost::Name(name) => {
            let found = within(plane, plan.timeout, network.look_up(name)).await.unwrap_or_default();
            if found.is_empty() {
                wording::unknown_server(name);
            } else {
                known.servers = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
                known.stale = false;
            }
        }
    }
    known
}

#[cfg(test)]
mod tests;
