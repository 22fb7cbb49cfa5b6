//! Hints: for which zones and nodes an endpoint is meant.
//!
//! `trafficDistribution` hints every ready endpoint at where it is. The annotation
//! `service.kubernetes.io/topology-mode: Auto` gives each zone as many endpoints as its share of
//! the CPUs; where that would overload some endpoint by more than a fifth, nobody is hinted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::group::Group;
use super::slice::{Entry, Need, Slice};
use super::topology::{Allocation, Topology};
use crate::base::{Map, Text, Value};
use crate::store::Body;

/// How the endpoints of a Service are hinted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Not at all.
    #[default]
    None,
    /// At their own zone.
    Zone,
    /// At their own zone and node.
    Node,
    /// At zones in proportion to their CPUs.
    Auto,
}

impl Mode {
    /// What a Service asks for; the annotations come before the field.
    pub fn of(service: &Body) -> Self {
        let old = service.annotation("service.kubernetes.io/topology-aware-hints");
        let annotation = old.or_else(|| service.annotation("service.kubernetes.io/topology-mode"));
        if matches!(annotation, Some("Auto" | "auto")) {
            return Self::Auto;
        }
        match service.at(&["spec", "trafficDistribution"]).and_then(Value::as_str) {
            Some("PreferClose" | "PreferSameZone") => Self::Zone,
            Some("PreferSameNode") => Self::Node,
            _ => Self::None,
        }
    }
}

/// How many endpoints are hinted at each zone.
pub type Zones = BTreeMap<Text, usize>;

/// Why there are no hints, where nothing is wrong with the nodes.
const NO_ZONE: &str = "One or more endpoints do not have a zone specified";
const NO_HINTS: &str = "No hints allocated for zones";

impl Group {
    /// Takes all hints away.
    pub fn remove_hints(&mut self, only_written: bool) {
        self.set_hints(only_written, |_| Some(None));
    }

    /// Hints ready endpoints at where they are.
    pub fn hint_close(&mut self, only_written: bool, with_node: bool) {
        self.set_hints(only_written, |entry| {
            let mut hints = Map::new();
            if let Some(zone) = entry.place("zone") {
                hints.insert("forZones", names(zone));
            }
            if let Some(node) = entry.place("nodeName").filter(|_| with_node) {
                hints.insert("forNodes", names(node));
            }
            entry.ready.then(|| (!hints.is_empty()).then(|| hints.into()))
        });
    }

    /// Sets the hints of the endpoints for which `wanted` says some, in every slice that stays
    /// or in those that are written anyway.
    fn set_hints(&mut self, only_written: bool, wanted: impl Fn(&Entry) -> Option<Option<Value>>) {
        let concerned = |slice: &&mut Slice| match slice.need {
            Need::Nothing => !only_written,
            Need::Write => true,
            Need::Delete => false,
        };
        for slice in self.slices.iter_mut().filter(concerned) {
            for entry in &mut slice.entries {
                if let Some(hints) = wanted(entry).filter(|hints| *hints != entry.hints) {
                    entry.hints = hints;
                    slice.need = Need::Write;
                }
            }
        }
    }

    /// Hints endpoints at zones in proportion to their CPUs; says how many are hinted at each.
    ///
    /// # Errors
    /// Why that cannot be. All hints are gone then.
    pub fn hint_by_share(&mut self, topology: &Topology) -> Result<Zones, String> {
        let hinted = self.try_hint_by_share(topology);
        if hinted.is_err() {
            self.remove_hints(false);
        }
        hinted
    }

    fn try_hint_by_share(&mut self, topology: &Topology) -> Result<Zones, String> {
        let staying = self.slices.iter().filter(|slice| slice.need != Need::Delete);
        let ready = staying.flat_map(|slice| &slice.entries).filter(|entry| entry.ready).count();
        let allocations = topology.allocations(ready)?;
        let (mut zones, turned) = self.keep_good(&allocations);
        let order = self.in_turn(&turned);
        for at in &order {
            for entry in self.slices[*at].entries.iter_mut().filter(|entry| entry.ready) {
                let zone: Text = entry.place("zone").ok_or(NO_ZONE)?.into();
                entry.hints = Some(for_zone(&zone));
                *zones.entry(zone).or_default() += 1;
            }
        }
        let (mut giving, mut receiving) = exchange(&allocations, &zones);
        for at in order {
            for entry in self.slices[at].entries.iter_mut().filter(|entry| entry.ready) {
                let own: Text = entry.place("zone").unwrap_or_default().into();
                if !giving.contains_key(&own) {
                    continue;
                }
                let Some(to) = receiving.keys().next().cloned() else { break };
                entry.hints = Some(for_zone(&to));
                take_one(&mut giving, &own);
                take_one(&mut receiving, &to);
                *zones.entry(to).or_default() += 1;
                *zones.entry(own).or_default() -= 1;
            }
        }
        if zones.is_empty() { Err(NO_HINTS.to_owned()) } else { Ok(zones) }
    }

