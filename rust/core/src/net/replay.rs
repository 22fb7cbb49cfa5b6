//! Replaying recorded cases of kube-proxy: services and packets in, rules and flows out.
//!
//! The cases were recorded on a node called `test-node`; its addresses and the way its
//! kube-proxy was set up are below. The rules come in the order in which they were recorded: by
//! table, `KUBE-NODEPORTS` and `KUBE-SERVICES` first, then by chain, and in those two by the name
//! of the service.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::route::{RouteTable, View};
use super::rules::{Config, LocalDetector, Node, Proxier, RuleSet};
use super::service_ports::{Family, Protocol, canonical};
use super::table::{SERVICE_NAME, ServiceTable};
use super::walk::{Hooks, Outcome, Packet, walk};
use crate::base::ip::parse_cidr;
use crate::base::{Map, Text, Time, Value};

const NODE: &str = "test-node";
const ADDRESSES: [&str; 5] =
    ["192.168.0.2", "192.168.1.2", "192.168.99.11", "2001:db8::1", "2001:db8:1::2"];
const POD_BLOCKS: [&str; 2] = ["10.0.0.0/8", "fd00:10::/64"];

/// Answers a case: `rules`, lines of text, `flows`, one entry per packet, and if the case goes on
/// in steps `syncs`, the lines of each later sync. With `hooks` of `kernel` packets meet the chains
/// they would meet in a kernel; the recordings go through all. With `by` of `table` no rules are
/// walked: the table of routes answers. A step that has `flows` answers the packets again, under
/// `later`.
///
/// # Errors
/// A packet without a legal address.
pub fn replay(case: &Value) -> Result<Value, String> {
    let family = match case.str_at(&["family"]) {
        Some("IPv6") => Family::V6,
        _ => Family::V4,
    };
    let config = config_of(case);
    let mut objects = Objects::default();
    objects.apply(case, &Value::Null);
    let node = objects.node(case);
    let mut proxier = Proxier::new(family, config.clone(), node.clone());
    let text = proxier.sync(&objects.table, Time(0));
    let mut packets = Packets { case, family, config, node, table: None };
    let flows = packets.flows(&objects.table)?;
    let lines = |lines: Vec<&str>| Value::list(lines.into_iter().map(Value::from));
    let mut answer = Map::new();
    answer.insert("flows", flows);
    answer.insert("rules", lines(sorted(&text)));
    let (mut syncs, mut later) = (Vec::new(), Vec::new());
    for step in case.list_at(&["steps"]) {
        objects.apply(step, step.get("deleted").unwrap_or(&Value::Null));
        let text = proxier.sync(&objects.table, Time(0));
        syncs.push(lines(text.split('\n').collect()));
        if step.get("flows").is_some() {
            later.push(packets.flows(&objects.table)?);
        }
    }
    if !later.is_empty() {
        answer.insert("later", later);
    }
    if !syncs.is_empty() {
        answer.insert("syncs", syncs);
    }
    Ok(answer.into())
}

/// The documents of a case as they are now.
#[derive(Default)]
struct Objects {
    services: BTreeMap<(Text, Text), (u32, Option<Value>)>,
    slices: BTreeMap<(Text, Text), Value>,
    table: ServiceTable,
}

impl Objects {
    /// Puts and deletes objects, and compiles the Services concerned.
    fn apply(&mut self, put: &Value, deleted: &Value) {
        let mut touched: BTreeMap<(Text, Text), [bool; 2]> = BTreeMap::new();
        for (list, is_put) in [(put, true), (deleted, false)] {
            for service in list.list_at(&["services"]) {
                let key = key_of(service);
                touched.entry(key.clone()).or_default();
                let next = self.services.len() as u32;
                let known = self.services.entry(key).or_insert((next, None));
                known.1 = is_put.then(|| service.clone());
            }
            for slice in list.list_at(&["endpointslices"]) {
                let key = key_of(slice);
                let before = self.slices.remove(&key);
                if before.as_ref() == Some(slice) && is_put {
                    self.slices.insert(key, slice.clone());
                    continue;
                }
                for slice in before.iter().chain([slice]) {
                    let sliced = touched.entry(service_of_slice(slice)).or_default();
                    let kind = slice.str_at(&["addressType"]);
                    for family in Family::BOTH {
                        sliced[family as usize] |= kind == Some(family.name());
                    }
                }
                if is_put {
                    self.slices.insert(key, slice.clone());
                }
            }
        }
        for (key, sliced) in touched {
            let Some((slot, service)) = self.services.get(&key) else { continue };
            let Some(service) = service else {
                self.table.forget(*slot);
                continue;
            };
            let is_its = |slice: &&Value| service_of_slice(slice) == key;
            let slices: Vec<&Value> = self.slices.values().filter(is_its).collect();
            self.table.set(*slot, service, &slices, sliced);
        }
    }

