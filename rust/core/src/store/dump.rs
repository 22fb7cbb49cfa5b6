//! Dumps: the objects of `kubectl get -A -o yaml` put back as the state they were.
//!
//! A dump rarely holds everything. Namespaces that are missing are made; owners and nodes that
//! are missing are noted, and what refers to them stays as it is: a bound pod stays bound.

use std::collections::BTreeMap;

use super::Store;
use super::create::{Strictness, WriteOptions, Written};
use crate::api::{ApiError, ApiResult};
use crate::base::{FastMap, FastSet, Map, Text, Time, Value};

/// What putting back a dump came to.
#[derive(Debug, Default)]
pub struct Restored {
    /// For each object, in the order given, what became of it.
    pub results: Vec<ApiResult<Written>>,
    /// Sentences about what the dump does not have.
    pub notes: Vec<String>,
}

impl Store {
    /// Puts back the objects of a dump, each on its own: namespaces, definitions and nodes
    /// before what needs them, owners before what they own.
    pub fn restore_all(&mut self, objects: &[Value], strictness: Strictness) -> Restored {
        let mut notes = Vec::new();
        let mut results: Vec<Option<ApiResult<Written>>> = Vec::new();
        results.resize_with(objects.len(), || None);
        for at in Self::restore_order(objects) {
            let object = &objects[at];
            if let Some(namespace) = self.missing_namespace(object) {
                let created = self.create(empty_namespace(&namespace), &WriteOptions::default());
                notes.push(match created {
                    Ok(_) => format!("namespace {namespace:?} is not in the dump: it was created"),
                    Err(error) => error.message,
                });
            }
            results[at] = Some(self.restore_over(object, strictness));
        }
        notes.extend(self.lost_owners(objects));
        notes.extend(self.lost_nodes(objects));
        let results = results.into_iter().map(|result| result.expect("every object has a place"));
        Restored { results: results.collect(), notes }
    }

    /// Restores an object; what every cluster starts with makes room: its namespaces, and the
    /// objects that lead to its API server.
    fn restore_over(&mut self, object: &Value, strictness: Strictness) -> ApiResult<Written> {
        if is_kind(object, "v1", "Namespace") {
            let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
            if let Some(id) = self.find(self.kinds.namespace, None, name) {
                self.decode(object.clone(), strictness)?;
                self.erase(id);
            }
        }
        for (version, kind, id) in [
            ("v1", "Service", self.kinds.service),
            ("v1", "Endpoints", self.kinds.endpoints),
            ("discovery.k8s.io/v1", "EndpointSlice", self.kinds.endpoint_slice),
        ] {
            let metadata = |field: &str| object.str_at(&["metadata", field]);
            let is_it = is_kind(object, version, kind)
                && metadata("name") == Some("kubernetes")
                && matches!(metadata("namespace"), None | Some("default"));
            let there = self.find(id, Some("default"), "kubernetes").filter(|_| is_it);
            if let Some(id) = there {
                self.decode(object.clone(), strictness)?;
                self.erase(id);
            }
        }
        let known = object.str_at(&["apiVersion"]).zip(object.str_at(&["kind"]));
        let known = known.and_then(|(version, kind)| self.registry.find(version, kind));
        if known.is_some_and(|found| !found.version.verbs.has(crate::api::Verb::Create)) {
            return Err(ApiError::method_not_allowed());
        }
        self.restore(object.clone(), strictness)
    }

