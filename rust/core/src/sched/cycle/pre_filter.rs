//! PreFilter: what can be said about a pod before any node is looked at.

use super::{Absent, Cycle};
use crate::base::Text;
use crate::sched::nodes::NodeId;
use crate::sched::plugins::{self, Filter, PluginId, PreFilter, user};
use crate::sched::status::{Code, PluginSet};

/// What PreFilter leaves for the rest of the cycle.
pub(super) struct Prepared<'a> {
    /// The filters to run, in the order of the profile.
    pub filters: Vec<Filter<'a>>,
    /// The only nodes to judge, in order; `None` for all.
    pub only: Option<Vec<NodeId>>,
    /// The plugins that named the only nodes.
    pub narrowing: PluginSet,
    /// Whether DynamicResources had its turn.
    pub saw_dynamic_resources: bool,
}

/// PreFilter's no.
pub(super) struct Rejected<'a> {
    pub code: Code,
    pub message: Text,
    pub plugins: PluginSet,
    pub saw_dynamic_resources: bool,
    /// The filters, where preemption may make them pass.
    pub filters: Vec<Filter<'a>>,
}

/// What is known after each plugin's turn.
#[derive(Default)]
struct Turns<'a> {
    ready: Vec<(PluginId, Filter<'a>)>,
    only: Option<Vec<Text>>,
    narrowing: PluginSet,
    rejected: Option<(PluginId, Text)>,
    saw_dynamic_resources: bool,
}

impl<'a> Cycle<'a> {
    /// Runs PreFilter of every plugin.
    pub(super) fn pre_filter(&self) -> Result<Prepared<'a>, Rejected<'a>> {
        let mut turns = Turns::default();
        for id in &self.profile.pre_filter {
            turns.take(*id, plugins::pre_filter(*id, &self.context()))?;
            turns.saw_dynamic_resources |= *id == PluginId::DYNAMIC_RESOURCES;
        }
        if let Some((plugin, message)) = turns.rejected.take() {
            let mut rejected = turns.reject(Code::Unschedulable, message, Some(plugin));
            rejected.filters = self.filters(&mut turns.ready);
            return Err(rejected);
        }
        Ok(Prepared {
            filters: self.filters(&mut turns.ready),
            only: turns.only.map(|names| self.existing(&names)),
            narrowing: turns.narrowing,
            saw_dynamic_resources: turns.saw_dynamic_resources,
        })
    }

    /// The filters in the order of the profile; those without PreFilter are prepared here.
    fn filters(&self, ready: &mut Vec<(PluginId, Filter<'a>)>) -> Vec<Filter<'a>> {
        let mut filters = Vec::with_capacity(self.profile.filter.len());
        for id in &self.profile.filter {
            let prepared = ready.iter().position(|(have, _)| have == id);
            if let Some(at) = prepared {
                filters.push(ready.swap_remove(at).1);
            } else if id.user_place().is_some() {
                filters.extend(user::filter(*id, &self.context()).map(Filter::User));
            } else if !id.has_pre_filter()
                && let PreFilter::Ready { filter: Some(filter), .. } =
                    plugins::pre_filter(*id, &self.context())
            {
                filters.push(filter);
            }
        }
        filters
    }

    /// The nodes of these names that exist. Kubernetes walks a hash set here; we go by name.
    fn existing(&self, names: &[Text]) -> Vec<NodeId> {
        names.iter().filter_map(|name| self.cache.nodes.find(name)).collect()
    }
}

impl<'a> Turns<'a> {
    /// Notes what one plugin said. A no that preemption may undo waits until all had their
    /// turn, any other ends the cycle.
    fn take(&mut self, id: PluginId, said: PreFilter<'a>) -> Result<(), Rejected<'a>> {
        match said {
            PreFilter::Skip => {}
            PreFilter::Blocked(message, filter) => {
                self.rejected = Some((id, message));
                self.ready.extend(filter.map(|filter| (id, filter)));
            }
            PreFilter::Reject(message) => {
                self.narrowing = PluginSet::default();
                let code = Code::UnschedulableAndUnresolvable;
                return Err(self.reject(code, message, Some(id)));
            }
            PreFilter::Ready { filter, only } => {
                self.ready.extend(filter.map(|filter| (id, filter)));
                if let Some(names) = only {
                    self.narrow(id, names)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps only nodes of these names.
    fn narrow(&mut self, id: PluginId, names: Vec<Text>) -> Result<(), Rejected<'a>> {
        self.narrowing.insert(id);
        let left = match self.only.take() {
            None => names,
            Some(before) => before.into_iter().filter(|name| names.contains(name)).collect(),
        };
        if left.is_empty() {
            let plugins = names_of(self.narrowing);
            let message = match &plugins[..] {
                [only] => format!("node(s) didn't satisfy plugin {only}"),
                _ => format!(
                    "node(s) didn't satisfy plugin(s) [{}] simultaneously",
                    plugins.join(" ")
                ),
            };
            return Err(self.reject(Code::UnschedulableAndUnresolvable, message.into(), None));
        }
        self.only = Some(left);
        Ok(())
    }

    fn reject(&self, code: Code, message: Text, plugin: Option<PluginId>) -> Rejected<'a> {
        let mut plugins = self.narrowing;
        if let Some(plugin) = plugin {
            plugins.insert(plugin);
        }
        let saw_dynamic_resources = self.saw_dynamic_resources;
        Rejected { code, message, plugins, saw_dynamic_resources, filters: Vec::new() }
    }
}

impl Prepared<'_> {
    /// What is said of the nodes that were left out.
    pub fn absent(&self) -> Absent {
        if self.only.is_none() {
            return Absent::default();
        }
        let plugins = names_of(self.narrowing).join(" ");
        Absent {
            code: Some(Code::UnschedulableAndUnresolvable),
            reason: format!("node(s) didn't satisfy plugin(s) [{plugins}]").into(),
        }
    }
}

/// The names of some plugins, sorted.
fn names_of(plugins: PluginSet) -> Vec<&'static str> {
    let mut names: Vec<&str> = plugins.iter().map(PluginId::name).collect();
    names.sort_unstable();
    names
}
