//! The time of day may be set, the time that has passed cannot: when the two part, the log says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::audit::record::time::Moment;

/// How far the clock may be from where it was expected, in milliseconds: a clock that is only made to run faster or slower
/// (`adjtimex(2)`) stays within.
const SLACK: u64 = 1000;

/// The time of day at which the session would have begun, by the last record; 0 before the first.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// The time that was expected, when `now` is not what follows from the time that has passed since the last record. It is
    /// said once for each change.
    pub(super) fn was_set(&self, (now, elapsed): (Moment, Duration)) -> Option<Moment> {
        let passed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let began = now.milliseconds().saturating_sub(passed).max(1);
        let before = self.0.load(Ordering::Relaxed);
        if before.abs_diff(began) <= SLACK {
            return None;
        }
        // Of several threads that see it, one says it.
        let is_first = self.0.compare_exchange(before, began, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let expected = before.saturating_add(passed);
        let nanoseconds = u32::try_from(expected % 1000 * 1_000_000).unwrap_or(0);
        (is_first && before > 0).then_some(Moment { seconds: expected / 1000, nanoseconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_once_in_either_direction() {
        let clock = Clock::default();
        let at = |seconds| Moment { seconds, nanoseconds: 0 };
        let passed = Duration::from_secs;
        assert_eq!(clock.was_set((at(5000), passed(0))), None);
        assert_eq!(clock.was_set((at(5010), passed(10))), None);
        assert_eq!(clock.was_set((at(1020), passed(20))), Some(at(5020)));
        assert_eq!(clock.was_set((at(1030), passed(30))), None);
        assert_eq!(clock.was_set((at(9040), passed(40))), Some(at(1040)));
        assert_eq!(clock.was_set((at(0), passed(50))), Some(at(9050)));
        assert_eq!(clock.was_set((at(0), passed(60))), None);
        // Slower or faster by a little is no step.
        assert_eq!(clock.was_set((at(1), passed(60))), None);
    }
}
