//! Plugins of a user's own: expressions, which run here, and plugins written elsewhere, which
//! are asked.
//!
//! ```text
//!   Declaration ─► UserPlugin ─► expression: a local plugin like any other
//!                             └► elsewhere:  the cycle stops, the question goes out, and with
//!                                            the answer it runs again
//! ```
//!
//! [`asking`] is what a cycle knows of answers and notes of questions. A cycle that misses an
//! answer decides nothing and changes nothing: the pod stays first in the queue, and whoever
//! runs the scheduler sees the question. So nothing outside is ever called from here.

pub mod asking;
pub mod columns;
pub mod expression;

use serde::{Deserialize, Serialize};

use self::asking::{Own, PENDING, Said};
use self::expression::{Environment, Program};
use super::{Context, MAX_SCORE, PluginId, Point, PreFilter, normalize};
use crate::base::Text;
use crate::sched::events::{Actions, Event, Interest, Resource};
use crate::sched::nodes::{NodeId, NodeView, Nodes};
use crate::sched::status::Rejection;

/// The number of the first plugin of a user's own.
pub const FIRST: u8 = 40;
/// How many a scheduler can have: sets of plugins are 64 bits.
pub const MOST: usize = 24;

/// What becomes of raw scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalize {
    /// They are final.
    #[default]
    None,
    /// Kubernetes' default: the highest becomes a hundred.
    Default,
    /// The same the other way round: the highest becomes zero.
    Reversed,
}

/// Where a plugin's code is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// Here, as text.
    Expression {
        /// Whether a pod is considered at all; empty for always.
        pre_filter: Text,
        /// Whether a node is right; empty for always.
        filter: Text,
        /// How good it is; empty for no score.
        score: Text,
    },
    /// Elsewhere: whoever runs the scheduler answers.
    Elsewhere {
        /// Whether it is asked once per pod.
        pre_filter: bool,
        /// Whether it is asked which nodes are right.
        filter: bool,
        /// Whether it is asked how good they are.
        score: bool,
    },
}

/// What a user says of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// Its name in configurations and messages.
    pub name: Text,
    /// Its weight where a configuration gives none.
    pub weight: i64,
    /// What becomes of its scores.
    pub normalize: Normalize,
    /// Whether preempting pods may change its mind about a node.
    pub resolvable: bool,
    /// What a message says of the nodes it rejected; empty for Kubernetes' words.
    pub reason: Text,
    /// The events that may let in pods it rejected, `Node/Add` or `Node`; `None` for all.
    pub events: Option<Vec<Text>>,
    /// Its code.
    pub source: Source,
}

impl Declaration {
    /// Whether others must be asked.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.source, Source::Elsewhere { .. })
    }
}

/// A declared plugin, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPlugin {
    /// What its user says of it.
    pub declaration: Declaration,
    pre_filter: Option<Program>,
    filter: Option<Program>,
    score: Option<Program>,
    interests: Option<Vec<Interest>>,
}

impl UserPlugin {
    /// Compiles what was declared.
    ///
    /// # Errors
    /// A sentence that names the plugin and, of an expression, which one and the column.
    pub fn new(declaration: Declaration) -> Result<Self, String> {
        let name = &declaration.name;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("a plugin's name is one word, not \"{name}\""));
        }
        if PluginId::built_in(name).is_some() {
            return Err(format!("plugin \"{name}\": Kubernetes has a plugin of this name"));
        }
        if !(1..=i64::from(i32::MAX)).contains(&declaration.weight) {
            let weight = declaration.weight;
            return Err(format!(
                "plugin \"{name}\": the weight {weight} is not above 0 and an int32"
            ));
        }
        let (mut pre_filter, mut filter, mut score) = (None, None, None);
        if let Source::Expression { pre_filter: before, filter: right, score: good } =
            &declaration.source
        {
            type Compile = fn(&str) -> Result<Program, expression::SyntaxError>;
            let compile = |what: &str, text: &Text, compile: Compile| {
                if text.is_empty() {
                    return Ok(None);
                }
                let wrong = |error| format!("plugin \"{name}\": {what}: {error}");
                compile(text).map(Some).map_err(wrong)
            };
            pre_filter = compile("pre_filter", before, Program::pod_condition)?;
            filter = compile("filter", right, Program::condition)?;
            score = compile("score", good, Program::number)?;
        }
        let interests = match &declaration.events {
            None => None,
            Some(events) => Some(interests(name, events)?),
        };
        let plugin = Self { declaration, pre_filter, filter, score, interests };
        let points = [Point::PreFilter, Point::Filter, Point::Score];
        if !points.iter().any(|point| plugin.extends(*point)) {
            let name = &plugin.declaration.name;
            return Err(format!("plugin \"{name}\" neither filters nor scores"));
        }
        Ok(plugin)
    }

    /// Whether it has code for an extension point.
    pub fn extends(&self, point: Point) -> bool {
        match (point, &self.declaration.source) {
            (Point::PreFilter, Source::Elsewhere { pre_filter, .. }) => *pre_filter,
            (Point::Filter, Source::Elsewhere { filter, .. }) => *filter,
            (Point::Score, Source::Elsewhere { score, .. }) => *score,
            (Point::PreFilter, _) => self.pre_filter.is_some(),
            (Point::Filter, _) => self.filter.is_some(),
            (Point::Score, _) => self.score.is_some(),
            _ => false,
        }
    }

    /// Whether others must be asked.
    pub fn is_elsewhere(&self) -> bool {
        self.declaration.is_elsewhere()
    }

    /// Whether an event may let in a pod it rejected.
    pub fn is_interested(&self, event: &Event) -> bool {
        let resource = event.resource();
        self.interests.as_ref().is_none_or(|interests| {
            let mut interests = interests.iter();
            interests.any(|interest| {
                interest.resource == resource && interest.actions.intersects(event.actions)
            })
        })
    }

    /// What a message says of a node it rejected.
    pub fn reason(&self) -> Text {
        let Declaration { name, reason, .. } = &self.declaration;
        if reason.is_empty() {
            return format!("node(s) didn't satisfy plugin {name}").into();
        }
        reason.clone()
    }

    fn rejection(&self, id: PluginId, reasons: u64) -> Rejection {
        if self.declaration.resolvable {
            return Rejection::unschedulable(id, reasons);
        }
        Rejection::unresolvable(id, reasons)
    }

    /// Whether its scores compare nodes.
    fn compares_nodes(&self) -> bool {
        self.is_elsewhere() || self.declaration.normalize != Normalize::None
    }
}

