//! Files that others write and we read.

use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use super::{Credentials, Error, LocalBoxFuture};

/// Reads, makes and watches files. None of this waits for anybody, but for [`Files::replace`].
pub trait Files {
    /// The first bytes of a regular file, `limit` at most; `None` if there is no such file or it cannot be read.
    fn read_start(&self, path: &Path, limit: usize) -> Option<Vec<u8>>;

    /// Writes a file. One that is there is left alone unless `overwrite`.
    ///
    /// # Errors
    /// What the system refused.
    fn write(&self, path: &Path, text: &[u8], overwrite: bool) -> Result<(), Error>;

    /// Writes a file under a name of its own, and puts it in the place of `path` when it is complete: whoever reads finds
    /// the old text or the new one. `mode`: permissions, less what the umask takes away. The work is done elsewhere.
    ///
    /// # Errors
    /// What the system refused; then `path` is as it was.
    fn replace(&self, path: PathBuf, text: Vec<u8>, mode: u32) -> LocalBoxFuture<Result<(), Error>>;

    /// Makes a folder for its owner alone, in one that is there, unless it is there.
    ///
    /// # Errors
    /// What the system refused.
    fn make_folder(&self, path: &Path) -> Result<(), Error>;

    /// Removes a file. One that is not there is as good as removed.
    ///
    /// # Errors
    /// What the system refused.
    fn remove(&self, path: &Path) -> Result<(), Error>;

    /// Makes an empty file that everybody may read (mode 0644 whatever the umask), or empties it. It goes when what is
    /// given is dropped.
    ///
    /// # Errors
    /// What the system refused.
    fn mark(&self, path: &Path) -> Result<Box<dyn Mark>, Error>;

    /// Where files go that other programs fetch: `$TMPDIR` if that is the absolute path of a directory, else `/tmp`.
    fn temporary_directory(&self) -> PathBuf;

    /// Opens a named pipe for writing, and makes it if it is not there, for `owner` alone; if it is, it has to be ours.
    ///
    /// # Errors
    /// Something else is there, or the system refused.
    fn pipe(&self, path: &Path, owner: Option<Credentials>) -> Result<Box<dyn Pipe>, Error>;

    /// Reports when one of these files may have another content: it was written and closed, came, went, was replaced,
    /// or a directory that leads to it did. The directories need not exist.
    ///
    /// # Errors
    /// The system does not report changes.
    fn watch(&self, paths: &[PathBuf]) -> Result<Box<dyn FileChanges>, Error>;
}

/// A file that says by being there that something goes on.
pub trait Mark {}

/// A named pipe. When it is dropped it goes, if we have made it.
pub trait Pipe {
    /// Writes all of `text`, up to 4,096 bytes, or nothing, if the pipe is full. Never waits.
    ///
    /// # Errors
    /// What the system refused.
    fn write(&mut self, text: &[u8]) -> Result<(), Error>;
}

/// Reports of changes.
pub trait FileChanges {
    /// The place in the list of a file that may have changed. May be given without need.
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<usize>;
}
