//! One scheduling cycle: from a pod to a node, or to the reasons why there is none.
//!
//! The order is Kubernetes': PreFilter ([`pre_filter`]), Filter ([`search`]), PostFilter when
//! nothing passed ([`post_filter`]), Score ([`score`]) and the choice among the best
//! ([`select`]). A cycle reads the cluster and decides; it writes nothing but what it remembers
//! for the next one ([`verdicts`]).

mod board;
pub mod fill;
mod judge;
pub mod message;
pub mod post_filter;
mod pre_filter;
pub mod score;
mod search;
pub mod select;
pub mod verdicts;

use std::sync::Arc;

use self::board::Part;
use self::message::FitError;
pub use self::score::Scores;
use self::verdicts::Column;
use super::cache::Cache;
use super::config::{Config, Profile};
use super::nodes::NodeId;
use super::plugins::policies::Turn;
use super::plugins::user::asking::Own;
use super::plugins::{Context, Filter, Kept};
use super::pod_info::PodInfo;
use super::status::{Code, PluginSet, Rejection};
use crate::base::{Stream, Text};
use crate::labels::Selector;
use crate::store::Store;

/// What a cycle may look at.
#[derive(Clone, Copy)]
pub struct Cycle<'a> {
    /// Every object.
    pub store: &'a Store,
    /// Pods and nodes as of the cycle's snapshot.
    pub cache: &'a Cache,
    /// The configuration.
    pub config: &'a Config,
    /// The pod's profile.
    pub profile: &'a Profile,
    /// Whom the pod is spread among by default.
    pub default_selector: Option<&'a Arc<Selector>>,
    /// What was counted in earlier cycles.
    pub kept: Kept<'a>,
    /// What the policies for shared GPUs go by.
    pub turn: Turn<'a>,
    /// The pod.
    pub pod: &'a PodInfo,
    /// The pod's row.
    pub slot: u32,
    /// What plugins of a user's own see, if the profile has any.
    pub own: Option<&'a Own<'a>>,
}

/// What goes on from one cycle to the next.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Where the next search for nodes starts.
    pub next_start: usize,
    /// The random stream for ties.
    pub stream: Stream,
}

/// Buffers that cycles use one after the other.
#[derive(Debug, Default)]
pub struct Findings {
    /// The nodes that passed, in the order they were found.
    pub feasible: Vec<NodeId>,
    /// The nodes that did not, with the reason, in the order they were judged.
    pub rejected: Vec<(NodeId, Rejection)>,
    /// Scores of the feasible nodes.
    pub scores: Scores,
    /// Whether nothing but the pod and the nodes themselves was asked, all of them.
    pub local: bool,
    /// Whether to list feasible nodes even where the choice needs no list.
    pub list: bool,
    /// Whether cycles look at nodes one by one, and remember nothing.
    pub plain: bool,
    parts: Vec<Part>,
}

/// What a cycle came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The pod goes to this node.
    Node(NodeId),
    /// No node will have it.
    Unschedulable(Failure),
    /// A plugin of a user's own must answer first, or cannot.
    Undecided,
}

/// Why no node will have a pod, and what is done about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// The text of condition and event.
    pub message: Text,
    /// The plugins whose no it was; none when there are no nodes at all.
    pub rejectors: PluginSet,
    /// What becomes of the pod's nomination.
    pub nominate: Nominate,
    /// Rows of the pods to make room.
    pub victims: Vec<u32>,
}

/// What becomes of a pod's nominated node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nominate {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is withdrawn.
    Clear,
    /// It becomes this node.
    Node(Text),
}

/// PreFilter's part of the reasons, needed again by PostFilter.
#[derive(Clone, Debug, Default)]
pub struct Absent {
    /// The status of every node that was not judged.
    pub code: Option<Code>,
    /// Its reason; empty when PreFilter had none.
    pub reason: Text,
}

impl<'a> Cycle<'a> {
    /// Decides where the pod goes.
    pub fn run(
        &self,
        column: &mut Column,
        progress: &mut Progress,
        findings: &mut Findings,
    ) -> Outcome {
        let outcome = self.find(column, progress, findings);
        if self.is_waiting() { Outcome::Undecided } else { outcome }
    }

