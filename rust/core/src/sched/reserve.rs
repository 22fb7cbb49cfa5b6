//! Between choosing a node and binding: the GPUs a pod gets there, and what the policies for
//! shared GPUs go by from cycle to cycle.
//!
//! The GPUs are an annotation of the binding, which the API server copies to the pod. Pods of one
//! template that get the same GPUs share a body, as they did before.

use std::sync::Arc;

use super::Scheduler;
use super::cache::PodRecord;
use super::config::Profile;
use super::nodes::NodeId;
use super::plugins::PluginId;
use super::plugins::gpu_share::request::Numbers;
use super::plugins::gpu_share::reserve::{Choice, choose};
use super::plugins::gpu_share::{GPU_INDEX, Selection, index_text};
use super::plugins::policies::fgd_score::{FragmentationScore, learn};
use super::plugins::policies::typical_pods::TypicalPods;
use super::pod_info::PodInfo;
use crate::base::{FastMap, Map, Value};
use crate::store::{Body, ObjectId, Store};

/// How many bodies with GPUs are remembered at most.
const MOST_BODIES: usize = 8192;

/// What is known from earlier cycles. None of it is state.
#[derive(Debug, Default)]
pub(super) struct Remembrance {
    /// The pods expected, learnt from those in the cluster at a version of their number.
    typical: Option<(u64, TypicalPods)>,
    /// Bodies with GPUs, by the address of the body without them, which is kept so that the
    /// address stays its own.
    bodies: FastMap<(usize, Numbers), (Arc<Body>, Arc<Body>)>,
}

impl Remembrance {
    /// The pods that a profile expects.
    pub fn typical<'a>(&'a self, profile: &'a Profile) -> Option<&'a TypicalPods> {
        let learnt = self.typical.as_ref().map(|(_, typical)| typical);
        profile.args.fragmentation.typical.as_ref().or(learnt)
    }

    /// A body with the annotation of these GPUs.
    fn body(&mut self, plain: &Arc<Body>, devices: &Numbers) -> Arc<Body> {
        let key = (Arc::as_ptr(plain) as usize, devices.clone());
        if let Some((_, body)) = self.bodies.get(&key) {
            return Arc::clone(body);
        }
        if self.bodies.len() >= MOST_BODIES {
            self.bodies = FastMap::default();
        }
        let body = Arc::new(annotated(plain, GPU_INDEX, Value::from(index_text(devices))));
        self.bodies.insert(key, (Arc::clone(plain), Arc::clone(&body)));
        body
    }
}

/// A copy of a body with one annotation more. What the spec asks stays compiled.
fn annotated(plain: &Body, key: &str, value: Value) -> Body {
    let mut body = plain.to_changed();
    body.shape.clone_from(&plain.shape);
    let mut meta = (*plain.meta).clone();
    let mut annotations: Map =
        meta.get("annotations").and_then(Value::as_map).cloned().unwrap_or_default();
    annotations.insert(key, value);
    meta.insert("annotations", annotations);
    body.meta = Arc::new(meta);
    body
}

impl Scheduler {
    /// Brings what the policies of a profile go by up to date; returns random bits if one of
    /// them asks for any.
    pub(super) fn prepare_policies(&mut self, profile: &Profile) -> u64 {
        let scores = |id| profile.score.iter().any(|(have, _)| *have == id);
        let asks = scores(PluginId::FGD_SCORE)
            || profile.args.gpu_share.selection == Selection::Fragmentation;
        if asks && profile.args.fragmentation.typical.is_none() {
            self.learn_typical_pods(profile);
        }
        if scores(PluginId::RANDOM_SCORE) { self.progress.stream.next_u64() } else { 0 }
    }

    /// Learns which pods are typical, if pods came or went. When others are than before, scores
    /// are not what they were.
    fn learn_typical_pods(&mut self, profile: &Profile) {
        let version = self.cache.infos.version();
        let before = &self.remembered.policies.typical;
        if before.as_ref().is_some_and(|(seen, _)| *seen == version) {
            return;
        }
        let typical = learn(&self.cache.infos, &profile.args.fragmentation);
        if before.as_ref().is_none_or(|(_, before)| *before != typical) {
            self.cache.nodes.journal.forget();
        }
        self.remembered.policies.typical = Some((version, typical));
    }

    /// The GPUs a pod gets on a node, and its body with them; nothing when it asks for none or
    /// insists on some. The pod is known with them from then on.
    pub(super) fn reserve_gpus(
        &mut self,
        store: &Store,
        pod: ObjectId,
        record: PodRecord,
        node: NodeId,
    ) -> Option<Arc<Body>> {
        let info = Arc::clone(self.cache.info(pod.slot));
        info.gpu.as_ref().filter(|request| request.devices.is_empty())?;
        let devices = self.choose_gpus(&info, node)?;
        let plain = store.body(pod)?;
        let body = self.remembered.policies.body(plain, &devices);
        let before = self.cache.infos.version();
        let known = Some(self.cache.acquire(&PodInfo::of(&body), &store.sets));
        self.cache.infos.release(record.info.expect("the pod is known"));
        self.cache.set_pod(pod.slot, PodRecord { info: known, ..record });
        // The same pods as before are in the cluster.
        let after = self.cache.infos.version();
        if let Some((version, _)) = &mut self.remembered.policies.typical
            && *version == before
        {
            *version = after;
        }
        Some(body)
    }

    fn choose_gpus(&mut self, info: &PodInfo, node: NodeId) -> Option<Numbers> {
        let request = info.gpu.as_ref()?;
        let config = Arc::clone(&self.config);
        let profile = config.profile(&info.scheduler_name)?;
        if !profile.reserve.contains(&PluginId::OPEN_GPU_SHARE) {
            return None;
        }
        let view = self.cache.nodes.view(node);
        let typical = self.remembered.policies.typical(profile);
        let scorer = typical.map(|typical| FragmentationScore::new(typical, info));
        let score = |number: usize| scorer.as_ref().map_or(0, |score| score.of_gpu(view, number));
        let gpus = view.info.gpus.as_deref()?;
        let selection = profile.args.gpu_share.selection;
        let choice = Choice::new(selection, &mut self.progress.stream, &score);
        let devices = choose(gpus, request, choice);
        (devices.len() == request.count as usize).then_some(devices)
    }
}