    /// The places of the objects in the order they are put back.
    fn restore_order(objects: &[Value]) -> Vec<usize> {
        let mut by_uid: FastMap<&str, usize> = FastMap::new();
        for (at, object) in objects.iter().enumerate() {
            if let Some(uid) = object.str_at(&["metadata", "uid"]) {
                by_uid.insert(uid, at);
            }
        }
        let mut depths = vec![None; objects.len()];
        let mut order: Vec<(u8, u32, usize)> = (0..objects.len())
            .map(|at| (stage(&objects[at]), depth(at, objects, &by_uid, &mut depths), at))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, at)| at).collect()
    }

    fn missing_namespace(&self, object: &Value) -> Option<Text> {
        let namespace =
            object.str_at(&["metadata", "namespace"]).filter(|text| !text.is_empty())?;
        let missing = self.find(self.kinds.namespace, None, namespace).is_none();
        missing.then(|| namespace.into())
    }

    /// A sentence for each owner that is not there.
    fn lost_owners(&self, objects: &[Value]) -> Vec<String> {
        let mut lost: BTreeMap<(Text, Text, Text), usize> = BTreeMap::new();
        for object in objects {
            let namespace = object.str_at(&["metadata", "namespace"]).unwrap_or_default();
            for owner in object.list_at(&["metadata", "ownerReferences"]) {
                let text = |key: &str| owner.str_at(&[key]).unwrap_or_default();
                let found = self.registry.find(text("apiVersion"), text("kind"));
                let there = found
                    .and_then(|found| self.find(found.id, Some(namespace), text("name")))
                    .is_some();
                if !there {
                    let key = (text("kind").into(), namespace.into(), text("name").into());
                    *lost.entry(key).or_default() += 1;
                }
            }
        }
        lost.into_iter()
            .map(|((kind, namespace, name), count)| {
                let place =
                    if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
                let objects = counted(count, "object");
                format!("{kind} {place}{name}, which owns {objects}, is not in the dump")
            })
            .collect()
    }

    /// A sentence for each node that pods are bound to and that is not there.
    fn lost_nodes(&self, objects: &[Value]) -> Vec<String> {
        let mut lost: BTreeMap<&str, usize> = BTreeMap::new();
        for object in objects.iter().filter(|object| is_kind(object, "v1", "Pod")) {
            let node = object.str_at(&["spec", "nodeName"]).unwrap_or_default();
            if !node.is_empty() && self.find(self.kinds.node, None, node).is_none() {
                *lost.entry(node).or_default() += 1;
            }
        }
        lost.into_iter()
            .map(|(node, count)| {
                format!("node {node:?}, to which {} bound, is not in the dump", bound_pods(count))
            })
            .collect()
    }
}

/// The latest time an object tells of: when it was made, or when something last happened to it.
pub fn latest_time(object: &Value) -> Option<Time> {
    let created = object.str_at(&["metadata", "creationTimestamp"]).and_then(parse_time);
    let reported = object.get("status").and_then(latest_below);
    let renewed = object.str_at(&["spec", "renewTime"]).and_then(parse_time);
    let seen = ["firstTimestamp", "lastTimestamp", "eventTime"]
        .iter()
        .filter_map(|key| object.str_at(&[key]).and_then(parse_time))
        .chain(object.str_at(&["series", "lastObservedTime"]).and_then(parse_time))
        .max();
    created.max(reported).max(renewed).max(seen)
}

/// The latest of the times below a value, by the names the API gives to times that have passed.
fn latest_below(value: &Value) -> Option<Time> {
    let has_passed = |key: &str| key.ends_with("Time") || key == "startedAt" || key == "finishedAt";
    match value {
        Value::Map(map) => map
            .iter()
            .filter_map(|(key, item)| match item {
                Value::Str(text) if has_passed(key) => parse_time(text),
                Value::Map(_) | Value::List(_) => latest_below(item),
                _ => None,
            })
            .max(),
        Value::List(items) => items.iter().filter_map(latest_below).max(),
        _ => None,
    }
}

fn parse_time(text: &str) -> Option<Time> {
    Time::parse(text).ok()
}

fn stage(object: &Value) -> u8 {
    let group = object.str_at(&["apiVersion"]).and_then(|version| version.split_once('/'));
    match (group.map_or("", |(group, _)| group), object.str_at(&["kind"]).unwrap_or_default()) {
        ("", "Namespace") => 0,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => 1,
        ("", "Node") => 2,
        _ => 3,
    }
}

/// How many owners stand above an object in the dump; owners that own each other count as one.
fn depth(
    at: usize,
    objects: &[Value],
    by_uid: &FastMap<&str, usize>,
    depths: &mut [Option<u32>],
) -> u32 {
    let mut chain = vec![at];
    let mut on_chain: FastSet<usize> = FastSet::default();
    while let Some(&top) = chain.last() {
        on_chain.insert(top);
        let owners = objects[top].list_at(&["metadata", "ownerReferences"]);
        let owners = owners.iter().filter_map(|owner| by_uid.get(owner.str_at(&["uid"])?)).copied();
        let owners: Vec<usize> = owners.collect();
        let open =
            owners.iter().find(|owner| depths[**owner].is_none() && !on_chain.contains(owner));
        if let (None, Some(&open)) = (depths[top], open) {
            chain.push(open);
            continue;
        }
        let above = owners.iter().filter_map(|owner| depths[*owner]).max();
        depths[top].get_or_insert(above.map_or(0, |depth| depth + 1));
        chain.pop();
    }
    depths[at].unwrap_or_default()
}

