//! What loading a configuration asks of the machine.

mod files;
pub(super) mod link;

use std::ffi::CString;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::statfs::{self, FsType};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{Gid, Group, User, getegid, geteuid, getgrouplist};

use crate::base::IfName;
use crate::host::loader::{FileAccess, LinkFacts, Loader, Program, ProgramError, ReadError};
use crate::host::{Link, reason};

/// Where programs are looked for when the environment does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where network namespaces have their names (ip-netns(8)).
const NAMESPACES: [&str; 2] = ["/run/netns", "/var/run/netns"];

/// File systems whose files change without inotify(7) telling: those of the kernel, and those of other machines.
const UNWATCHABLE: [(FsType, &str); 6] = [
    (statfs::PROC_SUPER_MAGIC, "a proc file system"),
    (statfs::SYSFS_MAGIC, "a sysfs file system"),
    (statfs::NFS_SUPER_MAGIC, "an NFS file system"),
    (statfs::SMB_SUPER_MAGIC, "an SMB file system"),
    (statfs::CODA_SUPER_MAGIC, "a Coda file system"),
    (statfs::AFS_SUPER_MAGIC, "an AFS file system"),
];

/// The machine as it is now. Holds nothing; each question is asked afresh.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLoader;

impl Loader for SystemLoader {
    fn node_name(&self) -> String {
        nix::unistd::gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn current_dir(&self) -> PathBuf {
        // Without a current directory relative paths lead nowhere; "/" makes them fail by name.
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    }

    fn variable(&self, name: &str) -> Option<String> {
        let usable = !name.is_empty() && !name.contains(['=', '\0']);
        usable.then(|| std::env::var_os(name)).flatten().map(|v| v.to_string_lossy().into_owned())
    }

    fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        files::matching(pattern)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let metadata = fs::metadata(path).map_err(|e| read_error(&e))?;
        if metadata.is_dir() {
            return Err(ReadError::Directory);
        }
        if !metadata.is_file() {
            return Err(ReadError::NotRegular);
        }
        if metadata.permissions().mode() & 0o111 != 0 {
            return Err(ReadError::Executable);
        }
        fs::read(path).map_err(|e| read_error(&e))
    }

    fn is_directory(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|m| m.is_dir())
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn cpus(&self) -> u32 {
        // All that are online, not only those this process may use.
        let count = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN).ok().flatten();
        count.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        let read =
            fs::File::open("/dev/urandom").and_then(|mut f| std::io::Read::read_exact(&mut f, &mut bytes));
        // Without the device any number will do: nothing secret is made of it.
        if read.is_err() {
            return u64::from(std::process::id());
        }
        u64::from_ne_bytes(bytes)
    }

    fn interface_exists(&self, name: &IfName) -> bool {
        nix::net::if_::if_nametoindex(name.as_str()).is_ok()
    }

    fn link(&self, name: &IfName) -> Option<LinkFacts> {
        link::facts(name).ok().flatten()
    }

    fn links(&self) -> Vec<Link> {
        // Whoever cannot be asked has none: then there is nothing to be taken over, nor in the way.
        link::all().unwrap_or_default()
    }

    fn has_address(&self, ip: IpAddr) -> bool {
        // Whoever cannot be asked has it: nothing is found wrong then.
        nix::ifaddrs::getifaddrs().map_or(true, |mut all| all.any(|a| address(&a) == Some(ip)))
    }

    fn has_namespace(&self, name: &str) -> bool {
        let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
        plain && NAMESPACES.iter().any(|folder| Path::new(folder).join(name).exists())
    }

    fn access(&self, path: &Path) -> Option<FileAccess> {
        let metadata = fs::metadata(path).ok()?;
        Some(FileAccess { owner: metadata.uid(), mode: metadata.mode() & 0o7777 })
    }

    fn unwatchable(&self, directory: &Path) -> Option<&'static str> {
        if statvfs(directory).is_ok_and(|s| s.flags().contains(FsFlags::ST_RDONLY)) {
            return Some("read-only");
        }
        let kind = statfs::statfs(directory).ok()?.filesystem_type();
        UNWATCHABLE.iter().find(|(silent, _)| *silent == kind).map(|(_, name)| *name)
    }

    fn user(&self, name: &str) -> Option<(u32, u32)> {
        let user = User::from_name(name).ok()??;
        Some((user.uid.as_raw(), user.gid.as_raw()))
    }

    fn groups(&self, name: &str, gid: u32) -> Vec<u32> {
        let Ok(name) = CString::new(name) else { return Vec::new() };
        // An answer that cannot be had is as good as none.
        let groups = getgrouplist(&name, Gid::from_raw(gid)).unwrap_or_default();
        groups.into_iter().map(Gid::as_raw).filter(|group| *group != gid).collect()
    }

    fn group(&self, name: &str) -> Option<u32> {
        Some(Group::from_name(name).ok()??.gid.as_raw())
    }

    fn own_credentials(&self) -> (u32, u32) {
        (geteuid().as_raw(), getegid().as_raw())
    }

    fn program(&self, name: &str, uid: u32, gid: u32) -> Result<Program, ProgramError> {
        if name.is_empty() || name.contains('\0') {
            return Err(ProgramError::NotInPath);
        }
        if name.contains('/') {
            return judge(&self.current_dir().join(name), uid, gid);
        }
        let path = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
        let mut answer = Err(ProgramError::NotInPath);
        for dir in std::env::split_paths(&path) {
            match judge(&self.current_dir().join(dir).join(name), uid, gid) {
                Ok(program) => return Ok(program),
                Err(why @ (ProgramError::NotExecutable | ProgramError::NotFile)) => answer = Err(why),
                Err(ProgramError::NotFound(_) | ProgramError::NotInPath) => {}
            }
        }
        answer
    }
}

