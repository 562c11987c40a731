//! What is to be told, and in which words.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mail::{Alert, Change};
use crate::base::{InstanceId, Priority};
use crate::config::model::{Run, Script};
use crate::host::{Command, Credentials};
use crate::plan::{GroupPlan, InstancePlan, MailPlan, NotifyPlan, PipePlan, Plan};
use crate::report::wording;
use crate::vrrp::machine::{Notice, State};

/// Something to be told to scripts and pipes, and by mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// By an instance.
    Instance(InstanceId, Notice),
    /// By the sync group of this name: all members are in this state.
    Group(String, State),
    /// To be mailed as it is, by whomever.
    Mail(Alert),
    /// The configuration has changed.
    Reload(Scripts),
}

/// An instance, and what was told of it last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Instance {
    plan: Arc<InstancePlan>,
    last: Option<(State, Priority)>,
    /// By mail.
    mailed: Option<Change>,
}

/// A sync group, and what was told of it last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    plan: NotifyPlan,
    last: Option<State>,
    /// By mail.
    mailed: Option<Change>,
}

/// What instances and sync groups want told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    instances: BTreeMap<InstanceId, Instance>,
    /// By name.
    groups: BTreeMap<String, Group>,
    pipes: Vec<PipePlan>,
    mail: Option<Arc<MailPlan>>,
    repeats_states: bool,
}

impl Scripts {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let instance =
            |i: &Arc<InstancePlan>| (i.id, Instance { plan: Arc::clone(i), last: None, mailed: None });
        let group = |group: &GroupPlan| {
            (group.name.clone(), Group { plan: group.notify.clone(), last: None, mailed: None })
        };
        Self {
            instances: plan.instances.iter().map(instance).collect(),
            groups: plan.groups.iter().map(group).collect(),
            pipes: plan.pipes.clone(),
            mail: plan.mail.clone(),
            repeats_states: plan.pipes_repeat_states,
        }
    }

    /// The pipes.
    pub(super) fn pipes(&self) -> &[PipePlan] {
        &self.pipes
    }

    /// How mail is sent, if it is.
    pub(super) fn mail(&self) -> Option<Arc<MailPlan>> {
        self.mail.clone()
    }

    /// Whether a reload writes all states again.
    pub(super) fn repeats_states(&self) -> bool {
        self.repeats_states
    }

    /// From now on these. Instances that have gone may still have something to say.
    pub(super) fn replace(&mut self, mut new: Self) {
        for (id, instance) in &mut new.instances {
            if let Some(known) = self.instances.get(id) {
                (instance.last, instance.mailed) = (known.last, known.mailed);
            }
        }
        for (name, group) in &mut new.groups {
            if let Some(known) = self.groups.get(name) {
                (group.last, group.mailed) = (known.last, known.mailed);
            }
        }
        let gone = std::mem::take(&mut self.instances).into_iter();
        let mut instances: BTreeMap<_, _> = gone.collect();
        instances.extend(new.instances);
        *self = Self { instances, ..new };
    }

    /// An instance that has said its last.
    pub(super) fn forget(&mut self, id: InstanceId) {
        self.instances.remove(&id);
    }

    /// Keeps what is true now.
    pub(super) fn remember(&mut self, message: &Message) {
        match message {
            Message::Instance(id, Notice::State(state, priority)) => {
                if let Some(instance) = self.instances.get_mut(id) {
                    instance.last = Some((*state, *priority));
                }
            }
            Message::Group(name, state) => {
                if let Some(group) = self.groups.get_mut(name) {
                    group.last = Some(*state);
                }
            }
            _ => {}
        }
    }

    /// The lines for pipes that tell the states known: of groups, then of instances.
    pub(super) fn known(&self) -> impl Iterator<Item = String> {
        let groups = self
            .groups
            .iter()
            .filter_map(|(name, group)| line("GROUP", name, wording::state_word(group.last?)?, 0));
        let instances = self.instances.values().filter_map(|instance| {
            let (state, priority) = instance.last?;
            line("INSTANCE", &instance.plan.name, wording::state_word(state)?, priority.get())
        });
        groups.chain(instances)
    }

    /// The line for pipes.
    pub(super) fn line(&self, message: &Message) -> Option<String> {
        match message {
            Message::Instance(id, notice) => {
                let InstancePlan { name, notify: plan, .. } = &*self.instances.get(id)?.plan;
                let (word, priority) = match notice {
                    Notice::State(state, priority) => (wording::state_word(*state)?, priority),
                    Notice::MasterRxLowerPri(priority) => ("MASTER_RX_LOWER_PRI", priority),
                    Notice::Priority { .. } if !plan.priority_changes => return None,
                    Notice::Priority { master: true, priority } => ("MASTER_PRIORITY", priority),
                    Notice::Priority { master: false, priority } => ("BACKUP_PRIORITY", priority),
                    Notice::Deleted(priority) => (deleted(plan), priority),
                };
                line("INSTANCE", name, word, priority.get())
            }
            Message::Group(name, state) => line("GROUP", name, wording::state_word(*state)?, 0),
            Message::Mail(_) | Message::Reload(_) => None,
        }
    }

    /// The programs to start, and for whom.
    pub(super) fn commands(&self, message: &Message) -> (&str, Vec<Command>) {
        let found = match message {
            Message::Instance(id, notice) => {
                let instance = self.instances.get(id);
                instance.map(|Instance { plan: i, .. }| {
                    (i.name.as_str(), of_instance(&i.name, &i.notify, *notice))
                })
            }
            Message::Group(name, state) => self.groups.get_key_value(name).map(|(name, group)| {
                let own = of_state(&group.plan, *state);
                let any = wording::state_word(*state).map(|word| (word, 0));
                (name.as_str(), commands(own, &group.plan, "GROUP", name, any))
            }),
            Message::Mail(_) | Message::Reload(_) => None,
        };
        found.unwrap_or_default()
    }

    /// What is to be mailed. The same is not mailed twice in a row, and a fault that is not told does not count.
    pub(super) fn alert(&mut self, message: &Message) -> Option<Alert> {
        let faults = self.mail.as_ref()?.faults;
        match message {
            Message::Mail(alert) => Some(alert.clone()),
            Message::Instance(id, notice) => {
                let Instance { plan, mailed, .. } = self.instances.get_mut(id)?;
                let change = Change::of_notice(*notice, plan.notify.deleted.is_some())?;
                is_news(change, &plan.notify, mailed, faults).then(|| Alert::of_instance(&plan.name, change))
            }
            Message::Group(name, state) => {
                let Group { plan, mailed, .. } = self.groups.get_mut(name)?;
                let change = Change::of_state(*state)?;
                is_news(change, plan, mailed, faults).then(|| Alert::of_group(name, change))
            }
            Message::Reload(_) => None,
        }
    }
}

