//! The time of day may be set, the time that has passed cannot: when the two part, the log says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::audit::record::time::Moment;

/// How far the clock may be from where it was expected, in milliseconds: a clock that is only made to run faster or slower
/// (`adjtimex(2)`) stays within.
const SLACK: u64 = 1000;

/// How long the time of day is had from the time that has passed since it was read, in nanoseconds.
const READ_EVERY: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// What is known of the time of day.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// When the session would have begun by the time of day, in milliseconds; 0 before the first record. It changes when the
    /// time is set.
    began: AtomicU64,
    /// The same in nanoseconds by the last time that was read, and when in the session that was.
    last_began: AtomicU64,
    last_read: AtomicU64,
}

impl Clock {
    /// The time of day when `elapsed` has passed since the session began; `read` reads it. With it the time that was expected,
    /// when that is another one, which is said once for each change.
    pub(super) fn time(&self, elapsed: Duration, read: impl FnOnce() -> Moment) -> (Moment, Option<Moment>) {
        let passed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let began = self.last_began.load(Ordering::Relaxed);
        if began > 0 && passed.abs_diff(self.last_read.load(Ordering::Relaxed)) < READ_EVERY {
            return (moment(began.saturating_add(passed)), None);
        }
        let now = read();
        let nanoseconds = now.seconds.saturating_mul(SECOND).saturating_add(u64::from(now.nanoseconds));
        self.last_began.store(nanoseconds.saturating_sub(passed), Ordering::Relaxed);
        self.last_read.store(passed, Ordering::Relaxed);
        (now, self.was_set(now, elapsed))
    }

    /// The time that was expected, when `now` is not what follows from the time that has passed since the last record.
    fn was_set(&self, now: Moment, elapsed: Duration) -> Option<Moment> {
        let passed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let began = now.milliseconds().saturating_sub(passed).max(1);
        let before = self.began.load(Ordering::Relaxed);
        if before.abs_diff(began) <= SLACK {
            return None;
        }
        // Of several threads that see it, one says it.
        let is_first = self.began.compare_exchange(before, began, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let expected = before.saturating_add(passed);
        (is_first && before > 0).then(|| moment(expected.saturating_mul(1_000_000)))
    }
}

fn moment(nanoseconds: u64) -> Moment {
    Moment { seconds: nanoseconds / SECOND, nanoseconds: u32::try_from(nanoseconds % SECOND).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_once_in_either_direction() {
        let clock = Clock::default();
        let at = |seconds| Moment { seconds, nanoseconds: 0 };
        let told = |now, passed| {
            let (time, expected) = clock.time(Duration::from_secs(passed), || at(now));
            assert_eq!(time, at(now));
            expected
        };
        assert_eq!(told(5000, 0), None);
        assert_eq!(told(5010, 10), None);
        assert_eq!(told(1020, 20), Some(at(5020)));
        assert_eq!(told(1030, 30), None);
        assert_eq!(told(9040, 40), Some(at(1040)));
        assert_eq!(told(0, 50), Some(at(9050)));
        assert_eq!(told(0, 60), None);
        assert_eq!(told(9000, 70), Some(Moment { seconds: 70, nanoseconds: 1_000_000 }));
        // Slower or faster by a little is no step.
        assert_eq!(told(9011, 80), None);
        assert_eq!(told(9019, 90), None);
        assert_eq!(told(9032, 100), Some(at(9030)));
    }

    #[test]
    fn the_time_goes_on_between_two_looks_at_the_clock() {
        let clock = Clock::default();
        let at = |seconds, nanoseconds| Moment { seconds, nanoseconds };
        let mut passed = Duration::from_secs(3);
        assert_eq!(clock.time(passed, || at(1000, 999_999_000)), (at(1000, 999_999_000), None));
        passed += Duration::from_nanos(2001);
        assert_eq!(clock.time(passed, || at(7, 7)), (at(1001, 1001), None));
        // A record of another thread that is a little older.
        assert_eq!(clock.time(passed - Duration::from_nanos(2), || at(7, 7)), (at(1001, 999), None));
        passed += Duration::from_millis(1);
        assert_eq!(clock.time(passed, || at(1002, 0)), (at(1002, 0), None));
    }
}
