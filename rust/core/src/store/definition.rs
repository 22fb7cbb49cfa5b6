//! CustomResourceDefinitions as stored objects: the kind they make known, and their status.
//!
//! What a definition says is compiled in [`api::custom`](crate::api::custom); there is no delay
//! between a definition and its kind.

use super::Store;
use super::object::ObjectId;
use crate::api::{ApiError, ApiResult};
use crate::base::Value;

impl Store {
    /// Makes the kind a CustomResourceDefinition defines known.
    pub(super) fn define(&mut self, id: ObjectId) -> ApiResult<()> {
        let definition = self.get(id).expect("the definition exists");
        let name = self.name(id).unwrap_or_default();
        self.registry
            .define(&definition)
            .map(drop)
            .map_err(|errors| ApiError::invalid(&self.registry.kind(id.kind).id, &name, &errors))
    }

    /// What the API server's own controllers say of a definition once its kind is served.
    pub(super) fn establish(&mut self, id: ObjectId) {
        let definition = self.get(id).expect("the definition exists");
        let mut status = definition.get("status").cloned().unwrap_or_default();
        if let Some(names) = definition.at(&["spec", "names"]) {
            status.set(&["acceptedNames"], names.clone());
        }
        if status.list_at(&["conditions"]).is_empty() {
            let now = self.now.to_second().to_string();
            let condition = |kind: &str, reason: &str, message: &str| {
                Value::map([
                    ("type", Value::from(kind)),
                    ("status", "True".into()),
                    ("lastTransitionTime", now.clone().into()),
                    ("reason", reason.into()),
                    ("message", message.into()),
                ])
            };
            let established = "the initial names have been accepted";
            status.set(
                &["conditions"],
                vec![
                    condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                    condition("Established", "InitialNamesAccepted", established),
                ],
            );
        }
        if definition.get("status") != Some(&status) {
            let mut object = definition;
            object.set(&["status"], status);
            let incoming = self.split(id.kind, object);
            self.rewrite(id, incoming);
        }
    }
}
