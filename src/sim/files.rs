//! A machine for a configuration to be loaded on: files, interfaces, users and programs in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::base::IfName;
use crate::host::Loader;
use crate::host::loader::{Program, ProgramError, ReadError};

/// [`Loader`] in memory. Whatever is not listed here is as friendly as can be: every program is found, and
/// everybody is root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Files by absolute path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Interfaces that exist.
    pub interfaces: BTreeSet<String>,
    /// Programs that cannot be used, by the name they are asked for, and why.
    pub programs: BTreeMap<String, ProgramError>,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Node name.
    pub node_name: String,
}

impl Files {
    /// A machine with this configuration at `/etc/keepalived/keepalived.conf` and the interfaces `lo` and `eth0`.
    pub fn with_config(text: &str) -> Self {
        Self {
            files: BTreeMap::from([(PathBuf::from(Self::CONFIG), text.as_bytes().to_vec())]),
            interfaces: ["lo", "eth0"].map(str::to_owned).into(),
            node_name: "sim".to_owned(),
            ..Self::default()
        }
    }

    /// Where [`Files::with_config`] puts the configuration.
    pub const CONFIG: &'static str = "/etc/keepalived/keepalived.conf";
}

impl Loader for Files {
    fn node_name(&self) -> String {
        self.node_name.clone()
    }

    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let Some(pattern) = pattern.to_str().and_then(|p| glob::Pattern::new(p).ok()) else {
            return Vec::new();
        };
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
        self.files.keys().filter(|path| pattern.matches_path_with(path, options)).cloned().collect()
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.files.get(path).cloned().ok_or_else(|| {
            if self.files.keys().any(|file| file.starts_with(path)) {
                ReadError::Directory
            } else {
                ReadError::NotFound
            }
        })
    }

    fn interface_exists(&self, name: &IfName) -> bool {
        self.interfaces.contains(name.as_str())
    }

    fn user(&self, _name: &str) -> Option<(u32, u32)> {
        Some((0, 0))
    }

    fn group(&self, _name: &str) -> Option<u32> {
        Some(0)
    }

    fn own_credentials(&self) -> (u32, u32) {
        (0, 0)
    }

    fn program(&self, name: &str, _uid: u32, _gid: u32) -> Result<Program, ProgramError> {
        match self.programs.get(name) {
            Some(error) => Err(*error),
            None => Ok(Program { path: PathBuf::from(name), insecure: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_name_and_by_pattern() {
        let mut machine = Files::with_config("x");
        for name in ["b.conf", "a.conf", "sub/c.conf", "d.txt"] {
            machine.files.insert(Path::new("/etc/conf.d").join(name), Vec::new());
        }
        let glob = |pattern: &str| machine.glob(Path::new(pattern));
        assert_eq!(
            glob("/etc/conf.d/*.conf"),
            ["/etc/conf.d/a.conf", "/etc/conf.d/b.conf"].map(PathBuf::from)
        );
        assert_eq!(glob(Files::CONFIG), [PathBuf::from(Files::CONFIG)]);
        assert!(glob("/none").is_empty());
        assert_eq!(machine.read(Path::new(Files::CONFIG)), Ok(b"x".to_vec()));
        assert_eq!(machine.read(Path::new("/etc")), Err(ReadError::Directory));
        assert_eq!(machine.read(Path::new("/none")), Err(ReadError::NotFound));
    }
}
