//! The scheduler and plugins of a user's own: what it asks, and how it is answered.

use std::sync::Arc;

use super::config::{Config, Profile};
use super::events::Event;
use super::plugins::policies::Turn;
use super::plugins::user::asking::{self, Bounds, Halt, Question};
use super::plugins::{Context, PluginId};
use super::pod_info::PodInfo;
use super::status::{Reasons, Rejection};
use super::{Scheduler, plugins};
use crate::base::Text;
use crate::store::Store;

impl Scheduler {
    /// Why the last cycle decided nothing, if it did not.
    pub fn halt(&self) -> Option<&Halt> {
        self.halt.as_ref()
    }

    /// What a plugin elsewhere is asked, if the last cycle ended with a question.
    pub fn question(&self) -> Option<&Question> {
        match &self.halt {
            Some(Halt::Asked(question)) => Some(question),
            _ => None,
        }
    }

    /// Answers a question about a pod: nothing for yes, or the reason for no, which may be
    /// empty.
    pub fn answer_pod(&mut self, reason: Option<&str>) {
        if let Some(Halt::Asked(question)) = self.halt.take() {
            self.remembered.answers.answer_pod(&question, reason);
        }
    }

    /// Answers which nodes of a question are right: for each nothing, or the place in `reasons`
    /// of why it is not. An empty reason is the plugin's usual one.
    ///
    /// # Panics
    /// When the numbers of answers and nodes differ.
    pub fn answer_filter(&mut self, said: &[Option<usize>], reasons: &[Text]) {
        if let Some(Halt::Asked(question)) = self.halt.take() {
            self.remembered.answers.answer_filter(&question, said, reasons);
        }
    }

    /// Answers how good the nodes of a question are.
    ///
    /// # Panics
    /// When the numbers of scores and nodes differ.
    pub fn answer_score(&mut self, scores: &[i64]) {
        if let Some(Halt::Asked(question)) = self.halt.take() {
            self.remembered.answers.answer_score(&question, scores);
        }
    }

    /// Forgets what was answered about the pod that is being tried: all is asked again.
    pub fn forget_answers(&mut self) {
        self.remembered.answers.forget();
        self.halt = None;
    }

    /// A rejection's reasons in words, whoever rejected.
    pub fn reasons(&self, rejection: Rejection, pod: &PodInfo) -> Reasons {
        let plugin = self.config.plugin(rejection.plugin);
        plugin.map_or_else(
            || plugins::reasons(rejection, pod),
            |plugin| {
                let answers = &self.remembered.answers;
                Reasons::from_iter([answers.reason(plugin, rejection.reasons as u32)])
            },
        )
    }

    /// What the expressions of a profile take from a pod.
    pub(super) fn bounds(
        &self,
        store: &Store,
        config: &Config,
        profile: &Profile,
        pod: &Arc<PodInfo>,
        slot: u32,
    ) -> Bounds {
        if !profile.has_user_plugins() {
            return Bounds::new();
        }
        let context = Context {
            store,
            cache: &self.cache,
            nodes: &self.cache.nodes,
            args: &profile.args,
            default_selector: None,
            kept: plugins::Kept::default(),
            turn: Turn::default(),
            pod,
            slot,
            own: None,
        };
        asking::bind(&config.plugins, profile, &context)
    }
}

impl Config {
    /// A user's own plugin by its number.
    pub fn plugin(&self, id: PluginId) -> Option<&plugins::user::UserPlugin> {
        self.plugins.get(id.user_place()?)
    }

    /// The name of a plugin, whosever it is.
    pub fn name_of(&self, id: PluginId) -> Text {
        self.plugin(id).map_or_else(|| id.name().into(), |plugin| plugin.declaration.name.clone())
    }

    /// Whether an event is of a kind that may let in a pod a plugin rejected.
    pub fn is_interested(&self, id: PluginId, event: &Event) -> bool {
        match self.plugin(id) {
            Some(plugin) => plugin.is_interested(event),
            None => plugins::is_interested(id, event),
        }
    }
}
