//! The verdict on something that is tested again and again.

/// Counts successes and failures; a verdict takes `rise` of the one or `fall` of the other in a row.
///
/// The very first result is a verdict by itself, so that a router knows at once where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiseFall {
    rise: u32,
    fall: u32,
    /// Good from `rise` on, at most `rise + fall - 1`; `None` before the first result.
    level: Option<u64>,
}

impl RiseFall {
    /// No verdict yet. `rise` and `fall` are at least 1.
    pub fn new(rise: u32, fall: u32) -> Self {
        Self { rise: rise.max(1), fall: fall.max(1), level: None }
    }

    /// With this verdict to begin with, if one is known.
    pub fn begun(rise: u32, fall: u32, known: Option<bool>) -> Self {
        let mut verdict = Self::new(rise, fall);
        if let Some(good) = known {
            // The first result is a verdict.
            verdict.result(good);
        }
        verdict
    }

    /// Between 0 and rise + fall - 1, good from rise on; 0 before the first result.
    pub fn level(&self) -> u64 {
        self.level.unwrap_or(0)
    }

    /// Takes a result. Gives the verdict if that has changed.
    pub fn result(&mut self, success: bool) -> Option<bool> {
        let (rise, best) = (u64::from(self.rise), u64::from(self.rise) + u64::from(self.fall) - 1);
        let Some(level) = self.level else {
            self.level = Some(if success { best } else { 0 });
            return Some(success);
        };
        let next = match success {
            true if level + 1 >= rise => best,
            true => level + 1,
            false if level > rise => level - 1,
            false => 0,
        };
        self.level = Some(next);
        ((next >= rise) != (level >= rise)).then_some(success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `+` and `-`, and writes each verdict behind the result that brought it.
    fn verdicts(rise: u32, fall: u32, results: &str) -> String {
        let mut machine = RiseFall::new(rise, fall);
        let mut text = String::new();
        for c in results.chars() {
            text.push(c);
            match machine.result(c == '+') {
                Some(true) => text.push('G'),
                Some(false) => text.push('B'),
                None => {}
            }
        }
        text
    }

    #[test]
    fn verdicts_take_as_many_results_as_configured() {
        assert_eq!(verdicts(1, 1, "+-+--++"), "+G-B+G--B+G+".replace("--B", "-B-"));
        assert_eq!(verdicts(3, 3, "+--+---+++"), "+G--+---B+++G");
        assert_eq!(verdicts(2, 3, "-+-++"), "-B+-++G");
        assert_eq!(verdicts(1, 3, "+--+--+---"), "+G--+--+---B");
        assert_eq!(verdicts(u32::MAX, u32::MAX, "+-"), "+G-");
    }
}