fn is_kind(object: &Value, api_version: &str, kind: &str) -> bool {
    object.str_at(&["apiVersion"]) == Some(api_version) && object.str_at(&["kind"]) == Some(kind)
}

fn empty_namespace(name: &str) -> Value {
    let metadata = Value::map([("name", Value::from(name))]);
    let mut namespace = Map::new();
    namespace.insert("apiVersion", "v1");
    namespace.insert("kind", "Namespace");
    namespace.insert("metadata", metadata);
    namespace.into()
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn bound_pods(count: usize) -> String {
    if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Store, latest_time};
    use crate::api::{Registry, Rules};
    use crate::base::{Time, Value};
    use crate::store::create::Strictness;

    fn store() -> Store {
        let now = Time::from_unix_secs(1_000);
        Store::new(Registry::new(), Arc::new(Rules::none()), 7, now)
    }

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    fn owned(name: &str, kind: &str, uid: &str, owner: (&str, &str, &str)) -> Value {
        let mut object =
            json(r#"{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"shop"}}"#);
        if kind != "Pod" {
            object.set(&["apiVersion"], "apps/v1");
            object.set(&["kind"], kind);
        }
        object.set(&["metadata", "name"], name);
        object.set(&["metadata", "uid"], uid);
        let reference = Value::map([
            ("apiVersion", Value::from("apps/v1")),
            ("kind", owner.0.into()),
            ("name", owner.1.into()),
            ("uid", owner.2.into()),
        ]);
        object.set(&["metadata", "ownerReferences"], vec![reference]);
        object
    }

    #[test]
    fn owners_are_put_back_before_what_they_own_and_what_is_missing_is_noted() {
        let mut store = store();
        let mut pod = owned("web-1-a", "Pod", "3", ("ReplicaSet", "web-1", "2"));
        pod.set(&["spec", "nodeName"], "n1");
        let objects = [
            pod,
            owned("web-1", "ReplicaSet", "2", ("Deployment", "web", "1")),
            json(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other","uid":"9"}}"#),
        ];
        assert_eq!(Store::restore_order(&objects), [2, 1, 0]);
        let restored = store.restore_all(&objects, Strictness::Warn);
        assert!(restored.results.iter().all(Result::is_ok), "{restored:?}");
        assert_eq!(
            restored.notes,
            [
                "namespace \"shop\" is not in the dump: it was created",
                "Deployment shop/web, which owns 1 object, is not in the dump",
                "node \"n1\", to which 1 pod is bound, is not in the dump",
            ]
        );
        let pod = store.find(store.kinds.pod, Some("shop"), "web-1-a").unwrap();
        assert_eq!(store.get(pod).unwrap().str_at(&["spec", "nodeName"]), Some("n1"));
    }

    #[test]
    fn owners_that_own_each_other_are_put_back_all_the_same() {
        let mut store = store();
        let objects = [
            owned("a", "ReplicaSet", "1", ("ReplicaSet", "b", "2")),
            owned("b", "ReplicaSet", "2", ("ReplicaSet", "a", "1")),
        ];
        let restored = store.restore_all(&objects, Strictness::Warn);
        assert!(restored.results.iter().all(Result::is_ok));
    }

    #[test]
    fn a_namespace_every_cluster_has_is_replaced_and_anything_else_is_not() {
        let mut store = store();
        let text =
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default","uid":"1"}}"#;
        let twice = [json(text), json(text)];
        assert!(store.restore_all(&twice, Strictness::Warn).results.iter().all(Result::is_ok));
        let text = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
        let results = store.restore_all(&[json(text), json(text)], Strictness::Warn).results;
        assert!(results[0].is_ok());
        let error = results[1].as_ref().unwrap_err();
        assert_eq!(error.message, r#"configmaps "a" already exists"#);
    }

    #[test]
    fn the_latest_time_is_the_last_thing_that_happened() {
        let object = json(
            r#"{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","deletionTimestamp":"2027-01-01T00:00:00Z"},
            "status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:07Z"}],
            "containerStatuses":[{"state":{"running":{"startedAt":"2026-01-01T00:00:09Z"}}}]}}"#,
        );
        assert_eq!(latest_time(&object), Time::parse("2026-01-01T00:00:09Z").ok());
        assert_eq!(latest_time(&json(r#"{"metadata":{"name":"x"}}"#)), None);
    }
}