    /// The slices whose hints are thought over: new ones, changed ones, then those that were
    /// `turned` into changed ones.
    fn in_turn(&self, turned: &[usize]) -> Vec<usize> {
        let written = |at: &usize| self.slices[*at].need == Need::Write && !turned.contains(at);
        let all: Vec<usize> = (0..self.slices.len()).filter(written).collect();
        let is_new = |at: &&usize| self.slices[**at].id.is_none();
        let new = all.iter().filter(is_new);
        let old = all.iter().filter(|at| !is_new(at));
        new.chain(old).chain(turned).copied().collect()
    }

    /// What unchanged slices keep, and those whose hints will not do, which are written.
    fn keep_good(&mut self, allocations: &BTreeMap<Text, Allocation>) -> (Zones, Vec<usize>) {
        let (mut zones, mut turned) = (Zones::new(), Vec::new());
        for (at, slice) in self.slices.iter_mut().enumerate() {
            if slice.need != Need::Nothing {
                continue;
            }
            match hinted(slice, &zones, allocations) {
                Some(found) => {
                    for (zone, count) in found {
                        *zones.entry(zone).or_default() += count;
                    }
                }
                None => {
                    slice.need = Need::Write;
                    turned.push(at);
                }
            }
        }
        (zones, turned)
    }
}

/// The hints of a slice by zone, unless one is missing, or some zone needs none or has too many.
fn hinted(slice: &Slice, zones: &Zones, allocations: &BTreeMap<Text, Allocation>) -> Option<Zones> {
    let mut found = Zones::new();
    for entry in slice.entries.iter().filter(|entry| entry.ready) {
        let hints = entry.hints.as_ref()?.list_at(&["forZones"]);
        if hints.is_empty() {
            return None;
        }
        for hint in hints {
            let (zone, _) = allocations.get_key_value(hint.str_at(&["name"])?)?;
            *found.entry(zone.clone()).or_default() += 1;
        }
    }
    let fits = |(zone, count): (&Text, &usize)| {
        count + zones.get(zone).copied().unwrap_or(0) <= allocations[zone].maximum
    };
    found.iter().all(fits).then_some(found)
}

/// How many endpoints zones give to others, and how many others get.
fn exchange(allocations: &BTreeMap<Text, Allocation>, zones: &Zones) -> (Zones, Zones) {
    let (mut over, mut under) = (BTreeMap::new(), BTreeMap::new());
    for (zone, allocation) in allocations {
        let has = zones.get(zone).copied().unwrap_or(0) as f64;
        if has > allocation.desired {
            over.insert(zone.clone(), has - allocation.desired);
        } else if has < allocation.desired {
            under.insert(zone.clone(), allocation.desired - has);
        }
    }
    let (mut giving, mut receiving) = (Zones::new(), Zones::new());
    while let (Some((from, give)), Some((to, get))) = (most(&over), most(&under)) {
        if (give < 1.0 && get < 1.0) || give < 0.5 || get < 0.5 {
            break;
        }
        *giving.entry(from.clone()).or_default() += 1;
        *receiving.entry(to.clone()).or_default() += 1;
        over.insert(from, give - 1.0);
        under.insert(to, get - 1.0);
    }
    (giving, receiving)
}

/// The zone with the greatest number above zero, the first of those that are equal.
fn most(zones: &BTreeMap<Text, f64>) -> Option<(Text, f64)> {
    let mut best: Option<(&Text, f64)> = None;
    for (zone, number) in zones {
        if *number > best.map_or(0.0, |(_, most)| most) {
            best = Some((zone, *number));
        }
    }
    best.map(|(zone, number)| (zone.clone(), number))
}

fn take_one(zones: &mut Zones, zone: &Text) {
    if let Some(count) = zones.get_mut(zone) {
        *count -= 1;
        if *count == 0 {
            zones.remove(zone);
        }
    }
}

/// `[{name: ...}]`.
fn names(name: &str) -> Vec<Value> {
    vec![Value::map([("name", Value::from(name))])]
}

fn for_zone(zone: &str) -> Value {
    Value::map([("forZones", Value::from(names(zone)))])
}
