//! The fold of everything tracked into a priority and a fault.

use crate::base::Priority;
use crate::host::LinkState;

/// The most that one object can add or take. A file that wants to take more is a fault.
const MOST_POINTS: i64 = 253;

/// What is known of a tracked object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing yet.
    Pending,
    /// It works.
    Good,
    /// It does not.
    Bad,
    /// An interface is like this; it works while it is up.
    Link(LinkState),
    /// A file says this number.
    Number(i32),
}

/// One object that one instance tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// What it is, for causes: `script chk_nginx`.
    pub what: String,
    /// Points it adds when good (positive) or takes when bad (negative), -253 to 253; what a number is multiplied by,
    /// -254 to 254. 0: bad, or any other number than 0, is a fault.
    pub weight: i16,
    /// Turns the effect round.
    pub reverse: bool,
    /// What is known.
    pub status: Status,
}

impl Tracked {
    /// What is known, but that an interface just works or does not.
    fn verdict(&self) -> Status {
        match self.status {
            Status::Link(LinkState::Up) => Status::Good,
            Status::Link(_) => Status::Bad,
            status => status,
        }
    }

    /// What is known, in a few words.
    pub fn words(&self) -> String {
        let how = match self.status {
            Status::Pending => "is not known yet",
            Status::Good => "is good",
            Status::Bad => "failed",
            Status::Link(state) => state.words(),
            Status::Number(number) => return format!("{} says {number}", self.what),
        };
        format!("{} {how}", self.what)
    }

    /// Points towards the priority, none of a fault.
    pub(super) fn points(&self) -> i32 {
        if self.is_fault() { 0 } else { self.contribution() }
    }

    fn contribution(&self) -> i32 {
        let weight = i32::from(self.weight);
        let points = match (self.verdict(), self.weight) {
            (Status::Good, 1..) | (Status::Bad, ..=-1) => weight,
            (Status::Number(_), _) => return self.product().clamp(-MOST_POINTS, MOST_POINTS) as i32,
            _ => 0,
        };
        if self.reverse { -points } else { points }
    }

    /// What a number is worth, before limits.
    fn product(&self) -> i64 {
        let Status::Number(number) = self.status else { return 0 };
        let product = i64::from(number) * i64::from(self.weight);
        if self.reverse { -product } else { product }
    }

    /// Whether it keeps the instance in FAULT.
    pub(super) fn is_fault(&self) -> bool {
        match (self.verdict(), self.weight) {
            (Status::Number(number), 0) => (number != 0) != self.reverse,
            (Status::Number(_), _) => self.product() < -MOST_POINTS,
            (status, 0) => status == if self.reverse { Status::Good } else { Status::Bad },
            _ => false,
        }
    }

    /// Whether the instance cannot start before more is known.
    fn is_awaited(&self) -> bool {
        self.weight == 0 && self.status == Status::Pending
    }
}

/// All objects one instance tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    items: Vec<Tracked>,
}

impl Tracking {
    /// Tracks `items`; they are referred to by their place.
    pub fn new(items: Vec<Tracked>) -> Self {
        Self { items }
    }

    /// Records that item `index` is `status` now. Gives what it is if that is news, and whether it has become a
    /// fault (`true`) or ceased to be one.
    pub fn update(&mut self, index: usize, status: Status) -> Option<(&Tracked, Option<bool>)> {
        let item = self.items.get_mut(index)?;
        let (news, before) = (item.status != status, item.is_fault());
        item.status = status;
        let fault = item.is_fault();
        news.then_some((item, (fault != before).then_some(fault)))
    }

    /// The configured priority with all contributions, within 1 to 254; an owner's never changes.
    pub fn effective(&self, configured: Priority) -> Priority {
        if configured.is_owner() {
            return configured;
        }
        let total = i32::from(configured.get()) + self.items.iter().map(Tracked::points).sum::<i32>();
        Priority::new(total.clamp(1, 254) as u8).unwrap_or(configured)
    }

    /// The items that keep the instance in FAULT.
    pub fn faults(&self) -> impl Iterator<Item = &Tracked> {
        self.items.iter().filter(|t| t.is_fault())
    }

    /// Whether the instance has to wait for a first result.
    pub fn is_awaited(&self) -> bool {
        self.awaited() > 0
    }

    /// For how many first results the instance has to wait.
    pub fn awaited(&self) -> usize {
        self.items.iter().filter(|t| t.is_awaited()).count()
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
        use Status::{Bad, Good, Number, Pending};
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
            (2, false, Number(10), 120),
            (2, true, Number(10), 80),
            (-1, false, Number(253), 1),
            (2, false, Number(-126), 1),
            (3, false, Number(i32::MAX), 254),
            (3, true, Number(-100), 254),
            (0, false, Number(7), 100),
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

    #[test]
    fn a_number_that_is_a_fault_adds_nothing() {
        let mut tracking = Tracking::new(vec![tracked(1, false, Status::Number(-254))]);
        let mut priority_with = |number| {
            tracking.update(0, Status::Number(number));
            tracking.effective(Priority::DEFAULT).get()
        };
        let told = [-300, 5, -254, -253, i32::MIN, 0].map(&mut priority_with);
        assert_eq!(told, [100, 105, 100, 1, 100, 100]);
    }

    #[test]
    fn numbers_that_are_faults() {
        for (weight, reverse, number, fault) in [
            (0, false, 0, false),
            (0, false, -1, true),
            (0, true, 0, true),
            (0, true, 5, false),
            (1, false, -253, false),
            (1, false, -254, true),
            (2, false, -127, true),
            (-1, false, 254, true),
            (3, true, 85, true),
            (3, true, -85, false),
            (254, false, i32::MIN, true),
        ] {
            let tracking = Tracking::new(vec![tracked(weight, reverse, Status::Number(number))]);
            assert_eq!(tracking.faults().count() == 1, fault, "{weight} {reverse} {number}");
        }
    }
}
