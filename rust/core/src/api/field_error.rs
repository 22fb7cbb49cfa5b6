//! One thing that is wrong with one field, in Kubernetes' words.
//!
//! The offending value is rendered when the error is made: errors are rare and short-lived,
//! and the text is all anybody wants of it.

use std::fmt;
use std::fmt::Write;

use super::go_print::go_plain_float;
use crate::base::quote::write_go_quote;
use crate::base::value::{Value, to_go_json};

/// The ways a field can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldErrorKind {
    /// A value refers to something that does not exist.
    NotFound,
    /// A value is missing or empty.
    Required,
    /// A value that must be unique occurs twice.
    Duplicate,
    /// A malformed value.
    Invalid,
    /// A value outside a closed list.
    NotSupported,
    /// A well-formed value that is not allowed here.
    Forbidden,
    /// A text that is too long.
    TooLong,
    /// A text that is too short.
    TooShort,
    /// A list with too many items.
    TooMany,
    /// A list with too few items.
    TooFew,
    /// A value of the wrong type.
    TypeInvalid,
    /// A failure that is not about user input.
    Internal,
}

impl FieldErrorKind {
    /// The word the Status carries as the reason of a cause.
    pub fn cause(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooShort => "FieldValueTooShort",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::Internal => "InternalError",
        }
    }

    /// The words a message begins with.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooShort => "Too short",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::Internal => "Internal error",
        }
    }

    fn shows_the_value(self) -> bool {
        !matches!(
            self,
            Self::Required | Self::Forbidden | Self::TooLong | Self::TooShort | Self::Internal
        )
    }
}

/// The offending value as the message shows it.
///
/// `From` renders it as Go's plain types print: strings quoted, numbers and booleans bare,
/// everything else as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue(Option<String>);

impl BadValue {
    /// No value is shown.
    pub const OMITTED: Self = Self(None);

    /// The value as JSON, whatever its type. Fields whose Go type is a named string, a pointer
    /// or a struct print this way.
    pub fn json(value: &Value) -> Self {
        Self(Some(to_go_json(value)))
    }

    /// This text as it stands, for values that print as Go syntax.
    pub fn raw(text: impl Into<String>) -> Self {
        Self(Some(text.into()))
    }
}

impl From<&Value> for BadValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Str(text) => Self::from(text.as_str()),
            Value::Float(number) => Self(Some(go_plain_float(*number))),
            other => Self::json(other),
        }
    }
}

impl From<Value> for BadValue {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl From<&str> for BadValue {
    fn from(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        write_go_quote(&mut out, text);
        Self(Some(out))
    }
}

impl From<&String> for BadValue {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<i64> for BadValue {
    fn from(number: i64) -> Self {
        Self(Some(number.to_string()))
    }
}

impl From<bool> for BadValue {
    fn from(flag: bool) -> Self {
        Self(Some(flag.to_string()))
    }
}

/// One thing that is wrong with one field; prints as `spec.replicas: Invalid value: -1: ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// How it is wrong.
    pub kind: FieldErrorKind,
    /// Where, as [`Path`](super::Path) prints it.
    pub field: String,
    /// What stood there.
    pub bad_value: BadValue,
    /// What would be right, or empty.
    pub detail: String,
}

impl FieldError {
    fn new(
        kind: FieldErrorKind,
        field: impl fmt::Display,
        bad_value: BadValue,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, field: field.to_string(), bad_value, detail: detail.into() }
    }

    /// A value refers to something that does not exist.
    pub fn not_found(field: impl fmt::Display, value: impl Into<BadValue>) -> Self {
        Self::new(FieldErrorKind::NotFound, field, value.into(), "")
    }

