//! Timers on the real clock. How late they are is printed, not judged: the machine may be busy.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use super::{on_a_plane, quantiles, soon};
use crate::base::Instant;

/// Tells whether it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn fire_in_the_order_of_their_deadlines_and_never_early() {
    on_a_plane(|plane| async move {
        let fired = Rc::new(RefCell::new(Vec::new()));
        let start = plane.now();
        // Set in an order that is neither theirs nor its reverse.
        for n in (0..4000_u64).map(|n| n * 1663 % 4000) {
            let (plane, fired) = (plane.clone(), Rc::clone(&fired));
            tokio::task::spawn_local(async move {
                let deadline = start + Duration::from_micros(20_000 + n * 10);
                plane.sleep_until(deadline).await;
                fired.borrow_mut().push((deadline, plane.now()));
            });
        }
        while fired.borrow().len() < 4000 {
            soon(&plane, "the next timer", plane.sleep(Duration::from_millis(1))).await;
        }
        let fired = fired.borrow();
        assert!(fired.is_sorted_by_key(|(deadline, _)| deadline));
        assert!(fired.iter().all(|(deadline, at)| at >= deadline));
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
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut dropped = plane.timers.timer();
        dropped.set(Some(plane.now() + Duration::from_millis(1)));
        assert!(dropped.poll_fired(&mut Context::from_waker(&waker)).is_pending());
        drop(dropped);
        plane.sleep(Duration::from_millis(5)).await;
        assert!(!woken.0.load(Ordering::Relaxed), "woken for a timer that is gone");
    });
}
