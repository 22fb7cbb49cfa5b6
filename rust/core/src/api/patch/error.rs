//! Why a patch could not be made or applied.

use crate::api::error::ApiError;
use crate::api::go_print::{go_print, go_type_name};
use crate::base::{Map, Value};

/// Why a patch could not be made or applied, in the words of Kubernetes.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PatchError {
    /// The patch itself is malformed.
    #[error("{0}")]
    Malformed(String),
    /// The patch is well formed but does not fit the document.
    #[error("{0}")]
    Unfit(String),
    /// What two sides changed differently, when neither may overwrite the other.
    #[error("patch:\n{patch}\nconflicts with changes made from original to current:\n{changed}\n", patch = .patch.to_json(), changed = .changed.to_json())]
    Conflict {
        /// The patch that was made.
        patch: Value,
        /// What changed between the original and the current document.
        changed: Value,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

pub(super) type Result<T> = std::result::Result<T, PatchError>;

impl PatchError {
    /// The answer of the API server: 400 for a malformed patch, 422 for one that does not fit,
    /// 500 for the rest.
    pub fn to_api_error(&self) -> ApiError {
        match self {
            Self::Malformed(sentence) => ApiError::bad_request(sentence.clone()),
            Self::Unfit(_) => ApiError::unprocessable(),
            Self::Conflict { .. } | Self::Other(_) => ApiError::unknown(self.to_string()),
        }
    }

    pub(super) fn not_a_map(found: &Value) -> Self {
        Self::Malformed(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            found.type_name()
        ))
    }

    pub(super) fn primitive_list() -> Self {
        Self::Malformed("invalid patch format of primitive list".into())
    }

    pub(super) fn retain_keys() -> Self {
        Self::Malformed("invalid patch format of retainKeys".into())
    }

    pub(super) fn element_order() -> Self {
        Self::Malformed("invalid patch format of setElementOrder list".into())
    }

    pub(super) fn list_of_lists() -> Self {
        Self::Unfit("lists of lists are not supported".into())
    }

    pub(super) fn no_merge_key(map: &Map, key: &str) -> Self {
        let map = go_print(&map.clone().into());
        Self::Other(format!("map: {map} does not contain declared merge key: {key}"))
    }

    pub(super) fn expected_map(found: &Value) -> Self {
        Self::Other(format!(
            "expected a map[string]interface {{}}, but received a {}",
            go_type_name(found)
        ))
    }

    pub(super) fn expected_list(found: &Value) -> Self {
        Self::Other(format!("expected a []interface {{}}, but received a {}", go_type_name(found)))
    }

    pub(super) fn unknown_directive(directive: &Value, map: &Map) -> Self {
        let directive = match directive {
            Value::Str(text) => text.to_string(),
            Value::Null => "%!s(<nil>)".into(),
            other => format!("%!s({}={})", go_type_name(other), go_print(other)),
        };
        let map = go_print(&map.clone().into());
        Self::Other(format!("unknown patch type: {directive} in map: {map}"))
    }
}
