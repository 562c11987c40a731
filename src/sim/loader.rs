//! A machine in memory for the loading of configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::base::IfName;
use crate::host::loader::{FileAccess, LinkFacts, Loader, Program, ProgramError, ReadError};

/// A machine that has what it is told to have.
#[derive(Clone, Debug)]
pub struct MemoryLoader {
    /// Configuration files by absolute path, or why they cannot be read.
    pub files: BTreeMap<PathBuf, Result<Vec<u8>, ReadError>>,
    /// Directories that have no file.
    pub directories: BTreeSet<PathBuf>,
    /// What every random number is.
    pub random: u64,
    /// Names of interfaces; `None`: every interface exists.
    pub interfaces: Option<BTreeSet<String>>,
    /// What is known of interfaces, by name.
    pub links: BTreeMap<String, LinkFacts>,
    /// Addresses that no interface has.
    pub foreign: BTreeSet<IpAddr>,
    /// Network namespaces; `None`: every one exists.
    pub namespaces: Option<BTreeSet<String>>,
    /// Who may read files that are not for everybody.
    pub access: BTreeMap<PathBuf, FileAccess>,
    /// Directories whose changes cannot be noticed, and their file systems.
    pub unwatchable: BTreeMap<PathBuf, &'static str>,
    /// User id and primary group id by name.
    pub users: BTreeMap<String, (u32, u32)>,
    /// Group ids by name.
    pub groups: BTreeMap<String, u32>,
    /// Programs by name as configured.
    pub programs: BTreeMap<String, Result<Program, ProgramError>>,
    /// Environment.
    pub variables: BTreeMap<String, String>,
    /// Node name.
    pub node: String,
}

impl Default for MemoryLoader {
    /// All interfaces, the user root, and nothing else.
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            directories: ["/", "/tmp", "/run", "/etc"].map(PathBuf::from).into(),
            random: 4,
            interfaces: None,
            links: BTreeMap::new(),
            foreign: BTreeSet::new(),
            namespaces: None,
            access: BTreeMap::new(),
            unwatchable: BTreeMap::new(),
            users: [("root".to_owned(), (0, 0))].into(),
            groups: [("root".to_owned(), 0)].into(),
            programs: BTreeMap::new(),
            variables: BTreeMap::new(),
            node: "node1.example".to_owned(),
        }
    }
}

impl MemoryLoader {
    /// A machine with this configuration in `/etc/keepalived/keepalived.conf`.
    pub fn with_main(text: impl Into<Vec<u8>>) -> Self {
        Self::default().file(Self::MAIN, text)
    }

    /// The path of the file that [`MemoryLoader::with_main`] makes.
    pub const MAIN: &str = "/etc/keepalived/keepalived.conf";

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), Ok(text.into()));
        self
    }

    /// Adds a program that everybody may run and only root can change.
    #[must_use]
    pub fn program(mut self, name: &str) -> Self {
        let (path, found) = (name.into(), name.into());
        self.programs.insert(name.to_owned(), Ok(Program { path, found, insecure: None }));
        self
    }
}

impl Loader for MemoryLoader {
    fn node_name(&self) -> String {
        self.node.clone()
    }

    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        match glob::Pattern::new(&pattern.to_string_lossy()) {
            Ok(pattern) => {
                self.files.keys().filter(|p| pattern.matches_path_with(p, options)).cloned().collect()
            }
            Err(_) => self.files.keys().filter(|p| *p == pattern).cloned().collect(),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.files.get(path).cloned().unwrap_or(Err(ReadError::NotFound))
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.files.keys().any(|f| f != path && f.starts_with(path)) || self.directories.contains(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(path) || self.is_directory(path)
    }

    fn cpus(&self) -> u32 {
        2
    }

    fn random(&self) -> u64 {
        self.random
    }

    fn interface_exists(&self, name: &IfName) -> bool {
        self.interfaces.as_ref().is_none_or(|i| i.contains(name.as_str()))
    }

    fn link(&self, name: &IfName) -> Option<LinkFacts> {
        self.links.get(name.as_str()).copied()
    }

    fn has_address(&self, ip: IpAddr) -> bool {
        !self.foreign.contains(&ip)
    }

    fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|n| n.contains(name))
    }

    fn access(&self, path: &Path) -> Option<FileAccess> {
        self.access.get(path).copied()
    }

    fn unwatchable(&self, directory: &Path) -> Option<&'static str> {
        self.unwatchable.get(directory).copied()
    }

    fn user(&self, name: &str) -> Option<(u32, u32)> {
        self.users.get(name).copied()
    }

    /// Those named after the user: `NAME` and `NAME-more`.
    fn groups(&self, name: &str, gid: u32) -> Vec<u32> {
        let more = format!("{name}-more");
        let all = [name, &more].into_iter().filter_map(|name| self.groups.get(name).copied());
        all.filter(|group| *group != gid).collect()
    }

    fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    fn own_credentials(&self) -> (u32, u32) {
        (0, 0)
    }

    fn program(&self, name: &str, _uid: u32, _gid: u32) -> Result<Program, ProgramError> {
        self.programs.get(name).cloned().unwrap_or(Err(ProgramError::NotFound("No such file or directory")))
    }
}
