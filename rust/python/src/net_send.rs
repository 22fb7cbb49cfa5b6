//! Connections through the network, as columns.

use std::sync::Mutex;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_arrow::PyTable;
use wavetank_core::api::ApiResult;
use wavetank_core::base::ip::parse_ip;
use wavetank_core::engine::World as Engine;
use wavetank_core::engine::endpoint_rows::EndpointRow;
use wavetank_core::engine::sending::{Mode, Sending};
use wavetank_core::net::Family;
use wavetank_core::net::route::batch::{
    DROP, ENDPOINT, ESTABLISHED, MASQUERADED, NO_ENDPOINT, PASS, REJECT,
};
use wavetank_core::net::service_ports::Protocol;
use wavetank_core::record::{Categories, Column, ColumnSet};

use crate::columns::{to_arrow, to_dict};
use crate::error::{api_error, value_error};
use crate::net::read_family;
use crate::world::World;

/// What a column of words reads of an endpoint.
type Word = fn(&EndpointRow) -> &str;

/// The word of each verdict, by number.
const VERDICTS: [&str; 4] = ["endpoint", "accept", "drop", "reject"];

/// What became of connections. It keeps the cluster of that moment, to name endpoints.
#[pyclass(frozen, module = "wavetank._core")]
pub struct Sent {
    fork: Mutex<Engine>,
    family: Family,
    /// Per connection, the row of its endpoint in the table of endpoints; -1 for none.
    codes: Vec<i32>,
    /// Per connection, its verdict and whether it was masqueraded.
    flags: Vec<u8>,
    /// The service ports that endpoints belong to.
    ports: Vec<u32>,
    /// Per endpoint, how many connections it got.
    counts: Vec<u64>,
    /// How many connections met each verdict.
    verdicts: [u64; 4],
    masqueraded: u64,
    /// Endpoints of connections that no service has any more, after all others.
    departed: Vec<(String, u16)>,
}

#[pymethods]
impl World {
    /// The numbers of addresses, given as text.
    fn number_addresses<'py>(
        &self,
        py: Python<'py>,
        family: &str,
        addresses: Vec<String>,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let family = read_family(family)?;
        let parsed = addresses.iter().map(|text| {
            let address = parse_ip(text).map(|address| address.to_canonical());
            address
                .filter(|address| Family::of(*address) == family)
                .ok_or_else(|| value_error(format!("{text:?}: not an {} address", family.name())))
        });
        let parsed = parsed.collect::<PyResult<Vec<_>>>()?;
        let numbers =
            self.enter(py, |inner| inner.engine.number_addresses(family, parsed.into_iter()));
        Ok(numbers.into_pyarray(py))
    }

    /// The nodes that IPv4 addresses are on, by name, and which of them each is; `elsewhere` for
    /// addresses no pod or node has.
    fn nodes_of_addresses<'py>(
        &self,
        py: Python<'py>,
        addresses: PyReadonlyArray1<u32>,
        elsewhere: &str,
    ) -> PyResult<(Vec<String>, Bound<'py, PyArray1<u32>>)> {
        let addresses = addresses.as_slice()?;
        let (names, codes) =
            self.enter(py, |inner| inner.engine.nodes_of_addresses(addresses, elsewhere));
        Ok((names, codes.into_pyarray(py)))
    }

    /// Sends connections: columns of one value for all or one for each, by name. With `counts`
    /// they are only counted, so many to each destination; with `source_port` nodes remember them.
    fn send(&self, py: Python, columns: &Bound<PyDict>) -> PyResult<Sent> {
        let sending = read_sending(self, py, columns)?;
        let counts: Option<Vec<u64>> = column(columns, "counts")?;
        let sent = self.enter(py, |inner| match counts {
            Some(counts) => Sent::counted(&mut inner.engine, &sending, &counts),
            None => Sent::one_by_one(&mut inner.engine, &sending),
        });
        sent.map_err(|error| api_error(&error))
    }

    /// Per connection, -1 when no node remembers it, 0 when one does, or the port of the node it
    /// seems to come from when it is masqueraded.
    fn look_at_connections<'py>(
        &self,
        py: Python<'py>,
        columns: &Bound<PyDict>,
    ) -> PyResult<Bound<'py, PyArray1<i32>>> {
        let sending = read_sending(self, py, columns)?;
        let found = self.enter(py, |inner| inner.engine.look_at_connections(&sending));
        let ports: Vec<i32> = found.into_iter().map(|port| port.map_or(-1, i32::from)).collect();
        Ok(ports.into_pyarray(py))
    }

    /// Closes connections, or one side of each.
    fn close_connections(&self, py: Python, columns: &Bound<PyDict>, half: bool) -> PyResult<()> {
        let sending = read_sending(self, py, columns)?;
        self.enter(py, |inner| inner.engine.close_connections(&sending, half));
        Ok(())
    }

    /// How many connections were ever sent.
    fn sent_count(&self, py: Python) -> u64 {
        self.enter(py, |inner| inner.engine.traffic().sent)
    }

    /// How many connections nodes remember.
    fn connection_count(&self, py: Python) -> usize {
        self.enter(py, |inner| {
            inner.engine.follow_routes();
            inner.engine.traffic().connections(inner.engine.now().0)
        })
    }
}

