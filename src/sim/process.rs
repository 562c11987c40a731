//! Programs, signals and the service manager of a node.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::NodeId;
use super::observe::What;
use super::state::{Event, Shared, State};
use crate::host::loader::{Program, ProgramError};
use crate::host::{
    Child, Command, Error, Exit, Kill, Processes, Scheduler, Scheduling, Signal, Signals, Supervisor,
};

/// `ENOENT`.
const NOENT: i32 = 2;
/// `EACCES`.
const ACCES: i32 = 13;

/// What a program does when it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It ends by itself.
    Ends {
        /// How long it takes.
        after: Duration,
        /// How it ends.
        exit: Exit,
    },
    /// It runs until it is killed.
    Hangs,
    /// It runs until it is killed, and `SIGTERM` does not do it.
    Stubborn,
    /// It cannot be executed.
    CannotExecute,
}

impl Behaviour {
    /// Ends with this status after a millisecond.
    pub const fn exits(status: i32) -> Self {
        Self::Ends { after: Duration::from_millis(1), exit: Exit::Status(status) }
    }
}

/// A program that was started.
struct Run {
    behaviour: Behaviour,
    exit: Option<Exit>,
    waker: Option<Waker>,
    /// The daemon still holds its `Child`.
    held: bool,
}

/// Programs of a node: how they behave, and those that run.
#[derive(Default)]
pub(super) struct Programs {
    /// By path; others succeed after a millisecond.
    pub(super) behaviours: BTreeMap<String, Behaviour>,
    /// Paths that cannot be opened for reading.
    pub(super) unreadable: BTreeSet<PathBuf>,
    runs: BTreeMap<u64, Run>,
}

impl Programs {
    pub(super) fn forget_process(&mut self) {
        self.runs.clear();
    }

    /// Programs started and not ended.
    pub(super) fn running(&self) -> usize {
        self.runs.values().filter(|run| run.exit.is_none()).count()
    }

    fn end(&mut self, program: u64, exit: Exit) {
        let Some(run) = self.runs.get_mut(&program) else {
            return;
        };
        run.exit.get_or_insert(exit);
        if let Some(waker) = run.waker.take() {
            waker.wake();
        }
        if !run.held {
            self.runs.remove(&program);
        }
    }
}

/// A program's time is over.
pub(super) fn ended(state: &mut State, node: NodeId, program: u64) {
    let programs = &mut state.node(node).programs;
    if let Some(Run { behaviour: Behaviour::Ends { exit, .. }, .. }) = programs.runs.get(&program) {
        programs.end(program, *exit);
    }
}

/// [`Processes`], [`Supervisor`] and [`Scheduler`] of a node.
pub(super) struct Manager {
    pub(super) world: Shared,
    pub(super) node: NodeId,
}

impl Processes for Manager {
    fn spawn(&self, command: &Command) -> Result<Box<dyn Child>, Error> {
        let mut world = self.world.borrow_mut();
        let program = world.number();
        let programs = &mut world.node(self.node).programs;
        let behaviour = programs.behaviours.get(&command.program).copied().unwrap_or(Behaviour::exits(0));
        if behaviour == Behaviour::CannotExecute {
            return Err(Error::new("execute", &command.program, io::Error::from_raw_os_error(ACCES)));
        }
        programs.runs.insert(program, Run { behaviour, exit: None, waker: None, held: true });
        world.record(Some(self.node), What::Program(command.clone()));
        if let Behaviour::Ends { after, .. } = behaviour {
            world.schedule_in(after, Event::ProgramEnd { node: self.node, program });
        }
        Ok(Box::new(SimChild { world: Rc::clone(&self.world), node: self.node, program }))
    }

    fn find(&self, name: &str, _uid: u32, _gid: u32) -> Result<Program, ProgramError> {
        match self.world.borrow_mut().node(self.node).programs.behaviours.get(name) {
            Some(Behaviour::CannotExecute) => Err(ProgramError::NotExecutable),
            _ => Ok(Program { path: name.into(), found: name.into(), insecure: None }),
        }
    }

    fn open_for_reading(&self, path: &Path) -> Result<(), Error> {
        if self.world.borrow_mut().node(self.node).programs.unreadable.contains(path) {
            return Err(Error::new("open", path.display(), io::Error::from_raw_os_error(NOENT)));
        }
        Ok(())
    }
}

struct SimChild {
    world: Shared,
    node: NodeId,
    program: u64,
}

impl Child for SimChild {
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit> {
        let mut world = self.world.borrow_mut();
        let Some(run) = world.node(self.node).programs.runs.get_mut(&self.program) else {
            return Poll::Pending;
        };
        if let Some(exit) = run.exit {
            return Poll::Ready(exit);
        }
        run.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn kill(&mut self, how: Kill) {
        let mut world = self.world.borrow_mut();
        let programs = &mut world.node(self.node).programs;
        let stubborn = programs.runs.get(&self.program).is_some_and(|r| r.behaviour == Behaviour::Stubborn);
        match how {
            Kill::Terminate if stubborn => {}
            Kill::Terminate => programs.end(self.program, Exit::Signal(15)),
            Kill::Kill => programs.end(self.program, Exit::Signal(9)),
        }
    }
}

impl Drop for SimChild {
    fn drop(&mut self) {
        let mut world = self.world.borrow_mut();
        let runs = &mut world.node(self.node).programs.runs;
        if let Some(run) = runs.get_mut(&self.program) {
            run.held = false;
            if run.exit.is_some() {
                runs.remove(&self.program);
            }
        }
    }
}

/// A simulated processor has nobody else to run.
impl Scheduler for Manager {
    fn apply(&self, _scheduling: &Scheduling) {}
}

impl Supervisor for Manager {
    fn ready(&self) {
        self.world.borrow_mut().record(Some(self.node), What::Ready);
    }

    fn reloading(&self) {
        self.world.borrow_mut().record(Some(self.node), What::Reloading);
    }

    fn status(&self, text: &str) {
        self.world.borrow_mut().record(Some(self.node), What::Status(text.to_owned()));
    }

    fn stopping(&self) {
        self.world.borrow_mut().record(Some(self.node), What::Stopping);
    }

    fn watchdog(&self) -> Option<Duration> {
        None
    }

    fn alive(&self) {}
}

/// Signals sent and not yet taken, and who waits for them.
pub(super) type SignalQueue = Rc<RefCell<(VecDeque<Signal>, Option<Waker>)>>;

/// [`Signals`] of a process.
pub(super) struct Receiver(pub(super) SignalQueue);

impl Signals for Receiver {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        let (queue, waker) = &mut *self.0.borrow_mut();
        if let Some(signal) = queue.pop_front() {
            return Poll::Ready(signal);
        }
        *waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
