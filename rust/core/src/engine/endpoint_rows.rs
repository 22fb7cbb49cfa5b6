//! Endpoints as answers name them: by service, pod, node and zone.

use std::collections::BTreeMap;

use super::World;
use crate::base::Value;
use crate::base::ip::parse_ip;
use crate::labels::Labels;
use crate::net::Family;
use crate::net::table::slices_of;

/// An endpoint, as answers name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointRow {
    /// `namespace/name:port` of the service port.
    pub service: String,
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// The name of its pod, which is in the Service's namespace; empty without.
    pub pod: String,
    /// Its node; empty without.
    pub node: String,
    /// That node's zone; empty without.
    pub zone: String,
}

impl World {
    /// The endpoints of service ports, in the order of their numbers.
    pub fn endpoint_rows(&self, family: Family, ports: &[u32]) -> Vec<EndpointRow> {
        ports.iter().flat_map(|port| self.rows_of(family, *port)).collect()
    }

    fn rows_of(&self, family: Family, port: u32) -> Vec<EndpointRow> {
        let table = self.router.table(family);
        let (service, source) = table.source(port);
        let pods = self.pods_behind(&service.namespace, &service.name);
        table
            .in_arena_order(port)
            .map(|endpoint| {
                let address = endpoint.address.to_string();
                let node = endpoint.node.map_or("", |node| self.routes.name(node));
                EndpointRow {
                    service: source.service.name.to_string(),
                    pod: pods.get(&address).cloned().unwrap_or_default(),
                    zone: self.zone_of(node),
                    node: node.to_owned(),
                    port: endpoint.port,
                    address,
                }
            })
            .collect()
    }

    /// The pods a Service's slices name, by address.
    fn pods_behind(&self, namespace: &str, name: &str) -> BTreeMap<String, String> {
        let store = &self.store;
        let Some(service) = store.find(store.kinds.service, Some(namespace), name) else {
            return BTreeMap::new();
        };
        let body = store.body(service).expect("it was just found");
        let slices = slices_of(store, body, name);
        let endpoints = slices.iter().flat_map(|(_, slice)| slice.list_at(&["endpoints"]));
        endpoints
            .filter_map(|endpoint| {
                let pod = endpoint.str_at(&["targetRef", "name"])?;
                let address = endpoint.list_at(&["addresses"]).first().and_then(Value::as_str)?;
                let address = parse_ip(address)?.to_canonical();
                Some((address.to_string(), pod.to_owned()))
            })
            .collect()
    }

    fn zone_of(&self, node: &str) -> String {
        let id = self.store.find(self.store.kinds.node, None, node);
        let labels =
            id.and_then(|id| self.store.body(id)).map(|body| self.store.sets.get(body.labels));
        let zone =
            labels.as_ref().and_then(|labels| labels.value_of("topology.kubernetes.io/zone"));
        zone.unwrap_or_default().to_owned()
    }
}
