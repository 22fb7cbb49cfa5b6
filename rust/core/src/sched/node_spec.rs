//! What the scheduler needs of a node object, compiled once per body.

use std::sync::Arc;

use smallvec::SmallVec;

use super::events::Actions;
use super::requests::is_scalar;
use super::taints::Taint;
use crate::base::{Quantity, Text, Value};
use crate::labels::LabelSetId;
use crate::store::Body;
use crate::store::shape::Resources;

/// What the scheduler needs of a node object. The name is not in it: nodes of one template
/// share a body.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// `metadata.labels`.
    pub labels: LabelSetId,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// `status.allocatable`.
    pub allocatable: Resources,
    /// `status.allocatable.pods`.
    pub pods_allowed: i64,
    /// `status.images`: every name and the size in bytes.
    pub images: Vec<(Text, i64)>,
    /// `status.declaredFeatures`.
    pub features: SmallVec<[Text; 0]>,
}

impl NodeSpec {
    /// What is needed of the node with this body, compiled at first use.
    pub fn of(body: &Body) -> Arc<Self> {
        let compiled = body.compiled.get_or_init(|| Arc::new(Self::compile(body)));
        let spec = Arc::clone(compiled).downcast();
        spec.expect("the bodies of nodes are compiled to what the scheduler needs of nodes")
    }

    fn compile(body: &Body) -> Self {
        let none = Value::Null;
        let spec = body.doc.get("spec").unwrap_or(&none);
        let list = body.status.get("allocatable");
        let mut allocatable = Resources::from_list(list);
        allocatable.scalars.retain(|(name, _)| is_scalar(name));
        let pods = list.and_then(|list| list.get("pods"));
        let features = body.status.list_at(&["declaredFeatures"]).iter();
        Self {
            labels: body.labels,
            unschedulable: spec.get("unschedulable").and_then(Value::as_bool).unwrap_or(false),
            taints: Taint::read_list(spec),
            allocatable,
            pods_allowed: pods
                .and_then(|pods| Quantity::from_value(pods).ok())
                .map_or(0, Quantity::value),
            images: images(&body.status),
            features: features.filter_map(Value::as_str).map(Text::from).collect(),
        }
    }
}

fn images(status: &Value) -> Vec<(Text, i64)> {
    let images = status.list_at(&["images"]).iter();
    images
        .flat_map(|image| {
            let size = image.int_at(&["sizeBytes"]).unwrap_or(0);
            let names = image.list_at(&["names"]).iter().filter_map(Value::as_str);
            names.map(move |name| (Text::from(name), size))
        })
        .collect()
}

/// What changed between two versions of a node that may let a waiting pod in.
pub fn changes(old: &NodeSpec, new: &NodeSpec) -> Actions {
    let noted = [
        (old.unschedulable && !new.unschedulable, Actions::UPDATE_NODE_TAINT),
        (old.taints != new.taints, Actions::UPDATE_NODE_TAINT),
        (old.labels != new.labels, Actions::UPDATE_NODE_LABEL),
        (
            old.allocatable != new.allocatable || old.pods_allowed != new.pods_allowed,
            Actions::UPDATE_NODE_ALLOCATABLE,
        ),
        (old.features != new.features, Actions::UPDATE_NODE_DECLARED_FEATURE),
    ];
    let changed = noted.into_iter().filter(|(changed, _)| *changed);
    changed.fold(Actions::NONE, |all, (_, action)| all | action)
}
