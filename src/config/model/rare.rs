//! What is seldom written: it takes the room of a pointer until it is. There may be thousands of instances, whose
//! configurations are kept for dumps.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use super::{Garp, InstanceOptions, Tracks};

/// A `T` that is the default one as long as nobody has written into it.
pub struct Rare<T>(Option<Box<T>>);

/// What can be [rare](Rare).
pub trait Seldom: Default + PartialEq + 'static {
    /// The default one, which all share who have nothing else.
    fn usual() -> &'static Self;
}

impl Seldom for InstanceOptions {
    fn usual() -> &'static Self {
        static USUAL: LazyLock<InstanceOptions> = LazyLock::new(InstanceOptions::default);
        &USUAL
    }
}

impl Seldom for Garp {
    fn usual() -> &'static Self {
        static USUAL: LazyLock<Garp> = LazyLock::new(Garp::default);
        &USUAL
    }
}

impl Seldom for Tracks {
    fn usual() -> &'static Self {
        static USUAL: LazyLock<Tracks> = LazyLock::new(Tracks::default);
        &USUAL
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for Rare<T> {
    fn from(value: T) -> Self {
        Self(Some(Box::new(value)))
    }
}

impl<T: Seldom> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => T::usual(),
        }
    }
}

impl<T: Seldom> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Seldom + Clone> Clone for Rare<T> {
    /// What was looked at to be changed, and was not, takes no room in the copy.
    fn clone(&self) -> Self {
        Self(self.0.clone().filter(|value| **value != *T::usual()))
    }
}

impl<T: Seldom> PartialEq for Rare<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Seldom + Eq> Eq for Rare<T> {}

impl<T: Seldom + fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_box_only_when_something_is_written() {
        let mut garp = Rare::<Garp>::default();
        assert_eq!(*garp, Garp::default());
        garp.master_repeat = None;
        assert!(garp.0.is_some() && garp.clone().0.is_none() && garp == Rare::default());
        garp.master_repeat = Some(3);
        assert_eq!(garp.clone().master_repeat, Some(3));
        assert!(garp != Rare::default());
    }
}
