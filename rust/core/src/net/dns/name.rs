//! Domain names as they travel: a length and a label, again and again, and a zero.

use std::fmt::Write as _;
use std::sync::Arc;

/// A whole name as it travels, in whatever case it was written.
pub type Wire = Arc<[u8]>;

/// The longest name, as it travels.
pub const MAX_WIRE: usize = 255;
/// The longest name, as people write it, without the dot at its end.
const MAX_TEXT: usize = 253;
const MAX_LABEL: usize = 63;

/// A name from text; a missing dot at the end is added. `\.` and `\123` are read as master files
/// have them.
///
/// # Errors
/// One sentence about what is wrong with the name.
pub fn parse(text: &str) -> Result<Wire, String> {
    let fault = |what: &str| Err(format!("DNS name {}: {what}", shown(text)));
    if text.is_empty() {
        return fault("must not be empty");
    }
    let mut wire = Vec::with_capacity(text.len() + 2);
    let mut label: Vec<u8> = Vec::new();
    let rest = text.strip_suffix('.').filter(|rest| !rest.ends_with('\\')).unwrap_or(text);
    if rest.is_empty() {
        return Ok(Arc::from([0].as_slice()));
    }
    let mut bytes = rest.bytes().peekable();
    loop {
        let byte = bytes.next();
        match byte {
            None | Some(b'.') => {
                if label.is_empty() {
                    return fault("must not have empty labels");
                }
                if label.len() > MAX_LABEL {
                    let label = String::from_utf8_lossy(&label);
                    return fault(&format!(
                        "label {}: must be no more than 63 characters",
                        shown(&label)
                    ));
                }
                wire.push(label.len() as u8);
                wire.append(&mut label);
                if byte.is_none() {
                    break;
                }
            }
            Some(b'\\') => match escaped(&mut bytes) {
                Some(byte) => label.push(byte),
                None => return fault("a backslash is followed by a character or three digits"),
            },
            Some(byte) if byte <= b' ' || byte == 0x7f => {
                return fault("must not have spaces or control characters");
            }
            Some(byte) => label.push(byte),
        }
    }
    wire.push(0);
    if wire.len() > MAX_TEXT + 2 {
        return fault("must be no more than 253 characters");
    }
    Ok(wire.into())
}

fn escaped(bytes: &mut std::iter::Peekable<std::str::Bytes>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let (second, third) = (bytes.next()?, bytes.next()?);
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    u8::try_from(digit(first)? * 100 + digit(second)? * 10 + digit(third)?).ok()
}

/// A name in quotes; the middle of a very long one is left out.
fn shown(text: &str) -> String {
    let count = text.chars().count();
    if count <= 80 {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(40).collect();
    let tail: String = text.chars().skip(count - 20).collect();
    format!("\"{head}...{tail}\" ({count} characters)")
}

/// The labels of a name, left to right, without the root.
pub fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let len = usize::from(*wire.get(at)?);
        if len == 0 {
            return None;
        }
        let label = wire.get(at + 1..at + 1 + len)?;
        at += 1 + len;
        Some(label)
    })
}

/// A name as text, with the dot at its end.
pub fn text(wire: &[u8]) -> String {
    let mut text = String::with_capacity(wire.len());
    for label in labels(wire) {
        for &byte in label {
            match byte {
                b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                    text.push('\\');
                    text.push(char::from(byte));
                }
                0x21..=0x7e => text.push(char::from(byte)),
                _ => drop(write!(text, "\\{byte:03}")),
            }
        }
        text.push('.');
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

/// The name in small letters. Lengths are below the letters, so bytes may be mapped as they are.
pub fn lower(wire: &[u8]) -> Wire {
    wire.to_ascii_lowercase().into()
}

/// Where in `name` the zone begins, if it is the zone or below it.
pub fn within(name: &[u8], zone: &[u8]) -> Option<usize> {
    let at = name.len().checked_sub(zone.len())?;
    if !name[at..].eq_ignore_ascii_case(zone) {
        return None;
    }
    let mut label = 0;
    while label < at {
        label += 1 + usize::from(name[label]);
    }
    (label == at).then_some(at)
}

/// The name without its first label; the root has none.
pub fn parent(wire: &[u8]) -> Option<&[u8]> {
    let len = usize::from(*wire.first()?);
    if len == 0 { None } else { wire.get(1 + len..) }
}

/// A name of some labels in front of another.
pub fn join(front: &[&[u8]], rest: &[u8]) -> Wire {
    let mut wire =
        Vec::with_capacity(front.iter().map(|one| one.len() + 1).sum::<usize>() + rest.len());
    for label in front {
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
    }
    wire.extend_from_slice(rest);
    wire.into()
}

#[cfg(test)]
mod tests {
    use super::{join, lower, parent, parse, text, within};

    #[test]
    fn names_are_read_and_written() {
        for (given, seen) in [
            ("web.shop", "web.shop."),
            ("Web.Shop.", "Web.Shop."),
            (".", "."),
            (r"a\.b.c", r"a\.b.c."),
            (r"a\032b", r"a\032b."),
            ("_http._tcp.x", "_http._tcp.x."),
        ] {
            assert_eq!(text(&parse(given).unwrap()), seen);
        }
        assert_eq!(text(&lower(&parse("A.B").unwrap())), "a.b.");
        assert_eq!(text(&join(&[b"x", b"y"], &parse("z").unwrap())), "x.y.z.");
        assert_eq!(parent(&parse(".").unwrap()), None);
    }

    #[test]
    fn what_is_no_name_is_told_in_a_sentence() {
        let long = "a.".repeat(127) + "b";
        for (given, told) in [
            ("", "DNS name \"\": must not be empty"),
            ("a..b", "DNS name \"a..b\": must not have empty labels"),
            (".a", "DNS name \".a\": must not have empty labels"),
            ("a b", "DNS name \"a b\": must not have spaces or control characters"),
            (&long, "must be no more than 253 characters"),
            (&"x".repeat(64), "must be no more than 63 characters"),
        ] {
            let error = parse(given).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert!(parse(&("a.".repeat(126) + "b")).is_ok(), "253 characters are a name");
    }

    #[test]
    fn a_name_is_within_a_zone_at_a_label_only() {
        let zone = parse("cluster.local").unwrap();
        assert_eq!(within(&parse("a.Cluster.LOCAL").unwrap(), &zone), Some(2));
        assert_eq!(within(&parse("xcluster.local").unwrap(), &zone), None);
        assert_eq!(within(&zone, &zone), Some(0));
        assert_eq!(within(&parse("local").unwrap(), &zone), None);
    }
}
