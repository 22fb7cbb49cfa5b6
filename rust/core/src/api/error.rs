//! What a refused request answers: HTTP code, reason and message as Kubernetes has them.

use std::fmt;

use super::field_error::{FieldError, aggregate};
use super::names::{GroupKind, GroupResource};
use super::status::{Cause, Details, Reason, set_text};
use crate::base::{Value, go_quote};

/// The message of a write whose resourceVersion is not the stored one.
pub const OPTIMISTIC_LOCK: &str = "the object has been modified; please apply your changes to \
                                   the latest version and try again";

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP code.
    pub code: u16,
    /// Kubernetes' one-word reason.
    pub reason: Reason,
    /// The sentence for people.
    pub message: String,
    /// What it is about, where that is known.
    pub details: Option<Box<Details>>,
}

/// The result of anything a caller can ask for in vain.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    fn new(code: u16, reason: Reason, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    fn about(self, resource: &GroupResource, name: &str) -> Self {
        self.with_details(Details {
            name: name.into(),
            group: resource.group.to_string(),
            kind: resource.resource.to_string(),
            ..Details::default()
        })
    }

    /// The same error with these details.
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// The same error, asking the caller to wait.
    pub fn with_retry_after(mut self, seconds: i32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = seconds;
        self
    }

    /// The same error with one more cause.
    pub fn with_cause(mut self, reason: &str, message: impl Into<String>, field: &str) -> Self {
        let cause = Cause { reason: reason.into(), message: message.into(), field: field.into() };
        self.details.get_or_insert_default().causes.push(cause);
        self
    }

    /// 404: no object of this name.
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} {} not found", go_quote(name));
        Self::new(404, Reason::NotFound, message).about(resource, name)
    }

    /// 404: no such resource is served.
    pub fn resource_not_found() -> Self {
        Self::new(404, Reason::NotFound, "the server could not find the requested resource")
            .with_details(Details::default())
    }

    /// What kubectl says of an object whose kind nobody serves.
    pub fn no_kind_match(api_version: &str, kind: &str) -> Self {
        let message = match (api_version, kind) {
            (_, "") => "Object 'Kind' is missing".to_owned(),
            ("", _) => "Object 'apiVersion' is missing".to_owned(),
            _ => format!(
                "no matches for kind {} in version {}",
                go_quote(kind),
                go_quote(api_version)
            ),
        };
        Self::bad_request(message)
    }

    /// 504: the resourceVersion asked for is still to come.
    pub fn too_large_revision(asked: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {current}");
        Self::new(504, Reason::Timeout, message).with_retry_after(1).with_cause(
            "ResourceVersionTooLarge",
            "Too large resource version",
            "",
        )
    }

    /// 409: the name is taken.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} {} already exists", go_quote(name));
        Self::new(409, Reason::AlreadyExists, message).about(resource, name)
    }

    /// 409: every generated name that was tried is taken.
    pub fn generate_name_conflict(
        resource: &GroupResource,
        name: &str,
        retry_after_seconds: i32,
    ) -> Self {
        let message = format!(
            "{resource} {} already exists, the server was not able to generate a unique name for \
             the object",
            go_quote(name)
        );
        Self::new(409, Reason::AlreadyExists, message)
            .about(resource, name)
            .with_retry_after(retry_after_seconds)
    }

    /// 409: the write contradicts what is stored.
    pub fn conflict(resource: &GroupResource, name: &str, why: impl fmt::Display) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {resource} {}: {why}", go_quote(name));
        Self::new(409, Reason::Conflict, message).about(resource, name)
    }

    /// 409: the write was made against an older resourceVersion.
    pub fn optimistic_lock(resource: &GroupResource, name: &str) -> Self {
        Self::conflict(resource, name, OPTIMISTIC_LOCK)
    }

    /// 409: server-side apply met fields of other managers, one cause each.
    pub fn apply_conflict(causes: Vec<Cause>, message: impl Into<String>) -> Self {
        Self::new(409, Reason::Conflict, message)
            .with_details(Details { causes, ..Details::default() })
    }

    /// 401.
    pub fn unauthorized(reason: &str) -> Self {
        let message = if reason.is_empty() { "not authorized" } else { reason };
        Self::new(401, Reason::Unauthorized, message)
    }

    /// 403; an empty name and an empty resource are left out of the message.
    pub fn forbidden(resource: &GroupResource, name: &str, why: impl fmt::Display) -> Self {
        let message = match (resource.is_empty(), name) {
            (true, _) => format!("forbidden: {why}"),
            (false, "") => format!("{resource} is forbidden: {why}"),
            (false, name) => format!("{resource} {} is forbidden: {why}", go_quote(name)),
        };
        Self::new(403, Reason::Forbidden, message).about(resource, name)
    }

    /// 410: gone for good.
    pub fn gone(message: impl Into<String>) -> Self {
        Self::new(410, Reason::Gone, message)
    }

    /// 410: the requested resourceVersion is too old.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, Reason::Expired, message)
    }

    /// 422: the object breaks these rules.
    pub fn invalid(kind: &GroupKind, name: &str, errors: &[FieldError]) -> Self {
        let mut message = format!("{kind} {} is invalid", go_quote(name));
        if !errors.is_empty() {
            message = format!("{message}: {}", aggregate(errors));
        }
        let cause = |error: &FieldError| Cause {
            reason: error.kind.cause().into(),
            message: error.body(),
            field: error.field.clone(),
        };
        Self::new(422, Reason::Invalid, message).with_details(Details {
            name: name.into(),
            group: kind.group.to_string(),
            kind: kind.kind.to_string(),
            causes: errors.iter().map(cause).collect(),
            ..Details::default()
        })
    }

    /// 422 without an object: a patch that cannot be applied to what is stored. The real server
    /// keeps the reason to itself.
    pub fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(422, Reason::Invalid, message).with_details(Details::default())
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, Reason::BadRequest, message)
    }

    /// 429, with the message as it stands.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        Self::new(429, Reason::TooManyRequests, message).with_retry_after(retry_after_seconds)
    }

    /// 405: this verb is not served for this resource.
    pub fn method_not_supported(resource: &GroupResource, verb: &str) -> Self {
        let message = format!(
            "{verb} is not supported on resources of kind {}",
            go_quote(&resource.to_string())
        );
        Self::new(405, Reason::MethodNotAllowed, message).about(resource, "")
    }

    /// 405: this method is not served on this path.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, Reason::MethodNotAllowed, message).with_details(Details::default())
    }

    /// 406: none of the representations asked for exists.
    pub fn not_acceptable(accepted: &[&str]) -> Self {
        let list = accepted.join(", ");
        let message = format!("only the following media types are accepted: {list}");
        Self::new(406, Reason::NotAcceptable, message)
    }

    /// 413.
    pub fn request_entity_too_large(message: impl fmt::Display) -> Self {
        let message = format!("Request entity too large: {message}");
        Self::new(413, Reason::RequestEntityTooLarge, message)
    }

    /// 415: the body's media type is not understood.
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        let list = accepted.join(", ");
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {list}"
        );
        Self::new(415, Reason::UnsupportedMediaType, message)
    }

    /// 500: our own failure, or an admission step that could not run.
    pub fn internal(error: impl fmt::Display) -> Self {
        let error = error.to_string();
        Self::new(500, Reason::InternalError, format!("Internal error occurred: {error}"))
            .with_cause("", error, "")
    }

    /// 500: an operation that may work when tried again.
    pub fn server_timeout(
        resource: &GroupResource,
        operation: &str,
        retry_after_seconds: i32,
    ) -> Self {
        let message = format!(
            "The {operation} operation against {resource} could not be completed at this time, \
             please try again."
        );
        Self::new(500, Reason::ServerTimeout, message)
            .about(resource, operation)
            .with_retry_after(retry_after_seconds)
    }

    /// 504.
    pub fn timeout(message: impl fmt::Display, retry_after_seconds: i32) -> Self {
        Self::new(504, Reason::Timeout, format!("Timeout: {message}"))
            .with_retry_after(retry_after_seconds)
    }

    /// 500 without a reason: what the API server answers to an error it has no words for.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(500, Reason::Unknown, message)
    }

    /// 503.
    pub fn service_unavailable(message: impl Into<String>) -> Self {
        Self::new(503, Reason::ServiceUnavailable, message)
    }

    /// The error as a `Status` object.
    pub fn to_status(&self) -> Value {
        let mut status = Value::map([
            ("apiVersion", "v1".into()),
            ("kind", "Status".into()),
            ("metadata", Value::map::<&str>([])),
            ("status", "Failure".into()),
            ("code", Value::Int(i64::from(self.code))),
        ]);
        set_text(&mut status, "message", &self.message);
        set_text(&mut status, "reason", self.reason.as_str());
        if let Some(details) = &self.details {
            status.set(&["details"], details.to_value());
        }
        status
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::ApiError;
    use crate::api::{Cause, FieldError, GroupKind, GroupResource, Path};
    use crate::base::Value;

    fn every_field_error() -> Vec<FieldError> {
        let spec = Path::new("spec");
        let x = spec.child("x");
        vec![
            FieldError::invalid(x.index(0).child("n"), -1, "must be positive"),
            FieldError::required(x.key("a.b/c"), ""),
            FieldError::required(x.key("a.b/c"), ""),
            FieldError::not_supported(x, "Z", ["A", "B"]),
            FieldError::duplicate(x, "d<"),
            FieldError::forbidden(x, "may not"),
            FieldError::too_long(x, 63),
            FieldError::too_many(x, Some(3), 2),
            FieldError::too_few(x, 0, 1),
            FieldError::not_found(x, Value::map([("a", "<".into())])),
            FieldError::type_invalid(x, Value::Float(1.5), "no"),
            FieldError::internal(x, "why \"not\""),
        ]
    }

    fn example(case: &str) -> ApiError {
        let deployments = GroupResource::new("apps", "deployments");
        let pods = GroupResource::new("", "pods");
        let nothing = GroupResource::default();
        let pod = GroupKind::new("", "Pod");
        let why = "why \"not\"";
        match case {
            "not_found" => ApiError::not_found(&deployments, "we\"b"),
            "not_found_core" => ApiError::not_found(&pods, "web"),
            "resource_not_found" => ApiError::resource_not_found(),
            "already_exists" => ApiError::already_exists(&deployments, "web"),
            "generate_name_conflict" => ApiError::generate_name_conflict(&pods, "web-x", 1),
            "conflict" => ApiError::conflict(&deployments, "web", why),
            "apply_conflict" => {
                let cause = Cause {
                    reason: "FieldManagerConflict".into(),
                    message: "m".into(),
                    field: ".f".into(),
                };
                ApiError::apply_conflict(vec![cause], "msg")
            }
            "unauthorized" => ApiError::unauthorized(""),
            "unauthorized_reason" => ApiError::unauthorized("why"),
            "forbidden" => ApiError::forbidden(&deployments, "web", why),
            "forbidden_no_name" => ApiError::forbidden(&deployments, "", why),
            "forbidden_nothing" => ApiError::forbidden(&nothing, "", why),
            "gone" => ApiError::gone("m"),
            "expired" => ApiError::expired("m"),
            "invalid" => {
                let kind = GroupKind::new("apps", "Deployment");
                ApiError::invalid(&kind, "web", &every_field_error())
            }
            "invalid_one" => ApiError::invalid(&pod, "web", &every_field_error()[..1]),
            "invalid_none" => ApiError::invalid(&pod, "web", &[]),
            "unprocessable" => ApiError::unprocessable(),
            "bad_request" => ApiError::bad_request("m"),
            "too_many_requests" => ApiError::too_many_requests("m", 7),
            "too_many_requests_now" => ApiError::too_many_requests("m", 0),
            "method_not_supported" => ApiError::method_not_supported(&deployments, "delete"),
            "method_not_allowed" => ApiError::method_not_allowed(),
            "not_acceptable" => ApiError::not_acceptable(&["a/b", "c/d"]),
            "request_entity_too_large" => ApiError::request_entity_too_large("m"),
            "unsupported_media_type" => ApiError::unsupported_media_type(&["a/b", "c/d"]),
            "internal" => ApiError::internal(why),
            "server_timeout" => ApiError::server_timeout(&deployments, "update", 2),
            "timeout" => ApiError::timeout("m", 1),
            "service_unavailable" => ApiError::service_unavailable("m"),
            other => panic!("the golden file has a case {other} that this test does not make"),
        }
    }

    /// The golden file holds what apimachinery 0.36.3 makes of the same arguments.
    #[test]
    fn every_status_equals_the_one_kubernetes_makes() {
        let golden = include_str!("../../tests/golden/api/errors.jsonl");
        for line in golden.lines() {
            let expected = Value::from_json(line).unwrap();
            let case = expected.str_at(&["case"]).unwrap();
            assert_eq!(Some(&example(case).to_status()), expected.get("status"), "{case}");
        }
        assert_eq!(golden.lines().count(), 30);
    }
}
