//! Pid files: the number of the daemon for people and tools, and a lock by which a second daemon finds the first.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::host;

/// Why there is no pid file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds its lock: the daemon is already running.
    #[error("another process has pid file {} locked", .0.display())]
    Locked(PathBuf),
    /// The system refused.
    #[error(transparent)]
    Failed(#[from] host::Error),
}

/// A locked pid file. Removed when it is dropped; call [`PidFile::write`] to fill it in.
///
/// The lock (an open file description lock) belongs to the open file: it is kept across `fork(2)` as long as one
/// of the processes lives, so it can be taken before [`super::daemonize`] and filled in after it.
#[derive(Debug)]
pub struct PidFile {
    file: File,
    path: PathBuf,
}

impl PidFile {
    /// Creates or takes over the file at `path`, mode 0644 whatever the umask, and locks it. A symbolic link in the
    /// last place is not followed. The content is left alone.
    ///
    /// # Errors
    /// Another process has it locked, or it cannot be opened.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        let failed = |operation, e| host::Error::new(operation, path.display(), e);
        loop {
            // O_NONBLOCK: a FIFO that somebody put there must not keep us waiting.
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                .open(path)
                .map_err(|e| failed("open pid file", e))?;
            // Never a device or a FIFO: it would be removed at the end.
            let kind = file.metadata().map_err(|e| failed("open pid file", e))?.file_type();
            if !kind.is_file() {
                let wrong = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
                return Err(failed("open pid file", wrong).into());
            }
            match try_lock(&file) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    return Err(Error::Locked(path.to_owned()));
                }
                result => result.map_err(|e| failed("lock pid file", e))?,
            }
            // Going into the background changes the directory.
            let path = std::path::absolute(path).map_err(|e| failed("find pid file", e))?;
            let pid_file = Self { file, path };
            // A daemon that was stopping may have removed the file between the two calls: then the lock is on a
            // file that nobody else will find.
            if !pid_file.is_in_place() {
                continue;
            }
            let mode = Permissions::from_mode(0o644);
            pid_file.file.set_permissions(mode).map_err(|e| failed("set the mode of pid file", e))?;
            return Ok(pid_file);
        }
    }

    /// Where it is, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the number of this process and a line end.
    ///
    /// # Errors
    /// The file system is full, …
    pub fn write(&mut self) -> Result<(), host::Error> {
        let line = format!("{}\n", std::process::id());
        let written = self.file.set_len(0).and_then(|()| {
            io::Seek::rewind(&mut self.file)?;
            self.file.write_all(line.as_bytes())
        });
        written.map_err(|e| host::Error::new("write pid file", self.path.display(), e))
    }

    /// Whether the path still leads to the file that is locked.
    fn is_in_place(&self) -> bool {
        let identity = |metadata: io::Result<fs::Metadata>| metadata.map(|m| (m.dev(), m.ino())).ok();
        let ours = identity(self.file.metadata());
        ours.is_some() && ours == identity(fs::symlink_metadata(&self.path))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if self.is_in_place() {
            // Nothing can be done about it, and a file left over does no harm: its lock is gone.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes the write lock on the whole file, or fails with `WouldBlock`.
fn try_lock(file: &File) -> io::Result<()> {
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    // SAFETY: the kernel reads `whole`, which lives for the call; the descriptor is open.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const whole) };
    if answer == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        // Either may say that somebody else has it.
        e if e.raw_os_error() == Some(libc::EACCES) => Err(io::ErrorKind::WouldBlock.into()),
        e => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_number_for_all_to_read_until_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vrrp.pid");
        fs::write(&path, "123456789 left over\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let mut pid_file = PidFile::lock(&path).unwrap();
        pid_file.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o644);
        drop(pid_file);
        assert!(!path.exists());
    }

    #[test]
    fn a_second_one_finds_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vrrp.pid");
        let first = PidFile::lock(&path).unwrap();
        assert!(matches!(PidFile::lock(&path), Err(Error::Locked(locked)) if locked == path));
        drop(first);
        PidFile::lock(&path).unwrap();
    }

    #[test]
    fn symbolic_links_and_missing_directories_are_errors() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        fs::write(&target, "precious").unwrap();
        let link = directory.path().join("link.pid");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(PidFile::lock(&link), Err(Error::Failed(_))));
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert!(matches!(PidFile::lock(&directory.path().join("none/x.pid")), Err(Error::Failed(_))));
    }

    #[test]
    fn a_file_that_is_another_ones_by_now_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vrrp.pid");
        let first = PidFile::lock(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = PidFile::lock(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
    }
}
