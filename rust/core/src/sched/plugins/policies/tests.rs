//! The policies' formulas on cases small enough to be worked out by hand.

use std::slice::from_ref;

use proptest::prelude::*;

use super::best_fit_score::{raw, stretch};
use super::typical_pods::{Counted, Spec, TypicalPods};
use super::{
    Ask, Policy, dot_product_score, gpu_clustering_score, gpu_packing_score, random_score,
};
use crate::base::Text;
use crate::sched::nodes::{NodeId, NodeInfo, NodeRow, NodeView};
use crate::sched::plugins::gpu_share::devices::Devices;
use crate::sched::plugins::gpu_share::request::GpuRequest;

fn ask(cpu_milli: i64, gpu_milli: i64) -> Ask {
    Ask { cpu_milli, gpu_milli }
}

fn spec(cpu_milli: i64, gpus: u32, gpu_milli: i64, models: &[&str]) -> Spec {
    let models = models.iter().map(|model| Text::from(*model)).collect();
    Spec { cpu_milli, gpu_milli, gpus, models }
}

fn typical(pods: &[(Spec, i64)]) -> TypicalPods {
    TypicalPods::new(&pods.iter().cloned().collect(), 100)
}

#[test]
fn best_fit_counts_what_is_left_and_stretches() {
    // (64 - 0)/128/2 + (8 - 0)/8/2 is left of everything.
    assert_eq!(raw(ask(0, 0), ask(64_000, 8_000)), 25);
    assert_eq!(raw(ask(64_000, 8_000), ask(64_000, 8_000)), 100);
    assert_eq!(raw(ask(16_000, 500), ask(48_000, 2_500)), 75);
    let mut scores = [75, 25, 50, 26];
    stretch(&mut scores);
    assert_eq!(scores, [100, 0, 50, 2]);
    let mut equal = [40, 40];
    stretch(&mut equal);
    assert_eq!(equal, [0, 0]);
}

#[test]
fn the_dot_product_is_of_shares_of_the_largest_machine() {
    // 64/128 * 32/128 + 4/8 * 1/8 = 0.1875, half of it 0.09375.
    assert_eq!(dot_product_score::score(ask(32_000, 1_000), ask(64_000, 4_000)), 90);
    assert_eq!(dot_product_score::score(ask(0, 0), ask(64_000, 4_000)), 100);
    assert_eq!(dot_product_score::score(ask(128_000, 8_000), ask(128_000, 8_000)), 0);
    assert_eq!(dot_product_score::score(ask(2_000, 0), ask(1_000, 8_000)), 0, "no room");
}

fn asks(count: u32, milli: i64) -> GpuRequest {
    GpuRequest { count, milli, ..GpuRequest::default() }
}

fn holds(milli: i64, devices: &[u16]) -> GpuRequest {
    asks(devices.len() as u32, milli).with_devices(devices)
}

/// Asks about a node with so many GPUs and these pods.
fn on_node<T>(gpus: u16, pods: &[GpuRequest], ask: impl FnOnce(NodeView) -> T) -> T {
    let mut devices = Devices::default();
    devices.set(gpus, "T4");
    for pod in pods {
        devices.add(pod);
    }
    let info = NodeInfo { gpus: Some(Box::new(devices)), ..NodeInfo::default() };
    ask(NodeView { id: NodeId::new(0), row: &NodeRow::default(), info: &info, changed: 0 })
}

#[test]
fn packing_goes_to_gpus_in_use_then_to_nodes_in_use() {
    let score = |gpus, pods: &[GpuRequest], count, milli| {
        on_node(gpus, pods, |node| gpu_packing_score::score(&asks(count, milli), node))
    };
    let used = [holds(800, &[0]), holds(500, &[3])];
    assert_eq!(score(4, &used, 1, 200), 98, "200 of a GPU are left, two tenths");
    assert_eq!(score(4, &used, 1, 300), 95, "500 are");
    assert_eq!(score(4, &used, 2, 1_000), 48, "two free GPUs of a node in use");
    assert_eq!(score(4, &used, 1, 501), 49);
    assert_eq!(score(4, &[], 2, 1_000), 29, "four free GPUs");
    assert_eq!(score(8, &[], 1, 10), 25);
    assert_eq!(score(20, &[], 1, 10), 20, "no less than there are GPUs");
    assert_eq!(score(4, &used, 4, 1_000), 0, "no room");
}

#[test]
fn clustering_keeps_pods_together_that_ask_alike() {
    let score = |pods: &[GpuRequest], count, milli| {
        on_node(8, pods, |node| gpu_clustering_score::score(&asks(count, milli), node))
    };
    let two = holds(1_000, &[0, 1]);
    let half = holds(500, &[2]);
    assert_eq!(score(&[], 2, 1_000), 25, "a free node");
    // Two of eight GPUs: a quarter of 25, cut.
    assert_eq!(score(from_ref(&two), 2, 1_000), 75 + 6);
    assert_eq!(score(from_ref(&two), 1, 1_000), 6);
    assert_eq!(score(&[two.clone(), half.clone()], 2, 1_000), 50 + 7);
    assert_eq!(score(&[half], 1, 900), 75 + 1, "parts of a GPU are alike");
    let full: Vec<GpuRequest> = (0..8).map(|number| holds(1_000, &[number])).collect();
    assert_eq!(score(&full, 1, 1_000), 100);
}

