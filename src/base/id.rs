//! Names and numbers that identify things.

use std::fmt;
use std::num::NonZeroU8;

/// Virtual router identifier, 1 to 255 (RFC 9568 section 5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vrid(NonZeroU8);

impl Vrid {
    /// `None` for 0, which no virtual router can have.
    pub const fn new(n: u8) -> Option<Self> {
        match NonZeroU8::new(n) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The priority of a router that takes part in an election: 1 to 255.
///
/// 0 appears on the wire only ("I resign"), see [`Priority::RESIGN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// The address owner (RFC 9568 section 5.2.4).
    pub const OWNER: Self = Self(255);
    /// The highest that is not an owner's.
    pub const HIGHEST: Self = Self(254);
    /// The lowest.
    pub const LOWEST: Self = Self(1);
    /// What a router has when nothing is configured.
    pub const DEFAULT: Self = Self(100);
    /// On the wire: the sender gives up mastership.
    pub const RESIGN: u8 = 0;

    /// `None` for 0.
    pub const fn new(n: u8) -> Option<Self> {
        if n == 0 { None } else { Some(Self(n)) }
    }

    /// The number on the wire.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether this is the address owner's priority.
    pub const fn is_owner(self) -> bool {
        self.0 == 255
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Kernel interface index; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(pub u32);

/// Interface name, at most 15 bytes. Held in place and compared as a number: a name is part of most keys that are looked up
/// when many addresses move.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfName([u8; IfName::MAX + 1]);

impl IfName {
    /// Longest name the kernel takes, in bytes.
    pub const MAX: usize = 15;

    /// `None` if `name` is empty, longer than [`IfName::MAX`] bytes, or has a zero byte.
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; Self::MAX + 1];
        let fits = (1..=Self::MAX).contains(&name.len()) && !name.as_bytes().contains(&0);
        bytes.get_mut(..name.len()).filter(|_| fits)?.copy_from_slice(name.as_bytes());
        Some(Self(bytes))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(Self::MAX);
        // It was text when it came in.
        self.0.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Number of a `vrrp_instance` within one running daemon: its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u32);
