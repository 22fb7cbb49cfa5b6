//! The scheduler at the sizes it is meant for.
//!
//! `cargo bench -p wavetank-core --bench sched`; items are decisions: a pod taken from the
//! queue, placed, and its binding written.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use wavetank_core::api::{Registry, Rules};
use wavetank_core::base::{Time, Value};
use wavetank_core::sched::{Config, Scheduler};
use wavetank_core::store::Store;
use wavetank_core::store::bulk::Naming;
use wavetank_core::store::create::WriteOptions;
use wavetank_core::store::events::EventPolicy;

fn main() {
    divan::main();
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

/// A cluster of equal nodes in three zones.
fn cluster(nodes: usize) -> Store {
    let mut store = Store::new(Registry::new(), Arc::new(Rules::none()), 7, Time(0));
    store.set_event_policy(EventPolicy::Warnings);
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#;
    store.create(json(namespace), &WriteOptions::default()).unwrap();
    for node in 0..nodes {
        let zone = node % 3;
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"node-{node:06}","labels":{{
            "kubernetes.io/hostname":"node-{node:06}","topology.kubernetes.io/zone":"zone-{zone}"}}}},
            "status":{{"allocatable":{{"cpu":"32","memory":"64Gi","pods":"110"}}}}}}"#
        );
        store.create(json(&text), &WriteOptions::default()).unwrap();
    }
    store
}

fn add_pods(store: &mut Store, pods: usize) {
    let template = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-",
        "labels":{"app":"web"}},"spec":{"schedulerName":"default-scheduler","containers":[{
        "name":"c","image":"registry.example/web:1",
        "resources":{"requests":{"cpu":"100m","memory":"500Mi"}}}]}}"#;
    let naming = Naming::Generated(pods);
    store.create_many(json(template), &naming, &WriteOptions::default()).unwrap();
}

/// ReplicaSets with the pods they own, one set after the other.
fn add_replica_sets(store: &mut Store, sets: usize, pods: usize) {
    for set in 0..sets {
        let text = format!(
            r#"{{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{{"name":"web-{set}",
            "namespace":"default"}},"spec":{{"selector":{{"matchLabels":{{"app":"web-{set}"}}}},
            "template":{{"metadata":{{"labels":{{"app":"web-{set}"}}}}}}}}}}"#
        );
        let id = store.create(json(&text), &WriteOptions::default()).unwrap().id;
        let uid = store.uid_text(id).unwrap();
        let template = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"generateName":"web-{set}-",
            "labels":{{"app":"web-{set}"}},"ownerReferences":[{{"apiVersion":"apps/v1",
            "kind":"ReplicaSet","name":"web-{set}","uid":"{uid}","controller":true}}]}},
            "spec":{{"schedulerName":"default-scheduler","containers":[{{"name":"c",
            "image":"registry.example/web:1",
            "resources":{{"requests":{{"cpu":"100m","memory":"500Mi"}}}}}}]}}}}"#
        );
        let naming = Naming::Generated(pods);
        store.create_many(json(&template), &naming, &WriteOptions::default()).unwrap();
    }
}

fn ready(nodes: usize, pods: usize) -> (Store, Scheduler) {
    let mut store = cluster(nodes);
    add_pods(&mut store, pods);
    let mut scheduler = Scheduler::new(Arc::new(Config::default()), 7, Time(0));
    scheduler.observe(&store, 0, store.revision());
    (store, scheduler)
}

/// Pods placed per run.
const PODS: usize = 10_000;

#[divan::bench(sample_count = 5, args = [100, 2_000, 5_000])]
fn place_simple_pods(bencher: Bencher, nodes: usize) {
    let world = ready(nodes, PODS.min(nodes * 100));
    bencher
        .counter(ItemsCount::new(PODS.min(nodes * 100)))
        .with_inputs(|| world.clone())
        .bench_local_values(|(mut store, mut scheduler)| {
            while scheduler.schedule_one(&mut store).is_some() {}
            (store, scheduler)
        });
}

#[divan::bench(sample_count = 5, args = [100, 2_000, 5_000])]
fn place_pods_of_replica_sets(bencher: Bencher, nodes: usize) {
    let mut store = cluster(nodes);
    add_replica_sets(&mut store, 100, PODS / 100);
    let mut scheduler = Scheduler::new(Arc::new(Config::default()), 7, Time(0));
    scheduler.observe(&store, 0, store.revision());
    bencher
        .counter(ItemsCount::new(PODS))
        .with_inputs(|| (store.clone(), scheduler.clone()))
        .bench_local_values(|(mut store, mut scheduler)| {
            while scheduler.schedule_one(&mut store).is_some() {}
            (store, scheduler)
        });
}

/// Pods that must be spread over the zones, as in Kubernetes' own TopologySpreading benchmark.
#[divan::bench(sample_count = 5, args = [5_000])]
fn place_pods_spread_over_zones(bencher: Bencher, nodes: usize) {
    let mut store = cluster(nodes);
    let template = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"blue-",
        "labels":{"color":"blue"}},"spec":{"schedulerName":"default-scheduler",
        "topologySpreadConstraints":[{"maxSkew":5,"topologyKey":"topology.kubernetes.io/zone",
        "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"color":"blue"}}}],
        "containers":[{"name":"c","image":"registry.example/web:1",
        "resources":{"requests":{"cpu":"100m","memory":"500Mi"}}}]}}"#;
    let naming = Naming::Generated(PODS);
    store.create_many(json(template), &naming, &WriteOptions::default()).unwrap();
    let mut scheduler = Scheduler::new(Arc::new(Config::default()), 7, Time(0));
    scheduler.observe(&store, 0, store.revision());
    bencher
        .counter(ItemsCount::new(PODS))
        .with_inputs(|| (store.clone(), scheduler.clone()))
        .bench_local_values(|(mut store, mut scheduler)| {
            while scheduler.schedule_one(&mut store).is_some() {}
            (store, scheduler)
        });
}

/// No node has room: every node says why, and preemption finds nobody to take away.
#[divan::bench(sample_count = 5, args = [100, 2_000])]
fn reject_pods(bencher: Bencher, nodes: usize) {
    let mut store = cluster(nodes);
    add_pods(&mut store, nodes * 110);
    let mut scheduler = Scheduler::new(Arc::new(Config::default()), 7, Time(0));
    scheduler.observe(&store, 0, store.revision());
    while scheduler.schedule_one(&mut store).is_some() {}
    let full = store.revision();
    add_pods(&mut store, 2_000);
    scheduler.observe(&store, full, store.revision());
    bencher
        .counter(ItemsCount::new(1_000_usize))
        .with_inputs(|| (store.clone(), scheduler.clone()))
        .bench_local_values(|(mut store, mut scheduler)| {
            for _ in 0..1_000 {
                scheduler.schedule_one(&mut store).expect("pods are waiting");
            }
            (store, scheduler)
        });
}

#[divan::bench(sample_count = 5)]
fn take_in_1_000_000_new_pods(bencher: Bencher) {
    let mut store = cluster(100);
    add_pods(&mut store, 1_000_000);
    bencher.counter(ItemsCount::new(1_000_000_u32)).bench_local(|| {
        let mut scheduler = Scheduler::new(Arc::new(Config::default()), 7, Time(0));
        scheduler.observe(&store, 0, store.revision());
        scheduler
    });
}

#[divan::bench(args = [100_000])]
fn fork_with_pending_pods(bencher: Bencher, pods: usize) {
    let (_, scheduler) = ready(5_000, pods);
    bencher.bench_local(|| scheduler.clone());
}
