//! String formats a schema can ask for. Formats we do not know pass, as unknown ones do in
//! Kubernetes.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::api::decode::check_base64;

/// Whether `text` is of this format.
pub fn is_format(format: &str, text: &str) -> bool {
    match format.replace('-', "").as_str() {
        "date" => is_date(text),
        "datetime" => is_date_time(text),
        "duration" => crate::base::Nanos::parse(text).is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_block(text),
        "mac" => is_mac(text),
        "byte" => check_base64(text).is_ok(),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')),
        "uuid5" => is_uuid(text, Some('5')),
        _ => true,
    }
}

fn is_date(text: &str) -> bool {
    let shape = text.len() == 10 && text.is_ascii();
    shape && text.parse::<jiff::civil::Date>().is_ok()
}

/// The shape Kubernetes looks for: it does not mind any hour below 24 of any zone.
fn is_date_time(text: &str) -> bool {
    let text = text.to_lowercase();
    let Some((date, time)) = text.split_once('t') else { return false };
    let zone_at = time.find(['z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let (clock, fraction) = clock.split_at_checked(8).unwrap_or((clock, ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let below = |part: &str, limit: u8| {
        part.len() == 2 && part.parse::<u8>().is_ok_and(|number| number <= limit)
    };
    let clock = matches!(parts[..], [h, m, s] if below(h, 23) && below(m, 59) && below(s, 59));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = fraction.is_empty() || fraction.get(1..).is_some_and(digits);
    let offset = |text: &str| {
        text.len() == 6 && digits(&text[1..3]) && &text[3..4] == ":" && digits(&text[4..])
    };
    is_date(date) && clock && fraction && (zone == "z" || offset(zone))
}

fn is_block(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = if address.parse::<Ipv4Addr>().is_ok() {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return false;
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn is_mac(text: &str) -> bool {
    let separator = if text.contains('-') { '-' } else { ':' };
    let parts: Vec<&str> = text.split(separator).collect();
    let byte = |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(byte)
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let digits: String = text.chars().filter(|symbol| *symbol != '-').collect();
    let shape = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    shape && version.is_none_or(|version| digits.chars().nth(12) == Some(version))
}
