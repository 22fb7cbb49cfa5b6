//! Shared GPUs: what is left of each follows from the annotations of the pods on its node,
//! whatever happened before, and what is remembered changes no decision.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wavetank_core::base::Value;
use wavetank_core::sched::configuration::read;
use wavetank_core::store::ObjectId;
use wavetank_core::store::create::Strictness;
use wavetank_core::store::delete::DeleteOptions;
use wavetank_core::store::update::Part;

use super::world::{World, json};

const POLICIES: [(&str, &str); 6] = [
    ("RandomScore", "random"),
    ("DotProductScore", "best"),
    ("GpuClusteringScore", "worst"),
    ("GpuPackingScore", "best"),
    ("BestFitScore", "best"),
    ("FGDScore", "FGDScore"),
];

fn world(policy: &str, selection: &str) -> World {
    let text = format!(
        "{{apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration,
        percentageOfNodesToScore: 100, tieBreak: first-by-name,
        profiles: [{{plugins: {{filter: {{enabled: [{{name: Open-Gpu-Share}}]}},
        reserve: {{enabled: [{{name: Open-Gpu-Share}}]}},
        score: {{disabled: [{{name: '*'}}], enabled: [{{name: {policy}, weight: 1000}}]}}}},
        pluginConfig: [{{name: Open-Gpu-Share, args: {{gpuSelMethod: {selection}}}}}]}}]}}"
    );
    World::with(read(&text).unwrap())
}

fn node(name: &str, gpus: usize, model: &str) -> Value {
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}","labels":{{
        "alibabacloud.com/gpu-card-model":"{model}"}}}},"status":{{"allocatable":{{"cpu":"16",
        "memory":"64Gi","pods":"100","alibabacloud.com/gpu-count":"{gpus}"}}}}}}"#
    ))
}

/// A pod; `asks` are milli, count, model and index, each empty for none.
fn pod(name: &str, asks: [&str; 4], more: &str) -> Value {
    let keys = ["gpu-milli", "gpu-count", "gpu-card-model", "gpu-index"].into_iter().zip(asks);
    let given = keys.filter(|(_, value)| !value.is_empty());
    let annotations: Vec<String> =
        given.map(|(key, value)| format!(r#""alibabacloud.com/{key}":"{value}""#)).collect();
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"default",
        "annotations":{{{}}}}},"spec":{{"containers":[{{"name":"c","image":"i","resources":{{
        "requests":{{"cpu":"500m"}}}}}}]{more}}}}}"#,
        annotations.join(",")
    ))
}

const INDEX: [&str; 3] = ["metadata", "annotations", "alibabacloud.com/gpu-index"];

fn index_of(world: &World, id: ObjectId) -> Option<String> {
    world.store.get(id)?.str_at(&INDEX).map(ToOwned::to_owned)
}

/// What pods hold of each GPU, read from their documents.
fn held(world: &World) -> BTreeMap<(String, usize), i64> {
    let mut held = BTreeMap::new();
    let kind = world.store.kinds.pod;
    for (slot, _) in world.store.table(kind).iter() {
        let pod = world.store.get(world.store.table(kind).id(kind, slot)).unwrap();
        let text = |path: &[&str]| pod.str_at(path).unwrap_or_default().to_owned();
        let annotation =
            |key: &str| text(&["metadata", "annotations", &format!("alibabacloud.com/{key}")]);
        let ended = ["Succeeded", "Failed"].contains(&text(&["status", "phase"]).as_str());
        let (node, index) = (text(&["spec", "nodeName"]), annotation("gpu-index"));
        if node.is_empty() || index.is_empty() || ended {
            continue;
        }
        for number in index.split('-') {
            let place = (node.clone(), number.parse().unwrap());
            *held.entry(place).or_default() += annotation("gpu-milli").parse::<i64>().unwrap();
        }
    }
    held
}

/// What the scheduler thinks is held of each GPU.
fn counted(world: &World) -> BTreeMap<(String, usize), i64> {
    let nodes = &world.scheduler.cache().nodes;
    let mut counted = BTreeMap::new();
    for info in nodes.ids().map(|id| nodes.info(id)) {
        for (number, used) in info.gpus.iter().flat_map(|gpus| gpus.used()).enumerate() {
            if *used != 0 {
                counted.insert((info.name.to_string(), number), *used);
            }
        }
    }
    counted
}

