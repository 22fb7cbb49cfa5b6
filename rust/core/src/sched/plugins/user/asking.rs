//! What a cycle knows of the answers of plugins elsewhere, and notes of what it must ask.
//!
//! A cycle that meets a question without an answer goes on as if the node passed, so that one
//! question covers every node it would come to; then it ends undecided. It is run again with
//! the answer and may ask on. A node on which pods come and go on trial, for preemption or for
//! pods it is promised to, is another node to a plugin: it is asked about that one, too.

use std::cell::RefCell;

use super::expression::{Bound, Fault, Program};
use super::{PluginId, Point, UserPlugin};
use crate::base::{FastMap, Text};
use crate::labels::LabelSets;
use crate::sched::config::Profile;
use crate::sched::nodes::{NodeCopy, NodeId, NodeView};
use crate::sched::plugins::{self, Context};
use crate::sched::pod_info::PodInfo;
use crate::sched::status::{Reasons, Rejection};
use crate::store::{ObjectId, Store};

/// The reasons of a rejection that is none: the plugin was not asked yet.
pub const PENDING: u64 = u64::MAX;

/// What a plugin elsewhere is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The plugin's place among the user's own.
    pub plugin: usize,
    /// Whether the pod may be scheduled, which nodes are right, or how good they are.
    pub point: Point,
    /// The pod.
    pub pod: ObjectId,
    /// The nodes, in order of their numbers; none for the pod alone.
    pub nodes: Vec<NodeId>,
    /// The nodes as a trial has them, in place of `nodes`.
    pub trials: Vec<NodeCopy>,
}

/// Why no decision was made.
#[derive(Clone, Debug)]
pub enum Halt {
    /// A plugin elsewhere is to be asked.
    Asked(Box<Question>),
    /// A plugin has no answer, in one sentence.
    Fault(String),
}

/// The answers about one pod at one moment.
#[derive(Debug, Default)]
pub struct Answers {
    /// Whom and when they are about: the pod, the store's revision, the nodes' position.
    about: Option<(ObjectId, u64, u64)>,
    pre_filter: Vec<(PluginId, Option<u32>)>,
    filter: Vec<FilterAnswers>,
    score: Vec<ScoreAnswers>,
    /// The texts of reasons, for good.
    reasons: Vec<Text>,
}

/// What one plugin said of nodes: by number, 1 for yes and 2 more than the reason for no.
#[derive(Debug)]
struct FilterAnswers {
    plugin: PluginId,
    by_node: Vec<u32>,
    known: Vec<NodeId>,
    trials: FastMap<(NodeId, u64), u32>,
}

#[derive(Debug)]
struct ScoreAnswers {
    plugin: PluginId,
    by_node: Vec<i64>,
    /// How many nodes were asked about; none when nothing is known.
    nodes: usize,
}

impl Answers {
    /// Forgets what was said of another pod or at another time.
    pub fn begin(&mut self, pod: ObjectId, revision: u64, position: u64) {
        let about = Some((pod, revision, position));
        if self.about == about {
            return;
        }
        self.about = about;
        self.pre_filter.clear();
        for answers in &mut self.filter {
            for node in answers.known.drain(..) {
                answers.by_node[node.index()] = 0;
            }
            answers.trials.clear();
        }
        for answers in &mut self.score {
            answers.nodes = 0;
        }
    }

    /// Forgets what was said.
    pub fn forget(&mut self) {
        self.about = None;
    }

    /// Takes in the answer about the pod: nothing for yes, or the reason for no.
    pub fn answer_pod(&mut self, question: &Question, reason: Option<&str>) {
        let reason = reason.map(|reason| self.reason_number(reason));
        self.pre_filter.push((PluginId::user(question.plugin), reason));
    }

    /// Takes in which nodes are right: for each nothing, or the place in `reasons` of why not.
    ///
    /// # Panics
    /// When the numbers of answers and nodes differ.
    pub fn answer_filter(&mut self, question: &Question, said: &[Option<usize>], reasons: &[Text]) {
        let numbers: Vec<u32> = reasons.iter().map(|reason| self.reason_number(reason)).collect();
        let word = |said: &Option<usize>| said.map_or(1, |at| numbers[at] + 2);
        let plugin = PluginId::user(question.plugin);
        let at = self.filter.iter().position(|answers| answers.plugin == plugin);
        let at = at.unwrap_or_else(|| {
            let (by_node, known, trials) = (Vec::new(), Vec::new(), FastMap::new());
            self.filter.push(FilterAnswers { plugin, by_node, known, trials });
            self.filter.len() - 1
        });
        let answers = &mut self.filter[at];
        assert_eq!(said.len(), question.nodes.len() + question.trials.len());
        for (node, said) in question.nodes.iter().zip(said) {
            if answers.by_node.len() <= node.index() {
                answers.by_node.resize(node.index() + 1, 0);
            }
            answers.by_node[node.index()] = word(said);
            answers.known.push(*node);
        }
        for (trial, said) in question.trials.iter().zip(said) {
            answers.trials.insert((trial.id, trial.changed), word(said));
        }
    }

