//! Counting room against placing copies one at a time, on random small clusters.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::{Copies, End, Headroom};
use crate::api::{Registry, Rules};
use crate::base::{Latencies, Time, Value};
use crate::engine::{Setup, World};
use crate::store::create::Strictness;

/// A choice from a list.
type Pick = prop::sample::Index;

const APART: &str = r#""podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
    {"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"web"}}}]}"#;

const REQUESTS: &[&str] = &[
    "",
    r#""cpu":"0""#,
    r#""cpu":"300m","memory":"200Mi""#,
    r#""cpu":"1","memory":"1Gi""#,
    r#""memory":"700M""#,
    r#""cpu":"50m","example.com/gpu":"1""#,
    r#""cpu":"100m","ephemeral-storage":"3Gi""#,
    r#""example.com/none":"1""#,
    r#""cpu":"1m","example.com/none":"0""#,
];

const PRIORITIES: [&str; 4] = ["0", "100", "101", "-5"];

/// What a pod may say and yet not mind its copies.
const INDIFFERENT: &[&str] = &[
    "",
    r#","tolerations":[{"operator":"Exists"}]"#,
    r#","nodeSelector":{"disk":"ssd"}"#,
    r#","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{
        "nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]},
        {"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]},
        {"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]}}}"#,
    r#","affinity":{"podAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":9,
        "podAffinityTerm":{"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"web"}}}}]}}"#,
    r#","topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone",
        "whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"web"}}}]"#,
    r#","volumes":[{"name":"scratch","emptyDir":{}}]"#,
];

/// What makes a pod mind its copies.
const PARTICULAR: &[&str] = &[
    r#","affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"web"}}}]}}"#,
    r#","affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"web"}}}]}}"#,
    r#","topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone",
        "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}]"#,
    r#","volumes":[{"name":"disk","gcePersistentDisk":{"pdName":"one"}}]"#,
];

fn choose<'a>(pick: Pick, choices: &[&'a str]) -> &'a str {
    choices[pick.index(choices.len())]
}

#[derive(Clone, Debug)]
struct Node {
    size: [Pick; 4],
    labels: Pick,
    spec: Pick,
}

fn node() -> impl Strategy<Value = Node> {
    let pick = any::<Pick>;
    ([pick(), pick(), pick(), pick()], pick(), pick()).prop_map(|(size, labels, spec)| Node {
        size,
        labels,
        spec,
    })
}

impl Node {
    fn to_object(&self, number: usize) -> String {
        let cpu = choose(self.size[0], &["4", "2", "3500m", "0"]);
        let memory = choose(self.size[1], &["4Gi", "8Gi", "2G"]);
        let pods = choose(self.size[2], &["40", "40", "9", "3", "0"]);
        let more = choose(
            self.size[3],
            &["", r#","ephemeral-storage":"10Gi""#, r#","example.com/gpu":"3""#],
        );
        let labels = choose(
            self.labels,
            &["", r#","zone":"a""#, r#","zone":"b","disk":"ssd""#, r#","disk":"ssd""#],
        );
        let spec = choose(
            self.spec,
            &[
                "",
                "",
                "",
                r#""unschedulable":true"#,
                r#""taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]"#,
                r#""taints":[{"key":"spot","effect":"PreferNoSchedule"}]"#,
            ],
        );
        format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"n{number}","labels":{{
            "kubernetes.io/hostname":"n{number}"{labels}}}}},"spec":{{{spec}}},"status":{{
            "allocatable":{{"cpu":"{cpu}","memory":"{memory}","pods":"{pods}"{more}}}}}}}"#
        )
    }
}

/// A pod that is there already: on a node, whether it fits or not, or promised one.
#[derive(Clone, Debug)]
struct Other {
    node: Pick,
    promised: bool,
    requests: Pick,
    priority: Pick,
    apart: bool,
    owned: bool,
}

fn other() -> impl Strategy<Value = Other> {
    let pick = any::<Pick>;
    (pick(), prop::bool::weighted(0.3), pick(), pick(), prop::bool::weighted(0.1), any::<bool>())
        .prop_map(|(node, promised, requests, priority, apart, owned)| Other {
            node,
            promised,
            requests,
            priority,
            apart,
            owned,
        })
}

impl Other {
    fn to_object(&self, number: usize, nodes: usize) -> String {
        let node = self.node.index(nodes.max(1));
        let (mut spec, mut status) = (String::new(), String::new());
        if self.promised {
            let _ = write!(status, r#""nominatedNodeName":"n{node}""#);
        } else {
            let _ = write!(spec, r#","nodeName":"n{node}""#);
        }
        if self.apart {
            let _ = write!(spec, r#","affinity":{{{APART}}}"#);
        }
        let priority = choose(self.priority, &["0", "0", "-5", "100"]);
        let requests = choose(self.requests, REQUESTS);
        let app = if self.owned { "web" } else { "other" };
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"o{number}",
            "namespace":"default","labels":{{"app":"{app}"}}}},"spec":{{"priority":{priority},
            "schedulerName":"default-scheduler","containers":[{{"name":"c","image":"i",
            "resources":{{"requests":{{{requests}}}}}}}]{spec}}},"status":{{{status}}}}}"#
        )
    }
}

