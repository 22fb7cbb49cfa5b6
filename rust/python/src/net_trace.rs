//! The way of a packet through a node, rule by rule.

use std::net::{IpAddr, SocketAddr};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wavetank_core::api::ApiResult;
use wavetank_core::base::ip::parse_ip;
use wavetank_core::base::{Map, Streams, Text, Value};
use wavetank_core::net::owners::services_at;
use wavetank_core::net::rules::RuleSet;
use wavetank_core::net::service_ports::Protocol;
use wavetank_core::net::trace::{Met, Way, trace};
use wavetank_core::net::walk::{Packet, Verdict};

use crate::convert::value_to_py;
use crate::error::{api_error, value_error};
use crate::net::node_of;
use crate::world::World;

#[pymethods]
impl World {
    /// Namespace and name of the Services with an address.
    fn services_at(&self, py: Python, address: &str) -> PyResult<Vec<(String, String)>> {
        let address = read_address(address)?;
        let found = self.enter(py, |inner| services_at(&inner.engine.store, address));
        let owned = found.iter().map(|(namespace, name)| (namespace.to_string(), name.to_string()));
        Ok(owned.collect())
    }

    /// Every way a packet may take through a node; one, drawn with a seed, if `draw` is given.
    /// `own` says that a process of the node sends it.
    #[pyo3(signature = (node, source, to, port, protocol, options, *, own, draw=None))]
    fn trace<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        source: &str,
        to: &str,
        port: u16,
        protocol: &str,
        options: &Bound<'py, PyDict>,
        own: bool,
        draw: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let config = self.read_config(py, options)?;
        let (source, to) = (read_address(source)?, SocketAddr::new(read_address(to)?, port));
        if source.is_ipv4() != to.ip().is_ipv4() {
            let what = format!("a packet from {source} to {}: two families", to.ip());
            return Err(value_error(what));
        }
        let packet = Packet {
            source,
            protocol: Protocol::read(Some(protocol)),
            destination: to.ip(),
            port,
            interface: None,
        };
        let answer = self.enter(py, |inner| -> ApiResult<Value> {
            let node = node_of(inner, node)?;
            let rules = RuleSet::for_packet(inner.engine.routes(), &config, &node, to);
            let mut stream = draw.map(|seed| Streams::new(seed).stream("trace"));
            let ways = trace(&rules, &node, &packet, own, stream.as_mut());
            Ok(Value::list(ways.iter().map(way_value)))
        });
        value_to_py(py, &answer.map_err(|error| api_error(&error))?)
    }
}

fn read_address(text: &str) -> PyResult<IpAddr> {
    parse_ip(text).ok_or_else(|| value_error(format!("{text:?} is no IP address")))
}

fn way_value(way: &Way) -> Value {
    let verdict = match way.verdict {
        Verdict::Endpoint(_) | Verdict::Accept => Value::from("ACCEPT"),
        refused => Value::from(Text::from(refused.to_string())),
    };
    let hooks = way.hooks.iter().map(|(table, chain)| {
        Value::list([Value::from(table.name()), Text::from(chain.to_string()).into()])
    });
    let mut map = Map::new();
    map.insert("chance", Value::Float(way.chance));
    map.insert("verdict", verdict);
    map.insert("translated", matches!(way.verdict, Verdict::Endpoint(_)));
    map.insert("masqueraded", way.masqueraded);
    map.insert("source", Text::from(way.source().to_string()));
    map.insert("destination", Text::from(way.packet.destination.to_string()));
    map.insert("port", i64::from(way.packet.port));
    map.insert("hooks", Value::list(hooks));
    map.insert("steps", Value::list(way.met.iter().map(met_value)));
    map.into()
}

/// `[table, hook, depth, rule, chance]`.
fn met_value(met: &Met) -> Value {
    Value::list([
        Value::from(met.table.name()),
        Text::from(met.hook.to_string()).into(),
        (met.depth as i64).into(),
        Text::from(met.rule.to_string()).into(),
        Value::Float(met.chance),
    ])
}
