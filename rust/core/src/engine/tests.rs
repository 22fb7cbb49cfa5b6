//! Scenarios of the engine without controllers: pods, nodes, the scheduler, kubelets, services.

use std::sync::Arc;

use super::consumer::Role;
use super::pools::Pool;
use super::{Setup, Stop, Until, Watcher, World};
use crate::api::{Registry, Rules};
use crate::base::{Latencies, Nanos, Time, Value};
use crate::sched::{Decision, DecisionResult};
use crate::store::bulk::Naming;
use crate::store::create::WriteOptions;
use crate::store::delete::{DeleteOptions, Propagation};
use crate::store::pod::Phase;
use crate::store::ranges::Ranges;
use crate::store::{ObjectId, Store};

const FOREVER: Time = Time(i64::MAX);

fn world(latencies: Latencies) -> World {
    let setup = Setup {
        seed: 7,
        start: Time::from_unix_secs(1_000_000),
        latencies,
        scheduler: Arc::default(),
        ranges: Ranges::default(),
    };
    World::new(Registry::new(), Arc::new(Rules::none()), setup)
}

fn add_nodes(world: &mut World, count: usize, pods: i64) {
    let resources = format!(r#"{{"cpu":"4","memory":"16Gi","pods":"{pods}"}}"#);
    let capacity = Value::from_json(&resources).unwrap().as_map().unwrap().clone();
    let names = (0..count).map(|number| format!("node-{number}").into()).collect();
    let zones = vec!["a".into(), "b".into()];
    let pool = Pool { names, capacity, zones, pods, ..Pool::default() };
    world.add_pool(&pool).unwrap();
}

fn create(world: &mut World, text: &str) -> ObjectId {
    let object = Value::from_json(text).unwrap();
    world.store.create(object, &WriteOptions::default()).unwrap().id
}

fn create_pods(world: &mut World, count: usize, extra: &str) -> Vec<ObjectId> {
    let template = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"generateName":"web-","labels":{{"app":"web"}}{extra}}},
        "spec":{{"schedulerName":"default-scheduler","containers":[{{"name":"c","image":"web:1",
        "resources":{{"requests":{{"cpu":"500m","memory":"1Gi"}}}}}}]}}}}"#
    );
    let template = Value::from_json(&template).unwrap();
    world.store.create_many(template, &Naming::Generated(count), &WriteOptions::default()).unwrap()
}

fn settle(world: &mut World) {
    let stop = world.advance(Until::Settled(FOREVER), &mut || false);
    assert_eq!(stop, Stop::Settled);
}

fn phases(world: &World, ids: &[ObjectId], phase: Phase) -> usize {
    ids.iter().filter(|id| world.store.pod(id.slot).phase == phase).count()
}

#[test]
fn without_latency_pods_are_ready_at_the_instant_they_were_created() {
    let mut world = world(Latencies::ideal());
    add_nodes(&mut world, 3, 110);
    let start = world.now();
    let ids = create_pods(&mut world, 20, "");
    settle(&mut world);
    assert_eq!(world.now(), start);
    assert_eq!(phases(&world, &ids, Phase::Running), 20);
    let pod = world.store.get(ids[0]).unwrap();
    assert!(pod.str_at(&["status", "podIP"]).unwrap().starts_with("10.0.0."), "{pod:?}");
    assert!(pod.str_at(&["status", "hostIP"]).unwrap().starts_with("172.16.0."));
}

#[test]
fn pods_that_do_not_fit_wait_and_say_why_until_there_is_room() {
    let mut world = world(Latencies::ideal());
    add_nodes(&mut world, 1, 110);
    let ids = create_pods(&mut world, 10, "");
    settle(&mut world);
    assert_eq!(phases(&world, &ids, Phase::Running), 8);
    let waiting: Vec<_> = ids.iter().filter(|id| world.store.pod(id.slot).node.is_none()).collect();
    let pod = world.store.get(*waiting[0]).unwrap();
    let condition = &pod.list_at(&["status", "conditions"])[0];
    assert_eq!(
        condition.str_at(&["message"]),
        Some(
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        )
    );
    add_nodes_named(&mut world, "more");
    settle(&mut world);
    assert_eq!(phases(&world, &ids, Phase::Running), 10);
}

