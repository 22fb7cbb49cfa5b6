//! Scenarios of the store as a client sees it. Defaulting and validation have tests of their
//! own, against the real API server; here the rules are empty.

use std::sync::Arc;

use super::bulk::{Naming, PodChange};
use super::create::{Strictness, WriteOptions};
use super::delete::{DeleteOptions, Deleted, Propagation};
use super::list::{Criteria, ListOptions};
use super::pod::Phase;
use super::update::Part;
use super::watch::WatchEvent;
use super::{ObjectId, Store};
use crate::api::{Registry, Rules};
use crate::base::{Time, Value};
use crate::labels::{FieldSelector, Selector};

fn store() -> Store {
    let mut store =
        Store::new(Registry::new(), Arc::new(Rules::none()), 7, Time::from_unix_secs(1_000));
    create(&mut store, r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#);
    store
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

fn create(store: &mut Store, text: &str) -> ObjectId {
    store.create(json(text), &WriteOptions::default()).unwrap().id
}

fn refusal(store: &mut Store, text: &str) -> String {
    let before = store.revision();
    let error = store.create(json(text), &WriteOptions::default()).unwrap_err();
    assert_eq!(store.revision(), before, "a refused create changes nothing");
    error.message
}

fn config_map(name: &str, value: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}","labels":{{"app":"{value}"}}}},"data":{{"key":"{value}"}}}}"#
    )
}

fn pod(name: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","labels":{{"app":"web"}}}},"spec":{{"containers":[{{"name":"c","image":"web:1"}}]}}}}"#
    )
}

fn names(store: &Store, ids: &[ObjectId]) -> Vec<String> {
    ids.iter().map(|id| store.name(*id).unwrap().to_string()).collect()
}

#[test]
fn what_is_created_comes_back_with_what_the_server_adds() {
    let mut store = store();
    let text = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{"a":"b"},
        "annotations":{"note":"x"}},"spec":{"replicas":2,"paused":false,"futureField":{"deep":[1]}},"status":{"replicas":9}}"#;
    let id = create(&mut store, text);
    let object = store.get(id).unwrap();
    for field in ["replicas", "futureField"] {
        assert_eq!(object.at(&["spec", field]), json(text).at(&["spec", field]), "{field}");
    }
    assert_eq!(object.at(&["spec", "strategy"]), Some(&json("{}")), "Go writes it in any case");
    assert_eq!(object.str_at(&["metadata", "namespace"]), Some("default"));
    assert_eq!(object.str_at(&["metadata", "creationTimestamp"]), Some("1970-01-01T00:16:40Z"));
    assert_eq!(object.int_at(&["metadata", "generation"]), Some(1));
    assert_eq!(object.str_at(&["metadata", "resourceVersion"]), Some("2"));
    assert_eq!(object.str_at(&["metadata", "uid"]).unwrap().len(), 36);
    assert_eq!(object.get("status"), Some(&json("{}")), "the status is not the creator's to say");
}

#[test]
fn creates_that_kubernetes_refuses_are_refused_in_its_words() {
    let mut store = store();
    create(&mut store, &config_map("a", "1"));
    assert_eq!(refusal(&mut store, &config_map("a", "1")), r#"configmaps "a" already exists"#);
    let lost = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"gone"}}"#;
    assert_eq!(refusal(&mut store, lost), r#"namespaces "gone" not found"#);
    let unknown = r#"{"apiVersion":"v1","kind":"Pot","metadata":{"name":"p"}}"#;
    assert_eq!(refusal(&mut store, unknown), r#"no matches for kind "Pot" in version "v1""#);
    let wrong = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"p"},"spec":{"replicas":"3"}}"#;
    assert!(refusal(&mut store, wrong).contains("cannot unmarshal string into Go struct field"));
}

#[test]
fn a_generated_name_is_the_prefix_and_five_characters() {
    let mut store = store();
    let text = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"web-"}}"#;
    let id = create(&mut store, text);
    let name = store.name(id).unwrap();
    assert_eq!((name.len(), &name[..4]), (9, "web-"));
    assert_eq!(store.find(id.kind, Some("default"), &name), Some(id));
}

#[test]
fn an_update_must_name_the_version_it_was_made_against() {
    let mut store = store();
    let id = create(&mut store, &config_map("a", "1"));
    let mut object = store.get(id).unwrap();
    object.set(&["data", "key"], "2");
    let options = WriteOptions::default();
    let stale = object.clone();
    assert!(store.update(object.clone(), Part::Whole, &options).unwrap().changed);
    let error = store.update(stale, Part::Whole, &options).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (
            409,
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again"
        )
    );
    let current = store.get(id).unwrap();
    let revision = store.revision();
    assert!(!store.update(current, Part::Whole, &options).unwrap().changed);
    assert_eq!(store.revision(), revision, "an update that changes nothing is no write");
}

