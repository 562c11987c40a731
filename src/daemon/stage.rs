//! Scripts of the daemon's own start and stop: the daemon waits for them, but not for ever.

use std::future::poll_fn;
use std::time::Duration;

use crate::host::{Kill, Plane, Processes};
use crate::notify;
use crate::plan::StagePlan;
use crate::report::wording;

/// How long a script that has taken too long has to end itself.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the script of a `stage`, if there is one, and waits for it; after its time, or when `stop` is ready, it is ended,
/// with all that it has started. Whatever becomes of it, the daemon goes on: `false` if `stop` was what ended it.
pub(super) async fn run(
    slow: &Plane,
    processes: &dyn Processes,
    stage: &str,
    plan: Option<&StagePlan>,
    stop: impl Future<Output = ()>,
) -> bool {
    let Some(command) = plan.and_then(|plan| notify::command(&plan.script, &[])) else { return true };
    let timeout = plan.map_or(Duration::ZERO, |plan| plan.timeout);
    wording::stage_begins(stage, command.argv.first().unwrap_or(&command.program));
    let mut child = match processes.spawn(&command) {
        Ok(child) => child,
        Err(error) => {
            wording::stage_not_executed(stage, &error);
            return true;
        }
    };
    let in_time = tokio::select! {
        biased;
        exit = poll_fn(|cx| child.poll_exit(cx)) => {
            wording::stage_ended(stage, exit);
            return true;
        }
        () = stop => false,
        () = slow.sleep(timeout) => {
            wording::stage_timed_out(stage);
            true
        }
    };
    child.kill(Kill::Terminate);
    if slow.within(GRACE, poll_fn(|cx| child.poll_exit(cx))).await.is_none() {
        child.kill(Kill::Kill);
    }
    in_time
}
