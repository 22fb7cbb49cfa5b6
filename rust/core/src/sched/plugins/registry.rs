//! The built-in plugins, with their extension points and default weights: those Kubernetes 1.36
//! ships, which make up the default profile, and further ones that a configuration can enable.

use serde::{Deserialize, Serialize};

/// An extension point, in the order a pod passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Point {
    /// Before a pod enters the queue.
    PreEnqueue,
    /// The order of the queue.
    QueueSort,
    /// Once per cycle, before nodes are judged.
    PreFilter,
    /// Per node.
    Filter,
    /// When no node passed.
    PostFilter,
    /// Once per cycle, before nodes are scored.
    PreScore,
    /// Per feasible node.
    Score,
    /// After a node was chosen.
    Reserve,
    /// Before binding begins.
    Permit,
    /// What binding needs first.
    PreBind,
    /// Binding.
    Bind,
    /// After binding.
    PostBind,
}

impl Point {
    /// Every point, in order, with its name in a configuration file.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::PreEnqueue, "preEnqueue"),
        (Self::QueueSort, "queueSort"),
        (Self::PreFilter, "preFilter"),
        (Self::Filter, "filter"),
        (Self::PostFilter, "postFilter"),
        (Self::PreScore, "preScore"),
        (Self::Score, "score"),
        (Self::Reserve, "reserve"),
        (Self::Permit, "permit"),
        (Self::PreBind, "preBind"),
        (Self::Bind, "bind"),
        (Self::PostBind, "postBind"),
    ];
}

/// A plugin by its number: built-in ones first, in the order of the default profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PluginId(pub u8);

/// A built-in plugin.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// Bits of the extension points it has code for.
    points: u16,
    /// Its weight in the default profile.
    pub weight: i64,
}

macro_rules! built_in {
    ($($number:literal $id:ident $name:literal $weight:literal [$($point:ident)*];)*) => {
        impl PluginId {
            $(#[doc = concat!("`", $name, "`.")] pub const $id: Self = Self($number);)*

            /// The built-in plugins by number; of the first ones that is the order of the default
            /// profile.
            pub const BUILT_IN: &[BuiltIn] = &[
                $(BuiltIn {
                    name: $name,
                    points: 0 $(| 1 << Point::$point as u16)*,
                    weight: $weight,
                },)*
            ];
        }
    };
}

built_in! {
    0 SCHEDULING_GATES "SchedulingGates" 0 [PreEnqueue];
    1 PRIORITY_SORT "PrioritySort" 0 [QueueSort];
    2 NODE_UNSCHEDULABLE "NodeUnschedulable" 0 [Filter];
    3 NODE_NAME "NodeName" 0 [Filter];
    4 TAINT_TOLERATION "TaintToleration" 3 [Filter PreScore Score];
    5 NODE_AFFINITY "NodeAffinity" 2 [PreFilter Filter PreScore Score];
    6 NODE_PORTS "NodePorts" 0 [PreFilter Filter];
    7 NODE_RESOURCES_FIT "NodeResourcesFit" 1 [PreFilter Filter PreScore Score];
    8 VOLUME_RESTRICTIONS "VolumeRestrictions" 0 [PreFilter Filter];
    9 NODE_VOLUME_LIMITS "NodeVolumeLimits" 0 [PreFilter Filter];
    10 VOLUME_BINDING "VolumeBinding" 0 [PreFilter Filter PreScore Score Reserve PreBind];
    11 VOLUME_ZONE "VolumeZone" 0 [PreFilter Filter];
    12 POD_TOPOLOGY_SPREAD "PodTopologySpread" 2 [PreFilter Filter PreScore Score];
    13 INTER_POD_AFFINITY "InterPodAffinity" 2 [PreFilter Filter PreScore Score];
    14 DYNAMIC_RESOURCES "DynamicResources" 2
        [PreEnqueue PreFilter Filter PostFilter Score Reserve PreBind];
    15 DEFAULT_PREEMPTION "DefaultPreemption" 0 [PreEnqueue PostFilter];
    16 NODE_RESOURCES_BALANCED_ALLOCATION "NodeResourcesBalancedAllocation" 1 [PreScore Score];
    17 IMAGE_LOCALITY "ImageLocality" 1 [Score];
    18 DEFAULT_BINDER "DefaultBinder" 0 [Bind];
    19 NODE_DECLARED_FEATURES "NodeDeclaredFeatures" 0 [PreFilter Filter];
    20 OPEN_GPU_SHARE "Open-Gpu-Share" 1 [Filter Reserve];
    21 RANDOM_SCORE "RandomScore" 1 [PreScore Score];
    22 DOT_PRODUCT_SCORE "DotProductScore" 1 [Score];
    23 GPU_CLUSTERING_SCORE "GpuClusteringScore" 1 [Score];
    24 GPU_PACKING_SCORE "GpuPackingScore" 1 [Score];
    25 BEST_FIT_SCORE "BestFitScore" 1 [Score];
    26 FGD_SCORE "FGDScore" 1 [Score];
}

/// How many of the built-in plugins make up the default profile.
const OF_KUBERNETES: usize = 20;

impl BuiltIn {
    /// Whether it has code for an extension point.
    pub fn extends(&self, point: Point) -> bool {
        self.points & 1 << point as u16 != 0
    }
}

impl PluginId {
    /// The built-in plugin called `name`.
    pub fn built_in(name: &str) -> Option<Self> {
        let at = Self::BUILT_IN.iter().position(|plugin| plugin.name == name)?;
        Some(Self(at as u8))
    }

    /// The plugins of the default profile, in order.
    pub fn default_profile() -> impl Iterator<Item = Self> {
        (0..OF_KUBERNETES).map(|number| Self(number as u8))
    }

    /// Whether it prepares its filter in a PreFilter of its own.
    pub fn has_pre_filter(self) -> bool {
        self.definition().is_some_and(|plugin| plugin.extends(Point::PreFilter))
    }

    /// A built-in plugin's name and points.
    pub fn definition(self) -> Option<&'static BuiltIn> {
        Self::BUILT_IN.get(usize::from(self.0))
    }

    /// The plugin's name; empty for one that is not built in.
    pub fn name(self) -> &'static str {
        self.definition().map_or("", |plugin| plugin.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{PluginId, Point};

    #[test]
    fn numbers_names_and_order_agree() {
        for (at, plugin) in PluginId::BUILT_IN.iter().enumerate() {
            assert_eq!(PluginId::built_in(plugin.name), Some(PluginId(at as u8)));
        }
        assert_eq!(PluginId::NODE_DECLARED_FEATURES.name(), "NodeDeclaredFeatures");
        assert!(PluginId::IMAGE_LOCALITY.definition().unwrap().extends(Point::Score));
        assert!(!PluginId::IMAGE_LOCALITY.definition().unwrap().extends(Point::PreScore));
    }
}
