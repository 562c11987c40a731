//! How much of the machine the daemon gets.

use std::time::Duration;

/// How the daemon is scheduled. The default: as it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduling {
    /// Nice value of the process, -20 to 19; `None`: as it was started.
    pub nice: Option<i8>,
    /// Priority of the fast plane in the real-time scheduler (`SCHED_RR`), 1 to 99; `None`: it is not real-time.
    pub realtime: Option<u8>,
    /// CPUs the fast plane may run on; empty: as it was started.
    pub cpus: Vec<u32>,
    /// Memory is not swapped out.
    pub lock_memory: bool,
    /// How long a real-time thread may run without a pause before that is told; zero: for ever.
    pub cpu_time: Duration,
    /// What tools call the process, at most 15 bytes; `None`: as it was started.
    pub process_name: Option<String>,
    /// What they call the thread of the fast plane.
    pub fast_name: Option<String>,
    /// How late the fast plane's timers may be before that is told; `None`: nothing is told.
    pub tolerance: Option<Duration>,
    /// The highest real-time priority that it may get because of such lateness; 0: none.
    pub highest: u8,
}

impl Scheduling {
    /// `cpu_time` unless configured.
    pub const CPU_TIME: Duration = Duration::from_millis(10);
    /// `tolerance` unless configured.
    pub const TOLERANCE: Duration = Duration::from_secs(1);
}

impl Default for Scheduling {
    fn default() -> Self {
        Self {
            nice: None,
            realtime: None,
            cpus: Vec::new(),
            lock_memory: false,
            cpu_time: Self::CPU_TIME,
            process_name: None,
            fast_name: None,
            tolerance: Some(Self::TOLERANCE),
            highest: 0,
        }
    }
}

/// Schedules the daemon. Programs that it starts are not touched by it.
pub trait Scheduler {
    /// Goes over to `scheduling`. What the system does not permit is logged, and all else takes effect.
    fn apply(&self, scheduling: &Scheduling);
}
