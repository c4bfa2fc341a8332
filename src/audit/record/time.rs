//! Times as RFC 3339 has them, in UTC.

/// Seconds in a day.
const DAY: u64 = 86_400;

/// A moment: seconds since 1970 in UTC, and nanoseconds within the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub seconds: u64,
    pub nanoseconds: u32,
}

impl Moment {
    /// Such as `2026-01-31T23:59:59.123456789Z`; the fraction always has nine digits, so that texts sort as times do.
    pub fn text(self) -> [u8; 30] {
        let (year, month, day) = date(self.seconds / DAY);
        let second = self.seconds % DAY;
        let mut out = *b"0000-00-00T00:00:00.000000000Z";
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, second / 3600),
            (14, 2, second / 60 % 60),
            (17, 2, second % 60),
            (20, 9, u64::from(self.nanoseconds)),
        ];
        for (at, length, mut value) in parts {
            for digit in out.iter_mut().skip(at).take(length).rev() {
                *digit = b'0'.saturating_add(u8::try_from(value % 10).unwrap_or(0));
                value /= 10;
            }
        }
        out
    }

    /// Such as `20260131T235959Z`.
    pub fn compact(self) -> String {
        let text = self.text();
        let kept = text.iter().take(19).filter(|byte| !matches!(byte, b'-' | b':'));
        kept.map(|&byte| char::from(byte)).chain(['Z']).collect()
    }

    /// Reads what [`Self::text`] writes, with any number of digits in the fraction up to nine, or without one; the date
    /// alone is its first moment.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| -> Option<u64> {
            let part = text.get(range)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
        };
        let separated = |at: usize, by: &str| text.get(at..at.saturating_add(1)) == Some(by);
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let days = days(year, month, day)?;
        if !separated(4, "-") || !separated(7, "-") {
            return None;
        }
        let midnight = days.checked_mul(DAY)?;
        if text.len() == 10 {
            return Some(Self { seconds: midnight, nanoseconds: 0 });
        }
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !separated(10, "T") || !separated(13, ":") || !separated(16, ":") || hour > 23 || minute > 59 || second > 59
        {
            return None;
        }
        let fraction = text.get(19..)?.strip_suffix('Z')?;
        let digits = fraction.strip_prefix('.').unwrap_or(fraction);
        let has_point = digits.len() != fraction.len();
        if digits.len() > 9 || has_point == digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nanoseconds = format!("{digits:0<9}").parse().ok()?;
        let seconds = midnight.checked_add(hour * 3600 + minute * 60 + second)?;
        Some(Self { seconds, nanoseconds })
    }

    /// Milliseconds since 1970.
    pub fn milliseconds(self) -> u64 {
        self.seconds.saturating_mul(1000).saturating_add(u64::from(self.nanoseconds / 1_000_000))
    }
}

/// The date `days` after 1 January 1970: eras of 400 years, and years that begin in March, so that the leap day is the last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(u64::from(month <= 2));
    (year, month, day)
}

/// The days from 1 January 1970 to a date; `None` when there is no such date or it is earlier.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let year_from_march = year - u64::from(month <= 2);
    let (era, of_era) = (year_from_march / 400, year_from_march % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)?;
    // A day that the month does not have is one of the next.
    (date(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: u64) -> String {
        String::from_utf8(Moment { seconds, nanoseconds: 5 }.text().to_vec()).unwrap()
    }

    #[test]
    fn moments_are_written_as_the_calendar_has_them() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000000005Z");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.000000005Z");
        assert_eq!(text(1_709_164_799), "2024-02-28T23:59:59.000000005Z");
        assert_eq!(text(4_107_542_400), "2100-03-01T00:00:00.000000005Z");
        assert_eq!(Moment { seconds: 1_700_000_000, nanoseconds: 0 }.compact(), "20231114T221320Z");
    }

    #[test]
    fn each_day_of_five_centuries_is_read_as_it_was_written() {
        let mut before = String::new();
        for day in 0..182_500 {
            let moment = Moment { seconds: day * DAY + day % DAY, nanoseconds: 999_999_999 };
            let text = String::from_utf8(moment.text().to_vec()).unwrap();
            assert_eq!(Moment::parse(&text), Some(moment), "{text}");
            assert!(before < text);
            before = text;
        }
    }

    #[test]
    fn texts_that_are_no_moment_are_refused() {
        assert_eq!(Moment::parse("2026-01-31").map(|moment| moment.seconds), Some(1_769_817_600));
        assert_eq!(Moment::parse("2026-01-31T00:00:01Z").map(|moment| moment.seconds), Some(1_769_817_601));
        for wrong in [
            "",
            "2026",
            "2026-02-30",
            "2026-13-01",
            "1969-12-31",
            "2026-01-31T24:00:00Z",
            "2026-01-31T00:00:00",
            "2026-01-31T00:00:00.Z",
            "2026-01-31T00:00:00.0000000001Z",
            "2026-01-31 00:00:00Z",
            "2026/01/31",
            "ä026-01-31",
        ] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }
}
