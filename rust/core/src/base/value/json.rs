//! Documents as JSON text, printed the way Go's `encoding/json` prints them.

use std::fmt::Write;

use super::Value;

impl Value {
    /// Reads one JSON document. The last of equal keys wins.
    ///
    /// # Errors
    /// serde_json's sentence, with line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Compact JSON, keys sorted, no HTML escapes.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_json(self, &mut out, false);
        out
    }
}

/// Compact JSON as Go's `json.Marshal` writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped.
/// kubectl keeps this form in the last-applied annotation.
pub fn to_go_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out, true);
    out
}

fn write_json(value: &Value, out: &mut String, html: bool) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.push_str(&go_float(*number)),
        Value::Str(text) => write_text(text, out, html),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(item, out, html);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out, html);
                out.push(':');
                write_json(item, out, html);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String, html: bool) {
    out.push('"');
    let mut plain_from = 0;
    for (at, symbol) in text.char_indices() {
        let escape = match symbol {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '<' if html => "\\u003c",
            '>' if html => "\\u003e",
            '&' if html => "\\u0026",
            '\u{2028}' if html => "\\u2028",
            '\u{2029}' if html => "\\u2029",
            control if control < ' ' => {
                out.push_str(&text[plain_from..at]);
                let _ = write!(out, "\\u{:04x}", control as u32);
                plain_from = at + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        out.push_str(escape);
        plain_from = at + symbol.len_utf8();
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// A float as Go's JSON encoder prints it: shortest digits, exponent below 1e-6 and from 1e21.
pub fn go_float(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, go_float, to_go_json};

    #[test]
    fn prints_what_go_prints() {
        let value = Value::from_json(r#"{"b":"<a&b>\u2028\u0001\n","a":[1,-2.5,1e30,null,true]}"#);
        let value = value.unwrap();
        assert_eq!(
            value.to_json(),
            "{\"a\":[1,-2.5,1e+30,null,true],\"b\":\"<a&b>\u{2028}\\u0001\\n\"}"
        );
        assert_eq!(
            to_go_json(&value),
            r#"{"a":[1,-2.5,1e+30,null,true],"b":"\u003ca\u0026b\u003e\u2028\u0001\n"}"#
        );
    }

    #[test]
    fn floats_follow_go_thresholds() {
        for (number, text) in [
            (0.1, "0.1"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
        ] {
            assert_eq!(go_float(number), text);
        }
    }

    #[test]
    fn integers_stay_exact_and_large_ones_become_floats() {
        let value = Value::from_json("[9223372036854775807, 9223372036854775808, 1.0]").unwrap();
        let items = value.as_list().unwrap();
        assert_eq!(items[0], Value::Int(i64::MAX));
        assert_eq!(items[1], Value::Float(9_223_372_036_854_775_808.0));
        assert_eq!(items[2], Value::Float(1.0));
    }
}
