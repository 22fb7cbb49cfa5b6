//! Addresses and ports of Services: what the API server hands out when a Service is written.
//!
//! Addresses come from 10.96.0.0/12, node ports from 30000 to 32767. Both keep a band at the low
//! end for those that are asked for by name: an address nobody chose is looked for above the
//! band, from a random place on, and in the band only when there is none.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{ObjectId, Store};
use crate::api::{ApiError, ApiResult, FieldError, KindId};
use crate::base::{CowMap, Stream, Streams, Value};

const SERVICE_BASE: u32 = u32::from_be_bytes([10, 96, 0, 0]);
const SERVICE_PREFIX: u32 = 12;
const SERVICE_SIZE: u32 = 1 << (32 - SERVICE_PREFIX);
/// The first address is the `kubernetes` Service's.
const RESERVED: u32 = 1;
const PORTS: std::ops::Range<u32> = 30_000..32_768;

/// What is handed out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    used: CowMap<u32, ()>,
    ports: CowMap<u32, ()>,
    stream: Stream,
}

impl Addresses {
    /// Nothing handed out yet.
    pub fn new(seed: u64) -> Self {
        let stream = Streams::new(seed).stream("addresses");
        Self { used: CowMap::new(), ports: CowMap::new(), stream }
    }

    /// A free address; `None` when all are taken.
    fn any_address(&mut self) -> Option<u32> {
        let band = band(SERVICE_SIZE, 16, 256);
        let free = |offset: u32, used: &CowMap<u32, ()>| {
            offset > RESERVED && offset < SERVICE_SIZE - 1 && used.get(&offset).is_none()
        };
        let offset = pick(&mut self.stream, band, SERVICE_SIZE, |offset| free(offset, &self.used))?;
        self.used.insert(offset, ());
        Some(SERVICE_BASE + offset)
    }

    /// A free node port; `None` when all are taken.
    fn any_port(&mut self) -> Option<i64> {
        let size = PORTS.end - PORTS.start;
        let free = |offset: u32| self.ports.get(&(PORTS.start + offset)).is_none();
        let port = PORTS.start + pick(&mut self.stream, band(size, 32, 128), size, free)?;
        self.ports.insert(port, ());
        Some(i64::from(port))
    }

    /// Takes a port that was asked for.
    fn take_port(&mut self, port: i64) -> Result<(), String> {
        let Some(port) = u32::try_from(port).ok().filter(|port| PORTS.contains(port)) else {
            return Err(format!(
                "provided port is not in the valid range. The range of valid ports is {}-{}",
                PORTS.start,
                PORTS.end - 1
            ));
        };
        match self.ports.insert(port, ()) {
            None => Ok(()),
            Some(()) => Err("provided port is already allocated".to_owned()),
        }
    }
}

/// The size of the band kept for choices: a share of the range within bounds.
fn band(size: u32, share: u32, most: u32) -> u32 {
    if size <= 16 { 0 } else { (size / share).clamp(16, most) }
}

/// The first free number above the band, from a random place on and round, else one in the band.
fn pick(stream: &mut Stream, band: u32, size: u32, free: impl Fn(u32) -> bool) -> Option<u32> {
    let upper = size - band;
    let start = stream.below(u64::from(upper)) as u32;
    let above = (0..upper).map(|step| band + (start + step) % upper).find(|offset| free(*offset));
    above.or_else(|| (0..band).find(|offset| free(*offset)))
}

