//! Whole decisions on workloads like those of Kubernetes' own scheduler benchmarks
//! (scheduler_perf), with objects of our own of the same content.
//!
//! `cargo bench -p wavetank-core --profile quick --bench workloads`; items are decisions about
//! the measured pods: taken from the queue, placed, and written. Where the original nodes have
//! no host name label, which makes terms about hosts mean nothing, these have one.

mod objects;
mod rows;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use wavetank_core::api::{Registry, Rules};
use wavetank_core::base::{Nanos, Time};
use wavetank_core::sched::{Config, Scheduler};
use wavetank_core::store::Store;
use wavetank_core::store::events::EventPolicy;

use self::objects::{PLAIN, Pod};
use self::rows::{MOONS, NONE, WORKLOADS, Workload};

fn main() {
    divan::main();
}

/// A cluster with a scheduler, which sees what is written when told to.
#[derive(Clone)]
struct World {
    store: Store,
    scheduler: Scheduler,
    seen: u64,
}

impl World {
    fn new(nodes: usize, zones: &[&str], config: Config) -> Self {
        let mut store = Store::new(Registry::new(), Arc::new(Rules::none()), 7, Time(0));
        store.set_event_policy(EventPolicy::Warnings);
        objects::namespace(&mut store, "default");
        let class = r#"{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass",
            "metadata":{"name":"high"},"value":10}"#;
        objects::create(&mut store, class);
        for number in 0..nodes {
            let zone = zones.get(number % zones.len().max(1)).copied().unwrap_or_default();
            objects::node(&mut store, &format!("node-{number:06}"), zone, "");
        }
        let scheduler = Scheduler::new(Arc::new(config), 7, Time(0));
        Self { store, scheduler, seen: 0 }
    }

    fn observe(&mut self) {
        let to = self.store.revision();
        self.scheduler.observe(&self.store, self.seen, to);
        self.seen = to;
    }

    /// Lets a moment pass, as long as a decision takes the real scheduler.
    fn pass(&mut self) {
        self.store.now = self.store.now.after(Nanos(6_250_000));
        self.observe();
    }

    /// Cycles until no pod is ready.
    fn run(&mut self) {
        self.observe();
        while self.scheduler.schedule_one(&mut self.store).is_some() {}
    }
}

#[divan::bench(sample_count = 5, args = WORKLOADS)]
fn workload(bencher: Bencher, workload: Workload) {
    let mut world = World::new(workload.nodes, workload.zones, Config::default());
    (workload.prepare)(&mut world.store);
    world.run();
    let (namespace, count, pod) = workload.measured;
    objects::pods(&mut world.store, namespace, count, pod);
    world.observe();
    bencher.counter(ItemsCount::new(count)).with_inputs(|| world.clone()).bench_local_values(
        |mut world| {
            world.run();
            world
        },
    );
}

const HIGH: Pod = Pod { labels: "", cpu: "3", spec: r#""priorityClassName":"high","# };
const LOW: Pod = Pod { labels: "", cpu: "900m", spec: r#""terminationGracePeriodSeconds":0,"# };
const LARGE: Pod = Pod { labels: "", cpu: "9", spec: r#""priorityClassName":"high","# };

/// What comes in between while 5,000 pods of a common kind are scheduled: after every 32 pods
/// something else, as happens at 160 pods and 5 such things a second.
fn interrupted(bencher: Bencher, world: &mut World, every: usize, what: fn(&mut World, usize)) {
    objects::pods(&mut world.store, "default", 5_000, PLAIN);
    world.observe();
    bencher.counter(ItemsCount::new(5_000_usize)).with_inputs(|| world.clone()).bench_local_values(
        |mut world| {
            let mut decisions = 0;
            loop {
                world.pass();
                if decisions % every == every - 1 {
                    what(&mut world, decisions / every);
                    world.observe();
                }
                decisions += 1;
                if world.scheduler.schedule_one(&mut world.store).is_none() {
                    return world;
                }
            }
        },
    );
}

/// Pods of high priority that take the place of three of four others.
#[divan::bench(sample_count = 5)]
fn preemption_in_between(bencher: Bencher) {
    let mut world = World::new(5_000, NONE, Config::default());
    objects::pods(&mut world.store, "default", 20_000, LOW);
    world.run();
    interrupted(bencher, &mut world, 32, |world, _| {
        objects::pods(&mut world.store, "default", 1, HIGH);
    });
}

/// Nothing but pods that preempt.
#[divan::bench(sample_count = 5)]
fn preemption_alone(bencher: Bencher) {
    let mut world = World::new(1_000, NONE, Config::default());
    objects::pods(&mut world.store, "default", 4_000, LOW);
    world.run();
    objects::pods(&mut world.store, "default", 1_000, HIGH);
    world.observe();
    bencher.counter(ItemsCount::new(1_000_usize)).with_inputs(|| world.clone()).bench_local_values(
        |mut world| {
            loop {
                world.pass();
                if world.scheduler.schedule_one(&mut world.store).is_none() {
                    return world;
                }
            }
        },
    );
}

/// Pods no node is large enough for.
#[divan::bench(sample_count = 5)]
fn unschedulable_in_between(bencher: Bencher) {
    let mut world = World::new(5_000, NONE, Config::default());
    objects::pods(&mut world.store, "default", 100, PLAIN);
    world.run();
    interrupted(bencher, &mut world, 32, |world, _| {
        objects::pods(&mut world.store, "default", 1, LARGE);
    });
}

/// A node, a pod no node is large enough for and a Service come and go, each once in 256 pods.
#[divan::bench(sample_count = 5)]
fn mixed_churn(bencher: Bencher) {
    use wavetank_core::store::delete::DeleteOptions;
    let mut world = World::new(5_000, NONE, Config::default());
    interrupted(bencher, &mut world, 256, |world, number| {
        if let Some(before) = number.checked_sub(1) {
            let store = &mut world.store;
            let kinds = store.kinds;
            let (node, service) = (format!("churn-{before}"), format!("s{before}"));
            let node = store.find(kinds.node, None, &node).unwrap();
            store.delete(node, &DeleteOptions::default()).unwrap();
            let service = store.find(kinds.service, Some("default"), &service).unwrap();
            store.delete(service, &DeleteOptions::default()).unwrap();
        }
        let node = format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"churn-{number}"}},
            "status":{{"allocatable":{{"pods":"0"}}}}}}"#
        );
        objects::create(&mut world.store, &node);
        objects::pods(&mut world.store, "default", 1, LARGE);
        let service = format!(
            r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"s{number}",
            "namespace":"default"}},"spec":{{"selector":{{"app":"foo"}}}}}}"#
        );
        objects::create(&mut world.store, &service);
    });
}

