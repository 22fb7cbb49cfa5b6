//! Times as Go's `time.Parse` reads them, with its complaints word for word.

use std::fmt::Write;

/// The layout of times in whole seconds.
pub const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
/// The layout of times in microseconds.
pub const MICROS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// A moment: seconds since 1970 and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub seconds: i64,
    pub nanos: u32,
}

/// Go's zero time, which the API writes as `null`.
pub const ZERO: Moment = Moment { seconds: -62_135_596_800, nanos: 0 };

/// Reads a time.
///
/// # Errors
/// Go's sentence.
pub fn parse(text: &str, layout: &'static str) -> Result<Moment, String> {
    let mut parser = Parser { text, layout, rest: text };
    parser.moment()
}

/// The moment as the API writes it, in UTC.
pub fn format(moment: Moment, micros: bool) -> String {
    let time = jiff::Timestamp::new(moment.seconds, moment.nanos as i32)
        .expect("four digits of a year are in range");
    if micros { format!("{:.6}", truncated(time)) } else { format!("{time:.0}") }
}

/// The timestamp without what is finer than a microsecond; printing would round it.
fn truncated(time: jiff::Timestamp) -> jiff::Timestamp {
    let micros = time.subsec_nanosecond() / 1000 * 1000;
    jiff::Timestamp::new(time.as_second(), micros).unwrap_or(time)
}

struct Parser<'a> {
    text: &'a str,
    layout: &'static str,
    rest: &'a str,
}

/// Why an element of the layout was not found.
enum Trouble {
    /// The text does not look like it.
    Bad,
    /// It does, but the number is too large; names the number.
    Range(&'static str),
}

impl Parser<'_> {
    fn moment(&mut self) -> Result<Moment, String> {
        let year = self.element("2006", Self::year)?;
        self.separator("-")?;
        let month = self.element("01", |parser| parser.two_digits(true, 1..=12, "month"))?;
        self.separator("-")?;
        let day = self.element("02", |parser| parser.number(true))?;
        self.separator("T")?;
        let hour = self.element("15", |parser| parser.two_digits(false, 0..=23, "hour"))?;
        self.separator(":")?;
        let minute = self.element("04", |parser| parser.two_digits(true, 0..=59, "minute"))?;
        self.separator(":")?;
        let mut nanos = 0;
        let second = self.element("05", |parser| {
            let second = parser.two_digits(true, 0..=59, "second")?;
            if parser.layout == SECONDS {
                nanos = parser.optional_fraction()?;
            }
            Ok(second)
        })?;
        if self.layout == MICROS {
            nanos = self.element(".000000", |parser| parser.fraction(7))?;
        }
        let offset = self.element("Z07:00", Self::zone)?;
        if !self.rest.is_empty() {
            return Err(self.complain(&format!(": extra text: {}", quote(self.rest))));
        }
        let date = jiff::civil::Date::new(year as i16, month as i8, day as i8)
            .map_err(|_| self.complain(": day out of range"))?;
        let days = date.since(jiff::civil::date(1970, 1, 1)).expect("dates are in range");
        let second = hour * 3600 + minute * 60 + second - offset;
        Ok(Moment { seconds: i64::from(days.get_days()) * 86_400 + second, nanos })
    }

    fn element<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let before = self.rest;
        read(self).map_err(|trouble| match trouble {
            Trouble::Range(what) => self.complain(&format!(": {what} out of range")),
            Trouble::Bad => self.cannot(before, name),
        })
    }

    fn separator(&mut self, text: &str) -> Result<(), String> {
        match self.rest.strip_prefix(text) {
            Some(rest) => self.rest = rest,
            None => return Err(self.cannot(self.rest, text)),
        }
        Ok(())
    }

    fn cannot(&self, found: &str, wanted: &str) -> String {
        self.complain(&format!(
            " as {}: cannot parse {} as {}",
            quote(self.layout),
            quote(found),
            quote(wanted)
        ))
    }

    fn complain(&self, what: &str) -> String {
        format!("parsing time {}{what}", quote(self.text))
    }

    fn byte(&self, at: usize) -> u8 {
        self.rest.as_bytes().get(at).copied().unwrap_or_default()
    }

    fn year(&mut self) -> Result<i64, Trouble> {
        let digits = self.rest.get(..4).ok_or(Trouble::Bad)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Trouble::Bad);
        }
        self.rest = &self.rest[4..];
        digits.parse().map_err(|_| Trouble::Bad)
    }

    /// A number of two digits, or of one where the layout allows it.
    fn number(&mut self, two: bool) -> Result<i64, Trouble> {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
        let first = digit(self.byte(0)).ok_or(Trouble::Bad)?;
        let Some(second) = digit(self.byte(1)) else {
            if two {
                return Err(Trouble::Bad);
            }
            self.rest = &self.rest[1..];
            return Ok(first);
        };
        self.rest = &self.rest[2..];
        Ok(first * 10 + second)
    }

    fn two_digits(
        &mut self,
        two: bool,
        range: std::ops::RangeInclusive<i64>,
        what: &'static str,
    ) -> Result<i64, Trouble> {
        let number = self.number(two)?;
        if range.contains(&number) { Ok(number) } else { Err(Trouble::Range(what)) }
    }

    /// A fraction of a second where the layout has none: any number of digits.
    fn optional_fraction(&mut self) -> Result<u32, Trouble> {
        if !matches!(self.byte(0), b'.' | b',') || !self.byte(1).is_ascii_digit() {
            return Ok(0);
        }
        let digits = self.rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        self.fraction(1 + digits)
    }

    /// A separator and `length - 1` digits, of which nine count.
    fn fraction(&mut self, length: usize) -> Result<u32, Trouble> {
        let text = self.rest.get(..length).ok_or(Trouble::Bad)?;
        let digits = text.strip_prefix(['.', ',']).ok_or(Trouble::Bad)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Trouble::Bad);
        }
        self.rest = &self.rest[length..];
        let digits = &digits[..digits.len().min(9)];
        let number: u32 = digits.parse().map_err(|_| Trouble::Bad)?;
        Ok(number * 10_u32.pow(9 - digits.len() as u32))
    }

    /// `Z` or an offset such as `+02:00`, in seconds.
    fn zone(&mut self) -> Result<i64, Trouble> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        if self.rest.len() < 6 || self.byte(3) != b':' {
            return Err(Trouble::Bad);
        }
        let pair = |at: usize| {
            let (tens, ones) = (self.byte(at), self.byte(at + 1));
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        };
        let (hours, minutes) = (pair(1), pair(4));
        if hours.is_some_and(|hours| hours > 24) {
            return Err(Trouble::Range("time zone offset hour"));
        }
        if hours.is_some() && minutes.is_some_and(|minutes| minutes > 60) {
            return Err(Trouble::Range("time zone offset minute"));
        }
        let (Some(hours), Some(minutes)) = (hours, minutes) else { return Err(Trouble::Bad) };
        let sign = match self.byte(0) {
            b'+' => 1,
            b'-' => -1,
            _ => return Err(Trouble::Bad),
        };
        self.rest = &self.rest[6..];
        Ok(sign * (hours * 3600 + minutes * 60))
    }
}

/// A string as Go's time package quotes it: bytes outside ASCII one by one.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=0x7f => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}
