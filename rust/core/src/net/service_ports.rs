//! What a Service asks of every node, compiled: one [`ServicePort`] per port and family.
//!
//! Headless Services and those of type ExternalName ask nothing, and neither does a Service
//! without an address of the family. Addresses and ranges are read as leniently as kube-proxy
//! reads stored objects, leading zeros and all, and those of the other family are left out.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::rules::chain::ChainHash;
pub use crate::base::ip::Family;
use crate::base::ip::{Cidr, parse_cidr, parse_ip};
use crate::base::{Text, Value};

/// A protocol a Service can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The protocol of an API object; one that is not said is TCP.
    pub fn read(text: Option<&str>) -> Self {
        match text {
            Some("UDP") => Self::Udp,
            Some("SCTP") => Self::Sctp,
            _ => Self::Tcp,
        }
    }

    /// The word in rules: small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// One port of one Service in one family.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    /// `namespace/name`, and `:port` if the port has a name.
    pub name: Text,
    /// The port's own name; endpoints are looked up by it.
    pub port_name: Text,
    /// The protocol.
    pub protocol: Protocol,
    /// The cluster IP.
    pub cluster_ip: IpAddr,
    /// The port at every address but a node's.
    pub port: u16,
    /// The port at the nodes' addresses; 0 for none.
    pub node_port: u16,
    /// `spec.externalIPs`.
    pub external_ips: Vec<IpAddr>,
    /// Addresses of the load balancer that it leaves on the packets it passes on.
    pub load_balancer_vips: Vec<IpAddr>,
    /// Who may use those; everybody when empty.
    pub source_ranges: Vec<Cidr>,
    /// How long a client stays with an endpoint; `None` without session affinity.
    pub affinity_seconds: Option<i64>,
    /// Where load balancers ask whether this node has endpoints; 0 for none.
    pub health_check_node_port: u16,
    /// External traffic goes to endpoints of the node it arrives at.
    pub external_policy_local: bool,
    /// Traffic to the cluster IP goes to endpoints of the node it comes from.
    pub internal_policy_local: bool,
    /// What names the port's chains.
    pub hash: ChainHash,
}

impl ServicePort {
    /// Whether anything but the cluster IP leads to the port.
    pub fn externally_accessible(&self) -> bool {
        self.node_port != 0 || !self.load_balancer_vips.is_empty() || !self.external_ips.is_empty()
    }

    /// The addresses that lead to the port, but for the nodes' own.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let others = self.external_ips.iter().chain(&self.load_balancer_vips);
        others.copied().chain([self.cluster_ip])
    }

    /// Whether a packet to an address and port may be for it; any address may be a node's.
    pub fn answers_at(&self, to: SocketAddr) -> bool {
        self.node_port == to.port()
            || (self.port == to.port() && self.addresses().any(|address| address == to.ip()))
    }

    /// Whether any traffic may go to endpoints of all nodes. Traffic of this node's own pods to
    /// an external address does, whatever the external policy.
    pub fn uses_cluster_endpoints(&self) -> bool {
        !self.internal_policy_local || self.externally_accessible()
    }

    /// Whether any traffic is kept on the node.
    pub fn uses_local_endpoints(&self) -> bool {
        self.internal_policy_local || (self.external_policy_local && self.externally_accessible())
    }
}

/// `ClusterIP:port/protocol`, as logs name it.
impl fmt::Display for ServicePort {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}/{}", self.cluster_ip, self.port, self.protocol.name())
    }
}

/// What a port is known by within its Service.
pub type PortKey = (Text, Protocol);

/// The ports of a Service in a family, by name and protocol; of equal ones the last counts.
pub fn service_ports(
    namespace: &str,
    name: &str,
    spec: &Value,
    status: &Value,
    family: Family,
) -> BTreeMap<PortKey, ServicePort> {
    let mut ports = BTreeMap::new();
    let Some(cluster_ip) = cluster_ip(spec, family) else { return ports };
    let full_name = format!("{namespace}/{name}");
    let shared = shared(spec, status, family, cluster_ip);
    for port in spec.list_at(&["ports"]) {
        let port_name: Text = port.str_at(&["name"]).unwrap_or_default().into();
        let protocol = Protocol::read(port.str_at(&["protocol"]));
        let mut text = Text::from(full_name.as_str());
        if !port_name.is_empty() {
            text.push(':');
            text.push_str(&port_name);
        }
        let compiled = ServicePort {
            hash: ChainHash::of_service_port(&text, protocol),
            name: text,
            port_name: port_name.clone(),
            protocol,
            port: number(port, "port"),
            node_port: number(port, "nodePort"),
            ..shared.clone()
        };
        ports.insert((port_name, protocol), compiled);
    }
    ports
}

/// What all ports of a Service have in common.
fn shared(spec: &Value, status: &Value, family: Family, cluster_ip: IpAddr) -> ServicePort {
    let kind = spec.str_at(&["type"]).unwrap_or("ClusterIP");
    let external_ips = addresses(spec.list_at(&["externalIPs"]).iter(), family);
    let is_external = matches!(kind, "LoadBalancer" | "NodePort")
        || (kind == "ClusterIP" && !spec.list_at(&["externalIPs"]).is_empty());
    let external_policy_local =
        is_external && spec.str_at(&["externalTrafficPolicy"]) == Some("Local");
    let affinity_seconds = (spec.str_at(&["sessionAffinity"]) == Some("ClientIP")).then(|| {
        let path = ["sessionAffinityConfig", "clientIP", "timeoutSeconds"];
        spec.int_at(&path).unwrap_or(10_800)
    });
    let checked = kind == "LoadBalancer" && external_policy_local;
    let health_check_node_port = if checked { number(spec, "healthCheckNodePort") } else { 0 };
    let ingress = status.list_at(&["loadBalancer", "ingress"]).iter();
    let vips = ingress
        .filter(|ingress| matches!(ingress.str_at(&["ipMode"]), None | Some("VIP")))
        .filter_map(|ingress| ingress.get("ip"));
    ServicePort {
        name: Text::default(),
        port_name: Text::default(),
        protocol: Protocol::Tcp,
        cluster_ip,
        port: 0,
        node_port: 0,
        external_ips,
        load_balancer_vips: addresses(vips, family),
        source_ranges: source_ranges(spec, family),
        affinity_seconds,
        health_check_node_port,
        external_policy_local,
        internal_policy_local: spec.str_at(&["internalTrafficPolicy"]) == Some("Local"),
        hash: ChainHash::default(),
    }
}

