//! Names: resolving them, the messages of any server, resolv.conf.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wavetank_core::base::Value;
use wavetank_core::net::dns::decode::{Decoded, rcode_name, type_name};
use wavetank_core::net::dns::master::known_type;
use wavetank_core::net::dns::name;
use wavetank_core::net::dns::recursor::Step;
use wavetank_core::net::dns::resolv::ResolvConf;
use wavetank_core::net::dns::serve::{Published, Server};
use wavetank_core::net::dns::server::{Role, Settings};
use wavetank_core::net::dns::stub::{self, Asked, Library};
use wavetank_core::net::dns::wire::{Rr, Transport};

use crate::convert::{value_from_py, value_to_py};
use crate::error::{api_error, value_error};
use crate::world::World;

/// A query as it travels. `flags` is the second word of its header; `size` adds EDNS.
#[pyfunction]
#[pyo3(signature = (name, kind, flags=0x0100, size=None))]
pub fn dns_query<'py>(
    py: Python<'py>,
    name: &str,
    kind: &str,
    flags: u16,
    size: Option<u16>,
) -> PyResult<Bound<'py, PyBytes>> {
    let name = name::parse(name).map_err(value_error)?;
    let query = stub::query(&name, type_number(kind)?, flags, size);
    Ok(PyBytes::new(py, &query))
}

/// A message taken apart, or `None` when it is malformed.
#[pyfunction]
pub fn dns_message<'py>(py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let Some(decoded) = Decoded::read(message) else { return Ok(py.None().into_bound(py)) };
    let section = |at: usize| Value::from(records(&decoded.sections[at]));
    let question = decoded.question.iter().map(|(name, kind, class)| {
        Value::from(vec![
            Value::from(name::text(name)),
            type_name(*kind).into(),
            i64::from(*class).into(),
        ])
    });
    let edns = decoded.edns.map_or(Value::Null, |(version, dnssec, size)| {
        Value::map([
            ("version", Value::from(i64::from(version))),
            ("dnssec", dnssec.into()),
            ("size", i64::from(size).into()),
        ])
    });
    let value = Value::map([
        ("id", Value::from(i64::from(decoded.id))),
        ("flags", i64::from(decoded.flags).into()),
        ("rcode", rcode_name(decoded.rcode).into()),
        ("question", question.collect::<Vec<Value>>().into()),
        ("answer", section(0)),
        ("authority", section(1)),
        ("additional", section(2)),
        ("edns", edns),
    ]);
    value_to_py(py, &value)
}

fn records(records: &[Rr]) -> Vec<Value> {
    let record = |record: &Rr| {
        Value::from(vec![
            Value::from(name::text(record.owner.as_deref().unwrap_or(&[0]))),
            i64::from(record.ttl).into(),
            type_name(record.data.kind()).into(),
            record.data.text().into(),
        ])
    };
    records.iter().map(record).collect()
}

fn type_number(text: &str) -> PyResult<u16> {
    known_type(text).map(u16::from).map_err(value_error)
}

fn steps(steps: &[Step]) -> Value {
    let step = |step: &Step| {
        Value::map([
            ("server", Value::from(name::text(&step.server))),
            ("address", step.address.to_string().into()),
            ("name", name::text(&step.name).into()),
            ("type", type_name(step.kind).into()),
            ("outcome", step.outcome.text().into()),
        ])
    };
    steps.iter().map(step).collect::<Vec<Value>>().into()
}

fn queries(queries: &[Asked]) -> Value {
    let query = |asked: &Asked| {
        Value::map([
            ("name", Value::from(name::text(&asked.name))),
            ("type", type_name(asked.kind).into()),
            ("server", asked.server.to_string().into()),
            ("rcode", asked.rcode.map_or(Value::Null, |rcode| rcode_name(rcode).into())),
            ("answers", (asked.answers as i64).into()),
            ("transport", if asked.transport == Transport::Tcp { "tcp" } else { "udp" }.into()),
            ("cached", asked.cached.into()),
        ])
    };
    queries.iter().map(query).collect::<Vec<Value>>().into()
}