    /// Takes in how good the nodes are.
    ///
    /// # Panics
    /// When the numbers of scores and nodes differ.
    pub fn answer_score(&mut self, question: &Question, scores: &[i64]) {
        assert_eq!(scores.len(), question.nodes.len());
        let plugin = PluginId::user(question.plugin);
        let at = self.score.iter().position(|answers| answers.plugin == plugin);
        let at = at.unwrap_or_else(|| {
            self.score.push(ScoreAnswers { plugin, by_node: Vec::new(), nodes: 0 });
            self.score.len() - 1
        });
        let answers = &mut self.score[at];
        for (node, score) in question.nodes.iter().zip(scores) {
            if answers.by_node.len() <= node.index() {
                answers.by_node.resize(node.index() + 1, 0);
            }
            answers.by_node[node.index()] = *score;
        }
        answers.nodes = question.nodes.len();
    }

    /// The number of a reason; zero is the plugin's usual one, which is empty here.
    fn reason_number(&mut self, reason: &str) -> u32 {
        if reason.is_empty() {
            return 0;
        }
        let at = self.reasons.iter().position(|have| have == reason).unwrap_or_else(|| {
            self.reasons.push(reason.into());
            self.reasons.len() - 1
        });
        at as u32 + 1
    }

    /// The text of a reason of a user's own plugin.
    pub fn reason(&self, plugin: &UserPlugin, number: u32) -> Text {
        match number.checked_sub(1) {
            Some(at) => self.reasons[at as usize].clone(),
            None => plugin.reason(),
        }
    }
}

/// What a plugin elsewhere said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was not asked yet.
    Nothing,
    /// Yes.
    Yes,
    /// No, for the reason of this number.
    No(u32),
}

/// What is taken from a pod for each expression of a profile, in the order of the plugins and
/// of their points.
pub type Bounds = Vec<(PluginId, Point, Bound)>;

/// The expressions of a profile, with what they take from the pod.
pub fn bind(plugins: &[UserPlugin], profile: &Profile, context: &Context) -> Bounds {
    let mut bounds = Bounds::new();
    let mut add = |id: PluginId, point: Point| {
        let plugin = id.user_place().and_then(|at| plugins.get(at));
        let program = plugin.and_then(|plugin| match point {
            Point::PreFilter => plugin.pre_filter.as_ref(),
            Point::Filter => plugin.filter.as_ref(),
            _ => plugin.score.as_ref(),
        });
        if let Some(program) = program {
            bounds.push((id, point, program.bind(context)));
        }
    };
    profile.pre_filter.iter().for_each(|id| add(*id, Point::PreFilter));
    profile.filter.iter().for_each(|id| add(*id, Point::Filter));
    profile.score.iter().for_each(|(id, _)| add(*id, Point::Score));
    bounds
}

/// What plugins of a user's own see of a cycle, and leave behind.
pub struct Own<'a> {
    /// All of them.
    pub plugins: &'a [UserPlugin],
    /// What expressions take from the pod.
    pub bounds: &'a Bounds,
    /// What was answered.
    pub answers: &'a Answers,
    /// Labels of nodes.
    pub sets: &'a LabelSets,
    /// The pod's namespace and name, for messages.
    pub store: &'a Store,
    /// The pod.
    pub pod: ObjectId,
    /// What is missing.
    left: RefCell<Left>,
}

#[derive(Debug, Default)]
struct Left {
    question: Option<Question>,
    fault: Option<String>,
}

impl<'a> Own<'a> {
    /// What plugins see of a cycle for a pod.
    pub fn new(
        plugins: &'a [UserPlugin],
        bounds: &'a Bounds,
        answers: &'a Answers,
        store: &'a Store,
        pod: ObjectId,
    ) -> Self {
        let left = RefCell::default();
        Self { plugins, bounds, answers, sets: &store.sets, store, pod, left }
    }