fn copy(requests: &str, priority: &str, more: &str, ports: &str) -> Copies {
    let text = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"generateName":"web-",
        "namespace":"default","labels":{{"app":"web"}}}},"spec":{{"priorityClassName":"p{priority}",
        "schedulerName":"default-scheduler","containers":[{{"name":"c","image":"i"{ports},
        "resources":{{"requests":{{{requests}}}}}}}]{more}}}}}"#
    );
    Copies::Pod(json(&text))
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

fn world(nodes: &[Node], others: &[Other]) -> World {
    let start = Time::from_unix_secs(1_000_000);
    let latencies = Latencies::ideal();
    let setup = Setup {
        seed: 7,
        start,
        latencies,
        scheduler: Arc::default(),
        ranges: crate::store::ranges::Ranges::default(),
    };
    let mut world = World::new(Registry::new(), Arc::new(Rules::none()), setup);
    let classes = PRIORITIES.map(|priority| {
        format!(
            r#"{{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass",
            "metadata":{{"name":"p{priority}"}},"value":{priority}}}"#
        )
    });
    let node_objects = nodes.iter().enumerate().map(|(number, node)| node.to_object(number));
    let pods = others.iter().enumerate().map(|(at, pod)| pod.to_object(at, nodes.len()));
    for object in classes.into_iter().chain(node_objects).chain(pods) {
        world.store.restore(json(&object), Strictness::Ignore).unwrap();
    }
    world
}

fn tried(world: &World, copies: &Copies, most: usize) -> Headroom {
    world.tried(copies, most, &AtomicBool::new(false)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn counting_answers_what_trying_does(
        nodes in prop::collection::vec(node(), 0..6),
        others in prop::collection::vec(other(), 0..12),
        requests in any::<Pick>(),
        more in any::<Pick>(),
        priority in any::<Pick>(),
        most in prop_oneof![3 => Just(usize::MAX), 1 => 1..60usize],
    ) {
        let world = world(&nodes, &others);
        let priority = choose(priority, &PRIORITIES);
        let copies = copy(choose(requests, REQUESTS), priority, choose(more, INDIFFERENT), "");
        let expected = tried(&world, &copies, most);
        let counted = world.counted(&copies, most).unwrap();
        prop_assert_eq!(counted.is_none(), expected.end == End::Asked);
        if let Some(counted) = counted {
            prop_assert_eq!(counted, expected);
        }
    }

    #[test]
    fn copies_that_mind_each_other_are_tried(
        nodes in prop::collection::vec(node(), 1..5),
        more in any::<Pick>(),
    ) {
        let world = world(&nodes, &[]);
        let copies = copy(REQUESTS[2], "0", choose(more, PARTICULAR), "");
        prop_assert_eq!(world.counted(&copies, usize::MAX).unwrap(), None);
        let ports = copy(REQUESTS[2], "0", "", r#","ports":[{"containerPort":80,"hostPort":80}]"#);
        prop_assert_eq!(world.counted(&ports, usize::MAX).unwrap(), None);
    }
}

#[test]
fn what_the_scheduler_leaves_alone_is_not_counted() {
    let world = world(&[], &[]);
    for more in [
        r#","schedulingGates":[{"name":"later"}]"#,
        r#","nodeName":"n1""#,
        r#","schedulerName":"another""#,
    ] {
        let copies = copy("", "0", more, "");
        assert_eq!(world.counted(&copies, usize::MAX).unwrap(), None, "{more}");
        assert_eq!(tried(&world, &copies, 1).end, End::NotScheduled, "{more}");
    }
}

#[test]
fn room_that_is_promised_to_others_of_no_lower_priority_stays_theirs() {
    let node = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n0"},"spec":{},
        "status":{"allocatable":{"cpu":"4","memory":"8Gi","pods":"40"}}}"#;
    let promised = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"first",
        "namespace":"default"},"spec":{"priority":100,"schedulerName":"default-scheduler",
        "containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"2500m"}}}]},
        "status":{"nominatedNodeName":"n0"}}"#;
    let mut world = world(&[], &[]);
    for object in [node, promised] {
        world.store.restore(json(object), Strictness::Ignore).unwrap();
    }
    for (priority, count) in [("0", 5), ("100", 5), ("101", 13)] {
        let copies = copy(r#""cpu":"300m""#, priority, "", "");
        let counted = world.counted(&copies, usize::MAX).unwrap().unwrap();
        assert_eq!(counted.nodes, [("n0".into(), count)], "{priority}");
        assert_eq!(counted, tried(&world, &copies, usize::MAX), "{priority}");
    }
}
