//! The scheduler's configuration: profiles and the few settings they share.

use crate::base::{Nanos, Text};

use super::plugins::user::UserPlugin;
use super::plugins::{Args, PluginId, Point, user};
use super::pod_info::DEFAULT_SCHEDULER;

/// How one of several best nodes is chosen: `tieBreak`, a field of our own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TieBreak {
    /// As the real scheduler 1.36 without extenders does at parallelism 1: the root of the heap
    /// it makes of the feasible nodes in the order they were found.
    #[default]
    Oracle,
    /// Uniformly, from the random stream `sched`.
    Seeded,
    /// The first by name, as some published simulators do.
    FirstByName,
}

impl TieBreak {
    /// Every way, with its name in a configuration file.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Oracle, "oracle"), (Self::Seeded, "seeded"), (Self::FirstByName, "first-by-name")];
}

/// A scheduler's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The text it was read from; empty for the default configuration.
    pub source: String,
    /// The plugins of a user's own, by number.
    pub plugins: Vec<UserPlugin>,
    /// The profiles; pods choose one by `spec.schedulerName`.
    pub profiles: Vec<Profile>,
    /// `percentageOfNodesToScore`; 0 is adaptive.
    pub percentage_of_nodes_to_score: i32,
    /// `podInitialBackoffSeconds`.
    pub initial_backoff: Nanos,
    /// `podMaxBackoffSeconds`; zero turns backing off off.
    pub max_backoff: Nanos,
    /// How long a rejected pod waits at most for an event, a flag of the real scheduler.
    pub max_in_unschedulable: Nanos,
    /// How one of several best nodes is chosen.
    pub tie_break: TieBreak,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: String::new(),
            plugins: Vec::new(),
            profiles: vec![Profile::default()],
            percentage_of_nodes_to_score: 0,
            initial_backoff: Nanos::from_secs(1),
            max_backoff: Nanos::from_secs(10),
            max_in_unschedulable: Nanos::from_secs(300),
            tie_break: TieBreak::Oracle,
        }
    }
}

impl Config {
    /// The profile that schedules pods with this `spec.schedulerName`.
    pub fn profile(&self, scheduler_name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.scheduler_name == scheduler_name)
    }

    /// How many feasible nodes are enough among `nodes` candidates.
    pub fn enough_feasible_nodes(&self, profile: &Profile, nodes: usize) -> usize {
        const ENOUGH: usize = 100;
        if profile.score.is_empty() {
            return 1;
        }
        if nodes < ENOUGH {
            return nodes;
        }
        let set = profile.percentage_of_nodes_to_score.unwrap_or(self.percentage_of_nodes_to_score);
        let percentage = match set {
            0 => (50 - nodes as i64 / 125).max(5),
            set => i64::from(set),
        };
        ENOUGH.max((nodes as i64 * percentage / 100) as usize)
    }
}

/// A profile: its plugins at every extension point, in order, and their arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// `schedulerName`.
    pub scheduler_name: Text,
    /// `percentageOfNodesToScore`, if the profile has its own.
    pub percentage_of_nodes_to_score: Option<i32>,
    /// Plugins asked before a pod enters the queue.
    pub pre_enqueue: Vec<PluginId>,
    /// Plugins asked once before nodes are judged.
    pub pre_filter: Vec<PluginId>,
    /// Plugins asked per node.
    pub filter: Vec<PluginId>,
    /// Plugins asked when no node passed.
    pub post_filter: Vec<PluginId>,
    /// Plugins asked for what a node is to set aside for the pod.
    pub reserve: Vec<PluginId>,
    /// Plugins that score nodes, with their weights.
    pub score: Vec<(PluginId, i64)>,
    /// The arguments of the plugins.
    pub args: Args,
}

impl Profile {
    /// The default profile, with these plugins of a user's own after the built-in ones.
    pub fn with_plugins(plugins: &[UserPlugin]) -> Self {
        let mut profile = Self::default();
        for (at, plugin) in plugins.iter().enumerate() {
            let id = PluginId::user(at);
            profile.pre_filter.extend(plugin.extends(Point::PreFilter).then_some(id));
            profile.filter.extend(plugin.extends(Point::Filter).then_some(id));
            let weighted = (id, plugin.declaration.weight);
            profile.score.extend(plugin.extends(Point::Score).then_some(weighted));
        }
        profile
    }

    /// Whether it has plugins of a user's own.
    pub fn has_user_plugins(&self) -> bool {
        self.user_plugins().next().is_some()
    }

    /// The plugins of a user's own that it has; one may come several times.
    pub fn user_plugins(&self) -> impl Iterator<Item = PluginId> {
        let lists = self.pre_filter.iter().chain(&self.filter);
        let scores = self.score.iter().map(|(id, _)| id);
        lists.chain(scores).copied().filter(|id| id.0 >= user::FIRST)
    }
}

impl Default for Profile {
    /// The default profile of Kubernetes 1.36.
    fn default() -> Self {
        let all = PluginId::default_profile;
        let at = |point| -> Vec<PluginId> {
            all().filter(|id| id.definition().is_some_and(|def| def.extends(point))).collect()
        };
        let weight = |id: PluginId| id.definition().map_or(1, |def| def.weight.max(1));
        Self {
            scheduler_name: DEFAULT_SCHEDULER.into(),
            percentage_of_nodes_to_score: None,
            pre_enqueue: at(Point::PreEnqueue),
            pre_filter: at(Point::PreFilter),
            filter: at(Point::Filter),
            post_filter: at(Point::PostFilter),
            reserve: at(Point::Reserve),
            score: at(Point::Score).into_iter().map(|id| (id, weight(id))).collect(),
            args: Args::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Profile};

    #[test]
    fn how_many_feasible_nodes_are_enough_follows_the_size_of_the_cluster() {
        let mut config = Config::default();
        let mut profile = Profile::default();
        let enough = |config: &Config, profile: &Profile, sizes: &[usize]| -> Vec<usize> {
            sizes.iter().map(|nodes| config.enough_feasible_nodes(profile, *nodes)).collect()
        };
        assert_eq!(
            enough(&config, &profile, &[1, 99, 100, 1000, 2000, 5000, 6000, 100_000]),
            [1, 99, 100, 420, 680, 500, 300, 5000]
        );
        config.percentage_of_nodes_to_score = 30;
        assert_eq!(enough(&config, &profile, &[50, 200, 1000]), [50, 100, 300]);
        profile.percentage_of_nodes_to_score = Some(100);
        assert_eq!(enough(&config, &profile, &[1000]), [1000]);
        profile.score.clear();
        assert_eq!(enough(&config, &profile, &[1000]), [1]);
    }
}
