//! What the loading of a configuration may ask of the machine.
//!
//! A configuration is checked against the machine it is for: files, interfaces, users, programs. `config` asks
//! only through this trait, so a test gives it a machine of its own making.

use std::path::{Path, PathBuf};

use crate::base::IfName;

/// Why a configuration file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No such file.
    #[error("no such file")]
    NotFound,
    /// A directory.
    #[error("is a directory")]
    Directory,
    /// A socket, a device, …
    #[error("not a regular file")]
    NotRegular,
    /// Has an execute permission bit, which stock refuses.
    #[error("is executable")]
    Executable,
    /// The system said no, and why.
    #[error("{0}")]
    Unreadable(String),
}

/// Why the program of a script cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// No such file, or its path cannot be walked by that user.
    #[error("not found/accessible")]
    NotFound,
    /// There, but that user may not execute it.
    #[error("not executable")]
    NotExecutable,
}

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path with symbolic links resolved.
    pub path: PathBuf,
    /// The component of its path that somebody other than root can change, if there is one.
    pub insecure: Option<PathBuf>,
}

/// The machine a configuration is for.
pub trait Loader {
    /// Node name (`uname -n`), whole.
    fn node_name(&self) -> String;

    /// The current directory.
    fn current_dir(&self) -> PathBuf;

    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// Paths that match `pattern` (`*`, `?`, `[]`; no brace lists), sorted. A pattern without wildcards gives
    /// itself if the file exists.
    fn glob(&self, pattern: &Path) -> Vec<PathBuf>;

    /// The bytes of a configuration file.
    ///
    /// # Errors
    /// Why not.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError>;

    /// Whether there is a directory of this path.
    fn is_directory(&self, path: &Path) -> bool;

    /// Whether there is anything of this path.
    fn exists(&self, path: &Path) -> bool;

    /// How many processors there are; their numbers begin at 0.
    fn cpus(&self) -> u32;

    /// A number nobody can foresee.
    fn random(&self) -> u64;

    /// Whether this interface exists.
    fn interface_exists(&self, name: &IfName) -> bool;

    /// The largest IP packet this interface takes, in bytes; `None` if that is not known.
    fn interface_mtu(&self, _name: &IfName) -> Option<u32> {
        None
    }

    /// User id and primary group id of a user.
    fn user(&self, name: &str) -> Option<(u32, u32)>;

    /// Group id of a group.
    fn group(&self, name: &str) -> Option<u32>;

    /// User and group id the daemon runs as.
    fn own_credentials(&self) -> (u32, u32);

    /// Finds the program `name` (searched in `PATH` if it has no `/`) as that user would.
    ///
    /// # Errors
    /// Why that user cannot run it.
    fn program(&self, name: &str, uid: u32, gid: u32) -> Result<Program, ProgramError>;
}
