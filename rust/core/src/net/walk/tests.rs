//! Packets that walk through rules: every verdict they may meet, and one by the dice.

use std::collections::BTreeMap;

use super::{Hooks, Outcome, Packet, Verdict, walk, walk_once};
use crate::base::ip::parse_cidr;
use crate::base::{Streams, Value};
use crate::net::ServiceTable;
use crate::net::rules::{Config, LocalDetector, Node, RuleSet};
use crate::net::service_ports::{Family, Protocol};

/// Two nodes: `node-0`, where the rules are, and `node-1`.
fn rules(endpoints: u8, service: &str) -> (RuleSet, Node) {
    let endpoints: Vec<String> = (0..endpoints)
        .map(|at| format!(r#"{{"addresses":["10.0.{}.9"],"nodeName":"node-{}"}}"#, at, at % 2))
        .collect();
    let slice = format!(
        r#"{{"addressType":"IPv4","ports":[{{"name":"","port":8080}}],"endpoints":[{}]}}"#,
        endpoints.join(",")
    );
    let service = format!(
        r#"{{"metadata":{{"namespace":"shop","name":"web"}},"spec":{{"clusterIP":"10.96.0.9",
        "type":"LoadBalancer","ports":[{{"port":80,"nodePort":30080}}]{service}}},
        "status":{{"loadBalancer":{{"ingress":[{{"ip":"1.2.3.4"}}]}}}}}}"#
    );
    let (service, slice) = (Value::from_json(&service).unwrap(), Value::from_json(&slice).unwrap());
    let mut table = ServiceTable::default();
    table.set(0, &service, &[&slice], [true; 2]);
    let node = table.node("node-0", None, ["192.168.0.2"].into_iter());
    let local = LocalDetector::Cidr(parse_cidr("10.0.0.0/11").unwrap());
    let config = Config { local: [local, LocalDetector::Nothing], ..Config::default() };
    (RuleSet::of(&table, Family::V4, &config, &node), node)
}

fn packet(source: &str, destination: &str, port: u16) -> Packet {
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    Packet { source, destination, port, protocol: Protocol::Tcp, interface: None }
}

fn ends(outcome: &Outcome) -> Vec<String> {
    outcome.verdicts.iter().map(ToString::to_string).collect()
}

#[test]
fn a_packet_reaches_the_endpoints_its_way_in_allows() {
    let all = ["10.0.0.9:8080", "10.0.1.9:8080", "10.0.2.9:8080"];
    let near = ["10.0.0.9:8080", "10.0.2.9:8080"];
    let (rules, node) = rules(3, r#","externalTrafficPolicy":"Local""#);
    let cases: [(&str, &str, u16, &[&str], bool); 7] = [
        ("10.0.7.7", "10.96.0.9", 80, &all, false),
        ("203.0.113.9", "10.96.0.9", 80, &all, true),
        ("203.0.113.9", "1.2.3.4", 80, &near, false),
        ("192.168.0.2", "1.2.3.4", 80, &all, true),
        ("10.0.7.7", "192.168.0.2", 30_080, &all, false),
        ("203.0.113.9", "192.168.0.2", 30_080, &near, false),
        ("203.0.113.9", "192.168.0.2", 30_081, &[], false),
    ];
    for (source, destination, port, wanted, masquerade) in cases {
        let outcome = walk(&rules, &node, &packet(source, destination, port), Hooks::Kernel);
        assert_eq!(ends(&outcome), wanted, "{source} to {destination}:{port}");
        assert_eq!(outcome.masquerade, masquerade, "{source} to {destination}:{port}");
    }
}

#[test]
fn nobody_answers_for_a_service_without_endpoints_and_strangers_are_dropped() {
    let (bare, node) = rules(0, "");
    let outcome = walk(&bare, &node, &packet("10.0.7.7", "10.96.0.9", 80), Hooks::Kernel);
    assert_eq!(ends(&outcome), ["REJECT"]);
    let (fenced, node) = rules(2, r#","loadBalancerSourceRanges":["203.0.113.0/25"]"#);
    let outcome = walk(&fenced, &node, &packet("203.0.113.200", "1.2.3.4", 80), Hooks::Kernel);
    assert_eq!(ends(&outcome), ["DROP"]);
    let outcome = walk(&fenced, &node, &packet("203.0.113.20", "1.2.3.4", 80), Hooks::Kernel);
    assert_eq!(outcome.verdicts.len(), 2);
}

#[test]
fn one_packet_takes_one_end_and_many_share_them_evenly() {
    const PACKETS: u32 = 40_000;
    let (rules, node) = rules(4, "");
    let mut stream = Streams::new(7).stream("test");
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..PACKETS {
        let outcome = walk_once(&rules, &node, &packet("10.0.7.7", "10.96.0.9", 80), &mut stream);
        assert!(matches!(outcome.verdicts[..], [Verdict::Endpoint(_)]));
        *counts.entry(outcome.verdicts[0].to_string()).or_default() += 1;
    }
    let expected = f64::from(PACKETS) / 4.0;
    let chi: f64 =
        counts.values().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    // Three degrees of freedom; beyond this one run in a million is.
    assert!(counts.len() == 4 && chi < 30.7, "{chi}: {counts:?}");
}

#[test]
fn the_steps_lead_from_the_first_chain_to_the_endpoint() {
    let (rules, node) = rules(1, "");
    let outcome = walk(&rules, &node, &packet("203.0.113.9", "192.168.0.2", 30_080), Hooks::Kernel);
    let steps: Vec<(usize, String)> = outcome
        .steps
        .iter()
        .map(|step| {
            let name = step.chain.to_string();
            (step.depth, name.split('-').take(2).collect::<Vec<_>>().join("-"))
        })
        .collect();
    let wanted = [
        (0, "KUBE-SERVICES"),
        (1, "KUBE-NODEPORTS"),
        (2, "KUBE-EXT"),
        (2, "KUBE-EXT"),
        (3, "KUBE-SVC"),
        (4, "KUBE-SEP"),
    ];
    assert_eq!(steps, wanted.map(|(depth, name)| (depth, name.to_owned())));
    let last = outcome.steps.last().unwrap();
    let rule = &rules.chain(last.table, last.chain)[last.rule];
    assert!(rule.to_string().ends_with("-j DNAT --to-destination 10.0.0.9:8080"), "{rule}");
}
