//! Answers about names: in process, message in and message out, and over UDP on loopback.
//!
//! `cargo bench -p wavetank-core --profile quick --bench dns`

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use wavetank_core::base::Time;
use wavetank_core::net::dns::Dns;
use wavetank_core::net::dns::index::{Address, Port, Service, Slice, Target, key};
use wavetank_core::net::dns::name;
use wavetank_core::net::dns::serve::{Published, Server};
use wavetank_core::net::dns::stub::query;
use wavetank_core::net::dns::wire::{Transport, kind};

fn main() {
    divan::main();
}

const SERVICES: u32 = 10_000;
const ENDPOINTS: u32 = 10;

fn ports() -> Vec<Port> {
    vec![Port { name: "http".into(), protocol: "TCP".into(), number: 8080 }]
}

fn slice(number: u32, endpoints: u32) -> Slice {
    let address = |at: u32| {
        let ip = Ipv4Addr::from(0x0a80_0000 + number * endpoints + at);
        Address { ip: IpAddr::V4(ip), label: ip.to_string().replace('.', "-").into() }
    };
    Slice {
        key: key("shop", &format!("headless-{number}")),
        name: format!("headless-{number}-x").into(),
        addresses: (0..endpoints).map(address).collect(),
        ports: ports(),
    }
}

/// Half of the services have an address, half are headless.
fn dns(endpoints: u32) -> Dns {
    let mut dns = Dns::default();
    let names = dns.names_mut();
    names.put_namespace(0, Some("shop".into()));
    for number in 0..SERVICES {
        let ip = IpAddr::V4(Ipv4Addr::from(0x0a60_0000 + number));
        let (name, target) = match number % 2 {
            0 => (format!("service-{number}"), Target::Addresses(vec![ip])),
            _ => (format!("headless-{number}"), Target::Endpoints),
        };
        let service = Service { key: key("shop", &name), target, ports: ports() };
        names.put_service(number, Some(service));
        if number % 2 == 1 {
            names.put_slice(number, Some(slice(number, endpoints)));
        }
    }
    dns
}

/// A thousand queries.
fn queries(form: &str, type_number: u16) -> Vec<Vec<u8>> {
    let place = |at: u32| at * 10 + u32::from(form.contains("headless"));
    let text = |at: u32| form.replace("{}", &place(at).to_string());
    let message = |at: u32| {
        let name = name::parse(&text(at)).unwrap();
        query(&name, type_number, 0x0100, Some(1232))
    };
    (0..1000).map(message).collect()
}

fn answer(bencher: Bencher, form: &str, type_number: u16) {
    let mut dns = dns(ENDPOINTS);
    let queries = queries(form, type_number);
    let mut buffer = Vec::new();
    bencher.counter(ItemsCount::new(queries.len())).bench_local(|| {
        for (turn, message) in queries.iter().enumerate() {
            let turn = turn as u64;
            dns.answer(message, Transport::Udp, Time(0), turn, &mut buffer).unwrap();
        }
        buffer.len()
    });
}

#[divan::bench]
fn address_of_a_service(bencher: Bencher) {
    answer(bencher, "service-{}.shop.svc.cluster.local", kind::A);
}

#[divan::bench]
fn no_such_name(bencher: Bencher) {
    answer(bencher, "service-{}.shop.svc.cluster.local.shop.svc.cluster.local", kind::A);
}

#[divan::bench]
fn no_such_type(bencher: Bencher) {
    answer(bencher, "service-{}.shop.svc.cluster.local", kind::AAAA);
}

#[divan::bench]
fn ten_addresses(bencher: Bencher) {
    answer(bencher, "headless-{}.shop.svc.cluster.local", kind::A);
}

#[divan::bench]
fn ports_of_ten_endpoints(bencher: Bencher) {
    answer(bencher, "_http._tcp.headless-{}.shop.svc.cluster.local", kind::SRV);
}

/// The same answer, taken apart and put together again by hickory-proto: what its messages cost.
#[divan::bench]
fn decode_and_encode_by_hickory(bencher: Bencher) {
    let mut dns = dns(ENDPOINTS);
    let queries = queries("service-{}.shop.svc.cluster.local", kind::A);
    let mut replies = Vec::new();
    for message in &queries {
        let mut buffer = Vec::new();
        dns.answer(message, Transport::Udp, Time(0), 0, &mut buffer).unwrap();
        replies.push(buffer);
    }
    bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
        let mut total = 0;
        for (query, reply) in queries.iter().zip(&replies) {
            let asked = hickory_proto::op::Message::from_vec(query).unwrap();
            let answer = hickory_proto::op::Message::from_vec(reply).unwrap();
            total += answer.to_vec().unwrap().len() + asked.queries.len();
        }
        total
    });
}

/// One of 100 endpoints of a Service changes, in a cluster of 10,000 services.
#[divan::bench]
fn one_endpoint_changes(bencher: Bencher) {
    let mut dns = dns(100);
    let (whole, mut less) = (slice(1, 100), slice(1, 100));
    less.addresses.remove(50);
    let mut turn = 0_u32;
    bencher.bench_local(|| {
        turn += 1;
        let next = if turn % 2 == 1 { &less } else { &whole };
        dns.names_mut().put_slice(1, Some(next.clone()))
    });
}

#[divan::bench(sample_count = 5)]
fn names_of_10_000_services(bencher: Bencher) {
    bencher.bench_local(|| dns(ENDPOINTS));
}

/// One client on loopback, with 64 queries under way; the server's two threads and the client
/// share the cores.
#[divan::bench(sample_count = 5)]
fn over_udp(bencher: Bencher) {
    const WINDOW: usize = 64;
    const COUNT: usize = 50_000;
    let published = Published::new(dns(ENDPOINTS), Time(0));
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), published).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.address()).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let queries = queries("service-{}.shop.svc.cluster.local", kind::A);
    bencher.counter(ItemsCount::new(COUNT)).bench_local(|| {
        let (mut sent, mut received) = (0, 0);
        let mut buffer = [0; 2048];
        while received < COUNT {
            while sent < COUNT && sent - received < WINDOW {
                client.send(&queries[sent % queries.len()]).unwrap();
                sent += 1;
            }
            match client.recv(&mut buffer) {
                Ok(_) => received += 1,
                // What was lost on the way is sent again.
                Err(_) => sent = received,
            }
        }
        received
    });
}
