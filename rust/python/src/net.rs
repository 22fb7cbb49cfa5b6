//! What nodes do with packets: the rules of kube-proxy.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use wavetank_core::api::ApiResult;
use wavetank_core::base::Value;
use wavetank_core::base::ip::{Cidr, parse_cidr, parse_ip};
use wavetank_core::net::Family;
use wavetank_core::net::health::local_health;
use wavetank_core::net::replay;
use wavetank_core::net::rules::{Config, LocalDetector, Node, Proxier as CoreProxier};

use crate::convert::{value_from_py, value_to_py};
use crate::error::{api_error, value_error};
use crate::world::{Inner, World};

/// The rules and flows of a recorded case of kube-proxy.
#[pyfunction]
pub fn replay_proxy<'py>(case: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = case.py();
    let case = value_from_py(case)?;
    let answer = py.detach(|| replay::replay(&case)).map_err(PyValueError::new_err)?;
    value_to_py(py, &answer)
}

/// A kube-proxy of one node and family, which remembers what it wrote last.
#[pyclass(frozen, module = "wavetank._core")]
pub struct Proxier {
    node: String,
    inner: Mutex<CoreProxier>,
}

#[pymethods]
impl Proxier {
    /// What `iptables-restore --noflush` is given now: everything at first, then what changed.
    fn sync(&self, py: Python, world: &World) -> PyResult<String> {
        let text = world.enter(py, |inner| -> ApiResult<String> {
            let mut proxier = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let node = node_of(inner, &self.node)?;
            proxier.set_node(node);
            let now = inner.engine.now();
            Ok(proxier.sync(inner.engine.routes(), now))
        });
        text.map_err(|error| api_error(&error))
    }
}

#[pymethods]
impl World {
    /// The text a node's kube-proxy starts with.
    fn iptables(
        &self,
        py: Python,
        node: &str,
        family: &str,
        options: &Bound<PyDict>,
    ) -> PyResult<String> {
        let (family, config) = (read_family(family)?, self.read_config(py, options)?);
        let text = self.enter(py, |inner| -> ApiResult<String> {
            let node = node_of(inner, node)?;
            Ok(CoreProxier::full(inner.engine.routes(), family, config, node))
        });
        text.map_err(|error| api_error(&error))
    }

    /// Kind (`pod` or `node`), namespace and name of what has an address.
    fn owner_of_address(
        &self,
        py: Python,
        address: &str,
    ) -> PyResult<Option<(&'static str, String, String)>> {
        let address = parse_ip(address).ok_or_else(|| {
            value_error(format!(
                "{address:?}: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            ))
        })?;
        Ok(self.enter(py, |inner| {
            let id = inner.engine.owner_of_address(address)?;
            let store = &inner.engine.store;
            let kind = if id.kind == store.kinds.pod { "pod" } else { "node" };
            let namespace = store.body(id)?.namespace.map(|id| store.strings.text(id));
            Some((kind, namespace.unwrap_or_default().to_owned(), store.name(id)?.to_string()))
        }))
    }

    /// The port and the count of ready local endpoints a node's kube-proxy serves for a Service.
    fn local_health(
        &self,
        py: Python,
        node: &str,
        namespace: &str,
        service: &str,
        family: &str,
    ) -> PyResult<Option<(u16, usize)>> {
        let family = read_family(family)?;
        let found = self.enter(py, |inner| -> ApiResult<_> {
            let node = node_of(inner, node)?;
            let store = &inner.engine.store;
            let id = store.require(store.kinds.service, Some(namespace), service)?;
            Ok(local_health(inner.engine.routes(), family, id.slot, &node))
        });
        let found = found.map_err(|error| api_error(&error))?;
        Ok(found.map(|health| (health.port, health.endpoints)))
    }

    /// A kube-proxy that starts on a node.
    fn proxier(
        &self,
        py: Python,
        node: &str,
        family: &str,
        options: &Bound<PyDict>,
    ) -> PyResult<Proxier> {
        let (family, config) = (read_family(family)?, self.read_config(py, options)?);
        let known = self.enter(py, |inner| node_of(inner, node));
        let known = known.map_err(|error| api_error(&error))?;
        let inner = Mutex::new(CoreProxier::new(family, config, known));
        Ok(Proxier { node: node.to_owned(), inner })
    }
}

impl World {
    /// Options of a kube-proxy; pods have their addresses where the cluster says, unless it is
    /// told otherwise.
    pub fn read_config(&self, py: Python, options: &Bound<PyDict>) -> PyResult<Config> {
        let mut config = read_config(options)?;
        if !options.contains("cluster_cidr")? {
            let ranges = self.enter(py, |inner| Arc::clone(&inner.engine.store.ranges));
            for range in &ranges.pods {
                config.local[range.cidr.family() as usize] = LocalDetector::Cidr(range.cidr);
            }
        }
        Ok(config)
    }
}

/// A node by name, as its kube-proxy knows it.
pub fn node_of(inner: &mut Inner, name: &str) -> ApiResult<Node> {
    let store = &inner.engine.store;
    let id = store.require(store.kinds.node, None, name)?;
    Ok(inner.engine.node_view(id).expect("it was just found"))
}

/// A family by the API's word.
pub fn read_family(family: &str) -> PyResult<Family> {
    Family::BOTH.into_iter().find(|known| known.name() == family).ok_or_else(|| {
        value_error(format!("Unsupported value: {family:?}: supported values: \"IPv4\", \"IPv6\""))
    })
}

pub fn read_config(options: &Bound<PyDict>) -> PyResult<Config> {
    let options = value_from_py(options)?;
    let mut config = Config::default();
    let flag = |name: &str, into: &mut bool| {
        *into = options.get(name).and_then(Value::as_bool).unwrap_or(*into);
    };
    flag("masquerade_all", &mut config.masquerade_all);
    flag("random_fully", &mut config.random_fully);
    flag("counters", &mut config.counters);
    flag("localhost_node_ports", &mut config.localhost_node_ports);
    if let Some(bit) = options.int_at(&["masquerade_bit"]) {
        let bit = u32::try_from(bit).ok().filter(|bit| *bit < 32).ok_or_else(|| {
            value_error(format!("masquerade_bit: {bit}: must be within the range [0, 31]"))
        })?;
        config.masquerade_mark = format!("{:#010x}", 1_u32 << bit).into();
    }
    for block in options.list_at(&["cluster_cidr"]) {
        let block = read_block("cluster_cidr", block)?;
        let family = Family::of(block.address);
        config.local[family as usize] = LocalDetector::Cidr(block);
    }
    for block in options.list_at(&["node_port_addresses"]) {
        config.node_port_addresses.push(read_block("node_port_addresses", block)?);
    }
    Ok(config)
}

fn read_block(option: &str, block: &Value) -> PyResult<Cidr> {
    let text = block.as_str().unwrap_or_default();
    parse_cidr(text).ok_or_else(|| {
        value_error(format!(
            "{option}: {text:?}: must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        ))
    })
}