#[test]
fn generation_rises_with_the_spec_only() {
    let mut store = store();
    let text = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":2}}"#;
    let id = create(&mut store, text);
    let options = WriteOptions::default();
    let mut change = |path: &[&str], value: Value, part: Part| {
        let mut object = store.get(id).unwrap();
        object.set(path, value);
        let object = store.update(object, part, &options).unwrap().object;
        object.int_at(&["metadata", "generation"]).unwrap()
    };
    assert_eq!(change(&["spec", "replicas"], 3.into(), Part::Whole), 2);
    assert_eq!(change(&["metadata", "labels", "a"], "b".into(), Part::Whole), 2);
    assert_eq!(change(&["status", "replicas"], 3.into(), Part::Status), 2);
    assert_eq!(change(&["status", "replicas"], 7.into(), Part::Whole), 2);
    let object = store.get(id).unwrap();
    assert_eq!(object.int_at(&["status", "replicas"]), Some(3), "a plain update leaves the status");
}

#[test]
fn lists_are_sorted_selected_and_paged_at_one_moment() {
    let mut store = store();
    for (name, value) in [("c", "x"), ("a", "x"), ("b", "y"), ("d", "x")] {
        create(&mut store, &config_map(name, value));
    }
    let kind = store.registry.kind_id("", "ConfigMap").unwrap();
    let options = ListOptions { limit: 2, ..ListOptions::default() };
    let first = store.list(kind, &options).unwrap();
    assert_eq!(
        (names(&store, &first.ids), first.remaining),
        (vec!["a".into(), "b".into()], Some(2))
    );
    create(&mut store, &config_map("bb", "x"));
    let second = store.list(kind, &ListOptions { next: first.next, ..options.clone() }).unwrap();
    let moment = store.moment(second.revision).unwrap();
    assert_eq!(names(moment, &second.ids), ["c", "d"], "what came later is not in the list");
    let labels = Some(Selector::parse("app=x").unwrap());
    let selected = store.list(kind, &ListOptions { labels, ..ListOptions::default() }).unwrap();
    assert_eq!(names(&store, &selected.ids), ["a", "bb", "c", "d"]);
    let fields = FieldSelector::parse("metadata.name!=a").unwrap();
    let selected = store.list(kind, &ListOptions { fields, ..ListOptions::default() }).unwrap();
    assert_eq!(selected.ids.len(), 4);
    let fields = FieldSelector::parse("spec.x=1").unwrap();
    let error = store.list(kind, &ListOptions { fields, ..ListOptions::default() }).unwrap_err();
    assert_eq!(
        error.message,
        r#""spec.x" is not a known field selector: only "metadata.name", "metadata.namespace""#
    );
}

#[test]
fn a_watch_sees_every_version_even_when_it_looks_late() {
    let mut store = store();
    let kind = store.registry.kind_id("", "ConfigMap").unwrap();
    let start = store.revision();
    let id = create(&mut store, &config_map("a", "x"));
    for value in ["y", "x"] {
        let mut object = store.get(id).unwrap();
        object.set(&["metadata", "labels", "app"], value);
        store.update(object, Part::Whole, &WriteOptions::default()).unwrap();
    }
    store.delete(id, &DeleteOptions::default()).unwrap();
    let labels = Some(Selector::parse("app=x").unwrap());
    let criteria = Criteria { labels, ..Criteria::default() };
    let mut watch = store.watch(kind, criteria, start).unwrap();
    let events = store.poll(&mut watch, 100).unwrap();
    let seen: Vec<(&str, i64)> = events
        .iter()
        .filter_map(|event| match event {
            WatchEvent::Added(object)
            | WatchEvent::Modified(object)
            | WatchEvent::Deleted(object) => {
                let revision = object.str_at(&["metadata", "resourceVersion"]).unwrap();
                Some((event.name(), revision.parse::<i64>().unwrap() - start as i64))
            }
            WatchEvent::Bookmark(_) => None,
        })
        .collect();
    assert_eq!(seen, [("ADDED", 1), ("DELETED", 2), ("ADDED", 3), ("DELETED", 4)]);
    assert!(store.poll(&mut watch, 100).unwrap().is_empty());
    store.compact(store.revision());
    let error = store.watch(kind, Criteria::default(), start).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (410, "too old resource version: 1 (5)"));
}

