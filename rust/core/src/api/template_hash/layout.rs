//! How Go lays out the structs of a pod template.
//!
//! Grammar of `layout.txt`, recorded by `tools/record/layout`: a line with a type's name, then
//! a line ` JSON GO FORM [TYPE]` per field in the order of the source. JSON is `-` for an
//! embedded struct. FORM is `s b i l` (string, bool, int32, int64), `q x t` (quantity,
//! int-or-string, time), `n` (never set in a template), a struct, or one of these after `*`
//! (pointer), `[]` (list), `{}` (map from text). TYPE is Go's name of the field's type where
//! the form does not say it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("layout.txt");
const ROOT: &str = "v1.PodTemplateSpec";

/// The structs; a number in a [`Form`] is a position in `types`.
pub struct Layout {
    pub types: Vec<Vec<Field>>,
    pub root: usize,
}

/// A field of a struct.
pub struct Field {
    /// Its JSON name; empty for an embedded struct.
    pub name: String,
    /// What stands before the value: `Name:(string)`.
    pub head: String,
    pub form: Form,
}

impl Field {
    /// Whether the fields of this struct stand among those of the struct it is in.
    pub fn is_embedded(&self) -> bool {
        self.name.is_empty()
    }
}

/// What a value is made of.
pub enum Form {
    Text,
    Bool,
    Int,
    Quantity,
    IntOrString,
    Time,
    Nil,
    Struct(usize),
    List(Box<Self>),
    Map(Box<Self>),
    Pointer(Box<Self>),
}

/// The layout of a pod template.
pub fn pod_template() -> &'static Layout {
    static LAYOUT: LazyLock<Layout> = LazyLock::new(|| read(TEXT));
    &LAYOUT
}

fn read(text: &str) -> Layout {
    let names = text.lines().filter(|line| !line.starts_with(' '));
    let numbers: BTreeMap<&str, usize> = names.enumerate().map(|(at, name)| (name, at)).collect();
    let mut types: Vec<Vec<Field>> = Vec::with_capacity(numbers.len());
    for line in text.lines() {
        match line.strip_prefix(' ') {
            None => types.push(Vec::new()),
            Some(line) => {
                types.last_mut().expect("a type comes first").push(field(line, &numbers));
            }
        }
    }
    Layout { types, root: numbers[ROOT] }
}

fn field(line: &str, numbers: &BTreeMap<&str, usize>) -> Field {
    let mut words = line.split(' ');
    let mut word = || words.next().expect("a field has three words");
    let (json, go_name, code) = (word(), word(), word());
    let type_name = words.next().map_or_else(|| plain(code), str::to_owned);
    Field {
        name: if json == "-" { String::new() } else { json.to_owned() },
        head: format!("{go_name}:({type_name})"),
        form: form(code, numbers),
    }
}

fn form(code: &str, numbers: &BTreeMap<&str, usize>) -> Form {
    let inner = |code: &str| Box::new(form(code, numbers));
    if let Some(target) = code.strip_prefix('*') {
        return Form::Pointer(inner(target));
    }
    if let Some(item) = code.strip_prefix("[]") {
        return Form::List(inner(item));
    }
    if let Some(item) = code.strip_prefix("{}") {
        return Form::Map(inner(item));
    }
    match code {
        "s" => Form::Text,
        "b" => Form::Bool,
        "i" | "l" => Form::Int,
        "q" => Form::Quantity,
        "x" => Form::IntOrString,
        "t" => Form::Time,
        "n" => Form::Nil,
        name => Form::Struct(numbers[name]),
    }
}

/// Go's name of a type of this form.
fn plain(code: &str) -> String {
    for (prefix, go) in [("*", "*"), ("[]", "[]"), ("{}", "map[string]")] {
        if let Some(rest) = code.strip_prefix(prefix) {
            return format!("{go}{}", plain(rest));
        }
    }
    let name = match code {
        "s" => "string",
        "b" => "bool",
        "i" => "int32",
        "l" => "int64",
        "q" => "resource.Quantity",
        "x" => "intstr.IntOrString",
        "t" => "v1.Time",
        name => name,
    };
    name.to_owned()
}
