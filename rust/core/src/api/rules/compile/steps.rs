//! Compiling steps.

use super::{Compiled, Names, Op, items};
use crate::api::rules::builtin;
use crate::api::rules::ops::{Part, Step};
use crate::base::{Text, Value};

impl Names {
    pub(super) fn step(&mut self, op: &Op) -> Compiled<Step> {
        Ok(match op.name {
            "default" => {
                Step::Default { name: op.text(0)?, value: op.get(1)?.clone(), zero: op.flag(2)? }
            }
            "set" => Step::Set { name: op.text(0)?, value: op.get(1)?.clone() },
            "field" => Step::Field { name: op.text(0)?, steps: self.steps(op.get(1)?)? },
            "make" => Step::Make { name: op.text(0)?, steps: self.steps(op.get(1)?)? },
            "each" => Step::Each(self.steps(op.get(0)?)?),
            "when" => Step::When {
                condition: self.condition(op.get(0)?)?,
                then: self.steps(op.get(1)?)?,
                otherwise: self.steps(op.get(2)?)?,
            },
            "copy" => Step::Copy { name: op.text(0)?, from: self.reference(op.get(1)?)? },
            "fill" => Step::Fill { name: op.text(0)?, from: op.text(1)? },
            "remove" => Step::Remove(op.text(0)?),
            "quantities" => Step::Quantities(op.text(0)?),
            "quantity" => Step::Quantity(op.text(0)?),
            "keep" => Step::Keep(keys(&op.text(0)?)),
            "generation" => Step::Generation(parts(op.get(0)?)?),
            "use" => self.shared_steps(&op.text(0)?)?,
            "call" => {
                let name = op.text(0)?;
                let function =
                    builtin::step(&name).ok_or_else(|| format!("no step named {name:?}"))?;
                Step::Call(function)
            }
            name => return Err(format!("{name:?} is not a step")),
        })
    }
}

/// The keys of a path with dots.
fn keys(path: &str) -> Box<[Text]> {
    path.split('.').map(Text::from).collect()
}

fn parts(list: &Value) -> Compiled<Box<[Part]>> {
    let part = |item: &Value| {
        let op = Op { name: "generation", arguments: items(item)? };
        Ok(Part { path: keys(&op.text(0)?), shape: op.shape(1)? })
    };
    items(list)?.iter().map(part).collect()
}
