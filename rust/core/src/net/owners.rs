//! Which Services an address belongs to: a question a person asks, not one for every packet.

use std::net::IpAddr;

use crate::base::ip::parse_ip;
use crate::base::{Text, Value};
use crate::store::{Body, Store};

/// Namespace and name of the Services with an address, in order: as a cluster IP, an external IP
/// or that of their load balancer.
pub fn services_at(store: &Store, address: IpAddr) -> Vec<(Text, Text)> {
    let rows = store.table(store.kinds.service).iter();
    let mut found: Vec<(Text, Text)> = rows
        .filter_map(|(_, row)| {
            let body = row.body.as_deref().filter(|body| has(body, address))?;
            let namespace = body.namespace.map_or("", |id| store.strings.text(id));
            Some((namespace.into(), row.name.text(&store.strings)))
        })
        .collect();
    found.sort_unstable();
    found
}

fn has(service: &Body, address: IpAddr) -> bool {
    let is_it = |text: &Value| text.as_str().and_then(parse_ip) == Some(address);
    let list = |name: &str| {
        let list = service.at(&["spec", name]).and_then(Value::as_list);
        list.unwrap_or_default().iter().any(is_it)
    };
    list("clusterIPs")
        || list("externalIPs")
        || service.at(&["spec", "clusterIP"]).is_some_and(is_it)
        || service
            .status
            .list_at(&["loadBalancer", "ingress"])
            .iter()
            .any(|entry| entry.get("ip").is_some_and(is_it))
}
