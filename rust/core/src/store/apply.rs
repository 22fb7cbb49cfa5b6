//! `kubectl apply`: three-way, with the last applied configuration kept in an annotation.

use super::Store;
use super::create::{Strictness, WriteOptions, Written};
use super::update::Part;
use crate::api::patch::three_way;
use crate::api::{ApiError, ApiResult};
use crate::base::Value;
use crate::base::value::to_go_json;

/// The annotation that holds what was last applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What an apply came to; kubectl prints the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The object is new.
    Created,
    /// The object changed.
    Configured,
    /// There was nothing to change.
    Unchanged,
}

impl Applied {
    /// kubectl's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
        }
    }
}

impl Store {
    /// Applies a configuration: creates the object, or changes what the configuration changed
    /// since it was last applied and leaves alone what others set.
    ///
    /// # Errors
    /// What the create or the patch answers; nothing is changed then.
    pub fn apply(
        &mut self,
        object: &Value,
        options: &WriteOptions,
    ) -> ApiResult<(Applied, Written)> {
        let (kind, _, warnings) = self.decode(object.clone(), options.strictness)?;
        let namespace = self.target_namespace(kind, object, options.namespace.as_deref())?;
        let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
        if name.is_empty() {
            let word = object.str_at(&["metadata", "generateName"]).unwrap_or_default();
            return Err(ApiError::bad_request(match word {
                "" => "resource name may not be empty".to_owned(),
                prefix => format!("from {prefix}: cannot use generate name with apply"),
            }));
        }
        let mut modified = object.clone();
        if let Some(namespace) = &namespace {
            modified.set(&["metadata", "namespace"], namespace.clone());
        }
        annotate(&mut modified);
        let Some(id) = self.find(kind, namespace.as_deref(), name) else {
            return Ok((Applied::Created, self.create(modified, options)?));
        };
        let current = self.get(id).expect("just found");
        let original = last_applied(&current);
        let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let kind_name = object.str_at(&["kind"]).unwrap_or_default();
        let schema =
            self.registry.find(api_version, kind_name).expect("decoded").version.schema.clone();
        let (patch_kind, patch) =
            three_way::for_apply(&schema, &original, &modified, &current, true)
                .map_err(|error| error.to_api_error())?;
        if patch.as_map().is_some_and(crate::base::Map::is_empty) {
            let written = Written { id, object: current, warnings, changed: false };
            return Ok((Applied::Unchanged, written));
        }
        let quiet = WriteOptions { strictness: Strictness::Ignore, ..options.clone() };
        let mut written = self.patch(id, &patch, patch_kind, Part::Whole, &quiet)?;
        written.warnings.splice(0..0, warnings);
        Ok((Applied::Configured, written))
    }
}

/// Notes in the object itself what is applied, as kubectl does.
fn annotate(object: &mut Value) {
    object.remove(&["metadata", "annotations", LAST_APPLIED]);
    let mut plain = object.clone();
    if plain.at(&["metadata", "annotations"]).is_none() {
        plain.set(&["metadata", "annotations"], crate::base::Map::new());
    }
    object.set(&["metadata", "annotations", LAST_APPLIED], to_go_json(&plain) + "\n");
}

/// The configuration last applied; nothing when the object was made in another way.
fn last_applied(object: &Value) -> Value {
    object
        .str_at(&["metadata", "annotations", LAST_APPLIED])
        .and_then(|text| Value::from_json(text.trim_end()).ok())
        .unwrap_or_else(|| crate::base::Map::new().into())
}