fn read_sending(world: &World, py: Python, columns: &Bound<PyDict>) -> PyResult<Sending> {
    let wanted = |name: &str| -> PyResult<Bound<PyAny>> {
        columns.get_item(name)?.ok_or_else(|| value_error(format!("no column {name:?}")))
    };
    let needed = |name: &str| value_error(format!("no column {name:?}"));
    let mode: String = wanted("mode")?.extract()?;
    Ok(Sending {
        family: read_family(&wanted("family")?.extract::<String>()?)?,
        protocol: Protocol::read(Some(&wanted("protocol")?.extract::<String>()?)),
        config: world.read_config(py, wanted("options")?.cast::<PyDict>()?)?,
        nodes: wanted("nodes")?.extract()?,
        node: column(columns, "node")?.ok_or_else(|| needed("node"))?,
        source: column(columns, "source")?.ok_or_else(|| needed("source"))?,
        destination: column(columns, "destination")?.ok_or_else(|| needed("destination"))?,
        port: column(columns, "port")?.ok_or_else(|| needed("port"))?,
        at_ns: column(columns, "at_ns")?.ok_or_else(|| needed("at_ns"))?,
        count: wanted("count")?.extract()?,
        epoch: wanted("epoch")?.extract()?,
        threads: wanted("threads")?.extract()?,
        cap: wanted("cap")?.extract()?,
        mode: if mode == "chain" { Mode::Chain } else { Mode::Table },
        source_port: column(columns, "source_port")?,
    })
}

/// A column as an array of just the wanted numbers; none when it is not there.
fn column<T: numpy::Element + Copy>(
    columns: &Bound<PyDict>,
    name: &str,
) -> PyResult<Option<Vec<T>>> {
    let Some(found) = columns.get_item(name)?.filter(|found| !found.is_none()) else {
        return Ok(None);
    };
    let array: PyReadonlyArray1<T> = found.extract()?;
    Ok(Some(array.as_slice()?.to_vec()))
}

#[pymethods]
impl Sent {
    /// The row of each connection's endpoint; -1 for none.
    fn endpoint<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        PyArray1::from_slice(py, &self.codes)
    }

    /// The verdict of each connection in the low two bits, 4 more if it was masqueraded and 16
    /// if it was there already.
    fn flags<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u8>> {
        PyArray1::from_slice(py, &self.flags)
    }

    /// How many connections met each verdict, and how many were masqueraded.
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (word, count) in VERDICTS.iter().zip(self.verdicts) {
            dict.set_item(word, count)?;
        }
        dict.set_item("masqueraded", self.masqueraded)?;
        Ok(dict)
    }

    /// The same: what was sent does not change.
    fn fork(slf: PyRef<Self>) -> PyRef<Self> {
        slf
    }

    /// A table as columns: "connections" or "endpoints".
    fn columns<'py>(&self, py: Python<'py>, table: &str) -> PyResult<Bound<'py, PyDict>> {
        let set = py.detach(|| self.table(table))?;
        to_dict(py, set)
    }

    /// The same table as an Arrow table.
    fn arrow(&self, py: Python, table: &str) -> PyResult<PyTable> {
        to_arrow(py.detach(|| self.table(table))?)
    }
}

