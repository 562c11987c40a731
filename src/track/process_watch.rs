//! The task that counts tracked processes and tells the instances that track them.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use super::listeners::Listeners;
use super::process::Census;
use super::quorum::Verdict;
use crate::host::{Pid, Plane, ProcessEvent, ProcessEvents, ProcessFacts, ProcessTable};
use crate::plan::ProcessPlan;
use crate::report::wording;

/// How often `/proc` is read where the kernel does not report processes.
const POLL: Duration = Duration::from_secs(1);

/// One kind of process.
struct Watched {
    name: String,
    census: Census,
    verdict: Verdict,
    listeners: Listeners,
}

/// All tracked processes.
pub struct ProcessTracker {
    plane: Plane,
    table: Rc<dyn ProcessTable>,
    watched: Vec<Watched>,
    events: Option<Box<dyn ProcessEvents>>,
}

impl ProcessTracker {
    /// Counts all there are, and tells what follows from it.
    pub fn new(plane: Plane, table: Rc<dyn ProcessTable>, plans: Vec<(ProcessPlan, Listeners)>) -> Self {
        // Before they are counted: what changes after that is reported.
        let events = match table.watch() {
            Ok(events) => Some(events),
            Err(error) => {
                wording::processes_not_reported(&error, POLL);
                None
            }
        };
        let watched = plans.into_iter().map(|(plan, listeners)| Watched {
            census: Census::new(plan.pattern),
            verdict: Verdict::new(plan.quorum, plan.fork_delay, plan.terminate_delay),
            name: plan.name,
            listeners,
        });
        let mut tracker = Self { plane, table, watched: watched.collect(), events };
        tracker.count_all();
        // What is so from the start is no news.
        tracker.judge(|_, _| {});
        tracker
    }

    /// Watches until the daemon stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut timer = self.plane.timers.timer();
        loop {
            timer.set(self.watched.iter().filter_map(|w| w.verdict.next_deadline()).min());
            let event = async {
                match &mut self.events {
                    Some(events) => Some(poll_fn(|cx| events.poll_event(cx)).await),
                    None => {
                        self.plane.sleep(POLL).await;
                        None
                    }
                }
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                event = event => match event {
                    Some(event) => self.event(event),
                    None => self.count_all(),
                },
                () = timer.fired() => {}
            }
            self.judge(wording::quorum);
        }
    }

    fn event(&mut self, event: ProcessEvent) {
        match event {
            ProcessEvent::Forked { parent, child } => {
                self.watched.iter_mut().for_each(|w| w.census.forked(parent, child));
            }
            ProcessEvent::Changed(pid) => {
                let facts = self.table.describe(pid, self.needs_command());
                self.watched.iter_mut().for_each(|w| w.census.changed(pid, facts.as_ref()));
            }
            ProcessEvent::Ended(pid) => self.watched.iter_mut().for_each(|w| w.census.ended(pid)),
            ProcessEvent::Lost => self.count_all(),
        }
    }

    fn needs_command(&self) -> bool {
        self.watched.iter().any(|w| w.census.needs_command())
    }

    fn count_all(&mut self) {
        let command = self.needs_command();
        let pids = self.table.list().into_iter();
        let processes: Vec<(Pid, ProcessFacts)> =
            pids.filter_map(|pid| Some((pid, self.table.describe(pid, command)?))).collect();
        self.watched.iter_mut().for_each(|w| w.census.begin(&processes));
    }

    /// Tells what follows from the numbers and the time.
    fn judge(&mut self, say: impl Fn(&str, bool)) {
        let now = self.plane.now();
        for watched in &mut self.watched {
            let count = watched.census.count();
            watched.listeners.count(count.into());
            let Some(met) = watched.verdict.counted(now, count) else { continue };
            say(&watched.name, met);
            watched.listeners.tell_good(met);
        }
    }
}
