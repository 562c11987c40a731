//! The processes in `/proc`, and what the kernel's process connector reports of them.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::{Context, Poll, ready};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, NetlinkAddr, bind, recv, send};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::buffer;
use super::watch::watch;
use crate::host::{Error, Pid, ProcessEvent, ProcessEvents, ProcessFacts, ProcessTable};

/// Receive buffer in bytes: many processes may come and go at once.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// The connector of process events, and its multicast group (linux/connector.h).
const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
/// `PROC_CN_MCAST_LISTEN` of linux/cn_proc.h.
const LISTEN: u32 = 1;
/// `PROC_CN_MCAST_IGNORE`.
const IGNORE: u32 = 2;
/// Kinds of event (linux/cn_proc.h).
const FORK: u32 = 0x0000_0001;
const EXEC: u32 = 0x0000_0002;
const COMM: u32 = 0x0000_0200;
const EXIT: u32 = 0x8000_0000;

/// The processes of our process namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcFs;

impl ProcessTable for ProcFs {
    fn list(&self) -> Vec<Pid> {
        let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        entries.filter_map(|e| e.file_name().to_str()?.parse().ok().map(Pid)).collect()
    }

    fn describe(&self, Pid(pid): Pid, command: bool) -> Option<ProcessFacts> {
        let name = name(&fs::read(format!("/proc/{pid}/stat")).ok()?)?;
        let command = match command {
            true => fs::read(format!("/proc/{pid}/cmdline")).ok()?,
            false => Vec::new(),
        };
        Some(ProcessFacts { name, command })
    }

    fn watch(&self) -> Result<Box<dyn ProcessEvents>, Error> {
        let opened = open().map_err(|e| Error::new("listen to", "process events", e))?;
        Ok(Box::new(Connector(opened)))
    }
}

/// The name in `/proc/PID/stat`: `PID (NAME) STATE …`, where the name may contain parentheses. `None` for a process
/// that has ended and was not reaped yet.
fn name(stat: &[u8]) -> Option<Vec<u8>> {
    let open = stat.iter().position(|b| *b == b'(')?;
    let close = stat.iter().rposition(|b| *b == b')')?;
    let state = *stat.get(close + 2)?;
    let name = stat.get(open + 1..close)?;
    (!matches!(state, b'Z' | b'X')).then(|| name.to_vec())
}

/// Numbers of the initial namespaces of processes and users, which the kernel has fixed (linux/proc_ns.h). In others the
/// connector would stay silent, or speak of processes by numbers that are not ours.
const INITIAL: [(&str, &str); 2] =
    [("/proc/self/ns/pid", "pid:[4026531836]"), ("/proc/self/ns/user", "user:[4026531837]")];

fn open() -> io::Result<AsyncFd<OwnedFd>> {
    for (link, initial) in INITIAL {
        if fs::read_link(link).is_ok_and(|target| target.as_os_str() != initial) {
            return Err(io::ErrorKind::Unsupported.into());
        }
    }
    let netlink = Domain::from(libc::AF_NETLINK);
    let protocol = Protocol::from(libc::NETLINK_CONNECTOR);
    let socket = Socket::new(netlink, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, CN_IDX_PROC))?;
    buffer::receive(&socket, RECEIVE_BUFFER)?;
    // In another network namespace nobody listens to this.
    socket.send(&request(LISTEN))?;
    watch(socket.into())
}

/// A request to the connector: `struct nlmsghdr`, `struct cn_msg` (linux/connector.h) and one number.
fn request(what: u32) -> Vec<u8> {
    const LENGTH: u32 = 40;
    let mut bytes = Vec::new();
    bytes.extend(LENGTH.to_ne_bytes());
    bytes.extend((libc::NLMSG_DONE as u16).to_ne_bytes());
    bytes.extend([0; 2 + 4 + 4]);
    for word in [CN_IDX_PROC, CN_VAL_PROC, 0, 0] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(4_u16.to_ne_bytes());
    bytes.extend(0_u16.to_ne_bytes());
    bytes.extend(what.to_ne_bytes());
    bytes
}

