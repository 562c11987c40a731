//! Reading the configuration again: who asks for it, and what is seen of it.
//!
//! It is read beside everything else: a signal that stops the daemon, or asks for a dump, does not wait for it.

use std::future::pending;
use std::path::Path;
use std::rc::Rc;

use super::Reread;
use super::timetable::Timetable;
use crate::host::{Files, LocalBoxFuture, Mark, Plane, Supervisor};
use crate::plan::Plan;
use crate::report::wording;

/// The configuration is being read.
struct Reading {
    answer: LocalBoxFuture<Result<Plan, String>>,
    /// Whoever writes configurations waits until it is gone.
    _mark: Option<Box<dyn Mark>>,
}

/// Reads the configuration when somebody asks for it, or when it is time.
pub(super) struct Reader {
    reread: Reread,
    files: Rc<dyn Files>,
    supervisor: Rc<dyn Supervisor>,
    timetable: Timetable,
    reading: Option<Reading>,
    /// Somebody has asked while it was being read: what was read may be older than what was meant.
    again: bool,
    /// The service manager has been told of a configuration that was refused.
    refused: bool,
}

impl Reader {
    /// A reader for a daemon that runs `plan`.
    pub(super) fn new(
        reread: Reread,
        plane: Plane,
        files: Rc<dyn Files>,
        supervisor: Rc<dyn Supervisor>,
        plan: &Plan,
    ) -> Self {
        let mut timetable = Timetable::new(plane, Rc::clone(&files));
        timetable.replace(plan.reload.time.as_ref());
        Self { reread, files, supervisor, timetable, reading: None, again: false, refused: false }
    }

    /// When the next scheduled reload is, and whether that was given with its date.
    pub(super) fn scheduled(&self) -> Option<(String, bool)> {
        self.timetable.next()
    }

    /// Begins to read the configuration, or does so when it has been read.
    pub(super) fn ask(&mut self, plan: &Plan) {
        if self.reading.is_some() {
            self.again = true;
            wording::reload_queued();
            return;
        }
        self.supervisor.reloading();
        wording::reloading(plan.reload.check);
        let mark = plan.reload.mark.as_ref().and_then(|path| {
            let made = self.files.mark(Path::new(path));
            made.inspect_err(wording::reload_file_not_made).ok()
        });
        self.reading = Some(Reading { answer: (self.reread)(), _mark: mark });
    }

    /// Waits for another configuration than `plan`, which runs. `Err`: it is of no use, which has been told. May be dropped
    /// and called again. Call [`done`](Self::done) when what it gave is in effect.
    pub(super) async fn next(&mut self, plan: &Plan) -> Result<Plan, ()> {
        loop {
            tokio::select! {
                biased;
                answer = answered(&mut self.reading) => {
                    self.reading = None;
                    return answer.map_err(|why| self.refuse(&why));
                }
                () = self.timetable.due() => self.ask(plan),
            }
        }
    }

    fn refuse(&mut self, why: &str) {
        wording::reload_refused(why);
        self.supervisor.status(&format!("Reload refused: {why}"));
        self.refused = true;
    }

    /// `plan` is in effect now, whether or not it is another one.
    pub(super) fn done(&mut self, plan: &Plan, changed: bool) {
        if changed {
            self.timetable.replace(plan.reload.time.as_ref());
            if std::mem::take(&mut self.refused) {
                self.supervisor.status("Reload complete");
            }
            wording::reloaded();
        }
        self.supervisor.ready();
        if std::mem::take(&mut self.again) {
            wording::reload_from_queue();
            self.ask(plan);
        }
    }
}

async fn answered(reading: &mut Option<Reading>) -> Result<Plan, String> {
    match reading {
        Some(reading) => (&mut reading.answer).await,
        None => pending().await,
    }
}
