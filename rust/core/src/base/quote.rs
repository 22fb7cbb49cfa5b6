//! Strings in double quotes, as Go's `%q` prints them in error messages.

use std::fmt::Write;

/// `text` in double quotes, with Go's escapes for what is not printable.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            symbol if is_printable(symbol) => out.push(symbol),
            symbol => push_escape(symbol as u32, &mut out),
        }
    }
    out.push('"');
    out
}

fn push_escape(code: u32, out: &mut String) {
    let _ = match code {
        ..0x80 => write!(out, "\\x{code:02x}"),
        0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Rust's notion of a printable character, which is Go's but for combining marks, which both
/// print as they are, and for the replacement character, which we never see for bad UTF-8.
fn is_printable(symbol: char) -> bool {
    match symbol {
        ' '..='~' => true,
        ..'\u{a0}' => false,
        // A letter before it keeps a combining mark from being escaped on its own.
        symbol => !String::from_iter(['a', symbol]).escape_debug().any(|c| c == '\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::go_quote;

    #[test]
    fn quotes_what_go_quotes() {
        // Recorded from fmt.Sprintf("%q", ...) of Go 1.26.
        for (text, quoted) in [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("it's \"here\" \\", r#""it's \"here\" \\""#),
            ("\0\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{7f}", r#""\x00\a\b\t\n\v\f\r\x1b\x7f""#),
            ("é ü 世界 🚀", "\"é ü 世界 🚀\""),
            ("\u{a0}\u{ad}\u{85}", r#""\u00a0\u00ad\u0085""#),
            ("e\u{301}\u{200b}\u{2028}\u{feff}", "\"e\u{301}\\u200b\\u2028\\ufeff\""),
            ("\u{e000}\u{10ffff}\u{fffd}", "\"\\ue000\\U0010ffff\u{fffd}\""),
            ("\u{301}", "\"\u{301}\""),
        ] {
            assert_eq!(go_quote(text), quoted, "{text:?}");
        }
    }
}
