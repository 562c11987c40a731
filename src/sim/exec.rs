//! The executor: tasks of one simulated process, polled in the order in which they were woken.
//!
//! There is no thread and no clock in here. A waker only puts the task's number into the ready queue of its
//! process; the world decides when that queue is worked off, and for a frozen process it does not.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::NodeId;
use super::rng::Rng;
use crate::host::{LocalBoxFuture, Tasks};

/// Which plane a task runs on: tasks of a plane end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaneId {
    Slow,
    Fast,
}

/// Numbers of the tasks that want to be polled, first woken first.
type Ready = Arc<Mutex<VecDeque<u64>>>;

/// What a `Waker` of this executor is made of. It holds no future, so it may outlive its task.
struct TaskWaker {
    task: u64,
    queued: AtomicBool,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.task);
        }
    }
}

struct Task {
    name: String,
    plane: PlaneId,
    /// The plane ends when this task does.
    main: bool,
    future: LocalBoxFuture<()>,
    waker: Waker,
    state: Arc<TaskWaker>,
}

/// A task that was spawned and is not in the table yet.
pub(super) struct NewTask {
    name: String,
    plane: PlaneId,
    main: bool,
    future: LocalBoxFuture<()>,
}

/// Tasks spawned since the process was last looked at. Shared with the ports of the process.
#[derive(Default)]
pub(super) struct Inbox {
    tasks: RefCell<Vec<NewTask>>,
}

impl Inbox {
    pub(super) fn push(&self, name: &str, plane: PlaneId, main: bool, future: LocalBoxFuture<()>) {
        self.tasks.borrow_mut().push(NewTask { name: name.to_owned(), plane, main, future });
    }
}

/// [`Tasks`] of one plane.
pub(super) struct Spawner {
    pub(super) inbox: Rc<Inbox>,
    pub(super) plane: PlaneId,
}

impl Tasks for Spawner {
    fn spawn(&self, name: &str, task: LocalBoxFuture<()>) {
        self.inbox.push(name, self.plane, false, task);
    }
}

/// Something that happens once and that one task may wait for.
#[derive(Default)]
pub(super) struct Latch {
    done: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Latch {
    pub(super) fn set(&self) {
        self.done.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) async fn wait(&self) {
        poll_fn(|cx| {
            if self.done.get() {
                return Poll::Ready(());
            }
            *self.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// One running daemon.
pub(super) struct Process {
    pub(super) node: NodeId,
    tasks: BTreeMap<u64, Task>,
    next_task: u64,
    ready: Ready,
    inbox: Rc<Inbox>,
    status: Rc<Cell<Option<u8>>>,
    fast_ended: Rc<Latch>,
}

impl Process {
    /// A process without tasks. `fast_ended` is set when the fast plane's main task has ended and all its
    /// other tasks are gone.
    pub(super) fn new(node: NodeId, inbox: Rc<Inbox>, fast_ended: Rc<Latch>) -> Self {
        Self {
            node,
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: Ready::default(),
            inbox,
            status: Rc::default(),
            fast_ended,
        }
    }

    /// Gives the process its main future; the process ends with it.
    pub(super) fn main(&mut self, main: LocalBoxFuture<u8>) {
        let status = Rc::clone(&self.status);
        let future = Box::pin(async move { status.set(Some(main.await)) });
        self.inbox.push("main", PlaneId::Slow, true, future);
    }

    /// The exit status, once the main future has ended.
    pub(super) fn status(&self) -> Option<u8> {
        self.status.get()
    }

    /// Polls the task that has waited longest. `false` if none wants to be polled, or the process has ended.
    pub(super) fn step(&mut self) -> bool {
        self.admit();
        if self.status.get().is_some() {
            return false;
        }
        let Some(id) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
            return false;
        };
        // A task that has ended may still be woken by those who kept its waker.
        let Some(task) = self.tasks.get_mut(&id) else {
            return true;
        };
        task.state.queued.store(false, Ordering::Relaxed);
        if task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready()
            && let Some(task) = self.tasks.remove(&id)
            && task.main
            && task.plane == PlaneId::Fast
        {
            drop(task);
            self.end_fast();
        }
        true
    }

    /// The name of the task that is next, for messages about a process that never comes to rest.
    pub(super) fn next_name(&self) -> Option<&str> {
        let id = *self.ready.lock().unwrap_or_else(PoisonError::into_inner).front()?;
        self.tasks.get(&id).map(|task| task.name.as_str())
    }

    /// Puts the waiting tasks into a random order: after a stall nobody can say which one the system wakes first.
    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        rng.shuffle(ready.make_contiguous());
    }

    fn admit(&mut self) {
        for NewTask { name, plane, main, future } in self.inbox.tasks.take() {
            let id = self.next_task;
            self.next_task += 1;
            let state = Arc::new(TaskWaker {
                task: id,
                queued: AtomicBool::new(false),
                ready: Arc::clone(&self.ready),
            });
            state.wake_by_ref();
            let waker = Waker::from(Arc::clone(&state));
            self.tasks.insert(id, Task { name, plane, main, future, waker, state });
        }
    }

    fn end_fast(&mut self) {
        self.admit();
        let (gone, kept): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.tasks).into_iter().partition(|(_, task)| task.plane == PlaneId::Fast);
        self.tasks = kept;
        drop(gone);
        self.fast_ended.set();
    }
}
