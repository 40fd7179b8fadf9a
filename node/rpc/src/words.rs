//! Sums and moments as people read them: in units with a point, and as date and time.

use xln_primitives::{Amount, Delta, Timestamp};

/// All digits of an amount, without zeros at the end of the fraction.
#[must_use]
pub fn exact(amount: Amount, decimals: u8) -> String {
    with_digits(amount, decimals, 0)
}

/// An amount as people read it: at least two digits after the point, if the asset has them.
#[must_use]
pub fn readable(amount: Amount, decimals: u8) -> String {
    with_digits(amount, decimals, 2)
}

/// A delta as people read it, with its sign.
#[must_use]
pub fn readable_delta(delta: Delta, decimals: u8) -> String {
    let sign = if delta < Delta::ZERO { "-" } else { "" };
    format!("{sign}{}", readable(delta.magnitude(), decimals))
}

fn with_digits(amount: Amount, decimals: u8, least: usize) -> String {
    let decimals = usize::from(decimals);
    let digits = format!("{:0>width$}", amount.get(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let kept = fraction.trim_end_matches('0').len().max(least.min(decimals));
    match fraction.get(..kept) {
        Some(shown) if !shown.is_empty() => format!("{whole}.{shown}"),
        _ => whole.to_owned(),
    }
}

/// A moment to the second, in the proleptic Gregorian calendar and UTC: `2026-11-21 09:12:30 UTC`.
#[must_use]
pub fn moment(time: Timestamp) -> String {
    const DAY: u64 = 86_400;
    let seconds = time.as_millis() / 1_000;
    let (mut days, second) = (seconds / DAY, seconds % DAY);
    // Whole cycles of 400 years, in which the calendar repeats; what is left is counted year by year.
    const CYCLE: u64 = 146_097;
    let mut year = 1970 + days / CYCLE * 400;
    days %= CYCLE;
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = |year| if is_leap(year) { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02} UTC", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_they_are_read() {
        assert_eq!(readable(Amount::new(12_000), 2), "120.00");
        assert_eq!(readable(Amount::new(1), 18), "0.000000000000000001");
        assert_eq!(readable(Amount::new(1_500_000), 6), "1.50");
        assert_eq!(readable(Amount::new(7), 0), "7");
        assert_eq!(exact(Amount::new(12_000), 2), "120");
        assert_eq!(readable_delta(Delta::new(-1_550), 2), "-15.50");
        assert_eq!(readable_delta(Delta::new(i128::MIN), 0), i128::MIN.to_string());
    }

    #[test]
    fn moments_are_dates_also_at_the_ends_of_years_and_in_leap_years() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_795_251_750, "2026-11-21 09:02:30 UTC"),
            (1_798_761_599, "2026-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(moment(Timestamp::from_millis(seconds * 1_000 + 999)), expected);
        }
        assert!(moment(Timestamp::from_millis(u64::MAX)).ends_with(" UTC"));
    }
}
