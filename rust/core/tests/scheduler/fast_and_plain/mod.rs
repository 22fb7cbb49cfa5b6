//! The fast path against the plain one: two clusters live through the same random history, one
//! with a scheduler that remembers and searches by blocks, one with a scheduler that begins every
//! cycle anew and looks at nodes one by one. Every decision must be the same, with the feasible
//! nodes in order, their totals, messages, victims and nominations.
//!
//! `WAVETANK_EXPLORE=50` runs fifty times as many histories.

mod objects;

use proptest::prelude::*;
use wavetank_core::api::KindId;
use wavetank_core::base::Nanos;
use wavetank_core::sched::plugins::node_resources_fit::Strategy as Fit;
use wavetank_core::sched::plugins::pod_topology_spread::Args as SpreadArgs;
use wavetank_core::sched::spread_constraint::SpreadConstraint;
use wavetank_core::sched::{Config, Decision, DecisionResult, Profile, TieBreak};
use wavetank_core::store::bulk::PodChange;
use wavetank_core::store::delete::DeleteOptions;
use wavetank_core::store::pod::Phase;
use wavetank_core::store::update::Part;
use wavetank_core::store::{ObjectId, Store};

use self::objects::{NAMESPACES, SORTS};
use super::world::World;

/// Something that happens to a cluster.
#[derive(Clone, Copy, Debug)]
enum Op {
    Pods { sort: u8, look: u8, count: u8 },
    Delete { pod: u8, at_once: bool },
    Finish(u8),
    Start { pod: u8, look: u8 },
    End(u8),
    Relabel { pod: u8, look: u8 },
    Node { look: u8, state: u8 },
    ChangeNode { node: u8, look: u8, state: u8 },
    RemoveNode(u8),
    Namespace { which: u8, team: u8 },
    Service(u8),
    Budget(u8),
    CsiNode { node: u8, count: u8 },
    Storage(u8),
    Fork,
    Pass(u8),
}

/// What most of a history is about; the rest is a bit of everything.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Theme {
    Everything,
    Affinity,
    Spread,
    Volumes,
    Preemption,
}

const THEMES: [Theme; 5] =
    [Theme::Everything, Theme::Affinity, Theme::Spread, Theme::Volumes, Theme::Preemption];

fn op(theme: Theme) -> impl Strategy<Value = Op> {
    let any = any::<u8>;
    let often = |when: Theme, weight: u32| if theme == when { weight } else { 1 };
    prop_oneof![
        14 => (0..SORTS, any(), 1..8u8)
            .prop_map(|(sort, look, count)| Op::Pods { sort, look, count }),
        3 => (any(), 0..2u8).prop_map(|(pod, soon)| Op::Delete { pod, at_once: soon == 1 }),
        2 => any().prop_map(Op::Finish),
        1 => any().prop_map(Op::End),
        often(Theme::Preemption, 8) => (any(), any()).prop_map(|(pod, look)| Op::Start { pod, look }),
        often(Theme::Affinity, 3) => (any(), any()).prop_map(|(pod, look)| Op::Relabel { pod, look }),
        often(Theme::Spread, 4) => (any(), any()).prop_map(|(look, state)| Op::Node { look, state }),
        2 + often(Theme::Spread, 10) => (any(), any(), any())
            .prop_map(|(node, look, state)| Op::ChangeNode { node, look, state }),
        1 => any().prop_map(Op::RemoveNode),
        often(Theme::Affinity, 4) =>
            (any(), any()).prop_map(|(which, team)| Op::Namespace { which, team }),
        1 => any().prop_map(Op::Service),
        1 => (0..3u8).prop_map(Op::Budget),
        often(Theme::Volumes, 8) =>
            (any(), 0..3u8).prop_map(|(node, count)| Op::CsiNode { node, count }),
        often(Theme::Volumes, 8) => any().prop_map(Op::Storage),
        1 => Just(Op::Fork),
        2 => any().prop_map(Op::Pass),
    ]
}

/// What a history begins with.
#[derive(Clone, Copy, Debug)]
struct Start {
    theme: Theme,
    nodes: usize,
    percentage: i32,
    tie_break: TieBreak,
    /// The sorts of most pods and their looks: what is remembered of one is used for the next.
    cast: [(u8, u8); 5],
}

/// The sizes of the worlds for a theme, and the sorts of most pods.
fn stage(theme: Theme) -> (&'static [usize], std::ops::Range<u8>) {
    match theme {
        Theme::Everything => (&[3, 8, 30, 130, 250], 0..SORTS),
        Theme::Affinity => (&[8, 30, 130], 0..10),
        Theme::Spread => (&[8, 30, 130], 10..21),
        Theme::Volumes => (&[3, 5], 28..34),
        Theme::Preemption => (&[3, 5], 35..SORTS),
    }
}

