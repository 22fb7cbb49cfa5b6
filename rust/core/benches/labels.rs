//! Labels at the size we mean: a million pods, ten thousand selectors.
//!
//! `cargo bench -p wavetank-core --bench labels`. It first prints what the indexes weigh, then
//! times queries, the reverse question and bulk inserts.

use divan::{Bencher, counter::ItemsCount};
use wavetank_core::base::{Map, StrId, Value};
use wavetank_core::labels::{LabelIndex, LabelSetId, LabelSets, Selector, SelectorIndex};

const PODS: u32 = 1_000_000;
const DEPLOYMENTS: u32 = 10_000;
const NAMESPACES: u32 = 1_000;

fn main() {
    weigh("1,000,000 pods of 10,000 Deployments in 1,000 namespaces", || {
        deployments(pods_in_order)
    });
    weigh("the same, slots of a Deployment scattered", || deployments(pods_scattered));
    weigh("1,000,000 pods of StatefulSets, each with labels of its own", stateful_sets);
    divan::main();
}

/// What a cluster's pods look like to the label index.
struct Cluster {
    sets: LabelSets,
    index: LabelIndex,
}

fn labels(pairs: &[(&str, &str)]) -> Map {
    pairs.iter().map(|(key, value)| ((*key).into(), Value::from(*value))).collect()
}

/// The namespace of a Deployment; one in a thousand stands outside of any.
fn namespace(deployment: u32) -> Option<StrId> {
    ((deployment % NAMESPACES) as usize).checked_sub(1).map(StrId::new)
}

/// A hundred Deployments per team; team `t7` has 10,000 pods.
fn deployment_labels(deployment: u32) -> Map {
    labels(&[
        ("app", &format!("app-{deployment}")),
        ("pod-template-hash", &format!("{:x}", u64::from(deployment) * 0x9E37_79B9)),
        ("team", &format!("t{}", deployment % 100)),
        ("tier", ["front", "back", "data"][deployment as usize % 3]),
        ("app.kubernetes.io/managed-by", "Helm"),
    ])
}

fn deployments(enter: fn(&mut LabelIndex, u32, LabelSetId)) -> Cluster {
    let (mut sets, mut index) = (LabelSets::new(), LabelIndex::new());
    for deployment in 0..DEPLOYMENTS {
        let set = sets.intern(&deployment_labels(deployment));
        enter(&mut index, deployment, set);
    }
    Cluster { sets, index }
}

fn pods_in_order(index: &mut LabelIndex, deployment: u32, set: LabelSetId) {
    let each = PODS / DEPLOYMENTS;
    index.insert_range(namespace(deployment), set, deployment * each..(deployment + 1) * each);
}

fn pods_scattered(index: &mut LabelIndex, deployment: u32, set: LabelSetId) {
    for slot in (deployment..PODS).step_by(DEPLOYMENTS as usize) {
        index.insert(namespace(deployment), set, slot);
    }
}

/// A hundred StatefulSets of 10,000 pods, in one namespace.
fn stateful_sets() -> Cluster {
    let (mut sets, mut index) = (LabelSets::new(), LabelIndex::new());
    for pod in 0..PODS {
        let (set, ordinal) = (pod / 10_000, pod % 10_000);
        let set = sets.intern(&labels(&[
            ("app", &format!("db-{set}")),
            ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
            ("controller-revision-hash", &format!("db-{set}-5c9f8d7b6")),
            ("statefulset.kubernetes.io/pod-name", &format!("db-{set}-{ordinal}")),
        ]));
        index.insert(namespace(1), set, pod);
    }
    Cluster { sets, index }
}

fn weigh(what: &str, make: impl Fn() -> Cluster) {
    let before = resident_bytes();
    let cluster = make();
    let bytes = resident_bytes().saturating_sub(before);
    println!("{what}: {:.1} bytes per pod", bytes as f64 / f64::from(PODS));
    // Kept, so that the next one does not find this one's memory free and weigh nothing.
    std::mem::forget(cluster);
}

/// The memory this process holds; zero where `/proc` does not tell.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

