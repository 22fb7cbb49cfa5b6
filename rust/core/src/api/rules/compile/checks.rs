//! Compiling checks.

use super::{Compiled, Names, Op, items, text};
use crate::api::FieldErrorKind;
use crate::api::rules::builtin;
use crate::api::rules::formats::Format;
use crate::api::rules::ops::{Check, Failure, Member, Piece, Shot, Shown, Style, Template, Union};
use crate::base::value::to_go_json;
use crate::base::{Text, Value};

impl Names {
    pub(super) fn check(&mut self, op: &Op) -> Compiled<Check> {
        Ok(match op.name {
            "field" => {
                let name = op.text(0)?;
                let checks = self.checks(op.get(2)?)?;
                let shown = shown(op.get(1)?, &name)?;
                Check::Field { shown, on_null: minds_null(&checks), name, checks }
            }
            "each" => Check::Each { hidden: op.flag(0)?, checks: self.checks(op.get(1)?)? },
            "entries" => Check::Entries { checks: self.checks(op.get(0)?)? },
            "anchor" => {
                Check::Anchor { slot: self.anchor(&op.text(0)?)?, checks: self.checks(op.get(1)?)? }
            }
            "from" => {
                Check::From { value: self.reference(op.get(0)?)?, checks: self.checks(op.get(1)?)? }
            }
            "under" => {
                Check::Under { shown: shown(op.get(0)?, "")?, checks: self.checks(op.get(1)?)? }
            }
            "up" => {
                let steps = op.get(0)?.as_int().and_then(|steps| usize::try_from(steps).ok());
                Check::Up {
                    steps: steps.ok_or("\"up\" wants a number of steps")?,
                    checks: self.checks(op.get(1)?)?,
                }
            }
            "when" => Check::When {
                condition: self.condition(op.get(0)?)?,
                then: self.checks(op.get(1)?)?,
                otherwise: self.checks(op.get(2)?)?,
            },
            "need" => Check::Need { detail: op.text(0)?, checks: self.checks(op.get(1)?)? },
            "filled" => Check::Filled { checks: self.checks(op.get(0)?)? },
            "fail" => Check::Fail(Box::new(self.failure(op)?)),
            "one_of" => Check::OneOf {
                values: op.texts(0)?,
                shown: op.texts(1)?,
                style: style(&op.text(2)?)?,
                shape: op.shape(3)?,
            },
            "valid" => Check::Valid {
                format: format(&op.text(0)?)?,
                style: style(&op.text(1)?)?,
                then: self.checks(op.get(2)?)?,
            },
            "valid_key" => Check::ValidKey { format: format(&op.text(0)?)? },
            "union" => Check::Union(Box::new(self.union(op)?)),
            "fresh" => {
                Check::Fresh { set: self.set(&op.text(0)?)?, checks: self.checks(op.get(1)?)? }
            }
            "collect" => Check::Collect {
                set: self.set(&op.text(0)?)?,
                list: self.reference(op.get(1)?)?,
                key: op.get(2)?.as_str().map(Text::from),
            },
            "insert" => {
                Check::Insert { set: self.set(&op.text(0)?)?, values: self.references(op.get(1)?)? }
            }
            "unique" => Check::Unique {
                set: self.set(&op.text(0)?)?,
                values: self.references(op.get(1)?)?,
                seen: self.checks(op.get(2)?)?,
            },
            "clean" => {
                Check::Clean { checks: self.checks(op.get(0)?)?, then: self.checks(op.get(1)?)? }
            }
            "use" => self.shared_checks(&op.text(0)?)?,
            "call" => {
                let name = op.text(0)?;
                let function =
                    builtin::check(&name).ok_or_else(|| format!("no check named {name:?}"))?;
                Check::Call(function, op.get(1)?.clone())
            }
            name => return Err(format!("{name:?} is not a check")),
        })
    }

