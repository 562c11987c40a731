//! What runs on the slow plane to find out about things tracked.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use super::RESTART_PAUSE;
use crate::base::{IfName, InstanceId};
use crate::host::{Carriers, Files, LocalBoxFuture, Plane, ProcessTable, Processes};
use crate::plan::{FilePlan, LinkbeatPlan, Plan, ProcessPlan, ScriptPlan, Subject};
use crate::report::wording;
use crate::track::file::FileTracker;
use crate::track::linkbeat::Linkbeat;
use crate::track::listeners::{Listeners, Tally, Tell};
use crate::track::process_watch::ProcessTracker;
use crate::track::script::Tracker;
use crate::vrrp::tracking::Status;

/// What trackers work with.
pub(super) struct Tools {
    pub(super) slow: Plane,
    pub(super) processes: Rc<dyn Processes>,
    pub(super) carriers: Rc<dyn Carriers>,
    pub(super) files: Rc<dyn Files>,
    pub(super) process_table: Rc<dyn ProcessTable>,
    /// Where it is told which interfaces have a carrier.
    pub(super) tell_carrier: UnboundedSender<(IfName, bool)>,
}

/// Everything that runs once for all things of a kind, until there are other things.
struct Watchers<T> {
    plans: Vec<T>,
    listeners: Vec<Listeners>,
    /// Ends them when it says so or is dropped.
    _stop: watch::Sender<bool>,
}

/// One script.
struct Running {
    plan: ScriptPlan,
    listeners: Listeners,
    /// Ends it when it says so or is dropped.
    _stop: watch::Sender<bool>,
}

/// All trackers.
pub(super) struct Trackers {
    tools: Tools,
    tell: Tell,
    scripts: BTreeMap<String, Running>,
    files: Watchers<FilePlan>,
    processes: Watchers<ProcessPlan>,
    linkbeats: Watchers<LinkbeatPlan>,
    /// Held by each script that runs; nothing is ever sent.
    alive: UnboundedSender<()>,
    ended: UnboundedReceiver<()>,
}

impl<T> Watchers<T> {
    fn none() -> Self {
        Self { plans: Vec::new(), listeners: Vec::new(), _stop: watch::channel(false).0 }
    }
}

impl Trackers {
    /// Starts all that `plan` tracks. What can be known at once, instances have been told when this returns.
    pub(super) fn start(tools: Tools, plan: &Plan, tell: Tell) -> Self {
        let (alive, ended) = unbounded_channel();
        let mut trackers = Self {
            tools,
            tell,
            scripts: BTreeMap::new(),
            files: Watchers::none(),
            processes: Watchers::none(),
            linkbeats: Watchers::none(),
            alive,
            ended,
        };
        trackers.replace(plan);
        trackers
    }

    /// Goes on as another plan wants it. What it has in common with the one before is not disturbed, and what was found
    /// out stays.
    pub(super) fn replace(&mut self, plan: &Plan) {
        self.scripts(plan);
        self.linkbeats(plan);
        self.files(plan);
        self.processes(plan);
    }

    /// What is known of all things tracked.
    pub(super) fn known(&self) -> BTreeMap<Subject, Tally> {
        let scripts = self.scripts.values().map(|running| &running.listeners);
        let others = self.files.listeners.iter().chain(&self.processes.listeners);
        scripts.chain(others).map(|listeners| (listeners.what().clone(), listeners.tally())).collect()
    }

    /// Ends everything. What is given ends when all scripts have.
    pub(super) fn stop(self) -> LocalBoxFuture<()> {
        let Self { scripts, files, processes, linkbeats, alive, mut ended, .. } = self;
        drop((scripts, files, processes, linkbeats, alive));
        Box::pin(async move {
            // The channel closes when the last one has ended.
            ended.recv().await;
        })
    }

    fn scripts(&mut self, plan: &Plan) {
        let mut before = std::mem::take(&mut self.scripts);
        for script in &plan.scripts {
            let what = Subject::Script(script.name.clone());
            let instances = listening(plan, &what);
            let running = match before.remove(&script.name) {
                Some(running) if running.plan == *script => {
                    running.listeners.replace(instances);
                    if let Some(status) = running.listeners.status() {
                        wording::script_kept(&script.name, status == Status::Good);
                    }
                    running
                }
                // It runs differently from now on, but what is known of it stays until it says otherwise.
                Some(running) => {
                    running.listeners.replace(instances);
                    self.run_script(script.clone(), running.listeners)
                }
                None => {
                    self.run_script(script.clone(), Listeners::new(what, Rc::clone(&self.tell), instances))
                }
            };
            self.scripts.insert(script.name.clone(), running);
        }
    }

    fn run_script(&self, plan: ScriptPlan, listeners: Listeners) -> Running {
        let (stop, stopped) = watch::channel(false);
        let tracker = Tracker {
            plane: self.tools.slow.clone(),
            processes: Rc::clone(&self.tools.processes),
            plan: plan.clone(),
            stop: stopped,
            listeners: listeners.clone(),
        };
        let alive = self.alive.clone();
        let slow = self.tools.slow.clone();
        let task = async move {
            again(&slow, "script", || tracker.clone().run()).await;
            drop(alive);
        };
        self.tools.slow.tasks.spawn("script", Box::pin(task));
        Running { plan, listeners, _stop: stop }
    }