#[test]
fn deletion_waits_for_finalizers_and_for_the_kubelet() {
    let mut store = store();
    let held =
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","finalizers":["x/y"]}}"#;
    let id = create(&mut store, held);
    let deleted = store.delete(id, &DeleteOptions::default()).unwrap();
    let Deleted::Marked(mut object) = deleted else { panic!("a finalizer holds it") };
    assert!(object.str_at(&["metadata", "deletionTimestamp"]).is_some());
    object.remove(&["metadata", "finalizers"]);
    store.update(object, Part::Whole, &WriteOptions::default()).unwrap();
    assert_eq!(store.get(id), None);

    let id = create(&mut store, &pod("p"));
    store.bind(id, "node-1").unwrap();
    let error = store.bind(id, "node-2").unwrap_err();
    assert_eq!(
        error.message,
        "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"node-1\""
    );
    let Deleted::Marked(object) = store.delete(id, &DeleteOptions::default()).unwrap() else {
        panic!("a bound pod gets its grace period")
    };
    assert_eq!(object.int_at(&["metadata", "deletionGracePeriodSeconds"]), Some(30));
    assert_eq!(object.str_at(&["metadata", "deletionTimestamp"]), Some("1970-01-01T00:17:10Z"));
    store.finish_pod(id);
    assert_eq!(store.get(id), None);
    let id = create(&mut store, &pod("q"));
    assert!(matches!(store.delete(id, &DeleteOptions::default()).unwrap(), Deleted::Gone(_)));
}

#[test]
fn a_delete_can_be_conditional() {
    let mut store = store();
    let id = create(&mut store, &config_map("a", "1"));
    let options = DeleteOptions { uid: Some("other".into()), ..DeleteOptions::default() };
    let error = store.delete(id, &options).unwrap_err();
    assert!(
        error.message.contains("the UID in the precondition (other) does not match"),
        "{error:?}"
    );
    let options =
        DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() };
    let Deleted::Marked(object) = store.delete(id, &options).unwrap() else { panic!("it waits") };
    assert_eq!(object.at(&["metadata", "finalizers"]), Some(&json(r#"["foregroundDeletion"]"#)));
}

#[test]
fn what_every_new_pod_says_of_itself_is_in_the_columns_alone() {
    let mut store = store();
    let pod = |status: &str| {
        json(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web","namespace":"default"}},
            "spec":{{"containers":[{{"name":"c","image":"i"}}]}},"status":{status}}}"#
        ))
    };
    let fresh = pod(r#"{"phase":"Pending","qosClass":"BestEffort"}"#);
    let id = store.restore(fresh.clone(), Strictness::Ignore).unwrap().id;
    assert!(store.body(id).unwrap().status.is_null());
    assert_eq!(store.get(id).unwrap().get("status"), fresh.get("status"));
    let body = Arc::as_ptr(store.body(id).unwrap());
    let node = store.strings.intern("a");
    store.bind_pod(id.slot, node, None);
    assert_eq!(Arc::as_ptr(store.body(id).unwrap()), body);
}

#[test]
fn replicas_share_one_body_and_are_counted_for_their_owner() {
    let mut store = store();
    let owner = create(
        &mut store,
        r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web"}}"#,
    );
    let uid = store.uid_text(owner).unwrap();
    let template = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"generateName":"web-","labels":{{"app":"web"}},"ownerReferences":[
        {{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"{uid}","controller":true}}]}},
        "spec":{{"containers":[{{"name":"c","image":"i"}}]}}}}"#
    );
    let ids = store
        .create_many(json(&template), &Naming::Generated(100), &WriteOptions::default())
        .unwrap();
    let owner_uid = store.row(owner).unwrap().uid.unwrap();
    let bodies: Vec<_> = ids.iter().map(|id| Arc::as_ptr(store.body(*id).unwrap())).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let counts = |store: &Store| store.table(store.kinds.pod).owners.counts(owner_uid);
    assert_eq!(counts(&store).active, 100);
    let ready = PodChange { phase: Some(Phase::Running), ready: Some(true), exit_code: None };
    assert_eq!(store.change_pods(&ids[..40], ready), 40);
    assert_eq!((counts(&store).active, counts(&store).ready), (100, 40));
    store.delete_many(&ids[..10], &DeleteOptions::default()).unwrap();
    assert_eq!((counts(&store).active, counts(&store).ready), (90, 30));
    let pod = store.get(ids[20]).unwrap();
    assert_eq!(pod.str_at(&["status", "phase"]), Some("Running"));
    assert_eq!(store.controller_of(store.kinds.pod, store.body(ids[20]).unwrap()), Some(owner));
}

