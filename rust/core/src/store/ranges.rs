//! Where a cluster's addresses come from: Services, pods, nodes and the API server.
//!
//! What `kube-apiserver` and `kube-controller-manager` are told by flags. The order of the
//! service ranges is the order of families: the first is the one of Services that ask for none.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::ip::{Cidr, Family, parse_cidr, parse_ip};

/// The fewest addresses a service range has.
const SERVICE_MIN: u128 = 8;
/// The shortest prefix of an IPv6 service range.
const SERVICE_PREFIX_MIN: u8 = 64;
/// How large a node's block of IPv6 pod addresses is.
const NODE_PREFIX_V6: u8 = 64;

/// The ranges of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// Of Services, one or one per family; `--service-cluster-ip-range`.
    pub services: Vec<Cidr>,
    /// Of pods, one or one per family; `--cluster-cidr`.
    pub pods: Vec<PodRange>,
    /// Of nodes, for the families pods have.
    pub nodes: Vec<Cidr>,
    /// Of the API server; `--advertise-address`.
    pub api_server: IpAddr,
}

/// Where nodes get their blocks of pod addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodRange {
    /// All blocks lie in here.
    pub cidr: Cidr,
    /// The length of a block's prefix; `None`: just large enough for the node's pods.
    pub node_prefix_len: Option<u8>,
}

/// The ranges as somebody writes them; what is empty has a default.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// One block or two, separated by a comma.
    pub services: String,
    /// The same.
    pub pods: String,
    /// The same.
    pub nodes: String,
    /// Lengths of the prefixes of nodes' pod blocks, in the order of `pods`.
    pub node_prefix_lens: Vec<u8>,
    /// An address.
    pub api_server: String,
}

impl Default for Ranges {
    fn default() -> Self {
        Self::read(&Given::default()).expect("the defaults are sound")
    }
}

impl Ranges {
    /// Reads what was written.
    ///
    /// # Errors
    /// A sentence about what makes no sense.
    pub fn read(given: &Given) -> Result<Self, String> {
        let services = read_list("service_cidr", &given.services, &[default_services()])?;
        services.iter().try_for_each(|range| check_services(*range))?;
        let families: Vec<Family> = services.iter().map(|range| range.family()).collect();
        let by_default: Vec<Cidr> = families.iter().map(|family| default_pods(*family)).collect();
        let pods = read_list("pod_cidr", &given.pods, &by_default)?;
        let by_default: Vec<Cidr> =
            pods.iter().map(|range| default_nodes(range.family())).collect();
        let nodes = read_list("node_cidr", &given.nodes, &by_default)?;
        let lengths = &given.node_prefix_lens;
        if lengths.len() > pods.len() {
            let count = lengths.len();
            return Err(format!(
                "node_cidr_mask_size: {count} sizes for {} pod ranges",
                pods.len()
            ));
        }
        let pods: Result<Vec<PodRange>, String> = pods
            .iter()
            .enumerate()
            .map(|(at, cidr)| pod_range(*cidr, lengths.get(at).copied()))
            .collect();
        let api_server = read_api_server(&given.api_server, services[0])?;
        Ok(Self { services, pods: pods?, nodes, api_server })
    }

    /// The families Services can have, the one of Services that ask for none first.
    pub fn service_families(&self) -> impl Iterator<Item = Family> {
        self.services.iter().map(|range| range.family())
    }

    /// The families pods and nodes have, in the order their addresses are listed.
    pub fn pod_families(&self) -> impl Iterator<Item = Family> {
        self.pods.iter().map(|range| range.cidr.family())
    }

    /// The range of pods in a family, if they have addresses of it.
    pub fn pods_of(&self, family: Family) -> Option<PodRange> {
        self.pods.iter().copied().find(|range| range.cidr.family() == family)
    }

    /// The address of the `kubernetes` Service: the first of the first range.
    pub fn kubernetes(&self) -> IpAddr {
        let range = self.services[0];
        range.family().address(range.bounds().0 + 1)
    }
}

fn default_services() -> Cidr {
    block("10.96.0.0/12")
}

fn default_pods(family: Family) -> Cidr {
    match family {
        Family::V4 => block("10.0.0.0/8"),
        Family::V6 => block("fd00:10:200::/40"),
    }
}

fn default_nodes(family: Family) -> Cidr {
    match family {
        Family::V4 => block("172.16.0.0/12"),
        Family::V6 => block("fd00:172:16::/64"),
    }
}

fn default_api_server(family: Family) -> &'static str {
    match family {
        Family::V4 => "192.168.0.10",
        Family::V6 => "fd00:192:168::10",
    }
}

fn block(text: &str) -> Cidr {
    parse_cidr(text).expect("a block of ours")
}

