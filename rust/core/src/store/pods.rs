//! Writes to the runtime columns of pods: the engine's own, and the binding subresource.

use std::sync::Arc;

use super::log::Verb;
use super::object::{Body, Row};
use super::pod::{PodState, SCHEDULED, UNSCHEDULABLE};
use super::{ObjectId, Store};
use crate::api::{ApiError, ApiResult};
use crate::base::{StrId, Text, Value};
use crate::labels::Posting;

impl Store {
    /// Changes a pod's runtime state: one write, one resourceVersion. A status document from
    /// outside gives way to what the columns say, as it does when a kubelet posts its own.
    ///
    /// # Panics
    /// When no pod is at `slot`.
    pub fn update_pod(&mut self, slot: u32, change: impl FnOnce(&mut PodState)) {
        self.rewrite_pod(slot, None, change);
    }

    /// Changes a pod's runtime state and gives it another body: the same labels and owners, and
    /// other annotations.
    fn rewrite_pod(
        &mut self,
        slot: u32,
        body: Option<Arc<Body>>,
        change: impl FnOnce(&mut PodState),
    ) {
        let kind = self.kinds.pod;
        let id = self.table(kind).id(kind, slot);
        let previous = self.version(id).expect("a pod is at the slot");
        let before = previous.row.revision;
        let old = previous.pod.as_ref().expect("pods have a state").clone();
        let pod = self.pods.get_mut(slot as usize);
        change(pod);
        let (old_node, new_node) = (old.node, pod.node);
        if let Some(body) = body {
            self.table_mut(kind).row_mut(slot).body = Some(body);
        }
        self.count_change(slot, &previous.row, &old);
        if old_node != new_node {
            self.move_to_node(slot, old_node, new_node);
        }
        self.drop_status_document(slot);
        self.keep_labels(id);
        self.log_write(Verb::Modified, id, before, Some(previous));
    }

    /// Binds a pod to a node. A binding may bring annotations, which the pod has from then on:
    /// `body` is the pod's with them.
    pub fn bind_pod(&mut self, slot: u32, node: StrId, body: Option<Arc<Body>>) {
        let now = self.now;
        self.rewrite_pod(slot, body, |pod| {
            pod.node = Some(node);
            pod.nominated = None;
            pod.flags = (pod.flags | SCHEDULED) & !UNSCHEDULABLE;
            pod.scheduled_at = now;
            pod.message = None;
        });
    }

    /// Says on a pod why it cannot be scheduled. Saying the same again writes nothing.
    pub fn mark_unschedulable(&mut self, slot: u32, message: &Arc<Text>) {
        let pod = self.pod(slot);
        let same = pod.message.as_ref().is_some_and(|have| have == message);
        if pod.has(UNSCHEDULABLE) && same {
            return;
        }
        let now = self.now;
        self.update_pod(slot, |pod| {
            if !pod.has(UNSCHEDULABLE) {
                pod.scheduled_at = now;
            }
            pod.flags |= UNSCHEDULABLE;
            pod.message = Some(Arc::clone(message));
        });
    }

    /// The `binding` subresource: what a scheduler of its own writes.
    ///
    /// # Errors
    /// The pod is gone, being deleted, or already bound.
    pub fn bind(&mut self, id: ObjectId, target: &str) -> ApiResult<()> {
        let name = self.name(id).ok_or_else(|| ApiError::not_found(self.resource(id.kind), ""))?;
        let row = self.row(id).expect("it has a name");
        let binding = crate::api::GroupResource::new("", "pods/binding");
        if row.deletion.is_some() {
            let why = format!("pod {name} is being deleted, cannot be assigned to a host");
            return Err(ApiError::conflict(&binding, &name, why));
        }
        if let Some(node) = self.pod(id.slot).node {
            let node = self.strings.text(node);
            let why =
                format!("pod {name} is already assigned to node {}", crate::base::go_quote(node));
            return Err(ApiError::conflict(&binding, &name, why));
        }
        let node = self.strings.intern(target);
        self.bind_pod(id.slot, node, None);
        Ok(())
    }

    /// Stores the state of a pod that was just added at `slot`.
    pub(super) fn place_pod(&mut self, slot: u32, pod: PodState) {
        let slots = self.table(self.kinds.pod).slots() as usize;
        if self.pods.len() < slots {
            self.pods.resize(slots);
        }
        let node = pod.node;
        self.pods.set(slot as usize, pod);
        self.move_to_node(slot, None, node);
        self.count_in(slot, 1);
    }

    /// Takes a pod that is about to be removed out of counts and node lists.
    pub(super) fn displace_pod(&mut self, slot: u32) {
        self.count_in(slot, -1);
        let node = self.pod(slot).node;
        self.move_to_node(slot, node, None);
        self.pods.set(slot as usize, PodState::default());
    }

    /// Replaces a pod's state as part of a larger write, which logs it.
    pub(super) fn set_pod(&mut self, slot: u32, pod: PodState, old_row: &Row) {
        let old = std::mem::replace(self.pods.get_mut(slot as usize), pod);
        self.count_change(slot, old_row, &old);
        let node = self.pod(slot).node;
        if old.node != node {
            self.move_to_node(slot, old.node, node);
        }
    }

    /// Moves a pod from the class it had as (`row`, `old`) to the one it has now.
    pub(super) fn count_change(&mut self, slot: u32, row: &Row, old: &PodState) {
        let kind = self.kinds.pod;
        let now_row = self.table(kind).row(slot).expect("the pod exists");
        let (was, is) = (old.class(row), self.pod(slot).class(now_row));
        let (old_body, new_body) =
            (row.body.as_ref().expect("occupied"), now_row.body.as_ref().expect("occupied"));
        let (from, to) = (old_body.controller, new_body.controller);
        let (old_labels, new_labels) = (old_body.labels, new_body.labels);
        if was == is && from == to && old_labels == new_labels {
            return;
        }
        let owners = &mut self.table_mut(kind).owners;
        if let Some(owner) = from {
            owners.count(owner, was, old_labels, -1);
        }
        if let Some(owner) = to {
            owners.count(owner, is, new_labels, 1);
        }
    }

    pub(super) fn count_in(&mut self, slot: u32, sign: i32) {
        let kind = self.kinds.pod;
        let row = self.table(kind).row(slot).expect("the pod exists");
        let body = row.body.as_ref().expect("occupied");
        let (class, labels) = (self.pod(slot).class(row), body.labels);
        if let Some(owner) = body.controller {
            self.table_mut(kind).owners.count(owner, class, labels, sign);
        }
    }

    pub(super) fn move_to_node(&mut self, slot: u32, from: Option<StrId>, to: Option<StrId>) {
        if let Some(slots) = from.and_then(|node| self.by_node.get_mut(&node)) {
            slots.remove(slot);
        }
        if let Some(node) = to {
            match self.by_node.get_mut(&node) {
                Some(slots) => {
                    slots.insert(slot);
                }
                None => {
                    self.by_node.insert(node, Posting::One(slot));
                }
            }
        }
    }

    fn drop_status_document(&mut self, slot: u32) {
        let kind = self.kinds.pod;
        let row = self.table(kind).row(slot).expect("the pod exists");
        let body = row.body.as_ref().expect("occupied");
        if !body.status.is_null() {
            let plain = Arc::new(body.with_status(Value::Null));
            self.table_mut(kind).row_mut(slot).body = Some(plain);
        }
    }
}
