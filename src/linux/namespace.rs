//! Going into a network namespace, as stock does: with a folder for run files of its own.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use crate::host::Error;

/// Where network namespaces have their names (ip-netns(8)); the second one where `/run` is elsewhere.
const NAMES: [&str; 2] = ["/run/netns", "/var/run/netns"];
/// Where run files are, of daemons in a network namespace, of those with an instance name, and with `use_pid_dir`.
pub const RUN_DIR: &str = "/run/keepalived";

/// The folder for run files of a daemon in a network namespace. When it is dropped, what is empty of it goes, [`RUN_DIR`]
/// of the others included.
#[derive(Debug)]
pub struct OwnFolder {
    path: PathBuf,
    /// It is mounted on [`RUN_DIR`].
    mounted: bool,
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // Under the mount is what the others see. The mount is nobody else's: it is not shared.
        if self.mounted && umount2(RUN_DIR, MntFlags::MNT_DETACH).is_err() {
            return;
        }
        remove_folder(&self.path);
        remove_folder(Path::new(RUN_DIR));
    }
}

/// Puts this process into the network namespace `name`. Its [`RUN_DIR`] is `RUN_DIR/name` of the others from now on. Call
/// it before there is a second thread, and keep what it gives until there are no run files any more.
///
/// # Errors
/// There is no such namespace, or the system does not permit it.
pub fn enter(name: &str) -> Result<OwnFolder, Error> {
    let failed = |e: io::Error| Error::new("enter network namespace", name, e);
    let opened = NAMES.iter().map(|folder| File::open(Path::new(folder).join(name)));
    let namespace = opened
        .reduce(|first, second| first.or(second))
        .unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()));
    let namespace = namespace.map_err(failed)?;
    let own = Path::new(RUN_DIR).join(name);
    make_folder(&own)?;
    let mut folder = OwnFolder { path: own, mounted: false };
    unshare(CloneFlags::CLONE_NEWNS).map_err(|e| failed(e.into()))?;
    // What is mounted outside from now on is seen here, but not the other way round.
    let nothing: Option<&str> = None;
    let slave = mount(nothing, "/", nothing, MsFlags::MS_SLAVE | MsFlags::MS_REC, nothing);
    slave.map_err(|e| failed(e.into()))?;
    let mounted = mount(Some(&folder.path), RUN_DIR, nothing, MsFlags::MS_BIND, nothing);
    mounted.map_err(|e| failed(e.into()))?;
    folder.mounted = true;
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|e| failed(e.into()))?;
    Ok(folder)
}

/// Makes a folder for run files, mode 0755 whatever the umask.
///
/// # Errors
/// What the system refused.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    let failed = |e| Error::new("make folder", path.display(), e);
    let missing: Vec<PathBuf> = path.ancestors().take_while(|p| !p.exists()).map(Path::to_owned).collect();
    for folder in missing.iter().rev() {
        match fs::DirBuilder::new().mode(0o755).create(folder) {
            // Somebody else was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made.map_err(failed)?;
                fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Removes the folder for run files if nobody else has anything in it.
pub fn remove_folder(path: &Path) {
    // It is not empty, or a mount point here: then it stays.
    let _ = fs::remove_dir(path);
}