    fn union(&mut self, op: &Op) -> Compiled<Union> {
        let member = |names: &mut Self, item: &Value| -> Compiled<Member> {
            let op = Op { name: "union", arguments: items(item)? };
            Ok(Member {
                name: op.text(0)?,
                refused_as: op.text(1)?,
                shown: op.text(2)?,
                checks: names.checks(op.get(3)?)?,
            })
        };
        let members = items(op.get(0)?)?.iter().map(|item| member(self, item));
        let members = members.collect::<Compiled<_>>()?;
        Ok(Union { members, many: op.text(1)?, none: self.checks(op.get(2)?)? })
    }

    fn failure(&mut self, op: &Op) -> Compiled<Failure> {
        Ok(Failure {
            kind: kind(&op.text(0)?)?,
            value: self.shot(op.get(1)?)?,
            detail: self.template(&op.text(2)?)?,
            supported: op.texts(3)?,
            limit: op.get(4)?.as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
        })
    }

    fn shot(&mut self, value: &Value) -> Compiled<Shot> {
        if value.is_null() {
            return Ok(Shot::Omitted);
        }
        let op = Op::new(value)?;
        Ok(match op.name {
            "literal" => Shot::Literal(op.get(0)?.clone()),
            "key" => Shot::Key,
            "value" => Shot::Value(self.reference(op.get(0)?)?, style(&op.text(1)?)?, op.shape(2)?),
            "count" => Shot::Count(self.reference(op.get(0)?)?),
            "joined" => Shot::Joined(self.template(&op.text(0)?)?),
            name => return Err(format!("{name:?} is not a way to show a value")),
        })
    }

    /// A text in which `{reference}` stands for a value.
    fn template(&mut self, text: &str) -> Compiled<Template> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, inside, after)) = placeholder(rest) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Value(self.parse_reference(inside)?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Template(pieces.into()))
    }
}

/// The first `{reference}` of a text, with what stands before and after it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in text.match_indices('{') {
        let inside = &text[at + 1..];
        if inside.starts_with(['.', '/', '<', '$']) {
            let (inside, after) = inside.split_once('}')?;
            return Some((&text[..at], inside, after));
        }
    }
    None
}

fn shown(value: &Value, name: &str) -> Compiled<Shown> {
    match value {
        Value::Null => Ok(Shown::Name(name.into())),
        Value::Bool(false) => Ok(Shown::Hidden),
        Value::Str(text) => Ok(Shown::Name(text.clone())),
        Value::List(list) if list.len() == 1 => Ok(Shown::Whole(text(&list[0])?.into())),
        other => Err(format!("{} is not a way to show a field", to_go_json(other))),
    }
}

fn format(name: &str) -> Compiled<Format> {
    Format::by_name(name).ok_or_else(|| format!("no format named {name:?}"))
}

fn style(name: &str) -> Compiled<Style> {
    Ok(match name {
        "text" => Style::Text,
        "name" => Style::Name,
        "number" => Style::Number,
        "flag" => Style::Flag,
        "json" => Style::Json,
        "quantity" => Style::Quantity,
        _ => return Err(format!("no style named {name:?}")),
    })
}

fn kind(name: &str) -> Compiled<FieldErrorKind> {
    Ok(match name {
        "required" => FieldErrorKind::Required,
        "invalid" => FieldErrorKind::Invalid,
        "not_supported" => FieldErrorKind::NotSupported,
        "forbidden" => FieldErrorKind::Forbidden,
        "duplicate" => FieldErrorKind::Duplicate,
        "not_found" => FieldErrorKind::NotFound,
        "too_long" => FieldErrorKind::TooLong,
        "too_many" => FieldErrorKind::TooMany,
        "internal" => FieldErrorKind::Internal,
        _ => return Err(format!("no error named {name:?}")),
    })
}

/// Whether these checks can find fault with an absent value.
fn minds_null(checks: &[Check]) -> bool {
    checks.iter().any(|check| match check {
        Check::Each { .. } | Check::Entries { .. } | Check::Filled { .. } => false,
        Check::Field { on_null, .. } => *on_null,
        Check::Anchor { checks, .. }
        | Check::Under { checks, .. }
        | Check::Up { checks, .. }
        | Check::Fresh { checks, .. } => minds_null(checks),
        _ => true,
    })
}
