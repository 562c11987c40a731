//! Another machine, of which only the configuration is here.

use std::path::{Path, PathBuf};

use crate::base::IfName;
use crate::host::Loader;
use crate::host::loader::{Program, ProgramError, ReadError};

/// Has the files of the machine inside, and every interface, user, group and program.
pub(super) struct Elsewhere<'a>(pub(super) &'a dyn Loader);

impl Loader for Elsewhere<'_> {
    fn node_name(&self) -> String {
        self.0.node_name()
    }

    fn current_dir(&self) -> PathBuf {
        self.0.current_dir()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        self.0.glob(pattern)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.0.read(path)
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }

    fn exists(&self, _: &Path) -> bool {
        true
    }

    fn cpus(&self) -> u32 {
        u32::MAX
    }

    fn random(&self) -> u64 {
        self.0.random()
    }

    fn interface_exists(&self, _: &IfName) -> bool {
        true
    }

    fn user(&self, name: &str) -> Option<(u32, u32)> {
        Some(self.0.user(name).unwrap_or((1, 1)))
    }

    fn groups(&self, name: &str, gid: u32) -> Vec<u32> {
        self.0.groups(name, gid)
    }

    fn group(&self, name: &str) -> Option<u32> {
        Some(self.0.group(name).unwrap_or(1))
    }

    fn own_credentials(&self) -> (u32, u32) {
        (0, 0)
    }

    fn program(&self, name: &str, _: u32, _: u32) -> Result<Program, ProgramError> {
        Ok(Program { path: PathBuf::from(name), found: PathBuf::from(name), insecure: None })
    }
}
