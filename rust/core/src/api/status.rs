//! The parts of a `Status` object: reason, details and causes.

use crate::base::Value;

/// Kubernetes' one-word reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No reason is given.
    Unknown,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409: the name is taken.
    AlreadyExists,
    /// 409: the write lost a race or contradicts a precondition.
    Conflict,
    /// 410: gone for good.
    Gone,
    /// 410: the requested resourceVersion is too old.
    Expired,
    /// 422.
    Invalid,
    /// 500: try again.
    ServerTimeout,
    /// 504.
    Timeout,
    /// 429.
    TooManyRequests,
    /// 400.
    BadRequest,
    /// 405.
    MethodNotAllowed,
    /// 406.
    NotAcceptable,
    /// 413.
    RequestEntityTooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 500.
    InternalError,
    /// 503.
    ServiceUnavailable,
}

impl Reason {
    /// The word on the wire; empty for `Unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Gone => "Gone",
            Self::Expired => "Expired",
            Self::Invalid => "Invalid",
            Self::ServerTimeout => "ServerTimeout",
            Self::Timeout => "Timeout",
            Self::TooManyRequests => "TooManyRequests",
            Self::BadRequest => "BadRequest",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::InternalError => "InternalError",
            Self::ServiceUnavailable => "ServiceUnavailable",
        }
    }
}

/// One of several things that led to an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// A word such as `FieldValueInvalid`, or empty.
    pub reason: String,
    /// The message, without the field.
    pub message: String,
    /// The field, or empty.
    pub field: String,
}

/// What an error is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The object's name.
    pub name: String,
    /// The group of its kind.
    pub group: String,
    /// The plural resource name; for invalid objects the kind.
    pub kind: String,
    /// The object's uid.
    pub uid: String,
    /// What led to the error.
    pub causes: Vec<Cause>,
    /// When to try again; 0 when not said.
    pub retry_after_seconds: i32,
}

impl Details {
    pub(super) fn to_value(&self) -> Value {
        let mut value = Value::map::<&str>([]);
        set_text(&mut value, "name", &self.name);
        set_text(&mut value, "group", &self.group);
        set_text(&mut value, "kind", &self.kind);
        set_text(&mut value, "uid", &self.uid);
        if !self.causes.is_empty() {
            value.set(&["causes"], Value::list(self.causes.iter().map(Cause::to_value)));
        }
        if self.retry_after_seconds != 0 {
            value.set(&["retryAfterSeconds"], self.retry_after_seconds);
        }
        value
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut value = Value::map::<&str>([]);
        set_text(&mut value, "reason", &self.reason);
        set_text(&mut value, "message", &self.message);
        set_text(&mut value, "field", &self.field);
        value
    }
}

pub(super) fn set_text(value: &mut Value, key: &str, text: &str) {
    if !text.is_empty() {
        value.set(&[key], text);
    }
}
