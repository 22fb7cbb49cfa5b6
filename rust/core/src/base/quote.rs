//! Strings in double quotes the way Go's `%q` prints them. Every Kubernetes message that
//! quotes a name or a value uses it, so messages can only be equal if this is.

use std::fmt::Write;

/// `text` as Go's `strconv.Quote` writes it.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_go_quote(&mut out, text);
    out
}

/// Appends `text` as Go's `strconv.Quote` writes it.
pub fn write_go_quote(out: &mut String, text: &str) {
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            ' '..='~' => out.push(symbol),
            _ => write_wide(out, symbol),
        }
    }
    out.push('"');
}

fn write_wide(out: &mut String, symbol: char) {
    let code = symbol as u32;
    let _ = match symbol {
        _ if is_print(symbol) => out.write_char(symbol),
        _ if code < 0x80 => write!(out, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_print(symbol: char) -> bool {
    // The standard library keeps its own table private, but escapes exactly what is not in it.
    // A combining mark is escaped only at the start of a string, hence the letter before it.
    let mut buffer = [b'a', 0, 0, 0, 0];
    let end = 1 + symbol.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..end]).expect("just encoded");
    text.escape_debug().nth(1) == Some(symbol)
}

#[cfg(test)]
mod tests {
    use super::go_quote;

    #[test]
    fn prints_what_go_prints() {
        for (text, quoted) in [
            ("", r#""""#),
            ("web-0", r#""web-0""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\u{7}\u{8}\u{c}\n\r\t\u{b}", r#""\a\b\f\n\r\t\v""#),
            ("\u{0}\u{1f}\u{7f}", r#""\x00\x1f\x7f""#),
            ("é漢😀", r#""é漢😀""#),
            ("\u{a0}\u{ad}\u{200b}\u{e000}", r#""\u00a0\u00ad\u200b\ue000""#),
            ("\u{301}a\u{301}", "\"\u{301}a\u{301}\""),
            ("\u{10ffff}", r#""\U0010ffff""#),
            ("'", r#""'""#),
        ] {
            assert_eq!(go_quote(text), quoted);
        }
    }
}
