//! Changes of state → scripts, in order.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::base::InstanceId;
use crate::config::model::Script;
use crate::host::{Child, Command, Credentials, Kill, Plane, Processes};
use crate::plan::{GroupPlan, InstancePlan, NotifyPlan};
use crate::report::wording;
use crate::vrrp::machine::{Notice, State};

/// How long scripts that announce the stop may take.
const STOP_TIME: Duration = Duration::from_secs(1);

/// Something to be told to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// By an instance.
    Instance(InstanceId, Notice),
    /// By a sync group, given as its place in [`Plan::groups`](crate::plan::Plan): all members are in this state.
    Group(usize, State),
}

/// Starts notify scripts.
pub struct Notifier {
    /// Clock and timers.
    pub plane: Plane,
    /// Runs programs.
    pub processes: Rc<dyn Processes>,
    /// What each instance wants run; an [`InstanceId`] is an index.
    pub instances: Vec<InstancePlan>,
    /// What each sync group wants run.
    pub groups: Vec<GroupPlan>,
}

impl Notifier {
    /// Starts scripts in the order in which messages come, until all senders are gone; then waits a moment for the
    /// scripts that announce the stop, and ends those that take longer.
    pub async fn run(self, mut messages: UnboundedReceiver<Message>) {
        let mut stopping = Vec::new();
        while let Some(message) = messages.recv().await {
            let (name, commands) = self.commands(message);
            for command in commands {
                match self.processes.spawn(&command) {
                    Ok(child) if is_stop(message) => stopping.push(child),
                    // Nobody waits for it; the host reaps it.
                    Ok(_) => {}
                    Err(error) => wording::notify_not_executed(name, &error),
                }
            }
        }
        self.await_stop(stopping).await;
    }

    /// The programs to start, and for whom.
    fn commands(&self, message: Message) -> (&str, Vec<Command>) {
        let found = match message {
            Message::Instance(id, notice) => {
                self.instances.get(id.0 as usize).map(|plan| (plan.name.as_str(), of_instance(plan, notice)))
            }
            Message::Group(group, state) => {
                self.groups.get(group).map(|plan| (plan.name.as_str(), of_group(plan, state)))
            }
        };
        found.unwrap_or_default()
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

fn is_stop(message: Message) -> bool {
    matches!(
        message,
        Message::Instance(_, Notice::State(State::Stopped, _)) | Message::Group(_, State::Stopped)
    )
}

/// What an instance's notice makes run.
fn of_instance(plan: &InstancePlan, notice: Notice) -> Vec<Command> {
    match notice {
        Notice::State(state, priority) => {
            of_state(&plan.notify, state, "INSTANCE", &plan.name, priority.get())
        }
        Notice::MasterRxLowerPri(_) => {
            plan.notify.master_rx_lower_pri.iter().filter_map(|script| command(script, &[])).collect()
        }
    }
}

/// What a sync group's change of state makes run.
fn of_group(plan: &GroupPlan, state: State) -> Vec<Command> {
    of_state(&plan.notify, state, "GROUP", &plan.name, 0)
}

/// In stock's order: first the script for this state, then the one for all, which is told `INSTANCE` or `GROUP`, the
/// name, the state and the priority.
fn of_state(notify: &NotifyPlan, state: State, kind: &str, name: &str, priority: u8) -> Vec<Command> {
    let Some(word) = wording::state_word(state) else { return Vec::new() };
    let own = match state {
        State::Master => &notify.master,
        State::Backup => &notify.backup,
        State::Fault => &notify.fault,
        State::Stopped => &notify.stop,
        State::Init => &None,
    };
    let arguments = [kind, name, word, &priority.to_string()].map(str::to_owned);
    let own = own.iter().filter_map(|script| command(script, &[]));
    let any = notify.any.iter().filter_map(|script| command(script, &arguments));
    own.chain(any).collect()
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