/// Whether a change is mailed; then it is the last one that was.
fn is_news(change: Change, plan: &NotifyPlan, mailed: &mut Option<Change>, faults: bool) -> bool {
    let news = plan.mail && *mailed != Some(change) && (faults || change != Change::Fault);
    if news {
        *mailed = Some(change);
    }
    news
}

fn line(kind: &str, name: &str, word: &str, priority: u8) -> Option<String> {
    Some(format!("{kind} \"{name}\" {word} {priority}\n"))
}

/// What a removed instance is said to be: without `notify_deleted` stock calls it a fault, for compatibility.
fn deleted(plan: &NotifyPlan) -> &'static str {
    if plan.deleted.is_some() { "DELETED" } else { "FAULT" }
}

/// What an instance's notice makes run.
fn of_instance(name: &str, plan: &NotifyPlan, notice: Notice) -> Vec<Command> {
    match notice {
        Notice::State(state, priority) => {
            let any = wording::state_word(state).map(|word| (word, priority.get()));
            commands(of_state(plan, state), plan, "INSTANCE", name, any)
        }
        // The script for faults does not run.
        Notice::Deleted(priority) => {
            let own = plan.deleted.as_ref().and_then(Option::as_ref);
            commands(own, plan, "INSTANCE", name, Some((deleted(plan), priority.get())))
        }
        Notice::MasterRxLowerPri(_) => {
            plan.master_rx_lower_pri.iter().filter_map(|script| command(script, &[])).collect()
        }
        Notice::Priority { .. } => Vec::new(),
    }
}

/// The script for a state.
fn of_state(plan: &NotifyPlan, state: State) -> Option<&Script> {
    match state {
        State::Master => plan.master.as_ref(),
        State::Backup => plan.backup.as_ref(),
        State::Fault => plan.fault.as_ref(),
        State::Stopped => plan.stop.as_ref(),
        State::Init => None,
    }
}

/// In stock's order: first the script for this state, then the one for all, which is told `INSTANCE` or `GROUP`, the
/// name, the state and the priority.
fn commands(
    own: Option<&Script>,
    plan: &NotifyPlan,
    kind: &str,
    name: &str,
    any: Option<(&str, u8)>,
) -> Vec<Command> {
    let own = own.and_then(|script| command(script, &[]));
    let any = any.and_then(|(word, priority)| {
        let arguments = [kind, name, word, &priority.to_string()].map(str::to_owned);
        command(plan.any.as_ref()?, &arguments)
    });
    own.into_iter().chain(any).collect()
}

/// The program to run for `script`, with `more` arguments; `None` if it is not a program.
pub fn command(script: &Script, more: &[String]) -> Option<Command> {
    match script {
        Script::Run(run) => Some(execution(run, more)),
        Script::Sought(_) | Script::Open(_) => None,
    }
}

/// `run` with `more` arguments, as the system takes it.
pub fn execution(run: &Run, more: &[String]) -> Command {
    let Run { program, argv, user } = run;
    Command {
        program: program.clone(),
        argv: argv.iter().chain(more).cloned().collect(),
        credentials: Some(Credentials { uid: user.uid, gid: user.gid, groups: user.groups.clone() }),
    }
}
