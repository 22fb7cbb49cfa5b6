//! In from the watch log: pods and nodes as they are now, compared with what is remembered.
//!
//! The log says which object was written; the object's present state says the rest. So several
//! writes of one object are one change, and the changes this scheduler made itself are none.

use std::sync::Arc;

use super::cache::{Place, PodRecord};
use super::events::{Actions, Event, Subject, pod_changes};
use super::node_spec::{NodeSpec, changes};
use super::nodes::NodeId;
use super::pod_info::{InfoId, PodInfo};
use super::storage::StorageKinds;
use super::{Scheduler, is_over, plugins};
use crate::base::{StrId, Text};
use crate::store::log::{Entry, Verb};
use crate::store::{ObjectId, Store};

impl Scheduler {
    /// Takes in the writes after `from` up to and including `to`. The log must still have
    /// them.
    ///
    /// # Panics
    /// When the log was compacted beyond `from`: who compacts asks every reader first.
    pub fn observe(&mut self, store: &Store, from: u64, to: u64) {
        for revision in from + 1..=to {
            let entry = store.log().get(revision).expect("the log has what was not yet observed");
            let id = entry.id();
            if id.kind == store.kinds.pod {
                self.observe_pod(store, id);
            } else if id.kind == store.kinds.node {
                self.observe_node(store, entry);
            } else if id.kind != store.kinds.event {
                self.remembered.failure = None;
                self.selectors.observe(store, entry);
                self.observe_storage(store, entry);
            }
        }
    }

    /// Gives the pods another chance that something to do with volumes may help.
    fn observe_storage(&mut self, store: &Store, entry: &Entry) {
        if self.queue.waiting.is_empty() {
            return;
        }
        let kinds = *self.storage.get_or_insert_with(|| StorageKinds::of(store));
        let Some(resource) = kinds.resource(entry.id().kind) else { return };
        let actions = match entry.verb {
            Verb::Added | Verb::Restored => Actions::ADD,
            Verb::Modified => Actions::UPDATE,
            Verb::Deleted => Actions::DELETE,
        };
        let (current, previous) = (store.row(entry.id()), entry.previous.as_ref());
        let previous = previous.map(|version| &version.row);
        let Some(row) = current.or(previous) else { return };
        let name = row.name.text(&store.strings);
        let old = previous.and_then(|row| row.body.as_deref());
        let new = current.and_then(|row| row.body.as_deref());
        let namespace = new.or(old).and_then(|body| body.namespace);
        let subject = Subject::Storage { resource, namespace, name: &name, old, new };
        self.wake(store, &Event { actions, subject }, None);
    }

    fn observe_node(&mut self, store: &Store, entry: &Entry) {
        if let Some(row) = store.row(entry.id()) {
            let name = row.name.text(&store.strings);
            let spec = NodeSpec::of(row.body.as_ref().expect("an object has a body"));
            self.set_node(store, &name, &spec);
        } else if entry.verb == Verb::Deleted {
            let previous = entry.previous.as_ref().expect("a delete keeps what was deleted");
            self.remove_node(store, &previous.row.name.text(&store.strings));
        }
    }

    fn set_node(&mut self, store: &Store, name: &Text, spec: &Arc<NodeSpec>) {
        let (id, old) = self.cache.nodes.set(name, spec, &store.sets);
        let actions = match &old {
            None => Actions::ADD,
            Some(old) => changes(old, spec),
        };
        if old.is_none() && !self.cache.nominations.on(name).is_empty() {
            self.cache.nodes.set_nominated(id, true);
        }
        let subject = Subject::Node { name, old: old.as_deref(), new: Some(spec) };
        self.wake(store, &Event { actions, subject }, None);
    }

    fn remove_node(&mut self, store: &Store, name: &str) {
        let Some(old) = self.cache.nodes.remove(name) else { return };
        let subject = Subject::Node { name, old: Some(&old), new: None };
        self.wake(store, &Event { actions: Actions::DELETE, subject }, None);
    }

    fn observe_pod(&mut self, store: &Store, id: ObjectId) {
        let record = self.cache.pod(id.slot);
        let known = record.info.is_some() && record.generation == id.generation;
        let Some(row) = store.row(id) else {
            if known {
                self.forget_pod(store, id.slot, record);
            }
            return;
        };
        let state = store.pod(id.slot);
        if is_over(state) {
            if known {
                self.forget_pod(store, id.slot, record);
            }
            return;
        }
        let info = PodInfo::of(row.body.as_ref().expect("an object has a body"));
        match (known, state.node) {
            (false, None) => self.enqueue_pod(store, id, &info),
            (false, Some(node)) => self.assign_pod(store, id, &info, node),
            (true, None) => self.update_waiting_pod(store, id, record, &info),
            (true, Some(node)) => self.update_assigned_pod(store, id, record, &info, node),
        }
    }