    fn node(&mut self, case: &Value) -> Node {
        self.table.node(NODE, case.str_at(&["zone"]), ADDRESSES.into_iter())
    }
}

fn key_of(object: &Value) -> (Text, Text) {
    let namespace = object.str_at(&["metadata", "namespace"]).unwrap_or("default");
    (namespace.into(), object.str_at(&["metadata", "name"]).unwrap_or_default().into())
}

fn service_of_slice(slice: &Value) -> (Text, Text) {
    let name = slice.str_at(&["metadata", "labels", SERVICE_NAME]).unwrap_or_default();
    (key_of(slice).0, name.into())
}

/// How the recording kube-proxy was set up, and what the case wants otherwise.
fn config_of(case: &Value) -> Config {
    let option = |name: &str| case.at(&["options", name]).and_then(Value::as_bool) == Some(true);
    let local = POD_BLOCKS.map(|block| match case.str_at(&["options", "local"]) {
        Some("none") => LocalDetector::Nothing,
        Some("bridge") => LocalDetector::Bridge("cni0".into()),
        Some("prefix") => LocalDetector::InterfacePrefix("veth".into()),
        _ => LocalDetector::Cidr(parse_cidr(block).expect("a block")),
    });
    let blocks = case.list_at(&["options", "nodePortAddresses"]).iter();
    Config {
        masquerade_mark: "0x4000".into(),
        masquerade_all: option("masqueradeAll"),
        random_fully: option("randomFully"),
        counters: !option("noCounters"),
        localhost_node_ports: !option("noLocalhost"),
        conntrack_liberal: option("liberal"),
        local,
        node_port_addresses: blocks.filter_map(|block| parse_cidr(block.as_str()?)).collect(),
    }
}

/// The packets of a case, and what answers them.
struct Packets<'a> {
    case: &'a Value,
    family: Family,
    config: Config,
    node: Node,
    /// The table that follows the objects, and the node's view.
    table: Option<(RouteTable, View)>,
}

impl Packets<'_> {
    fn flows(&mut self, services: &ServiceTable) -> Result<Value, String> {
        let packets = self.case.list_at(&["packets"]).iter().map(read_packet);
        let packets = packets.collect::<Result<Vec<_>, _>>()?;
        let outcomes: Vec<Outcome> = if self.case.str_at(&["by"]) == Some("table") {
            let (table, view) = self.table.get_or_insert_with(|| {
                let mut table = RouteTable::new(self.family);
                let view = View::new(&mut table, &self.config, self.node.clone());
                (table, view)
            });
            table.follow(services, None);
            packets.iter().map(|packet| table.outcome(view, packet)).collect()
        } else {
            let hooks = match self.case.str_at(&["hooks"]) {
                Some("kernel") => Hooks::Kernel,
                _ => Hooks::All,
            };
            let rules = RuleSet::of(services, self.family, &self.config, &self.node);
            packets.iter().map(|packet| walk(&rules, &self.node, packet, hooks)).collect()
        };
        Ok(Value::list(outcomes.iter().map(|outcome| {
            let ends: Vec<String> = outcome.verdicts.iter().map(ToString::to_string).collect();
            Value::map([
                ("output", Value::from(ends.join(", "))),
                ("masq", Value::from(outcome.masquerade)),
            ])
        })))
    }
}

fn read_packet(packet: &Value) -> Result<Packet, String> {
    let address = |field: &str| -> Result<IpAddr, String> {
        let text = packet.str_at(&[field]).unwrap_or_default();
        canonical(text).ok_or_else(|| format!("packet: {field}: not an IP address: {text:?}"))
    };
    let port = packet.int_at(&["port"]).unwrap_or(0);
    Ok(Packet {
        source: address("src")?,
        protocol: Protocol::read(packet.str_at(&["proto"])),
        destination: address("dst")?,
        port: u16::try_from(port).map_err(|_| format!("packet: port: not a port: {port}"))?,
        interface: None,
    })
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
