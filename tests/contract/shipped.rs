//! Every configuration that is shipped can be loaded without an error.

use std::path::{Path, PathBuf};

use keepalived_rs::base::IfName;
use keepalived_rs::config::{self, diagnostic::Severity};
use keepalived_rs::host::Loader;
use keepalived_rs::host::loader::{Program, ProgramError, ReadError};

use super::{files, project};

/// A machine that has every interface, user and program a configuration may ask for.
struct Willing;

impl Loader for Willing {
    fn node_name(&self) -> String {
        "router".to_owned()
    }

    fn current_dir(&self) -> PathBuf {
        project("")
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let mut found: Vec<_> =
            glob::glob(&pattern.to_string_lossy()).into_iter().flatten().filter_map(Result::ok).collect();
        found.sort();
        found
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        std::fs::read(path).map_err(|e| ReadError::Unreadable(e.to_string()))
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }

    fn exists(&self, _: &Path) -> bool {
        true
    }

    fn cpus(&self) -> u32 {
        1
    }

    fn random(&self) -> u64 {
        0
    }

    fn interface_exists(&self, _: &IfName) -> bool {
        true
    }

    fn user(&self, _: &str) -> Option<(u32, u32)> {
        Some((1000, 1000))
    }

    fn groups(&self, _: &str, _: u32) -> Vec<u32> {
        Vec::new()
    }

    fn group(&self, _: &str) -> Option<u32> {
        Some(1000)
    }

    fn own_credentials(&self) -> (u32, u32) {
        (0, 0)
    }

    fn program(&self, name: &str, _: u32, _: u32) -> Result<Program, ProgramError> {
        Ok(Program { path: PathBuf::from(name), found: PathBuf::from(name), insecure: None })
    }
}

#[test]
fn shipped_configurations_load() {
    let mut shipped = files("conf", ".conf");
    shipped.extend(files("examples", ".conf"));
    assert!(
        shipped.iter().any(|path| path.ends_with("conf/keepalived.conf")),
        "the sample is gone: {shipped:?}"
    );
    for path in shipped {
        let main = path.to_string_lossy().into_owned();
        let loaded = config::load(&Willing, &config::Options { main, config_id: None, all_files: true });
        let wrong: Vec<_> = (loaded.diagnostics.iter())
            .filter(|d| d.severity == Severity::Error)
            .map(|d| format!("line {:?}: {}", d.span.as_ref().map(|s| s.line), d.text))
            .collect();
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
        assert!(!loaded.config.instances.is_empty(), "{}: no vrrp_instance", path.display());
        assert_eq!((loaded.test_status(), loaded.refusal()), (0, None), "{}", path.display());
    }
}
