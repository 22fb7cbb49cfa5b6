//! Names of chains: a few fixed ones, and those of service ports and endpoints, which carry
//! sixteen symbols of a hash because the kernel allows no more than 28 in all.

use std::fmt;

use data_encoding::BASE32;
use sha2::{Digest, Sha256};

use crate::net::service_ports::Protocol;

/// The sixteen symbols that name the chains of a service port or endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainHash([u8; 16]);

impl ChainHash {
    /// The hash of a service port, by `namespace/name:port`.
    pub fn of_service_port(name: &str, protocol: Protocol) -> Self {
        Self::of(&[name, protocol.name()])
    }

    /// The hash of one of its endpoints, by `address:port`.
    pub fn of_endpoint(name: &str, protocol: Protocol, endpoint: &str) -> Self {
        Self::of(&[name, protocol.name(), endpoint])
    }

    /// SHA-256 of the parts, one after the other; ten bytes of it are sixteen symbols.
    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.as_bytes());
        }
        let mut symbols = [0; 16];
        BASE32.encode_mut(&hash.finalize()[..10], &mut symbols);
        Self(symbols)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).expect("symbols of base 32")
    }
}

/// A chain. Chains order as their names do, within a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain {
    prefix: &'static str,
    hash: Option<ChainHash>,
}

impl Chain {
    /// Where packets to services enter.
    pub const SERVICES: Self = Self::fixed("KUBE-SERVICES");
    /// Refusals at addresses outside the cluster's range.
    pub const EXTERNAL_SERVICES: Self = Self::fixed("KUBE-EXTERNAL-SERVICES");
    /// Node ports, and in the filter table ports of health checks.
    pub const NODE_PORTS: Self = Self::fixed("KUBE-NODEPORTS");
    /// Where marked packets get another source.
    pub const POSTROUTING: Self = Self::fixed("KUBE-POSTROUTING");
    /// Marks a packet to be masqueraded.
    pub const MARK_MASQ: Self = Self::fixed("KUBE-MARK-MASQ");
    /// What may be forwarded.
    pub const FORWARD: Self = Self::fixed("KUBE-FORWARD");
    /// Drops what a load balancer's source ranges do not let in.
    pub const PROXY_FIREWALL: Self = Self::fixed("KUBE-PROXY-FIREWALL");
    /// Keeps strangers from addresses of the loopback.
    pub const FIREWALL: Self = Self::fixed("KUBE-FIREWALL");

    /// The kernel's own: packets that come in.
    pub const PREROUTING: Self = Self::fixed("PREROUTING");
    /// The kernel's own: packets for the node itself.
    pub const INPUT: Self = Self::fixed("INPUT");
    /// The kernel's own: packets that pass through.
    pub const FORWARD_HOOK: Self = Self::fixed("FORWARD");
    /// The kernel's own: packets of the node's processes.
    pub const OUTPUT: Self = Self::fixed("OUTPUT");
    /// The kernel's own: packets that leave.
    pub const POSTROUTING_HOOK: Self = Self::fixed("POSTROUTING");

    const fn fixed(name: &'static str) -> Self {
        Self { prefix: name, hash: None }
    }

    /// The chain of a service port for endpoints anywhere.
    pub fn cluster(hash: ChainHash) -> Self {
        Self { prefix: "KUBE-SVC-", hash: Some(hash) }
    }

    /// The chain of a service port for endpoints on the node.
    pub fn local(hash: ChainHash) -> Self {
        Self { prefix: "KUBE-SVL-", hash: Some(hash) }
    }

    /// The chain of a service port for traffic to any address but the cluster IP.
    pub fn external(hash: ChainHash) -> Self {
        Self { prefix: "KUBE-EXT-", hash: Some(hash) }
    }

    /// The chain of a service port for a load balancer with source ranges.
    pub fn firewall(hash: ChainHash) -> Self {
        Self { prefix: "KUBE-FW-", hash: Some(hash) }
    }

    /// The chain of an endpoint.
    pub fn endpoint(hash: ChainHash) -> Self {
        Self { prefix: "KUBE-SEP-", hash: Some(hash) }
    }

    /// Whether the chain belongs to a service port or an endpoint.
    pub fn is_of_service(self) -> bool {
        self.hash.is_some()
    }

    /// Appends the name.
    pub fn write(self, text: &mut String) {
        text.push_str(self.prefix);
        if let Some(hash) = &self.hash {
            text.push_str(hash.text());
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut text = String::with_capacity(32);
        self.write(&mut text);
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Chain, ChainHash};
    use crate::net::service_ports::Protocol;

    #[test]
    fn chains_have_the_names_kube_proxy_gives_them() {
        let hash = ChainHash::of_service_port("ns1/svc1:p80", Protocol::Tcp);
        assert_eq!(Chain::cluster(hash).to_string(), "KUBE-SVC-XPGD46QRK7WJZT7O");
        let hash = ChainHash::of_endpoint("ns1/svc1:p80", Protocol::Tcp, "10.180.0.1:80");
        assert_eq!(Chain::endpoint(hash).to_string(), "KUBE-SEP-SXIVWICOYRO3J4NJ");
        let hash = ChainHash::of_service_port("default/kubernetes:https", Protocol::Tcp);
        assert_eq!(Chain::cluster(hash).to_string(), "KUBE-SVC-NPX46M4PTMTKRN6Y");
    }
}