#[pymethods]
impl World {
    /// What a C library makes of a name with the resolv.conf `conf`.
    fn dns_resolve<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        kind: Option<&str>,
        conf: &str,
        library: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = kind.map(type_number).transpose()?;
        let library = match library {
            "glibc" => Library::Glibc,
            "musl" => Library::Musl,
            _ => return Err(value_error(format!("library: {library:?}: it is glibc or musl"))),
        };
        let conf = ResolvConf::parse(conf).map_err(value_error)?;
        let found = self.enter(py, |inner| inner.engine.resolve_name(name, kind, &conf, library));
        let (resolution, asked) = found.map_err(value_error)?;
        let canonical = resolution.canonical.as_deref();
        let value = Value::map([
            ("records", Value::from(records(&resolution.records))),
            ("rcode", resolution.rcode.map_or(Value::Null, |rcode| rcode_name(rcode).into())),
            ("canonical", canonical.map_or(Value::Null, |name| name::text(name).into())),
            ("queries", queries(&resolution.queries)),
            ("upstream", steps(&asked)),
        ]);
        value_to_py(py, &value)
    }

    /// The resolv.conf of a pod, and what the kubelet warns of. Without a pod's name, that of a
    /// pod with no DNS settings in the namespace.
    fn resolv_conf(
        &self,
        py: Python,
        namespace: &str,
        pod: Option<&str>,
    ) -> PyResult<(String, Vec<String>)> {
        let found = self.enter(py, |inner| match pod {
            Some(pod) => inner.engine.resolv_conf(namespace, pod),
            None => Ok(inner.engine.resolv_conf_in(namespace, &Value::Null)),
        });
        let (conf, warnings) = found.map_err(|error| api_error(&error))?;
        Ok((conf.to_string(), warnings))
    }

    /// Sends a message to the server at an address; `None` when no reply comes.
    #[pyo3(signature = (server, message, *, tcp=false))]
    fn dns_exchange<'py>(
        &self,
        py: Python<'py>,
        server: &str,
        message: &[u8],
        tcp: bool,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let server = address(server)?;
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let mut buffer = Vec::new();
        let replied = self.enter(py, |inner| {
            let now = inner.engine.now();
            let turn = now.0 as u64;
            inner.engine.dns().exchange(server, message, transport, now, turn, &mut buffer)
        });
        Ok(replied.then(|| PyBytes::new(py, &buffer)))
    }

    /// Who replies at an address: "cluster", "resolver" or "authority".
    fn dns_role(&self, py: Python, server: &str) -> PyResult<Option<&'static str>> {
        let server = address(server)?;
        let role = self.enter(py, |inner| inner.engine.dns().role(server));
        Ok(role.map(|role| match role {
            Role::Cluster => "cluster",
            Role::Resolver => "resolver",
            Role::Authority => "authority",
        }))
    }

    /// The addresses of the cluster's DNS server.
    fn dns_addresses(&self, py: Python) -> Vec<String> {
        let found = self.enter(py, |inner| inner.engine.dns().addresses());
        found.iter().map(IpAddr::to_string).collect()
    }

    /// The servers outside: name, address, and the zones they have.
    fn dns_servers(&self, py: Python) -> Vec<(String, String, Vec<String>)> {
        self.enter(py, |inner| {
            let world = inner.engine.dns().world();
            let zones: Vec<String> = world.zones().map(|zone| name::text(zone)).collect();
            let of = |numbers: &[usize]| numbers.iter().map(|at| zones[*at].clone()).collect();
            let servers = world.servers();
            servers
                .map(|one| (name::text(&one.name), one.address.to_string(), of(&one.zones)))
                .collect()
        })
    }

    /// How DNS is set up.
    fn dns_settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let settings = self.enter(py, |inner| inner.engine.dns().settings().clone());
        let texts = |list: &[IpAddr]| -> Vec<Value> {
            list.iter().map(|ip| Value::from(ip.to_string())).collect()
        };
        let files = settings.files.iter();
        let files = files.map(|(file, text)| {
            Value::from(vec![Value::from(file.as_str()), text.as_str().into()])
        });
        let value = Value::map([
            ("zone", Value::from(settings.zone.as_str())),
            ("server", settings.server.map_or(Value::Null, |ip| ip.to_string().into())),
            ("resolv_conf", settings.node.to_string().into()),
            ("files", files.collect::<Vec<Value>>().into()),
            ("silent", texts(&settings.silent).into()),
        ]);
        value_to_py(py, &value)
    }

    /// Sets DNS up anew; fields as [`World::dns_settings`] has them.
    fn set_dns(&self, py: Python, settings: &Bound<PyAny>) -> PyResult<()> {
        let given = value_from_py(settings)?;
        let text = |field: &str| given.str_at(&[field]).unwrap_or_default();
        let mut read = Settings {
            zone: text("zone").trim_end_matches('.').to_owned(),
            server: given.str_at(&["server"]).map(address).transpose()?,
            node: ResolvConf::parse(text("resolv_conf")).map_err(value_error)?,
            files: Vec::new(),
            silent: Vec::new(),
        };
        for file in given.list_at(&["files"]) {
            let [file, text] = file.as_list().unwrap_or_default() else { continue };
            let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            read.files.push((text_of(file), text_of(text)));
        }
        for server in given.list_at(&["silent"]) {
            read.silent.push(address(server.as_str().unwrap_or_default())?);
        }
        self.enter(py, |inner| inner.engine.set_dns(read)).map_err(value_error)
    }

    /// Forgets what resolvers remember.
    fn dns_flush(&self, py: Python) {
        self.enter(py, |inner| inner.engine.dns().flush());
    }
}

/// A cluster's DNS on a real port.
#[pyclass(frozen, module = "wavetank._core")]
pub struct DnsServer {
    host: String,
    port: u16,
    server: Mutex<Option<Server>>,
    counted: Mutex<Vec<(&'static str, u64)>>,
}

#[pymethods]
impl DnsServer {
    #[new]
    fn new(py: Python, world: &World, host: &str, port: u16) -> PyResult<Self> {
        let address = SocketAddr::new(address(host)?, port);
        let published = world.enter(py, |inner| {
            let now = inner.engine.now();
            let published = Published::new(inner.engine.dns().clone(), now);
            inner.served.push(Arc::downgrade(&published));
            published
        });
        let server = py.detach(|| Server::start(address, published))?;
        let port = server.address().port();
        let (server, counted) = (Mutex::new(Some(server)), Mutex::default());
        Ok(Self { host: host.to_owned(), port, server, counted })
    }

    /// The address it listens at.
    #[getter]
    fn host(&self) -> &str {
        &self.host
    }

    /// The port it listens on.
    #[getter]
    fn port(&self) -> u16 {
        self.port
    }

    /// What it counted.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        match &*server {
            Some(server) => server.counters(),
            None => self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Stops it.
    fn close(&self, py: Python) {
        py.detach(|| {
            let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(mut running) = server.take() {
                running.stop();
                let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
                *counted = running.counters();
            }
        });
    }

    /// Whether it was stopped.
    #[getter]
    fn closed(&self) -> bool {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// An address of a server.
fn address(text: &str) -> PyResult<IpAddr> {
    text.parse()
        .map_err(|_| value_error(format!("Invalid value: {text:?}: must be a valid IP address")))
}
