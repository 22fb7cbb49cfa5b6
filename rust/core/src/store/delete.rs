//! Deleting objects: preconditions, grace, finalizers, propagation; and the final removal.
//!
//! ```text
//!   delete ──► finalizers, or a pod that runs? ──no──► gone: DELETED in the log
//!                 │ yes
//!                 ▼
//!   deletionTimestamp set, MODIFIED ──► last finalizer removed, kubelet done ──► gone
//! ```

use std::sync::Arc;

use super::log::Verb;
use super::object::{Deletion, ObjectId};
use super::update::set_list;
use super::{Store, pod::Phase, recorder};
use crate::api::{ApiError, ApiResult};
use crate::base::{Nanos, Value};

/// The finalizer that waits for dependents.
pub const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer that waits for dependents to be let go.
pub const ORPHAN: &str = "orphan";

/// What becomes of an object's dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted afterwards.
    Background,
    /// They are deleted first.
    Foreground,
    /// They stay, without this owner.
    Orphan,
}

impl Propagation {
    /// Reads the API's word.
    ///
    /// # Errors
    /// The API server's sentence about an unknown policy.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "Background" => Ok(Self::Background),
            "Foreground" => Ok(Self::Foreground),
            "Orphan" => Ok(Self::Orphan),
            _ => Err(format!(
                "propagationPolicy: Unsupported value: {}: supported values: \"Background\", \
                 \"Foreground\", \"Orphan\"",
                crate::base::go_quote(name)
            )),
        }
    }
}

/// `DeleteOptions`.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds a pod gets to stop; its own setting when absent.
    pub grace_seconds: Option<i64>,
    /// What becomes of dependents; the kind's default when absent.
    pub propagation: Option<Propagation>,
    /// Delete only the object with this uid.
    pub uid: Option<String>,
    /// Delete only the object at this resourceVersion.
    pub revision: Option<String>,
    /// Do everything but delete.
    pub dry_run: bool,
}

/// What a delete came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Value),
    /// The object is marked and waits for finalizers or for its kubelet.
    Marked(Value),
}

impl Store {
    /// Deletes an object, or marks it when something must happen first.
    ///
    /// # Errors
    /// Not found, or a precondition that does not hold.
    pub fn delete(&mut self, id: ObjectId, options: &DeleteOptions) -> ApiResult<Deleted> {
        let Some(before) = self.get(id) else {
            return Err(ApiError::not_found(self.resource(id.kind), ""));
        };
        if let Some(number) = recorder::engine_number(self, id) {
            if !options.dry_run {
                self.erase_event(number);
            }
            return Ok(Deleted::Gone(before));
        }
        self.check_delete(id, &before, options)?;
        if options.dry_run {
            return Ok(Deleted::Gone(before));
        }
        self.add_propagation_finalizer(id, options.propagation);
        let grace = self.grace(id, options.grace_seconds);
        let row = self.row(id).expect("it exists");
        let held = row.body.as_ref().expect("occupied").finalizers().next().is_some();
        let namespace_waits = id.kind == self.kinds.namespace && self.holds_content(id);
        if grace == 0 && !held && !namespace_waits {
            return Ok(Deleted::Gone(self.erase(id)));
        }
        self.mark(id, grace);
        if namespace_waits {
            self.set_namespace_phase(id, "Terminating");
        }
        Ok(Deleted::Marked(self.get(id).expect("it is only marked")))
    }

    /// Deletes every object in `ids`; those already gone are passed over. Returns the last
    /// state of each.
    pub fn delete_all(
        &mut self,
        ids: &[ObjectId],
        options: &DeleteOptions,
    ) -> ApiResult<Vec<Value>> {
        let mut deleted = Vec::with_capacity(ids.len());
        for id in ids {
            if self.exists(*id) {
                let (Deleted::Gone(object) | Deleted::Marked(object)) =
                    self.delete(*id, options)?;
                deleted.push(object);
            }
        }
        Ok(deleted)
    }

    fn check_delete(&self, id: ObjectId, object: &Value, options: &DeleteOptions) -> ApiResult<()> {
        let (resource, name) = (self.resource(id.kind), self.name(id).unwrap_or_default());
        let checks = [
            ("UID", "uid", options.uid.as_deref()),
            ("ResourceVersion", "resourceVersion", options.revision.as_deref()),
        ];
        for (title, field, wanted) in checks {
            let stored = object.str_at(&["metadata", field]).unwrap_or_default();
            if let Some(wanted) = wanted.filter(|wanted| *wanted != stored) {
                let why = format!(
                    "the {title} in the precondition ({wanted}) does not match the {title} in \
                     record ({stored}). The object might have been deleted and then recreated"
                );
                return Err(ApiError::conflict(resource, &name, why));
            }
        }
        Ok(())
    }

    /// How many seconds the object gets: only pods that run somewhere get any.
    fn grace(&self, id: ObjectId, asked: Option<i64>) -> i64 {
        if id.kind != self.kinds.pod {
            return 0;
        }
        let pod = self.pod(id.slot);
        if pod.node.is_none() || pod.phase.is_terminal() {
            return 0;
        }
        let row = self.row(id).expect("it exists");
        let own = self.shape(row.body.as_ref().expect("occupied")).grace_seconds;
        let grace = match asked.unwrap_or(own) {
            negative if negative < 0 => 1,
            seconds => seconds,
        };
        // A grace period that began can only become shorter.
        row.deletion.as_ref().map_or(grace, |deletion| grace.min(deletion.grace_seconds))
    }

