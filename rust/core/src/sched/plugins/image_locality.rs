//! ImageLocality: prefer nodes that have the pod's images, the bigger and the more common the
//! better.

use smallvec::SmallVec;

use super::{Context, MAX_SCORE, Scorer};
use crate::base::StrId;
use crate::sched::nodes::NodeView;

const MIB: i64 = 1024 * 1024;
/// Less than this is as good as nothing.
const LEAST: i64 = 23 * MIB;
/// More than this per container is no better.
const MOST_PER_CONTAINER: i64 = 1000 * MIB;

/// The images of a pod that some node has.
#[derive(Clone, Debug)]
pub struct Wanted {
    images: SmallVec<[StrId; 4]>,
    most: i64,
    /// How many nodes there are.
    nodes: f64,
}

/// The scorer; every node scores nothing when none has any of the images.
pub fn scorer<'a>(context: &Context<'a>) -> Scorer<'a> {
    let known = context.pod.images.iter().filter_map(|name| context.nodes.images.find(name));
    let images: SmallVec<[StrId; 4]> = known.collect();
    if images.is_empty() {
        return Scorer::Constant(0);
    }
    let most = MOST_PER_CONTAINER * i64::from(context.pod.containers);
    let nodes = context.nodes.order().len() as f64;
    Scorer::ImageLocality(Wanted { images, most, nodes })
}

/// The score of a node.
pub fn score(wanted: &Wanted, node: NodeView) -> i64 {
    let on_node = &node.info.images;
    let sizes = wanted.images.iter().filter_map(|name| {
        let at = on_node.binary_search_by_key(name, |image| image.name).ok()?;
        let image = on_node[at];
        Some((image.size as f64 * (f64::from(image.nodes) / wanted.nodes)) as i64)
    });
    let sum = sizes.sum::<i64>().max(LEAST).min(wanted.most);
    MAX_SCORE * (sum - LEAST) / (wanted.most - LEAST)
}
