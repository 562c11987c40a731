//! Scripts of the daemon's own start and stop.

use std::time::Duration;

use crate::config::model::{Config, Script, StageScript};

/// How long such a script may take unless it is written.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `startup_script` and `shutdown_script`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StagePlans {
    /// Before everything else.
    pub startup: Option<StagePlan>,
    /// After everything else.
    pub shutdown: Option<StagePlan>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagePlan {
    /// What to run.
    pub script: Script,
    /// Then it is ended.
    pub timeout: Duration,
}

impl StagePlans {
    /// What is written.
    pub fn of(config: &Config) -> Self {
        let stage = |written: &StageScript| {
            let script = written.script.clone()?;
            Some(StagePlan { script, timeout: written.timeout.unwrap_or(TIMEOUT) })
        };
        let options = &config.globals.options;
        Self { startup: stage(&options.startup), shutdown: stage(&options.shutdown) }
    }
}
