//! How an object is kept: a small row of its own and a body it may share.
//!
//! ```text
//!   Row (56 bytes, one per object)            Body (shared by all replicas of one template)
//!   name  uid  created  revision  ──────────►  namespace  labels  owners
//!   generation  deletion                       metadata left over  spec, data, ...  status
//! ```
//!
//! A thousand pods of one ReplicaSet are a thousand rows and one body. Whatever the engine
//! changes often about a pod lives in its [`super::pod::PodState`], not in the body.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::shape::Shape;
use super::uid::Uid;
use crate::api::KindId;
use crate::base::random::suffix_text;
use crate::base::{Interner, Map, StrId, Text, Time, Value};
use crate::labels::LabelSetId;

/// Names one object for as long as it lives; a slot used again has another generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// The kind, whose table the slot is in.
    pub kind: KindId,
    /// The row.
    pub slot: u32,
    /// How often the row was used before.
    pub generation: u32,
}

impl ObjectId {
    /// The id as one number, for callers that hold ids as integers. Twenty bits of the
    /// generation take part: an id is stale after a million reuses of its row at the latest.
    pub fn to_bits(self) -> i64 {
        let kind = (self.kind.index() as i64) << 52;
        kind | i64::from(self.generation & GENERATION_BITS) << 32 | i64::from(self.slot)
    }
}

const GENERATION_BITS: u32 = (1 << 20) - 1;

/// A name in eight bytes: interned text, or interned prefix and five generated characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    base: Option<StrId>,
    suffix: u32,
}

const NO_SUFFIX: u32 = u32::MAX;

impl Name {
    /// A whole interned name.
    pub fn whole(base: StrId) -> Self {
        Self { base: Some(base), suffix: NO_SUFFIX }
    }

    /// A prefix and a generated suffix; see [`crate::base::Stream::name_suffix`].
    pub fn generated(prefix: StrId, suffix: u32) -> Self {
        Self { base: Some(prefix), suffix }
    }

    /// The interned name, unless it was generated.
    pub fn whole_id(self) -> Option<StrId> {
        self.base.filter(|_| self.suffix == NO_SUFFIX)
    }

    /// The name as text.
    pub fn text(self, strings: &Interner) -> Text {
        let mut text = Text::from(self.base.map_or("", |base| strings.text(base)));
        if self.suffix != NO_SUFFIX {
            for symbol in suffix_text(self.suffix) {
                text.push(char::from(symbol));
            }
        }
        text
    }
}

/// What is kept per object.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The shared part; `None` in a free row.
    pub body: Option<Arc<Body>>,
    /// Present once deletion was asked for.
    pub deletion: Option<Arc<Deletion>>,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Option<Uid>,
    /// `metadata.creationTimestamp`.
    pub created: Time,
    /// `metadata.resourceVersion`.
    pub revision: u64,
    /// `metadata.generation`; 0 for kinds that have none.
    pub generation: u32,
    /// How often this row was used before.
    pub reuse: u32,
}

/// A deletion that has begun and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// `metadata.deletionTimestamp`.
    pub time: Time,
    /// `metadata.deletionGracePeriodSeconds`.
    pub grace_seconds: i64,
}

/// The part of an object that others may share; immutable.
#[derive(Debug, Serialize, Deserialize)]
pub struct Body {
    /// `metadata.namespace`; `None` for cluster-scoped kinds.
    pub namespace: Option<StrId>,
    /// `metadata.labels`.
    pub labels: LabelSetId,
    /// Which of its kind's versions `apiVersion` names.
    pub version: u8,
    /// The uids of `metadata.ownerReferences`, in order.
    pub owners: SmallVec<[Uid; 1]>,
    /// The owner marked as controller.
    pub controller: Option<Uid>,
    /// What is left of the metadata: annotations, finalizers, owner references, unknown fields.
    pub meta: Arc<Map>,
    /// Every top-level field but apiVersion, kind, metadata and status.
    pub doc: Arc<Map>,
    /// `status`, when it is kept as a document; `Null` otherwise.
    pub status: Value,
    /// What the spec of a pod asks, compiled on first use.
    #[serde(skip)]
    pub shape: OnceLock<Arc<Shape>>,
    /// What the scheduler made of it on first use; the store never looks inside.
    #[serde(skip)]
    pub compiled: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Body {
    /// A copy to change; it forgets what was compiled of it.
    pub fn to_changed(&self) -> Self {
        Self {
            namespace: self.namespace,
            labels: self.labels,
            version: self.version,
            owners: self.owners.clone(),
            controller: self.controller,
            meta: Arc::clone(&self.meta),
            doc: Arc::clone(&self.doc),
            status: self.status.clone(),
            shape: OnceLock::new(),
            compiled: OnceLock::new(),
        }
    }

    /// A copy with another status; the compiled shape stays, since the spec does.
    pub fn with_status(&self, status: Value) -> Self {
        let mut body = self.to_changed();
        body.shape.clone_from(&self.shape);
        body.status = status;
        body
    }

    /// The value down a path of map keys below the document's top level.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        self.doc.get(first)?.at(rest)
    }

    /// The finalizers still in place.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.meta
            .get("finalizers")
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
    }

    /// One annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.meta.get("annotations")?.get(key)?.as_str()
    }
}
