//! What belongs to nodes: pulled images, the pull in progress, addresses.

use serde::{Deserialize, Serialize};

use super::life;
use super::network::{Block, SpareBlocks};
use crate::base::{CowMap, Latencies, Nanos, Quantity, StrId, Stream, Time, Value};
use crate::store::Store;
use crate::store::object::Deletion;
use crate::store::pod::{ACCEPTED, PLANNED, Phase, PodState, SANDBOX, STOPPING};
use crate::store::pod_address::NodeBlock;
use crate::store::ranges::Ranges;
use crate::store::shape::Shape;

/// How long the steps of one pod's start take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    /// Until the sandbox is ready.
    pub sandbox: Nanos,
    /// Image pulls and runs of the init containers.
    pub init: Nanos,
    /// Image pulls and starts of the containers.
    pub containers: Nanos,
    /// Until the kubelet notices that they run.
    pub detection: Nanos,
}

/// The kubelets of all nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kubelets {
    nodes: CowMap<StrId, Node>,
    spare: SpareBlocks,
    stream: Stream,
}

/// What a kubelet keeps about its node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Node {
    block: Block,
    /// The images pulled and being pulled.
    images: Vec<Pull>,
    /// When the pull in progress ends: images come one at a time.
    pull_free_at: Time,
}

/// One image on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// The interned name.
    pub image: StrId,
    /// When its bytes began to come.
    pub began: Time,
    /// When it is on the machine.
    pub present: Time,
}

/// What the engine has to write after a kubelet looked at a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The pod's new state.
    pub pod: PodState,
    /// When to look again.
    pub wake: Option<Time>,
    /// The sandbox just became ready.
    pub sandboxed: bool,
    /// The containers just started.
    pub started: bool,
    /// The pod was to be deleted and its containers are gone.
    pub gone: bool,
}

impl Kubelets {
    /// Kubelets that draw their delays from `stream`.
    pub fn new(stream: Stream) -> Self {
        Self { nodes: CowMap::new(), spare: SpareBlocks::default(), stream }
    }

    /// Notes a node, of which the spec and the status of its body are given; answers where its
    /// pods have their addresses.
    pub fn add_node(
        &mut self,
        name: StrId,
        spec: Option<&Value>,
        status: &Value,
        ranges: &Ranges,
    ) -> NodeBlock {
        if let Some(node) = self.nodes.get(&name) {
            return node.block.place;
        }
        let pods = status.at(&["allocatable", "pods"]).or(status.at(&["capacity", "pods"]));
        let pods = pods.and_then(|pods| Quantity::from_value(pods).ok());
        let pods = pods.map_or(110, Quantity::value);
        let cidrs = spec.map(|spec| spec.list_at(&["podCIDRs"])).unwrap_or_default();
        let mut cidrs: Vec<&str> = cidrs.iter().filter_map(Value::as_str).collect();
        if cidrs.is_empty() {
            cidrs.extend(spec.and_then(|spec| spec.str_at(&["podCIDR"])));
        }
        let block = Block::parse(&cidrs, pods).unwrap_or_else(|| self.spare.next(pods, ranges));
        let place = block.place;
        self.nodes.insert(name, Node { block, ..Node::default() });
        place
    }

    /// Forgets a node.
    pub fn remove_node(&mut self, name: StrId) {
        self.nodes.remove(&name);
    }

    /// Whether a kubelet runs on this node.
    pub fn knows(&self, node: StrId) -> bool {
        self.nodes.get(&node).is_some()
    }

    /// A kubelet looks at a pod of its node: takes it on, moves it on, or stops it. `None`
    /// when there is nothing to do.
    pub fn look(
        &mut self,
        store: &Store,
        slot: u32,
        latencies: &Latencies,
        images: &[StrId],
    ) -> Option<Outcome> {
        let row = store.table(store.kinds.pod).row(slot)?;
        let before = store.pod(slot);
        let node = before.node?;
        if before.phase.is_terminal() || !self.knows(node) {
            return None;
        }
        let shape = store.shape(row.body.as_ref().expect("occupied"));
        let now = store.now;
        // A pod that was running before its kubelet was there is left as it is, but for its end.
        let mut pod =
            if before.has(PLANNED) || (before.has(ACCEPTED) && before.phase != Phase::Pending) {
                before.clone()
            } else {
                self.accept(before, shape, node, latencies, images, now)
            };
        if let Some(deletion) = row.deletion.as_deref() {
            return self.stop(pod, deletion, latencies, now);
        }
        if !pod.has(PLANNED) {
            life::plan_end(&mut pod, shape);
        }
        let step = life::step(&pod, now);
        pod = step.pod;
        (pod != *before || step.wake.is_some()).then_some(Outcome {
            wake: step.wake,
            sandboxed: pod.has(SANDBOX) && !before.has(SANDBOX),
            started: step.started,
            gone: false,
            pod,
        })
    }