fn add_nodes_named(world: &mut World, name: &str) {
    let capacity = Value::from_json(r#"{"cpu":"4","memory":"16Gi","pods":"110"}"#).unwrap();
    let capacity = capacity.as_map().unwrap().clone();
    world
        .add_pool(&Pool { names: vec![name.into()], capacity, pods: 110, ..Pool::default() })
        .unwrap();
}

#[test]
fn with_latency_every_stage_takes_its_time() {
    let mut world = world(Latencies::realistic());
    add_nodes(&mut world, 2, 110);
    let ids = create_pods(&mut world, 6, "");
    let start = world.now();
    settle(&mut world);
    assert_eq!(phases(&world, &ids, Phase::Running), 6);
    let elapsed = world.now().since(start);
    assert!(elapsed > Nanos::from_secs(20), "nodes boot in about 45 s: {elapsed}");
    for id in &ids {
        let pod = world.store.pod(id.slot);
        assert!(pod.scheduled_at < pod.sandbox_at && pod.sandbox_at < pod.running_at);
        assert!(pod.running_at <= pod.ready_at);
    }
}

#[test]
fn a_declared_duration_ends_a_pod() {
    let mut world = world(Latencies::ideal());
    add_nodes(&mut world, 1, 110);
    let start = world.now();
    let ids = create_pods(&mut world, 12, r#","annotations":{"wavetank.dev/run-duration":"90s"}"#);
    settle(&mut world);
    assert_eq!(phases(&world, &ids, Phase::Succeeded), 12, "the waiting four got room in turn");
    assert_eq!(world.now().since(start), Nanos::from_secs(180));
}

#[test]
fn services_get_slices_that_follow_their_pods() {
    let mut world = world(Latencies::ideal());
    add_nodes(&mut world, 10, 110);
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},
        "spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":8080,"protocol":"TCP"}]}}"#;
    create(&mut world, service);
    settle(&mut world);
    let slices = |world: &World| -> Vec<Value> {
        let kind = world.store.kinds.endpoint_slice;
        let table = world.store.table(kind);
        let all = table.iter().map(|(slot, _)| world.store.get(table.id(kind, slot)).unwrap());
        all.filter(|slice| slice.str_at(&["metadata", "name"]) != Some("kubernetes")).collect()
    };
    assert_eq!(slices(&world).len(), 1, "an empty slice holds the place");
    let ids = create_pods(&mut world, 70, "");
    settle(&mut world);
    let sizes: Vec<usize> =
        slices(&world).iter().map(|s| s.list_at(&["endpoints"]).len()).collect();
    assert_eq!(sizes, [70]);
    let first = slices(&world).swap_remove(0);
    let endpoint = &first.list_at(&["endpoints"])[0];
    assert_eq!(endpoint.at(&["conditions", "ready"]), Some(&Value::Bool(true)));
    assert!(endpoint.str_at(&["zone"]).is_some());
    let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    world.store.delete_many(&ids[..30], &options).unwrap();
    settle(&mut world);
    assert_eq!(slices(&world)[0].list_at(&["endpoints"]).len(), 40);
    let service = world.store.find(world.store.kinds.service, Some("default"), "web").unwrap();
    world.store.delete(service, &DeleteOptions::default()).unwrap();
    settle(&mut world);
    assert!(slices(&world).is_empty(), "the collector takes what the Service owned");
}

#[test]
fn dependents_go_with_their_owner_or_stay_as_asked() {
    for (propagation, left) in
        [(Propagation::Background, 0), (Propagation::Foreground, 0), (Propagation::Orphan, 3)]
    {
        let mut world = world(Latencies::ideal());
        let owner = create(
            &mut world,
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"owner"}}"#,
        );
        let uid = world.store.uid_text(owner).unwrap();
        for number in 0..3 {
            let text = format!(
                r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s{number}","ownerReferences":[{{"apiVersion":"v1",
                "kind":"ConfigMap","name":"owner","uid":"{uid}","blockOwnerDeletion":true}}]}}}}"#
            );
            create(&mut world, &text);
        }
        settle(&mut world);
        let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
        world.store.delete(owner, &options).unwrap();
        settle(&mut world);
        assert!(!world.store.exists(owner), "{propagation:?}");
        let secrets = world.store.registry.kind_id("", "Secret").unwrap();
        assert_eq!(world.store.table(secrets).len(), left, "{propagation:?}");
    }
}

