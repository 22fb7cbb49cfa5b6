//! Kubernetes' internal Go types, as far as they show.
//!
//! Some messages print a whole struct, and the API server prints its internal one: every field
//! under its Go name, absent ones as `null`, `""` or `0`. And some rules compare two structs,
//! where Go's types decide whether absent and empty are equal. `go_types.txt` holds the facts:
//! a line per type, then one per field with the printed name, the type and the name in our
//! documents (`=` when equal; `^` when it stands in the parent; `?` when left out if zero).

use std::sync::OnceLock;

use crate::base::value::to_go_json;
use crate::base::{FastMap, Map, Quantity, Text, Value};

/// A type of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShapeId(u32);

struct Struct {
    fields: Vec<Field>,
}

struct Field {
    printed: Text,
    /// Where our document has it, from here or from the parent.
    path: Vec<Text>,
    in_parent: bool,
    kind: Kind,
    omit_zero: bool,
}

enum Kind {
    Text,
    Int,
    Bool,
    Quantity,
    Time,
    IntOrText,
    Any,
    Struct(ShapeId),
    Pointer(Box<Kind>),
    List(Box<Kind>),
    Map(Box<Kind>),
}

struct Table {
    by_name: FastMap<&'static str, ShapeId>,
    structs: Vec<Struct>,
}

/// A map of texts: keys with empty values count.
const TEXTS: ShapeId = ShapeId(u32::MAX);

/// The type of this name; `map` is a map of texts.
pub(super) fn by_name(name: &str) -> Option<ShapeId> {
    if name == "map" {
        return Some(TEXTS);
    }
    table().by_name.get(name).copied()
}

/// The value as the internal type has it: what Go's JSON encoder would be given.
pub(super) fn internal(value: &Value, shape: ShapeId) -> Ordered {
    table().convert_struct(shape, value, &Value::Null)
}

/// Whether two values are equal as Go's semantic equality has it. Without a type, absent equals
/// empty everywhere, and quantities compare as texts.
pub(super) fn equal(a: &Value, b: &Value, shape: Option<ShapeId>) -> bool {
    if same_document(a, b) {
        return true;
    }
    match shape {
        Some(TEXTS) => a.is_empty() && b.is_empty(),
        Some(shape) => table().equal_struct(shape, a, b, (&Value::Null, &Value::Null)),
        None => equal_untyped(a, b),
    }
}

/// A cheap test that is right when it says yes.
fn same_document(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => std::sync::Arc::ptr_eq(a, b) || a == b,
        (a, b) => a == b,
    }
}

fn equal_untyped(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(x), Value::Map(y)) => {
            let covers = |x: &Value, y: &Value| {
                x.as_map().is_some_and(|map| {
                    map.iter()
                        .all(|(key, item)| equal_untyped(item, y.get(key).unwrap_or(&Value::Null)))
                })
            };
            x == y || (covers(a, b) && covers(b, a))
        }
        (Value::List(x), Value::List(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| equal_untyped(x, y))
        }
        (a, b) => a == b || (a.is_empty() && b.is_empty()),
    }
}

/// A JSON value whose maps keep the order of a Go struct.
pub(super) enum Ordered {
    /// A leaf, or a document that needs no order but its own.
    Plain(Value),
    /// A list.
    List(Vec<Self>),
    /// A struct or a map.
    Map(Vec<(Text, Self)>),
}

impl Ordered {
    /// Compact JSON, as Go's `json.Marshal` writes it.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// JSON with one blank per level, as Go's `json.MarshalIndent(x, "", " ")` writes it.
    pub fn to_indented_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        match self {
            Self::Plain(Value::List(items)) if !items.is_empty() => {
                write_all(out, indent, ('[', ']'), items.iter(), |out, indent, item| {
                    Self::Plain(item.clone()).write(out, indent);
                });
            }
            Self::Plain(Value::Map(map)) if !map.is_empty() => {
                write_all(out, indent, ('{', '}'), map.iter(), |out, indent, (key, item)| {
                    write_key(out, key, indent);
                    Self::Plain(item.clone()).write(out, indent);
                });
            }
            Self::Plain(value) => out.push_str(&to_go_json(value)),
            Self::List(items) => {
                write_all(out, indent, ('[', ']'), items.iter(), |out, indent, item| {
                    item.write(out, indent);
                });
            }
            Self::Map(fields) => {
                write_all(out, indent, ('{', '}'), fields.iter(), |out, indent, (key, item)| {
                    write_key(out, key, indent);
                    item.write(out, indent);
                });
            }
        }
    }
}

fn write_all<T>(
    out: &mut String,
    indent: Option<usize>,
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = T>,
    one: impl Fn(&mut String, Option<usize>, T),
) {
    out.push(open);
    let empty = items.len() == 0;
    let inner = indent.map(|level| level + 1);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(',');
        }
        new_line(out, inner);
        one(out, inner, item);
    }
    if !empty {
        new_line(out, indent);
    }
    out.push(close);
}

fn new_line(out: &mut String, indent: Option<usize>) {
    if let Some(level) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', level));
    }
}

fn write_key(out: &mut String, key: &str, indent: Option<usize>) {
    out.push_str(&to_go_json(&Value::from(key)));
    out.push_str(if indent.is_some() { ": " } else { ":" });
}

impl Table {
    fn get(&self, shape: ShapeId) -> &Struct {
        &self.structs[shape.0 as usize]
    }

