//! The rules of the issue-two plugins over plain documents: nothing compiled, nothing kept, one
//! walk per question. It is slow and reads like the reference; the scheduler must agree.

use std::collections::BTreeMap;

use wavetank_core::base::{Map, Quantity, Value};
use wavetank_core::store::Store;
use wavetank_core::store::pod::Phase;

/// What is said of one node.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It would do, with this total score.
    Feasible(i64),
    /// The code and the sorted reasons.
    Rejected(&'static str, Vec<String>),
}

/// A node with the pods that count on it.
struct Node {
    object: Value,
    pods: Vec<Value>,
}

/// What becomes of a pod on each node, by name.
pub fn judge(store: &Store, pod: &Value) -> BTreeMap<String, Verdict> {
    let nodes = nodes(store);
    let verdicts = nodes.iter().map(|node| (name(&node.object).to_owned(), filter(pod, node)));
    let verdicts: BTreeMap<String, Option<Verdict>> = verdicts.collect();
    let feasible: Vec<&Node> =
        nodes.iter().filter(|node| verdicts[name(&node.object)].is_none()).collect();
    let mut totals = score(pod, &feasible);
    verdicts
        .into_iter()
        .map(|(node, verdict)| {
            let verdict = verdict
                .unwrap_or_else(|| Verdict::Feasible(totals.remove(&node).expect("it was scored")));
            (node, verdict)
        })
        .collect()
}

fn nodes(store: &Store) -> Vec<Node> {
    let kind = store.kinds.node;
    let objects = store.table(kind).iter().map(|(slot, _)| store.table(kind).id(kind, slot));
    let mut nodes: Vec<Node> =
        objects.map(|id| Node { object: store.get(id).unwrap(), pods: Vec::new() }).collect();
    let kind = store.kinds.pod;
    for (slot, _) in store.table(kind).iter() {
        let state = store.pod(slot);
        let ended = matches!(state.phase, Phase::Succeeded | Phase::Failed);
        let Some(bound) = state.node.filter(|_| !ended) else { continue };
        let bound = store.strings.text(bound);
        if let Some(node) = nodes.iter_mut().find(|node| name(&node.object) == bound) {
            node.pods.push(store.get(store.table(kind).id(kind, slot)).unwrap());
        }
    }
    nodes
}

fn name(object: &Value) -> &str {
    object.str_at(&["metadata", "name"]).unwrap()
}

fn filter(pod: &Value, node: &Node) -> Option<Verdict> {
    let final_no = |reason: &str| Some(Verdict::Rejected(UU, vec![reason.to_owned()]));
    let spec = |field: &str| node.object.at(&["spec", field]);
    let cordoned = spec("unschedulable").and_then(Value::as_bool).unwrap_or(false);
    if cordoned && !tolerates(pod, "node.kubernetes.io/unschedulable", "", "NoSchedule") {
        return final_no("node(s) were unschedulable");
    }
    for taint in node.object.list_at(&["spec", "taints"]) {
        let word = |field: &str| taint.str_at(&[field]).unwrap_or_default();
        let effect = word("effect");
        let repels = effect == "NoSchedule" || effect == "NoExecute";
        if repels && !tolerates(pod, word("key"), word("value"), effect) {
            return final_no("node(s) had untolerated taint(s)");
        }
    }
    if !selects(pod, &node.object) {
        return final_no("node(s) didn't match Pod's node affinity/selector");
    }
    if ports(pod).iter().any(|port| node.pods.iter().any(|other| ports(other).contains(port))) {
        let reason = "node(s) didn't have free ports for the requested pod ports";
        return Some(Verdict::Rejected("Unschedulable", vec![reason.to_owned()]));
    }
    fit(pod, node)
}

const UU: &str = "UnschedulableAndUnresolvable";

fn tolerates(pod: &Value, key: &str, value: &str, effect: &str) -> bool {
    pod.list_at(&["spec", "tolerations"]).iter().any(|toleration| {
        let word = |field: &str| toleration.str_at(&[field]).unwrap_or_default();
        (word("effect").is_empty() || word("effect") == effect)
            && (word("key").is_empty() || word("key") == key)
            && (word("operator") == "Exists" || word("value") == value)
    })
}