/// The Service's address in a family, unless it is one that gets no rules.
fn cluster_ip(spec: &Value, family: Family) -> Option<IpAddr> {
    let first = spec.str_at(&["clusterIP"]).unwrap_or_default();
    if matches!(first, "" | "None") || spec.str_at(&["type"]) == Some("ExternalName") {
        return None;
    }
    let families = spec.list_at(&["ipFamilies"]);
    if families.is_empty() {
        return canonical(first).filter(|address| Family::of(*address) == family);
    }
    let at = families.iter().position(|known| known.as_str() == Some(family.name()))?;
    canonical(spec.list_at(&["clusterIPs"]).get(at)?.as_str()?)
}

/// An address, without the clothes of the other family.
pub fn canonical(text: &str) -> Option<IpAddr> {
    parse_ip(text).map(|address| address.to_canonical())
}

fn addresses<'a>(texts: impl Iterator<Item = &'a Value>, family: Family) -> Vec<IpAddr> {
    texts
        .filter_map(|text| canonical(text.as_str()?))
        .filter(|address| Family::of(*address) == family)
        .collect()
}

/// The ranges of a family; one that holds every address says as much as none.
fn source_ranges(spec: &Value, family: Family) -> Vec<Cidr> {
    let ranges = spec.list_at(&["loadBalancerSourceRanges"]).iter();
    let ranges: Vec<Cidr> = ranges
        .filter_map(|range| parse_cidr(range.as_str()?.trim()))
        .filter(|range| Family::of(range.address) == family)
        .collect();
    if ranges.iter().any(|range| range.prefix_len == 0) { Vec::new() } else { ranges }
}

fn number(object: &Value, field: &str) -> u16 {
    object.int_at(&[field]).and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Family, Protocol, service_ports};
    use crate::base::Value;

    fn ports(spec: &str, status: &str, family: Family) -> Vec<super::ServicePort> {
        let (spec, status) = (Value::from_json(spec).unwrap(), Value::from_json(status).unwrap());
        service_ports("shop", "web", &spec, &status, family).into_values().collect()
    }

    #[test]
    fn a_service_without_an_address_of_its_own_has_no_ports() {
        for spec in [
            r#"{"clusterIP":"None","ports":[{"port":80}]}"#,
            r#"{"clusterIP":"","ports":[{"port":80}]}"#,
            r#"{"type":"ExternalName","clusterIP":"10.96.0.9","ports":[{"port":80}]}"#,
            r#"{"clusterIP":"fd00::9","ports":[{"port":80}]}"#,
            r#"{"clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9"],"ipFamilies":["IPv6"]}"#,
        ] {
            assert_eq!(ports(spec, "{}", Family::V4), [], "{spec}");
        }
    }

    #[test]
    fn each_family_gets_its_own_addresses() {
        let spec = r#"{"type":"LoadBalancer","clusterIP":"10.96.0.9",
            "clusterIPs":["10.96.0.9","fd00::9"],"ipFamilies":["IPv4","IPv6"],
            "externalIPs":["192.168.099.022","2001:db8:0::7"],
            "loadBalancerSourceRanges":[" 203.0.113.0/25 ","::/0","fd00::/64"],
            "ports":[{"name":"http","port":80,"nodePort":30080}]}"#;
        let status = r#"{"loadBalancer":{"ingress":[{"ip":"1.2.3.004"},
            {"ip":"5.6.7.8","ipMode":"Proxy"},{"hostname":"lb"},{"ip":"2001:db8::1","ipMode":"VIP"}]}}"#;
        let four = ports(spec, status, Family::V4).remove(0);
        assert_eq!(four.name, "shop/web:http");
        assert_eq!(four.to_string(), "10.96.0.9:80/tcp");
        assert_eq!(four.external_ips, ["192.168.99.22".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(four.load_balancer_vips, ["1.2.3.4".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(four.source_ranges[0].to_string(), "203.0.113.0/25");
        let six = ports(spec, status, Family::V6).remove(0);
        assert_eq!(six.cluster_ip.to_string(), "fd00::9");
        assert_eq!(six.external_ips[0].to_string(), "2001:db8::7");
        assert!(six.source_ranges.is_empty(), "::/0 lets everybody in");
        assert_eq!(six.hash, four.hash, "families share the names of chains");
    }

    #[test]
    fn ports_of_one_name_are_told_apart_by_protocol() {
        let spec = r#"{"clusterIP":"10.96.0.9","ports":[{"name":"dns","port":53,"protocol":"UDP"},
            {"name":"dns","port":53},{"name":"dns","port":54}]}"#;
        let found = ports(spec, "{}", Family::V4);
        let seen: Vec<_> = found.iter().map(|port| (port.protocol, port.port)).collect();
        assert_eq!(seen, [(Protocol::Tcp, 54), (Protocol::Udp, 53)]);
    }
}
