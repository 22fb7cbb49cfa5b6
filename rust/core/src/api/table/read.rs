//! Reading the table. The text is ours and tested, so what cannot be read is a bug and panics.

use super::Builtin;
use crate::api::kinds::{Kind, Subresource, Verb, Verbs, Version};
use crate::api::names::{GroupKind, GroupResource, GroupVersion};
use crate::api::types::{
    Field, Form, List, ListKind, MapOf, Others, Schema, Shape, Type, TypeId, Written,
};
use crate::base::{FastMap, Text, Value};

/// Everything the table says.
pub fn read(text: &str) -> Builtin {
    let mut reader = Reader {
        out: Builtin { by_name: name_types(text), ..Builtin::default() },
        ..Reader::default()
    };
    for line in text.lines() {
        reader.line(line);
    }
    reader.out
}

/// Numbers every type, so that fields can refer to types further down.
fn name_types(text: &str) -> FastMap<String, TypeId> {
    let (mut by_name, mut package) = (FastMap::new(), "");
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("package ") {
            package = name;
        } else if let Some(rest) = line.strip_prefix("type ") {
            let name = rest.split(' ').next().unwrap_or_default();
            let id = TypeId::new(by_name.len());
            by_name.insert(format!("{package}.{name}"), id);
        }
    }
    by_name
}

#[derive(Default)]
struct Reader<'a> {
    out: Builtin,
    /// Group, version and whether it is served.
    version: (&'a str, &'a str, bool),
    package: &'a str,
    /// The kind the last resource line belongs to, and the version's place in it.
    place: (usize, usize),
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "#" => {}
            "version" => self.read_version(rest),
            "resource" => self.read_resource(rest),
            "object" => self.read_object(rest),
            "package" => self.package = rest,
            "type" => self.read_type(rest),
            "" if rest.starts_with("sub ") && self.package.is_empty() => {
                self.read_subresource(rest);
            }
            "" => self.read_field(rest),
            _ => panic!("the API table has no such line: {line}"),
        }
    }

    fn read_version(&mut self, rest: &'a str) {
        let mut words = rest.split(' ');
        let group = group_of(next(&mut words));
        self.version = (group, next(&mut words), words.next() != Some("off"));
        if self.out.groups.last().is_none_or(|last| last != group) {
            self.out.groups.push(group.into());
        }
    }

    fn read_resource(&mut self, rest: &'a str) {
        let mut words = rest.split(' ');
        let (group, version, served) = self.version;
        let id = GroupKind::new(group, next(&mut words));
        let (plural, singular) = (next(&mut words), next(&mut words));
        let namespaced = next(&mut words) == "namespaced";
        let verbs = verbs_of(next(&mut words));
        let schema = Schema::of_builtin(self.type_named(next(&mut words)));
        let version = Version {
            name: version.into(),
            served,
            storage: false,
            schema,
            openapi: None,
            verbs,
            subresources: Vec::new(),
            columns: Vec::new(),
            deprecation: String::new(),
        };
        let at = self.out.kinds.iter().position(|kind| kind.id == id).unwrap_or_else(|| {
            let list_kind = Text::from(format!("{}List", id.kind));
            self.out.kinds.push(Kind {
                id,
                resource: GroupResource::new(group, plural),
                singular: singular.into(),
                list_kind,
                short_names: Vec::new(),
                categories: Vec::new(),
                namespaced,
                versions: Vec::new(),
                definition: None,
            });
            self.out.kinds.len() - 1
        });
        let kind = &mut self.out.kinds[at];
        kind.versions.push(version);
        kind.versions[0].storage = true;
        self.place = (at, kind.versions.len() - 1);
        for word in words {
            match word.split_once('=') {
                Some(("short", names)) => kind.short_names = list_of(names),
                Some(("categories", names)) => kind.categories = list_of(names),
                _ => panic!("the API table has no such word: {word}"),
            }
        }
    }

    fn read_subresource(&mut self, rest: &'a str) {
        let mut words = rest.split(' ').skip(1);
        let (name, verbs) = (next(&mut words).into(), verbs_of(next(&mut words)));
        let kind = words.next().map(|group| {
            let version = GroupVersion::new(group_of(group), next(&mut words));
            (version, next(&mut words).into())
        });
        let subresource = Subresource { name, verbs, kind, scale: None };
        self.out.kinds[self.place.0].versions[self.place.1].subresources.push(subresource);
    }

    fn read_object(&mut self, rest: &'a str) {
        let mut words = rest.split(' ');
        let version = GroupVersion::new(group_of(next(&mut words)), next(&mut words));
        let kind = next(&mut words).into();
        let id = self.type_named(next(&mut words));
        self.out.objects.push((version, kind, id));
    }

    fn read_type(&mut self, rest: &'a str) {
        let mut words = rest.split(' ');
        self.out.types.push(Type {
            package: self.package.into(),
            name: next(&mut words).into(),
            fields: Vec::new(),
            atomic: words.next() == Some("atomic"),
            others: Others::Unknown,
        });
    }

    fn read_field(&mut self, rest: &'a str) {
        let mut words = rest.split(' ');
        let (name, flags) = (next(&mut words), next(&mut words));
        let mut field = Field {
            name: name.into(),
            shape: self.shape(next(&mut words)),
            written: match flags {
                _ if flags.contains('w') => Written::Always,
                _ if flags.contains('z') => Written::NotZero,
                _ => Written::NotEmpty,
            },
            required: flags.contains('r'),
            atomic: flags.contains('a'),
            embedded: Text::default(),
            patch: None,
            default: None,
        };
        for word in words {
            apply_word(&mut field, word);
        }
        self.out.types.last_mut().expect("a type line comes first").fields.push(field);
    }

    fn shape(&self, text: &str) -> Shape {
        let (pointer, text) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (go_name, text) = match text.strip_prefix('<') {
            Some(rest) => rest.split_once('>').expect("a Go name ends with >"),
            None => ("", text),
        };
        Shape { form: self.form(text), pointer, go_name: go_name.into() }
    }

    fn form(&self, text: &str) -> Form {
        if let Some(item) = text.strip_prefix("[]") {
            return Form::List(Box::new(List { item: self.shape(item), kind: ListKind::Atomic }));
        }
        if let Some(rest) = text.strip_prefix('{') {
            let (key, value) = rest.split_once('}').expect("a map key ends with }");
            return Form::Map(Box::new(MapOf { key: key.into(), value: self.shape(value) }));
        }
        match text {
            "s" => Form::Str,
            "b" => Form::Bool,
            "i" => Form::Int32,
            "l" => Form::Int64,
            "d" => Form::Float,
            "y" => Form::Bytes,
            "q" => Form::Quantity,
            "x" => Form::IntOrString,
            "t" => Form::Time,
            "u" => Form::MicroTime,
            "r" => Form::Raw,
            "j" => Form::Json,
            name => Form::Struct(self.type_named(name)),
        }
    }

    fn type_named(&self, name: &str) -> TypeId {
        let found = if name.contains('/') {
            self.out.by_name.get(name)
        } else {
            self.out.by_name.get(format!("{}.{name}", self.package).as_str())
        };
        *found.unwrap_or_else(|| panic!("the API table refers to no type {name}"))
    }
}