    /// Whether a plugin of a user's own must answer first.
    pub(super) fn is_waiting(&self) -> bool {
        self.own.is_some_and(Own::is_waiting)
    }

    /// Decides where the pod goes, unless the cycle turns out to be waiting.
    fn find(
        &self,
        column: &mut Column,
        progress: &mut Progress,
        findings: &mut Findings,
    ) -> Outcome {
        findings.clear();
        let all = self.cache.nodes.order().len();
        if all == 0 {
            return Outcome::Unschedulable(Failure {
                message: "no nodes available to schedule pods".into(),
                nominate: Nominate::Clear,
                ..Failure::default()
            });
        }
        let prepared = match self.pre_filter() {
            Ok(prepared) => prepared,
            Err(_) if self.is_waiting() => return Outcome::Undecided,
            Err(rejected) => return Outcome::Unschedulable(self.fail_early(&rejected, findings)),
        };
        let found = self.find_feasible(&prepared, column, progress, findings);
        if self.is_waiting() {
            return Outcome::Undecided;
        }
        if let Some(found) = found {
            if findings.list || !self.scores_are_local() || found.feasible == 1 {
                board::list(column, &self.cache.nodes, findings);
            }
            if found.feasible > 1 && self.scores_are_local() {
                let (tie_break, nodes) = (self.config.tie_break, &self.cache.nodes);
                let node = found.choose(tie_break, column, &findings.parts, nodes, progress);
                return Outcome::Node(node);
            }
        }
        match findings.feasible[..] {
            [] => Outcome::Unschedulable(self.fail(&prepared, findings)),
            [only] => {
                findings.scores.totals.clear();
                Outcome::Node(only)
            }
            _ => {
                self.score(findings);
                if self.is_waiting() {
                    return Outcome::Undecided;
                }
                let best =
                    select::best(self.config.tie_break, findings, &self.cache.nodes, progress);
                Outcome::Node(best)
            }
        }
    }

    /// What plugins see of the cycle.
    pub(super) fn context(&self) -> Context<'a> {
        Context {
            store: self.store,
            cache: self.cache,
            nodes: &self.cache.nodes,
            args: &self.profile.args,
            default_selector: self.default_selector,
            kept: self.kept,
            turn: self.turn,
            pod: self.pod,
            slot: self.slot,
            own: self.own,
        }
    }

    /// PreFilter said no for every node at once.
    fn fail_early(&self, rejected: &pre_filter::Rejected<'a>, findings: &Findings) -> Failure {
        let absent = Absent { code: Some(rejected.code), reason: Text::default() };
        let post =
            self.post_filter(&rejected.filters, &absent, rejected.saw_dynamic_resources, findings);
        let error = FitError {
            nodes: self.cache.nodes.order().len(),
            own: self.own,
            pre_filter: &rejected.message,
            rejected: &[],
            absent: &absent.reason,
            post_filter: &post.message,
        };
        Failure {
            message: error.to_text(self.pod),
            rejectors: rejected.plugins,
            nominate: post.nominate,
            victims: post.victims,
        }
    }

    /// Every node said no.
    fn fail(&self, prepared: &pre_filter::Prepared<'a>, findings: &Findings) -> Failure {
        let absent = prepared.absent();
        let post =
            self.post_filter(&prepared.filters, &absent, prepared.saw_dynamic_resources, findings);
        let error = FitError {
            nodes: self.cache.nodes.order().len(),
            own: self.own,
            pre_filter: "",
            rejected: &findings.rejected,
            absent: &absent.reason,
            post_filter: &post.message,
        };
        let mut rejectors = prepared.narrowing;
        for (_, rejection) in &findings.rejected {
            rejectors.insert(rejection.plugin);
        }
        let message = error.to_text(self.pod);
        Failure { message, rejectors, nominate: post.nominate, victims: post.victims }
    }
}

impl Findings {
    pub(super) fn clear(&mut self) {
        self.local = false;
        self.feasible.clear();
        self.rejected.clear();
        self.scores.clear();
    }
}

/// The filters of a cycle, in the order of the profile.
pub type Filters<'a> = [Filter<'a>];