fn start() -> impl Strategy<Value = Start> {
    prop::sample::select(&THEMES[..]).prop_flat_map(|theme| {
        let (sizes, sorts) = stage(theme);
        let percentage = prop_oneof![Just(0), Just(30), Just(100)];
        let tie_break = prop_oneof![
            Just(TieBreak::Oracle),
            Just(TieBreak::Seeded),
            Just(TieBreak::FirstByName)
        ];
        let cast = prop::array::uniform5((sorts, any::<u8>()));
        let rest = (prop::sample::select(sizes), percentage, tie_break, cast);
        rest.prop_map(move |(nodes, percentage, tie_break, cast)| Start {
            theme,
            nodes,
            percentage,
            tie_break,
            cast,
        })
    })
}

/// A start and what happens then.
fn history() -> impl Strategy<Value = (Start, Vec<Op>)> {
    start().prop_flat_map(|start| (Just(start), prop::collection::vec(op(start.theme), 10..80)))
}

/// Three profiles, two of them with arguments of their own.
fn config(start: Start) -> Config {
    let mut packer = Profile { scheduler_name: "packer".into(), ..Profile::default() };
    packer.args.fit.strategy = Fit::MostAllocated;
    packer.args.pod_affinity.hard_pod_affinity_weight = 20;
    packer.percentage_of_nodes_to_score = Some(50);
    let mut strict = Profile { scheduler_name: "strict".into(), ..Profile::default() };
    let mut zone = SpreadConstraint::soft("topology.kubernetes.io/zone", 1);
    zone.hard = true;
    let host = SpreadConstraint::soft("kubernetes.io/hostname", 2);
    strict.args.spread =
        SpreadArgs { default_constraints: vec![zone, host], system_defaulted: false };
    strict.args.pod_affinity.ignore_preferred_terms_of_existing_pods = true;
    Config {
        profiles: vec![Profile::default(), packer, strict],
        percentage_of_nodes_to_score: start.percentage,
        tie_break: start.tie_break,
        ..Config::default()
    }
}

/// One cluster and what was made in it.
#[derive(Clone)]
struct Player {
    start: Start,
    world: World,
    nodes: Vec<String>,
    pods: Vec<ObjectId>,
    made: usize,
}

impl Player {
    fn new(start: Start) -> Self {
        let mut world = World::with(config(start));
        world.scheduler.keep_scores(false);
        world.scheduler.list_feasible(true);
        for name in &NAMESPACES[1..] {
            world.create(&objects::namespace(name, 2));
        }
        for object in objects::storage() {
            world.restore(&object);
        }
        let mut player = Self { start, world, nodes: Vec::new(), pods: Vec::new(), made: 0 };
        for number in 0..start.nodes {
            // Most nodes are alike.
            let look = (number % 3) as u8;
            player.play(Op::Node { look, state: 0 });
        }
        player
    }

    fn play(&mut self, op: Op) {
        let kinds = self.world.store.kinds;
        match op {
            Op::Pods { sort, look, count } => {
                let number = usize::from(look) % 8;
                let (sort, look) = self.start.cast.get(number).copied().unwrap_or((sort, look));
                for _ in 0..count {
                    self.made += 1;
                    let pod = objects::pod(&format!("p{}", self.made), sort, look);
                    self.pods.push(self.world.restore(&pod));
                }
            }
            Op::Delete { pod, at_once } => {
                let grace_seconds = at_once.then_some(0);
                let options = DeleteOptions { grace_seconds, ..DeleteOptions::default() };
                if let Some(id) = self.living(pod) {
                    self.world.store.delete(id, &options).unwrap();
                }
            }
            Op::Finish(pod) => {
                if let Some(id) = self.living(pod) {
                    self.world.store.finish_pod(id);
                }
            }
            Op::End(pod) => {
                if let Some(id) = self.living(pod) {
                    let change =
                        PodChange { phase: Some(Phase::Succeeded), ..PodChange::default() };
                    self.world.store.change_pods(&[id], change);
                }
            }
            Op::Start { pod, look } => {
                let Some(id) = self.living(pod) else { return };
                let mut object = self.world.store.get(id).unwrap();
                let started = format!("1970-01-12T13:46:{:02}Z", look % 60);
                object.set(&["status", "startTime"], started);
                self.world.update(&object, Part::Status);
            }
            Op::Relabel { pod, look } => self.relabel(pod, look),
            Op::Node { look, state } => {
                let name = format!("n{}", self.nodes.len());
                self.nodes.push(name.clone());
                self.world.create(&objects::node(&name, look, state));
            }
            Op::ChangeNode { node, look, state } => {
                let Some(name) = self.node(node) else { return };
                // Half of the changes leave the labels alone.
                let look = if look % 2 == 0 { (usize::from(node) % 3) as u8 } else { look };
                let object = objects::node(&name, look, state);
                self.world.update(&object, Part::Whole);
                self.world.update(&object, Part::Status);
            }
            Op::RemoveNode(node) => {
                let Some(name) = self.node(node) else { return };
                let id = self.world.store.find(kinds.node, None, &name).unwrap();
                self.world.store.delete(id, &DeleteOptions::default()).unwrap();
            }
            Op::Namespace { which, team } => {
                let name = NAMESPACES[usize::from(which) % NAMESPACES.len()];
                self.world.update(&objects::namespace(name, team), Part::Whole);
            }
            Op::Service(number) => {
                let service = objects::service(number);
                self.toggle(kinds.service, &service);
            }
            Op::Budget(allowed) => {
                let kind = self.world.store.registry.kind_id("policy", "PodDisruptionBudget");
                self.toggle(kind.unwrap(), &objects::budget(allowed));
            }
            Op::CsiNode { node, count } => {
                let Some(name) = self.node(node) else { return };
                let kind = self.world.store.registry.kind_id("storage.k8s.io", "CSINode");
                self.toggle(kind.unwrap(), &objects::csi_node(&name, count));
            }
            Op::Storage(which) => {
                let object = objects::storage().swap_remove(usize::from(which) % objects::STORED);
                let kind = match object.str_at(&["kind"]).unwrap() {
                    "StorageClass" => {
                        self.world.store.registry.kind_id("storage.k8s.io", "StorageClass")
                    }
                    kind => self.world.store.registry.kind_id("", kind),
                };
                self.toggle(kind.unwrap(), &object);
            }
            Op::Fork => {}
            Op::Pass(seconds) => {
                let now = self.world.store.now;
                self.world.store.now = now.after(Nanos::from_secs(i64::from(seconds)));
            }
        }
    }

