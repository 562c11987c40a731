//! Timers on the real clock. How late they are is printed, not judged: the machine may be busy.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::{on_a_plane, quantiles, soon};
use crate::base::Instant;
use crate::host::Timer;
use crate::linux::clock::Clock;

/// Notes who was woken and when.
#[derive(Default)]
struct Journal(Mutex<Vec<(u64, Instant)>>);

/// A waker that writes down its number.
struct Entry {
    number: u64,
    journal: Arc<Journal>,
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.journal.0.lock().unwrap().push((self.number, Clock.read()));
    }
}

impl Journal {
    /// Polls `timer`; from now on number `number` is woken for it.
    fn watch(self: &Arc<Self>, number: u64, timer: &mut dyn Timer) -> Poll<()> {
        let waker = Waker::from(Arc::new(Entry { number, journal: Arc::clone(self) }));
        timer.poll_fired(&mut Context::from_waker(&waker))
    }
}

#[test]
fn wake_in_the_order_of_their_deadlines_and_never_early() {
    const COUNT: u64 = 4000;
    on_a_plane(|plane| async move {
        // On a machine so busy that the first is due before the last is set, try again with more time.
        for lead_ms in [20, 200, 2000, 10_000] {
            let journal = Arc::new(Journal::default());
            let start = plane.now() + Duration::from_millis(lead_ms);
            let deadline = |n: u64| start + Duration::from_micros(n * 10);
            // Set in an order that is neither theirs nor its reverse.
            let mut timers: Vec<_> = (0..COUNT).map(|n| (n * 1663 % COUNT, plane.timers.timer())).collect();
            let all_set = timers.iter_mut().all(|(n, timer)| {
                timer.set(Some(deadline(*n)));
                journal.watch(*n, timer.as_mut()).is_pending()
            });
            if !all_set {
                continue;
            }
            while journal.0.lock().unwrap().len() < COUNT as usize {
                soon(&plane, "the next timer", plane.sleep(Duration::from_millis(1))).await;
            }
            let woken = journal.0.lock().unwrap();
            assert!(woken.iter().map(|(n, _)| *n).eq(0..COUNT), "out of order");
            assert!(woken.iter().all(|(n, at)| *at >= deadline(*n)), "early");
            assert!(timers.iter_mut().all(|(n, timer)| journal.watch(*n, timer.as_mut()).is_ready()));
            return;
        }
        panic!("the machine cannot set {COUNT} timers within ten seconds");
    });
}

#[test]
fn one_timer_is_this_late() {
    on_a_plane(|plane| async move {
        let mut late = Vec::new();
        for _ in 0..300 {
            let deadline = plane.now() + Duration::from_millis(3);
            plane.sleep_until(deadline).await;
            let now = plane.now();
            assert!(now >= deadline);
            late.push((now - deadline).as_micros());
        }
        let (median, p99) = quantiles(late);
        println!("one timer: late by {median} µs (median), {p99} µs (99 %)");
    });
}

#[test]
fn a_moved_deadline_counts_and_a_cleared_one_does_not() {
    on_a_plane(|plane| async move {
        let ms = Duration::from_millis;
        let mut timer = plane.timers.timer();
        let start = plane.now();
        timer.set(Some(start + ms(5)));
        timer.set(Some(start + ms(30)));
        timer.fired().await;
        assert!(plane.now() >= start + ms(30), "fired at its old deadline");

        // Forward: what the timerfd is armed for is later than the new deadline.
        timer.set(Some(plane.now() + Duration::from_secs(3600)));
        timer.set(Some(plane.now() + ms(5)));
        soon(&plane, "the earlier deadline", timer.fired()).await;

        timer.set(Some(plane.now() + ms(5)));
        timer.set(None);
        let quiet = plane.now() + ms(20);
        tokio::select! {
            biased;
            () = timer.fired() => panic!("fired though cleared"),
            () = plane.sleep_until(quiet) => {}
        }
    });
}

#[test]
fn the_past_is_now() {
    on_a_plane(|plane| async move {
        soon(&plane, "a deadline at the start of time", plane.sleep_until(Instant::ZERO)).await;
        soon(&plane, "a deadline just passed", plane.sleep_until(plane.now())).await;
    });
}

#[test]
fn a_fired_timer_is_unset_and_a_dropped_one_leaves_the_schedule() {
    on_a_plane(|plane| async move {
        let mut timer = plane.timers.timer();
        timer.set(Some(plane.now()));
        timer.fired().await;
        tokio::select! {
            biased;
            () = timer.fired() => panic!("fired twice"),
            () = plane.sleep(Duration::from_millis(5)) => {}
        }
        let journal = Arc::new(Journal::default());
        let mut dropped = plane.timers.timer();
        let deadline = plane.now() + Duration::from_millis(50);
        dropped.set(Some(deadline));
        // If it is due already the machine was away; then there is nothing to be seen, but nothing wrong either.
        let _ = journal.watch(1, dropped.as_mut());
        drop(dropped);
        plane.sleep_until(deadline + Duration::from_millis(5)).await;
        assert!(journal.0.lock().unwrap().is_empty(), "woken for a timer that is gone");
    });
}
