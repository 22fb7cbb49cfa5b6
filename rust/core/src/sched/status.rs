//! What a plugin says of a pod or of a node: the framework's small closed set of codes.

use smallvec::SmallVec;

use super::plugins::PluginId;
use crate::base::Text;

/// Why a pod cannot go somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Not now; the absence of some pods might help.
    Unschedulable,
    /// Not now, and preempting pods would not help.
    UnschedulableAndUnresolvable,
}

impl Code {
    /// Kubernetes' name of the code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
        }
    }
}

/// A Filter's no, small enough to be kept for every node. What the reason bits mean is the
/// plugin's affair; [`super::plugins::reasons`] spells them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The plugin.
    pub plugin: PluginId,
    /// How final it is.
    pub code: Code,
    /// The plugin's own bits.
    pub reasons: u64,
}

impl Rejection {
    /// A rejection that preemption may undo.
    pub fn unschedulable(plugin: PluginId, reasons: u64) -> Self {
        Self { plugin, code: Code::Unschedulable, reasons }
    }

    /// A rejection that preemption cannot undo.
    pub fn unresolvable(plugin: PluginId, reasons: u64) -> Self {
        Self { plugin, code: Code::UnschedulableAndUnresolvable, reasons }
    }
}

/// The reasons of a rejection in words, mostly one.
pub type Reasons = SmallVec<[Text; 1]>;

/// A set of plugins as bits.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct PluginSet(u64);

impl PluginSet {
    /// Adds a plugin.
    pub fn insert(&mut self, plugin: PluginId) {
        self.0 |= 1 << plugin.0;
    }

    /// Whether a plugin is in it.
    pub fn contains(self, plugin: PluginId) -> bool {
        self.0 & 1 << plugin.0 != 0
    }

    /// Whether no plugin is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The plugins, in order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = PluginId> {
        (0..64).filter(move |bit| self.0 & 1 << bit != 0).map(PluginId)
    }
}
