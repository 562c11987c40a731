//! Pid files: where they are, and that those are there that are due.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keepalived_rs::cli::Options;
use keepalived_rs::config::model::TopLevel;
use keepalived_rs::host;
use keepalived_rs::linux::{namespace, pidfile};

use super::{FATAL, NO_PERMISSION, OK};

/// Pid file of the daemon unless `-p` names another.
const MAIN: &str = "/run/keepalived.pid";
/// Pid file of stock's VRRP process unless `-r` names another; ours holds the same number as the first.
const VRRP: &str = "/run/vrrp.pid";
/// What is there while the configuration is read, if that is wanted.
const RELOAD: &str = "/run/keepalived.reload";

/// Files of the daemon unless options name others.
#[derive(Clone, Debug)]
pub(crate) struct PidNames {
    main: String,
    vrrp: String,
    /// What is there while the configuration is read.
    pub(crate) reload: String,
    /// They are in a folder of their own.
    own_folder: bool,
}

impl PidNames {
    /// Those of a daemon with this at the top of its configuration.
    pub(crate) fn new(top: &TopLevel, in_namespace: bool) -> Self {
        if !(in_namespace || top.use_pid_dir || top.instance.is_some()) {
            let [main, vrrp, reload] = [MAIN, VRRP, RELOAD].map(str::to_owned);
            return Self { main, vrrp, reload, own_folder: false };
        }
        let of = top.instance.as_ref().map(|name| format!("_{name}")).unwrap_or_default();
        let path = |name, extension| format!("{}/{name}{of}.{extension}", namespace::RUN_DIR);
        Self {
            main: path("keepalived", "pid"),
            vrrp: path("vrrp", "pid"),
            reload: path("keepalived", "reload"),
            own_folder: true,
        }
    }
}

impl PidNames {
    /// The file by which masters are handed over from one process to the next: beside the pid file, which only one process
    /// can have.
    pub(crate) fn hand_over(&self, options: &Options) -> String {
        let pid = options.pid.as_ref().unwrap_or(&self.main);
        format!("{}.hand-over", pid.strip_suffix(".pid").unwrap_or(pid))
    }
}

/// Why a pid file cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The daemon runs already.
    #[error("daemon is already running: another process has pid file {0} locked")]
    Running(String),
    /// The system refused.
    #[error("pidfile_write : Cannot open {} pidfile ({})", .0.object, .0.reason())]
    Failed(#[from] host::Error),
}

impl Error {
    /// What the program ends with.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Running(_) => OK,
            Self::Failed(error) if error.source.kind() == ErrorKind::PermissionDenied => NO_PERMISSION,
            Self::Failed(_) => FATAL,
        }
    }
}

/// The pid files of this process, locked. A reload may add to them.
#[derive(Clone, Debug)]
pub(crate) struct PidFiles {
    /// The daemon's, and that of VRRP if it has one of its own; `None` when the daemon has ended.
    files: Arc<Mutex<Option<Vec<pidfile::PidFile>>>>,
    main: String,
    vrrp: String,
    own_folder: bool,
}

impl PidFiles {
    /// Locks those of what will run.
    pub(crate) fn lock(options: &Options, names: &PidNames, vrrp: bool) -> Result<Self, Error> {
        let path = |option: &Option<String>, name: &String| option.as_ref().unwrap_or(name).clone();
        if names.own_folder {
            namespace::make_folder(Path::new(namespace::RUN_DIR))?;
        }
        let files = Self {
            files: Arc::new(Mutex::new(Some(Vec::new()))),
            main: path(&options.pid, &names.main),
            vrrp: path(&options.vrrp_pid, &names.vrrp),
            own_folder: names.own_folder,
        };
        match files.lock_all(vrrp) {
            Ok(()) => Ok(files),
            Err(error) => {
                files.remove();
                Err(error)
            }
        }
    }

    fn lock_all(&self, vrrp: bool) -> Result<(), Error> {
        let mut all = vec![locked(&self.main)?];
        if vrrp && self.vrrp != self.main {
            all.push(locked(&self.vrrp)?);
        }
        *self.held() = Some(all);
        Ok(())
    }

    /// The file in which changed settings are noted: beside that of the daemon.
    pub(crate) fn notes(&self) -> PathBuf {
        let main = self.held().as_deref().and_then(|files| files.first()).map(|file| file.path().to_owned());
        main.unwrap_or_else(|| PathBuf::from(&self.main)).with_extension("settings")
    }

    /// Fills them in with the number of this process.
    pub(crate) fn write(&self) -> Result<(), host::Error> {
        self.held().iter_mut().flatten().try_for_each(pidfile::PidFile::write)
    }

    /// Makes that of VRRP, unless it is there. It stays until the end, as keepalived's VRRP process does.
    pub(crate) fn add_vrrp(&self) -> Result<(), Error> {
        let mut held = self.held();
        // A daemon that has ended meanwhile needs none.
        let Some(files) = held.as_mut().filter(|files| files.len() < 2 && self.vrrp != self.main) else {
            return Ok(());
        };
        let mut file = locked(&self.vrrp)?;
        file.write()?;
        files.push(file);
        Ok(())
    }

    /// Removes them.
    pub(crate) fn remove(&self) {
        *self.held() = None;
        if self.own_folder {
            namespace::remove_folder(Path::new(namespace::RUN_DIR));
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<pidfile::PidFile>>> {
        // Nothing that panics leaves the list half done.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(path: &str) -> Result<pidfile::PidFile, Error> {
    pidfile::PidFile::lock(Path::new(path)).map_err(|error| match error {
        pidfile::Error::Locked(path) => Error::Running(path.display().to_string()),
        pidfile::Error::Failed(error) => Error::Failed(error),
    })
}
