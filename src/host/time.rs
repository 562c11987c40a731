//! Time and tasks of one plane.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::LocalBoxFuture;
use crate::base::Instant;

/// Reads the time line.
pub trait Clock {
    /// The present moment. Never goes back.
    fn now(&self) -> Instant;
    /// The wall clock: time since 1970. Goes back when somebody sets it back.
    fn unix_time(&self) -> Duration;
}

/// Makes timers.
pub trait Timers {
    /// A new timer, not set.
    fn timer(&self) -> Box<dyn Timer>;
}

/// One resettable deadline. Dropping it takes it off the plane's schedule.
pub trait Timer {
    /// Fire at `at`, or not at all. Replaces what was set before.
    fn set(&mut self, at: Option<Instant>);
    /// Ready once when the time set has come; then the timer is unset. Pending for ever while unset.
    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

impl dyn Timer {
    /// Waits until the timer fires.
    pub async fn fired(&mut self) {
        poll_fn(|cx| self.poll_fired(cx)).await;
    }
}

/// Runs futures side by side on one plane.
pub trait Tasks {
    /// Runs `task` until it ends, or until the plane ends. `name` is for diagnostics.
    fn spawn(&self, name: &str, task: LocalBoxFuture<()>);
}

/// Clock, timers and tasks of one plane.
#[derive(Clone)]
pub struct Plane {
    /// Reads the time line; both planes of a host share it.
    pub clock: Rc<dyn Clock>,
    /// Makes timers that wake tasks of this plane.
    pub timers: Rc<dyn Timers>,
    /// Spawns tasks on this plane.
    pub tasks: Rc<dyn Tasks>,
}

impl Plane {
    /// The present moment.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The wall clock: time since 1970.
    pub fn unix_time(&self) -> Duration {
        self.clock.unix_time()
    }

    /// Waits until `at`.
    pub async fn sleep_until(&self, at: Instant) {
        let mut timer = self.timers.timer();
        timer.set(Some(at));
        timer.fired().await;
    }

    /// Waits for `pause`.
    pub async fn sleep(&self, pause: Duration) {
        self.sleep_until(self.now() + pause).await;
    }

    /// Waits for `future`, but not longer than `limit`; `None`: it took longer, and is dropped.
    pub async fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut timer = self.timers.timer();
        timer.set(Some(self.now() + limit));
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => timer.poll_fired(cx).map(|()| None),
        })
        .await
    }
}
