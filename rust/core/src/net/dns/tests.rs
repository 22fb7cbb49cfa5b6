//! The quick path against hickory-proto, and rubbish against both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use proptest::prelude::*;

use super::Dns;
use super::decode::Decoded;
use super::index::{Address, Port, Service, Slice, Target, key};
use super::name;
use super::stub::query;
use super::wire::{Transport, kind, rcode};
use crate::base::Time;

fn dns() -> Dns {
    let mut dns = Dns::default();
    let names = dns.names_mut();
    let ports = || {
        let port = |name: &str, number| Port { name: name.into(), protocol: "TCP".into(), number };
        vec![port("http", 80), port("pg", 5432)]
    };
    names.put_namespace(0, Some("shop".into()));
    let four = |n: u8| IpAddr::V4(Ipv4Addr::new(10, 96, 0, n));
    let six = |n: u16| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n));
    let alias = |text: &str| Target::Alias(Some(name::parse(text).unwrap()));
    for (slot, (name, target)) in [
        ("web", Target::Addresses(vec![four(1), six(1)])),
        ("db", Target::Endpoints),
        ("ext", alias("a.example.com")),
        ("inner", alias("web.shop.svc.cluster.local")),
    ]
    .into_iter()
    .enumerate()
    {
        let service = Service { key: key("shop", name), target, ports: ports() };
        names.put_service(slot as u32, Some(service));
    }
    let addresses = (1..=100_u8).map(|n| Address {
        ip: if n % 3 == 0 { six(u16::from(n)) } else { four(100 + n % 100) },
        label: format!("db-{n}").into(),
    });
    let slice = Slice {
        key: key("shop", "db"),
        name: "db-x".into(),
        addresses: addresses.collect(),
        ports: ports(),
    };
    names.put_slice(0, Some(slice));
    dns
}

fn reply(dns: &mut Dns, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    dns.answer(message, transport, Time(0), 7, &mut buffer)?;
    Some(buffer)
}

fn names() -> impl Strategy<Value = String> {
    let label = prop::sample::select(vec![
        "web",
        "db",
        "ext",
        "inner",
        "shop",
        "svc",
        "pod",
        "_http",
        "_tcp",
        "pg",
        "db-7",
        "DB-9",
        "10-96-0-1",
        "none",
        "dns",
        "ns",
        "dns-version",
        "x",
    ]);
    let zone = prop::sample::select(vec![
        "cluster.local",
        "Cluster.LOCAL",
        "shop.svc.cluster.local",
        "example.com",
        "in-addr.arpa",
        "0.96.10.in-addr.arpa",
        "ip6.arpa",
    ]);
    (prop::collection::vec(label, 0..6), zone)
        .prop_map(|(labels, zone)| labels.into_iter().chain([zone]).collect::<Vec<_>>().join("."))
}

fn kinds() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![1_u16, 2, 5, 6, 12, 15, 16, 28, 33, 65, 252, 255, 999])
}

proptest! {
    /// What is written is what hickory-proto reads, and what is read here is the same; a reply
    /// is never longer than it may be.
    #[test]
    fn replies_are_well_formed(name in names(), kind in kinds(), size in prop::option::of(0_u16..5000),
                               tcp in any::<bool>()) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let message = query(&name::parse(&name).unwrap(), kind, 0x0100, size);
        let bytes = reply(&mut dns(), &message, transport).unwrap();
        if !tcp {
            prop_assert!(bytes.len() <= usize::from(size.unwrap_or(512).max(512)));
        }
        let theirs = Message::from_vec(&bytes).unwrap();
        let ours = Decoded::read(&bytes).unwrap();
        prop_assert_eq!(theirs.queries.len(), 1);
        prop_assert_eq!(ours.edns.is_some(), size.is_some());
        let sections = [&theirs.answers, &theirs.authorities, &theirs.additionals];
        for (records, section) in sections.into_iter().zip(&ours.sections) {
            prop_assert_eq!(records.len(), section.len());
            for (theirs, ours) in records.iter().zip(section) {
                prop_assert_eq!(u16::from(theirs.record_type()), ours.data.kind());
                prop_assert_eq!(theirs.ttl, ours.ttl);
                let owner = name::text(ours.owner.as_deref().unwrap());
                prop_assert_eq!(theirs.name.to_ascii(), owner);
                match &theirs.data {
                    RData::A(_) | RData::AAAA(_) | RData::CNAME(_) | RData::PTR(_) | RData::NS(_)
                    | RData::SRV(_) | RData::SOA(_) => {
                        prop_assert_eq!(theirs.data.to_string(), ours.data.text());
                    }
                    _ => {}
                }
            }
        }
        // Encoded anew by hickory-proto, it says the same.
        let again = Decoded::read(&theirs.to_vec().unwrap()).unwrap();
        prop_assert_eq!(again.sections, ours.sections);
    }

    /// Rubbish gets no reply, or one that can be read.
    #[test]
    fn rubbish_breaks_nothing(message in prop::collection::vec(any::<u8>(), 0..300)) {
        for transport in [Transport::Udp, Transport::Tcp] {
            if let Some(bytes) = reply(&mut dns(), &message, transport) {
                prop_assert!(Decoded::read(&bytes).is_some());
            }
        }
        let _ = Decoded::read(&message);
    }

    /// So does a query with bytes changed, cut off or put in.
    #[test]
    fn damaged_queries_break_nothing(name in names(), kind in kinds(), at in any::<prop::sample::Index>(),
                                     byte in any::<u8>(), how in 0..3, more in 0_usize..4) {
        let mut message = query(&name::parse(&name).unwrap(), kind, 0x0100, Some(1232));
        message[11] = more as u8;
        let at = at.index(message.len());
        match how {
            0 => message[at] = byte,
            1 => message.truncate(at),
            _ => message.insert(at, byte),
        }
        if let Some(bytes) = reply(&mut dns(), &message, Transport::Udp) {
            prop_assert!(Message::from_vec(&bytes).is_ok() || bytes.len() == 12);
        }
    }
}

#[test]
fn a_circle_of_pointers_is_malformed() {
    let mut message = query(&name::parse("web").unwrap(), kind::A, 0x0100, None);
    // An additional record whose name points at itself, then at a later place, then up and down.
    for pointer in [[0xc0, message.len() as u8], [0xc0, 0xff], [0xff, 0xff]] {
        let mut message = message.clone();
        message[11] = 1;
        message.extend_from_slice(&pointer);
        message.extend_from_slice(&[0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        let bytes = reply(&mut dns(), &message, Transport::Udp).unwrap();
        assert_eq!(bytes.len(), 12);
        assert_eq!(u16::from(bytes[3] & 15), rcode::FORMERR);
    }
    // The question's own name is a pointer to itself.
    message.truncate(12);
    message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
    let bytes = reply(&mut dns(), &message, Transport::Udp).unwrap();
    assert_eq!(u16::from(bytes[3] & 15), rcode::FORMERR);
}

#[test]
fn replies_and_stumps_are_ignored() {
    let message = query(&name::parse("web").unwrap(), kind::A, 0x8100, None);
    assert!(reply(&mut dns(), &message, Transport::Udp).is_none());
    assert!(reply(&mut dns(), &[0; 11], Transport::Udp).is_none());
}
