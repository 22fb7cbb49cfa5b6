//! The order in which nodes are looked at: zones take turns.
//!
//! Zones stand in order of their first node, nodes of a zone in order of arrival. The list takes
//! the first node of every zone, then the second of every zone, and so on, so that a search
//! that stops early has seen all zones alike.

use serde::{Deserialize, Serialize};

use super::nodes::NodeId;
use crate::base::Text;
use crate::labels::Labels;

/// Nodes by zone; see the module header.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Zones {
    zones: Vec<(Text, Vec<NodeId>)>,
}

impl Zones {
    /// Adds a node at the end of its zone.
    pub fn add(&mut self, zone: &Text, node: NodeId) {
        match self.zones.iter_mut().find(|(name, _)| name == zone) {
            Some((_, nodes)) => nodes.push(node),
            None => self.zones.push((zone.clone(), vec![node])),
        }
    }

    /// Removes a node; a zone that lost its last one loses its place.
    pub fn remove(&mut self, zone: &Text, node: NodeId) {
        let Some(at) = self.zones.iter().position(|(name, _)| name == zone) else { return };
        self.zones[at].1.retain(|have| *have != node);
        if self.zones[at].1.is_empty() {
            self.zones.remove(at);
        }
    }

    /// Every node, zones taking turns.
    pub fn order(&self) -> Vec<NodeId> {
        let longest = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
        (0..longest)
            .flat_map(|at| self.zones.iter().filter_map(move |(_, nodes)| nodes.get(at).copied()))
            .collect()
    }

    /// Every node, zone by zone.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.zones.iter().flat_map(|(_, nodes)| nodes.iter().copied())
    }
}

/// A node's zone: region and zone, the labels of old taking precedence; empty without either.
pub fn zone_key<L: Labels + ?Sized>(labels: &L) -> Text {
    let first = |keys: [&str; 2]| keys.iter().find_map(|key| labels.value_of(key)).unwrap_or("");
    let region =
        first(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]);
    let zone = first(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]);
    if region.is_empty() && zone.is_empty() {
        return Text::default();
    }
    format!("{region}:\0:{zone}").into()
}

#[cfg(test)]
mod tests {
    use super::{NodeId, Zones, zone_key};

    #[test]
    fn zones_take_turns_and_lose_their_place_when_empty() {
        let mut zones = Zones::default();
        for (node, zone) in ["a", "b", "a", "a", "c", "b"].into_iter().enumerate() {
            zones.add(&zone.into(), NodeId::new(node));
        }
        let order = |zones: &Zones| zones.order().iter().map(|id| id.index()).collect::<Vec<_>>();
        assert_eq!(order(&zones), [0, 1, 4, 2, 5, 3]);
        zones.remove(&"a".into(), NodeId::new(0));
        assert_eq!(order(&zones), [2, 1, 4, 3, 5]);
        zones.remove(&"b".into(), NodeId::new(1));
        zones.remove(&"b".into(), NodeId::new(5));
        zones.add(&"b".into(), NodeId::new(7));
        assert_eq!(order(&zones), [2, 4, 7, 3], "zone b came back last");
    }

    #[test]
    fn the_labels_of_old_take_precedence() {
        let key = |labels: &[(&str, &str)]| zone_key(labels).replace('\0', "");
        assert_eq!(key(&[]), "");
        assert_eq!(key(&[("topology.kubernetes.io/zone", "z")]), "::z");
        assert_eq!(
            key(&[
                ("topology.kubernetes.io/zone", "z"),
                ("topology.kubernetes.io/region", "r"),
                ("failure-domain.beta.kubernetes.io/zone", "old"),
            ]),
            "r::old"
        );
    }
}
