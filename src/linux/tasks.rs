//! Tasks of a plane.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::host::{LocalBoxFuture, Tasks};

/// Spawns on the `LocalSet` it is called in.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalTasks;

impl Tasks for LocalTasks {
    fn spawn(&self, name: &str, task: LocalBoxFuture<()>) {
        // In a box within a box: a task of tokio's is 128 bytes with no more than three words of ours, and 256 with four.
        let name = Box::new(Box::<str>::from(name));
        tokio::task::spawn_local(AssertUnwindSafe(task).catch_unwind().map(move |ended| {
            // What the panic said has gone through the panic hook; this adds whose it was.
            if ended.is_err() {
                tracing::error!("task {name} panicked");
            }
        }));
    }
}