    /// Asks interfaces for their carrier before it returns, and then again and again.
    fn linkbeats(&mut self, plan: &Plan) {
        if plan.linkbeats == self.linkbeats.plans {
            return;
        }
        let (stop, stopped) = watch::channel(false);
        self.linkbeats = Watchers { plans: plan.linkbeats.clone(), listeners: Vec::new(), _stop: stop };
        if !plan.linkbeats.is_empty() {
            let Tools { slow, carriers, tell_carrier, .. } = &self.tools;
            let (clock, carriers) = (slow.clone(), Rc::clone(carriers));
            let (plans, tell) = (plan.linkbeats.clone(), tell_carrier.clone());
            let make =
                move || Linkbeat::new(clock.clone(), Rc::clone(&carriers), plans.clone(), tell.clone());
            let mut first = Some(make());
            let run = move || first.take().unwrap_or_else(&make).run(stopped.clone());
            spawn_again(slow, "linkbeat", run);
        }
    }

    /// Reads tracked files and tells what they say before it returns, and then watches them.
    fn files(&mut self, plan: &Plan) {
        let what = |file: &FilePlan| Subject::File(file.name.clone());
        let Some(listeners) = self.files.replace(&plan.files, what, plan, &self.tell) else { return };
        let (stop, stopped) = watch::channel(false);
        let known = std::mem::replace(&mut self.files.plans, plan.files.clone());
        self.files.listeners.clone_from(&listeners);
        self.files._stop = stop;
        let mut files: Vec<_> = plan.files.iter().cloned().zip(listeners).collect();
        // Made at the start, not whenever something else changes.
        for (file, _) in &mut files {
            let is_known = known.iter().any(|k| k.name == file.name && k.path == file.path);
            file.init = file.init.filter(|_| !is_known);
        }
        if !files.is_empty() {
            let (clock, port) = (self.tools.slow.clone(), Rc::clone(&self.tools.files));
            let mut first = Some(FileTracker::new(clock.clone(), Rc::clone(&port), files.clone()));
            files.iter_mut().for_each(|(file, _)| file.init = None);
            let make = move || FileTracker::new(clock.clone(), Rc::clone(&port), files.clone());
            let run = move || first.take().unwrap_or_else(&make).run(stopped.clone());
            spawn_again(&self.tools.slow, "track files", run);
        }
    }

    /// Counts tracked processes and tells what follows before it returns, and then watches them.
    fn processes(&mut self, plan: &Plan) {
        let what = |process: &ProcessPlan| Subject::Process(process.name.clone());
        let Some(listeners) = self.processes.replace(&plan.processes, what, plan, &self.tell) else { return };
        let (stop, stopped) = watch::channel(false);
        self.processes =
            Watchers { plans: plan.processes.clone(), listeners: listeners.clone(), _stop: stop };
        if !plan.processes.is_empty() {
            let plans: Vec<_> = plan.processes.iter().cloned().zip(listeners).collect();
            let Tools { slow, process_table, .. } = &self.tools;
            let (clock, table) = (slow.clone(), Rc::clone(process_table));
            let make = move || ProcessTracker::new(clock.clone(), Rc::clone(&table), plans.clone());
            let mut first = Some(make());
            let run = move || first.take().unwrap_or_else(&make).run(stopped.clone());
            spawn_again(slow, "track processes", run);
        }
    }
}

impl<T: PartialEq> Watchers<T> {
    /// If nothing but the listeners is another, tells those. Else gives them.
    fn replace(
        &self,
        plans: &[T],
        what: impl Fn(&T) -> Subject,
        plan: &Plan,
        tell: &Tell,
    ) -> Option<Vec<Listeners>> {
        let listening = plans.iter().map(|p| (what(p), listening(plan, &what(p))));
        if plans == self.plans {
            for (listeners, (_, instances)) in self.listeners.iter().zip(listening) {
                listeners.replace(instances);
            }
            return None;
        }
        Some(listening.map(|(what, instances)| Listeners::new(what, Rc::clone(tell), instances)).collect())
    }
}

/// The instances that track something.
fn listening(plan: &Plan, what: &Subject) -> Vec<InstanceId> {
    let tracking = plan.instances.iter().filter(|i| i.tracks.iter().any(|track| track.what == *what));
    tracking.map(|instance| instance.id).collect()
}

/// Spawns [`again`].
fn spawn_again<F: Future<Output = ()> + 'static>(
    plane: &Plane,
    name: &'static str,
    run: impl FnMut() -> F + 'static,
) {
    let clock = plane.clone();
    plane.tasks.spawn(name, Box::pin(async move { again(&clock, name, run).await }));
}

/// Runs a tracker; after a panic, and a pause, another one in its place. Until that says otherwise, what was found out
/// counts.
async fn again<F: Future<Output = ()>>(plane: &Plane, name: &str, mut run: impl FnMut() -> F) {
    // Also what is done before the first wait.
    while AssertUnwindSafe(async { run().await }).catch_unwind().await.is_err() {
        wording::task_panicked(name, "starts again");
        plane.sleep(RESTART_PAUSE).await;
    }
}