/// The names of events, as Kubernetes' `ClusterEvent` has them.
fn interests(plugin: &str, events: &[Text]) -> Result<Vec<Interest>, String> {
    events
        .iter()
        .map(|event| {
            let (resource, action) = event.split_once('/').unwrap_or((event, "*"));
            let resource = RESOURCES.iter().find(|(name, _)| *name == resource);
            let action = ACTIONS.iter().find(|(name, _)| *name == action);
            let Some(((_, resource), (_, actions))) = resource.zip(action) else {
                let resources = RESOURCES.map(|(name, _)| name).join(", ");
                let actions = ACTIONS.map(|(name, _)| name).join(", ");
                return Err(format!(
                    "plugin \"{plugin}\": no event \"{event}\": an event is RESOURCE/ACTION with \
                     a resource of {resources} and an action of {actions}"
                ));
            };
            Ok(Interest { resource: *resource, actions: *actions })
        })
        .collect()
}

const RESOURCES: [(&str, Resource); 9] = [
    ("Pod", Resource::Pod),
    ("Node", Resource::Node),
    ("PersistentVolumeClaim", Resource::Claim),
    ("PersistentVolume", Resource::Volume),
    ("StorageClass", Resource::Class),
    ("CSINode", Resource::CsiNode),
    ("CSIDriver", Resource::Driver),
    ("CSIStorageCapacity", Resource::Capacity),
    ("VolumeAttachment", Resource::Attachment),
];

const ACTIONS: [(&str, Actions); 11] = [
    ("*", Actions::ANY),
    ("Add", Actions::ADD),
    ("Delete", Actions::DELETE),
    ("Update", Actions::ANY_UPDATE),
    ("UpdateNodeAllocatable", Actions::UPDATE_NODE_ALLOCATABLE),
    ("UpdateNodeLabel", Actions::UPDATE_NODE_LABEL),
    ("UpdateNodeTaint", Actions::UPDATE_NODE_TAINT),
    ("UpdatePodLabel", Actions::UPDATE_POD_LABEL),
    ("UpdatePodScaleDown", Actions::UPDATE_POD_SCALE_DOWN),
    ("UpdatePodToleration", Actions::UPDATE_POD_TOLERATION),
    ("UpdatePodGatesEliminated", Actions::UPDATE_POD_GATES_ELIMINATED),
];

impl PluginId {
    /// The number of a user's own plugin, by its place among them.
    pub fn user(at: usize) -> Self {
        Self(FIRST + at as u8)
    }

    /// Its place among the plugins of a user's own, if it is one.
    #[inline]
    pub fn user_place(self) -> Option<usize> {
        self.0.checked_sub(FIRST).map(usize::from)
    }
}

/// Whether the plugin scores each node by itself.
pub fn scores_locally(id: PluginId, context: &Context) -> bool {
    let own = context.own.and_then(|own| own.plugin(id));
    own.is_some_and(|plugin| !plugin.compares_nodes())
}