    /// A new pod without a node, if it is one of ours.
    fn enqueue_pod(&mut self, store: &Store, id: ObjectId, info: &Arc<PodInfo>) {
        if self.profile_of(info).is_none() {
            return;
        }
        let info_id = self.cache.acquire(info, &store.sets);
        let gate = self.gate(info);
        let number = self.queue.add(id.slot, info_id, info.priority, gate, store.now);
        let nominated = store.pod(id.slot).nominated;
        self.queue.set_nominated(number, nominated);
        self.cache.set_pod(
            id.slot,
            PodRecord {
                info: Some(info_id),
                generation: id.generation,
                place: Place::Queue(number),
            },
        );
        if let Some(node) = nominated {
            self.nominate(id.slot, Some(&store.strings.text(node).into()));
        }
    }

    /// A pod on a node that was not known before.
    fn assign_pod(&mut self, store: &Store, id: ObjectId, info: &Arc<PodInfo>, node: StrId) {
        let info_id = Some(self.cache.acquire(info, &store.sets));
        let node = self.cache.nodes.number(&store.strings.text(node).into());
        let place = Place::Node(node);
        let record = PodRecord { info: info_id, generation: id.generation, place };
        self.cache.set_pod(id.slot, record);
        self.cache.put_on_node(id.slot, node, is_terminating(store, id.slot));
        let subject = Subject::AssignedPod { old: None, new: Some(info) };
        self.wake(store, &Event { actions: Actions::ADD, subject }, None);
    }

    /// A pod that is known, written while it has no node.
    fn update_waiting_pod(
        &mut self,
        store: &Store,
        id: ObjectId,
        record: PodRecord,
        info: &Arc<PodInfo>,
    ) {
        let Place::Queue(number) = record.place else {
            // It lost its node: as good as new.
            self.forget_pod(store, id.slot, record);
            self.enqueue_pod(store, id, info);
            return;
        };
        if let Some((before, old)) = self.replace_info(store, id.slot, record, info) {
            self.cache.infos.release(before);
            let info_id = self.cache.pod(id.slot).info.expect("just replaced");
            self.queue.set_info(number, info_id, info.priority);
            self.note_promise(id.slot);
            self.wake_itself(store, number, &old, info);
        }
        self.follow_nomination(store, id.slot, number, info);
    }

    /// A pod that is known, written while it has a node.
    fn update_assigned_pod(
        &mut self,
        store: &Store,
        id: ObjectId,
        record: PodRecord,
        info: &Arc<PodInfo>,
        node: StrId,
    ) {
        let name = store.strings.text(node);
        let on_it = |id: NodeId| self.cache.nodes.info(id).name == name;
        match record.place {
            Place::Queue(number) => {
                // Somebody else bound it.
                self.leave_queue(id.slot, number, record);
                self.assign_pod(store, id, info, node);
            }
            Place::Assumed(at) | Place::Node(at) if on_it(at) => {
                if record.place == Place::Assumed(at) {
                    let record = PodRecord { place: Place::Node(at), ..record };
                    self.cache.set_pod(id.slot, record);
                    let subject = Subject::AssignedPod { old: None, new: Some(info) };
                    self.wake(store, &Event { actions: Actions::ADD, subject }, None);
                }
                self.change_assigned_pod(store, id.slot, at, info);
            }
            _ => {
                self.forget_pod(store, id.slot, record);
                self.assign_pod(store, id, info, node);
            }
        }
    }

    /// A pod on a node whose content may have changed.
    fn change_assigned_pod(&mut self, store: &Store, slot: u32, node: NodeId, info: &Arc<PodInfo>) {
        let record = self.cache.pod(slot);
        let terminating = is_terminating(store, slot);
        let Some((before, old)) = self.replace_info(store, slot, record, info) else {
            if terminating && !self.cache.is_terminating(slot, node) {
                self.cache.set_terminating(slot, node);
            }
            return;
        };
        let name = self.cache.nodes.info(node).name.clone();
        self.cache.take_off_node(slot, node, before, &old);
        self.cache.infos.release(before);
        let node = self.cache.nodes.number(&name);
        let record = PodRecord { place: Place::Node(node), ..self.cache.pod(slot) };
        self.cache.set_pod(slot, record);
        self.cache.put_on_node(slot, node, terminating);
        let subject = Subject::AssignedPod { old: Some(&old), new: Some(info) };
        self.wake(store, &Event { actions: pod_changes(&old, info), subject }, None);
    }

    /// Remembers another content of a pod; returns the one before if it differs, whose number
    /// the caller releases once nothing is known by it.
    fn replace_info(
        &mut self,
        store: &Store,
        slot: u32,
        record: PodRecord,
        info: &Arc<PodInfo>,
    ) -> Option<(InfoId, Arc<PodInfo>)> {
        let before: InfoId = record.info.expect("the pod is known");
        let old = Arc::clone(self.cache.infos.get(before));
        if Arc::ptr_eq(&old, info) || old == *info {
            return None;
        }
        let info = Some(self.cache.acquire(info, &store.sets));
        self.cache.set_pod(slot, PodRecord { info, ..record });
        Some((before, old))
    }