    /// Sets the deletion timestamp; asking again can only move it forward.
    fn mark(&mut self, id: ObjectId, grace_seconds: i64) {
        let previous = self.version(id).expect("it exists");
        let before = previous.row.revision;
        let time = self.now.to_second().after(Nanos::from_secs(grace_seconds));
        if let Some(deletion) = &previous.row.deletion
            && deletion.time <= time
        {
            return;
        }
        let rises = self.policy(id.kind).generation && previous.row.deletion.is_none();
        let row = self.table_mut(id.kind).row_mut(id.slot);
        row.deletion = Some(Arc::new(Deletion { time, grace_seconds }));
        row.generation += u32::from(rises);
        if let Some(pod) = &previous.pod {
            self.count_change(id.slot, &previous.row, pod);
        }
        self.keep_labels(id);
        self.log_write(Verb::Modified, id, before, Some(previous));
    }

    /// Removes an object that is marked once nothing holds it any more.
    pub(super) fn finish_deletion(&mut self, id: ObjectId) {
        let Some(row) = self.row(id) else { return };
        let Some(deletion) = &row.deletion else { return };
        let held = row.body.as_ref().expect("occupied").finalizers().next().is_some();
        let namespace_waits = id.kind == self.kinds.namespace && self.holds_content(id);
        let pod_waits = id.kind == self.kinds.pod && deletion.grace_seconds > 0 && {
            let pod = self.pod(id.slot);
            pod.node.is_some() && !pod.phase.is_terminal()
        };
        if !held && !namespace_waits && !pod_waits {
            self.erase(id);
        }
    }

    /// The kubelet is done with a marked pod: the API's delete with grace zero.
    pub fn finish_pod(&mut self, id: ObjectId) {
        let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        if self.row(id).is_some() {
            self.delete(id, &options).expect("a delete without preconditions succeeds");
        }
    }

    /// Removes an object now and returns its last state.
    pub(super) fn erase(&mut self, id: ObjectId) -> Value {
        let previous = self.version(id).expect("it exists");
        let before = previous.row.revision;
        let name = previous.row.name.text(&self.strings);
        if id.kind == self.kinds.pod {
            self.displace_pod(id.slot);
        }
        self.free_addresses(id);
        self.table_mut(id.kind).remove(id.slot, &name);
        let revision = self.log_write(Verb::Deleted, id, before, Some(previous.clone()));
        if id.kind == self.kinds.definition {
            self.undefine(&name);
        }
        self.render_version(id.kind, &previous, revision)
    }

    /// The kind of a deleted CustomResourceDefinition goes, and its objects with it.
    fn undefine(&mut self, name: &str) {
        let defined = self
            .registry
            .kinds()
            .find(|(_, kind)| kind.definition.is_some() && kind.resource.to_string() == name)
            .map(|(id, _)| id);
        let Some(kind) = defined else { return };
        let ids: Vec<ObjectId> =
            self.table(kind).iter().map(|(slot, _)| self.table(kind).id(kind, slot)).collect();
        for id in ids {
            self.erase(id);
        }
        self.registry.undefine(name);
    }

    fn add_propagation_finalizer(&mut self, id: ObjectId, propagation: Option<Propagation>) {
        let wanted = match propagation {
            Some(Propagation::Foreground) => Some(FOREGROUND),
            Some(Propagation::Orphan) => Some(ORPHAN),
            Some(Propagation::Background) => None,
            // Without a policy the finalizers already there decide.
            None => return,
        };
        let body = self.body(id).expect("it exists");
        let have: Vec<&str> = body.finalizers().collect();
        let mut finalizers: Vec<Value> = have
            .iter()
            .filter(|name| ![FOREGROUND, ORPHAN].contains(*name))
            .map(|name| Value::from(*name))
            .collect();
        finalizers.extend(wanted.map(Value::from));
        if have.iter().map(|name| Value::from(*name)).eq(finalizers.iter().cloned()) {
            return;
        }
        self.edit_meta(id, |meta| set_list(meta, "finalizers", finalizers));
    }

    /// Whether a namespace still has its own finalizer: its content is deleted first.
    fn holds_content(&self, id: ObjectId) -> bool {
        let body = self.body(id).expect("it exists");
        body.at(&["spec", "finalizers"])
            .and_then(Value::as_list)
            .is_some_and(|finalizers| !finalizers.is_empty())
    }

    fn set_namespace_phase(&mut self, id: ObjectId, phase: &str) {
        let row = self.row(id).expect("it exists");
        let body = row.body.as_ref().expect("occupied");
        let mut status = body.status.clone();
        status.set(&["phase"], phase);
        let body = Arc::new(body.with_status(status));
        // Part of the write that marked it: no resourceVersion of its own.
        self.table_mut(id.kind).row_mut(id.slot).body = Some(body);
    }

    /// Whether the pod ended: it needs no grace to be deleted.
    pub fn is_ended(&self, slot: u32) -> bool {
        matches!(self.pod(slot).phase, Phase::Succeeded | Phase::Failed)
    }
}
