//! The task that runs one `vrrp_script` and tells the instances that track it.

use std::cell::Cell;
use std::future::poll_fn;
use std::path::Path;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::listeners::Listeners;
use super::rise_fall::RiseFall;
use crate::base::Instant;
use crate::config::model::{Run, Script, Sought};
use crate::host::{Child, Command, Exit, Kill, Plane, Processes};
use crate::notify;
use crate::plan::ScriptPlan;
use crate::report::wording;
use crate::vrrp::tracking::Status;

/// After this a script that ignores `SIGTERM` is killed, and this is repeated.
const GRACE: Duration = Duration::from_secs(2);
/// How long a script has to end itself when the daemon stops.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// How one run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program ended.
    Ended(Exit),
    /// It took too long and was ended.
    TimedOut,
    /// It could not be executed. Stock takes that for a success.
    NotExecuted,
}

impl Outcome {
    /// Only status 0 is success.
    pub fn is_success(self) -> bool {
        self == Self::Ended(Exit::Status(0))
    }
}

/// What there is to run.
struct Found {
    command: Option<Command>,
    /// What is odd about it, or wrong.
    remark: Option<String>,
}

impl Found {
    fn of(command: Command) -> Self {
        Self { command: Some(command), remark: None }
    }
}

/// Runs one script for ever.
#[derive(Clone)]
pub struct Tracker {
    /// Clock and timers.
    pub plane: Plane,
    /// Runs programs.
    pub processes: Rc<dyn Processes>,
    /// What to run, and when.
    pub plan: ScriptPlan,
    /// Becomes true, or is closed, when the daemon stops.
    pub stop: watch::Receiver<bool>,
    /// Who tracks it.
    pub listeners: Listeners,
}

impl Tracker {
    /// Runs the script until the daemon stops; then ends the run that is under way.
    pub async fn run(self) {
        let mut stop = self.stop.clone();
        let running = Cell::new(None);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.run_for_ever(&running) => {}
        }
        let child: Option<Box<dyn Child>> = running.take();
        if let Some(mut child) = child {
            child.kill(Kill::Terminate);
            tokio::select! {
                biased;
                _ = poll_fn(|cx| child.poll_exit(cx)) => {}
                () = self.plane.sleep(STOP_GRACE) => {}
            }
            // Whatever it started must not outlive it.
            child.kill(Kill::Kill);
        }
    }

    /// Runs the script once an interval. A run that takes longer makes the next one skip its turn: two never run side
    /// by side.
    async fn run_for_ever(&self, running: &Cell<Option<Box<dyn Child>>>) {
        let known = self.listeners.status().map(|status| status == Status::Good);
        let mut verdict = RiseFall::begun(self.plan.rise, self.plan.fall, known);
        let mut last = None;
        let mut told = None;
        let mut due = self.plane.now();
        loop {
            self.listeners.busy(true);
            let outcome = self.once(&mut told, due, running).await;
            self.listeners.busy(false);
            if last.replace(outcome) != Some(outcome) {
                wording::script_returned(&self.plan.name, outcome);
            }
            let changed = verdict.result(outcome.is_success());
            self.listeners.count(verdict.level());
            if let Some(good) = changed {
                wording::script_verdict(&self.plan.name, outcome);
                self.listeners.tell_good(good);
            }
            due = next_turn(due, self.plane.now(), self.plan.interval);
            self.plane.sleep_until(due).await;
        }
    }

    /// Runs the script once. What is odd about its program is told when it was not `told` the last time.
    async fn once(
        &self,
        told: &mut Option<String>,
        due: Instant,
        running: &Cell<Option<Box<dyn Child>>>,
    ) -> Outcome {
        let mut found = match &self.plan.script {
            Script::Open(path) => {
                let opened = self.processes.open_for_reading(Path::new(&**path));
                return Outcome::Ended(Exit::Status(i32::from(opened.is_err())));
            }
            Script::Run(run) => Found::of(notify::execution(run, &[])),
            Script::Sought(sought) => self.seek(sought),
        };
        let child = found.command.and_then(|command| match self.processes.spawn(&command) {
            Ok(child) => Some(child),
            Err(error) => {
                found.remark = Some(error.to_string());
                None
            }
        });
        if let Some(remark) = found.remark.as_ref().filter(|remark| told.as_ref() != Some(remark)) {
            wording::script_remark(&self.plan.name, remark);
        }
        *told = found.remark;
        let Some(child) = child else { return Outcome::NotExecuted };
        running.set(Some(child));
        let outcome = self.wait(due, running).await;
        running.set(None);
        outcome
    }

    /// Looks for a program, and judges it as if the configuration were read now.
    fn seek(&self, sought: &Sought) -> Found {
        let Sought { name, argv, user, safe_only, keeps_links } = sought;
        let program = match self.processes.find(name, user.uid, user.gid) {
            Ok(program) => program,
            Err(why) => return Found { command: None, remark: Some(why.words(name, user.uid, user.gid)) },
        };
        let remark = program.unsafe_for(user.uid, user.gid).map(|component| {
            let component = component.display();
            format!(
                "Unsafe permissions found for script '{name}' \
                 (it runs as root, but others than root can change '{component}')"
            )
        });
        if remark.is_some() && *safe_only {
            return Found { command: None, remark };
        }
        let program = program.file(*keeps_links).to_string_lossy().into_owned();
        let run = Run { program, argv: argv.clone(), user: user.clone() };
        Found { remark, ..Found::of(notify::execution(&run, &[])) }
    }

    /// Waits for the end of what was `due` then, and brings it about when it takes too long.
    async fn wait(&self, due: Instant, running: &Cell<Option<Box<dyn Child>>>) -> Outcome {
        let mut turn = self.plane.timers.timer();
        let mut next = next_turn(due, self.plane.now(), self.plan.interval);
        turn.set(Some(next));
        let mut timer = self.plane.timers.timer();
        timer.set(Some(self.plane.now() + self.plan.timeout));
        let mut how = None;
        loop {
            tokio::select! {
                biased;
                exit = poll_fn(|cx| with(running, |child| child.poll_exit(cx)).unwrap_or(Poll::Pending)) => {
                    if how.is_some() {
                        // Whatever it started must not outlive it.
                        with(running, |child| child.kill(Kill::Kill));
                        return Outcome::TimedOut;
                    }
                    return Outcome::Ended(exit);
                }
                () = timer.fired() => {
                    let kill = if how.is_none() { Kill::Terminate } else { Kill::Kill };
                    how = Some(kill);
                    with(running, |child| child.kill(kill));
                    timer.set(Some(self.plane.now() + GRACE));
                }
                () = turn.fired() => {
                    wording::script_skipped(&self.plan.name, how.is_some());
                    next = next_turn(next, self.plane.now(), self.plan.interval);
                    turn.set(Some(next));
                }
            }
        }
    }
}

/// Does something with the child that is running.
fn with<T>(running: &Cell<Option<Box<dyn Child>>>, act: impl FnOnce(&mut dyn Child) -> T) -> Option<T> {
    let mut child = running.take()?;
    let result = act(&mut *child);
    running.set(Some(child));
    Some(result)
}

/// The first turn after `now`, on the beat that `last` belongs to.
fn next_turn(last: Instant, now: Instant, interval: Duration) -> Instant {
    let interval = interval.max(Duration::from_millis(1));
    let next = last + interval;
    if next > now {
        return next;
    }
    let missed = (now - next).as_micros() / interval.as_micros() + 1;
    next + interval * u32::try_from(missed).unwrap_or(u32::MAX)
}
