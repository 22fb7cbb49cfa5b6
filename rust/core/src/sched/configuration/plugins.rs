//! Which plugins run where: a profile's `plugins` over the default ones.
//!
//! A profile's lists are first merged into the default lists, point by point. Then the plugins
//! of `multiPoint` join each point they have code for, unless the point names or disables them.

use super::fields::Fields;
use crate::base::Value;
use crate::sched::config::Profile;
use crate::sched::plugins::user::UserPlugin;
use crate::sched::plugins::{MAX_SCORE, PluginId, Point};

/// Plugins of earlier releases, which the configuration must not name.
const REMOVED: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];
const VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// Points of features that are off in 1.36.
const OFF: [&str; 2] = ["placementGenerate", "placementScore"];

/// A plugin as a configuration lists it; weight 0 when it gives none.
#[derive(Clone, Debug, PartialEq)]
struct Listed {
    name: String,
    weight: i64,
}

/// `enabled` and `disabled` of one point.
#[derive(Clone, Debug, Default)]
struct PluginSet {
    enabled: Vec<Listed>,
    disabled: Vec<String>,
}

impl PluginSet {
    fn read(value: &Value, place: &str) -> Result<Self, String> {
        let fields = Fields::new(value, place, &["enabled", "disabled"])?;
        let mut set = Self::default();
        for (list, into) in [("enabled", true), ("disabled", false)] {
            for (at, item) in fields.list(list)?.iter().enumerate() {
                let place = fields.place_in(list, at);
                let item = Fields::new(item, &place, &["name", "weight"])?;
                let name = item.text("name")?.unwrap_or_default().to_owned();
                let weight = item.int("weight")?.unwrap_or(0);
                if i32::try_from(weight).is_err() {
                    return Err(no_weight(weight, &place));
                }
                if into && REMOVED.contains(&name.as_str()) {
                    return Err(format!(
                        "{place}: Invalid value: \"{name}\": was invalid in version \"{VERSION}\" \
                         (KubeSchedulerConfiguration is version \"{VERSION}\")"
                    ));
                }
                if into {
                    set.enabled.push(Listed { name, weight });
                } else {
                    set.disabled.push(name);
                }
            }
        }
        Ok(set)
    }

    fn disables(&self, name: &str) -> bool {
        self.disabled.iter().any(|disabled| disabled == name)
    }

    fn find(&self, name: &str) -> Option<&Listed> {
        self.enabled.iter().find(|listed| listed.name == name)
    }

    /// The default list with what this set says of it: a default plugin that is listed again
    /// keeps its place, the other ones listed come after.
    fn over(self, defaults: &[Listed]) -> Self {
        let mut enabled: Vec<Listed> = Vec::new();
        let mut replaced: Vec<usize> = Vec::new();
        if !self.disables("*") {
            for default in defaults.iter().filter(|default| !self.disables(&default.name)) {
                // Of a plugin that is listed twice the later one stands in.
                let own = self.enabled.iter().rposition(|own| own.name == default.name);
                replaced.extend(own);
                enabled.push(own.map_or(default, |at| &self.enabled[at]).clone());
            }
        }
        let rest = self.enabled.into_iter().enumerate();
        enabled.extend(rest.filter(|(at, _)| !replaced.contains(at)).map(|(_, listed)| listed));
        Self { enabled, disabled: self.disabled }
    }
}

/// Every plugin of the default profile, in order.
fn default_plugins() -> Vec<Listed> {
    let listed = |plugin: &crate::sched::plugins::registry::BuiltIn| Listed {
        name: plugin.name.to_owned(),
        weight: plugin.weight,
    };
    PluginId::default_profile().filter_map(PluginId::definition).map(listed).collect()
}

/// Fills in a profile's plugins from its `plugins` field.
///
/// # Errors
/// A plugin that does not exist, that has no code for the point it is enabled at, or that is
/// enabled twice; no plugin that sorts or binds.
pub fn read(
    value: &Value,
    place: &str,
    own: &[UserPlugin],
    profile: &mut Profile,
) -> Result<(), String> {
    let names = Names(own);
    let known: Vec<&str> =
        Point::ALL.iter().map(|(_, name)| *name).chain(["multiPoint"]).chain(OFF).collect();
    let fields = Fields::new(value, place, &known)?;
    let set = |name: &str| PluginSet::read(fields.value_or_null(name), &fields.place_of(name));
    for name in OFF {
        if let Some(listed) = set(name)?.enabled.first() {
            let name = &listed.name;
            return Err(format!("plugin \"{name}\" is of a feature that is off in 1.36"));
        }
    }
    let all = set("multiPoint")?.over(&default_plugins());
    let mut score = PluginSet::default();
    for (point, name) in Point::ALL {
        let own = set(name)?.over(&[]);
        let plugins = names.expand(point, &own, &all)?;
        match point {
            Point::PreEnqueue => profile.pre_enqueue = plugins,
            Point::PreFilter => profile.pre_filter = plugins,
            Point::Filter => profile.filter = plugins,
            Point::PostFilter => profile.post_filter = plugins,
            Point::Reserve => profile.reserve = plugins,
            Point::Score => {
                profile.score = plugins.into_iter().map(|id| (id, 0)).collect();
                score = own;
            }
            Point::QueueSort if plugins.len() != 1 => {
                return Err(format!(
                    "only one queue sort plugin required for profile with scheduler name \"{}\", \
                     but got {}",
                    profile.scheduler_name,
                    plugins.len()
                ));
            }
            Point::Bind if plugins.is_empty() => {
                return Err(format!(
                    "at least one bind plugin is needed for profile with scheduler name \"{}\"",
                    profile.scheduler_name
                ));
            }
            _ => {}
        }
    }
    names.weigh(profile, &score, &all)
}