    /// A value is missing or empty.
    pub fn required(field: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Required, field, BadValue::OMITTED, detail)
    }

    /// A value that must be unique occurs twice.
    pub fn duplicate(field: impl fmt::Display, value: impl Into<BadValue>) -> Self {
        Self::new(FieldErrorKind::Duplicate, field, value.into(), "")
    }

    /// A malformed value.
    pub fn invalid(
        field: impl fmt::Display,
        value: impl Into<BadValue>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(FieldErrorKind::Invalid, field, value.into(), detail)
    }

    /// A value of the wrong type.
    pub fn type_invalid(
        field: impl fmt::Display,
        value: impl Into<BadValue>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(FieldErrorKind::TypeInvalid, field, value.into(), detail)
    }

    /// A value outside a closed list, given in the order the message shows it.
    pub fn not_supported<S: AsRef<str>>(
        field: impl fmt::Display,
        value: impl Into<BadValue>,
        supported: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut detail = String::new();
        for text in supported {
            detail.push_str(if detail.is_empty() { "supported values: " } else { ", " });
            write_go_quote(&mut detail, text.as_ref());
        }
        Self::new(FieldErrorKind::NotSupported, field, value.into(), detail)
    }

    /// A well-formed value that is not allowed here.
    pub fn forbidden(field: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Forbidden, field, BadValue::OMITTED, detail)
    }

    /// A text of more than `max` bytes.
    pub fn too_long(field: impl fmt::Display, max: usize) -> Self {
        let detail = format!("may not be more than {}", counted(max, "byte"));
        Self::new(FieldErrorKind::TooLong, field, BadValue::OMITTED, detail)
    }

    /// A text of more than `max` characters.
    pub fn too_long_characters(field: impl fmt::Display, max: usize) -> Self {
        let detail = format!("may not be more than {}", counted(max, "character"));
        Self::new(FieldErrorKind::TooLong, field, BadValue::OMITTED, detail)
    }

    /// A text of fewer than `min` characters.
    pub fn too_short(field: impl fmt::Display, min: usize) -> Self {
        let detail = format!("must be at least {}", counted(min, "character"));
        Self::new(FieldErrorKind::TooShort, field, BadValue::OMITTED, detail)
    }

    /// A list of more than `max` items; `actual` is shown when given.
    pub fn too_many(field: impl fmt::Display, actual: Option<usize>, max: usize) -> Self {
        let shown = actual.map_or(BadValue::OMITTED, |count| BadValue::from(count as i64));
        let detail = format!("must have at most {}", counted(max, "item"));
        Self::new(FieldErrorKind::TooMany, field, shown, detail)
    }

    /// A list of fewer than `min` items.
    pub fn too_few(field: impl fmt::Display, actual: usize, min: usize) -> Self {
        let detail = format!("must have at least {}", counted(min, "item"));
        Self::new(FieldErrorKind::TooFew, field, BadValue::from(actual as i64), detail)
    }

    /// A failure that is not about user input.
    pub fn internal(field: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(FieldErrorKind::Internal, field, BadValue::OMITTED, error.to_string())
    }

    /// The message without the field: what the cause of a Status carries.
    pub fn body(&self) -> String {
        let mut out = String::from(self.kind.words());
        if let (true, Some(value)) = (self.kind.shows_the_value(), &self.bad_value.0) {
            let _ = write!(out, ": {value}");
        }
        if !self.detail.is_empty() {
            let _ = write!(out, ": {}", self.detail);
        }
        out
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

fn counted(count: usize, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Several errors as one text: alone bare, together in brackets, equal ones once.
pub fn aggregate(errors: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.len() == 1 { texts.remove(0) } else { format!("[{}]", texts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::{BadValue, FieldError, aggregate};
    use crate::api::Path;
    use crate::base::Value;

    #[test]
    fn each_kind_prints_as_the_api_server_prints_it() {
        let field = Path::new("spec").child("x").to_string();
        let json = Value::from_json(r#"{"a":["<"]}"#).unwrap();
        for (error, text) in [
            (FieldError::not_found(&field, "v"), r#"spec.x: Not found: "v""#),
            (FieldError::required(&field, ""), "spec.x: Required value"),
            (FieldError::required(&field, "why"), "spec.x: Required value: why"),
            (FieldError::duplicate(&field, "v\n"), r#"spec.x: Duplicate value: "v\n""#),
            (
                FieldError::invalid(&field, -1, "must be positive"),
                "spec.x: Invalid value: -1: must be positive",
            ),
            (FieldError::invalid(&field, true, "no"), "spec.x: Invalid value: true: no"),
            (
                FieldError::invalid(&field, &json, "no"),
                r#"spec.x: Invalid value: {"a":["\u003c"]}: no"#,
            ),
            (FieldError::invalid(&field, Value::Null, "no"), "spec.x: Invalid value: null: no"),
            (
                FieldError::invalid(&field, Value::Float(1e-5), "no"),
                "spec.x: Invalid value: 1e-05: no",
            ),
            (FieldError::invalid(&field, BadValue::OMITTED, "no"), "spec.x: Invalid value: no"),
            (FieldError::type_invalid(&field, "v", "no"), r#"spec.x: Invalid value: "v": no"#),
            (
                FieldError::not_supported(&field, "v", ["a", "b"]),
                r#"spec.x: Unsupported value: "v": supported values: "a", "b""#,
            ),
            (
                FieldError::not_supported::<&str>(&field, "v", []),
                r#"spec.x: Unsupported value: "v""#,
            ),
            (FieldError::forbidden(&field, "why"), "spec.x: Forbidden: why"),
            (FieldError::too_long(&field, 63), "spec.x: Too long: may not be more than 63 bytes"),
            (FieldError::too_long(&field, 1), "spec.x: Too long: may not be more than 1 byte"),
            (
                FieldError::too_long_characters(&field, 2),
                "spec.x: Too long: may not be more than 2 characters",
            ),
            (FieldError::too_short(&field, 2), "spec.x: Too short: must be at least 2 characters"),
            (
                FieldError::too_many(&field, Some(3), 2),
                "spec.x: Too many: 3: must have at most 2 items",
            ),
            (FieldError::too_many(&field, None, 1), "spec.x: Too many: must have at most 1 item"),
            (FieldError::too_few(&field, 0, 1), "spec.x: Too few: 0: must have at least 1 item"),
            (FieldError::internal(&field, "boom"), "spec.x: Internal error: boom"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn one_error_stands_bare_and_equal_errors_are_said_once() {
        let a = FieldError::required("a", "");
        let b = FieldError::required("b", "");
        assert_eq!(aggregate(std::slice::from_ref(&a)), "a: Required value");
        assert_eq!(aggregate(&[a.clone(), a.clone()]), "a: Required value");
        assert_eq!(aggregate(&[a.clone(), b.clone(), a]), "[a: Required value, b: Required value]");
    }
}
