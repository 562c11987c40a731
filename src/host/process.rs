//! Scripts, signals and the service manager.

use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Error;
use super::loader::{Program, ProgramError};

/// Who a script runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The file to execute, already resolved.
    pub program: String,
    /// Arguments, `argv[0]` included.
    pub argv: Vec<String>,
    /// Who it runs as; `None`: as the daemon does.
    pub credentials: Option<Credentials>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status, 0 to 255.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
}

/// How to end a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// `SIGTERM`.
    Terminate,
    /// `SIGKILL`.
    Kill,
}

/// Starts programs.
pub trait Processes {
    /// Starts `command` in a process group of its own: standard streams on `/dev/null`, all signals at their
    /// defaults, no other open files, and `SIGTERM` when the daemon dies.
    ///
    /// # Errors
    /// The program cannot be executed.
    fn spawn(&self, command: &Command) -> Result<Box<dyn Child>, Error>;

    /// Finds the program `name` (searched in `PATH` if it has no `/`) as that user would.
    ///
    /// # Errors
    /// Why that user cannot run it.
    fn find(&self, name: &str, uid: u32, gid: u32) -> Result<Program, ProgramError>;

    /// Tests that `path` can be opened for reading, without waiting for anybody at the other end.
    ///
    /// # Errors
    /// It cannot.
    fn open_for_reading(&self, path: &Path) -> Result<(), Error>;
}

/// A running program. Dropping it leaves the program alone; it is still reaped.
pub trait Child {
    /// Ready when the program itself has ended.
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit>;
    /// Sends a signal to the whole process group; nothing if it is gone.
    fn kill(&mut self, how: Kill);
}

/// A signal sent to the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `SIGTERM` or `SIGINT`: stop in order.
    Stop,
    /// `SIGRTMIN+5`: stop, and leave to the next start what can be left to it.
    HandOver,
    /// `SIGHUP`: read the configuration again.
    Reload,
    /// `SIGUSR1`: write the data dump.
    Data,
    /// `SIGUSR2`: write the statistics.
    Stats,
    /// `SIGRTMAX-1`: clear the statistics.
    StatsClear,
    /// `SIGRTMIN+2`: write the JSON dump.
    Json,
}

/// The signals the daemon gets.
pub trait Signals {
    /// The next signal.
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal>;
}

/// The service manager, if there is one.
pub trait Supervisor {
    /// The daemon is up, or has reloaded its configuration.
    fn ready(&self);
    /// The daemon reloads its configuration.
    fn reloading(&self);
    /// One line for people who ask the service manager how the daemon is.
    fn status(&self, text: &str);
    /// The daemon is stopping.
    fn stopping(&self);
    /// How long the service manager waits for a sign of life before it ends the daemon; `None`: for ever.
    fn watchdog(&self) -> Option<Duration>;
    /// A sign of life.
    fn alive(&self);
}
