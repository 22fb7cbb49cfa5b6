//! Values to YAML text, byte for byte what `kubectl get -o yaml` prints.
//!
//! Block style throughout, keys in natural order, lists at the column of their key, lines
//! broken at spaces behind column 80. Differs where kubectl fails: strings with control
//! characters, which it cannot print at all, and NEL, which it turns into a space, are escaped
//! here. Like kubectl's, this text does not read back to the same value in two cases: a key
//! `<<`, which is not quoted, and the separators LS and PS in front of other text.

mod order;
mod scalar;
mod style;

use self::order::natural_order;
use self::style::is_simple_key;
use super::number::general_float;
use crate::base::Value;
use crate::base::value::go_float;

const INDENT: usize = 2;
/// A line may be broken at a space behind this column.
const WIDTH: usize = 80;

/// One document as `kubectl get -o yaml` prints it, with a line break at the end.
pub fn to_yaml(value: &Value) -> String {
    let mut emitter =
        Emitter { out: String::new(), column: 0, indent: None, spaced: true, fresh: true };
    emitter.node(value, false);
    emitter.start_line();
    emitter.out
}

/// The printed text and the state of its last line.
struct Emitter {
    out: String,
    /// Characters on the line.
    column: usize,
    /// Indentation of the innermost collection; none at the root.
    indent: Option<usize>,
    /// Whether the last character separates what comes next.
    spaced: bool,
    /// Whether only indentation and indicators such as `- ` stand on the line.
    fresh: bool,
}

impl Emitter {
    /// Prints a value. In a map a list needs no indentation of its own.
    fn node(&mut self, value: &Value, in_map: bool) {
        match value {
            Value::Null => self.word("null"),
            Value::Bool(flag) => self.word(if *flag { "true" } else { "false" }),
            Value::Int(number) => self.word(&number.to_string()),
            Value::Float(number) => self.word(&float(*number)),
            Value::Str(text) => self.string(text, false),
            Value::List(items) if items.is_empty() => self.indicator("[]", false),
            Value::Map(map) if map.is_empty() => self.indicator("{}", false),
            Value::List(items) => {
                let outer = self.indent;
                if !in_map || self.fresh {
                    self.indent = Some(outer.map_or(0, |indent| indent + INDENT));
                }
                for item in items.iter() {
                    self.start_line();
                    self.indicator("-", true);
                    self.node(item, false);
                }
                self.indent = outer;
            }
            Value::Map(map) => {
                let outer = self.indent;
                self.indent = Some(outer.map_or(0, |indent| indent + INDENT));
                for (key, value) in natural_order(map) {
                    self.start_line();
                    self.key(key);
                    self.node(value, true);
                }
                self.indent = outer;
            }
        }
    }

    /// Prints a key and its colon; a long or broken key takes the form `? key` and `: value`.
    fn key(&mut self, key: &str) {
        if is_simple_key(key) {
            self.string(key, true);
            self.put(":");
            (self.spaced, self.fresh) = (false, false);
        } else {
            self.indicator("?", true);
            self.string(key, false);
            self.start_line();
            self.indicator(":", true);
        }
    }

    /// Begins a line at the current indentation, unless this one has not gone beyond it.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.fresh || self.column > indent || self.column == indent && !self.spaced {
            self.line_feed();
        }
        self.out.extend(std::iter::repeat_n(' ', indent.saturating_sub(self.column)));
        self.column = self.column.max(indent);
        (self.spaced, self.fresh) = (true, true);
    }

    /// Prints an indicator. After one that may stand in front of a collection the line still
    /// counts as fresh.
    fn indicator(&mut self, indicator: &str, keeps_fresh: bool) {
        self.separate();
        self.put(indicator);
        self.spaced = false;
        self.fresh &= keeps_fresh;
    }

    /// Prints a scalar that needs no quotes and no line breaks.
    fn word(&mut self, word: &str) {
        self.separate();
        self.put(word);
        (self.spaced, self.fresh) = (false, false);
    }

    fn separate(&mut self) {
        if !self.spaced {
            self.put(" ");
        }
    }

    fn line_feed(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Prints ASCII.
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }
}

/// A float on its way through JSON and back: whole numbers up to 64 bits print as integers.
fn float(number: f64) -> String {
    let json = go_float(number);
    if json.parse::<i64>().is_ok_and(|whole| whole == 0) {
        return "0".into();
    }
    if json.parse::<i64>().is_ok() || json.parse::<u64>().is_ok() {
        return json;
    }
    general_float(number)
}
