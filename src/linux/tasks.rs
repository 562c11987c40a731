//! Tasks of a plane.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::host::{LocalBoxFuture, Tasks};

/// Spawns on the `LocalSet` it is called in.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalTasks;

impl Tasks for LocalTasks {
    fn spawn(&self, name: &str, task: LocalBoxFuture<()>) {
        let name = name.to_owned();
        tokio::task::spawn_local(async move {
            // What the panic said has gone through the panic hook; this adds whose it was.
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("task {name} panicked");
            }
        });
    }
}