impl Store {
    /// Gives a Service the addresses and ports it needs and lets go of those it no longer has.
    /// Returns what is handed out once the Service is stored; nothing changes before.
    ///
    /// # Errors
    /// 422 when an address or port that was chosen is taken.
    pub(super) fn allocate(
        &self,
        kind: KindId,
        object: &mut Value,
        old: Option<&Value>,
    ) -> ApiResult<Addresses> {
        let mut addresses = self.addresses.clone();
        if kind != self.kinds.service {
            return Ok(addresses);
        }
        if let Some(rules) = self.rules_of(kind, object) {
            let null = Value::Null;
            let errors = self.rules.validate_allocation(rules, object, old.unwrap_or(&null));
            self.refuse(kind, object, &errors)?;
        }
        if let Some(old) = old {
            release(&mut addresses, old);
        }
        let mut errors = Vec::new();
        allocate_address(&mut addresses, object, &mut errors);
        self.refuse(kind, object, &errors)?;
        allocate_ports(&mut addresses, object, old.is_none(), &mut errors);
        self.refuse(kind, object, &errors)?;
        allocate_health_check(&mut addresses, object, old)?;
        Ok(addresses)
    }

    /// A Service that is gone gives back what it had.
    pub(super) fn free_addresses(&mut self, id: ObjectId) {
        if id.kind == self.kinds.service {
            let service = self.get(id).expect("it is still there");
            release(&mut self.addresses, &service);
        }
    }

    /// A Service that was restored keeps what it has.
    pub(super) fn take_addresses(&mut self, id: ObjectId) {
        if id.kind != self.kinds.service {
            return;
        }
        let service = self.get(id).expect("just restored");
        if let Some(offset) = offset_of(&service) {
            self.addresses.used.insert(offset, ());
        }
        for port in node_ports(&service) {
            self.addresses.ports.insert(port, ());
        }
    }
}

fn needs_address(service: &Value) -> bool {
    service.str_at(&["spec", "type"]) != Some("ExternalName")
        && service.str_at(&["spec", "clusterIP"]) != Some("None")
}

fn allocate_address(addresses: &mut Addresses, service: &mut Value, errors: &mut Vec<FieldError>) {
    if !needs_address(service) {
        return;
    }
    let chosen = service.str_at(&["spec", "clusterIP"]).unwrap_or_default().to_owned();
    if chosen.is_empty() {
        let Some(address) = addresses.any_address() else {
            let detail = "failed to allocate a serviceIP: range is full";
            errors.push(FieldError::invalid("spec.clusterIPs", Value::from(Vec::new()), detail));
            return;
        };
        let address = Ipv4Addr::from(address).to_string();
        service.set(&["spec", "clusterIPs"], vec![Value::from(address.as_str())]);
        service.set(&["spec", "clusterIP"], address);
        set_families(service);
        return;
    }
    let why = match offset_of(service) {
        Some(offset) if addresses.used.insert(offset, ()).is_some() => {
            "provided IP is already allocated".to_owned()
        }
        Some(_) => return,
        None => {
            let first = Ipv4Addr::from(SERVICE_BASE);
            format!(
                "the provided IP ({chosen}) is not in the valid range. The range of valid IPs is \
                 {first}/{SERVICE_PREFIX}"
            )
        }
    };
    let detail = format!("failed to allocate IP {chosen}: {why}");
    let shown = Value::from(vec![Value::from(chosen)]);
    errors.push(FieldError::invalid("spec.clusterIPs", &shown, detail));
}

/// A Service with an address of its own says of which family it is.
fn set_families(service: &mut Value) {
    if service.at(&["spec", "ipFamilies"]).is_none_or(Value::is_empty) {
        service.set(&["spec", "ipFamilies"], vec![Value::from("IPv4")]);
    }
    if service.at(&["spec", "ipFamilyPolicy"]).is_none() {
        service.set(&["spec", "ipFamilyPolicy"], "SingleStack");
    }
}