#[test]
fn a_status_from_outside_stays_to_the_letter_until_the_engine_speaks() {
    let mut store = store();
    let id = create(&mut store, &pod("p"));
    let mut object = store.get(id).unwrap();
    let status = json(
        r#"{"phase":"Running","customField":"kept","conditions":[{"type":"example.com/x","status":"True",
        "lastProbeTime":null,"lastTransitionTime":null}]}"#,
    );
    object.set(&["status"], status.clone());
    store.update(object, Part::Status, &WriteOptions::default()).unwrap();
    assert_eq!(store.get(id).unwrap().get("status"), Some(&status));
    assert_eq!(store.pod(id.slot).phase, Phase::Running);
    store.change_pods(&[id], PodChange { phase: Some(Phase::Succeeded), ..PodChange::default() });
    assert_eq!(store.get(id).unwrap().str_at(&["status", "phase"]), Some("Succeeded"));
}

#[test]
fn a_fork_and_its_original_differ_by_what_each_did_and_the_same_steps_give_the_same_bytes() {
    let mut original = store();
    create(&mut original, &config_map("a", "1"));
    let mut fork = original.clone();
    let bytes = |store: &Store| postcard::to_stdvec(&store.to_saved()).unwrap();
    assert!(bytes(&original) == bytes(&fork), "the bytes differ");
    create(&mut fork, &pod("only-here"));
    assert_eq!(original.find(original.kinds.pod, Some("default"), "only-here"), None);
    create(&mut original, &pod("only-here"));
    assert!(bytes(&original) == bytes(&fork), "the bytes differ");
}

#[test]
fn a_loaded_store_goes_on_as_the_saved_one_would() {
    let mut saved = store();
    let text = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"ships.example.com"},
        "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"ships","singular":"ship","kind":"Ship","listKind":"ShipList"},
        "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}"#;
    create(&mut saved, text);
    create(
        &mut saved,
        r#"{"apiVersion":"example.com/v1","kind":"Ship","metadata":{"name":"beagle"}}"#,
    );
    let template = json(&pod("x").replace("\"name\":\"x\"", "\"generateName\":\"web-\""));
    let ids =
        saved.create_many(template, &Naming::Generated(50), &WriteOptions::default()).unwrap();
    for id in &ids[..20] {
        saved.bind(*id, "node-1").unwrap();
    }
    saved.mark_unschedulable(ids[30].slot, &Arc::new("0/1 nodes".into()));
    saved.delete_many(&ids[40..45], &DeleteOptions::default()).unwrap();
    let bytes = postcard::to_stdvec(&saved.to_saved()).unwrap();
    let mut loaded =
        Store::from_saved(postcard::from_bytes(&bytes).unwrap(), Arc::new(Rules::none()));
    for store in [&mut saved, &mut loaded] {
        create(store, &config_map("later", "1"));
        store.bind(ids[25], "node-2").unwrap();
        store
            .delete_many(
                &ids[10..12],
                &DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() },
            )
            .unwrap();
        let template = json(&pod("x").replace("\"name\":\"x\"", "\"generateName\":\"web-\""));
        store.create_many(template, &Naming::Generated(5), &WriteOptions::default()).unwrap();
        store.compact(store.revision() - 3);
    }
    assert!(saved.registry.kind_id("example.com", "Ship").is_some());
    assert!(saved.to_bytes() == loaded.to_bytes(), "the bytes differ");
    let node = loaded.strings.find("node-1").unwrap();
    assert_eq!(loaded.pods_on(node).unwrap().len(), 18);
}

#[test]
fn a_dump_is_restored_with_uid_times_and_status() {
    let mut store = store();
    let text = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default","uid":"abc","resourceVersion":"4711",
        "creationTimestamp":"2025-01-01T00:00:00Z","generation":3},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i","resources":{}}]},
        "status":{"phase":"Running","podIP":"10.1.2.3"}}"#;
    let id = store.restore(json(text), Strictness::Warn).unwrap().id;
    assert_eq!(store.get(id).unwrap(), json(text));
    assert!(store.pod(id.slot).occupies_node());
}

#[test]
fn churn_leaves_no_label_sets_behind() {
    let mut store = store();
    let sets = store.sets.len();
    for round in 0..50 {
        let id = create(&mut store, &config_map("a", &format!("v{round}")));
        let mut object = store.get(id).unwrap();
        object.set(&["metadata", "labels", "app"], format!("w{round}"));
        store.update(object, Part::Whole, &WriteOptions::default()).unwrap();
        store.delete(id, &DeleteOptions::default()).unwrap();
    }
    store.compact(store.revision());
    assert_eq!(store.sets.len(), sets);
}
