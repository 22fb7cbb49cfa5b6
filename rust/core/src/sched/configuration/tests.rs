//! Configurations that are read, and what is wrong with those that are not.

use super::read;
use crate::sched::config::{Config, Profile};
use crate::sched::plugins::PluginId;

const HEAD: &str = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

fn config(rest: &str) -> Config {
    read(&format!("{HEAD}{rest}")).unwrap_or_else(|error| panic!("{error} in {rest}"))
}

fn profile(plugins: &str) -> Profile {
    config(&format!("profiles: [{{plugins: {plugins}}}]")).profiles.remove(0)
}

fn error(rest: &str) -> String {
    read(&format!("{HEAD}{rest}")).expect_err(rest)
}

fn names(plugins: &[PluginId]) -> Vec<&'static str> {
    plugins.iter().map(|id| id.name()).collect()
}

fn weights(profile: &Profile) -> Vec<(&'static str, i64)> {
    profile.score.iter().map(|(id, weight)| (id.name(), *weight)).collect()
}

#[test]
fn nothing_said_is_the_default() {
    for text in ["", "profiles: [{}]"] {
        let config = config(text);
        assert!(config.source.ends_with(text), "a saved cluster reads it again");
        assert_eq!(Config { source: String::new(), ..config }, Config::default());
    }
}

#[test]
fn a_default_plugin_listed_again_keeps_its_place() {
    let own = profile("{multiPoint: {enabled: [{name: NodeResourcesFit, weight: 7}]}}");
    let default = Profile::default();
    assert_eq!(own.filter, default.filter);
    let mut expected = weights(&default);
    let fit = expected.iter_mut().find(|(name, _)| *name == "NodeResourcesFit").unwrap();
    fit.1 = 7;
    assert_eq!(weights(&own), expected);
}

#[test]
fn a_plugin_named_at_a_point_goes_before_those_of_all_points() {
    let own = profile("{score: {enabled: [{name: ImageLocality, weight: 9}]}}");
    assert_eq!(weights(&own)[..2], [("ImageLocality", 9), ("TaintToleration", 3)]);
}

#[test]
fn a_point_can_be_emptied_and_filled_anew() {
    let own = profile("{score: {disabled: [{name: '*'}], enabled: [{name: NodeAffinity}]}}");
    assert_eq!(weights(&own), [("NodeAffinity", 1)]);
    assert_eq!(own.filter, Profile::default().filter);
}

#[test]
fn what_is_disabled_at_all_points_runs_nowhere_and_at_one_point_elsewhere() {
    let own = profile("{multiPoint: {disabled: [{name: PodTopologySpread}]}}");
    assert!(!names(&own.filter).contains(&"PodTopologySpread"));
    assert!(!names(&own.pre_filter).contains(&"PodTopologySpread"));
    let own = profile("{filter: {disabled: [{name: NodeName}]}}");
    assert!(!names(&own.filter).contains(&"NodeName"));
    let own = profile("{postFilter: {disabled: [{name: '*'}]}}");
    assert!(own.post_filter.is_empty());
}

#[test]
fn mistakes_are_named() {
    for (rest, expected) in [
        ("profile: []", "strict decoding error: unknown field \"profile\""),
        (
            "parallelism: 0",
            "parallelism: Invalid value: 0: should be an integer value greater than zero",
        ),
        (
            "percentageOfNodesToScore: 101",
            "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
        ),
        (
            "podMaxBackoffSeconds: 0",
            "podMaxBackoffSeconds: Invalid value: 0: must be greater than or equal to PodInitialBackoffSeconds",
        ),
        ("profiles: [{schedulerName: a}, {}]", "profiles[1].schedulerName: Required value"),
        (
            "profiles: [{schedulerName: a}, {schedulerName: a}]",
            "profiles[1].schedulerName: Duplicate value: \"profiles[0].schedulerName\"",
        ),
        (
            "profiles: [{plugins: {score: {enabled: [{name: Nobody}]}}}]",
            "ScorePlugin \"Nobody\" does not exist",
        ),
        (
            "profiles: [{plugins: {score: {enabled: [{name: NodeName}]}}}]",
            "plugin \"NodeName\" does not extend ScorePlugin plugin",
        ),
        (
            "profiles: [{plugins: {queueSort: {disabled: [{name: '*'}]}}}]",
            "only one queue sort plugin required for profile with scheduler name \"default-scheduler\", but got 0",
        ),
        (
            "profiles: [{pluginConfig: [{name: NodeAffinity, args: {x: 1}}]}]",
            "strict decoding error: unknown field \"profiles[0].pluginConfig[0].args.x\"",
        ),
        (
            "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]",
            "profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
        ),
        (
            "profiles: [{pluginConfig: [{name: PodTopologySpread, args: {defaultingType: Mine}}]}]",
            "profiles[0].pluginConfig[0].args.defaultingType: Unsupported value: \"Mine\": supported values: \"System\", \"List\"",
        ),
        (
            "parallelism: 3\nparallelism: 4",
            "strict decoding error: line 4: duplicate field \"parallelism\"",
        ),
    ] {
        assert_eq!(error(rest), expected);
    }
}

#[test]
fn a_weight_is_a_number_of_32_bits() {
    let listed = |weight: &str| {
        format!(
            "profiles: [{{plugins: {{score: {{enabled: [{{name: NodeAffinity, weight: {weight}}}]}}}}}}]"
        )
    };
    assert_eq!(
        error(&listed("99999999999")),
        "json: cannot unmarshal number 99999999999 into Go struct field \
         Plugin.profiles.plugins.score.enabled.weight of type int32"
    );
    assert_eq!(
        weights(&config(&listed("2147483647")).profiles[0])[0],
        ("NodeAffinity", 2_147_483_647)
    );
}
