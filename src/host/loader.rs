//! What the loading of a configuration may ask of the machine.
//!
//! A configuration is checked against the machine it is for: files, interfaces, users, programs. `config` asks
//! only through this trait, so a test gives it a machine of its own making.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::Link;
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
    /// No such file, or its path cannot be walked by that user, in the system's words.
    #[error("cannot be accessed - {0}")]
    NotFound(&'static str),
    /// A name without a path, and no directory of `PATH` has it.
    #[error("not found in path")]
    NotInPath,
    /// There, but that user may not execute it.
    #[error("not executable")]
    NotExecutable,
    /// There, but no file: a directory, mostly.
    #[error("not a file")]
    NotFile,
}

impl ProgramError {
    /// What is wrong with the program `name` for that user, in stock's words.
    pub fn words(self, name: &str, uid: u32, gid: u32) -> String {
        match self {
            Self::NotFound(why) => format!("Script {name} cannot be accessed - {why}"),
            Self::NotInPath => format!("Cannot find script {name} in path"),
            Self::NotExecutable => format!("script '{name}' is not executable for uid:gid {uid}:{gid}"),
            Self::NotFile => format!("Wrong file type found in script path '{name}'"),
        }
    }
}

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path with symbolic links resolved.
    pub path: PathBuf,
    /// Its path as it was found, with those links.
    pub found: PathBuf,
    /// The component of its path that somebody other than root can change, if there is one.
    pub insecure: Option<PathBuf>,
}

impl Program {
    /// What makes it unsafe to run as that user: only root has something to lose.
    pub fn unsafe_for(&self, uid: u32, gid: u32) -> Option<&Path> {
        self.insecure.as_deref().filter(|_| uid == 0 || gid == 0)
    }

    /// The file to execute, with symbolic links left in its path or not.
    pub fn file(&self, keeps_links: bool) -> &Path {
        if keeps_links { &self.found } else { &self.path }
    }
}

/// What an interface is, as far as a configuration depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFacts {
    /// What kind of interface.
    pub kind: LinkKind,
    /// Largest packet it carries, in bytes.
    pub mtu: u32,
    /// It carries multicast.
    pub multicast: bool,
    /// It has hardware addresses of six bytes as Ethernet does, so that a VMAC or ipvlan can stand on it.
    pub ethernet: bool,
}

/// What kind of interface something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// A macvlan.
    Macvlan {
        /// In private mode, as a VMAC is.
        private: bool,
    },
    /// An ipvlan.
    Ipvlan {
        /// In L2 mode, as that of an instance is.
        l2: bool,
    },
    /// A VRF.
    Vrf {
        /// The routing table of what is in it.
        table: u32,
    },
    /// Anything else.
    #[default]
    Other,
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileAccess {
    /// User id of its owner.
    pub owner: u32,
    /// Its permission bits.
    pub mode: u32,
}

/// The machine a configuration is for.
///
/// What has a default here, a machine need not know: then nothing is found wrong with it.
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

    /// What an interface is; `None` if there is none, or nothing is known of it.
    fn link(&self, _name: &IfName) -> Option<LinkFacts> {
        None
    }

    /// All interfaces; none where nothing is known of them.
    fn links(&self) -> Vec<Link> {
        Vec::new()
    }

    /// Whether an interface has this address.
    fn has_address(&self, _ip: IpAddr) -> bool {
        true
    }

    /// Whether there is a network namespace of this name.
    fn has_namespace(&self, _name: &str) -> bool {
        true
    }

    /// Who may read a file; `None` if there is none, or nothing is known of it.
    fn access(&self, _path: &Path) -> Option<FileAccess> {
        None
    }

    /// Why changes of files in a directory will not be noticed: the kind of file system, if it is one that does
    /// not tell.
    fn unwatchable(&self, _directory: &Path) -> Option<&'static str> {
        None
    }

    /// User id and primary group id of a user.
    fn user(&self, name: &str) -> Option<(u32, u32)>;

    /// All groups that a user is in, by the user's name, except for `gid`; in the system's order.
    fn groups(&self, name: &str, gid: u32) -> Vec<u32>;

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
