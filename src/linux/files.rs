//! Files that are tracked, and inotify.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CString, OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use nix::sys::stat::Mode;
use tokio::io::unix::AsyncFd;

use super::watch::watch;
use super::{plane, replace};
use crate::host::{Credentials, Error, FileChanges, Files, LocalBoxFuture, Mark, Pipe};

/// What is asked about a directory. A file counts when its writer closes it.
const MASK: u32 = libc::IN_CLOSE_WRITE
    | libc::IN_CREATE
    | libc::IN_DELETE
    | libc::IN_MOVED_FROM
    | libc::IN_MOVED_TO
    | libc::IN_DELETE_SELF
    | libc::IN_MOVE_SELF
    | libc::IN_ONLYDIR;
/// Events that concern one name only. Others may replace a link that leads to the file.
const OF_ONE_NAME: u32 = libc::IN_CLOSE_WRITE | libc::IN_CREATE;

/// The files of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalFiles;

impl Files for LocalFiles {
    fn read_start(&self, path: &Path, limit: usize) -> Option<Vec<u8>> {
        // O_NONBLOCK: somebody may have put a FIFO there.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut start = Vec::new();
        file.take(limit as u64).read_to_end(&mut start).ok()?;
        Some(start)
    }

    fn write(&self, path: &Path, text: &[u8], overwrite: bool) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o644).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW);
        options.create(overwrite).truncate(overwrite).create_new(!overwrite);
        let written = options.open(path).and_then(|mut file| file.write_all(text));
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            written => written.map_err(|e| Error::new("write", path.display(), e)),
        }
    }

    fn replace(&self, path: PathBuf, text: Vec<u8>, mode: u32) -> LocalBoxFuture<Result<(), Error>> {
        let object = path.display().to_string();
        let written = plane::aside("dump", move || replace::replace(&path, &text, mode));
        Box::pin(async move {
            let no_thread = || Err(Error::new("write", object, io::Error::other("no thread to do it")));
            written.await.unwrap_or_else(no_thread)
        })
    }

    fn make_folder(&self, path: &Path) -> Result<(), Error> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(|e| Error::new("make", path.display(), e)),
        }
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|e| Error::new("remove", path.display(), e)),
        }
    }

    fn mark(&self, path: &Path) -> Result<Box<dyn Mark>, Error> {
        let mark = FileMark::make(path).map_err(|e| Error::new("make", path.display(), e))?;
        Ok(Box::new(mark))
    }

    fn temporary_directory(&self) -> PathBuf {
        replace::temporary_directory()
    }

    fn pipe(&self, path: &Path, owner: Option<Credentials>) -> Result<Box<dyn Pipe>, Error> {
        let pipe = NamedPipe::open(path, owner).map_err(|e| Error::new("make pipe", path.display(), e))?;
        Ok(Box::new(pipe))
    }

    fn watch(&self, paths: &[PathBuf]) -> Result<Box<dyn FileChanges>, Error> {
        let failed = |e| Error::new("watch", "tracked files", e);
        let mut inotify = Inotify::open(paths).map_err(failed)?;
        for index in 0..paths.len() {
            inotify.follow(index).map_err(failed)?;
        }
        Ok(Box::new(inotify))
    }
}

/// A file that is there as long as this is.
struct FileMark(PathBuf);

impl FileMark {
    fn make(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o644);
        let file = options.custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else is there"));
        }
        let made = Self(path.to_owned());
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        Ok(made)
    }
}

impl Mark for FileMark {}

