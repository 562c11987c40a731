//! What instances track: scripts, files, processes, and interfaces that have to be asked for their carrier. (Other
//! interfaces are the kernel's news, see [`crate::kernel`].)
//!
//! The pure files come first: [`rise_fall`], [`number`], [`quorum`] and [`process`]. Then the tasks that drive them, all
//! of which run on the slow plane.

pub mod number;
pub mod process;
pub mod quorum;
pub mod rise_fall;

pub mod file;
pub mod linkbeat;
pub mod listeners;
pub mod process_watch;
pub mod script;
