//! Mail about changes: a task of its own, so that nobody waits for a mail server.
//!
//! | file | subject |
//! |---|---|
//! | `words` | what mails say |
//! | `attempt` | one attempt to send a mail |
//! | `letter` | a mail as it is handed to a server |
//! | `dialogue` | what is said to a server, and how it answers |
//! | `queue` | mails that wait, and for how long |
//!
//! One mail at a time, in the order of what happened, with one connection each. A server that is not there, or says that
//! it cannot just now, is tried again after growing pauses; what it refuses for good is gone.

mod attempt;
mod dialogue;
mod letter;
mod queue;
mod words;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedReceiver;

use self::attempt::{Done, Known, Tools, attempt};
use self::dialogue::Outcome;
use self::queue::{Mail, Queue};
use crate::base::Instant;
use crate::host::{Network, Plane};
use crate::plan::MailPlan;
use crate::report::wording::mail as wording;

pub use self::words::Alert;
pub(super) use self::words::Change;

/// How long a stop waits for mails that are not sent yet.
pub const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Why mails are not sent after a reload.
const NOBODY: &str = "no server or no recipients any more";

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

/// What is under way.
struct Busy {
    /// For whom.
    plan: Arc<MailPlan>,
    /// It is about a mail.
    has_mail: bool,
    attempt: Pin<Box<dyn Future<Output = Done>>>,
}

/// Sends mail.
pub struct Mailer {
    tools: Tools,
    plan: Option<Arc<MailPlan>>,
    /// `None`: nothing has been looked up yet.
    known: Option<Known>,
    queue: Queue,
    busy: Option<Busy>,
    /// When it ends, at the latest.
    end: Option<Instant>,
}

impl Mailer {
    /// Sends as `plan` says, with dates in the time of `zone`. `name` is what this machine is called if the network does
    /// not know it better.
    pub fn new(
        plane: Plane,
        network: Rc<dyn Network>,
        plan: Option<Arc<MailPlan>>,
        zone: TimeZone,
        name: String,
    ) -> Self {
        let tools = Tools { plane, network, zone, name };
        Self { tools, plan, known: None, queue: Queue::default(), busy: None, end: None }
    }

    /// Does what it is told, until it is told to stop and all is sent or the time is over.
    pub async fn run(&mut self, posts: &mut UnboundedReceiver<Post>) {
        let mut timer = self.tools.plane.timers.timer();
        // What was under way when it panicked is lost.
        self.busy = None;
        loop {
            if self.busy.is_none() {
                self.begin();
            }
            if self.end.is_some_and(|end| end <= self.now() || self.unsent() == 0) {
                break;
            }
            let retry = self.queue.next_deadline().filter(|_| self.busy.is_none());
            timer.set(self.end.into_iter().chain(retry).min());
            tokio::select! {
                biased;
                post = posts.recv(), if self.end.is_none() => self.take(post.unwrap_or(Post::Stop)),
                (plan, done) = finished(&mut self.busy) => self.finish(&plan, done),
                () = timer.fired() => {}
            }
        }
        wording::lost(self.unsent(), "stop");
        self.queue.clear();
        self.busy = None;
    }

    fn now(&self) -> Instant {
        self.tools.plane.now()
    }

    fn unsent(&self) -> usize {
        self.queue.len() + usize::from(self.busy.as_ref().is_some_and(|busy| busy.has_mail))
    }

    fn take(&mut self, post: Post) {
        match post {
            Post::Alert(..) if self.plan.is_none() => {}
            Post::Alert(alert, at) => {
                if let Some(lost) = self.queue.push(Mail::new(alert, at)) {
                    wording::overflow(lost);
                }
            }
            Post::Settings(plan) => {
                self.plan = plan;
                self.known = None;
                self.queue.hurry();
                if self.plan.is_none() {
                    wording::lost(self.queue.clear(), NOBODY);
                }
            }
            Post::Stop => {
                self.end = Some(self.now() + STOP_LIMIT);
                self.queue.hurry();
            }
        }
    }

    /// Begins what is to be done next: names are looked up before there is a mail, as the network may be gone when there
    /// is one.
    fn begin(&mut self) {
        let Some(plan) = &self.plan else { return };
        let mail = if self.known.is_some() { self.queue.take(self.now()) } else { None };
        if self.known.is_some() && mail.is_none() {
            return;
        }
        let known = self.known.clone().unwrap_or_default();
        let (plan, has_mail) = (Arc::clone(plan), mail.is_some());
        let attempt = Box::pin(attempt(self.tools.clone(), Arc::clone(&plan), known, mail));
        self.busy = Some(Busy { plan, has_mail, attempt });
    }

    fn finish(&mut self, plan: &Arc<MailPlan>, Done { known, mail }: Done) {
        let is_current = self.plan.as_ref().is_some_and(|now| Arc::ptr_eq(now, plan));
        if is_current {
            self.known = Some(known);
        }
        let Some((mut mail, outcome)) = mail else { return };
        match outcome {
            Outcome::Done => self.queue.go_on(),
            Outcome::Partly(_) | Outcome::Later(_) | Outcome::Unreachable if self.plan.is_none() => {
                wording::lost(1, NOBODY);
            }
            // Each attempt is the last one now.
            Outcome::Unreachable if self.end.is_some() => wording::lost(1 + self.queue.clear(), "stop"),
            Outcome::Partly(_) | Outcome::Later(_) if self.end.is_some() => wording::lost(1, "stop"),
            Outcome::Partly(left) => {
                mail.left = Some(left);
                self.queue.go_on();
                self.set_apart(mail);
            }
            // Others have got it, or never will.
            Outcome::Later(Some(left)) if mail.tries > 0 => {
                mail.left = Some(left);
                self.set_apart(mail);
            }
            Outcome::Later(left) => {
                mail.left = left.or(mail.left);
                self.defer(mail, is_current);
            }
            Outcome::Unreachable => self.defer(mail, is_current),
        }
    }

    fn set_apart(&mut self, mail: Mail) {
        if !self.queue.set_apart(self.now(), mail) {
            wording::lost(1, "some recipients are refused again and again");
        }
    }

    fn defer(&mut self, mail: Mail, is_current: bool) {
        let pause = self.queue.defer(self.now(), mail);
        if is_current {
            wording::deferred(self.queue.len(), pause);
        } else {
            // It was another server that failed.
            self.queue.go_on();
        }
    }
}

/// Ready when what is under way has come to its end; never if nothing is.
async fn finished(busy: &mut Option<Busy>) -> (Arc<MailPlan>, Done) {
    let Some(Busy { plan, attempt, .. }) = busy else { return std::future::pending().await };
    let finished = (Arc::clone(plan), attempt.await);
    *busy = None;
    finished
}

#[cfg(test)]
mod tests;
