//! Virtual time: integer nanoseconds, Go's duration syntax and the API's timestamps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A length of virtual time in nanoseconds; never negative where an API asks for one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Nanos(pub i64);

/// A point of virtual time: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(pub i64);

const SECOND: i64 = 1_000_000_000;

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Whole seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * SECOND)
    }

    /// Whole milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Seconds as a float, for reports.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Reads Go's duration syntax: `300ms`, `1h30m`, `2.5s`, `0`, with an optional sign.
    /// Days (`2d`) are accepted too, as a planner expects.
    ///
    /// # Errors
    /// A sentence naming the text, as Go words it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid =
            || format!("invalid duration {text:?}: want a form such as 90s, 10m or 1h30m");
        let (sign, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (-1, &text[1..]),
            Some(b'+') => (1, &text[1..]),
            _ => (1, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let digits =
                rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
            let (number, tail) = rest.split_at(digits);
            let unit_len =
                tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            total += scaled(number, unit).ok_or_else(invalid)?;
            rest = tail;
        }
        i64::try_from(sign * total).map(Self).map_err(|_| invalid())
    }
}

/// `number` (digits with at most one point) in `unit`, in nanoseconds, truncated as Go does.
fn scaled(number: &str, unit: &str) -> Option<i128> {
    let unit_ns: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut nanos = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? as i128 * unit_ns };
    let mut scale = unit_ns;
    for digit in fraction.bytes() {
        scale /= 10;
        nanos += i128::from(digit.checked_sub(b'0').filter(|d| *d < 10)?) * scale;
    }
    Some(nanos)
}

/// Go's format: `1h30m0s`, `1.5s`, `300ms`, `0s`.
impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let second = SECOND as u64;
        if nanos == 0 {
            return f.write_str("0s");
        }
        if nanos < second {
            let (unit, size) = match nanos {
                0..1_000 => ("ns", 1),
                1_000..1_000_000 => ("µs", 1_000),
                _ => ("ms", 1_000_000),
            };
            return write!(f, "{sign}{}{}{unit}", nanos / size, Fraction(nanos % size, size));
        }
        let (seconds, rest) = (nanos / second, nanos % second);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        f.write_str(sign)?;
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{seconds}{}s", Fraction(rest, second))
    }
}

/// `.digits` of `rest / unit` without trailing zeros; nothing when it is zero.
struct Fraction(u64, u64);

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0 == 0 {
            return Ok(());
        }
        let width = self.1.ilog10() as usize;
        let digits = format!("{:0width$}", self.0);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

impl Time {
    /// The instant `seconds` after the Unix epoch.
    pub const fn from_unix_secs(seconds: i64) -> Self {
        Self(seconds * SECOND)
    }

    /// Whole seconds since the Unix epoch, rounded down: what `metav1.Time` keeps.
    pub fn unix_secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// This instant cut to whole seconds, as the API stores it.
    pub fn to_second(self) -> Self {
        Self::from_unix_secs(self.unix_secs())
    }

    /// The instant `later` afterwards, at most the end of time.
    pub fn after(self, later: Nanos) -> Self {
        Self(self.0.saturating_add(later.0))
    }

    /// How long after `earlier` this is.
    pub fn since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }

    /// Reads an RFC 3339 timestamp, with or without fractions of a second.
    ///
    /// # Errors
    /// A sentence naming the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| {
            format!("invalid time {text:?}: want a form such as 2026-01-31T15:04:05Z")
        })?;
        i64::try_from(timestamp.as_nanosecond())
            .map(Self)
            .map_err(|_| format!("invalid time {text:?}: outside the years 1678 to 2262"))
    }

    /// `2026-01-31T15:04:05.000001Z`: the API's `MicroTime`.
    pub fn micro(self) -> String {
        let micros = self.0.rem_euclid(SECOND) / 1_000;
        let mut text = self.to_string();
        text.truncate(text.len() - 1);
        format!("{text}.{micros:06}Z")
    }
}

/// `2026-01-31T15:04:05Z`: the API's `Time`, whole seconds, rounded down.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let timestamp = jiff::Timestamp::from_second(self.unix_secs()).map_err(|_| fmt::Error)?;
        write!(f, "{timestamp:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Time};

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, nanos, printed) in [
            ("0", 0, "0s"),
            ("1h30m", 5_400_000_000_000, "1h30m0s"),
            ("1.5s", 1_500_000_000, "1.5s"),
            ("300ms", 300_000_000, "300ms"),
            ("1500us", 1_500_000, "1.5ms"),
            ("-2m3.004s", -123_004_000_000, "-2m3.004s"),
            (".5s", 500_000_000, "500ms"),
            ("1d", 86_400_000_000_000, "24h0m0s"),
            ("7ns", 7, "7ns"),
        ] {
            let duration = Nanos::parse(text).unwrap();
            assert_eq!((duration.0, duration.to_string().as_str()), (nanos, printed), "{text}");
        }
        for bad in ["", "10", "s", ".", "1x", "1h-2m", "99999999999h", "1.2.3s"] {
            assert!(Nanos::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn times_read_and_print_as_the_api_does() {
        let time = Time::parse("2026-01-31T15:04:05.123456789Z").unwrap();
        assert_eq!(time.to_string(), "2026-01-31T15:04:05Z");
        assert_eq!(time.micro(), "2026-01-31T15:04:05.123456Z");
        assert_eq!(Time::parse("2026-01-31T16:04:05+01:00").unwrap(), time.to_second());
        assert_eq!(Time(-1).to_string(), "1969-12-31T23:59:59Z");
        assert!(Time::parse("yesterday").is_err());
    }
}
