//! The real-time scheduler of a thread.

use std::time::Duration;

use super::on_a_thread;
use crate::host::{Scheduler, Scheduling};
use crate::linux::scheduling::Threads;
use crate::linux::startup::Original;

/// Policy and real-time priority of this thread.
fn scheduled() -> (i32, i32) {
    let mut parameters = libc::sched_param { sched_priority: -1 };
    // SAFETY: the kernel fills in `parameters`, which outlives the call.
    unsafe {
        assert_eq!(libc::sched_getparam(0, &raw mut parameters), 0);
        (libc::sched_getscheduler(0), parameters.sched_priority)
    }
}

const NORMAL: (i32, i32) = (libc::SCHED_OTHER, 0);

fn real_time(priority: i32) -> (i32, i32) {
    (libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, priority)
}

#[test]
fn lateness_raises_the_priority_step_by_step_as_far_as_allowed() {
    on_a_thread(|| {
        let threads = Threads::new(Original::read());
        threads.join();
        let late = Duration::from_millis(1_001);
        threads.late(late);
        assert_eq!(scheduled(), NORMAL, "only told, unless something is allowed");
        threads.apply(&Scheduling { highest: 2, ..Scheduling::default() });
        threads.late(Duration::from_secs(1));
        assert_eq!(scheduled(), NORMAL, "not late enough");
        for priority in [1, 2, 2] {
            threads.late(late);
            assert_eq!(scheduled(), real_time(priority), "this test needs CAP_SYS_NICE: run it as root");
        }
        threads.apply(&Scheduling { tolerance: None, highest: 9, ..Scheduling::default() });
        threads.late(late);
        assert_eq!(scheduled(), real_time(2), "nobody wants to know");
    });
}

#[test]
fn threads_that_come_later_are_scheduled_like_the_others() {
    on_a_thread(|| {
        let threads = Threads::new(Original::read());
        let wanted = Scheduling { realtime: Some(3), ..Scheduling::default() };
        threads.apply(&wanted);
        assert_eq!(scheduled(), NORMAL, "not one of them");
        threads.join();
        assert_eq!(scheduled(), real_time(3));
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(scheduled(), NORMAL, "whoever is started is not real-time"));
        });
        threads.apply(&Scheduling::default());
        assert_eq!(scheduled(), NORMAL);
    });
}