#[test]
fn a_draw_picks_each_node_alike() {
    let nodes: Vec<NodeId> = (0..4).map(NodeId::new).collect();
    let picked = |draw: u64| match random_score::scorer(draw, &nodes) {
        Some(Policy::Random(node)) => node.index(),
        _ => panic!("there are nodes"),
    };
    assert_eq!([0, 1 << 62, u64::MAX / 2 + 1, u64::MAX].map(picked), [0, 1, 2, 3]);
    assert!(random_score::scorer(7, &[]).is_none());
}

#[test]
fn the_most_frequent_pods_that_make_up_the_share_are_typical() {
    let (a, b, c) = (spec(1, 1, 500, &[]), spec(2, 1, 500, &[]), spec(3, 0, 0, &[]));
    let counted: Counted = [(a.clone(), 60), (b.clone(), 35), (c.clone(), 5)].into();
    let kept = |share| TypicalPods::new(&counted, share).specs().to_vec();
    assert_eq!(kept(95), [(a.clone(), 60), (b.clone(), 35)]);
    assert_eq!(kept(96), [(a.clone(), 60), (b, 35), (c.clone(), 5)]);
    assert_eq!(kept(60), [(a.clone(), 60)]);
    // Of equally frequent ones the larger goes first.
    let tied: Counted = [(a, 5), (c.clone(), 5)].into();
    assert_eq!(TypicalPods::new(&tied, 50).specs(), [(c, 5)]);
    assert_eq!(TypicalPods::new(&Counted::new(), 95).pods(), 0);
}

/// Fragmentation worked out from the definition, pod by pod.
fn by_definition(typical: &TypicalPods, model: &str, cpu: i64, left: &[i64]) -> i64 {
    let total: i64 = left.iter().sum();
    let fragment = |spec: &Spec| {
        let enough = left.iter().filter(|left| **left >= spec.gpu_milli).count();
        let admits = spec.models.is_empty() || spec.models.iter().any(|own| own == model);
        if spec.gpus == 0 || !admits || spec.cpu_milli > cpu || enough < spec.gpus as usize {
            return total;
        }
        left.iter().filter(|left| **left < spec.gpu_milli).sum()
    };
    typical.specs().iter().map(|(spec, pods)| pods * fragment(spec)).sum()
}

#[test]
fn fragmentation_of_a_node_with_two_gpus() {
    let typical = typical(&[
        (spec(4_000, 1, 500, &[]), 50),
        (spec(4_000, 1, 1_000, &["T4"]), 30),
        (spec(4_000, 2, 1_000, &[]), 10),
        (spec(4_000, 0, 0, &[]), 10),
    ]);
    let of =
        |model: &str, cpu, left: &[i64]| typical.on(model).with_cpu(cpu).of(left.iter().copied());
    // Half a GPU can be had of the free one; 300 of the other are a fragment for 50 pods, and
    // for the 30 with one GPU; all is for those with two and for those without.
    assert_eq!(of("T4", 4_000, &[1_000, 300]), 80 * 300 + 20 * 1_300);
    assert_eq!(of("A10", 4_000, &[1_000, 300]), 50 * 300 + 50 * 1_300);
    assert_eq!(of("T4", 4_000, &[1_000, 1_000]), 10 * 2_000);
    assert_eq!(of("T4", 3_999, &[1_000, 1_000]), 100 * 2_000, "no cpu");
    assert_eq!(of("T4", 4_000, &[0, 0]), 0, "nothing is left");
    assert_eq!(of("T4", -5, &[]), 0);
}

#[test]
fn a_score_is_a_sigmoid_of_the_fall_in_gpus() {
    let typical = typical(&[(spec(1, 1, 500, &[]), 10)]);
    let score = |gpus: f64| typical.score((gpus * 10_000.0).round() as i64);
    assert_eq!([score(0.0), score(1.0), score(-1.0)], [50, 73, 26]);
    assert_eq!([score(100.0), score(-100.0)], [99, 0]);
    assert_eq!([typical.score(1), typical.score(-1)], [50, 49], "it is cut, not rounded");
}

fn specs() -> impl Strategy<Value = Vec<(Spec, i64)>> {
    let asks = prop_oneof![
        3 => prop::sample::select(vec![1_i64, 250, 460, 500, 1_000]).prop_map(|milli| (1, milli)),
        1 => prop::sample::select(vec![2_u32, 4, 8]).prop_map(|gpus| (gpus, 1_000)),
        1 => Just((0, 0)),
    ];
    let models = prop::sample::select(vec![vec![], vec!["T4"], vec!["A10", "T4"], vec!["P100"]]);
    let one =
        (0..5_i64, asks, models, 1..100_i64).prop_map(|(cpu, (gpus, milli), models, pods)| {
            (spec(cpu * 1_000, gpus, milli, &models), pods)
        });
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn tables_say_what_the_definition_says(
        specs in specs(),
        model in prop::sample::select(vec!["T4", "A10", "P100", "V100", ""]),
        cpu in -1_000..6_000_i64,
        left in prop::collection::vec(
            prop::sample::select(vec![0_i64, 1, 249, 250, 460, 499, 500, 999, 1_000]), 0..9),
    ) {
        let counted: Counted = specs.into_iter().collect();
        let typical = TypicalPods::new(&counted, 100);
        let fast = typical.on(model).with_cpu(cpu).of(left.iter().copied());
        prop_assert_eq!(fast, by_definition(&typical, model, cpu, &left));
    }
}
