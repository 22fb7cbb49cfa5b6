//! Random clusters: every decision against the naive reading of the rules; and the same
//! decisions again after a fork and after saving and loading.

use proptest::prelude::*;
use wavetank_core::base::{Nanos, Value};
use wavetank_core::sched::cycle::Findings;
use wavetank_core::sched::pod_info::PodInfo;
use wavetank_core::sched::{Config, Decision, DecisionResult, TieBreak, plugins};
use wavetank_core::store::ObjectId;
use wavetank_core::store::bulk::PodChange;
use wavetank_core::store::delete::DeleteOptions;
use wavetank_core::store::pod::Phase;
use wavetank_core::store::update::Part;

use super::naive::{Verdict, judge};
use super::world::{World, json};

/// Something that happens to a cluster.
#[derive(Clone, Debug)]
enum Op {
    AddNode(u8, u8, u8),
    ChangeNode(usize, u8, u8),
    RemoveNode(usize),
    AddPod(u8, u8, u8, u8),
    DeletePod(usize),
    EndPod(usize),
    Schedule,
    Pass(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let any = any::<u8>;
    prop_oneof![
        3 => (any(), any(), any()).prop_map(|(a, b, c)| Op::AddNode(a, b, c)),
        2 => (0..100usize, any(), any()).prop_map(|(at, a, b)| Op::ChangeNode(at, a, b)),
        1 => (0..100usize).prop_map(Op::RemoveNode),
        8 => (any(), any(), any(), any()).prop_map(|(a, b, c, d)| Op::AddPod(a, b, c, d)),
        2 => (0..100usize).prop_map(Op::DeletePod),
        1 => (0..100usize).prop_map(Op::EndPod),
        12 => Just(Op::Schedule),
        1 => (0..400i64).prop_map(Op::Pass),
    ]
}

fn pick<'a>(choices: &[&'a str], number: u8) -> &'a str {
    choices[usize::from(number) % choices.len()]
}

fn taints(number: u8) -> &'static str {
    pick(
        &[
            "",
            "",
            r#""taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]"#,
            r#""taints":[{"key":"spot","effect":"PreferNoSchedule"}]"#,
            r#""taints":[{"key":"spot","effect":"PreferNoSchedule"},{"key":"old","value":"1","effect":"PreferNoSchedule"}]"#,
            r#""unschedulable":true"#,
            r#""taints":[{"key":"gone","effect":"NoExecute"}]"#,
        ],
        number,
    )
}