fn selects(pod: &Value, node: &Value) -> bool {
    let label = |key: &str| node.str_at(&["metadata", "labels", key]);
    let selector = pod.at(&["spec", "nodeSelector"]).and_then(Value::as_map);
    let mut pairs = selector.into_iter().flat_map(Map::iter);
    if !pairs.all(|(key, value)| label(key) == value.as_str()) {
        return false;
    }
    let path =
        ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let Some(required) = pod.at(&path) else { return true };
    required.list_at(&["nodeSelectorTerms"]).iter().any(|term| term_matches(term, node))
}

fn term_matches(term: &Value, node: &Value) -> bool {
    let expressions = term.list_at(&["matchExpressions"]);
    let fields = term.list_at(&["matchFields"]);
    let holds = |expression: &Value, value: Option<&str>| {
        let values: Vec<&str> =
            expression.list_at(&["values"]).iter().filter_map(Value::as_str).collect();
        let number = |text: &str| text.parse::<i64>().ok();
        match expression.str_at(&["operator"]).unwrap() {
            "In" => value.is_some_and(|value| values.contains(&value)),
            "NotIn" => value.is_none_or(|value| !values.contains(&value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => value.and_then(number).is_some_and(|value| value > number(values[0]).unwrap()),
            "Lt" => value.and_then(number).is_some_and(|value| value < number(values[0]).unwrap()),
            other => panic!("no operator {other}"),
        }
    };
    let label = |e: &Value| node.str_at(&["metadata", "labels", e.str_at(&["key"]).unwrap()]);
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|expression| holds(expression, label(expression)))
        && fields.iter().all(|field| holds(field, Some(name(node))))
}

fn ports(pod: &Value) -> Vec<(String, i64)> {
    let containers = pod.list_at(&["spec", "containers"]).iter();
    let ports = containers.flat_map(|container| container.list_at(&["ports"]));
    ports
        .filter_map(|port| {
            let protocol = port.str_at(&["protocol"]).unwrap_or("TCP").to_owned();
            Some((protocol, port.int_at(&["hostPort"])?))
        })
        .collect()
}

/// The amount of a resource: CPU in thousandths, everything else in units.
fn amount(list: Option<&Value>, resource: &str) -> Option<i64> {
    let quantity = Quantity::from_value(list?.get(resource)?).unwrap();
    Some(if resource == "cpu" { quantity.milli_value() } else { quantity.value() })
}

/// What a pod asks of a resource; `default` stands in where a container does not say.
fn request(pod: &Value, resource: &str, default: i64) -> i64 {
    let of = |container: &Value| {
        amount(container.at(&["resources", "requests"]), resource).unwrap_or(default)
    };
    let mut sum: i64 = pod.list_at(&["spec", "containers"]).iter().map(of).sum();
    let (mut sidecars, mut peak) = (0, 0);
    for container in pod.list_at(&["spec", "initContainers"]) {
        if container.str_at(&["restartPolicy"]) == Some("Always") {
            sum += of(container);
            sidecars += of(container);
            peak = peak.max(sidecars);
        } else {
            peak = peak.max(of(container) + sidecars);
        }
    }
    sum.max(peak) + amount(pod.at(&["spec", "overhead"]), resource).unwrap_or(0)
}

const RESOURCES: [&str; 4] = ["cpu", "memory", "ephemeral-storage", "example.com/gpu"];

fn fit(pod: &Value, node: &Node) -> Option<Verdict> {
    let allocatable = node.object.at(&["status", "allocatable"]);
    let mut reasons = Vec::new();
    let mut code = "Unschedulable";
    if node.pods.len() as i64 + 1 > amount(allocatable, "pods").unwrap_or(0) {
        reasons.push("Too many pods".to_owned());
    }
    for resource in RESOURCES {
        let asked = request(pod, resource, 0);
        let has = amount(allocatable, resource).unwrap_or(0);
        let used: i64 = node.pods.iter().map(|pod| request(pod, resource, 0)).sum();
        if asked > 0 && asked > has - used {
            reasons.push(format!("Insufficient {resource}"));
            if asked > has {
                code = UU;
            }
        }
    }
    reasons.sort();
    (!reasons.is_empty()).then_some(Verdict::Rejected(code, reasons))
}

/// The total of every feasible node.
fn score(pod: &Value, nodes: &[&Node]) -> BTreeMap<String, i64> {
    let mut totals: BTreeMap<String, i64> =
        nodes.iter().map(|node| (name(&node.object).to_owned(), 0)).collect();
    let mut add = |weight: i64, scores: Vec<i64>| {
        for (node, score) in nodes.iter().zip(scores) {
            assert!((0..=100).contains(&score), "{score} out of range");
            *totals.get_mut(name(&node.object)).unwrap() += weight * score;
        }
    };
    let disliked: Vec<i64> = nodes.iter().map(|node| disliked(pod, &node.object)).collect();
    let most = disliked.iter().copied().max().unwrap_or(0);
    let taints = |count: &i64| if most == 0 { 100 } else { 100 - 100 * count / most };
    add(3, disliked.iter().map(taints).collect());
    let preferred: Vec<i64> = nodes.iter().map(|node| preference(pod, &node.object)).collect();
    let most = preferred.iter().copied().max().unwrap_or(0);
    add(2, preferred.iter().map(|sum| if most == 0 { 0 } else { 100 * sum / most }).collect());
    add(1, nodes.iter().map(|node| least_allocated(pod, node)).collect());
    if request(pod, "cpu", 0) != 0 || request(pod, "memory", 0) != 0 {
        add(1, nodes.iter().map(|node| balance_gain(pod, node)).collect());
    }
    totals
}

fn disliked(pod: &Value, node: &Value) -> i64 {
    let tolerations: Vec<Value> = pod
        .list_at(&["spec", "tolerations"])
        .iter()
        .filter(|t| matches!(t.str_at(&["effect"]).unwrap_or(""), "" | "PreferNoSchedule"))
        .cloned()
        .collect();
    let mut pod = Value::default();
    pod.set(&["spec", "tolerations"], tolerations);
    let taints = node.list_at(&["spec", "taints"]).iter();
    taints
        .filter(|taint| taint.str_at(&["effect"]) == Some("PreferNoSchedule"))
        .filter(|taint| {
            let word = |field: &str| taint.str_at(&[field]).unwrap_or_default();
            !tolerates(&pod, word("key"), word("value"), "PreferNoSchedule")
        })
        .count() as i64
}

fn preference(pod: &Value, node: &Value) -> i64 {
    let path =
        ["spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"];
    let terms = pod.list_at(&path).iter();
    let matching = terms.filter(|term| term_matches(term.get("preference").unwrap(), node));
    matching.map(|term| term.int_at(&["weight"]).unwrap()).sum()
}

fn least_allocated(pod: &Value, node: &Node) -> i64 {
    let allocatable = node.object.at(&["status", "allocatable"]);
    let (mut sum, mut weights) = (0, 0);
    for (resource, default) in [("cpu", 100), ("memory", 200 << 20)] {
        let has = amount(allocatable, resource).unwrap_or(0);
        if has == 0 {
            continue;
        }
        let pods = node.pods.iter().chain([pod]);
        let used: i64 = pods.map(|pod| request(pod, resource, default)).sum();
        sum += if used > has { 0 } else { (has - used) * 100 / has };
        weights += 1;
    }
    if weights == 0 { 0 } else { sum / weights }
}

fn balance_gain(pod: &Value, node: &Node) -> i64 {
    let with: Vec<&Value> = node.pods.iter().chain([pod]).collect();
    let without: Vec<&Value> = node.pods.iter().collect();
    50 + (50 + balance(&node.object, &with) - balance(&node.object, &without)) / 2
}

fn balance(node: &Value, pods: &[&Value]) -> i64 {
    let fractions: Vec<f64> = ["cpu", "memory"]
        .into_iter()
        .filter_map(|resource| {
            let has = amount(node.at(&["status", "allocatable"]), resource).unwrap_or(0);
            let used: i64 = pods.iter().map(|pod| request(pod, resource, 0)).sum();
            (has != 0).then(|| (used as f64 / has as f64).min(1.0))
        })
        .collect();
    match fractions[..] {
        [cpu, memory] => ((1.0 - ((cpu - memory) / 2.0).abs()) * 100.0) as i64,
        _ => 100,
    }
}