    /// A pod that is gone or has ended.
    fn forget_pod(&mut self, store: &Store, slot: u32, record: PodRecord) {
        let info_id = record.info.expect("the pod is known");
        let info = Arc::clone(self.cache.infos.get(info_id));
        let was_nominated = self.cache.nominations.of(slot).is_some();
        self.nominate(slot, None);
        match record.place {
            Place::Queue(number) => self.queue.remove(number),
            Place::Assumed(node) | Place::Node(node) => {
                self.cache.take_off_node(slot, node, info_id, &info);
            }
            Place::Nowhere => {}
        }
        self.cache.set_pod(slot, PodRecord::default());
        self.cache.infos.release(info_id);
        let subject = Subject::AssignedPod { old: Some(&info), new: None };
        let event = Event { actions: Actions::DELETE, subject };
        if record.place.node().is_some() {
            self.wake(store, &event, None);
        } else if was_nominated {
            self.wake(store, &event, Some(info.priority));
        }
    }

    /// A waiting pod leaves the queue and is not remembered.
    pub(super) fn leave_queue(&mut self, slot: u32, number: u32, record: PodRecord) {
        self.nominate(slot, None);
        self.queue.remove(number);
        self.cache.set_pod(slot, PodRecord::default());
        self.cache.infos.release(record.info.expect("the pod is known"));
    }

    /// Takes in a nomination that was changed by somebody else, and makes known that the node
    /// of the one before has room again.
    fn follow_nomination(&mut self, store: &Store, slot: u32, number: u32, info: &Arc<PodInfo>) {
        let now = store.pod(slot).nominated;
        let before = self.queue.get(number).nominated;
        if now == before {
            return;
        }
        self.queue.set_nominated(number, now);
        let name: Option<Text> = now.map(|node| store.strings.text(node).into());
        self.nominate(slot, name.as_ref());
        if before.is_some() {
            let subject = Subject::AssignedPod { old: Some(info), new: None };
            self.wake(store, &Event { actions: Actions::DELETE, subject }, Some(info.priority));
        }
    }

    /// Notes that a pod a node is promised to, if it is, has changed.
    fn note_promise(&mut self, slot: u32) {
        let name = self.cache.nominations.of(slot);
        if let Some(id) = name.and_then(|name| self.cache.nodes.find(name)) {
            self.cache.nodes.set_nominated(id, true);
        }
    }

    /// Nominates a pod to a node, or withdraws its nomination.
    pub(super) fn nominate(&mut self, slot: u32, node: Option<&Text>) {
        for name in self.cache.nominations.set(slot, node).into_iter().flatten() {
            if let Some(id) = self.cache.nodes.find(&name) {
                let any = !self.cache.nominations.on(&name).is_empty();
                self.cache.nodes.set_nominated(id, any);
            }
        }
    }

    /// Gives another chance to the rejected pods an event could help, of this priority at most.
    pub(super) fn wake(&mut self, store: &Store, event: &Event, at_most: Option<i32>) {
        if event.actions.is_none() || self.queue.waiting.is_empty() {
            return;
        }
        let mut woken: Vec<u32> = Vec::new();
        let config = Arc::clone(&self.config);
        let own = (0..config.plugins.len()).map(plugins::PluginId::user);
        for plugin in plugins::built_in().chain(own) {
            if !config.is_interested(plugin, event) {
                continue;
            }
            for content in self.queue.waiting.contents(plugin) {
                let info = self.cache.infos.get(content);
                let Some(profile) = self.profile_of(info) else { continue };
                if at_most.is_none_or(|most| info.priority <= most)
                    && plugins::hint(plugin, event, info, store, &profile.args)
                {
                    woken.extend(self.queue.waiting.pods(plugin, content));
                }
            }
        }
        woken.sort_unstable();
        woken.dedup();
        for number in woken {
            self.requeue(store, number);
        }
    }

    /// Gives a waiting pod another chance if its own change could help it.
    fn wake_itself(&mut self, store: &Store, number: u32, old: &PodInfo, info: &Arc<PodInfo>) {
        let event = Event { actions: pod_changes(old, info), subject: Subject::Itself { old } };
        let pod = self.queue.get(number);
        let mut blamed = pod.rejectors;
        match pod.state {
            super::queue::State::Gated(plugin) => blamed.insert(plugin),
            super::queue::State::Unschedulable => {}
            _ => return,
        }
        let Some(profile) = self.profile_of(info) else { return };
        let helped = blamed.iter().any(|plugin| {
            self.config.is_interested(plugin, &event)
                && plugins::hint(plugin, &event, info, store, &profile.args)
        });
        if helped {
            self.requeue(store, number);
        }
    }

    /// Gives the pods that waited for an event for too long another chance.
    pub fn flush_leftovers(&mut self, store: &Store) {
        for number in self.queue.leftovers(store.now) {
            self.requeue(store, number);
        }
    }

    fn requeue(&mut self, store: &Store, number: u32) {
        let gate = self.gate(self.cache.info(self.queue.get(number).slot));
        self.queue.requeue(number, gate, store.now);
    }
}

/// Whether the deletion of a pod was asked for.
fn is_terminating(store: &Store, slot: u32) -> bool {
    let row = store.table(store.kinds.pod).row(slot);
    row.is_some_and(|row| row.deletion.is_some())
}
