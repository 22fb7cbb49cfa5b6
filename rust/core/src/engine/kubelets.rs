//! The kubelets' phase: log entries and timers to looks at pods, outcomes to writes.

use super::consumer::phase;
use super::{Event, World};
use crate::base::{Nanos, StrId, Time, Value};
use crate::node::Pull;
use crate::store::log::Verb;
use crate::store::pod::{PLANNED, Phase};
use crate::store::recorder::Said;
use crate::store::{ObjectId, Store};

impl World {
    /// Lets the kubelets take in what they see; true when they saw anything.
    pub(super) fn run_kubelets(&mut self, at: usize) -> bool {
        let Some((from, to)) = self.unread(at) else { return false };
        for revision in from + 1..=to {
            let Some(entry) = self.store.log().get(revision) else { continue };
            let (id, verb) = (entry.id(), entry.verb);
            if id.kind == self.store.kinds.pod {
                let previous = entry.previous.as_ref().and_then(|version| version.pod.clone());
                if let Some(pod) = previous.filter(|_| verb == Verb::Deleted) {
                    self.kubelets.release(&pod);
                }
                if self.store.row(id).is_some() {
                    if verb == Verb::Added {
                        self.kubelets.adopt(self.store.pod(id.slot));
                    }
                    self.look_at_pod(id.slot);
                }
            } else if id.kind == self.store.kinds.node {
                self.node_changed(id, verb, revision);
            }
        }
        self.read(at, to);
        true
    }

    /// A timer of a pod went off; the pod may be gone by now.
    pub(super) fn kubelet_wakes(&mut self, slot: u32, generation: u32) {
        let id = ObjectId { kind: self.store.kinds.pod, slot, generation };
        if self.store.row(id).is_some() {
            self.look_at_pod(slot);
        }
    }

    /// A pod's kubelet looks at it and the outcome is written.
    fn look_at_pod(&mut self, slot: u32) {
        let store = &self.store;
        let pod = store.pod(slot);
        if pod.node.is_none() || pod.phase.is_terminal() {
            return;
        }
        let images = if pod.has(PLANNED) { Vec::new() } else { self.images_of(slot) };
        let Some(outcome) = self.kubelets.look(&self.store, slot, &self.latencies, &images) else {
            return;
        };
        let id = self.store.table(self.store.kinds.pod).id(self.store.kinds.pod, slot);
        if outcome.gone {
            self.store.finish_pod(id);
            return;
        }
        if let Some(wake) = outcome.wake {
            self.schedule(wake, phase::KUBELETS, Event::Pod(slot, id.generation));
        }
        if outcome.pod != *self.store.pod(slot) {
            let ended = outcome.pod.phase.is_terminal();
            if ended {
                self.kubelets.release(&outcome.pod);
            }
            self.store.update_pod(slot, |pod| *pod = outcome.pod);
        }
        if outcome.sandboxed {
            self.record_pulls(id);
        }
        if outcome.started {
            self.record_start(id);
        }
    }

    /// Interned names of the images a pod needs, when pulling them takes time.
    fn images_of(&mut self, slot: u32) -> Vec<StrId> {
        if self.latencies.pulls_take_no_time() {
            return Vec::new();
        }
        let row = self.store.table(self.store.kinds.pod).row(slot).expect("a pod is there");
        let shape = std::sync::Arc::clone(self.store.shape(row.body.as_ref().expect("occupied")));
        shape.images.iter().map(|image| self.store.strings.intern(image)).collect()
    }

    /// The images of a pod's containers, in the order they start.
    fn images_in_order(&self, id: ObjectId) -> Vec<String> {
        let body = self.store.body(id).expect("the pod is there");
        ["initContainers", "containers"]
            .iter()
            .filter_map(|list| body.at(&["spec", list]).and_then(Value::as_list))
            .flatten()
            .map(|container| container.str_at(&["image"]).unwrap_or_default().to_owned())
            .collect()
    }

    /// The pull a pod has to wait for before a container with this image starts, if any.
    fn awaited_pull(&mut self, id: ObjectId, image: &str) -> Option<Pull> {
        if self.latencies.pulls_take_no_time() {
            return None;
        }
        let pod = self.store.pod(id.slot);
        let (node, ready) = (pod.node?, pod.sandbox_at);
        let image = self.store.strings.intern(image);
        self.kubelets.pulled(node, image).filter(|pull| pull.present > ready)
    }

    /// The sandbox is ready: images that are not there are pulled.
    fn record_pulls(&mut self, id: ObjectId) {
        if !self.store.events.keeps(false) {
            return;
        }
        for image in self.images_in_order(id) {
            if self.awaited_pull(id, &image).is_some() {
                let pulling = format!("Pulling image \"{image}\"");
                self.store.record(id, false, "Pulling", KUBELET, Said::Text(&pulling));
            }
        }
    }

