//! From plain data to a program: every name is looked up here, once, and every mistake in a
//! declaration is found here, with the place it stands at.

mod checks;
mod conditions;
mod steps;

use super::ops::{Check, Checks, Step, Steps};
use super::reference::{ANCHORS, Base, Ref};
use super::seen::SETS;
use super::shapes::{self, ShapeId};
use crate::base::value::to_go_json;
use crate::base::{FastMap, Text, Value};

/// What compiling gives, or a sentence about what is wrong with a declaration.
pub(super) type Compiled<T> = Result<T, String>;

/// The anchors that checks written in Rust look at; every program has them under these numbers.
const KNOWN_ANCHORS: [&str; 6] = ["pod", "podmeta", "volume", "variable", "job", "autoscaler"];
/// The specification of a pod.
pub(super) const POD: u8 = 0;
/// The metadata of a pod.
pub(super) const POD_METADATA: u8 = 1;
/// A volume of a pod.
pub(super) const VOLUME: u8 = 2;
/// An environment variable.
pub(super) const VARIABLE: u8 = 3;
/// The specification of a job.
pub(super) const JOB: u8 = 4;
/// The specification of an autoscaler.
pub(super) const AUTOSCALER: u8 = 5;

/// The names a program uses, numbered.
pub(super) struct Names {
    checks: FastMap<Text, u32>,
    steps: FastMap<Text, u32>,
    sets: Vec<Text>,
    anchors: Vec<Text>,
}

/// The checks and steps that a program declares under a name.
#[derive(Default)]
pub(super) struct Shared {
    pub checks: Vec<Checks>,
    pub steps: Vec<Steps>,
    by_name: FastMap<Text, u32>,
}

impl Shared {
    /// The checks declared under this name.
    pub fn checks_named(&self, name: &str) -> Option<&[Check]> {
        self.by_name.get(name).map(|number| &*self.checks[*number as usize])
    }
}

impl Names {
    /// No names but those Rust knows.
    pub fn new() -> Self {
        Self {
            checks: FastMap::default(),
            steps: FastMap::default(),
            sets: Vec::new(),
            anchors: KNOWN_ANCHORS.map(Text::from).into(),
        }
    }

    /// Compiles the named lists of a program, which may use each other.
    pub fn shared(&mut self, program: &Value) -> Compiled<Shared> {
        let mut shared = Shared::default();
        let empty = Value::map::<Text>([]);
        let checks = program.get("checks").unwrap_or(&empty);
        let steps = program.get("steps").unwrap_or(&empty);
        for (number, (name, _)) in entries(checks)?.enumerate() {
            self.checks.insert(name.into(), number as u32);
            shared.by_name.insert(name.into(), number as u32);
        }
        for (number, (name, _)) in entries(steps)?.enumerate() {
            self.steps.insert(name.into(), number as u32);
        }
        for (name, list) in entries(checks)? {
            shared.checks.push(self.checks(list).map_err(|error| format!("{name}: {error}"))?);
        }
        for (name, list) in entries(steps)? {
            shared.steps.push(self.steps(list).map_err(|error| format!("{name}: {error}"))?);
        }
        Ok(shared)
    }

    /// Compiles a list of checks.
    pub fn checks(&mut self, list: &Value) -> Compiled<Checks> {
        self.each(list, Self::check)
    }

    /// Compiles a list of steps.
    pub fn steps(&mut self, list: &Value) -> Compiled<Steps> {
        self.each(list, Self::step)
    }

    fn each<T>(
        &mut self,
        list: &Value,
        one: impl Fn(&mut Self, &Op) -> Compiled<T>,
    ) -> Compiled<Box<[T]>> {
        items(list)?.iter().map(|item| one(self, &Op::new(item)?)).collect()
    }

    fn reference(&mut self, value: &Value) -> Compiled<Ref> {
        if let Some(list) = value.as_list() {
            let (base, keys) = list.split_first().ok_or("an empty reference")?;
            let mut reference = self.parse_reference(text(base)?)?;
            let keys = keys.iter().map(text).collect::<Compiled<Vec<_>>>()?;
            let path = reference.path.iter().cloned().chain(keys.into_iter().map(Text::from));
            reference.path = path.collect();
            return Ok(reference);
        }
        self.parse_reference(text(value)?)
    }

