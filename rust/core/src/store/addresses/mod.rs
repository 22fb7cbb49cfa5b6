//! Addresses and ports of Services: what the API server hands out when a Service is written.
//!
//! Addresses come from the cluster's service ranges, one per family; node ports from 30000 to
//! 32767. All keep a band at the low end for those that are asked for by name: what nobody
//! chose is looked for above the band, from a random place on, and in the band only when there
//! is none. Which families a Service gets is settled first ([`families`]).

mod families;
mod ports;
pub mod range;

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::range::ServiceRange;
use super::ranges::Ranges;
use super::{Body, ObjectId, Store};
use crate::api::{ApiError, ApiResult, BadValue, FieldError, KindId};
use crate::base::ip::{Family, parse_ip};
use crate::base::{CowMap, Map, Stream, Streams, Value};

/// What is handed out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// In the order of the cluster's families.
    ranges: Vec<ServiceRange>,
    ports: CowMap<u32, ()>,
    stream: Stream,
}

impl Addresses {
    /// Nothing handed out yet.
    pub fn new(seed: u64, ranges: &Ranges) -> Self {
        Self {
            ranges: ranges.services.iter().copied().map(ServiceRange::new).collect(),
            ports: CowMap::new(),
            stream: Streams::new(seed).stream("addresses"),
        }
    }

    fn range_of(&mut self, family: Family) -> Option<&mut ServiceRange> {
        self.ranges.iter_mut().find(|range| range.family() == family)
    }

    /// A free address of a family; `None` when all are taken.
    fn any_address(&mut self, family: Family) -> Option<IpAddr> {
        let Self { ranges, stream, .. } = self;
        ranges.iter_mut().find(|range| range.family() == family)?.any(stream)
    }

    fn release_addresses(&mut self, all: &[IpAddr]) {
        for address in all {
            if let Some(range) = self.range_of(Family::of(*address)) {
                range.release(*address);
            }
        }
    }
}

impl Store {
    /// Chooses the cluster's ranges of addresses.
    ///
    /// # Panics
    /// When anything was handed out already: only a new cluster can have other ranges.
    pub fn set_ranges(&mut self, seed: u64, ranges: Ranges) {
        assert_eq!(self.table(self.kinds.service).iter().count(), 0, "only a new cluster");
        self.addresses = Addresses::new(seed, &ranges);
        self.ranges = Arc::new(ranges);
    }

    /// The families of a Service, in its order: what it says, or else what its addresses are.
    pub fn service_families(&self, service: &Body) -> Vec<Family> {
        let spec = service.doc.get("spec").unwrap_or(&Value::Null);
        families::of_stored(spec, &self.ranges)
    }

    /// Gives a Service the families, addresses and ports it needs and lets go of those it no
    /// longer has. Returns what is handed out once the Service is stored; nothing changes before.
    /// In a dry run addresses are only looked at: whether they are taken is not asked.
    ///
    /// # Errors
    /// 422 when families make no sense here, or what was chosen cannot be had.
    pub(super) fn allocate(
        &self,
        kind: KindId,
        object: &mut Value,
        old: Option<&Value>,
        dry_run: bool,
    ) -> ApiResult<Addresses> {
        let mut addresses = self.addresses.clone();
        if kind != self.kinds.service {
            return Ok(addresses);
        }
        if old.is_some() && object.str_at(&["spec", "type"]) != Some("LoadBalancer") {
            object.set(&["status", "loadBalancer"], Map::new());
        }
        let stays = old.is_some_and(|old| families::prefers_both_as_before(object, old));
        if !stays {
            families::choose_policy(object, old);
            if let Some(rules) = self.rules_of(kind, object) {
                let null = Value::Null;
                let errors = self.rules.validate_allocation(rules, object, old.unwrap_or(&null));
                self.refuse(kind, object, &errors)?;
            }
            let errors = families::settle(object, old, &self.ranges);
            self.refuse(kind, object, &errors)?;
        }
        if !stays {
            self.allocate_addresses(&mut addresses, object, old, dry_run)?;
        }
        if let Some(old) = old {
            ports::release(&mut addresses, old);
        }
        let mut errors = Vec::new();
        ports::allocate(&mut addresses, object, old.is_none(), &mut errors);
        self.refuse(kind, object, &errors)?;
        ports::allocate_health_check(&mut addresses, object, old)?;
        Ok(addresses)
    }

