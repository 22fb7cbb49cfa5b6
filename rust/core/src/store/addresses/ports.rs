//! Node ports of Services: what is handed out, from 30000 to 32767.

use super::Addresses;
use super::range::{band, pick};
use crate::api::{ApiError, ApiResult, FieldError};
use crate::base::Value;

const PORTS: std::ops::Range<u32> = 30_000..32_768;

impl Addresses {
    /// A free node port; `None` when all are taken.
    fn any_port(&mut self) -> Option<i64> {
        let size = u128::from(PORTS.end - PORTS.start);
        let at = |offset: u128| PORTS.start + offset as u32;
        let free = |offset: u128| self.ports.get(&at(offset)).is_none();
        let port = at(pick(&mut self.stream, band(size, 32, 128), size, free)?);
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

/// Gives the ports of a Service node ports. A new Service saves some: its ports of one number,
/// such as DNS over TCP and UDP, share a node port unless they ask for different ones.
pub(super) fn allocate(
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

pub(super) fn allocate_health_check(
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

/// Gives back the node ports of a Service.
pub(super) fn release(addresses: &mut Addresses, service: &Value) {
    for port in all_of(service) {
        addresses.ports.remove(&port);
    }
}

/// The node ports a Service has, the one for health checks included.
pub(super) fn all_of(service: &Value) -> Vec<u32> {
    let ports = service.list_at(&["spec", "ports"]);
    let all = ports.iter().map(|port| port.int_at(&["nodePort"]));
    let health = service.int_at(&["spec", "healthCheckNodePort"]);
    all.chain([health])
        .flatten()
        .filter_map(|port| u32::try_from(port).ok())
        .filter(|port| PORTS.contains(port))
        .collect()
}
