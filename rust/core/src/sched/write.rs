//! Out through the store: what a cycle decided becomes a binding, or a condition and an event.

use std::sync::Arc;

use super::cache::{Place, PodRecord};
use super::cycle::message::truncate_note;
use super::cycle::{Failure, Nominate};
use super::nodes::NodeId;
use super::plugins::volume_binding;
use super::{DecisionResult, Scheduler};
use crate::base::Text;
use crate::store::delete::DeleteOptions;
use crate::store::pod::PREEMPTED;
use crate::store::recorder::Said;
use crate::store::{ObjectId, Store};

impl Scheduler {
    /// Binds a pod; it counts on its node at once.
    pub(super) fn bind(
        &mut self,
        store: &mut Store,
        pod: ObjectId,
        number: u32,
        node: NodeId,
    ) -> DecisionResult {
        let record = self.cache.pod(pod.slot);
        let info = Arc::clone(self.cache.info(pod.slot));
        self.nominate(pod.slot, None);
        self.queue.remove(number);
        let body = self.reserve_gpus(store, pod, record, node);
        self.cache.put_on_node(pod.slot, node, false);
        let record = self.cache.pod(pod.slot);
        self.cache.set_pod(pod.slot, PodRecord { place: Place::Assumed(node), ..record });
        let chosen = self.cache.nodes.info(node);
        let labels = chosen.spec.as_ref().expect("only nodes that exist are chosen").labels;
        volume_binding::reserve(store, &info, pod.slot, &chosen.name, labels);
        let name = store.strings.intern(&self.cache.nodes.info(node).name);
        store.bind_pod(pod.slot, name, body);
        let node = &self.cache.nodes.info(node).name;
        store.record(pod, false, "Scheduled", &info.scheduler_name, Said::Assigned(node));
        DecisionResult::Bound(name)
    }

    /// Says on a pod why no node would have it, and makes room if that was found to help.
    pub(super) fn reject(
        &mut self,
        store: &mut Store,
        pod: ObjectId,
        number: u32,
        failure: Failure,
    ) -> DecisionResult {
        let Failure { message, rejectors, nominate, victims } = failure;
        let info = Arc::clone(self.cache.info(pod.slot));
        let victims = self.preempt(store, pod, &nominate, &victims);
        self.queue.fail(number, rejectors, store.now);
        match &nominate {
            Nominate::Keep => {}
            Nominate::Clear => self.write_nomination(store, pod.slot, None),
            Nominate::Node(node) => self.write_nomination(store, pod.slot, Some(node)),
        }
        let note = truncate_note(&message);
        store.record(pod, true, "FailedScheduling", &info.scheduler_name, Said::Text(&note));
        let message = self.shared_message(message);
        store.mark_unschedulable(pod.slot, &message);
        DecisionResult::Unschedulable { message, victims }
    }

    /// Leaves a popped pod alone. One that is being deleted hears why.
    pub(super) fn skip(&mut self, store: &mut Store, pod: ObjectId, number: u32) -> DecisionResult {
        let record = self.cache.pod(pod.slot);
        let info = Arc::clone(self.cache.info(pod.slot));
        self.leave_queue(pod.slot, number, record);
        let deleted = store.row(pod).filter(|row| row.deletion.is_some());
        if let Some(row) = deleted.filter(|_| store.pod(pod.slot).node.is_none()) {
            let namespace = info.namespace.map_or("", |id| store.strings.text(id));
            let name = row.name.text(&store.strings);
            let text = format!("skip schedule deleting pod: {namespace}/{name}");
            store.record(pod, true, "FailedScheduling", &info.scheduler_name, Said::Text(&text));
        }
        DecisionResult::Skipped
    }

    /// One copy of a message that many pods share in a row.
    fn shared_message(&mut self, message: Text) -> Arc<Text> {
        match &self.last_message {
            Some(last) if **last == message => Arc::clone(last),
            _ => Arc::clone(self.last_message.insert(Arc::new(message))),
        }
    }

    /// Deletes the victims of a preemption and takes the promise of their node from pods of
    /// lower priority.
    fn preempt(
        &mut self,
        store: &mut Store,
        preemptor: ObjectId,
        nominate: &Nominate,
        victims: &[u32],
    ) -> Vec<ObjectId> {
        let Nominate::Node(node) = nominate else { return Vec::new() };
        let preemptor_info = Arc::clone(self.cache.info(preemptor.slot));
        let promised = self.cache.nominations.on(node).to_vec();
        for slot in promised {
            if self.cache.info(slot).priority < preemptor_info.priority {
                self.write_nomination(store, slot, None);
            }
        }
        let uid = store.uid_text(preemptor).unwrap_or_default();
        let table = store.table(store.kinds.pod);
        let ids: Vec<ObjectId> =
            victims.iter().map(|slot| table.id(store.kinds.pod, *slot)).collect();
        for victim in &ids {
            let leaving = store.row(*victim).is_none_or(|row| row.deletion.is_some());
            if leaving {
                continue;
            }
            store.update_pod(victim.slot, |pod| pod.flags |= PREEMPTED);
            let text = format!("Preempted by pod {uid} on node {node}");
            let scheduler = &preemptor_info.scheduler_name;
            store.record(*victim, false, "Preempted", scheduler, Said::Text(&text));
            let deleted = store.delete(*victim, &DeleteOptions::default());
            deleted.expect("a delete without preconditions succeeds");
        }
        ids
    }

    /// Writes a pod's nominated node, if it changes.
    fn write_nomination(&mut self, store: &mut Store, slot: u32, node: Option<&Text>) {
        self.nominate(slot, node);
        let name = node.map(|node| store.strings.intern(node));
        if store.pod(slot).nominated != name {
            store.update_pod(slot, |pod| pod.nominated = name);
        }
    }
}