impl Drop for FileMark {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A named pipe, open for reading as well: so writing does not fail for want of a reader.
struct NamedPipe {
    path: PathBuf,
    file: File,
    made: bool,
}

impl NamedPipe {
    fn open(path: &Path, owner: Option<Credentials>) -> io::Result<Self> {
        let made = match nix::unistd::mkfifo(path, Mode::from_bits_truncate(0o644)) {
            Ok(()) => true,
            Err(nix::Error::EEXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.file_type().is_fifo() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else is there"));
        }
        if made && let Some(owner) = owner {
            std::os::unix::fs::fchown(&file, Some(owner.uid), Some(owner.gid))?;
        }
        let wanted = [nix::unistd::geteuid().as_raw()];
        if !made && !wanted.contains(&metadata.uid()) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to somebody else"));
        }
        Ok(Self { path: path.to_owned(), file, made })
    }
}

impl Pipe for NamedPipe {
    fn write(&mut self, text: &[u8]) -> Result<(), Error> {
        // Up to PIPE_BUF bytes go as a whole or not at all.
        let written = self.file.write_all(text);
        written.map_err(|e| Error::new("write to pipe", self.path.display(), e))
    }
}

impl Drop for NamedPipe {
    fn drop(&mut self) {
        if self.made {
            // It may be gone already.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A file and the directory that is watched for it.
struct Followed {
    path: PathBuf,
    /// The watch on the directory the file is in or, while there is none, on the deepest one above that exists.
    watch: Option<i32>,
    /// The name in that directory that leads to the file.
    name: OsString,
}

/// One inotify descriptor for all files.
struct Inotify {
    fd: AsyncFd<OwnedFd>,
    files: Vec<Followed>,
    /// Places of files that may have changed.
    changed: VecDeque<usize>,
}

impl Inotify {
    fn open(paths: &[PathBuf]) -> io::Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nobody else has.
        let fd = watch(unsafe { OwnedFd::from_raw_fd(fd) })?;
        let files =
            paths.iter().map(|path| Followed { path: path.clone(), watch: None, name: OsString::new() });
        Ok(Self { fd, files: files.collect(), changed: VecDeque::new() })
    }

    /// Watches the directory that is watched for file `index` now.
    fn follow(&mut self, index: usize) -> io::Result<()> {
        let Some(path) = self.files.get(index).map(|f| f.path.clone()) else { return Ok(()) };
        // Made while we looked further up: then it has to be looked at again.
        for _ in 0..8 {
            let (directory, name) = deepest(&path);
            match self.add(&directory) {
                Ok(watch) if deepest(&path).0 == directory => {
                    if let Some(file) = self.files.get_mut(index) {
                        let before = file.watch.replace(watch);
                        file.name = name;
                        self.release(before);
                    }
                    return Ok(());
                }
                Err(error) if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn add(&self, directory: &Path) -> io::Result<i32> {
        let path = CString::new(directory.as_os_str().as_bytes())?;
        // SAFETY: the descriptor is open, and the path ends with a NUL.
        let watch = unsafe { libc::inotify_add_watch(self.fd.as_raw_fd(), path.as_ptr(), MASK) };
        if watch < 0 { Err(io::Error::last_os_error()) } else { Ok(watch) }
    }

    /// Forgets a watch that no file needs any more.
    fn release(&self, watch: Option<i32>) {
        if let Some(watch) = watch.filter(|watch| self.files.iter().all(|f| f.watch != Some(*watch))) {
            // It may be gone already, with its directory.
            // SAFETY: no pointers.
            unsafe { libc::inotify_rm_watch(self.fd.as_raw_fd(), watch) };
        }
    }

    /// Takes in what the kernel reports.
    fn take(&mut self, bytes: &[u8]) {
        let mut affected: BTreeMap<usize, bool> = BTreeMap::new();
        for event in events(bytes) {
            let lost = event.mask & libc::IN_Q_OVERFLOW != 0;
            let of_directory =
                event.mask & (libc::IN_DELETE_SELF | libc::IN_MOVE_SELF | libc::IN_IGNORED) != 0;
            for (index, file) in self.files.iter().enumerate() {
                let named = event.name == file.name || event.mask & OF_ONE_NAME == 0;
                if lost || (file.watch == Some(event.watch) && (of_directory || named)) {
                    *affected.entry(index).or_default() |= of_directory;
                }
            }
        }
        for (index, moved) in affected {
            if moved && let Some(file) = self.files.get_mut(index) {
                // A directory that has moved away is still watched, under its new name.
                let before = file.watch.take();
                self.release(before);
            }
            if let Err(error) = self.follow(index) {
                tracing::warn!(target: "vrrp", "cannot watch a tracked file any more: {error}");
            }
            self.changed.push_back(index);
        }
    }
}

impl FileChanges for Inotify {
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        loop {
            if let Some(index) = self.changed.pop_front() {
                return Poll::Ready(index);
            }
            let mut buffer = [0_u8; 4096];
            let Ok(mut guard) = ready!(self.fd.poll_read_ready(cx)) else { return Poll::Pending };
            // SAFETY: the kernel writes into `buffer`, at most as many bytes as it has.
            let read = unsafe { libc::read(self.fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            match usize::try_from(read) {
                Ok(length) if length > 0 => {
                    drop(guard);
                    self.take(buffer.get(..length).unwrap_or_default());
                }
                // Nothing more at present.
                _ => guard.clear_ready(),
            }
        }
    }
}

/// The deepest directory that exists on the way to the file `path`, and the name in it that leads on.
fn deepest(path: &Path) -> (PathBuf, OsString) {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    for directory in path.ancestors().skip(1) {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        if directory.is_dir() {
            return (directory.to_owned(), name);
        }
        directory.file_name().unwrap_or_default().clone_into(&mut name);
    }
    (PathBuf::from("/"), name)
}

/// One report of the kernel.
struct Event<'a> {
    watch: i32,
    mask: u32,
    name: &'a OsStr,
}

/// The reports in a buffer: `struct inotify_event` of inotify(7), each followed by a name that is padded with NULs.
fn events(mut bytes: &[u8]) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<16>() {
        let [w0, w1, w2, w3, m0, m1, m2, m3, _, _, _, _, l0, l1, l2, l3] = *header;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let Some((name, rest)) = rest.split_at_checked(length) else { break };
        let name = name.split(|b| *b == 0).next().unwrap_or_default();
        events.push(Event {
            watch: i32::from_ne_bytes([w0, w1, w2, w3]),
            mask: u32::from_ne_bytes([m0, m1, m2, m3]),
            name: OsStr::from_bytes(name),
        });
        bytes = rest;
    }
    events
}
