//! Precise timers: one timerfd and one ordered table of deadlines per plane.
//!
//! tokio's own timers tick in milliseconds, which is too coarse for VRRP's skew. Here a timer fires as soon as
//! the kernel wakes the thread up. The timerfd is armed for the earliest deadline and armed again only when an
//! earlier one comes up: an advert that moves a deadline further away costs no system call, but at most one
//! wake-up for nothing when the old deadline comes.
//!
//! Tasks are woken in the order of their deadlines. A task that is awake for another reason finds its timer fired
//! as soon as it is due.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::unix::AsyncFd;

use super::clock::Clock;
use super::watch::watch;
use crate::base::Instant;
use crate::host::{Error, Timer, Timers};

/// Is told how late a timer went off.
pub(super) type Late = Box<dyn Fn(Duration)>;

/// The timers of one plane.
pub(super) struct PlaneTimers(Rc<Shared>);

impl PlaneTimers {
    /// Spawns the task that waits for `alarm` on the current `LocalSet`. `late` is told how late timers go off.
    ///
    /// # Errors
    /// What `epoll_ctl` answered.
    pub(super) fn start(alarm: OwnedFd, late: Option<Late>) -> Result<Self, Error> {
        let fd = watch(alarm).map_err(|e| Error::new("watch", "a timer descriptor", e))?;
        let shared = Rc::new(Shared { clock: Clock, fd, late, schedule: RefCell::default() });
        tokio::task::spawn_local(drive(Rc::clone(&shared)));
        Ok(Self(shared))
    }
}

impl Timers for PlaneTimers {
    fn timer(&self) -> Box<dyn Timer> {
        let mut schedule = self.0.schedule.borrow_mut();
        schedule.next_id += 1;
        Box::new(Deadline { shared: Rc::clone(&self.0), id: schedule.next_id, at: None })
    }
}

/// Waits for the timerfd for ever and wakes whoever is due.
async fn drive(shared: Rc<Shared>) {
    loop {
        let Ok(mut guard) = shared.fd.readable().await else {
            return; // the runtime is shutting down
        };
        // The count of expirations that is read here does not matter: the table says what is due.
        let _ = guard.try_io(|fd| Ok(nix::unistd::read(fd.get_ref(), &mut [0; 8])?));
        drop(guard);
        shared.expire(shared.clock.read());
    }
}

struct Shared {
    clock: Clock,
    fd: AsyncFd<OwnedFd>,
    late: Option<Late>,
    schedule: RefCell<Schedule>,
}

#[derive(Default)]
struct Schedule {
    next_id: u64,
    /// Deadlines in the order they are due, with whom to wake. A timer that is set and not here has fired.
    waiting: BTreeMap<(Instant, u64), Option<Waker>>,
    /// What the timerfd is set to. Never later than the first of `waiting`.
    armed: Option<Instant>,
}

impl Shared {
    /// Fires every timer due at `now`, in order of their deadlines.
    fn expire(&self, now: Instant) {
        let mut due = Vec::new();
        let first;
        {
            let mut schedule = self.schedule.borrow_mut();
            first = schedule.waiting.first_key_value().map(|((at, _), _)| *at);
            while let Some(first) = schedule.waiting.first_entry()
                && first.key().0 <= now
            {
                due.extend(first.remove());
            }
            schedule.armed = schedule.armed.filter(|armed| *armed > now);
            self.arm(&mut schedule);
        }
        if let (Some(late), Some(first)) = (&self.late, first.filter(|first| *first < now)) {
            late(now - first);
        }
        // Outside the borrow: a waker may drop a task, and the task its timers.
        for waker in due {
            waker.wake();
        }
    }

    /// Arms the timerfd for the first deadline, unless it goes off by then anyway.
    fn arm(&self, schedule: &mut Schedule) {
        let Some(((first, _), _)) = schedule.waiting.first_key_value() else { return };
        if schedule.armed.is_some_and(|armed| armed <= *first) {
            return;
        }
        schedule.armed = Some(*first);
        set_timerfd(self.fd.get_ref(), *first);
    }
}

/// One deadline.
struct Deadline {
    shared: Rc<Shared>,
    id: u64,
    at: Option<Instant>,
}

impl Timer for Deadline {
    fn set(&mut self, at: Option<Instant>) {
        if at == self.at && at.is_none() {
            return;
        }
        let mut schedule = self.shared.schedule.borrow_mut();
        let waker = self.at.and_then(|old| schedule.waiting.remove(&(old, self.id))).flatten();
        self.at = at;
        if let Some(at) = at {
            schedule.waiting.insert((at, self.id), waker);
            self.shared.arm(&mut schedule);
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let mut schedule = self.shared.schedule.borrow_mut();
        if let Some(waker) = schedule.waiting.get_mut(&(at, self.id)) {
            let now = self.shared.clock.read();
            if now < at {
                match waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                // While many tasks are busy it may take long until the timerfd is looked at.
                let overdue = schedule.waiting.first_key_value().is_some_and(|((first, _), _)| *first <= now);
                drop(schedule);
                if overdue {
                    self.shared.expire(now);
                }
                return Poll::Pending;
            }
            // Due, and the timerfd has not said so yet. Whoever else is due is woken now, in order; this one need
            // not go to the end of their queue, or a busy task might never get round to its deadline.
            drop(schedule);
            self.shared.expire(now);
        }
        self.at = None;
        Poll::Ready(())
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.set(None);
    }
}

/// A non-blocking timerfd on the clock of [`Clock`]: readable when a timer of the plane that has it is due.
///
/// # Errors
/// No file descriptor is left.
pub(super) fn alarm() -> Result<OwnedFd, Error> {
    timerfd().map_err(|e| Error::new("create", "a timer descriptor", e))
}

fn timerfd() -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor; nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Has the timerfd go off at `at`, at once if that has passed.
fn set_timerfd(fd: &impl AsFd, at: Instant) {
    let micros = at.as_micros().max(1); // 0 would switch it off
    let seconds = libc::time_t::try_from(micros / 1_000_000).unwrap_or(libc::time_t::MAX);
    // Below 10^9, so it fits everywhere.
    let nanos = (micros % 1_000_000 * 1_000) as libc::c_long;
    let spec = libc::itimerspec {
        it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
        it_value: libc::timespec { tv_sec: seconds, tv_nsec: nanos },
    };
    // SAFETY: `spec` is alive for the call; the old value is not asked for. It cannot fail: the descriptor is a
    // timerfd and the time is a valid one.
    unsafe {
        libc::timerfd_settime(
            fd.as_fd().as_raw_fd(),
            libc::TFD_TIMER_ABSTIME,
            &raw const spec,
            std::ptr::null_mut(),
        )
    };
}