/// The plugins there are: the built-in ones and these.
#[derive(Clone, Copy)]
struct Names<'a>(&'a [UserPlugin]);

impl Names<'_> {
    /// The plugins that run at a point: those it names that `multiPoint` has too, then the rest of
    /// `multiPoint`, then the rest of those it names.
    fn expand(
        &self,
        point: Point,
        own: &PluginSet,
        all: &PluginSet,
    ) -> Result<Vec<PluginId>, String> {
        let kind = type_name(point);
        let mut named: Vec<PluginId> = Vec::new();
        for listed in &own.enabled {
            let id = self.find(&listed.name, kind)?;
            if !self.extends(id, point) {
                return Err(format!("plugin \"{}\" does not extend {kind} plugin", listed.name));
            }
            if named.contains(&id) {
                return Err(format!("plugin \"{}\" already registered as \"{kind}\"", listed.name));
            }
            named.push(id);
        }
        if own.disables("*") {
            return Ok(named);
        }
        let (mut first, mut then) = (Vec::new(), Vec::new());
        for listed in &all.enabled {
            let id = self.find(&listed.name, kind)?;
            if !self.extends(id, point) || own.disables(&listed.name) {
                continue;
            }
            if named.contains(&id) {
                first.push(id);
            } else if then.contains(&id) {
                return Err(format!("plugin \"{}\" already registered as \"{kind}\"", listed.name));
            } else {
                then.push(id);
            }
        }
        let (mut plugins, rest): (Vec<PluginId>, Vec<PluginId>) =
            named.into_iter().partition(|id| first.contains(id));
        plugins.append(&mut then);
        plugins.extend(rest);
        Ok(plugins)
    }

    /// Gives the scoring plugins their weights: the one listed under `score` over the one listed
    /// under `multiPoint`, and one for none.
    fn weigh(
        &self,
        profile: &mut Profile,
        score: &PluginSet,
        all: &PluginSet,
    ) -> Result<(), String> {
        let mut total: i64 = 0;
        for (id, weight) in &mut profile.score {
            let user = id.user_place().map(|at| &self.0[at].declaration);
            let name = user.map_or_else(|| id.name(), |user| &user.name);
            let listed =
                score.find(name).or_else(|| all.find(name)).map_or(0, |listed| listed.weight);
            let usual = user.map_or(1, |user| user.weight);
            *weight = if listed == 0 { usual } else { listed };
            let most = weight.checked_mul(MAX_SCORE).and_then(|most| total.checked_add(most));
            total = most.ok_or("score plugins: total score of Score plugins could overflow")?;
        }
        Ok(())
    }

    fn find(&self, name: &str, kind: &str) -> Result<PluginId, String> {
        let own = self.0.iter().position(|plugin| plugin.declaration.name == name);
        let id = PluginId::built_in(name).or_else(|| own.map(PluginId::user));
        id.ok_or_else(|| format!("{kind} \"{name}\" does not exist"))
    }

    fn extends(&self, id: PluginId, point: Point) -> bool {
        match id.user_place() {
            Some(at) => self.0[at].extends(point),
            None => id.definition().is_some_and(|plugin| plugin.extends(point)),
        }
    }
}

/// What the decoder of the real scheduler says of a weight that is no int32.
fn no_weight(weight: i64, place: &str) -> String {
    let names = place.split('.').map(|name| name.split('[').next().unwrap_or_default());
    let path = names.collect::<Vec<&str>>().join(".");
    format!(
        "json: cannot unmarshal number {weight} into Go struct field Plugin.{path}.weight of type \
         int32"
    )
}

/// What messages call the plugins of a point.
fn type_name(point: Point) -> &'static str {
    match point {
        Point::PreEnqueue => "PreEnqueuePlugin",
        Point::QueueSort => "QueueSortPlugin",
        Point::PreFilter => "PreFilterPlugin",
        Point::Filter => "FilterPlugin",
        Point::PostFilter => "PostFilterPlugin",
        Point::PreScore => "PreScorePlugin",
        Point::Score => "ScorePlugin",
        Point::Reserve => "ReservePlugin",
        Point::Permit => "PermitPlugin",
        Point::PreBind => "PreBindPlugin",
        Point::Bind => "BindPlugin",
        Point::PostBind => "PostBindPlugin",
    }
}