#[divan::bench(args = ["team=t7", "team=t7,tier=back", "team in (t7),tier notin (data)", "app=app-77"])]
fn query_deployments(bencher: Bencher, selector: &str) {
    let Cluster { sets, index } = deployments(pods_in_order);
    let selector = Selector::parse(selector).unwrap();
    let matches = index.count(&sets, None, &selector);
    bencher.counter(ItemsCount::new(matches)).bench(|| index.select(&sets, None, &selector));
}

#[divan::bench]
fn query_10_000_matches_scattered(bencher: Bencher) {
    let Cluster { sets, index } = deployments(pods_scattered);
    let selector = Selector::parse("team=t7").unwrap();
    bencher.counter(ItemsCount::new(10_000u32)).bench(|| index.select(&sets, None, &selector));
}

#[divan::bench(args = ["app=db-7", "app=db-7,apps.kubernetes.io/pod-index=5", "!app"])]
fn query_stateful_sets(bencher: Bencher, selector: &str) {
    let Cluster { sets, index } = stateful_sets();
    let selector = Selector::parse(selector).unwrap();
    let matches = index.count(&sets, None, &selector);
    bencher.counter(ItemsCount::new(matches)).bench(|| index.select(&sets, None, &selector));
}

#[divan::bench]
fn query_one_namespace_of_1_000(bencher: Bencher) {
    let Cluster { sets, index } = deployments(pods_in_order);
    let selector = Selector::parse("tier=back").unwrap();
    let within = namespace(7);
    bencher.bench(|| index.select(&sets, within, &selector));
}

#[divan::bench]
fn count_10_000_matches(bencher: Bencher) {
    let Cluster { sets, index } = deployments(pods_in_order);
    let selector = Selector::parse("team=t7").unwrap();
    bencher.bench(|| index.count(&sets, None, &selector));
}

/// One selector per Deployment, all asking for `managed-by=Helm` too.
fn selectors(scoped: bool) -> SelectorIndex {
    let mut index = SelectorIndex::new();
    for deployment in 0..DEPLOYMENTS {
        let text = format!("app=app-{deployment},app.kubernetes.io/managed-by=Helm,tier");
        let selector = Selector::parse(&text).unwrap();
        index.add(deployment, namespace(deployment).filter(|_| scoped), selector);
    }
    index
}

#[divan::bench(args = [false, true])]
fn reverse_match_among_10_000_selectors(bencher: Bencher, scoped: bool) {
    let index = selectors(scoped);
    let labels = deployment_labels(77);
    assert_eq!(index.matching(namespace(77), &labels), [77]);
    bencher.bench(|| index.matching(namespace(77), &labels));
}

#[divan::bench]
fn register_10_000_selectors() -> SelectorIndex {
    selectors(true)
}

#[divan::bench]
fn insert_1_000_000_pods_of_10_000_sets_in_ranges() -> Cluster {
    deployments(pods_in_order)
}

#[divan::bench(sample_count = 10)]
fn insert_1_000_000_pods_of_10_000_sets_one_by_one() -> Cluster {
    deployments(pods_scattered)
}

#[divan::bench(sample_count = 3)]
fn insert_1_000_000_pods_with_labels_of_their_own() -> Cluster {
    stateful_sets()
}

#[divan::bench]
fn fork_of_1_000_000_pods_and_its_first_write(bencher: Bencher) {
    let Cluster { sets, index } = deployments(pods_in_order);
    let set = sets.find(&deployment_labels(77)).unwrap();
    bencher.bench(|| {
        let (mut sets, mut index) = (sets.clone(), index.clone());
        sets.retain(set, 1);
        index.insert(namespace(77), set, PODS);
        (sets, index)
    });
}

#[divan::bench(sample_count = 5)]
fn save_1_000_000_label_sets(bencher: Bencher) {
    let Cluster { sets, .. } = stateful_sets();
    bencher.bench(|| postcard::to_stdvec(&sets).unwrap());
}

#[divan::bench(sample_count = 5)]
fn load_1_000_000_label_sets(bencher: Bencher) {
    let bytes = postcard::to_stdvec(&stateful_sets().sets).unwrap();
    bencher.bench(|| postcard::from_bytes::<LabelSets>(&bytes).unwrap());
}