#[test]
fn a_deleted_pod_stops_within_its_grace_and_frees_its_place() {
    let mut latencies = Latencies::ideal();
    latencies.container_stop = crate::base::Latency::Constant(Nanos::from_secs(45));
    let mut world = world(latencies);
    add_nodes(&mut world, 1, 110);
    let ids = create_pods(&mut world, 9, "");
    settle(&mut world);
    let start = world.now();
    world.store.delete(ids[0], &DeleteOptions::default()).unwrap();
    settle(&mut world);
    assert!(!world.store.exists(ids[0]));
    assert_eq!(world.now().since(start), Nanos::from_secs(30), "killed when the grace is over");
    assert_eq!(phases(&world, &ids[1..], Phase::Running), 8);
}

#[test]
fn forks_and_reruns_give_the_same_bytes() {
    let run = || {
        let mut world = world(Latencies::realistic());
        add_nodes(&mut world, 4, 30);
        create_pods(&mut world, 25, "");
        world.advance(Until::Time(world.now().after(Nanos::from_secs(30))), &mut || false);
        world
    };
    let (mut first, mut second) = (run(), run());
    assert!(first.to_bytes() == second.to_bytes(), "the bytes differ");
    let mut fork = first.clone();
    settle(&mut first);
    settle(&mut fork);
    settle(&mut second);
    assert!(first.to_bytes() == fork.to_bytes(), "the bytes differ");
    assert!(first.to_bytes() == second.to_bytes(), "the bytes differ");
}

#[test]
fn a_loaded_world_goes_on_as_the_saved_one() {
    let mut saved = world(Latencies::realistic());
    add_nodes(&mut saved, 3, 30);
    create_pods(&mut saved, 30, "");
    create(
        &mut saved,
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}"#,
    );
    saved.advance(Until::Time(saved.now().after(Nanos::from_secs(48))), &mut || false);
    let mut loaded = World::from_bytes(&saved.to_bytes(), Arc::new(Rules::none())).unwrap();
    assert!(saved.to_bytes() == loaded.to_bytes(), "the bytes differ");
    for world in [&mut saved, &mut loaded] {
        create_pods(world, 5, "");
        settle(world);
    }
    assert!(saved.to_bytes() == loaded.to_bytes(), "the bytes differ");
}

#[test]
fn an_interrupt_leaves_a_cluster_that_can_go_on() {
    let mut world = world(Latencies::realistic());
    add_nodes(&mut world, 2, 110);
    let ids = create_pods(&mut world, 10, "");
    let mut calls = 0;
    let stop = world.advance(Until::Settled(FOREVER), &mut || {
        calls += 1;
        calls > 40
    });
    assert_eq!(stop, Stop::Interrupted);
    settle(&mut world);
    assert_eq!(phases(&world, &ids, Phase::Running), 10);
}

/// Counts what it is told.
#[derive(Default)]
struct Counter {
    observed: usize,
    deciding: usize,
    bound: Vec<ObjectId>,
}

impl Watcher for Counter {
    fn observed(&mut self) {
        self.observed += 1;
    }

    fn deciding(&mut self) {
        self.deciding += 1;
    }

    fn decided(&mut self, store: &Store, decision: &Decision) {
        assert!(store.exists(decision.pod));
        if matches!(decision.result, DecisionResult::Bound(_)) {
            self.bound.push(decision.pod);
        }
    }
}

#[test]
fn who_looks_on_hears_of_every_decision_and_changes_none() {
    let [mut watched, mut alone] = [(), ()].map(|()| {
        let mut world = world(Latencies::realistic());
        add_nodes(&mut world, 1, 110);
        create_pods(&mut world, 10, "");
        world
    });
    let mut counter = Counter::default();
    let until = Until::Time(watched.now().after(Nanos::from_secs(90)));
    watched.advance_watched(until, &mut || false, &mut counter);
    alone.advance(until, &mut || false);
    assert_eq!(counter.bound.len(), 8);
    assert!(counter.deciding >= 10);
    assert!(counter.observed >= 2);
    assert_eq!(watched.to_bytes(), alone.to_bytes());
}

#[test]
fn without_kubelets_bound_pods_wait_for_ever() {
    let mut world = world(Latencies::ideal());
    world.leave_out(Role::Kubelets);
    create(
        &mut world,
        r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"status":{"allocatable":
        {"cpu":"4","memory":"16Gi","pods":"110"}}}"#,
    );
    let ids = create_pods(&mut world, 3, "");
    settle(&mut world);
    assert!(ids.iter().all(|id| world.store.pod(id.slot).node.is_some()));
    assert_eq!(phases(&world, &ids, Phase::Pending), 3);
}