/// Where the volume of a pod comes from.
fn source(kind: &str, number: usize) -> String {
    match kind {
        "csi" => format!(r#""csi":{{"driver":"ebs.csi.aws.com","volumeHandle":"h-{number}"}}"#),
        _ => format!(r#""awsElasticBlockStore":{{"volumeID":"v-{number}"}}"#),
    }
}

#[divan::bench(sample_count = 3, args = ["in-tree", "migrated", "csi"])]
fn volumes(bencher: Bencher, kind: &str) {
    let mut world = World::new(5_000, NONE, Config::default());
    if kind != "in-tree" {
        for number in 0..5_000 {
            let migrated = if kind == "migrated" { "kubernetes.io/aws-ebs" } else { "" };
            objects::csi_node(&mut world.store, &format!("node-{number:06}"), migrated);
        }
    }
    for number in 0..5_000 {
        objects::pod_with_volume(&mut world.store, number, &source(kind, number));
    }
    world.run();
    for number in 5_000..10_000 {
        objects::pod_with_volume(&mut world.store, number, &source(kind, number));
    }
    world.observe();
    bencher.counter(ItemsCount::new(5_000_usize)).with_inputs(|| world.clone()).bench_local_values(
        |mut world| {
            world.run();
            world
        },
    );
}

/// Pods of 100 shapes on many nodes, shape by shape or in turn.
fn shapes(bencher: Bencher, nodes: usize, percentage: i32, pods: usize, in_turn: bool) {
    let config = Config { percentage_of_nodes_to_score: percentage, ..Config::default() };
    let mut world = World::new(nodes, MOONS, config);
    let rounds = if in_turn { 100 } else { 1 };
    for _ in 0..rounds {
        for shape in 0..100 {
            let cpu: &'static str = format!("{}m", 10 + shape).leak();
            objects::pods(&mut world.store, "default", pods / 100 / rounds, Pod { cpu, ..PLAIN });
        }
    }
    world.observe();
    bencher.counter(ItemsCount::new(pods)).with_inputs(|| world.clone()).bench_local_values(
        |mut world| {
            world.run();
            world
        },
    );
}

#[divan::bench(sample_count = 2, args = [10_000, 100_000])]
fn all_nodes_shape_by_shape(bencher: Bencher, nodes: usize) {
    shapes(bencher, nodes, 100, 20_000, false);
}

#[divan::bench(sample_count = 2, args = [10_000, 100_000])]
fn all_nodes_shapes_in_turn(bencher: Bencher, nodes: usize) {
    shapes(bencher, nodes, 100, 20_000, true);
}

#[divan::bench(sample_count = 2, args = [10_000, 100_000])]
fn some_nodes_shapes_in_turn(bencher: Bencher, nodes: usize) {
    shapes(bencher, nodes, 0, 20_000, true);
}

#[divan::bench(sample_count = 3, args = [10_000, 100_000])]
fn equal_pods(bencher: Bencher, nodes: usize) {
    let mut world = World::new(nodes, MOONS, Config::default());
    objects::pods(&mut world.store, "default", 20_000, PLAIN);
    world.observe();
    bencher
        .counter(ItemsCount::new(20_000_usize))
        .with_inputs(|| world.clone())
        .bench_local_values(|mut world| {
            world.run();
            world
        });
}