impl Sent {
    fn one_by_one(engine: &mut Engine, sending: &Sending) -> ApiResult<Self> {
        let routed = engine.send(sending)?;
        let table = engine.route_table(sending.family);
        let mut hit = vec![false; table.port_count()];
        let mut last = NO_ENDPOINT;
        for endpoint in routed.endpoints.iter().copied().filter(|at| *at != NO_ENDPOINT) {
            let owner = table.owner(endpoint);
            if owner != last {
                hit[owner as usize] = true;
                last = owner;
            }
        }
        let ports = (0..hit.len() as u32).filter(|port| hit[*port as usize]).collect();
        let mut sent = Self::empty(engine, sending.family, ports);
        let table = engine.route_table(sending.family);
        let bases = sent.bases(engine);
        sent.codes = Vec::with_capacity(routed.endpoints.len());
        for endpoint in &routed.endpoints {
            let code = if *endpoint == NO_ENDPOINT {
                -1
            } else {
                let code = bases[table.owner(*endpoint) as usize].wrapping_add(*endpoint);
                sent.counts[code as usize] += 1;
                code as i32
            };
            sent.codes.push(code);
        }
        sent.depart(engine, &routed.departed);
        for flags in &routed.flags {
            sent.verdicts[usize::from(flags & REJECT)] += 1;
            sent.masqueraded += u64::from(flags & MASQUERADED != 0);
        }
        sent.flags = routed.flags;
        Ok(sent)
    }

    fn counted(engine: &mut Engine, sending: &Sending, counts: &[u64]) -> ApiResult<Self> {
        let counted = engine.send_counted(sending, counts)?;
        let table = engine.route_table(sending.family);
        let mut ports: Vec<u32> =
            counted.endpoints.keys().map(|endpoint| table.owner(*endpoint)).collect();
        ports.sort_unstable();
        ports.dedup();
        let mut sent = Self::empty(engine, sending.family, ports);
        let bases = sent.bases(engine);
        let table = engine.route_table(sending.family);
        for (endpoint, count) in &counted.endpoints {
            let code = bases[table.owner(*endpoint) as usize].wrapping_add(*endpoint);
            sent.counts[code as usize] += count;
        }
        (sent.verdicts, sent.masqueraded) = (counted.verdicts, counted.masqueraded);
        Ok(sent)
    }

    /// Nothing sent yet to the endpoints of some service ports, which are put in the order of
    /// their names.
    fn empty(engine: &Engine, family: Family, mut ports: Vec<u32>) -> Self {
        let table = engine.route_table(family);
        let name = |port: &u32| {
            let service = &table.source(*port).1.service;
            (service.name.clone(), service.protocol)
        };
        if ports.len() > 1 {
            ports.sort_by_cached_key(name);
        }
        let endpoints: usize = ports.iter().map(|port| table.entry(*port).count as usize).sum();
        Self {
            fork: Mutex::new(engine.clone()),
            family,
            codes: Vec::new(),
            flags: Vec::new(),
            ports,
            counts: vec![0; endpoints],
            verdicts: [0; 4],
            masqueraded: 0,
            departed: Vec::new(),
        }
    }

    /// Gives rows to endpoints that are gone, in the order of their addresses.
    fn depart(&mut self, engine: &Engine, departed: &[(usize, (u32, u16))]) {
        let addresses = &engine.route_table(self.family).addresses;
        let mut ends: Vec<(u32, u16)> = departed.iter().map(|(_, end)| *end).collect();
        ends.sort_unstable();
        ends.dedup();
        let first = self.counts.len();
        self.counts.resize(first + ends.len(), 0);
        for (packet, end) in departed {
            let row = first + ends.binary_search(end).expect("it is one of them");
            self.codes[*packet] = row as i32;
            self.counts[row] += 1;
        }
        let told = |(address, port): (u32, u16)| (addresses.address(address).to_string(), port);
        self.departed = ends.into_iter().map(told).collect();
    }

