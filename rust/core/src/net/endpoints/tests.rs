//! Which endpoints a node sends a service's packets to: readiness, termination, hints.

use super::{Choice, Place, choose, port_endpoints};
use crate::base::{Interner, Value};
use crate::net::service_ports::{Family, ServicePort, service_ports};

fn port(spec: &str) -> ServicePort {
    let spec = Value::from_json(&format!(
        r#"{{"clusterIP":"10.96.0.9","ports":[{{"port":80,"nodePort":30080}}],{spec}}}"#
    ));
    let ports = service_ports("shop", "web", &spec.unwrap(), &Value::Null, Family::V4);
    ports.into_values().next().unwrap()
}

/// Endpoints `10.0.0.1`, `10.0.0.2`, ... each said as `state node zone-hint node-hint`; `-` for
/// no hint.
fn chosen(spec: &str, endpoints: &[&str], node: &str, zone: &str) -> [Vec<u8>; 3] {
    let mut names = Interner::new();
    let documents = endpoints.iter().enumerate().map(|(at, said)| {
        let words: Vec<&str> = said.split(' ').collect();
        let conditions = match words[0] {
            "ready" => r#"{"ready":true}"#,
            "ending" => r#"{"ready":false,"serving":true,"terminating":true}"#,
            _ => r#"{"ready":false,"serving":false}"#,
        };
        let hint = |list: &str, name: &str| match name {
            "-" => String::new(),
            name => format!(r#""{list}":[{{"name":"{name}"}}]"#),
        };
        let hints = [hint("forZones", words[2]), hint("forNodes", words[3])];
        let hints: Vec<String> = hints.into_iter().filter(|hint| !hint.is_empty()).collect();
        format!(
            r#"{{"addresses":["10.0.0.{}"],"nodeName":"{}","conditions":{conditions},"hints":{{{}}}}}"#,
            at + 1,
            words[1],
            hints.join(",")
        )
    });
    let documents: Vec<String> = documents.collect();
    let slice = Value::from_json(&format!(
        r#"{{"addressType":"IPv4","ports":[{{"port":8080}}],"endpoints":[{}]}}"#,
        documents.join(",")
    ));
    let slice = slice.unwrap();
    let lists = port_endpoints([&slice].into_iter(), Family::V4, &mut names);
    let list = lists.into_values().next().unwrap_or_default();
    let place = Place { node: names.find(node), zone: names.find(zone) };
    let Choice { cluster, local, reachable, any } = choose(&list, &port(spec), place);
    assert_eq!(any, endpoints.iter().any(|said| !said.starts_with("not")), "{endpoints:?}");
    [cluster, local, reachable].map(|list| {
        let last = |address: std::net::IpAddr| match address {
            std::net::IpAddr::V4(address) => address.octets()[3],
            std::net::IpAddr::V6(_) => unreachable!(),
        };
        list.into_iter().map(|endpoint| last(endpoint.address)).collect()
    })
}

const CLUSTER: &str = r#""type":"NodePort""#;
const EXTERNAL_LOCAL: &str = r#""type":"NodePort","externalTrafficPolicy":"Local""#;

#[test]
fn ready_endpoints_serve_and_ending_ones_only_when_none_is_left() {
    let some = ["ready a - -", "ending a - -", "not a - -"];
    assert_eq!(chosen(CLUSTER, &some, "a", "z"), [vec![1], vec![], vec![1]]);
    let ending = ["not a - -", "ending a - -", "ending b - -"];
    assert_eq!(chosen(CLUSTER, &ending, "a", "z"), [vec![2, 3], vec![], vec![2, 3]]);
    assert!(chosen(CLUSTER, &["not a - -"], "a", "z").iter().all(Vec::is_empty));
}

#[test]
fn traffic_kept_on_the_node_falls_back_by_itself() {
    let spread = ["ready b - -", "ending a - -", "ready c - -"];
    let [cluster, local, reachable] = chosen(EXTERNAL_LOCAL, &spread, "a", "z");
    assert_eq!((cluster, local, reachable), (vec![1, 3], vec![2], vec![1, 2, 3]));
    let [cluster, local, _] = chosen(EXTERNAL_LOCAL, &spread, "d", "z");
    assert_eq!((cluster, local), (vec![1, 3], vec![]));
}

#[test]
fn hints_count_when_every_ready_endpoint_has_one_and_one_is_meant_for_here() {
    let zones = ["ready a z1 -", "ready b z2 -", "ready c z2 -", "not d - -"];
    assert_eq!(chosen(CLUSTER, &zones, "a", "z2")[0], [2, 3]);
    assert_eq!(chosen(CLUSTER, &zones, "a", "z3")[0], [1, 2, 3], "nobody means this zone");
    let missing = ["ready a z1 -", "ready b - -"];
    assert_eq!(chosen(CLUSTER, &missing, "a", "z1")[0], [1, 2], "one has no hint");
    let nodes = ["ready a z1 a", "ready b z1 b", "ready c z1 c"];
    assert_eq!(chosen(CLUSTER, &nodes, "b", "z1")[0], [2]);
    assert_eq!(chosen(CLUSTER, &nodes, "x", "z1")[0], [1, 2, 3], "zones, where no node is meant");
}

#[test]
fn endpoints_come_in_the_order_of_their_texts() {
    let mut names = Interner::new();
    let slice = |addresses: &[&str]| {
        let endpoints: Vec<String> =
            addresses.iter().map(|address| format!(r#"{{"addresses":["{address}"]}}"#)).collect();
        let text = format!(
            r#"{{"addressType":"IPv4","ports":[{{"port":80}}],"endpoints":[{}]}}"#,
            endpoints.join(",")
        );
        Value::from_json(&text).unwrap()
    };
    let slices = [slice(&["10.0.0.9", "10.0.0.10"]), slice(&["10.0.0.2", "010.0.0.009"])];
    let found = port_endpoints(slices.iter(), Family::V4, &mut names);
    let texts: Vec<String> =
        found.into_values().flatten().map(|endpoint| endpoint.socket().to_string()).collect();
    assert_eq!(texts, ["10.0.0.10:80", "10.0.0.2:80", "10.0.0.9:80"]);
}

#[test]
fn an_endpoint_fits_64_bytes() {
    assert!(size_of::<super::Endpoint>() <= 64, "{}", size_of::<super::Endpoint>());
}