fn read_error(error: &std::io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ReadError::NotFound,
        _ => ReadError::Unreadable(reason(error)),
    }
}

/// The IP address of an entry of the list of interfaces.
fn address(entry: &nix::ifaddrs::InterfaceAddress) -> Option<IpAddr> {
    let address = entry.address?;
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}

/// Judges the program at an absolute path as that user would find it.
fn judge(path: &Path, uid: u32, gid: u32) -> Result<Program, ProgramError> {
    let real = fs::canonicalize(path).map_err(|e| not_found(&e))?;
    for directory in real.ancestors().skip(1) {
        let metadata = fs::metadata(directory).map_err(|e| not_found(&e))?;
        if !may_execute(&metadata, uid, gid) {
            return Err(ProgramError::NotFound(Errno::EACCES.desc()));
        }
    }
    let metadata = fs::metadata(&real).map_err(|e| not_found(&e))?;
    if !metadata.is_file() {
        return Err(ProgramError::NotFile);
    }
    if !may_execute(&metadata, uid, gid) {
        return Err(ProgramError::NotExecutable);
    }
    let insecure = insecure(&real).or_else(|| insecure(path));
    Ok(Program { path: real, found: path.to_owned(), insecure })
}

fn not_found(error: &std::io::Error) -> ProgramError {
    ProgramError::NotFound(Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)).desc())
}

/// Whether the permission bits let this user execute a file or walk a directory. The superuser walks all
/// directories and executes what anybody may execute.
fn may_execute(metadata: &Metadata, uid: u32, gid: u32) -> bool {
    let mode = metadata.permissions().mode();
    if uid == 0 {
        return metadata.is_dir() || mode & 0o111 != 0;
    }
    let bit = if metadata.uid() == uid {
        0o100
    } else if metadata.gid() == gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

/// The first component of a path that somebody other than root can change.
fn insecure(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|component| fs::symlink_metadata(component).is_ok_and(|m| !is_roots(&m)))
        .map(Path::to_path_buf)
}

/// Whether only root can change a file, or what a directory or symbolic link leads to.
fn is_roots(metadata: &Metadata) -> bool {
    let mode = metadata.permissions().mode();
    let sticky = metadata.is_dir() && mode & 0o1000 != 0;
    let written_by_group = mode & 0o020 != 0 && metadata.gid() != 0;
    let written_by_all = mode & 0o002 != 0;
    metadata.uid() == 0 && (metadata.is_symlink() || sticky || !(written_by_group || written_by_all))
}

#[cfg(test)]
mod tests;
