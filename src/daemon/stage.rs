//! Scripts of the daemon's own start and stop: the daemon waits for them, but not for ever.

use std::future::poll_fn;
use std::time::Duration;

use crate::host::{Kill, Plane, Processes};
use crate::notify;
use crate::plan::StagePlan;
use crate::report::wording;

/// How long a script that has taken too long has to end itself.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the script of a `stage`, if there is one, and waits for it; after its time it is ended, with all that it has
/// started. Whatever becomes of it, the daemon goes on.
pub(super) async fn run(slow: &Plane, processes: &dyn Processes, stage: &str, plan: Option<&StagePlan>) {
    let Some(command) = plan.and_then(|plan| notify::command(&plan.script, &[])) else { return };
    let timeout = plan.map_or(Duration::ZERO, |plan| plan.timeout);
    wording::stage_begins(stage, command.argv.first().unwrap_or(&command.program));
    let mut child = match processes.spawn(&command) {
        Ok(child) => child,
        Err(error) => {
            wording::stage_not_executed(stage, &error);
            return;
        }
    };
    tokio::select! {
        biased;
        exit = poll_fn(|cx| child.poll_exit(cx)) => wording::stage_ended(stage, exit),
        () = slow.sleep(timeout) => {
            wording::stage_timed_out(stage);
            child.kill(Kill::Terminate);
            tokio::select! {
                biased;
                _ = poll_fn(|cx| child.poll_exit(cx)) => {}
                () = slow.sleep(GRACE) => child.kill(Kill::Kill),
            }
        }
    }
}