/// Gives the ports of a Service node ports. A new Service saves some: its ports of one number,
/// such as DNS over TCP and UDP, share a node port unless they ask for different ones.
fn allocate_ports(
    addresses: &mut Addresses,
    service: &mut Value,
    is_new: bool,
    errors: &mut Vec<FieldError>,
) {
    if !matches!(service.str_at(&["spec", "type"]), Some("NodePort" | "LoadBalancer")) {
        return;
    }
    let is_wanted =
        service.at(&["spec", "allocateLoadBalancerNodePorts"]) != Some(&Value::Bool(false));
    let ports = service.list_at(&["spec", "ports"]).to_vec();
    let mut taken: Vec<i64> = Vec::new();
    let mut of_port: Vec<(i64, i64)> = Vec::new();
    for (at, port) in ports.iter().enumerate() {
        let number = port.int_at(&["port"]).unwrap_or(0);
        let mut asked = port.int_at(&["nodePort"]).unwrap_or(0);
        if asked == 0 && !is_wanted {
            continue;
        }
        let shared = of_port.iter().find(|(known, _)| *known == number).map(|(_, node)| *node);
        if asked == 0 && is_new {
            asked = shared.unwrap_or_else(|| requested(&ports[at..], number));
        }
        let is_taken = if is_new { shared == Some(asked) } else { taken.contains(&asked) };
        let given = match asked {
            0 => addresses.any_port().ok_or_else(|| "range is full".to_owned()),
            _ if is_taken => Ok(asked),
            _ => addresses.take_port(asked).map(|()| asked),
        };
        match given {
            Ok(node) => {
                taken.push(node);
                of_port.push((number, node));
                let list = service.map_mut().entry("spec").map_mut().entry("ports").list_mut();
                list[at].set(&["nodePort"], node);
            }
            Err(why) => {
                let field = format!("spec.ports[{at}].nodePort");
                errors.push(FieldError::invalid(field, asked, why));
                return;
            }
        }
    }
}

/// The node port asked for with a port number, if any.
fn requested(ports: &[Value], number: i64) -> i64 {
    let same = |port: &&Value| port.int_at(&["port"]) == Some(number);
    let asked = |port: &Value| port.int_at(&["nodePort"]).filter(|node| *node != 0);
    ports.iter().filter(same).find_map(asked).unwrap_or(0)
}

/// A load balancer that spares nodes without endpoints asks them on a port of its own.
fn needs_health_check(service: &Value) -> bool {
    service.str_at(&["spec", "type"]) == Some("LoadBalancer")
        && service.str_at(&["spec", "externalTrafficPolicy"]) == Some("Local")
}

fn allocate_health_check(
    addresses: &mut Addresses,
    service: &mut Value,
    old: Option<&Value>,
) -> ApiResult<()> {
    const FIELD: [&str; 2] = ["spec", "healthCheckNodePort"];
    if !needs_health_check(service) {
        return Ok(());
    }
    match service.int_at(&FIELD).unwrap_or(0) {
        0 => {
            let port = addresses.any_port().ok_or_else(|| {
                ApiError::internal("failed to allocate a HealthCheck NodePort 0: range is full")
            })?;
            service.set(&FIELD, port);
            Ok(())
        }
        port => match addresses.take_port(port) {
            Err(why) if !old.is_some_and(needs_health_check) => Err(ApiError::internal(format!(
                "failed to allocate requested HealthCheck NodePort {port}: {why}"
            ))),
            _ => Ok(()),
        },
    }
}

fn release(addresses: &mut Addresses, service: &Value) {
    if let Some(offset) = offset_of(service) {
        addresses.used.remove(&offset);
    }
    for port in node_ports(service) {
        addresses.ports.remove(&port);
    }
}

/// Where in the range a Service's address is, if it is in it.
fn offset_of(service: &Value) -> Option<u32> {
    let address: Ipv4Addr = service.str_at(&["spec", "clusterIP"])?.parse().ok()?;
    u32::from(address).checked_sub(SERVICE_BASE).filter(|offset| *offset < SERVICE_SIZE)
}

fn node_ports(service: &Value) -> Vec<u32> {
    let ports = service.list_at(&["spec", "ports"]);
    let all = ports.iter().map(|port| port.int_at(&["nodePort"]));
    let health = service.int_at(&["spec", "healthCheckNodePort"]);
    all.chain([health])
        .flatten()
        .filter_map(|port| u32::try_from(port).ok())
        .filter(|port| PORTS.contains(port))
        .collect()
}