    fn convert_struct(&self, shape: ShapeId, value: &Value, parent: &Value) -> Ordered {
        let mut fields = Vec::new();
        for field in &self.get(shape).fields {
            let found = field.find(value, parent);
            if !(field.omit_zero && field.kind.is_zero(found)) {
                fields.push((field.printed.clone(), self.convert(&field.kind, found, value)));
            }
        }
        Ordered::Map(fields)
    }

    fn convert(&self, kind: &Kind, value: &Value, parent: &Value) -> Ordered {
        match kind {
            Kind::Pointer(_) | Kind::List(_) | Kind::Map(_) if value.is_null() => {
                Ordered::Plain(Value::Null)
            }
            Kind::Pointer(inner) => self.convert(inner, value, parent),
            Kind::List(inner) => {
                let items = value.as_list().unwrap_or_default().iter();
                Ordered::List(items.map(|item| self.convert(inner, item, parent)).collect())
            }
            Kind::Map(inner) => {
                let entries = value.as_map().into_iter().flat_map(Map::iter);
                let convert = |(key, item): (&str, &Value)| {
                    (Text::from(key), self.convert(inner, item, parent))
                };
                Ordered::Map(entries.map(convert).collect())
            }
            Kind::Struct(shape) => self.convert_struct(*shape, value, parent),
            plain => Ordered::Plain(plain.plain(value)),
        }
    }

    fn equal_struct(
        &self,
        shape: ShapeId,
        a: &Value,
        b: &Value,
        (in_a, in_b): (&Value, &Value),
    ) -> bool {
        self.get(shape)
            .fields
            .iter()
            .all(|field| self.equal(&field.kind, field.find(a, in_a), field.find(b, in_b), (a, b)))
    }

    fn equal(&self, kind: &Kind, a: &Value, b: &Value, parents: (&Value, &Value)) -> bool {
        match kind {
            Kind::Pointer(inner) => {
                a.is_null() == b.is_null() && (a.is_null() || self.equal(inner, a, b, parents))
            }
            Kind::List(inner) => {
                let (a, b) = (a.as_list().unwrap_or_default(), b.as_list().unwrap_or_default());
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.equal(inner, a, b, parents))
            }
            Kind::Map(inner) => {
                let (Some(x), Some(y)) = (a.as_map(), b.as_map()) else {
                    return a.is_empty() && b.is_empty();
                };
                let same = |(key, item): (&str, &Value)| {
                    y.get(key).is_some_and(|other| self.equal(inner, item, other, parents))
                };
                x.len() == y.len() && x.iter().all(same)
            }
            Kind::Struct(shape) => self.equal_struct(*shape, a, b, parents),
            plain => a == b || plain.plain(a) == plain.plain(b),
        }
    }
}

impl Field {
    fn find<'v>(&self, value: &'v Value, parent: &'v Value) -> &'v Value {
        super::reference::at(if self.in_parent { parent } else { value }, &self.path)
    }
}

impl Kind {
    /// A leaf as Go prints it: canonical, and zero when absent.
    fn plain(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Text, Value::Null) => Value::from(""),
            (Self::Int | Self::IntOrText, Value::Null) => Value::Int(0),
            (Self::Bool, Value::Null) => Value::Bool(false),
            (Self::Quantity, value) => {
                let quantity = Quantity::from_value(value).unwrap_or(Quantity::ZERO);
                Value::from(quantity.to_string())
            }
            (_, value) => value.clone(),
        }
    }

    fn is_zero(&self, value: &Value) -> bool {
        match self {
            Self::Pointer(_) => value.is_null(),
            Self::Struct(_) => false,
            _ => super::reference::is_zero(value),
        }
    }
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| parse(include_str!("go_types.txt")))
}

fn parse(text: &'static str) -> Table {
    let mut by_name = FastMap::new();
    let names = text.lines().filter(|line| !line.starts_with(' '));
    for (number, name) in names.enumerate() {
        by_name.insert(name, ShapeId(number as u32));
    }
    let mut structs: Vec<Struct> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix(' ') {
            None => structs.push(Struct { fields: Vec::new() }),
            Some(line) => {
                let field = parse_field(line, &by_name).expect("go_types.txt is well formed");
                structs.last_mut().expect("fields follow a type").fields.push(field);
            }
        }
    }
    Table { by_name, structs }
}

fn parse_field(line: &str, by_name: &FastMap<&'static str, ShapeId>) -> Option<Field> {
    let mut words = line.split(' ');
    let (printed, kind, place) = (words.next()?, words.next()?, words.next()?);
    let omit_zero = place.ends_with('?');
    let place = place.trim_end_matches('?');
    let in_parent = place.starts_with('^');
    let place = place.trim_start_matches('^');
    let place = if place == "=" { printed } else { place };
    Some(Field {
        printed: printed.into(),
        path: place.split('/').map(Text::from).collect(),
        in_parent,
        kind: parse_kind(kind, by_name)?,
        omit_zero,
    })
}

fn parse_kind(text: &str, by_name: &FastMap<&'static str, ShapeId>) -> Option<Kind> {
    let inner = |rest: &str| parse_kind(rest, by_name).map(Box::new);
    Some(match text.split_at(1) {
        ("*", rest) => Kind::Pointer(inner(rest)?),
        ("[", rest) => Kind::List(inner(rest)?),
        ("{", rest) => Kind::Map(inner(rest)?),
        ("s", "") => Kind::Text,
        ("i", "") => Kind::Int,
        ("b", "") => Kind::Bool,
        ("q", "") => Kind::Quantity,
        ("t", "") => Kind::Time,
        ("x", "") => Kind::IntOrText,
        ("j", "") => Kind::Any,
        _ => Kind::Struct(*by_name.get(text)?),
    })
}
