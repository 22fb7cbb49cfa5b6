//! Reading a `KubeSchedulerConfiguration`, version `kubescheduler.config.k8s.io/v1`.
//!
//! Reading is strict, as the real scheduler's: unknown and repeated fields are errors. Settings
//! that have no meaning here are checked and passed over: leader election, connections,
//! profiling, and parallelism, since a cycle here always judges one node after the other.
//! Extenders are refused. One field is our own: `tieBreak`, how one of several best nodes is
//! chosen.

mod args;
mod fields;
mod gpu_args;
mod plugins;

use self::fields::Fields;
use super::config::{Config, Profile, TieBreak};
use super::plugins::user::{self, UserPlugin};
use super::pod_info::DEFAULT_SCHEDULER;
use crate::api::FieldError;
use crate::base::{Nanos, Value};
use crate::manifest::{Limits, NoticeKind};

const FIELDS: [&str; 14] = [
    "apiVersion",
    "kind",
    "parallelism",
    "leaderElection",
    "clientConnection",
    "enableProfiling",
    "enableContentionProfiling",
    "percentageOfNodesToScore",
    "podInitialBackoffSeconds",
    "podMaxBackoffSeconds",
    "profiles",
    "extenders",
    "delayCacheUntilActive",
    "tieBreak",
];

/// Reads a configuration from YAML or JSON text.
///
/// # Errors
/// What is wrong with it, in Kubernetes' words where it has any.
pub fn read(text: &str) -> Result<Config, String> {
    read_with(text, Vec::new())
}

/// Reads a configuration that may name these plugins of a user's own.
///
/// # Errors
/// As [`read`].
pub fn read_with(text: &str, plugins: Vec<UserPlugin>) -> Result<Config, String> {
    let documents = crate::manifest::read(text, "configuration", &Limits::default())
        .map_err(|error| error.to_string())?;
    let [document] = &documents[..] else {
        return Err(format!("expected one configuration, found {}", documents.len()));
    };
    for notice in &document.notices {
        if let NoticeKind::DuplicateField(_) = notice.kind {
            let line = notice.line;
            return Err(format!("strict decoding error: line {line}: {}", notice.kind));
        }
    }
    Ok(Config { source: text.to_owned(), ..read_value_with(&document.value, plugins)? })
}

/// The configuration a saved text stands for; the default one when it is empty.
///
/// # Errors
/// As [`read`].
pub fn reread(source: &str) -> Result<Config, String> {
    if source.is_empty() { Ok(Config::default()) } else { read(source) }
}

/// As [`reread`], with plugins of a user's own. Without profiles they are in the default one.
///
/// # Errors
/// As [`read`]; two plugins of one name, and too many of them.
pub fn reread_with(source: &str, plugins: Vec<UserPlugin>) -> Result<Config, String> {
    if plugins.len() > user::MOST {
        return Err(format!("at most {} plugins of one's own", user::MOST));
    }
    for (at, plugin) in plugins.iter().enumerate() {
        let name = &plugin.declaration.name;
        if plugins[..at].iter().any(|before| before.declaration.name == *name) {
            return Err(format!("a plugin named {name} already exists"));
        }
    }
    if !source.is_empty() {
        return read_with(source, plugins);
    }
    Ok(Config { profiles: vec![Profile::with_plugins(&plugins)], plugins, ..Config::default() })
}

/// Reads a configuration.
///
/// # Errors
/// As [`read`].
pub fn read_value(value: &Value) -> Result<Config, String> {
    read_value_with(value, Vec::new())
}

fn read_value_with(value: &Value, plugins: Vec<UserPlugin>) -> Result<Config, String> {
    let fields = Fields::new(value, "", &FIELDS)?;
    check_type(&fields)?;
    let defaults = Config::default();
    let positive = |key: &str, default: i64, detail: &str| {
        let number = fields.int(key)?.unwrap_or(default);
        if number <= 0 {
            return Err(FieldError::invalid(key, number, detail).to_string());
        }
        Ok(number)
    };
    positive("parallelism", 16, "should be an integer value greater than zero")?;
    let initial = positive("podInitialBackoffSeconds", 1, "must be greater than 0")?;
    let max = fields.int("podMaxBackoffSeconds")?.unwrap_or(10);
    if max < initial {
        let detail = "must be greater than or equal to PodInitialBackoffSeconds";
        return Err(FieldError::invalid("podMaxBackoffSeconds", max, detail).to_string());
    }
    if !fields.list("extenders")?.is_empty() {
        return Err("extenders: a scheduler here calls no other program".to_owned());
    }
    Ok(Config {
        percentage_of_nodes_to_score: percentage(&fields)?.unwrap_or(0),
        initial_backoff: seconds("podInitialBackoffSeconds", initial)?,
        max_backoff: seconds("podMaxBackoffSeconds", max)?,
        profiles: profiles(&fields, &plugins)?,
        plugins,
        tie_break: tie_break(&fields)?,
        ..defaults
    })
}

