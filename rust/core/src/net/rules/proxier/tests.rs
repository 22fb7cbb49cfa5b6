//! What a proxier writes, at first and later, played on a kernel that keeps what it is not told of.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Proxier;
use crate::base::{Time, Value};
use crate::net::ServiceTable;
use crate::net::rules::{Config, Node};
use crate::net::service_ports::Family;

/// What a kernel holds: the rules of each chain, by table.
type Kernel = BTreeMap<(String, String), Vec<String>>;

/// `iptables-restore --noflush`: a chain's line makes or empties it, nothing else is touched.
fn restore(kernel: &mut Kernel, text: &str) {
    let mut table = String::new();
    for line in text.lines() {
        let word = |at: usize| line.split(' ').nth(at).unwrap().to_owned();
        if let Some(name) = line.strip_prefix('*') {
            name.clone_into(&mut table);
        } else if let Some(chain) = line.strip_prefix(':') {
            let chain = chain.split(' ').next().unwrap().to_owned();
            kernel.insert((table.clone(), chain), Vec::new());
        } else if line.starts_with("-A ") {
            let rules = kernel.get_mut(&(table.clone(), word(1)));
            rules.unwrap_or_else(|| panic!("no chain for {line}")).push(line.to_owned());
        } else if line.starts_with("-X ") {
            let rules = kernel.remove(&(table.clone(), word(1))).expect("the chain is there");
            assert!(rules.is_empty(), "a chain must be empty to go");
        } else {
            assert_eq!(line, "COMMIT");
            for rule in kernel.values().flatten() {
                let target = rule.split(" -j ").nth(1).and_then(|rest| rest.split(' ').next());
                if let Some(chain) = target.filter(|target| target.starts_with("KUBE-")) {
                    let known = kernel.keys().any(|(_, name)| name == chain);
                    assert!(known, "{rule}: jumps nowhere");
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Shape {
    kind: u8,
    local: (bool, bool),
    affinity: bool,
    ports: u8,
    endpoints: Vec<(u8, u8, u8)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let endpoint = (0..12_u8, 0..4_u8, 0..3_u8);
    let endpoints = prop::collection::vec(endpoint, 0..6);
    (0..3_u8, any::<(bool, bool)>(), any::<bool>(), 1..3_u8, endpoints).prop_map(
        |(kind, local, affinity, ports, endpoints)| Shape {
            kind,
            local,
            affinity,
            ports,
            endpoints,
        },
    )
}

fn service(number: u8, shape: &Shape) -> Value {
    let policy = |local: bool| if local { "Local" } else { "Cluster" };
    let kind = ["ClusterIP", "NodePort", "LoadBalancer"][shape.kind as usize];
    let affinity = if shape.affinity { "ClientIP" } else { "None" };
    let ports: Vec<String> = (0..shape.ports)
        .map(|at| {
            let node = 30_000 + 10 * i32::from(number) + i32::from(at);
            let node = if shape.kind == 0 { 0 } else { node };
            format!(r#"{{"name":"p{at}","port":{},"nodePort":{node}}}"#, 80 + at)
        })
        .collect();
    let text = format!(
        r#"{{"metadata":{{"namespace":"shop","name":"s{number}"}},
        "spec":{{"type":"{kind}","clusterIP":"10.96.0.{number}","ports":[{}],
        "sessionAffinity":"{affinity}","internalTrafficPolicy":"{}","externalTrafficPolicy":"{}",
        "loadBalancerSourceRanges":["192.168.0.0/16"],"healthCheckNodePort":32000}},
        "status":{{"loadBalancer":{{"ingress":[{{"ip":"1.2.3.{number}"}}]}}}}}}"#,
        ports.join(","),
        policy(shape.local.0),
        policy(shape.local.1),
    );
    Value::from_json(&text).unwrap()
}

fn slice(number: u8, shape: &Shape) -> Value {
    let ports: Vec<String> =
        (0..shape.ports).map(|at| format!(r#"{{"name":"p{at}","port":80{at}0}}"#)).collect();
    let endpoints: Vec<String> = shape
        .endpoints
        .iter()
        .map(|(address, state, node)| {
            let conditions = [
                r#"{"ready":true}"#,
                r#"{"ready":false}"#,
                r#"{"ready":false,"serving":true,"terminating":true}"#,
                "{}",
            ][*state as usize];
            format!(
                r#"{{"addresses":["10.0.{number}.{address}"],"conditions":{conditions},
                "nodeName":"node-{node}","hints":{{"forZones":[{{"name":"z{}"}}]}}}}"#,
                address % 2
            )
        })
        .collect();
    let text = format!(
        r#"{{"addressType":"IPv4","ports":[{}],"endpoints":[{}]}}"#,
        ports.join(","),
        endpoints.join(",")
    );
    Value::from_json(&text).unwrap()
}

fn node(table: &mut ServiceTable) -> Node {
    table.node("node-0", Some("z1"), ["192.168.0.2"].into_iter())
}

proptest! {
    #[test]
    fn syncs_of_what_changed_leave_what_one_of_everything_would(
        steps in prop::collection::vec(
            prop::collection::vec((0..6_u8, prop::option::weighted(0.8, shape())), 0..4), 1..8),
    ) {
        let mut table = ServiceTable::default();
        let place = node(&mut table);
        let mut proxier = Proxier::new(Family::V4, Config::default(), place.clone());
        let mut kernel = Kernel::new();
        for changes in steps {
            for (number, shape) in changes {
                match shape {
                    Some(shape) => {
                        let slices = [&slice(number, &shape)];
                        let service = service(number, &shape);
                        table.set(u32::from(number), &service, &slices, [true, false]);
                    }
                    None => table.forget(u32::from(number)),
                }
            }
            restore(&mut kernel, &proxier.sync(&table, Time(0)));
            let mut fresh = Kernel::new();
            let full = Proxier::full(&table, Family::V4, Config::default(), place.clone());
            restore(&mut fresh, &full);
            prop_assert_eq!(&kernel, &fresh);
        }
    }
}

/// A node without a zone, which hints do not concern.
fn anywhere(table: &mut ServiceTable) -> Node {
    table.node("node-0", None, ["192.168.0.2"].into_iter())
}

fn many(services: u8, endpoints: u8) -> ServiceTable {
    let mut table = ServiceTable::default();
    for number in 0..services {
        let shape = Shape {
            kind: 0,
            local: (false, false),
            affinity: false,
            ports: 2,
            endpoints: (0..endpoints).map(|address| (address, 0, 1)).collect(),
        };
        let slices = [&slice(number, &shape)];
        table.set(u32::from(number), &service(number, &shape), &slices, [true, true]);
    }
    table
}

#[test]
fn rules_of_endpoints_lose_their_comments_beyond_a_thousand_endpoints() {
    for (services, endpoints, large) in [(10, 50, false), (10, 51, true)] {
        let mut table = many(services, endpoints);
        let place = anywhere(&mut table);
        let text = Proxier::full(&table, Family::V4, Config::default(), place);
        assert_eq!(text.contains("shop/s1:p0 -> 10.0.1.0:8000"), !large);
        assert!(text.contains("shop/s1:p0 cluster IP"), "services keep theirs");
    }
}

#[test]
fn a_large_cluster_deletes_old_chains_once_in_a_while() {
    let mut table = many(11, 51);
    let place = anywhere(&mut table);
    let mut proxier = Proxier::new(Family::V4, Config::default(), place);
    let second = |seconds: i64| Time::from_unix_secs(seconds);
    proxier.sync(&table, second(0));
    table.forget(3);
    assert!(!proxier.sync(&table, second(10)).contains("-X "));
    let deleted = proxier.sync(&table, second(31)).matches("\n-X KUBE-").count();
    assert_eq!(deleted, 2 * (3 + 51), "two ports, each with three chains and its endpoints'");
    let quiet = proxier.sync(&table, second(7200));
    assert!(!quiet.contains(":KUBE-SEP-"), "no full sync by the clock in a large cluster");
}

#[test]
fn a_small_cluster_is_written_anew_every_hour_and_after_a_move() {
    let mut table = many(1, 2);
    let place = anywhere(&mut table);
    let mut proxier = Proxier::new(Family::V4, Config::default(), place.clone());
    let writes_all = |proxier: &mut Proxier, seconds: i64| {
        proxier.sync(&table, Time::from_unix_secs(seconds)).contains(":KUBE-SEP-")
    };
    assert!(writes_all(&mut proxier, 0));
    assert!(!writes_all(&mut proxier, 3600));
    assert!(writes_all(&mut proxier, 3602));
    assert!(!writes_all(&mut proxier, 3700));
    proxier.set_node(place);
    assert!(!writes_all(&mut proxier, 3800));
    proxier.set_node(Node::default());
    assert!(writes_all(&mut proxier, 3900));
}
