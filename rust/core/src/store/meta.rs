//! `metadata` taken apart on the way in and put together on the way out.

use super::object::Deletion;
use crate::base::{Map, Text, Time, Value};

/// The metadata of an incoming object, typed where the store keeps a column for it.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// `name`.
    pub name: Text,
    /// `generateName`; it stays in `rest` too, for it comes back.
    pub generate_name: Text,
    /// `namespace`.
    pub namespace: Text,
    /// `uid`.
    pub uid: Text,
    /// `resourceVersion`.
    pub revision: Text,
    /// `creationTimestamp`.
    pub created: Option<Time>,
    /// `generation`.
    pub generation: i64,
    /// `deletionTimestamp` and its grace period.
    pub deletion: Option<Deletion>,
    /// `labels`.
    pub labels: Map,
    /// Everything else.
    pub rest: Map,
}

impl Meta {
    /// Takes `metadata` apart. The object was decoded before, so types are as the API has them;
    /// what still does not fit its column is left in `rest`.
    pub fn split(metadata: Option<Value>) -> Self {
        let mut meta = Self::default();
        let Some(Value::Map(map)) = metadata else { return meta };
        let mut grace_seconds = 0;
        let mut deleted = None;
        let mut rest = Vec::new();
        for (key, value) in std::sync::Arc::unwrap_or_clone(map) {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("name", Value::Str(text)) => meta.name = text,
                ("namespace", Value::Str(text)) => meta.namespace = text,
                ("uid", Value::Str(text)) => meta.uid = text,
                ("resourceVersion", Value::Str(text)) => meta.revision = text,
                ("generation", Value::Int(number)) => meta.generation = number,
                ("deletionGracePeriodSeconds", Value::Int(number)) => grace_seconds = number,
                ("creationTimestamp", Value::Str(text)) => meta.created = Time::parse(&text).ok(),
                ("deletionTimestamp", Value::Str(text)) => deleted = Time::parse(&text).ok(),
                ("labels", Value::Map(labels)) => {
                    meta.labels = std::sync::Arc::unwrap_or_clone(labels);
                }
                (_, value) => {
                    if let ("generateName", Value::Str(text)) = (key.as_str(), &value) {
                        meta.generate_name.clone_from(text);
                    }
                    rest.push((key, value));
                }
            }
        }
        meta.rest = rest.into_iter().collect();
        meta.deletion = deleted.map(|time| Deletion { time, grace_seconds });
        meta
    }

    /// The uids of the owner references, in order, and that of the controller.
    pub fn owners(rest: &Map) -> (Vec<&str>, Option<&str>) {
        let references = rest.get("ownerReferences").and_then(Value::as_list).unwrap_or_default();
        let uids = references.iter().filter_map(|reference| reference.str_at(&["uid"])).collect();
        let controller = references
            .iter()
            .find(|reference| reference.get("controller").and_then(Value::as_bool) == Some(true))
            .and_then(|reference| reference.str_at(&["uid"]));
        (uids, controller)
    }
}