/// One block, or two of different families.
fn read_list(option: &str, text: &str, by_default: &[Cidr]) -> Result<Vec<Cidr>, String> {
    if text.trim().is_empty() {
        return Ok(by_default.to_vec());
    }
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    if parts.len() > 2 {
        return Err(format!("{option}: {text:?}: must not contain more than two entries"));
    }
    let blocks: Result<Vec<Cidr>, String> = parts
        .iter()
        .map(|part| {
            let found = parse_cidr(part).ok_or_else(|| {
                format!(
                    "{option}: {part:?}: must be a valid CIDR value, (e.g. 10.9.8.0/24 or \
                     2001:db8::/64)"
                )
            })?;
            Ok(Cidr { address: found.network(), ..found })
        })
        .collect();
    let blocks = blocks?;
    if let [first, second] = blocks[..]
        && first.family() == second.family()
    {
        return Err(format!("{option}[0] and {option}[1] must be of different IP family"));
    }
    Ok(blocks)
}

fn check_services(range: Cidr) -> Result<(), String> {
    let (first, last) = range.bounds();
    if last - first < SERVICE_MIN - 1 {
        return Err(format!(
            "service_cidr: \"{range}\": the service cluster IP range must be at least \
             {SERVICE_MIN} IP addresses"
        ));
    }
    if range.family() == Family::V6 && range.prefix_len < SERVICE_PREFIX_MIN {
        return Err(format!(
            "service_cidr: \"{range}\": shortest allowed prefix length for service CIDR is \
             {SERVICE_PREFIX_MIN}, got {}",
            range.prefix_len
        ));
    }
    Ok(())
}

fn pod_range(cidr: Cidr, wanted: Option<u8>) -> Result<PodRange, String> {
    let (shortest, bits) = (cidr.prefix_len, cidr.family().bits());
    let longest = bits - 3;
    let by_default = (cidr.family() == Family::V6)
        .then(|| NODE_PREFIX_V6.clamp(shortest, longest.max(shortest)));
    let node_prefix_len = match wanted {
        None => by_default,
        Some(length) if (shortest..=longest).contains(&length) => Some(length),
        Some(length) => {
            return Err(format!(
                "node_cidr_mask_size: {length}: must be within the range [{shortest}, {longest}] \
                 for the pod range {cidr}"
            ));
        }
    };
    Ok(PodRange { cidr, node_prefix_len })
}

fn read_api_server(text: &str, services: Cidr) -> Result<IpAddr, String> {
    let text = if text.is_empty() { default_api_server(services.family()) } else { text };
    let address = parse_ip(text).ok_or_else(|| {
        format!(
            "api_server: {text:?}: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        )
    })?;
    if Family::of(address) != services.family() {
        return Err(format!(
            "api_server: service IP family \"{services}\" must match public address family \
             \"{address}\""
        ));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::{Given, Ranges};

    fn read(services: &str, pods: &str) -> Result<Ranges, String> {
        Ranges::read(&Given { services: services.into(), pods: pods.into(), ..Given::default() })
    }

    #[test]
    fn each_family_of_services_has_ranges_of_pods_and_nodes() {
        let ranges = read("fd00:10:96::/112,10.96.0.0/16", "").unwrap();
        assert_eq!(ranges.kubernetes().to_string(), "fd00:10:96::1");
        assert_eq!(ranges.api_server.to_string(), "fd00:192:168::10");
        let pods: Vec<String> = ranges.pods.iter().map(|range| range.cidr.to_string()).collect();
        assert_eq!(pods, ["fd00:10:200::/40", "10.0.0.0/8"]);
        assert_eq!(ranges.nodes.len(), 2);
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused_in_one_sentence() {
        for (services, pods, sentence) in [
            (
                "bad",
                "",
                "service_cidr: \"bad\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
            ),
            (
                "10.96.0.0/16,10.97.0.0/16",
                "",
                "service_cidr[0] and service_cidr[1] must be of different IP family",
            ),
            (
                "10.96.0.0/30",
                "",
                "service_cidr: \"10.96.0.0/30\": the service cluster IP range must be at least 8 IP addresses",
            ),
            (
                "fd00::/60",
                "",
                "service_cidr: \"fd00::/60\": shortest allowed prefix length for service CIDR is 64, got 60",
            ),
            (
                "",
                "10.0.0.0/8,fd00::/48,fd01::/48",
                "pod_cidr: \"10.0.0.0/8,fd00::/48,fd01::/48\": must not contain more than two entries",
            ),
        ] {
            assert_eq!(read(services, pods).unwrap_err(), sentence);
        }
        let given = Given { api_server: "fd00::1".into(), ..Given::default() };
        assert_eq!(
            Ranges::read(&given).unwrap_err(),
            "api_server: service IP family \"10.96.0.0/12\" must match public address family \"fd00::1\""
        );
    }
}