    /// A plugin by its number, if it is a user's own.
    pub fn plugin(&self, id: PluginId) -> Option<&'a UserPlugin> {
        self.plugins.get(id.user_place()?)
    }

    /// What an expression takes from the pod.
    pub(super) fn bound(&self, id: PluginId, point: Point) -> &Bound {
        let found = self.bounds.iter().find(|(plugin, at, _)| (*plugin, *at) == (id, point));
        &found.expect("the profile's expressions are bound").2
    }

    /// A rejection's reasons in words, whoever rejects.
    pub fn reasons(own: Option<&Self>, rejection: Rejection, pod: &PodInfo) -> Reasons {
        match own.filter(|own| own.plugin(rejection.plugin).is_some()) {
            Some(own) => {
                Reasons::from_iter([own.reason(rejection.plugin, rejection.reasons as u32)])
            }
            None => plugins::reasons(rejection, pod),
        }
    }

    /// The text of a reason.
    pub(super) fn reason(&self, id: PluginId, number: u32) -> Text {
        let plugin = self.plugin(id).expect("a user's own plugin has reasons");
        self.answers.reason(plugin, number)
    }

    /// Whether the cycle cannot be decided yet.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        let left = self.left.borrow();
        left.question.is_some() || left.fault.is_some()
    }

    /// Why not.
    pub fn into_halt(self) -> Option<Halt> {
        let Left { question, fault } = self.left.into_inner();
        if let Some(fault) = fault {
            return Some(Halt::Fault(fault));
        }
        let mut question = question?;
        question.nodes.sort_unstable();
        question.nodes.dedup();
        Some(Halt::Asked(Box::new(question)))
    }

    /// The answer about the pod, or nothing and a question.
    pub(super) fn pre_filter_answer(&self, id: PluginId) -> Said {
        match self.answers.pre_filter.iter().find(|(plugin, _)| *plugin == id) {
            Some((_, None)) => Said::Yes,
            Some((_, Some(reason))) => Said::No(*reason),
            None => {
                self.ask(id, Point::PreFilter, |_| {});
                Said::Nothing
            }
        }
    }

    /// The answer about a node, or nothing and a question.
    pub(super) fn filter_answer(&self, id: PluginId, node: NodeView) -> Said {
        let answers = self.answers.filter.iter().find(|answers| answers.plugin == id);
        let word = answers.and_then(|answers| match node.changed {
            0 => answers.by_node.get(node.id.index()).copied().filter(|word| *word != 0),
            changed => answers.trials.get(&(node.id, changed)).copied(),
        });
        if let Some(word) = word {
            return word.checked_sub(2).map_or(Said::Yes, Said::No);
        }
        self.ask(id, Point::Filter, |question| match node.changed {
            // A question is about nodes as they are or about trials, never both.
            0 if question.trials.is_empty() => question.nodes.push(node.id),
            0 => {}
            _ if question.nodes.is_empty() => question.add_trial(node),
            _ => {}
        });
        Said::Nothing
    }

    /// Appends the scores of these nodes; otherwise asks for them and says no.
    pub(super) fn score_answer(&self, id: PluginId, ids: &[NodeId], scores: &mut Vec<i64>) -> bool {
        let answers = self.answers.score.iter().find(|answers| answers.plugin == id);
        let Some(answers) = answers.filter(|answers| answers.nodes == ids.len()) else {
            self.ask(id, Point::Score, |question| question.nodes.extend(ids));
            return false;
        };
        scores.extend(ids.iter().map(|node| answers.by_node[node.index()]));
        true
    }

    /// Notes something to ask of a plugin. One question is asked at a time, the first one.
    fn ask(&self, id: PluginId, point: Point, add: impl FnOnce(&mut Question)) {
        let mut left = self.left.borrow_mut();
        let plugin = id.user_place().expect("only a user's own plugins are asked");
        let pod = self.pod;
        let (nodes, trials) = (Vec::new(), Vec::new());
        let fresh = Question { plugin, point, pod, nodes, trials };
        let question = left.question.get_or_insert(fresh);
        if (question.plugin, question.point) == (plugin, point) {
            add(question);
        }
    }

    /// Notes that an expression has no answer.
    pub(super) fn note_fault(
        &self,
        id: PluginId,
        what: &str,
        program: &Program,
        node: Option<NodeView>,
        fault: &Fault,
    ) {
        let on_node = node.map(|node| format!(", node \"{}\"", node.info.name)).unwrap_or_default();
        let (plugin, pod) = (self.name(id), self.pod_name());
        let source = &program.source;
        self.note(format!(
            "plugin \"{plugin}\": {what} of pod \"{pod}\"{on_node}: {fault} in \"{source}\""
        ));
    }

    /// Notes a score that is none.
    pub(super) fn note_score_out_of_range(&self, id: PluginId, score: i64, node: NodeView) {
        let (plugin, pod, node) = (self.name(id), self.pod_name(), &node.info.name);
        self.note(format!(
            "plugin \"{plugin}\" gave node \"{node}\" the score {score} for pod \"{pod}\": scores \
             are from 0 to 100"
        ));
    }

    fn note(&self, fault: String) {
        self.left.borrow_mut().fault.get_or_insert(fault);
    }

    fn name(&self, id: PluginId) -> &Text {
        &self.plugin(id).expect("a user's own plugin has a name").declaration.name
    }

    fn pod_name(&self) -> String {
        let body = self.store.body(self.pod);
        let namespace = body.and_then(|body| body.namespace);
        let namespace = namespace.map_or("", |namespace| self.store.strings.text(namespace));
        format!("{namespace}/{}", self.store.name(self.pod).unwrap_or_default())
    }
}

impl Question {
    /// Adds a node as a trial has it.
    fn add_trial(&mut self, node: NodeView) {
        let NodeView { id, changed, row, info } = node;
        let known = self.trials.iter().any(|trial| (trial.id, trial.changed) == (id, changed));
        if !known {
            self.trials.push(NodeCopy { id, changed, row: *row, info: info.clone() });
        }
    }
}

/// Whether a rejection stands for a question.
pub fn is_pending(rejection: Rejection) -> bool {
    rejection.reasons == PENDING && rejection.plugin.user_place().is_some()
}
