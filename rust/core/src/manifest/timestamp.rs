//! Which texts YAML 1.1 takes for timestamps. Reading leaves them text; writing quotes them.

/// Whether Go's library takes the text for a timestamp: `2006-1-2`, the same with `T` or `t`, a
/// time and a zone, or with a space and a time without one.
pub(super) fn is_timestamp(text: &str) -> bool {
    parse(text).is_some()
}

fn parse(text: &str) -> Option<()> {
    let bytes = text.as_bytes();
    let (year, rest) = bytes.split_at_checked(4)?;
    if !year.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let year = year.iter().fold(0, |year, digit| year * 10 + u32::from(digit - b'0'));
    let (month, rest) = one_or_two(rest.strip_prefix(b"-")?)?;
    let (day, rest) = one_or_two(rest.strip_prefix(b"-")?)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    match rest.split_first() {
        None => Some(()),
        Some((b'T' | b't', rest)) => zone(time_of_day(rest)?),
        Some((b' ', rest)) => {
            let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
            time_of_day(&rest[spaces..])?.is_empty().then_some(())
        }
        Some(_) => None,
    }
}

/// `15:4:5` and an optional fraction; what follows it.
fn time_of_day(rest: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = one_or_two(rest)?;
    let (minute, rest) = one_or_two(rest.strip_prefix(b":")?)?;
    let (second, rest) = one_or_two(rest.strip_prefix(b":")?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let Some((b'.' | b',', fraction)) = rest.split_first() else { return Some(rest) };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| &fraction[digits..])
}

/// `Z`, or a sign, hours and minutes.
fn zone(rest: &[u8]) -> Option<()> {
    let [b'+' | b'-', hours @ .., b':', tens, ones] = rest else {
        return (rest == b"Z").then_some(());
    };
    let two = |digits: &[u8]| match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(u32::from((tens - b'0') * 10 + ones - b'0'))
        }
        _ => None,
    };
    (two(hours)? <= 24 && two(&[*tens, *ones])? <= 60).then_some(())
}

fn one_or_two(rest: &[u8]) -> Option<(u32, &[u8])> {
    match rest {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            Some((u32::from((tens - b'0') * 10 + ones - b'0'), rest))
        }
        [ones @ b'0'..=b'9', rest @ ..] => Some((u32::from(ones - b'0'), rest)),
        _ => None,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
