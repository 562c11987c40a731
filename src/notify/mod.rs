//! Changes of state → scripts, in order.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::base::{InstanceId, Priority};
use crate::config::model::Script;
use crate::host::{Child, Command, Credentials, Kill, Plane, Processes};
use crate::plan::{InstancePlan, NotifyPlan};
use crate::report::wording;
use crate::vrrp::machine::{Notice, State};

/// How long scripts that announce the stop may take.
const STOP_TIME: Duration = Duration::from_secs(1);

/// Something an instance wants told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who.
    pub instance: InstanceId,
    /// What.
    pub notice: Notice,
}

/// Starts notify scripts.
pub struct Notifier {
    /// Clock and timers.
    pub plane: Plane,
    /// Runs programs.
    pub processes: Rc<dyn Processes>,
    /// What each instance wants run; an [`InstanceId`] is an index.
    pub instances: Vec<InstancePlan>,
}

impl Notifier {
    /// Starts scripts in the order in which messages come, until all senders are gone; then waits a moment for the
    /// scripts that announce the stop, and ends those that take longer.
    pub async fn run(self, mut messages: UnboundedReceiver<Message>) {
        let mut stopping = Vec::new();
        while let Some(message) = messages.recv().await {
            let Some(plan) = self.instances.get(message.instance.0 as usize) else { continue };
            for command in commands(plan, message.notice) {
                match self.processes.spawn(&command) {
                    Ok(child) if is_stop(message.notice) => stopping.push(child),
                    // Nobody waits for it; the host reaps it.
                    Ok(_) => {}
                    Err(error) => wording::notify_not_executed(&plan.name, &error),
                }
            }
        }
        self.await_stop(stopping).await;
    }

    async fn await_stop(&self, children: Vec<Box<dyn Child>>) {
        let mut timer = self.plane.timers.timer();
        timer.set(Some(self.plane.now() + STOP_TIME));
        let mut out_of_time = false;
        for mut child in children {
            if !out_of_time {
                tokio::select! {
                    biased;
                    _ = poll_fn(|cx| child.poll_exit(cx)) => continue,
                    () = timer.fired() => out_of_time = true,
                }
            }
            child.kill(Kill::Terminate);
        }
    }
}

fn is_stop(notice: Notice) -> bool {
    matches!(notice, Notice::State(State::Stopped, _))
}

/// The programs a notice makes run, in stock's order: first the one for this state, then the one for all.
fn commands(plan: &InstancePlan, notice: Notice) -> Vec<Command> {
    let NotifyPlan { master, backup, fault, stop, any, master_rx_lower_pri } = &plan.notify;
    let (own, word, priority) = match notice {
        Notice::State(State::Master, priority) => (master, "MASTER", priority),
        Notice::State(State::Backup, priority) => (backup, "BACKUP", priority),
        Notice::State(State::Fault, priority) => (fault, "FAULT", priority),
        Notice::State(State::Stopped, priority) => (stop, "STOP", priority),
        Notice::State(State::Init, _) => return Vec::new(),
        Notice::MasterRxLowerPri(_) => {
            return master_rx_lower_pri.iter().filter_map(|script| command(script, &[])).collect();
        }
    };
    let own = own.iter().filter_map(|script| command(script, &[]));
    let any = any.iter().filter_map(|script| command(script, &arguments(plan, word, priority)));
    own.chain(any).collect()
}

/// What `notify` is told: `INSTANCE`, name, state, priority.
fn arguments(plan: &InstancePlan, word: &str, priority: Priority) -> [String; 4] {
    ["INSTANCE".to_owned(), plan.name.clone(), word.to_owned(), priority.to_string()]
}

/// The program to run for `script`, with `more` arguments; `None` if it is not a program.
pub fn command(script: &Script, more: &[String]) -> Option<Command> {
    let Script::Run { program, argv, user } = script else { return None };
    Some(Command {
        program: program.clone(),
        argv: argv.iter().chain(more).cloned().collect(),
        credentials: Some(Credentials { uid: user.uid, gid: user.gid }),
    })
}
