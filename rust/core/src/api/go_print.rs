//! Values as Go's `%v` prints them, for messages that quote a whole map.

use std::fmt::Write;

use crate::base::Value;

/// A decoded JSON value as `fmt.Sprint` prints it: `map[a:1 b:[x y]]`, strings bare.
pub fn go_print(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.push_str(&go_plain_float(*number)),
        Value::Str(text) => out.push_str(text),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (at, (key, item)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                write_value(out, item);
            }
            out.push(']');
        }
    }
}

/// A float as Go's `%v` prints it: shortest digits, and from a million on or below a ten
/// thousandth an exponent of two digits at least.
pub fn go_plain_float(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The name of the Go type a decoded JSON value has.
pub fn go_type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::go_print;
    use crate::base::Value;

    #[test]
    fn prints_what_go_prints() {
        for (json, text) in [
            (r#"{"b":[1,"x y",true,null],"a":{}}"#, "map[a:map[] b:[1 x y true <nil>]]"),
            ("[1.5,1e-7,1e30,-0.25,100000000.0]", "[1.5 1e-07 1e+30 -0.25 1e+08]"),
            (
                "[2100000.0,123456.5,1e20,0.0001,0.00001,0.0]",
                "[2.1e+06 123456.5 1e+20 0.0001 1e-05 0]",
            ),
        ] {
            assert_eq!(go_print(&Value::from_json(json).unwrap()), text);
        }
    }
}
