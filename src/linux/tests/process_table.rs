//! Processes that are tracked.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::process::Command;

use super::{in_a_namespace, on_a_plane, soon};
use crate::host::{Pid, ProcessEvent, ProcessTable};
use crate::linux::process_table::ProcFs;

#[test]
fn the_life_of_a_process_is_reported_or_it_is_said_that_it_is_not() {
    on_a_plane(|plane| async move {
        let mut events = match ProcFs.watch() {
            Ok(events) => events,
            // As in a container, where processes are counted instead.
            Err(error) => {
                let kind = error.source.kind();
                assert!(matches!(kind, ErrorKind::Unsupported | ErrorKind::ConnectionRefused), "{error}");
                return;
            }
        };
        let mut child = Command::new("true").spawn().unwrap();
        let pid = Pid(child.id());
        for wanted in [ProcessEvent::Changed(pid), ProcessEvent::Ended(pid)] {
            soon(&plane, &format!("{wanted:?}"), async {
                while poll_fn(|cx| events.poll_event(cx)).await != wanted {}
            })
            .await;
        }
        child.wait().unwrap();
    });
}

#[test]
fn in_another_network_namespace_processes_are_not_reported() {
    in_a_namespace(|_| async {
        assert!(ProcFs.watch().is_err());
    });
}
