//! What the scheduler remembers between cycles changes no decision: a fork remembers nothing
//! and must decide alike.

use proptest::prelude::*;
use wavetank_core::store::delete::DeleteOptions;
use wavetank_core::store::update::Part;
use wavetank_core::store::{ObjectId, Store};

use super::world::{World, json};

const NODES: u8 = 6;
const SETS: u8 = 4;

fn node(number: u8, cordoned: bool) -> String {
    let zone = number % 3;
    let label = if number == 5 {
        String::new()
    } else {
        format!(r#","topology.kubernetes.io/zone":"z{zone}""#)
    };
    format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"n{number}","labels":{{
        "kubernetes.io/hostname":"n{number}"{label}}}}},"spec":{{"unschedulable":{cordoned}}},
        "status":{{"allocatable":{{"cpu":"4","memory":"8Gi","pods":"40"}}}}}}"#
    )
}

fn replica_set(number: u8) -> String {
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{{"name":"s{number}",
        "namespace":"default","uid":"u{number}"}},
        "spec":{{"selector":{{"matchLabels":{{"app":"s{number}"}}}}}}}}"#
    )
}

fn pod(name: usize, set: u8, constrained: Option<&str>) -> String {
    // Pods of the last set fit nowhere beside others.
    let cpu = if set == SETS - 1 { 3_900 } else { 40 + u32::from(set % 2) * 30 };
    let constraint = constrained.map(|action| {
        format!(
            r#","topologySpreadConstraints":[{{"maxSkew":1,"whenUnsatisfiable":"{action}",
            "topologyKey":"topology.kubernetes.io/zone",
            "labelSelector":{{"matchLabels":{{"app":"s{set}"}}}}}}]"#
        )
    });
    let constraint = constraint.unwrap_or_default();
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{name}","namespace":"default",
        "labels":{{"app":"s{set}"}},"ownerReferences":[{{"apiVersion":"apps/v1",
        "kind":"ReplicaSet","name":"s{set}","uid":"u{set}","controller":true}}]}},
        "spec":{{"containers":[{{"name":"c","image":"i","resources":{{"requests":{{
        "cpu":"{cpu}m","memory":"64Mi"}}}}}}]{constraint}}}}}"#
    )
}

#[derive(Clone, Debug)]
enum Op {
    Pods { set: u8, count: u8, constrained: Option<&'static str> },
    Delete { pod: u8, at_once: bool },
    Node(u8),
    RemoveNode(u8),
    Cordon(u8, bool),
    Service(u8),
}

fn constraint() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("ScheduleAnyway")), Just(Some("DoNotSchedule"))]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..SETS, 1..12u8, constraint())
            .prop_map(|(set, count, own)| Op::Pods { set, count, constrained: own }),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(pod, at_once)| Op::Delete { pod, at_once }),
        1 => (0..NODES).prop_map(Op::Node),
        1 => (0..NODES).prop_map(Op::RemoveNode),
        1 => (0..NODES, any::<bool>()).prop_map(|(node, cordoned)| Op::Cordon(node, cordoned)),
        1 => (0..SETS).prop_map(Op::Service),
    ]
}

fn find(store: &Store, kind: wavetank_core::api::KindId, name: &str) -> Option<ObjectId> {
    store.find(kind, Some("default"), name)
}

struct Player {
    world: World,
    pods: usize,
}

impl Player {
    fn new() -> Self {
        let mut world = World::new();
        world.scheduler.keep_scores(false);
        world.scheduler.list_feasible(true);
        for set in 0..SETS {
            world.restore(&json(&replica_set(set)));
        }
        // The last one, which has no zone, may come later.
        for number in 0..NODES - 1 {
            world.restore(&json(&node(number, false)));
        }
        Self { world, pods: 0 }
    }

    fn play(&mut self, op: &Op) {
        let kinds = self.world.store.kinds;
        match *op {
            Op::Pods { set, count, constrained } => {
                for _ in 0..count {
                    self.world.restore(&json(&pod(self.pods, set, constrained)));
                    self.pods += 1;
                }
            }
            Op::Delete { pod, at_once } => {
                let name = format!("p{}", usize::from(pod) % self.pods.max(1));
                let grace_seconds = if at_once { Some(0) } else { None };
                let options = DeleteOptions { grace_seconds, ..DeleteOptions::default() };
                if let Some(id) = find(&self.world.store, kinds.pod, &name) {
                    self.world.store.delete(id, &options).unwrap();
                }
            }
            Op::Node(number) => {
                if self.world.store.find(kinds.node, None, &format!("n{number}")).is_none() {
                    self.world.restore(&json(&node(number, false)));
                }
            }
            Op::RemoveNode(number) => {
                if let Some(id) = self.world.store.find(kinds.node, None, &format!("n{number}")) {
                    self.world.store.delete(id, &DeleteOptions::default()).unwrap();
                }
            }
            Op::Cordon(number, cordoned) => {
                if self.world.store.find(kinds.node, None, &format!("n{number}")).is_some() {
                    self.world.update(&json(&node(number, cordoned)), Part::Whole);
                }
            }
            Op::Service(set) => {
                let service = format!(
                    r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"s{set}",
                    "namespace":"default"}},"spec":{{"selector":{{"app":"s{set}"}}}}}}"#
                );
                if find(&self.world.store, kinds.service, &format!("s{set}")).is_none() {
                    self.world.restore(&json(&service));
                }
            }
        }
    }

    /// Schedules what waits; each decision is compared with that of a fork.
    fn schedule(&mut self) {
        self.world.observe();
        loop {
            let mut fork = self.world.clone();
            fork.scheduler.be_plain(true);
            let (expected, decision) = (fork.step(), self.world.step());
            assert_eq!(decision, expected);
            let Some(decision) = decision else { break };
            let findings = self.world.scheduler.findings();
            let described = self.world.describe(&decision);
            assert_eq!(findings.feasible, fork.scheduler.findings().feasible, "{described}");
            let totals = &fork.scheduler.findings().scores.totals;
            assert_eq!(&findings.scores.totals, totals, "{described}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_scheduler_that_remembers_decides_as_one_that_does_not(
        ops in prop::collection::vec(op(), 1..30),
    ) {
        let mut player = Player::new();
        for op in &ops {
            player.play(op);
            player.schedule();
        }
    }
}

#[test]
fn many_pods_of_one_set_on_a_node_are_counted_on() {
    let mut player = Player::new();
    for _ in 0..20 {
        player.play(&Op::Pods { set: 0, count: 10, constrained: None });
        player.schedule();
    }
}