    /// A pod that is no longer on its node gives its address back.
    pub fn release(&mut self, pod: &PodState) {
        if let Some(node) = pod.node.and_then(|node| self.nodes.get_mut(&node)) {
            node.block.release(pod.ip);
        }
    }

    /// A pod that ran before the kubelet was there keeps its address.
    pub fn adopt(&mut self, pod: &PodState) {
        if pod.ip != 0
            && let Some(node) = pod.node.and_then(|node| self.nodes.get_mut(&node))
        {
            node.block.take(pod.ip);
        }
    }

    fn accept(
        &mut self,
        pod: &PodState,
        shape: &Shape,
        node: StrId,
        latencies: &Latencies,
        images: &[StrId],
        now: Time,
    ) -> PodState {
        let delays = self.delays(shape, node, latencies, images, now);
        let mut pod = life::accept(pod, shape, &delays, now);
        if pod.ip == 0 && !shape.host_network {
            let node = self.nodes.get_mut(&node).expect("the caller asked");
            pod.ip = node.block.allocate();
        }
        pod
    }

    /// Draws how long the start of a pod takes on its node.
    fn delays(
        &mut self,
        shape: &Shape,
        node: StrId,
        latencies: &Latencies,
        images: &[StrId],
        now: Time,
    ) -> Delays {
        let stream = &mut self.stream;
        let sandbox = latencies.sandbox_start.sample(stream);
        let ready = now.after(sandbox);
        let pulls = self.pull(node, latencies, images, ready);
        let stream = &mut self.stream;
        let mut start = |count: u32| -> Nanos {
            (0..count).fold(Nanos::ZERO, |sum, _| {
                Nanos(sum.0 + latencies.container_start.sample(stream).0)
            })
        };
        let (init, containers) = (start(shape.init_containers), start(shape.containers));
        let pulls_first = if shape.init_containers > 0 { pulls } else { Nanos::ZERO };
        Delays {
            sandbox,
            init: Nanos(init.0 + pulls_first.0),
            containers: Nanos(containers.0 + pulls.0 - pulls_first.0),
            detection: latencies.status_detection.sample(&mut self.stream),
        }
    }

    /// The pull that brought an image to a node, or is bringing it.
    pub fn pulled(&self, node: StrId, image: StrId) -> Option<Pull> {
        let images = &self.nodes.get(&node)?.images;
        images.iter().find(|pull| pull.image == image).copied()
    }

    /// Pulls the images a node does not have, one after the other, and says how long that takes
    /// from `from` on. Images that are on their way are waited for.
    fn pull(&mut self, node: StrId, latencies: &Latencies, images: &[StrId], from: Time) -> Nanos {
        if latencies.pulls_take_no_time() {
            return Nanos::ZERO;
        }
        let state = self.nodes.get_mut(&node).expect("the caller asked");
        let mut end = from;
        for image in images {
            if let Some(pull) = state.images.iter().find(|pull| pull.image == *image) {
                end = end.max(pull.present);
                continue;
            }
            let size = latencies.image_bytes_assumed as f64;
            let rate = latencies.image_pull_bytes_per_second;
            let transfer =
                if rate > 0 { Nanos((size / rate as f64 * 1e9) as i64) } else { Nanos::ZERO };
            let fixed = latencies.image_pull.sample(&mut self.stream);
            let began = state.pull_free_at.max(end);
            end = began.after(Nanos(transfer.0 + fixed.0));
            state.pull_free_at = end;
            state.images.push(Pull { image: *image, began, present: end });
        }
        end.since(from)
    }

    /// A kubelet stops a pod that is to be deleted.
    fn stop(
        &mut self,
        mut pod: PodState,
        deletion: &Deletion,
        latencies: &Latencies,
        now: Time,
    ) -> Option<Outcome> {
        if !pod.stopping() {
            let needed = latencies.container_stop.sample(&mut self.stream);
            let asked = deletion.time.after(Nanos::from_secs(-deletion.grace_seconds)).max(now);
            let stop = life::stop_time(deletion.time, needed, asked.max(now));
            life::plan_stop(&mut pod, stop);
            pod.flags |= STOPPING;
        } else if pod.finished_at > deletion.time.max(now) {
            pod.finished_at = deletion.time.max(now);
        } else if pod.finished_at > now {
            return None;
        }
        let gone = pod.finished_at <= now;
        let wake = (!gone).then_some(pod.finished_at);
        Some(Outcome { pod, wake, sandboxed: false, started: false, gone })
    }
}