fn apply_word(field: &mut Field, word: &str) {
    let (key, text) = word.split_once('=').unwrap_or((word, ""));
    match key {
        "in" => field.embedded = text.into(),
        "set" => set_list_kind(field, ListKind::Set),
        "map" => set_list_kind(field, ListKind::Map(list_of(text))),
        "patch" => {
            let patch = field.patch.get_or_insert_default();
            for strategy in text.split(',') {
                match strategy {
                    "merge" => patch.merge = true,
                    "replace" => patch.replace = true,
                    "retainKeys" => patch.retain_keys = true,
                    _ => panic!("the API table has no such strategy: {strategy}"),
                }
            }
        }
        "key" => field.patch.get_or_insert_default().merge_key = text.into(),
        "default" => field.default = Some(Value::from_json(text).expect("defaults are JSON")),
        _ => panic!("the API table has no such word: {word}"),
    }
}

fn set_list_kind(field: &mut Field, kind: ListKind) {
    let Form::List(list) = &mut field.shape.form else { panic!("{} is no list", field.name) };
    list.kind = kind;
}

fn next<'a>(words: &mut impl Iterator<Item = &'a str>) -> &'a str {
    words.next().expect("a line of the API table is complete")
}

fn group_of(word: &str) -> &str {
    if word == "-" { "" } else { word }
}

fn list_of(text: &str) -> Vec<Text> {
    text.split(',').map(Text::from).collect()
}

fn verbs_of(letters: &str) -> Verbs {
    let verb = |letter| match letter {
        'c' => Verb::Create,
        'd' => Verb::Delete,
        'D' => Verb::DeleteCollection,
        'g' => Verb::Get,
        'l' => Verb::List,
        'p' => Verb::Patch,
        'u' => Verb::Update,
        'w' => Verb::Watch,
        _ => panic!("the API table has no verb {letter}"),
    };
    letters.chars().filter(|letter| *letter != '-').map(verb).collect()
}
