//! Changes of state → scripts, in order.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::base::InstanceId;
use crate::config::model::Script;
use crate::host::{Child, Command, Credentials, Kill, Plane, Processes};
use crate::plan::{NotifyPlan, Plan};
use crate::report::wording;
use crate::vrrp::machine::{Notice, State};

/// How long scripts that announce the stop may take.
const STOP_TIME: Duration = Duration::from_secs(1);
/// How long they then have to end themselves.
const KILL_GRACE: Duration = Duration::from_millis(200);

/// Something to be told to scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// By an instance.
    Instance(InstanceId, Notice),
    /// By the sync group of this name: all members are in this state.
    Group(String, State),
    /// The configuration has changed.
    Reload(Scripts),
}

/// What instances and sync groups want run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// Of each instance, with its name.
    instances: BTreeMap<InstanceId, (String, NotifyPlan)>,
    /// Of each sync group, by name.
    groups: BTreeMap<String, NotifyPlan>,
}

impl Scripts {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let instances = plan.instances.iter().map(|i| (i.id, (i.name.clone(), i.notify.clone())));
        let groups = plan.groups.iter().map(|group| (group.name.clone(), group.notify.clone()));
        Self { instances: instances.collect(), groups: groups.collect() }
    }

    /// From now on these. Instances that have gone may still have something to say.
    fn replace(&mut self, new: Self) {
        self.instances.extend(new.instances);
        self.groups = new.groups;
    }

    /// The programs to start, and for whom.
    fn commands(&self, message: &Message) -> (&str, Vec<Command>) {
        let found = match message {
            Message::Instance(id, notice) => {
                let instance = self.instances.get(id);
                instance.map(|(name, plan)| (name.as_str(), of_instance(name, plan, *notice)))
            }
            Message::Group(name, state) => {
                let group = self.groups.get_key_value(name);
                group.map(|(name, plan)| (name.as_str(), of_state(plan, *state, "GROUP", name, 0)))
            }
            Message::Reload(_) => None,
        };
        found.unwrap_or_default()
    }
}

/// Starts notify scripts.
pub struct Notifier {
    /// Clock and timers.
    pub plane: Plane,
    /// Runs programs.
    pub processes: Rc<dyn Processes>,
    /// What is to be run.
    pub scripts: Scripts,
}

impl Notifier {
    /// Starts scripts in the order in which messages come, until all senders are gone; then waits a moment for the
    /// scripts that announce the stop, and ends those that take longer.
    pub async fn run(&mut self, messages: &mut UnboundedReceiver<Message>) {
        let mut stopping = Vec::new();
        let mut lower: BTreeMap<InstanceId, Box<dyn Child>> = BTreeMap::new();
        while let Some(message) = messages.recv().await {
            if let Message::Reload(scripts) = message {
                self.scripts.replace(scripts);
                continue;
            }
            let of_lower = match message {
                Message::Instance(id, Notice::MasterRxLowerPri(_)) => Some(id),
                _ => None,
            };
            // Somebody who keeps sending must not make scripts pile up: one at a time is enough for this.
            if of_lower.and_then(|id| lower.get_mut(&id)).is_some_and(|child| is_running(&mut **child)) {
                continue;
            }
            let (name, commands) = self.scripts.commands(&message);
            for command in commands {
                match self.processes.spawn(&command) {
                    Ok(child) if is_stop(&message) => stopping.push(child),
                    Ok(child) if of_lower.is_some() => {
                        lower.extend(of_lower.map(|id| (id, child)));
                        break;
                    }
                    // Nobody waits for it; the host reaps it.
                    Ok(_) => {}
                    Err(error) => wording::notify_not_executed(name, &error),
                }
            }
            if let Message::Instance(id, Notice::Deleted(_)) = message {
                self.scripts.instances.remove(&id);
                lower.remove(&id);
            }
        }
        self.await_stop(stopping).await;
    }

    async fn await_stop(&self, children: Vec<Box<dyn Child>>) {
        let mut timer = self.plane.timers.timer();
        timer.set(Some(self.plane.now() + STOP_TIME));
        let mut out_of_time = false;
        let mut hanging = Vec::new();
        for mut child in children {
            if !out_of_time {
                tokio::select! {
                    biased;
                    _ = poll_fn(|cx| child.poll_exit(cx)) => continue,
                    () = timer.fired() => out_of_time = true,
                }
            }
            child.kill(Kill::Terminate);
            hanging.push(child);
        }
        if !hanging.is_empty() {
            self.plane.sleep(KILL_GRACE).await;
            hanging.iter_mut().for_each(|child| child.kill(Kill::Kill));
        }
    }
}

fn is_running(child: &mut dyn Child) -> bool {
    poll_fn(|cx| child.poll_exit(cx)).now_or_never().is_none()
}

fn is_stop(message: &Message) -> bool {
    matches!(
        message,
        Message::Instance(_, Notice::State(State::Stopped, _)) | Message::Group(_, State::Stopped)
    )
}

/// What an instance's notice makes run.
fn of_instance(name: &str, plan: &NotifyPlan, notice: Notice) -> Vec<Command> {
    match notice {
        Notice::State(state, priority) => of_state(plan, state, "INSTANCE", name, priority.get()),
        // Stock calls it a fault, but the script for faults does not run.
        Notice::Deleted(priority) => {
            let any = NotifyPlan { any: plan.any.clone(), ..NotifyPlan::default() };
            of_state(&any, State::Fault, "INSTANCE", name, priority.get())
        }
        Notice::MasterRxLowerPri(_) => {
            plan.master_rx_lower_pri.iter().filter_map(|script| command(script, &[])).collect()
        }
    }
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