    /// Per service port, what makes a row of the number of an endpoint when it is added.
    fn bases(&self, engine: &Engine) -> Vec<u32> {
        let table = engine.route_table(self.family);
        let mut bases = vec![0; table.port_count()];
        let mut row = 0_u32;
        for port in &self.ports {
            let entry = table.entry(*port);
            bases[*port as usize] = row.wrapping_sub(entry.start());
            row += entry.count;
        }
        bases
    }

    fn rows(&self) -> Vec<EndpointRow> {
        let engine = self.fork.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut rows = engine.endpoint_rows(self.family, &self.ports);
        let departed = self.departed.iter().map(|(address, port)| EndpointRow {
            address: address.clone(),
            port: *port,
            ..EndpointRow::default()
        });
        rows.extend(departed);
        rows
    }

    fn table(&self, table: &str) -> PyResult<ColumnSet> {
        match table {
            "connections" => Ok(self.connections(&self.rows())),
            "endpoints" => Ok(self.endpoints(&self.rows())),
            _ => Err(value_error(format!("no such table: {table:?}"))),
        }
    }

    fn connections(&self, rows: &[EndpointRow]) -> ColumnSet {
        let mut set = ColumnSet::new();
        let verdict = |flags: &u8| usize::from(flags & REJECT);
        let words = VERDICTS.iter().map(|word| (*word).into()).collect();
        let codes = self.flags.iter().map(|flags| verdict(flags) as i32).collect();
        set.push("verdict", Column::Category { codes, words });
        set.push("endpoint", Column::Int(self.codes.iter().map(|code| i64::from(*code)).collect()));
        let words: [(&str, Word); 4] = [
            ("service", |row| &row.service),
            ("pod", |row| &row.pod),
            ("node", |row| &row.node),
            ("zone", |row| &row.zone),
        ];
        for (name, word) in words {
            let Column::Category { codes: by_row, words } = category(rows, word) else { continue };
            let code = |row: &i32| if *row < 0 { -1 } else { by_row[*row as usize] };
            let codes = self.codes.iter().map(code).collect();
            set.push(name, Column::Category { codes, words });
        }
        let flag =
            |is: fn(u8) -> bool| Column::Bool(self.flags.iter().map(|flags| is(*flags)).collect());
        set.push("masqueraded", flag(|flags| flags & MASQUERADED != 0));
        set.push("established", flag(|flags| flags & ESTABLISHED != 0));
        set.push("dropped", flag(|flags| flags & REJECT == DROP));
        set.push("rejected", flag(|flags| flags & REJECT == REJECT));
        const { assert!(ENDPOINT < PASS) };
        set
    }

    fn endpoints(&self, rows: &[EndpointRow]) -> ColumnSet {
        let mut set = ColumnSet::new();
        let text = |word: fn(&EndpointRow) -> &str| {
            Column::Text(rows.iter().map(|row| word(row).into()).collect())
        };
        set.push("service", category(rows, |row| &row.service));
        set.push("address", text(|row| &row.address));
        set.push("port", Column::Int(rows.iter().map(|row| i64::from(row.port)).collect()));
        set.push("pod", text(|row| &row.pod));
        set.push("node", category(rows, |row| &row.node));
        set.push("zone", category(rows, |row| &row.zone));
        let counts = self.counts.iter().map(|count| *count as i64).collect();
        set.push("connections", Column::Int(counts));
        let all = self.counts.iter().sum::<u64>().max(1) as f64;
        let shares = self.counts.iter().map(|count| *count as f64 / all).collect();
        set.push("share", Column::Float(shares));
        set
    }
}

/// A column of words, none where the word is empty.
fn category(rows: &[EndpointRow], word: fn(&EndpointRow) -> &str) -> Column {
    let mut words = Categories::with_capacity(rows.len());
    for row in rows {
        words.push_optional(Some(word(row)).filter(|word| !word.is_empty()));
    }
    words.finish()
}
