//! A set of owners. Hardly ever are there more than one, and of sets with one there are thousands.

use crate::kernel::claim::Owner;

/// Some owners, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Vec<Owner>);

impl Owners {
    /// Adds one. Gives whether that is news.
    pub(super) fn insert(&mut self, owner: Owner) -> bool {
        let place = self.0.binary_search(&owner);
        if let Err(place) = place {
            self.0.insert(place, owner);
        }
        place.is_err()
    }

    /// Removes one. Gives whether it was there.
    pub(super) fn remove(&mut self, owner: &Owner) -> bool {
        self.0.binary_search(owner).map(|place| self.0.remove(place)).is_ok()
    }

    /// Whether this one is among them.
    pub(super) fn contains(&self, owner: &Owner) -> bool {
        self.0.binary_search(owner).is_ok()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Owner> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Owners {
    type Item = &'a Owner;
    type IntoIter = std::slice::Iter<'a, Owner>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::InstanceId;

    #[test]
    fn each_is_there_once_and_in_order() {
        let [one, two] = [1, 2].map(|id| Owner::Instance(InstanceId(id)));
        let mut owners = Owners::default();
        assert_eq!(
            [two, Owner::Static, one, two].map(|owner| owners.insert(owner)),
            [true, true, true, false]
        );
        assert!(owners.iter().eq(&[Owner::Static, one, two]));
        assert!(owners.remove(&one) && !owners.remove(&one));
        assert!(owners.contains(&two) && !owners.contains(&one) && !owners.is_empty());
    }
}
