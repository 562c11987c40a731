//! The fold of everything tracked into a priority and a fault.

use crate::base::Priority;

/// What is known of a tracked object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing yet.
    Pending,
    /// It works.
    Good,
    /// It does not.
    Bad,
}

/// One object that one instance tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// What it is, for causes: `script chk_nginx`.
    pub what: String,
    /// Points it adds when good (positive) or takes when bad (negative); 0: bad is a fault. -253 to 253.
    pub weight: i16,
    /// Turns the effect round.
    pub reverse: bool,
    /// What is known.
    pub status: Status,
}

impl Tracked {
    /// Points towards the priority.
    fn contribution(&self) -> i32 {
        let points = match (self.status, self.weight) {
            (Status::Good, w @ 1..) | (Status::Bad, w @ ..=-1) => i32::from(w),
            _ => 0,
        };
        if self.reverse { -points } else { points }
    }

    /// Whether it keeps the instance in FAULT.
    fn is_fault(&self) -> bool {
        let fault = if self.reverse { Status::Good } else { Status::Bad };
        self.weight == 0 && self.status == fault
    }

    /// Whether the instance cannot start before more is known.
    fn is_awaited(&self) -> bool {
        self.weight == 0 && self.status == Status::Pending
    }
}

/// All objects one instance tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking(Vec<Tracked>);

impl Tracking {
    /// Tracks `items`; they are referred to by their place.
    pub fn new(items: Vec<Tracked>) -> Self {
        Self(items)
    }

    /// Records that item `index` is `status` now. Gives what it is if that is news.
    pub fn update(&mut self, index: usize, status: Status) -> Option<&Tracked> {
        let item = self.0.get_mut(index)?;
        let news = item.status != status;
        item.status = status;
        news.then_some(item)
    }

    /// The configured priority with all contributions, within 1 to 254; an owner's never changes.
    pub fn effective(&self, configured: Priority) -> Priority {
        if configured.is_owner() {
            return configured;
        }
        let total = i32::from(configured.get()) + self.0.iter().map(Tracked::contribution).sum::<i32>();
        Priority::new(total.clamp(1, 254) as u8).unwrap_or(configured)
    }

    /// The items that keep the instance in FAULT.
    pub fn faults(&self) -> impl Iterator<Item = &Tracked> {
        self.0.iter().filter(|t| t.is_fault())
    }

    /// Whether the instance has to wait for a first result.
    pub fn is_awaited(&self) -> bool {
        self.0.iter().any(Tracked::is_awaited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracked(weight: i16, reverse: bool, status: Status) -> Tracked {
        Tracked { what: "script s".to_owned(), weight, reverse, status }
    }

    #[test]
    fn contributions() {
        use Status::{Bad, Good, Pending};
        for (weight, reverse, status, expected) in [
            (10, false, Good, 110),
            (10, false, Bad, 100),
            (10, false, Pending, 100),
            (-10, false, Good, 100),
            (-10, false, Bad, 90),
            (-10, false, Pending, 100),
            (10, true, Good, 90),
            (-10, true, Bad, 110),
            (253, false, Good, 254),
            (-253, false, Bad, 1),
            (0, false, Bad, 100),
        ] {
            let tracking = Tracking::new(vec![tracked(weight, reverse, status)]);
            let effective = tracking.effective(Priority::DEFAULT).get();
            assert_eq!(effective, expected, "{weight} {reverse} {status:?}");
            assert_eq!(tracking.effective(Priority::OWNER), Priority::OWNER);
        }
    }

    #[test]
    fn weight_0_is_a_fault_when_bad_and_awaited_before() {
        let mut tracking =
            Tracking::new(vec![tracked(0, false, Status::Pending), tracked(0, true, Status::Pending)]);
        assert!(tracking.is_awaited());
        assert_eq!(tracking.faults().count(), 0);
        assert!(tracking.update(0, Status::Bad).is_some());
        assert!(tracking.update(1, Status::Bad).is_some());
        assert!(tracking.update(1, Status::Bad).is_none(), "no news");
        assert!(!tracking.is_awaited());
        assert_eq!(tracking.faults().count(), 1, "the reversed one is a fault when good");
        tracking.update(1, Status::Good);
        assert_eq!(tracking.faults().count(), 2);
    }
}