#[derive(Clone, Debug)]
enum Op {
    Pods { kind: usize, count: u8, node: Option<u8> },
    Delete(prop::sample::Index),
    Index(prop::sample::Index, &'static str),
    Node(u8, u8),
    RemoveNode(u8),
    Reload,
}

const KINDS: [[&str; 4]; 8] = [
    ["300", "1", "", ""],
    ["500", "1", "T4", ""],
    ["750", "1", "T4|A10", ""],
    ["1000", "1", "", ""],
    ["1000", "2", "", ""],
    ["1000", "4", "A10", ""],
    ["", "", "", ""],
    ["200", "1", "", "1"],
];

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    let bound = prop::option::weighted(0.1, 0..4u8);
    prop_oneof![
        8 => (0..KINDS.len(), 1..6u8, bound)
            .prop_map(|(kind, count, node)| Op::Pods { kind, count, node }),
        4 => index().prop_map(Op::Delete),
        1 => (index(), prop::sample::select(vec!["0", "1", "3", ""]))
            .prop_map(|(pod, value)| Op::Index(pod, value)),
        1 => (0..4u8, 0..5u8).prop_map(|(number, gpus)| Op::Node(number, gpus)),
        1 => (0..4u8).prop_map(Op::RemoveNode),
        1 => Just(Op::Reload),
    ]
}

struct Player {
    world: World,
    pods: usize,
}

impl Player {
    fn find_node(&self, number: u8) -> Option<ObjectId> {
        self.world.store.find(self.world.store.kinds.node, None, &format!("n{number}"))
    }

    /// The pod an index picks, if there is any.
    fn pick(&self, index: prop::sample::Index) -> Option<ObjectId> {
        let kind = self.world.store.kinds.pod;
        let table = self.world.store.table(kind);
        let slots: Vec<u32> = table.iter().map(|(slot, _)| slot).collect();
        (!slots.is_empty()).then(|| table.id(kind, slots[index.index(slots.len())]))
    }