fn labels(name: &str, number: u8) -> String {
    let zone = pick(
        &["", r#","topology.kubernetes.io/zone":"a""#, r#","topology.kubernetes.io/zone":"b""#],
        number,
    );
    let disk =
        pick(&["", r#","disk":"ssd""#, r#","disk":"hdd","gen":"7""#, r#","gen":"12""#], number / 3);
    format!(r#"{{"kubernetes.io/hostname":"{name}"{zone}{disk}}}"#)
}

fn node(name: &str, size: u8, label: u8, taint: u8) -> Value {
    let cpu = pick(&["2", "4", "3500m", "1"], size);
    let memory = pick(&["4Gi", "2G", "8Gi"], size / 4);
    let more =
        pick(&["", r#","ephemeral-storage":"10Gi""#, r#","example.com/gpu":"2""#], size / 12);
    let pods = pick(&["3", "6", "10"], size / 36);
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}","labels":{}}},
        "spec":{{{}}},"status":{{"allocatable":{{"cpu":"{cpu}","memory":"{memory}",
        "pods":"{pods}"{more}}}}}}}"#,
        labels(name, label),
        taints(taint)
    ))
}

fn container(number: u8, extra: &str) -> String {
    let requests = pick(
        &[
            "",
            r#""cpu":"500m","memory":"300Mi""#,
            r#""cpu":"1","memory":"1Gi""#,
            r#""memory":"100M""#,
            r#""cpu":"0""#,
            r#""cpu":"250m","example.com/gpu":"1""#,
            r#""cpu":"100m","ephemeral-storage":"4Gi""#,
        ],
        number,
    );
    format!(r#"{{"name":"c","image":"web","resources":{{"requests":{{{requests}}}}}{extra}}}"#)
}

fn pod(name: &str, size: u8, init: u8, place: u8, toleration: u8) -> Value {
    let ports = pick(&["", "", "", r#","ports":[{"containerPort":80,"hostPort":80}]"#], size / 7);
    let init = match init % 5 {
        0 => format!(r#","initContainers":[{}]"#, container(init / 5, "")),
        1 => {
            let sidecar = container(init / 5, r#","restartPolicy":"Always""#);
            format!(r#","initContainers":[{sidecar},{}]"#, container(init / 9, ""))
        }
        2 => r#","overhead":{"cpu":"50m","memory":"10Mi"}"#.to_owned(),
        _ => String::new(),
    };
    let required = |terms: &str| {
        format!(
            r#""requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":[{terms}]}}"#
        )
    };
    let preferred = r#""preferredDuringSchedulingIgnoredDuringExecution":[
        {"weight":3,"preference":{"matchExpressions":[{"key":"disk","operator":"In","values":["ssd"]}]}},
        {"weight":5,"preference":{"matchExpressions":[{"key":"gen","operator":"Gt","values":["9"]}]}}]"#;
    let expression = |text: &str| format!(r#"{{"matchExpressions":[{text}]}}"#);
    let affinity = match place % 8 {
        0 => required(&expression(r#"{"key":"disk","operator":"Exists"}"#)),
        1 => required(&format!(
            "{},{}",
            expression(
                r#"{"key":"disk","operator":"NotIn","values":["ssd"]},{"key":"gen","operator":"Lt","values":["10"]}"#
            ),
            expression(
                r#"{"key":"topology.kubernetes.io/zone","operator":"In","values":["a","c"]}"#
            )
        )),
        2 => preferred.to_owned(),
        3 => format!(
            "{preferred},{}",
            required(&expression(r#"{"key":"gen","operator":"DoesNotExist"}"#))
        ),
        _ => String::new(),
    };
    let affinity = if affinity.is_empty() {
        affinity
    } else {
        format!(r#","affinity":{{"nodeAffinity":{{{affinity}}}}}"#)
    };
    let selector = if place == 200 { r#","nodeSelector":{"disk":"ssd"}"# } else { "" };
    let tolerations = pick(
        &[
            "",
            "",
            r#","tolerations":[{"key":"gpu","operator":"Exists"}]"#,
            r#","tolerations":[{"operator":"Exists","effect":"PreferNoSchedule"}]"#,
            r#","tolerations":[{"operator":"Exists"}]"#,
            r#","tolerations":[{"key":"spot","effect":"NoSchedule","operator":"Exists"},{"key":"old","value":"1"}]"#,
        ],
        toleration,
    );
    let priority = pick(&["0", "0", "0", "7"], toleration / 6);
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"default",
        "labels":{{"app":"web"}}}},"spec":{{"preemptionPolicy":"Never","priority":{priority},
        "containers":[{}]{init}{affinity}{selector}{tolerations}}}}}"#,
        container(size, ports)
    ))
}

/// The cluster and what was made in it, so that operations can name things by number.
#[derive(Clone)]
struct Played {
    world: World,
    nodes: Vec<(ObjectId, String)>,
    pods: Vec<ObjectId>,
    made: usize,
}

impl Played {
    fn new(tie_break: TieBreak) -> Self {
        let world = World::with(Config { tie_break, ..Config::default() });
        Self { world, nodes: Vec::new(), pods: Vec::new(), made: 0 }
    }

    /// Does one thing; a cycle is checked against the naive reading first if asked.
    fn play(&mut self, op: &Op, check: bool) -> Option<String> {
        self.made += 1;
        let made = self.made;
        match *op {
            Op::AddNode(size, label, taint) => {
                let name = format!("node-{made:03}");
                let id = self.world.create(&node(&name, size, label, taint));
                self.nodes.push((id, name));
            }
            Op::ChangeNode(at, label, taint) if !self.nodes.is_empty() => {
                let (_, name) = &self.nodes[at % self.nodes.len()];
                self.world.update(&node(name, label, label, taint), Part::Whole);
                self.world.update(&node(name, label, label, taint), Part::Status);
            }
            Op::RemoveNode(at) if !self.nodes.is_empty() => {
                let (id, _) = self.nodes.remove(at % self.nodes.len());
                self.world.store.delete(id, &DeleteOptions::default()).unwrap();
            }
            Op::AddPod(size, init, place, toleration) => {
                let pod = pod(&format!("pod-{made:03}"), size, init, place, toleration);
                self.pods.push(self.world.restore(&pod));
            }
            Op::DeletePod(at) if !self.pods.is_empty() => {
                let id = self.pods.remove(at % self.pods.len());
                self.world.store.finish_pod(id);
            }
            Op::EndPod(at) if !self.pods.is_empty() => {
                let id = self.pods[at % self.pods.len()];
                let change = PodChange { phase: Some(Phase::Succeeded), ..PodChange::default() };
                self.world.store.change_pods(&[id], change);
            }
            Op::Schedule => return self.schedule(check),
            Op::Pass(seconds) => {
                self.world.store.now = self.world.store.now.after(Nanos::from_secs(seconds));
            }
            _ => {}
        }
        None
    }

    fn schedule(&mut self, check: bool) -> Option<String> {
        self.world.observe();
        let before = check.then(|| self.world.store.clone());
        let decision = self.world.scheduler.schedule_one(&mut self.world.store)?;
        if let Some(before) = before {
            let pod = before.get(decision.pod).unwrap();
            compare(&self.world, &decision, &judge(&before, &pod));
        }
        Some(self.world.describe(&decision))
    }
}

/// Holds a decision against what the naive reading says of every node.
fn compare(
    world: &World,
    decision: &Decision,
    naive: &std::collections::BTreeMap<String, Verdict>,
) {
    let findings: &Findings = world.scheduler.findings();
    let name = |id| world.scheduler.cache().nodes.info(id).name.to_string();
    let mut ours = std::collections::BTreeMap::new();
    for (at, id) in findings.feasible.iter().enumerate() {
        let total = findings.scores.totals.get(at).copied();
        ours.insert(name(*id), total.map(Verdict::Feasible));
    }
    let info = PodInfo::of(world.store.body(decision.pod).unwrap());
    for (id, rejection) in &findings.rejected {
        let mut reasons: Vec<String> =
            plugins::reasons(*rejection, &info).iter().map(ToString::to_string).collect();
        reasons.sort();
        ours.insert(name(*id), Some(Verdict::Rejected(rejection.code.name(), reasons)));
    }
    assert_eq!(ours.len(), naive.len(), "every node is judged");
    let mut best: Option<(i64, Vec<&String>)> = None;
    for (node, verdict) in naive {
        match (&ours[node], verdict) {
            // A single feasible node is not scored.
            (None, Verdict::Feasible(_)) => best = Some((0, vec![node])),
            (ours, verdict) => assert_eq!(ours.as_ref(), Some(verdict), "node {node}"),
        }
        if let (Some(Verdict::Feasible(total)), best) = (&ours[node], &mut best) {
            match best {
                Some((highest, nodes)) if highest == total => nodes.push(node),
                Some((highest, _)) if *highest > *total => {}
                _ => *best = Some((*total, vec![node])),
            }
        }
    }
    match &decision.result {
        DecisionResult::Bound(node) => {
            let (_, nodes) = best.expect("some node is feasible");
            let node = world.store.strings.text(*node).to_owned();
            assert!(nodes.contains(&&node), "{node} is not among the best {nodes:?}");
        }
        DecisionResult::Unschedulable { message, .. } => {
            assert!(best.is_none(), "{message} although {best:?}");
            let expected = expected_message(naive);
            assert!(message.starts_with(&expected), "{message}\ninstead of\n{expected}");
        }
        DecisionResult::Skipped => {}
    }
}

/// The histogram of the reasons in the form of the message.
fn expected_message(naive: &std::collections::BTreeMap<String, Verdict>) -> String {
    if naive.is_empty() {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut counts = std::collections::BTreeMap::new();
    for verdict in naive.values() {
        let Verdict::Rejected(_, reasons) = verdict else { continue };
        for reason in reasons {
            *counts.entry(reason.clone()).or_insert(0) += 1;
        }
    }
    let mut lines: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort();
    format!("0/{} nodes are available: {}.", naive.len(), lines.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_decision_is_what_a_naive_reading_of_the_rules_gives(
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut played = Played::new(TieBreak::Oracle);
        for op in &ops {
            played.play(op, true);
        }
    }

    #[test]
    fn a_fork_and_a_loaded_cluster_go_on_as_the_original(
        ops in prop::collection::vec(op(), 1..120),
        branch in 0..120usize,
        seeded in any::<bool>(),
    ) {
        let tie_break = if seeded { TieBreak::Seeded } else { TieBreak::FirstByName };
        let mut original = Played::new(tie_break);
        let branch = branch.min(ops.len());
        for op in &ops[..branch] {
            original.play(op, false);
        }
        let mut fork = original.clone();
        let mut loaded = Played { world: original.world.reload(), ..original.clone() };
        let bytes = |played: &Played| played.world.store.to_bytes();
        let before = bytes(&original);
        for op in &ops[branch..] {
            let decision = fork.play(op, false);
            prop_assert_eq!(&decision, &loaded.play(op, false));
        }
        prop_assert!(before == bytes(&original), "a fork leaves its origin alone");
        for op in &ops[branch..] {
            original.play(op, false);
        }
        prop_assert!(bytes(&original) == bytes(&fork), "the origin goes the way of the fork");
        prop_assert!(bytes(&original) == bytes(&loaded), "and so does a loaded cluster");
        let saved = |played: &Played| {
            postcard::to_stdvec(&played.world.scheduler.to_saved()).unwrap()
        };
        prop_assert!(saved(&original) == saved(&fork), "schedulers are the same, too");
        prop_assert!(saved(&original) == saved(&loaded), "whether loaded or not");
    }
}
