//! Rules and compiled services at the size they are meant for: 10,000 services.
//!
//! `cargo bench -p wavetank-core --profile quick --bench net`

mod services;

use divan::Bencher;
use wavetank_core::base::{Time, Value};
use wavetank_core::net::rules::{Config, Node, Proxier};
use wavetank_core::net::{Family, ServiceTable};

use self::services::{service, slice};

fn main() {
    divan::main();
}

type Documents = Vec<(Value, Value)>;

fn documents(services: u32, endpoints: u32) -> Documents {
    (0..services).map(|number| (service(number), slice(number, endpoints, true))).collect()
}

fn compile(documents: &Documents) -> (ServiceTable, Node) {
    let mut table = ServiceTable::default();
    for (slot, (service, slice)) in documents.iter().enumerate() {
        table.set(slot as u32, service, &[slice], [true, false]);
    }
    let node = table.node("node-7", Some("a"), ["192.168.0.2"].into_iter());
    (table, node)
}

#[divan::bench(sample_count = 5, args = [10, 100])]
fn compile_10_000_services(bencher: Bencher, endpoints: u32) {
    let documents = documents(10_000, endpoints);
    bencher
        .counter(divan::counter::ItemsCount::new(10_000 * endpoints))
        .bench_local(|| compile(&documents));
}

#[divan::bench(sample_count = 5, args = [10])]
fn rules_of_10_000_services(bencher: Bencher, endpoints: u32) {
    let (table, node) = compile(&documents(10_000, endpoints));
    bencher.bench_local(|| Proxier::full(&table, Family::V4, Config::default(), node.clone()));
}

/// One endpoint changes: its service is compiled anew.
#[divan::bench(sample_count = 100, args = [10, 100])]
fn one_endpoint_changes(bencher: Bencher, endpoints: u32) {
    let (mut table, _) = compile(&documents(10_000, endpoints));
    let (service, mut ready) = (service(77), false);
    let slices = [slice(77, endpoints, false), slice(77, endpoints, true)];
    bencher.bench_local(|| {
        ready = !ready;
        table.set(77, &service, &[&slices[usize::from(ready)]], [true, false]);
    });
}

/// The same, and what a partial sync writes about it: every service's rules in shared chains.
#[divan::bench(sample_count = 20, args = [10])]
fn partial_sync_of_10_000_services(bencher: Bencher, endpoints: u32) {
    let (mut table, node) = compile(&documents(10_000, endpoints));
    let mut proxier = Proxier::new(Family::V4, Config::default(), node);
    proxier.sync(&table, Time(0));
    let (service, mut ready) = (service(77), false);
    let slices = [slice(77, endpoints, false), slice(77, endpoints, true)];
    bencher.bench_local(|| {
        ready = !ready;
        table.set(77, &service, &[&slices[usize::from(ready)]], [true, false]);
        proxier.sync(&table, Time(0))
    });
}
