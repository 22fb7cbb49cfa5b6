//! Compiling conditions.

use super::{Compiled, Names, Op, items};
use crate::api::rules::formats::Format;
use crate::api::rules::ops::{Comparison, Condition, Number};
use crate::base::Value;

impl Names {
    pub(super) fn condition(&mut self, value: &Value) -> Compiled<Condition> {
        let op = Op::new(value)?;
        Ok(match op.name {
            "present" => Condition::Present(self.reference(op.get(0)?)?),
            "filled" => Condition::Filled(self.reference(op.get(0)?)?),
            "is" => Condition::Is(self.reference(op.get(0)?)?, items(op.get(1)?)?.into()),
            "same" => Condition::Same(
                self.reference(op.get(0)?)?,
                self.reference(op.get(1)?)?,
                op.shape(2)?,
            ),
            "compare" => Condition::Compare(
                self.number(op.get(0)?)?,
                comparison(&op.text(1)?)?,
                self.number(op.get(2)?)?,
            ),
            "starts" => Condition::Starts(self.reference(op.get(0)?)?, op.text(1)?),
            "ends" => Condition::Ends(self.reference(op.get(0)?)?, op.text(1)?),
            "contains" => Condition::Contains(self.reference(op.get(0)?)?, op.text(1)?),
            "has" => {
                let name = op.text(1)?;
                let format = Format::by_name(&name);
                let format = format.ok_or_else(|| format!("no format named {name:?}"))?;
                Condition::Has(self.reference(op.get(0)?)?, format)
            }
            "holds" => Condition::Holds(self.reference(op.get(0)?)?, self.reference(op.get(1)?)?),
            "seen" => Condition::Seen(self.set(&op.text(0)?)?, self.references(op.get(1)?)?),
            "unseen" => Condition::Unseen(self.set(&op.text(0)?)?),
            "all" => Condition::All(self.conditions(op.get(0)?)?),
            "any" => Condition::Any(self.conditions(op.get(0)?)?),
            "not" => Condition::Not(Box::new(self.condition(op.get(0)?)?)),
            name => return Err(format!("{name:?} is not a condition")),
        })
    }

    fn conditions(&mut self, list: &Value) -> Compiled<Box<[Condition]>> {
        items(list)?.iter().map(|item| self.condition(item)).collect()
    }

    fn number(&mut self, value: &Value) -> Compiled<Number> {
        if let Some(number) = value.as_int() {
            return Ok(Number::Literal(number));
        }
        if let Some([name, list]) = value.as_list()
            && name.as_str() == Some("count")
        {
            return Ok(Number::Count(self.reference(list)?));
        }
        Ok(Number::Value(self.reference(value)?))
    }
}

fn comparison(text: &str) -> Compiled<Comparison> {
    Ok(match text {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return Err(format!("{text:?} is not a comparison")),
    })
}