    /// The events of a start: images at hand, containers created and started.
    fn record_start(&mut self, id: ObjectId) {
        if !self.store.events.keeps(false) {
            return;
        }
        let ready = self.store.pod(id.slot).sandbox_at;
        for image in self.images_in_order(id) {
            let pulled = match self.awaited_pull(id, &image) {
                Some(pull) => format!(
                    "Successfully pulled image \"{image}\" in {} ({} including waiting). Image \
                     size: {} bytes.",
                    whole_millis(pull.present.since(pull.began)),
                    whole_millis(pull.present.since(ready)),
                    self.latencies.image_bytes_assumed
                ),
                None => format!(
                    "Container image \"{image}\" already present on machine and can be accessed \
                     by the pod"
                ),
            };
            self.store.record(id, false, "Pulled", KUBELET, Said::Text(&pulled));
            self.store.record(id, false, "Created", KUBELET, Said::Text("Container created"));
            self.store.record(id, false, "Started", KUBELET, Said::Text("Container started"));
        }
    }

    /// A node came, went or changed.
    fn node_changed(&mut self, id: ObjectId, verb: Verb, revision: u64) {
        if verb == Verb::Deleted {
            let entry = self.store.log().get(revision).expect("just read");
            let name = entry.previous.as_ref().and_then(|version| version.row.name.whole_id());
            if let Some(name) = name {
                self.kubelets.remove_node(name);
            }
            return;
        }
        let Some(name) = self.store.name(id) else { return };
        let name = self.store.strings.intern(&name);
        if self.kubelets.knows(name) {
            return;
        }
        let body = std::sync::Arc::clone(self.store.body(id).expect("it has a name"));
        let spec = body.doc.get("spec");
        let block = self.kubelets.add_node(name, spec, &body.status, &self.store.ranges);
        self.store.set_node_block(name, block);
        if !is_reported(&body.status) {
            let boot = self.latencies.node_boot.sample(&mut self.delays);
            let time = self.store.now.after(boot);
            if boot.0 == 0 {
                self.node_boots(id.slot, id.generation);
            } else {
                self.schedule(time, phase::KUBELETS, Event::Node(id.slot, id.generation));
            }
        }
        let bound: Vec<u32> =
            self.store.pods_on(name).map_or_else(Vec::new, |slots| slots.iter().collect());
        for slot in bound {
            self.kubelets.adopt(&self.store.pod(slot).clone());
            self.look_at_pod(slot);
        }
    }

    /// A node's kubelet posts its first status.
    pub(super) fn node_boots(&mut self, slot: u32, generation: u32) {
        let id = ObjectId { kind: self.store.kinds.node, slot, generation };
        let Some(mut node) = self.store.get(id) else { return };
        post_ready(&mut node, self.store.now);
        let options = crate::store::create::WriteOptions::default();
        let part = crate::store::update::Part::Status;
        self.store.update(node, part, &options).expect("a kubelet's status is well formed");
        self.remove_not_ready_taint(id);
    }

    /// The node lifecycle controller's answer to a Ready node.
    fn remove_not_ready_taint(&mut self, id: ObjectId) {
        let Some(mut node) = self.store.get(id) else { return };
        let taints = node.list_at(&["spec", "taints"]);
        let kept: Vec<Value> = taints
            .iter()
            .filter(|taint| taint.str_at(&["key"]) != Some(super::pools::NOT_READY))
            .cloned()
            .collect();
        if kept.len() == taints.len() {
            return;
        }
        if kept.is_empty() {
            node.remove(&["spec", "taints"]);
        } else {
            node.set(&["spec", "taints"], kept);
        }
        let options = crate::store::create::WriteOptions::default();
        let part = crate::store::update::Part::Whole;
        self.store.update(node, part, &options).expect("removing a taint is legal");
    }
}

/// The component of a kubelet's events.
const KUBELET: &str = "kubelet";

/// Whether somebody has reported on a node: a dump says what its kubelet last said.
fn is_reported(status: &Value) -> bool {
    status
        .list_at(&["conditions"])
        .iter()
        .any(|condition| condition.str_at(&["type"]) == Some("Ready"))
}

/// The conditions of a healthy node, as its kubelet posts them.
pub(super) fn post_ready(node: &mut Value, now: Time) {
    let pressure = |kind: &str, reason: &str, message: &str| {
        (kind.to_owned(), "False", reason.to_owned(), message.to_owned())
    };
    let conditions = [
        pressure(
            "MemoryPressure",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        pressure("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        pressure("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        (
            "Ready".to_owned(),
            "True",
            "KubeletReady".to_owned(),
            "kubelet is posting ready status".to_owned(),
        ),
    ];
    let list: Vec<Value> = conditions
        .into_iter()
        .map(|(kind, status, reason, message)| {
            Value::map([
                ("type", Value::from(kind)),
                ("status", status.into()),
                ("reason", reason.into()),
                ("message", message.into()),
                ("lastHeartbeatTime", now.to_string().into()),
                ("lastTransitionTime", now.to_string().into()),
            ])
        })
        .collect();
    node.set(&["status", "conditions"], list);
}

/// Whether a pod is on its way to running or away: the cluster is not settled.
pub fn is_in_transition(store: &Store, slot: u32) -> bool {
    let pod = store.pod(slot);
    pod.node.is_some() && pod.phase == Phase::Pending
}

/// As Go prints a duration cut to milliseconds.
fn whole_millis(span: Nanos) -> Nanos {
    Nanos(span.0 - span.0 % 1_000_000)
}