fn check_type(fields: &Fields) -> Result<(), String> {
    let kind = fields.text("kind")?.unwrap_or_default();
    let version = fields.text("apiVersion")?.unwrap_or_default();
    if kind == "KubeSchedulerConfiguration" && version == "kubescheduler.config.k8s.io/v1" {
        return Ok(());
    }
    Err(format!("no kind \"{kind}\" is registered for version \"{version}\" of the scheduler"))
}

fn seconds(key: &str, seconds: i64) -> Result<Nanos, String> {
    let most = i64::MAX / 1_000_000_000;
    if seconds > most {
        return Err(
            FieldError::invalid(key, seconds, "is longer than a clock can count").to_string()
        );
    }
    Ok(Nanos::from_secs(seconds))
}

fn percentage(fields: &Fields) -> Result<Option<i32>, String> {
    let key = "percentageOfNodesToScore";
    let Some(number) = fields.int(key)? else { return Ok(None) };
    if !(0..=100).contains(&number) {
        let detail = "not in valid range [0-100]";
        return Err(FieldError::invalid(fields.place_of(key), number, detail).to_string());
    }
    Ok(Some(number as i32))
}

fn tie_break(fields: &Fields) -> Result<TieBreak, String> {
    fields.one_of("tieBreak", &TieBreak::ALL)
}

fn profiles(fields: &Fields, own: &[UserPlugin]) -> Result<Vec<Profile>, String> {
    let list = fields.list("profiles")?;
    if list.is_empty() {
        return Ok(vec![Profile::with_plugins(own)]);
    }
    let mut profiles: Vec<Profile> = Vec::with_capacity(list.len());
    for (at, value) in list.iter().enumerate() {
        let place = fields.place_in("profiles", at);
        let profile = profile(value, &place, list.len() == 1, own)?;
        let name = &profile.scheduler_name;
        if let Some(first) = profiles.iter().position(|other| other.scheduler_name == *name) {
            let first = format!("profiles[{first}].schedulerName");
            let place = format!("{place}.schedulerName");
            return Err(FieldError::duplicate(place, first.as_str()).to_string());
        }
        profiles.push(profile);
    }
    Ok(profiles)
}

fn profile(value: &Value, place: &str, alone: bool, own: &[UserPlugin]) -> Result<Profile, String> {
    let known = ["schedulerName", "percentageOfNodesToScore", "plugins", "pluginConfig"];
    let fields = Fields::new(value, place, &known)?;
    let name = match fields.text("schedulerName")? {
        None if alone => DEFAULT_SCHEDULER,
        name => name.unwrap_or_default(),
    };
    if name.is_empty() {
        return Err(FieldError::required(fields.place_of("schedulerName"), "").to_string());
    }
    let mut profile = Profile {
        scheduler_name: name.into(),
        percentage_of_nodes_to_score: percentage(&fields)?,
        ..Profile::default()
    };
    let plugins = fields.value_or_null("plugins");
    plugins::read(plugins, &fields.place_of("plugins"), own, &mut profile)?;
    let mut seen: Vec<&str> = Vec::new();
    for (at, item) in fields.list("pluginConfig")?.iter().enumerate() {
        let place = fields.place_in("pluginConfig", at);
        let item = Fields::new(item, &place, &["name", "args"])?;
        let name = item.text("name")?.unwrap_or_default();
        if seen.contains(&name) {
            return Err(FieldError::duplicate(place, name).to_string());
        }
        seen.push(name);
        let args = item.value_or_null("args");
        args::read(name, args, &item.place_of("args"), &mut profile.args)?;
    }
    Ok(profile)
}

#[cfg(test)]
mod tests;