/// Runs PreFilter of one plugin; its filter is prepared by [`filter`].
pub fn pre_filter<'a>(id: PluginId, context: &Context<'a>) -> PreFilter<'a> {
    let ready = PreFilter::Ready { filter: None, only: None };
    let Some((own, plugin)) = context.own.and_then(|own| Some((own, own.plugin(id)?))) else {
        return PreFilter::Skip;
    };
    let Some(program) = &plugin.pre_filter else {
        return match own.pre_filter_answer(id) {
            Said::Yes => ready,
            Said::No(reason) => PreFilter::Reject(own.reason(id, reason)),
            // Nobody looks at this: the cycle is over.
            Said::Nothing => PreFilter::Reject(Text::default()),
        };
    };
    match program.holds_for_pod(own.bound(id, Point::PreFilter), own.sets) {
        Ok(true) => ready,
        Ok(false) => PreFilter::Reject(plugin.reason()),
        Err(fault) => {
            own.note_fault(id, "pre_filter", program, None, &fault);
            PreFilter::Reject(Text::default())
        }
    }
}

/// A filter of a user's own.
#[derive(Clone, Copy)]
pub struct UserFilter<'a> {
    id: PluginId,
    own: &'a Own<'a>,
    plugin: &'a UserPlugin,
}

/// The filter of a plugin, if it has one.
pub fn filter<'a>(id: PluginId, context: &Context<'a>) -> Option<UserFilter<'a>> {
    let own = context.own?;
    let plugin = own.plugin(id)?;
    Some(UserFilter { id, own, plugin })
}

impl UserFilter<'_> {
    /// Whether it looks at the pod and at one node and nothing else.
    pub fn is_local(&self) -> bool {
        !self.plugin.is_elsewhere()
    }

    /// Judges a node.
    #[cold]
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let Self { id, own, plugin } = *self;
        let Some(program) = &plugin.filter else {
            return match own.filter_answer(id, node) {
                Said::Yes => Ok(()),
                Said::No(reason) => Err(plugin.rejection(id, u64::from(reason))),
                Said::Nothing => Err(plugin.rejection(id, PENDING)),
            };
        };
        let bound = own.bound(id, Point::Filter);
        match program.holds(Environment { bound, node, sets: own.sets }) {
            Ok(true) => Ok(()),
            Ok(false) => Err(plugin.rejection(id, 0)),
            Err(fault) => {
                own.note_fault(id, "filter", program, Some(node), &fault);
                Err(plugin.rejection(id, PENDING))
            }
        }
    }
}

/// A scorer of a user's own.
#[derive(Clone, Copy)]
pub struct UserScorer<'a> {
    id: PluginId,
    own: &'a Own<'a>,
    plugin: &'a UserPlugin,
}

/// The scorer of a plugin, if it has one.
pub fn scorer<'a>(id: PluginId, context: &Context<'a>) -> Option<UserScorer<'a>> {
    let own = context.own?;
    let plugin = own.plugin(id)?;
    Some(UserScorer { id, own, plugin })
}

impl UserScorer<'_> {
    /// The final score of one node, from an expression that compares none.
    pub fn score_one(&self, node: NodeView) -> i64 {
        let score = self.raw(node);
        self.in_range(score, node)
    }

    /// Appends the final score of each node.
    pub fn score(&self, nodes: &Nodes, ids: &[NodeId], scores: &mut Vec<i64>) {
        if self.plugin.score.is_some() {
            scores.extend(ids.iter().map(|id| self.raw(nodes.view(*id))));
        } else if !self.own.score_answer(self.id, ids, scores) {
            scores.resize(ids.len(), 0);
            return;
        }
        match self.plugin.declaration.normalize {
            Normalize::None => {}
            normal if scores.iter().all(|score| *score >= 0) => {
                normalize(scores, normal == Normalize::Reversed);
            }
            _ => {}
        }
        for (score, id) in scores.iter_mut().zip(ids) {
            *score = self.in_range(*score, nodes.view(*id));
        }
    }

    /// An expression's number, cut to a whole one. What is within a billionth of the next whole
    /// number is that number: decimal fractions are not exact in binary.
    fn raw(&self, node: NodeView) -> i64 {
        let program = self.plugin.score.as_ref().expect("only expressions are asked for one node");
        let bound = self.own.bound(self.id, Point::Score);
        match program.evaluate(Environment { bound, node, sets: self.own.sets }) {
            Ok(score) if score.is_finite() => {
                let nudge = if score < 0.0 { -1e-9 } else { 1e-9 };
                (score + nudge).trunc() as i64
            }
            Ok(_) => i64::MAX,
            Err(fault) => {
                self.own.note_fault(self.id, "score", program, Some(node), &fault);
                0
            }
        }
    }

    fn in_range(&self, score: i64, node: NodeView) -> i64 {
        if (0..=MAX_SCORE).contains(&score) {
            return score;
        }
        self.own.note_score_out_of_range(self.id, score, node);
        0
    }
}
