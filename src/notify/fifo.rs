//! Named pipes that events are written to, and the scripts that read them.

use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{command, not_executed};
use crate::host::{Child, Files, Kill, Pipe, Processes};
use crate::plan::PipePlan;
use crate::report::wording;

/// One pipe.
struct Open {
    plan: PipePlan,
    pipe: Box<dyn Pipe>,
    /// Who reads it.
    reader: Option<Box<dyn Child>>,
    /// The last line was lost, which has been told.
    failed: bool,
}

/// All pipes, in the order in which they are written.
pub(super) struct Pipes {
    files: Rc<dyn Files>,
    processes: Rc<dyn Processes>,
    open: Vec<Open>,
}

impl Pipes {
    pub(super) fn new(files: Rc<dyn Files>, processes: Rc<dyn Processes>) -> Self {
        Self { files, processes, open: Vec::new() }
    }

    /// From now on these. One that stays the same stays open, and its reader does not notice; a reader that had ended is
    /// started again.
    pub(super) fn replace(&mut self, plans: &[PipePlan]) {
        let before = std::mem::take(&mut self.open);
        let (mut same, others): (Vec<_>, Vec<_>) = before.into_iter().partition(|o| plans.contains(&o.plan));
        // They go before others are made: one that goes is removed, and a new one may have its path.
        for mut reader in others.into_iter().filter_map(|open| open.reader) {
            reader.kill(Kill::Terminate);
        }
        for plan in plans {
            let known = same.iter().position(|open| open.plan == *plan).map(|place| same.remove(place));
            self.open.extend(match known {
                Some(open) if open.reader.is_none() => Some(self.with_reader(open)),
                Some(open) => Some(open),
                None => self.make(plan),
            });
        }
    }

    fn make(&self, plan: &PipePlan) -> Option<Open> {
        match self.files.pipe(Path::new(&plan.path), plan.owner.clone()) {
            Ok(pipe) => {
                Some(self.with_reader(Open { plan: plan.clone(), pipe, reader: None, failed: false }))
            }
            Err(error) => {
                wording::pipe_not_made(plan.name, &error);
                None
            }
        }
    }

    fn with_reader(&self, mut open: Open) -> Open {
        let program =
            open.plan.script.as_ref().and_then(|s| command(s, std::slice::from_ref(&open.plan.path)));
        if let Some(program) = program {
            match self.processes.spawn(&program) {
                Ok(child) => open.reader = Some(child),
                Err(error) => not_executed(open.plan.name, &error),
            }
        }
        open
    }

    /// Writes one line to each. What does not fit into a pipe is lost, since nobody may wait for its reader.
    pub(super) fn write(&mut self, line: &str) {
        for open in &mut self.open {
            let written = open.pipe.write(line.as_bytes());
            let failed = std::mem::replace(&mut open.failed, written.is_err());
            if let Err(error) = written.as_ref()
                && !failed
            {
                wording::pipe_not_written(open.plan.name, error);
            }
        }
    }

    /// Whether a reader has ended.
    pub(super) fn reap(&mut self, cx: &mut Context<'_>) -> bool {
        let mut ended = false;
        for open in &mut self.open {
            if let Some(Poll::Ready(exit)) = open.reader.as_mut().map(|reader| reader.poll_exit(cx)) {
                open.reader = None;
                ended = true;
                wording::pipe_reader_ended(open.plan.name, exit);
            }
        }
        ended
    }

    /// Closes all, and removes those we have made. Gives their readers, which end when they have read everything, if
    /// they are so inclined.
    pub(super) fn close(&mut self) -> Vec<Box<dyn Child>> {
        std::mem::take(&mut self.open).into_iter().filter_map(|open| open.reader).collect()
    }
}
