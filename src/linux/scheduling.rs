//! How the daemon is scheduled: nice value, real-time scheduler, CPUs, locked memory.
//!
//! Real-time and bound to CPUs are the threads that peers depend on: the fast plane and netlink. Nice value and locked
//! memory are those of the whole process. Programs are started from the main thread, so that they inherit the nice value
//! only, and they get back the one that the daemon was started with.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, gettid};

use super::startup::{self, Original};
use crate::host::{Error, Scheduler, Scheduling};

/// A thread that runs this long without a pause is ended with the whole process, if that is allowed to be real-time:
/// whatever it does, it is no use, and nobody else may get to run. Stock allows the limit that is configured, and a
/// script that it starts may end it.
const RUNAWAY: Duration = Duration::from_secs(5);

/// What the thread of the fast plane is called unless it is given another name.
pub(super) const FAST: &str = "vrrp";

/// May lock memory without a limit (`linux/capability.h`).
const CAP_IPC_LOCK: u32 = 14;
/// May raise hard limits.
const CAP_SYS_RESOURCE: u32 = 24;

/// The threads of the fast plane, and how they are scheduled.
#[derive(Clone)]
pub(super) struct Threads(Arc<Mutex<State>>);

struct State {
    /// Threads of the fast plane, as the kernel counts them.
    fast: Vec<Pid>,
    wanted: Scheduling,
    /// Real-time priority in effect; 0: none.
    realtime: u8,
    /// As the daemon was started.
    original: Original,
    /// CPUs of the main thread.
    cpus: Option<CpuSet>,
    /// What the main thread is called.
    name: String,
}

impl Threads {
    pub(super) fn new(original: Original) -> Self {
        let cpus = sched_getaffinity(Pid::from_raw(0)).ok();
        let wanted = Scheduling::default();
        let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
        Self(Arc::new(Mutex::new(State { fast: Vec::new(), wanted, realtime: 0, original, cpus, name })))
    }

    /// The calling thread is one of the fast plane from now on.
    pub(super) fn join(&self) {
        let thread = gettid();
        let mut state = self.lock();
        state.fast.push(thread);
        if state.fast.len() == 1 && state.wanted.fast_name.is_some() {
            state.name_fast().unwrap_or_else(refused);
        }
        if !state.wanted.cpus.is_empty() {
            state.bind(thread).unwrap_or_else(refused);
        }
        if state.realtime > 0 {
            state.make_realtime(thread).unwrap_or_else(refused);
        }
    }

