//! Ways through a node: the hooks they pass, the rules they meet, how likely each is.

use std::net::SocketAddr;

use super::{Way, trace};
use crate::base::ip::parse_cidr;
use crate::base::{Streams, Value};
use crate::net::ServiceTable;
use crate::net::rules::{Config, LocalDetector, Node, RuleSet, Table};
use crate::net::service_ports::Protocol;
use crate::net::walk::{Hooks, Packet, Verdict, walk};

/// `node-0` with the endpoints of a Service, the last of them the node itself.
fn cluster(endpoints: &[&str], spec: &str) -> (ServiceTable, Config, Node) {
    let endpoints: Vec<String> = endpoints
        .iter()
        .map(|ip| format!(r#"{{"addresses":["{ip}"],"nodeName":"node-1"}}"#))
        .collect();
    let slice = format!(
        r#"{{"addressType":"IPv4","ports":[{{"name":"","port":8080}}],"endpoints":[{}]}}"#,
        endpoints.join(",")
    );
    let service = format!(
        r#"{{"metadata":{{"namespace":"shop","name":"web"}},"spec":{{"clusterIP":"10.96.0.9",
        "type":"NodePort","ports":[{{"port":80,"nodePort":30080}}]{spec}}}}}"#
    );
    let (service, slice) = (Value::from_json(&service).unwrap(), Value::from_json(&slice).unwrap());
    let mut table = ServiceTable::default();
    table.set(0, &service, &[&slice], [true; 2]);
    let node = table.node("node-0", None, ["192.168.0.2"].into_iter());
    let local = LocalDetector::Cidr(parse_cidr("10.0.0.0/11").unwrap());
    let config = Config { local: [local, LocalDetector::Nothing], ..Config::default() };
    (table, config, node)
}

fn packet(source: &str, to: &str) -> (Packet, SocketAddr) {
    let to: SocketAddr = to.parse().unwrap();
    let (source, protocol) = (source.parse().unwrap(), Protocol::Tcp);
    (Packet { source, protocol, destination: to.ip(), port: to.port(), interface: None }, to)
}

fn hooks(way: &Way) -> String {
    let names = way.hooks.iter().map(|(table, hook)| format!("{} {hook}", table.name()));
    names.collect::<Vec<_>>().join(", ")
}

/// The text of each rule met, without what most have in common.
fn ways(cluster: &(ServiceTable, Config, Node), source: &str, to: &str) -> Vec<(String, Verdict)> {
    let (table, config, node) = cluster;
    let (packet, to) = packet(source, to);
    let rules = RuleSet::for_packet(table, config, node, to);
    let ways = trace(&rules, node, &packet, node.is_local(packet.source), None);
    ways.iter().map(|way| (hooks(way), way.verdict)).collect()
}

#[test]
fn a_packet_passes_the_hooks_of_its_way() {
    let remote = cluster(&["10.0.1.9"], "");
    let near = cluster(&["192.168.0.2"], "");
    let end = |to: &str| Verdict::Endpoint(to.parse().unwrap());
    let forwarded = "nat PREROUTING, filter FORWARD, nat POSTROUTING";
    let sent = "nat OUTPUT, filter OUTPUT, nat POSTROUTING";
    let cases = [
        (&remote, "10.0.7.7", "10.96.0.9:80", forwarded, end("10.0.1.9:8080")),
        (&remote, "203.0.113.9", "192.168.0.2:30080", forwarded, end("10.0.1.9:8080")),
        (&remote, "192.168.0.2", "10.96.0.9:80", sent, end("10.0.1.9:8080")),
        (&remote, "10.0.7.7", "10.0.1.9:80", forwarded, Verdict::Accept),
        (
            &near,
            "10.0.7.7",
            "10.96.0.9:80",
            "nat PREROUTING, filter INPUT",
            end("192.168.0.2:8080"),
        ),
        (
            &near,
            "192.168.0.2",
            "10.96.0.9:80",
            "nat OUTPUT, filter OUTPUT, nat POSTROUTING, filter INPUT",
            end("192.168.0.2:8080"),
        ),
    ];
    for (cluster, source, to, wanted, verdict) in cases {
        let found = ways(cluster, source, to);
        assert_eq!(found, [(wanted.to_owned(), verdict)], "{source} to {to}");
    }
}

#[test]
fn who_is_refused_is_refused_where_the_rule_is() {
    let empty = cluster(&[], "");
    let found = ways(&empty, "10.0.7.7", "10.96.0.9:80");
    let forward = "nat PREROUTING, filter FORWARD".to_owned();
    assert_eq!(found, [(forward, Verdict::Reject)]);
    let elsewhere = cluster(&["10.0.1.9"], r#","externalTrafficPolicy":"Local""#);
    let found = ways(&elsewhere, "203.0.113.9", "192.168.0.2:30080");
    let input = "nat PREROUTING, filter INPUT".to_owned();
    assert_eq!(found, [(input, Verdict::Drop)]);
}

#[test]
fn chances_are_equal_and_one_is_drawn_of_them() {
    let endpoints = ["10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5"];
    let (table, config, node) = cluster(&endpoints, "");
    let (packet, to) = packet("10.0.1.3", "10.96.0.9:80");
    let rules = RuleSet::for_packet(&table, &config, &node, to);
    let all = trace(&rules, &node, &packet, false, None);
    let chances: Vec<f64> = all.iter().map(|way| (way.chance * 1e9).round() / 1e9).collect();
    assert_eq!(chances, [0.2; 5]);
    let masqueraded: Vec<bool> = all.iter().map(|way| way.masqueraded).collect();
    assert_eq!(masqueraded, [false, false, true, false, false], "whoever reaches itself");
    assert_eq!(all[2].source(), node.addresses[0]);
    let mut stream = Streams::new(3).stream("test");
    let drawn = trace(&rules, &node, &packet, false, Some(&mut stream));
    assert_eq!(drawn.len(), 1);
    assert!(all.iter().any(|way| way.met.len() == drawn[0].met.len()));
    assert!(all.iter().any(|way| way.destination() == drawn[0].destination()));
}

#[test]
fn a_trace_ends_where_a_walk_does_and_meets_rules_of_its_service_alone() {
    let (mut table, config, node) = cluster(&["10.0.1.9", "10.0.2.9"], "");
    let other = r#"{"metadata":{"namespace":"shop","name":"other"},"spec":{"clusterIP":"10.96.0.10",
        "ports":[{"port":80}]}}"#;
    table.set(1, &Value::from_json(other).unwrap(), &[], [true; 2]);
    let (packet, to) = packet("203.0.113.9", "192.168.0.2:30080");
    let rules = RuleSet::for_packet(&table, &config, &node, to);
    let all = RuleSet::of(&table, super::Family::V4, &config, &node);
    let wanted = walk(&all, &node, &packet, Hooks::Kernel);
    let ways = trace(&rules, &node, &packet, false, None);
    let verdicts: Vec<Verdict> = ways.iter().map(|way| way.verdict).collect();
    assert_eq!(verdicts, wanted.verdicts);
    assert!(ways.iter().all(|way| way.masqueraded == wanted.masquerade));
    let refusals = |rules: &RuleSet| rules.chain(Table::Filter, super::Chain::SERVICES).len();
    assert_eq!((refusals(&rules), refusals(&all)), (0, 1));
}
