//! The rules about pods among other pods, spreading and affinity, over plain documents.

use std::collections::{BTreeMap, BTreeSet};

use wavetank_core::base::Value;
use wavetank_core::base::float::go_log;

use super::naive::{Node, selects, tolerates};

/// What the rules about neighbours look at.
pub struct Neighbourhood<'a> {
    pub pod: &'a Value,
    pub nodes: &'a [Node],
    /// Labels of namespaces by name.
    pub namespaces: &'a BTreeMap<String, Value>,
}

fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.str_at(&["metadata", "labels", key])
}

fn namespace(pod: &Value) -> &str {
    pod.str_at(&["metadata", "namespace"]).unwrap_or("default")
}

/// Whether a label selector, absent or not, selects an object with these labels.
fn selected(selector: Option<&Value>, labels: &Value) -> bool {
    let Some(selector) = selector else { return false };
    let pairs = selector.get("matchLabels").and_then(Value::as_map);
    let mut pairs = pairs.into_iter().flat_map(wavetank_core::base::Map::iter);
    let expressions = selector.list_at(&["matchExpressions"]);
    pairs.all(|(key, value)| labels.str_at(&[key]) == value.as_str())
        && expressions.iter().all(|expression| {
            let value = labels.str_at(&[expression.str_at(&["key"]).unwrap()]);
            let values = expression.list_at(&["values"]);
            let within =
                value.is_some_and(|value| values.iter().any(|v| v.as_str() == Some(value)));
            match expression.str_at(&["operator"]).unwrap() {
                "In" => within,
                "NotIn" => !within,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

fn labels(object: &Value) -> Value {
    object.at(&["metadata", "labels"]).cloned().unwrap_or_default()
}

impl Neighbourhood<'_> {
    fn constraints(&self, when: &str) -> Vec<&Value> {
        let all = self.pod.list_at(&["spec", "topologySpreadConstraints"]).iter();
        all.filter(|constraint| constraint.str_at(&["whenUnsatisfiable"]) == Some(when)).collect()
    }

    /// Whether a node counts for a constraint.
    fn counts(&self, constraint: &Value, all: &[&Value], node: &Value) -> bool {
        let has = |constraint: &&Value| label(node, key(constraint)).is_some();
        let policy = |field: &str| constraint.str_at(&[field]);
        let tolerated = || {
            node.list_at(&["spec", "taints"]).iter().all(|taint| {
                let word = |field: &str| taint.str_at(&[field]).unwrap_or_default();
                let effect = word("effect");
                effect == "PreferNoSchedule"
                    || tolerates(self.pod, word("key"), word("value"), effect)
            })
        };
        all.iter().all(has)
            && (policy("nodeAffinityPolicy") == Some("Ignore") || selects(self.pod, node))
            && (policy("nodeTaintsPolicy") != Some("Honor") || tolerated())
    }

    fn matching(&self, constraint: &Value, node: &Node) -> i64 {
        let selector = constraint.get("labelSelector");
        let pods = node.pods.iter().filter(|pod| {
            namespace(pod) == namespace(self.pod)
                && pod.at(&["metadata", "deletionTimestamp"]).is_none()
                && selected(selector, &labels(pod))
        });
        pods.count() as i64
    }

    /// The reason why spreading forbids a node, and whether no pod's absence changes that.
    pub fn spread_forbids(&self, node: &Value) -> Option<(&'static str, bool)> {
        let hard = self.constraints("DoNotSchedule");
        for constraint in &hard {
            let Some(domain) = label(node, key(constraint)) else {
                let reason = "node(s) didn't match pod topology spread constraints \
                     (missing required label)";
                return Some((reason, true));
            };
            let mut domains: BTreeMap<&str, i64> = BTreeMap::new();
            for other in self.nodes {
                if self.counts(constraint, &hard, &other.object) {
                    let domain = label(&other.object, key(constraint)).unwrap();
                    *domains.entry(domain).or_default() += self.matching(constraint, other);
                }
            }
            let enough = domains.len() as i64 >= constraint.int_at(&["minDomains"]).unwrap_or(1);
            let least = if enough { domains.values().copied().min().unwrap_or(0) } else { 0 };
            let itself = selected(constraint.get("labelSelector"), &labels(self.pod));
            let here = domains.get(domain).copied().unwrap_or(0);
            if here + i64::from(itself) - least > constraint.int_at(&["maxSkew"]).unwrap() {
                return Some(("node(s) didn't match pod topology spread constraints", false));
            }
        }
        None
    }

    /// What soft constraints make of the feasible nodes; nothing when there are none.
    pub fn spread_scores(&self, feasible: &[&Node]) -> Option<Vec<i64>> {
        let soft = self.constraints("ScheduleAnyway");
        if soft.is_empty() {
            return None;
        }
        let in_all = |node: &Value| soft.iter().all(|c| label(node, key(c)).is_some());
        let scored: Vec<&&Node> = feasible.iter().filter(|node| in_all(&node.object)).collect();
        let raw = |node: &Node| -> Option<i64> {
            if !in_all(&node.object) {
                return None;
            }
            let mut sum = 0.0;
            for constraint in &soft {
                let key = key(constraint);
                let domains: BTreeSet<_> =
                    scored.iter().map(|node| label(&node.object, key)).collect();
                let hostname = key == "kubernetes.io/hostname";
                let size = if hostname { scored.len() } else { domains.len() };
                let here = label(&node.object, key);
                let counted = self.nodes.iter().filter(|other| {
                    label(&other.object, key) == here
                        && self.counts(constraint, &soft, &other.object)
                });
                let pods: i64 = if hostname {
                    self.matching(constraint, node)
                } else {
                    counted.map(|other| self.matching(constraint, other)).sum()
                };
                let skew = constraint.int_at(&["maxSkew"]).unwrap() - 1;
                sum += pods as f64 * go_log(size as f64 + 2.0) + skew as f64;
            }
            Some(sum.round() as i64)
        };
        let raw: Vec<Option<i64>> = feasible.iter().map(|node| raw(node)).collect();
        let least = raw.iter().flatten().min().copied().unwrap_or(0);
        let most = raw.iter().flatten().max().copied().unwrap_or(0);
        let scaled = |raw: &Option<i64>| match raw {
            None => 0,
            Some(_) if most == 0 => 100,
            Some(raw) => 100 * (most + least - raw) / most,
        };
        Some(raw.iter().map(scaled).collect())
    }

    /// Whether a term of `owner` is about a pod.
    fn about(&self, term: &Value, owner: &Value, other: &Value) -> bool {
        let names = term.list_at(&["namespaces"]);
        let selector = term.get("namespaceSelector");
        let none = Value::default();
        let labels_of = self.namespaces.get(namespace(other)).unwrap_or(&none);
        let reaches = if names.is_empty() && selector.is_none() {
            namespace(owner) == namespace(other)
        } else {
            names.iter().any(|name| name.as_str() == Some(namespace(other)))
                || selected(selector, labels_of)
        };
        reaches && selected(term.get("labelSelector"), &labels(other))
    }

    /// How many pods for which `counts` holds are where `node` is in a topology.
    fn near<F: Fn(&Value) -> bool>(&self, node: &Value, key: &str, counts: F) -> Option<i64> {
        let here = label(node, key)?;
        let nodes = self.nodes.iter().filter(|other| label(&other.object, key) == Some(here));
        Some(nodes.flat_map(|node| &node.pods).filter(|pod| counts(pod)).count() as i64)
    }

    /// The reason why affinity forbids a node, and whether no pod's absence changes that.
    pub fn affinity_forbids(&self, node: &Value) -> Option<(&'static str, bool)> {
        let (near, away) =
            (required(self.pod, "podAffinity"), required(self.pod, "podAntiAffinity"));
        let all = |other: &Value| near.iter().all(|term| self.about(term, self.pod, other));
        let pods =
            near.iter().map(|term| self.near(node, key(term), all)).collect::<Option<Vec<_>>>();
        let missing = Some(("node(s) didn't match pod affinity rules", true));
        let Some(pods) = pods else { return missing };
        let anywhere = || {
            let has =
                |node: &Node| near.iter().any(|term| label(&node.object, key(term)).is_some());
            self.nodes.iter().filter(|node| has(node)).flat_map(|node| &node.pods).any(all)
        };
        if pods.contains(&0) && (anywhere() || !all(self.pod)) {
            return missing;
        }
        for term in away {
            let about = |other: &Value| self.about(term, self.pod, other);
            if self.near(node, key(term), about).is_some_and(|pods| pods > 0) {
                return Some(("node(s) didn't match pod anti-affinity rules", false));
            }
        }
        for other in self.nodes {
            for pod in &other.pods {
                let hits = required(pod, "podAntiAffinity").iter().any(|term| {
                    let there = label(&other.object, key(term));
                    there.is_some()
                        && there == label(node, key(term))
                        && self.about(term, pod, self.pod)
                });
                if hits {
                    let reason = "node(s) didn't satisfy existing pods anti-affinity rules";
                    return Some((reason, false));
                }
            }
        }
        None
    }

    /// What wishes about neighbours make of the feasible nodes.
    pub fn affinity_scores(&self, feasible: &[&Node]) -> Vec<i64> {
        let raw: Vec<i64> = feasible.iter().map(|node| self.wishes(&node.object)).collect();
        let least = raw.iter().min().copied().unwrap_or(0);
        let most = raw.iter().max().copied().unwrap_or(0);
        let scaled = |raw: &i64| match most - least {
            0 => 0,
            span => (100.0 * ((raw - least) as f64 / span as f64)) as i64,
        };
        raw.iter().map(scaled).collect()
    }

    fn wishes(&self, node: &Value) -> i64 {
        let mut sum = 0;
        for other in self.nodes {
            let together = |term: &Value| {
                let there = label(&other.object, key(term));
                there.is_some() && there == label(node, key(term))
            };
            for pod in &other.pods {
                for (side, sign) in [("podAffinity", 1), ("podAntiAffinity", -1)] {
                    for (term, weight) in preferred(self.pod, side) {
                        if together(term) && self.about(term, self.pod, pod) {
                            sum += sign * weight;
                        }
                    }
                    for (term, weight) in preferred(pod, side) {
                        if together(term) && self.about(term, pod, self.pod) {
                            sum += sign * weight;
                        }
                    }
                }
                for term in required(pod, "podAffinity") {
                    sum += i64::from(together(term) && self.about(term, pod, self.pod));
                }
            }
        }
        sum
    }
}

fn key(constraint: &Value) -> &str {
    constraint.str_at(&["topologyKey"]).unwrap()
}

fn required<'a>(pod: &'a Value, side: &str) -> &'a [Value] {
    pod.list_at(&["spec", "affinity", side, "requiredDuringSchedulingIgnoredDuringExecution"])
}

fn preferred<'a>(pod: &'a Value, side: &str) -> impl Iterator<Item = (&'a Value, i64)> {
    let path = ["spec", "affinity", side, "preferredDuringSchedulingIgnoredDuringExecution"];
    let weigh =
        |term: &'a Value| (term.get("podAffinityTerm").unwrap(), term.int_at(&["weight"]).unwrap());
    pod.list_at(&path).iter().map(weigh)
}
