//! Preferred terms, on either side: nodes near wanted pods, and far from unwanted ones.

use super::counts::Counts;
use crate::labels::LabelSetId;
use crate::sched::nodes::NodeId;
use crate::sched::plugins::{Context, MAX_SCORE, Scorer};
use crate::sched::pod_affinity::{AffinityTerm, PodAffinity, ResolvedTerm, namespace_labels};
use crate::sched::pod_info::InfoId;
use crate::sched::pods_by_content::PodsByContent;
use crate::sched::topologies::KeyId;

/// The raw score of each feasible node.
#[derive(Clone, Debug, Default)]
pub struct AffinityScores {
    raw: Vec<i64>,
}

/// Weights by topology that pods of one content add where they are.
type Weights = Vec<(KeyId, i64)>;

/// The scorer, unless no wish concerns the pod.
pub fn scorer<'a>(context: &Context<'a>, feasible: &[NodeId]) -> Option<Scorer<'a>> {
    let own = context.pod.affinity.as_deref();
    let own = own.filter(|own| !own.preferred.is_empty());
    if own.is_none() && context.args.pod_affinity.ignore_preferred_terms_of_existing_pods {
        return None;
    }
    let mut counts = Counts::new(&context.nodes.topologies);
    let mut any = count_theirs(context, &mut counts);
    if let Some(own) = own {
        any |= count_own(context, own, &mut counts);
    }
    let raw = || feasible.iter().map(|node| counts.all_of(*node).sum()).collect();
    any.then(|| Scorer::InterPodAffinity(AffinityScores { raw: raw() }))
}

/// Adds the weights of the pod's own terms where the pods are that they are about.
fn count_own(context: &Context, own: &PodAffinity, counts: &mut Counts) -> bool {
    let resolve = |(term, weight): &'_ (AffinityTerm, i64)| (counts.key(&term.key), *weight);
    let keys: Vec<(KeyId, i64)> = own.preferred.iter().map(resolve).collect();
    let terms: Vec<ResolvedTerm> =
        own.preferred.iter().map(|(term, _)| term.resolve(context.store)).collect();
    let cache = context.cache;
    let mut any = false;
    for content in cache.on_nodes.contents() {
        let pod = cache.infos.get(content);
        let about = keys.iter().zip(&terms).filter(|(_, term)| term.is_about(pod));
        let weights: Weights = about.map(|(weight, _)| *weight).collect();
        any |= add_all(context, content, &weights, counts, &cache.on_nodes);
    }
    any
}

/// Adds weights where the pods of one content are.
fn add_all(
    context: &Context,
    content: InfoId,
    weights: &Weights,
    counts: &mut Counts,
    pods: &PodsByContent,
) -> bool {
    let mut any = false;
    if weights.is_empty() {
        return any;
    }
    for slot in pods.slots(content) {
        let node = context.cache.pod(slot).place.node().expect("the pod is on a node");
        for (key, weight) in weights {
            any |= counts.add(*key, node, *weight);
        }
    }
    any
}

/// Adds the weights of the terms of pods on nodes that are about the pod.
fn count_theirs(context: &Context, counts: &mut Counts) -> bool {
    let cache = context.cache;
    let mut labels = None;
    let mut any = false;
    for content in cache.affinity.contents() {
        let labels = *labels.get_or_insert_with(|| namespace_labels(context.pod, context.store));
        let Some(theirs) = cache.infos.get(content).affinity.as_deref() else { continue };
        let weights = weights_of(theirs, context, labels, counts);
        any |= add_all(context, content, &weights, counts, &cache.affinity);
    }
    any
}

fn weights_of(
    theirs: &PodAffinity,
    context: &Context,
    namespace_labels: LabelSetId,
    counts: &Counts,
) -> Weights {
    let hard = context.args.pod_affinity.hard_pod_affinity_weight;
    let required = theirs.required.iter().filter(|_| hard > 0).map(|term| (term, hard));
    let preferred = theirs.preferred.iter().map(|(term, weight)| (term, *weight));
    required
        .chain(preferred)
        .filter(|(term, _)| term.is_about(context.pod, namespace_labels, context.store))
        .map(|(term, weight)| (counts.key(&term.key), weight))
        .collect()
}

/// Appends the normalised scores: the lowest becomes nothing, the highest a hundred.
pub fn score(affinity: &AffinityScores, scores: &mut Vec<i64>) {
    let least = affinity.raw.iter().copied().min().unwrap_or(0);
    let most = affinity.raw.iter().copied().max().unwrap_or(0);
    let scaled = |raw: &i64| {
        let share = (raw - least) as f64 / (most - least) as f64;
        (MAX_SCORE as f64 * share) as i64
    };
    scores.extend(affinity.raw.iter().map(|raw| if most > least { scaled(raw) } else { 0 }));
}
