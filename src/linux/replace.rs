//! Files that other programs fetch: complete or not there.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::clock::Clock;
use crate::host::{self, Error};

/// How many names are tried for the new file. Names that somebody else has are no accident.
const ATTEMPTS: u32 = 16;

/// Writes `text` beside `path` and puts it in its place.
///
/// # Errors
/// What the system refused; then nothing new is left.
pub(super) fn replace(path: &Path, text: &[u8], mode: u32) -> Result<(), Error> {
    let failed = |error| Error::new("write", path.display(), error);
    let (mut file, name) = create(path, mode).map_err(failed)?;
    let done = file.write_all(text).and_then(|()| fs::rename(&name, path));
    done.map_err(|error| {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&name);
        failed(error)
    })
}

/// A new file in the directory of `path`. The directory may be everybody's: a name that is there, or a link, is not used,
/// and the names cannot be known before.
fn create(path: &Path, mode: u32) -> io::Result<(fs::File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).custom_flags(libc::O_NOFOLLOW);
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for attempt in 0..ATTEMPTS {
        let nanos = host::Clock::unix_time(&Clock).subsec_nanos();
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{nanos:x}{attempt:x}~"));
        match options.open(&name) {
            Ok(file) => return Ok((file, name.into())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// `$TMPDIR` if that is the absolute path of a directory, else `/tmp`.
pub(super) fn temporary_directory() -> PathBuf {
    let wanted = std::env::var_os("TMPDIR").map(PathBuf::from);
    wanted.filter(|path| path.is_absolute() && path.is_dir()).unwrap_or_else(|| "/tmp".into())
}
