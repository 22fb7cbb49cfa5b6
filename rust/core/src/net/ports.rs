//! The ports of a Service as one pod has them, in the order the real controllers put them.
//!
//! Those sort ports by a hash of how Go prints them: FNV-1a of 128 bits.

use std::fmt::Write;

use crate::base::{Map, Text, Value};
use crate::store::Body;

/// A port of a slice: name, number, protocol and application protocol, as the slice lists them.
pub type Port = (Text, i64, Text, Option<Text>);

/// The ports of a slice, in order of their hashes.
pub type PortList = Vec<Port>;

/// The Service's ports with every named target looked up in the pod. A name the pod does not
/// have leaves its port out.
pub fn resolve_ports(service: &Body, pod: &Body) -> PortList {
    let ports = service.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default();
    let resolved = ports.iter().filter_map(|port| {
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        let number = match port.get("targetPort") {
            Some(Value::Str(name)) => container_port(pod, name, protocol)?,
            Some(Value::Int(number)) if *number != 0 => *number,
            _ => port.int_at(&["port"])?,
        };
        let name = port.str_at(&["name"]).unwrap_or_default();
        let application = port.str_at(&["appProtocol"]).map(Text::from);
        Some((name.into(), number, protocol.into(), application))
    });
    let mut resolved: PortList = resolved.collect();
    sort_ports(&mut resolved);
    resolved
}

/// Puts the ports of a slice in order.
pub fn sort_ports(ports: &mut PortList) {
    if ports.len() > 1 {
        ports.sort_by_cached_key(|port| hash_text(&slice_port_text(port)));
    }
}

/// The number of a container's port by name: containers first, then sidecars.
fn container_port(pod: &Body, name: &str, protocol: &str) -> Option<i64> {
    let list = |field| pod.at(&["spec", field]).and_then(Value::as_list).unwrap_or_default();
    let is_sidecar = |one: &&Value| one.str_at(&["restartPolicy"]) == Some("Always");
    let containers =
        list("containers").iter().chain(list("initContainers").iter().filter(is_sidecar));
    containers
        .flat_map(|container| container.list_at(&["ports"]))
        .find(|port| {
            port.str_at(&["name"]) == Some(name)
                && port.str_at(&["protocol"]).unwrap_or("TCP") == protocol
        })?
        .int_at(&["containerPort"])
}

/// A port as an EndpointSlice or an Endpoints object lists it; the latter leaves out no name.
pub fn write_port((name, number, protocol, application): &Port) -> Value {
    let mut port = Map::new();
    port.insert("name", name.clone());
    port.insert("port", *number);
    port.insert("protocol", protocol.clone());
    if let Some(application) = application {
        port.insert("appProtocol", application.clone());
    }
    port.into()
}

/// The port that stands in a slice or an Endpoints object.
pub fn read_port(port: &Value) -> Port {
    (
        port.str_at(&["name"]).unwrap_or_default().into(),
        port.int_at(&["port"]).unwrap_or(0),
        port.str_at(&["protocol"]).unwrap_or("TCP").into(),
        port.str_at(&["appProtocol"]).map(Into::into),
    )
}

/// A port of a slice as Go prints it.
fn slice_port_text((name, number, protocol, application): &Port) -> String {
    let mut text = format!(
        "(v1.EndpointPort){{Name:(*string){name} Protocol:(*v1.Protocol){protocol} \
         Port:(*int32){number} AppProtocol:"
    );
    write_application(&mut text, application.as_deref());
    text
}

/// A port of an Endpoints object as Go prints it.
pub fn subset_port_text((name, number, protocol, application): &Port) -> String {
    let mut text = format!(
        "{{Name:(string){name} Port:(int32){number} Protocol:(v1.Protocol){protocol} AppProtocol:"
    );
    write_application(&mut text, application.as_deref());
    text
}

fn write_application(text: &mut String, application: Option<&str>) {
    write!(text, "(*string){}}}", application.unwrap_or("<nil>")).expect("a string takes it");
}

/// FNV-1a of 128 bits.
pub fn hash_text(text: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = (1 << 88) + 0x13b;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
