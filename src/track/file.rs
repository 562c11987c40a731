//! The task that watches tracked files and tells the instances that track them.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use super::listeners::Listeners;
use super::number::{self, LOOKED_AT, OutOfRange};
use crate::config::model::InitFile;
use crate::host::{FileChanges, Files, Plane};
use crate::plan::FilePlan;
use crate::report::wording;
use crate::vrrp::tracking::Status;

/// How often files are looked at where their changes are not reported.
const POLL: Duration = Duration::from_secs(1);

/// One file.
struct Watched {
    plan: FilePlan,
    listeners: Listeners,
    /// The last number that counted.
    number: Option<i32>,
    /// The last number beyond the limits.
    odd: Option<OutOfRange>,
}

/// All tracked files.
pub struct FileTracker {
    plane: Plane,
    files: Rc<dyn Files>,
    watched: Vec<Watched>,
    changes: Option<Box<dyn FileChanges>>,
}

impl FileTracker {
    /// Makes the files that are to be made, and tells what all of them say.
    pub fn new(plane: Plane, files: Rc<dyn Files>, plans: Vec<(FilePlan, Listeners)>) -> Self {
        for (plan, _) in &plans {
            if let Some(init) = plan.init {
                make(&*files, plan, init);
            }
        }
        let paths: Vec<PathBuf> = plans.iter().map(|(plan, _)| PathBuf::from(&plan.path)).collect();
        // Before they are read: what changes after that is reported.
        let changes = match files.watch(&paths) {
            Ok(changes) => Some(changes),
            Err(error) => {
                wording::files_not_watched(&error, POLL);
                None
            }
        };
        let watched =
            plans.into_iter().map(|(plan, listeners)| Watched { plan, listeners, number: None, odd: None });
        let mut tracker = Self { plane, files, watched: watched.collect(), changes };
        tracker.look_at_all();
        tracker
    }

    /// Watches until the daemon stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let change = async {
                match &mut self.changes {
                    Some(changes) => Some(poll_fn(|cx| changes.poll_change(cx)).await),
                    None => {
                        self.plane.sleep(POLL).await;
                        None
                    }
                }
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                change = change => match change {
                    Some(index) => self.look_at(index),
                    None => self.look_at_all(),
                },
            }
        }
    }

    fn look_at_all(&mut self) {
        for index in 0..self.watched.len() {
            self.look_at(index);
        }
    }

    /// A file that is not there, or cannot be read, says 0.
    fn look_at(&mut self, index: usize) {
        let Some(file) = self.watched.get_mut(index) else { return };
        let text = self.files.read_start(Path::new(&file.plan.path), LOOKED_AT).unwrap_or_default();
        match number::parse(&text) {
            Ok(number) => {
                file.odd = None;
                if file.number.replace(number) != Some(number) {
                    file.listeners.tell(Status::Number(number));
                }
            }
            Err(odd) => {
                if file.odd.replace(odd) != Some(odd) {
                    wording::file_number_ignored(&file.plan.path, odd.0);
                }
                // Nobody waits for ever for a file that has never said anything of use.
                if file.number.is_none() {
                    file.number = Some(0);
                    file.listeners.tell(Status::Number(0));
                }
            }
        }
    }
}

/// `init_file`.
fn make(files: &dyn Files, plan: &FilePlan, init: InitFile) {
    let text = format!("{}\n", init.value);
    if let Err(error) = files.write(Path::new(&plan.path), text.as_bytes(), init.overwrite) {
        wording::file_not_made(&plan.name, &error);
    }
}
