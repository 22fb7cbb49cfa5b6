//! The workloads that are nodes, pods to begin with, and pods to measure.

use std::fmt;

use wavetank_core::store::Store;

use super::objects::{self, PLAIN, Pod};

/// Nodes, pods to begin with, and pods to measure.
#[derive(Clone, Copy)]
pub struct Workload {
    pub name: &'static str,
    pub nodes: usize,
    pub zones: &'static [&'static str],
    pub prepare: fn(&mut Store),
    /// Namespace, number and kind of the pods to measure.
    pub measured: (&'static str, usize, Pod),
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub const MOONS: &[&str] = &["moon-1", "moon-2", "moon-3"];
const ONE: &[&str] = &["zone1"];
pub const NONE: &[&str] = &[];

macro_rules! term {
    ($color:literal, $key:literal, $where:literal) => {
        concat!(
            r#"{"topologyKey":""#,
            $key,
            r#"","labelSelector":{"matchLabels":{"color":""#,
            $color,
            r#""}},"#,
            $where,
            "}"
        )
    };
}

macro_rules! required {
    ($side:literal, $term:expr) => {
        concat!(
            r#""affinity":{""#,
            $side,
            r#"":{"requiredDuringSchedulingIgnoredDuringExecution":["#,
            $term,
            "]}},"
        )
    };
}

macro_rules! preferred {
    ($side:literal, $term:expr) => {
        concat!(
            r#""affinity":{""#,
            $side,
            r#"":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":"#,
            $term,
            "}]}},"
        )
    };
}

macro_rules! names {
    ($color:literal, $key:literal) => {
        term!($color, $key, r#""namespaces":["sched-1","sched-0"]"#)
    };
}

macro_rules! chosen {
    ($color:literal, $key:literal) => {
        term!($color, $key, r#""namespaceSelector":{"matchLabels":{"team":"devops"}}"#)
    };
}

macro_rules! spread {
    ($key:literal, $skew:literal, $when:literal, $label:literal, $more:literal) => {
        concat!(
            r#""topologySpreadConstraints":[{"maxSkew":"#,
            $skew,
            r#","topologyKey":""#,
            $key,
            r#"","whenUnsatisfiable":""#,
            $when,
            r#"","labelSelector":{"matchLabels":{"#,
            $label,
            "}}",
            $more,
            "}],"
        )
    };
}

const fn pod(labels: &'static str, spec: &'static str) -> Pod {
    Pod { labels, cpu: "100m", spec }
}

const GREEN: &str = r#""color":"green""#;
const BLUE: &str = r#""color":"blue""#;
const RED: &str = r#""color":"red""#;
const YELLOW: &str = r#""color":"yellow""#;

const ANTI: Pod =
    pod(GREEN, required!("podAntiAffinity", names!("green", "kubernetes.io/hostname")));
const NEAR: Pod =
    pod(BLUE, required!("podAffinity", names!("blue", "topology.kubernetes.io/zone")));
const WISH: Pod = pod(RED, preferred!("podAffinity", names!("red", "kubernetes.io/hostname")));
const DISLIKE: Pod =
    pod(YELLOW, preferred!("podAntiAffinity", names!("yellow", "kubernetes.io/hostname")));
const NS_ANTI: Pod =
    pod(GREEN, required!("podAntiAffinity", chosen!("green", "kubernetes.io/hostname")));
const NS_DISLIKE: Pod =
    pod(GREEN, preferred!("podAntiAffinity", chosen!("green", "kubernetes.io/hostname")));
const NS_NEAR: Pod =
    pod(BLUE, required!("podAffinity", chosen!("blue", "topology.kubernetes.io/zone")));
const NS_WISH: Pod = pod(RED, preferred!("podAffinity", chosen!("red", "kubernetes.io/hostname")));
const HARD: Pod =
    pod(BLUE, spread!("topology.kubernetes.io/zone", 5, "DoNotSchedule", r#""color":"blue""#, ""));
const SOFT: Pod =
    pod(BLUE, spread!("topology.kubernetes.io/zone", 5, "ScheduleAnyway", r#""color":"blue""#, ""));
const INCLUDED: Pod = pod(
    r#""foo":"bar""#,
    spread!(
        "kubernetes.io/hostname",
        1,
        "DoNotSchedule",
        r#""foo":"bar""#,
        r#","nodeAffinityPolicy":"Honor","nodeTaintsPolicy":"Honor""#
    ),
);
const SERVED: Pod = pod(r#""app":"scheduler-perf""#, "");
const IN_ZONE: Pod = pod(
    "",
    concat!(
        r#""affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":"#,
        r#"{"nodeSelectorTerms":[{"matchExpressions":[{"key":"topology.kubernetes.io/zone","#,
        r#""operator":"In","values":["zone1","zone2"]}]}]}}},"#
    ),
);

fn two_namespaces(store: &mut Store) {
    objects::namespace(store, "sched-0");
    objects::namespace(store, "sched-1");
}

fn many_namespaces(store: &mut Store, each: usize, pod: Pod) {
    objects::namespace(store, "measured");
    for number in 0..100 {
        let name = format!("init-{number}");
        objects::namespace(store, &name);
        objects::pods(store, &name, each, pod);
    }
}

fn mixed(store: &mut Store) {
    two_namespaces(store);
    for pod in [PLAIN, NEAR, ANTI, WISH, DISLIKE] {
        objects::pods(store, "sched-0", 2_000, pod);
    }
}

fn with(store: &mut Store, count: usize, pod: Pod) {
    two_namespaces(store);
    objects::pods(store, "sched-0", count, pod);
}

fn served(store: &mut Store) {
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s",
        "namespace":"default"},"spec":{"selector":{"app":"scheduler-perf"}}}"#;
    objects::create(store, service);
    objects::pods(store, "default", 5_000, PLAIN);
}

fn tainted(store: &mut Store) {
    let taint = r#""taints":[{"key":"foo","effect":"NoSchedule"}]"#;
    for number in 0..1_000 {
        objects::node(store, &format!("tainted-{number:04}"), "", taint);
    }
}

pub const WORKLOADS: [Workload; 16] = [
    row("basic", NONE, |store| with(store, 1_000, PLAIN), "default", 10_000, PLAIN),
    row("hard-spread", MOONS, |store| with(store, 5_000, PLAIN), "default", 5_000, HARD),
    row("soft-spread", MOONS, |store| with(store, 5_000, PLAIN), "default", 5_000, SOFT),
    row("default-spread", MOONS, served, "default", 10_000, SERVED),
    Workload { nodes: 4_000, ..row("node-inclusion", NONE, tainted, "default", 4_000, INCLUDED) },
    row("node-affinity", ONE, |store| with(store, 5_000, IN_ZONE), "default", 10_000, IN_ZONE),
    row("anti-affinity", NONE, |store| with(store, 1_000, ANTI), "sched-1", 2_000, ANTI),
    row(
        "matching-anti-affinity",
        NONE,
        |store| with(store, 1_000, ANTI),
        "sched-1",
        5_000,
        pod(GREEN, ""),
    ),
    row("affinity", ONE, |store| with(store, 5_000, NEAR), "sched-1", 5_000, NEAR),
    row("preferred-affinity", NONE, |store| with(store, 5_000, WISH), "sched-1", 5_000, WISH),
    row("preferred-anti", NONE, |store| with(store, 5_000, DISLIKE), "sched-1", 5_000, DISLIKE),
    row("mixed-base", ONE, mixed, "default", 5_000, PLAIN),
    Workload {
        nodes: 6_000,
        ..row(
            "ns-anti",
            NONE,
            |store| many_namespaces(store, 40, NS_ANTI),
            "measured",
            2_000,
            NS_ANTI,
        )
    },
    row(
        "ns-preferred-anti",
        NONE,
        |store| many_namespaces(store, 40, NS_DISLIKE),
        "measured",
        2_000,
        NS_DISLIKE,
    ),
    row(
        "ns-affinity",
        ONE,
        |store| many_namespaces(store, 50, NS_NEAR),
        "measured",
        2_000,
        NS_NEAR,
    ),
    row(
        "ns-preferred",
        NONE,
        |store| many_namespaces(store, 50, NS_WISH),
        "measured",
        2_000,
        NS_WISH,
    ),
];

const fn row(
    name: &'static str,
    zones: &'static [&'static str],
    prepare: fn(&mut Store),
    namespace: &'static str,
    count: usize,
    pod: Pod,
) -> Workload {
    Workload { name, nodes: 5_000, zones, prepare, measured: (namespace, count, pod) }
}
