//! The table of routes at the size it is meant for: 10,000 service ports of 100 endpoints.
//!
//! `cargo bench -p wavetank-core --profile quick --bench route`

mod services;

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use divan::Bencher;
use divan::counter::ItemsCount;
use wavetank_core::base::random::mix;
use wavetank_core::net::route::batch::{Column, Numbers};
use wavetank_core::net::route::traffic::Sticking;
use wavetank_core::net::route::{Dice, Request, RouteTable, Routed, Traffic, View};
use wavetank_core::net::rules::{Config, Node};
use wavetank_core::net::service_ports::Protocol;
use wavetank_core::net::{Family, ServiceTable};

use self::services::{service, slice};

const CONNECTIONS: usize = 1_000_000;
const ENDPOINTS: u32 = 100;

fn main() {
    divan::main();
}

type Compiled = (ServiceTable, RouteTable, Node);

/// Tables that were made, by the number of their services.
static TABLES: LazyLock<Mutex<BTreeMap<u32, Compiled>>> = LazyLock::new(Mutex::default);

fn compiled(services: u32) -> Compiled {
    let mut known = TABLES.lock().unwrap();
    let made = known.entry(services).or_insert_with(|| {
        let mut table = ServiceTable::default();
        for number in 0..services {
            let slice = slice(number, ENDPOINTS, true);
            table.set(number, &service(number), &[&slice], [true, false]);
        }
        let node = table.node("node-7", Some("a"), ["192.168.0.2"].into_iter());
        let mut routes = RouteTable::new(Family::V4);
        routes.follow(&table, None);
        (table, routes, node)
    });
    made.clone()
}

/// Connections of one pod to services at random.
fn destinations(services: u32) -> Vec<u32> {
    let pick = |number: usize| (mix(number as u64) % u64::from(services)) as u32;
    (0..CONNECTIONS).map(pick).map(|number| 172 << 24 | (number & 0x00FF_FFFF)).collect()
}

#[divan::bench(sample_count = 20, args = [100, 10_000, 100_000])]
fn route_new_connections(bencher: Bencher, services: u32) {
    let (_, routes, node) = compiled(services);
    route(bencher, routes, node, services, false);
}

/// The same on all cores.
#[divan::bench(sample_count = 20, args = [10_000])]
fn route_new_connections_on_all_cores(bencher: Bencher, services: u32) {
    let (_, routes, node) = compiled(services);
    route(bencher, routes, node, services, true);
}

fn route(bencher: Bencher, mut routes: RouteTable, node: Node, services: u32, threads: bool) {
    let mut view = View::new(&mut routes, &Config::default(), node);
    let destinations = destinations(services);
    let request = Request {
        source: Column::One(10 << 24 | 7),
        destination: Column::Many(&destinations),
        port: Column::One(80),
        protocol: Protocol::Tcp,
        number: Numbers::From(0),
        dice: Dice::new(7, 0),
    };
    bencher
        .counter(ItemsCount::new(CONNECTIONS))
        .bench_local(|| routes.route(&mut view, &request, CONNECTIONS, threads));
}

/// Packets of a million connections that are remembered.
#[divan::bench(sample_count = 10, args = [1_000_000])]
fn established_connections(bencher: Bencher, connections: usize) {
    let (_, mut routes, node) = compiled(10_000);
    let mut view = View::new(&mut routes, &Config::default(), node);
    let (destinations, mut traffic) = (destinations(10_000), Traffic::default());
    let sources: Vec<u32> = (0..connections as u32).map(|at| 10 << 24 | at >> 8).collect();
    let ports: Vec<u16> = (0..connections).map(|at| 1024 + (at % 50_000) as u16).collect();
    let request = Request {
        source: Column::Many(&sources),
        destination: Column::Many(&destinations),
        port: Column::One(80),
        protocol: Protocol::Tcp,
        number: Numbers::From(0),
        dice: Dice::new(7, 0),
    };
    let source_port = Column::Many(&ports[..]);
    let at_ns = Column::One(0);
    let sticking = Sticking { node: "node-7", request, at_ns, cap: None, source_port };
    let mut routed = Routed {
        endpoints: vec![0; connections],
        flags: vec![0; connections],
        departed: Vec::new(),
    };
    traffic.track(&routes, &mut view, &sticking, &mut routed);
    bencher
        .counter(ItemsCount::new(connections))
        .bench_local(|| traffic.track(&routes, &mut view, &sticking, &mut routed));
}

/// The table of routes from compiled services.
#[divan::bench(sample_count = 5, args = [10_000])]
fn build_table(bencher: Bencher, services: u32) {
    let (table, routes, _) = compiled(services);
    let endpoints = services * ENDPOINTS;
    let bytes = routes.bytes() as f64 / f64::from(endpoints);
    println!("{bytes:.1} bytes of the table of routes per endpoint");
    bencher.counter(ItemsCount::new(endpoints)).bench_local(|| {
        let mut routes = RouteTable::new(Family::V4);
        routes.follow(&table, None);
        routes
    });
}

/// One endpoint changes: its service is compiled anew, and the table follows.
#[divan::bench(sample_count = 200, args = [10_000])]
fn one_endpoint_changes(bencher: Bencher, services: u32) {
    let (mut table, mut routes, _) = compiled(services);
    let (service, mut ready) = (service(77), false);
    let slices = [slice(77, ENDPOINTS, false), slice(77, ENDPOINTS, true)];
    bencher.bench_local(|| {
        ready = !ready;
        table.set(77, &service, &[&slices[usize::from(ready)]], [true, false]);
        routes.follow(&table, None);
    });
}

/// The part of that which is the table of routes'.
#[divan::bench(sample_count = 200, args = [10_000])]
fn table_follows_one_endpoint(bencher: Bencher, services: u32) {
    let (mut table, mut routes, _) = compiled(services);
    let (service, mut ready) = (service(77), false);
    let slices = [slice(77, ENDPOINTS, false), slice(77, ENDPOINTS, true)];
    bencher
        .with_inputs(|| {
            ready = !ready;
            table.set(77, &service, &[&slices[usize::from(ready)]], [true, false]);
            table.clone()
        })
        .bench_local_refs(|table| routes.follow(table, None));
}
