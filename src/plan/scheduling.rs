//! How the daemon is scheduled.

use std::time::Duration;

use crate::config::model::GlobalOptions;
use crate::host::Scheduling;

/// What stock calls its VRRP process when processes are to have names of their own.
const VRRP_NAME: &str = "keepalived_vrrp";

/// What stock has for its VRRP process.
pub(super) fn resolve(globals: &GlobalOptions) -> Scheduling {
    let vrrp = &globals.vrrp_scheduling;
    let names = &globals.processes;
    let default = || names.default_names.then(|| VRRP_NAME.to_owned());
    let highest = globals.max_auto_priority.unwrap_or(0);
    Scheduling {
        nice: vrrp.nice.filter(|nice| *nice != 0),
        realtime: vrrp.realtime,
        cpus: vrrp.cpus.clone(),
        lock_memory: vrrp.no_swap,
        cpu_time: vrrp.rttime.map_or(Scheduling::CPU_TIME, |micros| Duration::from_micros(micros.into())),
        process_name: names.parent.clone(),
        fast_name: names.vrrp.clone().or_else(default),
        // A negative number means silence.
        tolerance: (highest >= 0).then(|| globals.min_auto_priority_delay.unwrap_or(Scheduling::TOLERANCE)),
        highest: u8::try_from(highest).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::{ProcessNames, Scheduling as Written};

    #[test]
    fn nothing_written_changes_nothing() {
        assert_eq!(resolve(&GlobalOptions::default()), Scheduling::default());
    }

    #[test]
    fn what_is_written_counts() {
        let vrrp_scheduling =
            Written { nice: Some(-5), no_swap: true, realtime: Some(50), cpus: vec![1], rttime: Some(2) };
        let processes = ProcessNames {
            parent: Some("router".to_owned()),
            default_names: true,
            ..ProcessNames::default()
        };
        let max_auto_priority = Some(99);
        let globals =
            GlobalOptions { vrrp_scheduling, max_auto_priority, processes, ..GlobalOptions::default() };
        let expected = Scheduling {
            nice: Some(-5),
            realtime: Some(50),
            cpus: vec![1],
            lock_memory: true,
            cpu_time: Duration::from_micros(2),
            process_name: Some("router".to_owned()),
            fast_name: Some("keepalived_vrrp".to_owned()),
            tolerance: Some(Duration::from_secs(1)),
            highest: 99,
        };
        assert_eq!(resolve(&globals), expected);
    }

    #[test]
    fn lateness_is_not_told_when_nobody_wants_to_know() {
        let globals = GlobalOptions { max_auto_priority: Some(-1), ..GlobalOptions::default() };
        assert_eq!(resolve(&globals), Scheduling { tolerance: None, ..Scheduling::default() });
        let zero = Written { nice: Some(0), ..Written::default() };
        let globals = GlobalOptions { vrrp_scheduling: zero, ..GlobalOptions::default() };
        assert_eq!(resolve(&globals).nice, None, "0 is how stock writes nothing");
    }
}