/// What a message of the connector says of a process; threads do not count. `struct proc_event` (linux/cn_proc.h) begins
/// behind the two headers, and what depends on the kind 16 bytes later.
fn event(message: &[u8]) -> Option<ProcessEvent> {
    let word = |at: usize| Some(u32::from_ne_bytes(*message.get(at..)?.first_chunk()?));
    let (what, first, second) = (word(36)?, word(52)?, word(56)?);
    match what {
        // The parent's number and its process's, then the child's.
        FORK => {
            let (child, of) = (word(60)?, word(64)?);
            (child == of).then_some(ProcessEvent::Forked { parent: Pid(second), child: Pid(child) })
        }
        EXEC => Some(ProcessEvent::Changed(Pid(second))),
        COMM if first == second => Some(ProcessEvent::Changed(Pid(first))),
        EXIT if first == second => Some(ProcessEvent::Ended(Pid(first))),
        _ => None,
    }
}

/// An open connector that listens.
struct Connector(AsyncFd<OwnedFd>);

impl ProcessEvents for Connector {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<ProcessEvent> {
        loop {
            let Ok(mut guard) = ready!(self.0.poll_read_ready(cx)) else { return Poll::Pending };
            let mut buffer = [0_u8; 1024];
            match recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) => {
                    if let Some(event) = event(buffer.get(..length).unwrap_or_default()) {
                        return Poll::Ready(event);
                    }
                }
                Err(Errno::EAGAIN) => guard.clear_ready(),
                // Too much for the buffer.
                Err(Errno::ENOBUFS) => return Poll::Ready(ProcessEvent::Lost),
                Err(_) => return Poll::Pending,
            }
        }
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        // Older kernels would go on counting us as a listener. There is nothing to do if it fails.
        let _ = send(self.0.as_raw_fd(), &request(IGNORE), MsgFlags::empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_states() {
        assert_eq!(name(b"7 (a b) c) S 1 7"), Some(b"a b) c".to_vec()));
        assert_eq!(name(b"7 (gone) Z 1 7"), None);
        assert_eq!(name(b"7 (cut"), None);
    }

    #[test]
    fn messages_of_the_connector() {
        let message = |what: u32, words: [u32; 4]| {
            let mut bytes = vec![0; 36];
            bytes.extend(what.to_ne_bytes());
            bytes.extend([0; 12]);
            bytes.extend(words.iter().flat_map(|w| w.to_ne_bytes()));
            event(&bytes)
        };
        let forked = ProcessEvent::Forked { parent: Pid(6), child: Pid(9) };
        assert_eq!(message(FORK, [5, 6, 9, 9]), Some(forked));
        assert_eq!(message(FORK, [5, 6, 9, 8]), None, "a thread");
        assert_eq!(message(EXEC, [5, 5, 0, 0]), Some(ProcessEvent::Changed(Pid(5))));
        assert_eq!(message(COMM, [5, 5, 0, 0]), Some(ProcessEvent::Changed(Pid(5))));
        assert_eq!(message(COMM, [7, 5, 0, 0]), None);
        assert_eq!(message(EXIT, [5, 5, 0, 0]), Some(ProcessEvent::Ended(Pid(5))));
        assert_eq!(message(EXIT, [7, 5, 0, 0]), None);
        assert_eq!(event(&[0; 40]), None);
        assert_eq!(request(LISTEN).len(), 40);
    }

    #[test]
    fn we_are_in_the_list_by_name() {
        let own = Pid(std::process::id());
        assert!(ProcFs.list().contains(&own));
        let facts = ProcFs.describe(own, true).expect("we run");
        assert!(!facts.name.is_empty() && facts.name.len() <= 15);
        assert_eq!(facts.command.last(), Some(&0));
    }
}
