//! Replaying recorded cases of kube-proxy: services and packets in, rules and flows out.
//!
//! The cases were recorded on a node called `test-node`; its addresses and the way its
//! kube-proxy was set up are below. The rules come in the order in which they were recorded: by
//! table, `KUBE-NODEPORTS` and `KUBE-SERVICES` first, then by chain, and in those two by the name
//! of the service.

use std::net::IpAddr;

use super::rules::{Config, LocalDetector, Node, Proxier, RuleSet};
use super::service_ports::{Family, Protocol, canonical};
use super::table::ServiceTable;
use super::walk::{Packet, walk};
use crate::base::Value;
use crate::base::ip::parse_cidr;

const NODE: &str = "test-node";
const ADDRESSES: [&str; 5] =
    ["192.168.0.2", "192.168.1.2", "192.168.99.11", "2001:db8::1", "2001:db8:1::2"];
const POD_BLOCKS: [&str; 2] = ["10.0.0.0/8", "fd00:10::/64"];

/// Answers a case: `rules`, lines of text, and `flows`, one entry per packet.
///
/// # Errors
/// A packet without a legal address.
pub fn replay(case: &Value) -> Result<Value, String> {
    let table = ServiceTable::of(case.list_at(&["services"]), case.list_at(&["endpointslices"]));
    let config = config();
    let zone = case.str_at(&["zone"]);
    let node = table.node(NODE, zone, ADDRESSES.into_iter());
    let family = match case.str_at(&["family"]) {
        Some("IPv6") => Family::V6,
        _ => Family::V4,
    };
    let text = Proxier::full(&table, family, config.clone(), node.clone());
    let rules = RuleSet::of(&table, family, &config, &node);
    let packets = case.list_at(&["packets"]).iter();
    let flows = packets.map(|packet| flow(&rules, &node, packet)).collect::<Result<Vec<_>, _>>()?;
    let lines: Vec<Value> = sorted(&text).into_iter().map(Value::from).collect();
    Ok(Value::map([("flows", Value::from(flows)), ("rules", Value::from(lines))]))
}

/// How the recording kube-proxy was set up.
fn config() -> Config {
    let local = POD_BLOCKS.map(|block| LocalDetector::Cidr(parse_cidr(block).expect("a block")));
    Config { masquerade_mark: "0x4000".into(), random_fully: false, local, ..Config::default() }
}

fn flow(rules: &RuleSet, node: &Node, packet: &Value) -> Result<Value, String> {
    let address = |field: &str| -> Result<IpAddr, String> {
        let text = packet.str_at(&[field]).unwrap_or_default();
        canonical(text).ok_or_else(|| format!("packet: {field}: not an IP address: {text:?}"))
    };
    let port = packet.int_at(&["port"]).unwrap_or(0);
    let packet = Packet {
        source: address("src")?,
        protocol: Protocol::read(packet.str_at(&["proto"])),
        destination: address("dst")?,
        port: u16::try_from(port).map_err(|_| format!("packet: port: not a port: {port}"))?,
        interface: None,
    };
    let outcome = walk(rules, node, &packet);
    let ends: Vec<String> = outcome.verdicts.iter().map(ToString::to_string).collect();
    Ok(Value::map([
        ("output", Value::from(ends.join(", "))),
        ("masq", Value::from(outcome.masquerade)),
    ]))
}

/// The lines in the order of the recordings.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    for table in text.split_inclusive("COMMIT\n") {
        let table: Vec<&str> = table.lines().collect();
        let (chains, rules): (Vec<&str>, Vec<&str>) =
            table[1..table.len() - 1].iter().partition(|line| line.starts_with(':'));
        let mut chains: Vec<&str> = chains;
        chains.sort_by_key(|line| rank(chain_of(line)));
        let mut rules: Vec<&str> = rules;
        rules.sort_by_key(|line| (rank(chain_of(line)), service_of(line)));
        lines.push(table[0]);
        lines.extend(chains);
        lines.extend(rules);
        lines.push("COMMIT");
    }
    lines.push("");
    lines
}

fn chain_of(line: &str) -> &str {
    let line = line.strip_prefix(':').unwrap_or_else(|| &line["-A ".len()..]);
    line.split(' ').next().expect("a split has a first part")
}

fn rank(chain: &str) -> (u8, &str) {
    match chain {
        "KUBE-NODEPORTS" => (0, chain),
        "KUBE-SERVICES" => (1, chain),
        _ => (2, chain),
    }
}

/// What rules of the chains all services share are sorted by; the last rule of `KUBE-SERVICES`
/// stays the last.
fn service_of(line: &str) -> (bool, &str) {
    if !matches!(chain_of(line), "KUBE-NODEPORTS" | "KUBE-SERVICES") {
        return (false, "");
    }
    let (_, comment) = line.split_once(" --comment ").unwrap_or_default();
    let comment = comment.trim_start_matches('"');
    (comment.contains("must be the last rule"), comment.split([' ', ':']).next().unwrap_or(""))
}