    /// Hands out what a new Service lacks. Of an old one the first address never changes: a
    /// second is added or released.
    fn allocate_addresses(
        &self,
        addresses: &mut Addresses,
        service: &mut Value,
        old: Option<&Value>,
        dry_run: bool,
    ) -> ApiResult<()> {
        let spec = spec_of(service);
        let Some(old) = old.map(spec_of).filter(|old| !families::is_external(old)) else {
            let has_address = !families::is_external(spec) && !families::is_headless(spec);
            let count = if has_address { families::said(spec).len() } else { 0 };
            return self.give(addresses, service, 0..count, dry_run);
        };
        if families::is_headless(old) {
            return Ok(());
        }
        if families::is_external(spec) {
            addresses.release_addresses(&addresses_of(old));
            return Ok(());
        }
        match (families::of_stored(old, &self.ranges).len(), families::said(spec).len()) {
            (1, 2) => return self.give(addresses, service, 1..2, dry_run),
            (2, 1) => addresses.release_addresses(addresses_of(old).get(1..).unwrap_or_default()),
            _ => {}
        }
        Ok(())
    }

    /// Gives a Service the addresses at some places of its list: those it chose or any.
    fn give(
        &self,
        addresses: &mut Addresses,
        service: &mut Value,
        places: std::ops::Range<usize>,
        dry_run: bool,
    ) -> ApiResult<()> {
        if places.is_empty() {
            return Ok(());
        }
        let families = families::said(spec_of(service));
        let mut list = texts(spec_of(service), "clusterIPs");
        list.resize(list.len().max(places.end), String::new());
        for at in places {
            if list[at].is_empty() {
                let given = addresses.any_address(families[at]).ok_or_else(|| full(service))?;
                list[at] = given.to_string();
                continue;
            }
            let Some(address) = parse_ip(&list[at]) else { continue };
            let range = addresses.range_of(families[at]).expect("the family is configured");
            let taken = if dry_run {
                range.look(address)
            } else {
                range.take(address).map_err(str::to_owned)
            };
            if let Err(why) = taken {
                let detail = format!("failed to allocate IP {}: {why}", list[at]);
                let shown = BadValue::json(&Value::from(values(&list)));
                let error = FieldError::invalid("spec.clusterIPs", shown, detail);
                return self.refuse(self.kinds.service, service, &[error]);
            }
        }
        service.set(&["spec", "clusterIP"], list[0].as_str());
        service.set(&["spec", "clusterIPs"], values(&list));
        Ok(())
    }

    /// A Service that is gone gives back what it had.
    pub(super) fn free_addresses(&mut self, id: ObjectId) {
        if id.kind == self.kinds.service {
            let service = self.get(id).expect("it is still there");
            self.addresses.release_addresses(&addresses_of(spec_of(&service)));
            ports::release(&mut self.addresses, &service);
        }
    }

    /// A Service that was restored keeps what it has.
    pub(super) fn take_addresses(&mut self, id: ObjectId) {
        if id.kind != self.kinds.service {
            return;
        }
        let service = self.get(id).expect("just restored");
        for address in addresses_of(spec_of(&service)) {
            if let Some(range) = self.addresses.range_of(Family::of(address)) {
                // One that is taken stays so; one of another cluster's range is nobody's here.
                let _ = range.take(address);
            }
        }
        for port in ports::all_of(&service) {
            self.addresses.ports.insert(port, ());
        }
    }
}

fn spec_of(service: &Value) -> &Value {
    service.get("spec").unwrap_or(&Value::Null)
}

fn full(service: &Value) -> ApiError {
    let name = service.str_at(&["metadata", "name"]).unwrap_or_default();
    ApiError::internal(format!(
        "failed to allocate a serviceIP for Service {name:?}: range is full"
    ))
}

fn texts(spec: &Value, name: &str) -> Vec<String> {
    let list = spec.list_at(&[name]).iter();
    list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn values(texts: &[String]) -> Vec<Value> {
    texts.iter().map(|text| Value::from(text.as_str())).collect()
}

/// The addresses a Service has, in plural or, from long ago, in the singular only.
fn addresses_of(spec: &Value) -> Vec<IpAddr> {
    let mut all = texts(spec, "clusterIPs");
    if all.is_empty() {
        all.extend(spec.str_at(&["clusterIP"]).map(str::to_owned));
    }
    all.iter().filter_map(|text| parse_ip(text)).collect()
}
