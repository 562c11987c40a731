//! Files of a node, and what it tells of other people's processes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, Waker};

use super::NodeId;
use super::observe::What;
use super::state::Shared;
use crate::base::IfName;
use crate::host::{
    CarrierMethod, Carriers, Credentials, Error, FileChanges, Files, LocalBoxFuture, Mark, Pid, Pipe,
    ProcessEvent, ProcessEvents, ProcessFacts, ProcessTable,
};

/// What waits for a daemon, and the daemon that waits for it.
struct Queue<T> {
    waiting: VecDeque<T>,
    waker: Option<Waker>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), waker: None }
    }
}

impl<T> Queue<T> {
    fn push(&mut self, item: T) {
        self.waiting.push_back(item);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<T> {
        if let Some(item) = self.waiting.pop_front() {
            return Poll::Ready(item);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Files and processes of a node.
#[derive(Default)]
pub(super) struct Tracked {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Nothing is written in this folder, and nobody is told so.
    pub(super) hung: Option<PathBuf>,
    /// What the daemon watches, by the number of who does.
    watches: BTreeMap<u64, (Vec<PathBuf>, Queue<usize>)>,
    last_watch: u64,
    processes: BTreeMap<Pid, ProcessFacts>,
    last_pid: u32,
    /// The kernel reports processes.
    reports: bool,
    events: Queue<ProcessEvent>,
}

impl Tracked {
    pub(super) fn forget_process(&mut self) {
        self.watches.clear();
        self.events = Queue::default();
    }

    /// A file has this content now, or is gone.
    pub(super) fn set_file(&mut self, path: &Path, text: Option<&[u8]>) {
        match text {
            Some(text) => self.files.insert(path.to_owned(), text.to_vec()),
            None => self.files.remove(path),
        };
        for (paths, changes) in self.watches.values_mut() {
            for (index, _) in paths.iter().enumerate().filter(|(_, watched)| *watched == path) {
                changes.push(index);
            }
        }
    }

    pub(super) fn file(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// There are `count` processes of this name now.
    pub(super) fn set_processes(&mut self, name: &str, count: usize) {
        let of_name = |(pid, facts): (&Pid, &ProcessFacts)| (facts.name == name.as_bytes()).then_some(*pid);
        let there: BTreeSet<Pid> = self.processes.iter().filter_map(of_name).collect();
        for pid in there.iter().skip(count) {
            self.processes.remove(pid);
            self.events.push(ProcessEvent::Ended(*pid));
        }
        for _ in there.len()..count {
            self.last_pid += 1;
            let pid = Pid(self.last_pid);
            let command = [name.as_bytes(), &[0]].concat();
            self.processes.insert(pid, ProcessFacts { name: name.into(), command });
            self.events.push(ProcessEvent::Changed(pid));
        }
    }

    /// Whether the kernel reports processes, as it does not in containers.
    pub(super) fn set_reports(&mut self, on: bool) {
        self.reports = on;
    }
}

/// [`Files`] and [`ProcessTable`] of a node.
pub(super) struct Tracking {
    pub(super) world: Shared,
    pub(super) node: NodeId,
}

impl Tracking {
    fn with<T>(&self, act: impl FnOnce(&mut Tracked) -> T) -> T {
        act(&mut self.world.borrow_mut().node(self.node).tracked)
    }

    fn again(&self) -> Self {
        Self { world: Shared::clone(&self.world), node: self.node }
    }
}

impl Carriers for Tracking {
    /// Transceivers are not simulated.
    fn carrier(&self, interface: &IfName, method: CarrierMethod) -> Option<bool> {
        if method == CarrierMethod::Mii {
            return None;
        }
        let mut world = self.world.borrow_mut();
        let mut links = world.node(self.node).kernel.links.values();
        links.find(|(link, _)| link.name == *interface).map(|(link, _)| link.usable())
    }
}

impl Files for Tracking {
    fn read_start(&self, path: &Path, limit: usize) -> Option<Vec<u8>> {
        self.with(|tracked| tracked.file(path).map(|text| text.iter().copied().take(limit).collect()))
    }

    fn write(&self, path: &Path, text: &[u8], overwrite: bool) -> Result<(), Error> {
        self.with(|tracked| {
            if overwrite || tracked.file(path).is_none() {
                tracked.set_file(path, Some(text));
            }
        });
        Ok(())
    }

    /// At once, or never: a disk takes no virtual time.
    fn replace(&self, path: PathBuf, text: Vec<u8>, _mode: u32) -> LocalBoxFuture<Result<(), Error>> {
        let hangs = self.with(|tracked| {
            let hangs = tracked.hung.as_ref().is_some_and(|folder| path.starts_with(folder));
            if !hangs {
                tracked.set_file(&path, Some(&text));
            }
            hangs
        });
        if hangs { Box::pin(std::future::pending()) } else { Box::pin(async { Ok(()) }) }
    }

    fn make_folder(&self, _: &Path) -> Result<(), Error> {
        // Here a file needs none.
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        self.with(|tracked| tracked.set_file(path, None));
        Ok(())
    }

    fn mark(&self, path: &Path) -> Result<Box<dyn Mark>, Error> {
        self.with(|tracked| tracked.set_file(path, Some(b"")));
        Ok(Box::new(NodeMark { node: self.again(), path: path.to_owned() }))
    }

    fn temporary_directory(&self) -> PathBuf {
        "/tmp".into()
    }

    fn pipe(&self, path: &Path, _owner: Option<Credentials>) -> Result<Box<dyn Pipe>, Error> {
        Ok(Box::new(NodePipe { node: self.again(), path: path.to_owned() }))
    }

    fn watch(&self, paths: &[PathBuf]) -> Result<Box<dyn FileChanges>, Error> {
        let number = self.with(|tracked| {
            tracked.last_watch += 1;
            tracked.watches.insert(tracked.last_watch, (paths.to_vec(), Queue::default()));
            tracked.last_watch
        });
        Ok(Box::new(NodeWatch { node: self.again(), number }))
    }
}

/// A file that is there as long as this is.
struct NodeMark {
    node: Tracking,
    path: PathBuf,
}

impl Mark for NodeMark {}

impl Drop for NodeMark {
    fn drop(&mut self) {
        self.node.with(|tracked| tracked.set_file(&self.path, None));
    }
}

/// A pipe that is always read: what is written is recorded.
struct NodePipe {
    node: Tracking,
    path: PathBuf,
}

impl Pipe for NodePipe {
    fn write(&mut self, text: &[u8]) -> Result<(), Error> {
        let text = String::from_utf8_lossy(text).into_owned();
        let what = What::Piped { path: self.path.clone(), text };
        self.node.world.borrow_mut().record(Some(self.node.node), what);
        Ok(())
    }
}

/// Somebody who watches files, by number.
struct NodeWatch {
    node: Tracking,
    number: u64,
}

impl FileChanges for NodeWatch {
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let poll = |tracked: &mut Tracked| {
            tracked.watches.get_mut(&self.number).map_or(Poll::Pending, |(_, changes)| changes.poll(cx))
        };
        self.node.with(poll)
    }
}

impl Drop for NodeWatch {
    fn drop(&mut self) {
        self.node.with(|tracked| tracked.watches.remove(&self.number));
    }
}

impl ProcessTable for Tracking {
    fn list(&self) -> Vec<Pid> {
        self.with(|tracked| tracked.processes.keys().copied().collect())
    }

    fn describe(&self, pid: Pid, _command: bool) -> Option<ProcessFacts> {
        self.with(|tracked| tracked.processes.get(&pid).cloned())
    }

    fn watch(&self) -> Result<Box<dyn ProcessEvents>, Error> {
        if self.with(|tracked| tracked.reports) {
            return Ok(Box::new(self.again()));
        }
        Err(Error::new("listen to", "process events", io::ErrorKind::ConnectionRefused.into()))
    }
}

impl ProcessEvents for Tracking {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<ProcessEvent> {
        self.with(|tracked| tracked.events.poll(cx))
    }
}
