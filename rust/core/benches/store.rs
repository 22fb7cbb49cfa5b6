//! The store at the size it is meant for: a million pods of one template, forks, snapshots.
//!
//! `cargo bench -p wavetank-core --bench store`; the allocation columns give bytes per run.

use std::sync::Arc;

use divan::Bencher;
use wavetank_core::api::{Registry, Rules};
use wavetank_core::base::{Time, Value};
use wavetank_core::labels::Selector;
use wavetank_core::store::bulk::Naming;
use wavetank_core::store::create::WriteOptions;
use wavetank_core::store::{ObjectId, Store};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

fn empty() -> Store {
    let mut store = Store::new(Registry::new(), Arc::new(Rules::none()), 7, Time(0));
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#;
    store.create(Value::from_json(namespace).unwrap(), &WriteOptions::default()).unwrap();
    store
}

fn create(store: &mut Store, workload: &str, pods: usize) -> Vec<ObjectId> {
    let template = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"generateName":"{workload}-7d9c5b8f6d-",
        "labels":{{"app":"{workload}","tier":"backend","pod-template-hash":"7d9c5b8f6d"}}}},
        "spec":{{"containers":[{{"name":"c","image":"registry.example.com/shop/web:1.2.3",
        "resources":{{"requests":{{"cpu":"250m","memory":"256Mi"}}}}}}]}}}}"#
    );
    let template = Value::from_json(&template).unwrap();
    store.create_many(template, &Naming::Generated(pods), &WriteOptions::default()).unwrap()
}

fn filled(pods: usize, workloads: usize) -> Store {
    let mut store = empty();
    for workload in 0..workloads {
        create(&mut store, &format!("workload-{workload}"), pods / workloads);
    }
    store
}

#[divan::bench(sample_count = 3, args = [100_000, 1_000_000])]
fn create_pods_from_one_template(bencher: Bencher, pods: usize) {
    bencher
        .counter(divan::counter::ItemsCount::new(pods))
        .with_inputs(empty)
        .bench_local_refs(|store| create(store, "web", pods));
}

#[divan::bench(sample_count = 20)]
fn select_10_000_of_1_000_000_pods(bencher: Bencher) {
    let store = filled(1_000_000, 100);
    let selector = Selector::parse("app=workload-42,tier=backend").unwrap();
    bencher.bench_local(|| {
        let found = store.table(store.kinds.pod).labels.select(&store.sets, None, &selector);
        assert_eq!(found.len(), 10_000);
        found
    });
}

#[divan::bench(args = [100_000, 1_000_000])]
fn fork(bencher: Bencher, pods: usize) {
    let store = filled(pods, 100);
    bencher.bench_local(|| store.clone());
}

#[divan::bench(sample_count = 20, args = [100_000, 1_000_000])]
fn fork_and_first_write(bencher: Bencher, pods: usize) {
    let store = filled(pods, 100);
    let pod = store.table(store.kinds.pod).id(store.kinds.pod, 5_000);
    bencher.bench_local(|| {
        let mut fork = store.clone();
        fork.bind(pod, "node-1").unwrap();
        fork
    });
}

#[divan::bench(sample_count = 3)]
fn save_1_000_000_pods(bencher: Bencher) {
    let store = filled(1_000_000, 100);
    bencher.bench_local(|| store.to_bytes());
}

#[divan::bench(sample_count = 3)]
fn load_1_000_000_pods(bencher: Bencher) {
    let bytes = filled(1_000_000, 100).to_bytes();
    bencher.bench_local(|| Store::from_bytes(&bytes, Arc::new(Rules::none())).unwrap());
}