    fn play(&mut self, op: &Op) {
        let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        match op {
            Op::Pods { kind, count, node } => {
                for _ in 0..*count {
                    let more = node.map(|node| format!(r#","nodeName":"n{node}""#));
                    let name = format!("p{}", self.pods);
                    let pod = pod(&name, KINDS[*kind], &more.unwrap_or_default());
                    self.world.restore(&pod);
                    self.pods += 1;
                }
            }
            Op::Delete(index) => {
                if let Some(id) = self.pick(*index) {
                    self.world.store.delete(id, &now).unwrap();
                }
            }
            Op::Index(index, value) => {
                if let Some(id) = self.pick(*index) {
                    let mut pod = self.world.store.get(id).unwrap();
                    if pod.str_at(&["metadata", "annotations", "alibabacloud.com/gpu-count"])
                        == Some("1")
                    {
                        pod.set(&INDEX, *value);
                        self.world.update(&pod, Part::Whole);
                    }
                }
            }
            Op::Node(number, gpus) => {
                let model = if number % 2 == 0 { "T4" } else { "A10" };
                let object = node(&format!("n{number}"), usize::from(*gpus), model);
                if self.find_node(*number).is_none() {
                    self.world.store.restore(object, Strictness::Ignore).unwrap();
                } else {
                    self.world.update(&object, Part::Status);
                }
            }
            Op::RemoveNode(number) => {
                if let Some(id) = self.find_node(*number) {
                    self.world.store.delete(id, &now).unwrap();
                }
            }
            Op::Reload => {
                self.world.observe();
                self.world = self.world.reload();
                self.world.scheduler.keep_scores(false);
            }
        }
    }

    /// Schedules what waits; each decision is compared with that of a fork.
    fn schedule(&mut self) {
        self.world.observe();
        loop {
            let mut fork = self.world.clone();
            let (expected, decision) = (fork.step(), self.world.step());
            assert_eq!(decision, expected);
            let Some(decision) = decision else { break };
            let described = self.world.describe(&decision);
            let totals = &fork.scheduler.findings().scores.totals;
            assert_eq!(&self.world.scheduler.findings().scores.totals, totals, "{described}");
            let index = index_of(&self.world, decision.pod);
            assert_eq!(index, index_of(&fork, decision.pod), "{described}");
        }
        self.world.observe();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_left_follows_from_the_pods_that_are_there(
        policy in prop::sample::select(POLICIES.to_vec()),
        ops in prop::collection::vec(op(), 1..40),
    ) {
        let mut world = world(policy.0, policy.1);
        world.scheduler.keep_scores(false);
        let mut player = Player { world, pods: 0 };
        for number in 0..3 {
            player.play(&Op::Node(number, 2 + number));
        }
        for op in &ops {
            player.play(op);
            player.schedule();
            prop_assert_eq!(counted(&player.world), held(&player.world));
        }
    }
}

#[test]
fn half_gpus_of_two_devices_are_no_whole_one() {
    let mut world = world("BestFitScore", "worst");
    world.store.restore(node("a", 2, "T4"), Strictness::Ignore).unwrap();
    let half = |number| pod(&format!("half-{number}"), ["500", "1", "", ""], "");
    let pods: Vec<ObjectId> = (0..2).map(|number| world.restore(&half(number))).collect();
    assert_eq!(world.run(), ["half-0 -> a", "half-1 -> a"]);
    let devices: Vec<_> = pods.iter().map(|id| index_of(&world, *id).unwrap()).collect();
    assert_eq!(devices, ["0", "1"], "the GPU with the most left");
    world.restore(&pod("whole", ["1000", "1", "", ""], ""));
    let no = "whole: 0/1 nodes are available: 1 node(s) didn't have enough free GPUs. no new \
              claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims \
              found for incoming pod.";
    assert_eq!(world.run(), [no]);
    // A pod that leaves its GPU wakes the one that waits.
    let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    world.store.delete(pods[0], &now).unwrap();
    world.pass(10);
    assert_eq!(world.run(), ["whole -> a"]);
}

#[test]
fn reasons_are_told_apart() {
    let mut world = world("BestFitScore", "best");
    for (name, gpus, model) in [("a", 0, ""), ("b", 1, "T4"), ("c", 2, "A10"), ("d", 8, "A10")] {
        world.store.restore(node(name, gpus, model), Strictness::Ignore).unwrap();
    }
    world.restore(&pod("all", ["1000", "8", "", ""], r#","nodeName":"d""#));
    world.restore(&pod("big", ["1000", "8", "", "0-1-2-3-4-5-6-7"], r#","nodeName":"d""#));
    world.restore(&pod("asks", ["1000", "2", "A10|V100", ""], r#","nodeSelector":{"no":"node"}"#));
    world.restore(&pod("four", ["1000", "4", "A10", ""], ""));
    world.restore(&pod("named", ["400", "1", "A10", "5"], ""));
    world.restore(&pod("wrong", ["1500", "1", "", ""], ""));
    let said: Vec<String> = world
        .run()
        .iter()
        .map(|line| line.split(". ").next().unwrap().replace("0/4 nodes are available: ", ""))
        .collect();
    let expected = [
        "asks: 4 node(s) didn't match Pod's node affinity/selector",
        "four: 1 node(s) didn't have enough free GPUs, 1 node(s) didn't match Pod's GPU model, \
         1 node(s) had fewer GPUs than the Pod asks for, 1 node(s) had no GPU",
        "named: 1 node(s) didn't have enough left of the GPUs the Pod names, 1 node(s) didn't \
         have the GPUs the Pod names, 1 node(s) didn't match Pod's GPU model, 1 node(s) had no GPU",
        "wrong: 4 annotation alibabacloud.com/gpu-milli of the pod: \"1500\": not in valid range \
         [0, 1000]",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_pod_whose_annotations_are_put_right_is_tried_again() {
    let mut world = world("GpuPackingScore", "best");
    world.store.restore(node("a", 1, "T4"), Strictness::Ignore).unwrap();
    let id = world.restore(&pod("web", ["lots", "1", "", ""], ""));
    assert_eq!(world.run().len(), 1);
    world.pass(10);
    assert_eq!(world.run(), Vec::<String>::new(), "nothing happened");
    let mut fixed = world.store.get(id).unwrap();
    fixed.set(&["metadata", "annotations", "alibabacloud.com/gpu-milli"], "700");
    world.update(&fixed, Part::Whole);
    assert_eq!(world.run(), ["web -> a"]);
    assert_eq!(index_of(&world, id).as_deref(), Some("0"));
}

#[test]
fn whole_gpus_are_won_by_preemption_and_promised_ones_are_kept() {
    let mut world = world("BestFitScore", "best");
    world.store.restore(node("a", 2, "T4"), Strictness::Ignore).unwrap();
    for number in 0..2 {
        let low = pod(&format!("low-{number}"), ["600", "1", "", ""], r#","priority":1"#);
        world.restore(&low);
    }
    assert_eq!(world.run(), ["low-0 -> a", "low-1 -> a"]);
    let urgent = world.restore(&pod("urgent", ["1000", "2", "", ""], r#","priority":9"#));
    world.run();
    let nominated = world.store.get(urgent).unwrap();
    assert_eq!(nominated.str_at(&["status", "nominatedNodeName"]), Some("a"));
    // The victims go; a pod of the same priority that comes first must not take what they left.
    let kind = world.store.kinds.pod;
    for name in ["low-0", "low-1"] {
        let id = world.store.find(kind, Some("default"), name).unwrap();
        world.store.finish_pod(id);
    }
    world.restore(&pod("rival", ["1000", "1", "", ""], r#","priority":9"#));
    world.observe();
    let rival = world.store.find(kind, Some("default"), "rival").unwrap();
    let World { store, scheduler, .. } = &mut world;
    let decision = scheduler.schedule_pod(store, rival).unwrap();
    assert!(world.describe(&decision).starts_with("rival: 0/1 nodes are available"));
    world.pass(10);
    assert_eq!(world.run()[0], "urgent -> a");
}

#[test]
fn typical_pods_are_those_in_the_cluster_unless_they_are_named() {
    let text = |args: &str| {
        format!(
            "{{apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration,
            profiles: [{{pluginConfig: [{args}]}}]}}"
        )
    };
    let fgd = |args: &str| read(&text(&format!("{{name: FGDScore, args: {args}}}")));
    assert_eq!(fgd("{}").unwrap().profiles[0].args.fragmentation.typical, None);
    let named = "{typicalPods: [{cpuMilli: 4000, gpuMilli: 500, gpuCount: 1, pods: 7},
                                {cpuMilli: 4000, pods: 3}], podPopularityThreshold: 70}";
    let args = fgd(named).unwrap().profiles.remove(0).args.fragmentation;
    assert_eq!(args.typical.unwrap().pods(), 7);
    let place = "profiles[0].pluginConfig[0].args";
    for (args, error) in [
        (
            "{podPopularityThreshold: 0}",
            "podPopularityThreshold: Invalid value: 0: not in valid range [1, 100]",
        ),
        (
            "{typicalPods: [{gpuMilli: 500, gpuCount: 2}]}",
            "typicalPods[0].gpuMilli: Invalid value: 500: a pod has several whole GPUs, some of \
             one, or none",
        ),
        (
            "{typicalPods: [{cpuMilli: -1}]}",
            "typicalPods[0].cpuMilli: Invalid value: -1: not in valid range [0, inf)",
        ),
        (
            "{normMethod: mean}",
            "normMethod: Unsupported value: \"mean\": supported values: \"max\", \"node\", \"pod\"",
        ),
    ] {
        assert_eq!(fgd(args).unwrap_err(), format!("{place}.{error}"));
    }
    let share = read(&text("{name: Open-Gpu-Share, args: {gpuSelMethod: first}}")).unwrap_err();
    assert_eq!(
        share,
        format!(
            "{place}.gpuSelMethod: Unsupported value: \"first\": supported values: \"best\", \
             \"worst\", \"random\", \"FGDScore\""
        )
    );
    let dots = read(&text("{name: DotProductScore, args: {dimExtMethod: share}}")).unwrap_err();
    assert_eq!(
        dots,
        format!("{place}.dimExtMethod: Unsupported value: \"share\": supported values: \"merge\"")
    );
}
