//! A log file, which others may move away: then the next line begins a new one.

use std::fs::{File, symlink_metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};

use super::startup::open_to_append;
use crate::host::Error;

/// A file that lines are appended to, mode 0600 when it has to be made. What is written is there at once.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// The system refused; for a symbolic link with `ELOOP`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        // A daemon does not stay in the folder where it was started.
        let path = absolute(path).map_err(|e| Error::new("open", path.display(), e))?;
        let file = open_to_append(&path)?;
        Ok(Self { path, file })
    }

    /// Begins a new file if there is another one under its name, or none.
    fn follow(&mut self) {
        let place = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = symlink_metadata(&self.path).as_ref().map(place).ok();
        if there.is_none() || there != self.file.metadata().as_ref().map(place).ok() {
            // If that is not possible, what was opened before is better than nothing.
            if let Ok(file) = open_to_append(&self.path) {
                self.file = file;
            }
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.follow();
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{read_to_string, rename};

    use super::*;

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, old) = (directory.path().join("log"), directory.path().join("log.1"));
        let mut log = LogFile::open(&path).expect("open");
        log.write_all(b"one\n").expect("write");
        rename(&path, &old).expect("rename");
        log.write_all(b"two\n").expect("write");
        log.write_all(b"three\n").expect("write");
        assert_eq!(read_to_string(&old).expect("read"), "one\n");
        assert_eq!(read_to_string(&path).expect("read"), "two\nthree\n");
    }
}