    fn parse_reference(&mut self, text: &str) -> Compiled<Ref> {
        let wrong = || format!("{text:?} is not a reference");
        let (base, rest) = match text.split_at_checked(1).ok_or_else(wrong)? {
            (".", rest) => (Base::This, rest),
            ("/", rest) => (Base::Root, rest),
            ("<", rest) => (Base::Old, rest),
            ("$", rest) => {
                let (name, rest) = rest.split_once('.').unwrap_or((rest, ""));
                (Base::Anchor(self.anchor(name)?), rest)
            }
            _ => return Err(wrong()),
        };
        let keys = rest.split('.').filter(|key| !key.is_empty());
        Ok(Ref { base, path: keys.map(Text::from).collect() })
    }

    fn references(&mut self, list: &Value) -> Compiled<Box<[Ref]>> {
        items(list)?.iter().map(|item| self.reference(item)).collect()
    }

    fn anchor(&mut self, name: &str) -> Compiled<u8> {
        number(&mut self.anchors, name, ANCHORS, "anchors")
    }

    fn set(&mut self, name: &str) -> Compiled<u8> {
        number(&mut self.sets, name, SETS, "sets")
    }

    fn shared_checks(&self, name: &str) -> Compiled<Check> {
        let number = self.checks.get(name).ok_or_else(|| format!("no checks named {name:?}"))?;
        Ok(Check::Use(*number))
    }

    fn shared_steps(&self, name: &str) -> Compiled<Step> {
        let number = self.steps.get(name).ok_or_else(|| format!("no steps named {name:?}"))?;
        Ok(Step::Use(*number))
    }
}

/// One operation: its name and its arguments.
struct Op<'a> {
    name: &'a str,
    arguments: &'a [Value],
}

impl<'a> Op<'a> {
    fn new(value: &'a Value) -> Compiled<Self> {
        let wrong = || format!("{} is not an operation", to_go_json(value));
        let (name, arguments) = value.as_list().and_then(<[_]>::split_first).ok_or_else(wrong)?;
        Ok(Self { name: name.as_str().ok_or_else(wrong)?, arguments })
    }

    fn get(&self, index: usize) -> Compiled<&'a Value> {
        self.arguments
            .get(index)
            .ok_or_else(|| format!("{:?} wants more than {index} arguments", self.name))
    }

    fn text(&self, index: usize) -> Compiled<Text> {
        text(self.get(index)?).map(Text::from)
    }

    fn texts(&self, index: usize) -> Compiled<Box<[Text]>> {
        items(self.get(index)?)?.iter().map(|item| text(item).map(Text::from)).collect()
    }

    fn flag(&self, index: usize) -> Compiled<bool> {
        let value = self.get(index)?;
        value.as_bool().ok_or_else(|| format!("{} is not a flag", to_go_json(value)))
    }

    fn shape(&self, index: usize) -> Compiled<Option<ShapeId>> {
        let value = self.get(index)?;
        if value.is_null() {
            return Ok(None);
        }
        let name = text(value)?;
        shapes::by_name(name).map(Some).ok_or_else(|| format!("no Go type named {name:?}"))
    }
}

/// The entries of a map.
pub(super) fn entries(value: &Value) -> Compiled<impl Iterator<Item = (&str, &Value)>> {
    let map = value.as_map().ok_or_else(|| format!("{} is not a map", to_go_json(value)))?;
    Ok(map.iter())
}

/// The items of a list.
pub(super) fn items(value: &Value) -> Compiled<&[Value]> {
    value.as_list().ok_or_else(|| format!("{} is not a list", to_go_json(value)))
}

/// A text.
pub(super) fn text(value: &Value) -> Compiled<&str> {
    value.as_str().ok_or_else(|| format!("{} is not a text", to_go_json(value)))
}

fn number(names: &mut Vec<Text>, name: &str, most: usize, what: &str) -> Compiled<u8> {
    let known = names.iter().position(|known| known == name);
    let at = known.unwrap_or_else(|| {
        names.push(name.into());
        names.len() - 1
    });
    if at < most { Ok(at as u8) } else { Err(format!("more than {most} {what}: {name:?}")) }
}