    /// Creates an object, or deletes it if it is there.
    fn toggle(&mut self, kind: KindId, object: &wavetank_core::base::Value) {
        let text = |path: &[&str]| object.str_at(path).map(ToOwned::to_owned);
        let (namespace, name) =
            (text(&["metadata", "namespace"]), text(&["metadata", "name"]).unwrap());
        match self.world.store.find(kind, namespace.as_deref(), &name) {
            Some(id) => drop(self.world.store.delete(id, &DeleteOptions::default()).unwrap()),
            None => drop(self.world.restore(object)),
        }
    }

    /// Gives a pod other labels.
    fn relabel(&mut self, pod: u8, look: u8) {
        let Some(id) = self.living(pod) else { return };
        let mut object = self.world.store.get(id).unwrap();
        let app = ["web", "db", "cache"][usize::from(look) % 3];
        object.set(&["metadata", "labels", "app"], app);
        self.world.update(&object, Part::Whole);
    }

    fn living(&self, pod: u8) -> Option<ObjectId> {
        let living = || self.pods.iter().copied().filter(|id| self.world.store.row(*id).is_some());
        let count = living().count();
        (count > 0).then(|| living().nth(usize::from(pod) % count)).flatten()
    }

    fn node(&self, number: u8) -> Option<String> {
        let store: &Store = &self.world.store;
        let there = |name: &&String| store.find(store.kinds.node, None, name).is_some();
        let there: Vec<&String> = self.nodes.iter().filter(there).collect();
        there.get(usize::from(number) % there.len().max(1)).map(ToString::to_string)
    }

    /// Everything a decision consists of.
    fn describe(&self, decision: &Decision) -> String {
        let findings = self.world.scheduler.findings();
        let (strings, pod) = (&self.world.store.strings, self.world.store.pod(decision.pod.slot));
        let nominated = pod.nominated.map(|name| strings.text(name));
        let victims = match &decision.result {
            DecisionResult::Unschedulable { victims, .. } => &victims[..],
            _ => &[],
        };
        format!(
            "{} nominated {nominated:?} victims {victims:?} feasible {:?} totals {:?}",
            self.world.describe(decision),
            findings.feasible,
            findings.scores.totals
        )
    }
}

/// Lets both schedule what waits and compares; says how many decisions there were.
fn schedule(fast: &mut Player, plain: &mut Player, most: usize) -> usize {
    for made in 0..most {
        plain.world.scheduler.be_plain(true);
        fast.world.scheduler.list_feasible(true);
        let (decision, expected) = (fast.world.step(), plain.world.step());
        assert_eq!(decision, expected);
        let Some(decision) = decision else { return made };
        assert_eq!(fast.describe(&decision), plain.describe(&decision));
    }
    most
}

#[expect(clippy::disallowed_methods, reason = "how long to look, not what is found")]
fn cases() -> u32 {
    let more = std::env::var("WAVETANK_EXPLORE").ok().and_then(|more| more.parse::<u32>().ok());
    40 * more.unwrap_or(1)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn the_fast_path_decides_as_the_plain_one((start, ops) in history()) {
        let mut fast = Player::new(start);
        let mut plain = fast.clone();
        for op in ops {
            fast.play(op);
            plain.play(op);
            if matches!(op, Op::Fork) {
                fast = fast.clone();
            }
            schedule(&mut fast, &mut plain, 60);
        }
        prop_assert!(fast.world.store.to_bytes() == plain.world.store.to_bytes());
    }
}
