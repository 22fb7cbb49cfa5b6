//! Entries against a plain map, and their timeouts.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Entry, Flows, Tuple};
use crate::net::service_ports::Protocol;

const SECOND: i64 = 1_000_000_000;

fn tuple(number: u32, protocol: Protocol) -> Tuple {
    let (source_port, protocol) = (number as u16, protocol as u8);
    Tuple { node: 1, source: 7, destination: number >> 16, source_port, port: 80, protocol }
}

fn open(number: u32, protocol: Protocol, now: i64) -> Entry {
    Entry::new(tuple(number, protocol), (number, 80), 0, now * SECOND, (0, 0))
}

#[test]
fn a_connection_is_forgotten_when_it_is_silent_for_too_long() {
    let mut flows = Flows::default();
    for (protocol, timeout) in [(Protocol::Tcp, 86_400), (Protocol::Udp, 30)] {
        flows.insert(open(1, protocol, 0), 0);
        assert!(flows.find(tuple(1, protocol), timeout * SECOND - 1_000_000).is_some());
        assert!(flows.find(tuple(1, protocol), timeout * SECOND).is_none());
    }
}

#[test]
fn udp_packets_after_two_seconds_make_a_stream() {
    let mut entry = open(1, Protocol::Udp, 0);
    entry.refresh(2 * SECOND);
    assert_eq!(entry.expires_ms, 32_000);
    entry.refresh(2 * SECOND + 1);
    assert_eq!(entry.expires_ms, 122_001);
}

#[test]
fn closing_shortens_the_time() {
    let mut entry = open(1, Protocol::Tcp, 0);
    entry.close(true, SECOND);
    assert_eq!(entry.expires_ms, 3_601_000);
    entry.close(false, SECOND);
    entry.refresh(SECOND);
    assert_eq!(entry.expires_ms, 121_000);
}

proptest! {
    #[test]
    fn behaves_as_a_map_with_timeouts_in_every_fork_and_after_reading_back(
        ops in prop::collection::vec((0..4u8, 0..3000u32, 0..9i64), 1..3000),
    ) {
        let (mut flows, mut model, mut now) = (Flows::default(), BTreeMap::new(), 0);
        let mut fork = None;
        for (op, number, step) in ops {
            now += step;
            match op {
                0 if fork.is_none() => fork = Some((flows.clone(), model.clone())),
                1 => {
                    model.remove(&number);
                    flows.remove_if(now * SECOND, |entry| entry.end.0 == number);
                }
                _ => {
                    model.insert(number, now + 30);
                    flows.insert(open(number, Protocol::Udp, now), now * SECOND);
                }
            }
        }
        let back: Flows = postcard::from_bytes(&postcard::to_stdvec(&flows).unwrap()).unwrap();
        let forked = fork.unwrap_or_default();
        for (flows, model) in [(&flows, &model), (&back, &model), (&forked.0, &forked.1)] {
            for number in 0..3000 {
                let known = model.get(&number).is_some_and(|until| *until > now);
                let found = flows.find(tuple(number, Protocol::Udp), now * SECOND);
                prop_assert_eq!(found.map(|entry| entry.end.0), known.then_some(number));
            }
        }
    }
}