    /// A timer of the fast plane went off this late. Tells it, and raises the priority if that is wanted.
    pub(super) fn late(&self, by: Duration) {
        let mut state = self.lock();
        if state.wanted.tolerance.is_none_or(|tolerance| by <= tolerance) {
            return;
        }
        tracing::info!(
            target: "vrrp",
            "A thread timer expired {}.{:06} seconds ago",
            by.as_secs(),
            by.subsec_micros()
        );
        if state.realtime < state.wanted.highest {
            let priority = state.realtime + 1;
            match state.set_realtime(priority) {
                Ok(()) => tracing::info!(target: "vrrp", "Set realtime priority {priority}"),
                Err(error) => refused(error),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics; and if it did, what is known would still be true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheduler for Threads {
    fn apply(&self, scheduling: &Scheduling) {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.wanted, scheduling.clone());
        if before.nice != scheduling.nice {
            let nice = scheduling.nice.map_or(state.original.nice, i32::from);
            set_nice(nice).unwrap_or_else(refused);
        }
        if before.lock_memory != scheduling.lock_memory {
            lock_memory(scheduling.lock_memory).unwrap_or_else(refused);
        }
        if before.process_name != scheduling.process_name {
            let name = scheduling.process_name.as_deref().unwrap_or(state.name.trim_end());
            set_name(Pid::this(), name).unwrap_or_else(refused);
        }
        if before.fast_name != scheduling.fast_name {
            state.name_fast().unwrap_or_else(refused);
        }
        if before.cpus != scheduling.cpus {
            let bound = state.fast.iter().try_for_each(|thread| state.bind(*thread));
            bound.unwrap_or_else(refused);
        }
        // What lateness has brought about stays, as long as nothing else is written.
        if before.realtime != scheduling.realtime || before.cpu_time != scheduling.cpu_time {
            let priority = match scheduling.realtime {
                Some(priority) => priority,
                None if before.realtime.is_some() => 0,
                None => state.realtime,
            };
            state.set_realtime(priority).unwrap_or_else(refused);
        }
    }
}

impl State {
    /// All threads of the fast plane get this priority; 0: that of everybody.
    fn set_realtime(&mut self, priority: u8) -> Result<(), Error> {
        if priority == 0 && self.realtime == 0 {
            return Ok(());
        }
        if priority > 0 {
            self.limit_cpu_time()?;
        }
        self.realtime = priority;
        let done = self.fast.iter().try_for_each(|thread| self.make_realtime(*thread));
        if done.is_err() {
            self.realtime = 0;
        }
        done
    }

    fn make_realtime(&self, thread: Pid) -> Result<(), Error> {
        // Whatever such a thread should start is not real-time.
        let policy = match self.realtime {
            0 => libc::SCHED_OTHER,
            _ => libc::SCHED_RR | libc::SCHED_RESET_ON_FORK,
        };
        let parameters = libc::sched_param { sched_priority: self.realtime.into() };
        // SAFETY: the kernel reads `parameters`, which outlives the call.
        let done = unsafe { libc::sched_setscheduler(thread.as_raw(), policy, &raw const parameters) };
        if done != 0 {
            let error = io::Error::last_os_error();
            return Err(Error::new("set real-time priority", self.realtime, error));
        }
        Ok(())
    }

    /// At the soft limit there is a signal, which is logged; see [`RUNAWAY`] for the hard one.
    fn limit_cpu_time(&self) -> Result<(), Error> {
        let limit = self.wanted.cpu_time;
        let original = self.original.cpu_time;
        let micros = |time: Duration| libc::rlim_t::try_from(time.as_micros()).unwrap_or(libc::RLIM_INFINITY);
        let limit = if limit.is_zero() {
            libc::rlimit { rlim_cur: original.rlim_max, rlim_max: original.rlim_max }
        } else {
            // Without the capability scripts could not get back what they are due.
            let restorable = startup::is_capable(CAP_SYS_RESOURCE);
            let hard = if restorable { micros(limit.max(RUNAWAY)) } else { original.rlim_max };
            let hard = hard.min(original.rlim_max);
            libc::rlimit { rlim_cur: micros(limit).min(hard), rlim_max: hard }
        };
        startup::set_limit(libc::RLIMIT_RTTIME, limit)
            .map_err(|e| Error::new("limit", "the time a real-time thread may run without a pause", e))
    }

    /// The first thread of the fast plane, which gave it its name, gets the one that is wanted.
    fn name_fast(&self) -> Result<(), Error> {
        let Some(thread) = self.fast.first() else { return Ok(()) };
        set_name(*thread, self.wanted.fast_name.as_deref().unwrap_or(FAST))
    }

    /// Binds a thread to the CPUs that are wanted, or to none.
    fn bind(&self, thread: Pid) -> Result<(), Error> {
        let failed =
            |e: nix::Error| Error::new("bind VRRP to CPUs", format!("{:?}", self.wanted.cpus), e.into());
        let mut set = CpuSet::new();
        for cpu in &self.wanted.cpus {
            set.set(*cpu as usize).map_err(failed)?;
        }
        let free = self.wanted.cpus.is_empty();
        match (free, &self.cpus) {
            (true, Some(original)) => sched_setaffinity(thread, original).map_err(failed),
            (true, None) => Ok(()),
            (false, _) => sched_setaffinity(thread, &set).map_err(failed),
        }
    }
}

/// Names a thread of this process; the main one's name is that of the process.
fn set_name(thread: Pid, name: &str) -> Result<(), Error> {
    let named = std::fs::write(format!("/proc/self/task/{thread}/comm"), name);
    named.map_err(|e| Error::new("name", format!("a thread {name}"), e))
}

/// All threads that there are get this nice value; those to come inherit it.
fn set_nice(nice: i32) -> Result<(), Error> {
    let failed = |e| Error::new("set priority", nice, e);
    for entry in std::fs::read_dir("/proc/self/task").map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(thread) = name.to_str().and_then(|name| name.parse::<libc::id_t>().ok()) else { continue };
        // SAFETY: no pointers.
        if unsafe { libc::setpriority(libc::PRIO_PROCESS, thread, nice) } != 0 {
            let error = io::Error::last_os_error();
            // A thread may have ended since.
            if error.raw_os_error() != Some(libc::ESRCH) {
                return Err(failed(error));
            }
        }
    }
    Ok(())
}

/// Keeps all memory from being swapped out, or no longer. What is not used yet takes no memory.
fn lock_memory(lock: bool) -> Result<(), Error> {
    let failed = |e| Error::new(if lock { "lock" } else { "unlock" }, "memory", e);
    // Without the capability it may seem to work, and every allocation beyond RLIMIT_MEMLOCK would fail from then on.
    if lock && !startup::is_capable(CAP_IPC_LOCK) {
        return Err(failed(io::Error::from_raw_os_error(libc::EPERM)));
    }
    // SAFETY: no pointers; memory stays where it is.
    let done = unsafe {
        match lock {
            true => libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT),
            false => libc::munlockall(),
        }
    };
    if done != 0 { Err(failed(io::Error::last_os_error())) } else { Ok(()) }
}

/// The daemon goes on as it is.
fn refused(error: Error) {
    tracing::warn!(target: "vrrp", "{error}");
}
