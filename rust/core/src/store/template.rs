//! Pods from an owner's `spec.template`, and the claiming of pods by selectors: what every
//! workload controller does, in bulk.

use std::sync::Arc;

use super::bulk::Naming;
use super::create::WriteOptions;
use super::object::{Body, ObjectId};
use super::uid::Uid;
use super::{Store, create::Strictness};
use crate::api::{ApiError, ApiResult, KindId};
use crate::base::{Map, Value};
use crate::labels::Selector;

/// What a claim changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Objects that nobody controlled and that are now the owner's.
    pub adopted: Vec<ObjectId>,
    /// Objects that were the owner's and no longer match.
    pub released: Vec<ObjectId>,
}

impl Store {
    /// Creates `count` pods from the owner's `spec.template`, named after the owner. They share
    /// one body.
    ///
    /// # Errors
    /// What creating one of them answers; then none is created.
    pub fn create_from_template(
        &mut self,
        owner: ObjectId,
        count: usize,
    ) -> ApiResult<Vec<ObjectId>> {
        let body = self
            .body(owner)
            .cloned()
            .ok_or_else(|| ApiError::not_found(self.resource(owner.kind), ""))?;
        let name = self.name(owner).unwrap_or_default();
        let template = body.at(&["spec", "template"]).cloned().unwrap_or_default();
        let mut meta = Map::new();
        for field in ["labels", "annotations", "finalizers"] {
            if let Some(value) = template.at(&["metadata", field]) {
                meta.insert(field, value.clone());
            }
        }
        meta.insert("generateName", format!("{name}-"));
        meta.insert("ownerReferences", vec![self.controller_reference(owner)]);
        if let Some(namespace) = body.namespace {
            meta.insert("namespace", self.strings.text(namespace));
        }
        let pod = Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", "Pod".into()),
            ("metadata", meta.into()),
            ("spec", template.get("spec").cloned().unwrap_or_default()),
        ]);
        let options = WriteOptions { strictness: Strictness::Ignore, ..WriteOptions::default() };
        self.create_many(pod, &Naming::Generated(count), &options)
    }

    /// The owner reference by which an object controls others.
    pub fn controller_reference(&self, owner: ObjectId) -> Value {
        let kind = self.registry.kind(owner.kind);
        Value::map([
            ("apiVersion", Value::from(kind.api_version(kind.preferred()))),
            ("kind", kind.id.kind.clone().into()),
            ("name", self.name(owner).unwrap_or_default().into()),
            ("uid", self.uid_text(owner).unwrap_or_default().into()),
            ("controller", true.into()),
            ("blockOwnerDeletion", true.into()),
        ])
    }

    /// Brings the objects of `kind` that `owner` controls in line with its selector: adopts
    /// those that match and that nobody controls, releases those that no longer match. The cost
    /// is that of what is found. Terminal pods and objects being deleted are left.
    pub fn claim(&mut self, owner: ObjectId, kind: KindId) -> Claimed {
        let Some(row) = self.row(owner) else { return Claimed::default() };
        let (uid, body) =
            (row.uid.expect("objects have uids"), Arc::clone(row.body.as_ref().expect("occupied")));
        let dying = row.deletion.is_some();
        let Some(selector) = body
            .at(&["spec", "selector"])
            .and_then(|selector| Selector::from_label_selector(selector).ok())
        else {
            return Claimed::default();
        };
        let mut claimed =
            Claimed { released: self.strays(uid, kind, &selector), ..Claimed::default() };
        if !dying {
            let table = self.table(kind);
            let orphans = table.orphans.select(&self.sets, body.namespace, &selector);
            let ids = orphans.iter().map(|slot| table.id(kind, slot));
            claimed.adopted = ids.filter(|id| self.is_claimable(*id)).collect();
        }
        self.change_controllers(owner, &claimed);
        claimed
    }

    /// What `uid` controls although the selector does not select it. When all active pods
    /// counted for the owner share one matching label set there is nothing to look for.
    fn strays(&self, uid: Uid, kind: KindId, selector: &Selector) -> Vec<ObjectId> {
        let table = self.table(kind);
        if kind == self.kinds.pod {
            let counts = table.owners.counts(uid);
            let matches = |labels| self.sets.matches(labels, selector);
            if counts.active == 0
                || (counts.other_labels == 0 && counts.labels.is_some_and(matches))
            {
                return Vec::new();
            }
        }
        let Some(slots) = table.owners.slots(uid) else { return Vec::new() };
        let stray = |id: &ObjectId| {
            let body = self.body(*id).expect("indexed");
            body.controller == Some(uid)
                && self.is_claimable(*id)
                && !self.sets.matches(body.labels, selector)
        };
        slots.iter().map(|slot| table.id(kind, slot)).filter(stray).collect()
    }

    fn is_claimable(&self, id: ObjectId) -> bool {
        let alive = self.row(id).is_some_and(|row| row.deletion.is_none());
        alive && (id.kind != self.kinds.pod || !self.pod(id.slot).phase.is_terminal())
    }

    fn change_controllers(&mut self, owner: ObjectId, claimed: &Claimed) {
        let reference = self.controller_reference(owner);
        let uid = reference.str_at(&["uid"]).unwrap_or_default().to_owned();
        for id in &claimed.adopted {
            let mut references = self.owner_references(*id);
            references.push(reference.clone());
            self.set_owner_references(*id, references);
        }
        for id in &claimed.released {
            let mut references = self.owner_references(*id);
            references.retain(|reference| reference.str_at(&["uid"]) != Some(&uid));
            self.set_owner_references(*id, references);
        }
    }

    fn owner_references(&self, id: ObjectId) -> Vec<Value> {
        let body: Option<&Arc<Body>> = self.body(id);
        let list = body.and_then(|body| body.meta.get("ownerReferences")?.as_list());
        list.map_or_else(Vec::new, <[Value]>::to_vec)
    }
}
