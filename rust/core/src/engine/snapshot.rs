//! A whole cluster as bytes: the store, and everything that acts in it where it stood.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::advance::Turn;
use super::consumer::{Consumer, Role};
use super::control_plane::ControlPlane;
use super::controllers::SavedController;
use super::pools::Pools;
use super::queue::EventQueue;
use super::{Event, World};
use crate::api::Rules;
use crate::base::{Latencies, Stream, Time};
use crate::net::dns::Dns;
use crate::net::dns::server::Saved as SavedDns;
use crate::net::route::{Addresses, Router, Traffic};
use crate::net::{EndpointSlices, Family, ServiceTable};
use crate::node::Kubelets;
use crate::sched::plugins::user::{Declaration, UserPlugin};
use crate::sched::saved::Saved as SavedScheduler;
use crate::sched::{Scheduler, configuration};
use crate::store::Store;
use crate::store::snapshot::Saved as SavedStore;

/// What a saved cluster begins with: a name and the version of the format.
const MAGIC: &[u8; 12] = b"wavetank\0\0\0\x04";

/// Bytes of the checksum that follows; what is saved comes after it.
const CHECKSUM_BYTES: usize = 8;

#[derive(Serialize, Deserialize)]
struct Saved {
    store: SavedStore,
    latencies: Latencies,
    configuration: String,
    scheduler: SavedScheduler,
    kubelets: Kubelets,
    endpoints: EndpointSlices,
    dns: SavedDns,
    controllers: Vec<SavedController>,
    consumers: Vec<Consumer>,
    queue: EventQueue<Event>,
    work: usize,
    delays: Stream,
    history: u64,
    pools: Pools,
    control_plane: ControlPlane,
    cycle_running: bool,
    retry_at: Option<Time>,
    flush_at: Option<Time>,
    stepped: bool,
    turn: Turn,
    plugins: Vec<Declaration>,
    traffic: Traffic,
    addresses: Addresses,
}

impl World {
    /// The scheduler's plugins of a user's own, by number.
    pub fn plugins(&self) -> impl Iterator<Item = &Declaration> {
        self.scheduler.config().plugins.iter().map(|plugin| &plugin.declaration)
    }

    /// The cluster as bytes.
    ///
    /// # Panics
    /// Never: every part of a cluster can be written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let saved = Saved {
            store: self.store.to_saved(),
            latencies: self.latencies.clone(),
            configuration: self.scheduler.config().source.clone(),
            scheduler: self.scheduler.to_saved(),
            kubelets: self.kubelets.clone(),
            endpoints: self.endpoints.clone(),
            dns: self.dns.to_saved(),
            controllers: self.controllers.iter().map(super::Controller::to_saved).collect(),
            consumers: self.consumers.clone(),
            queue: self.queue.clone(),
            work: self.work,
            delays: self.delays.clone(),
            history: self.history,
            pools: self.pools.clone(),
            control_plane: self.control_plane.clone(),
            cycle_running: self.cycle_running,
            retry_at: self.retry_at,
            flush_at: self.flush_at,
            stepped: self.stepped,
            turn: self.turn,
            plugins: self.plugins().cloned().collect(),
            traffic: self.traffic.clone(),
            addresses: self.router.table(Family::V6).addresses.clone(),
        };
        let head = [&MAGIC[..], &[0; CHECKSUM_BYTES]].concat();
        let at = head.len();
        let mut bytes = postcard::to_extend(&saved, head).expect("a cluster can be written");
        let sum = checksum(&bytes[at..]).to_le_bytes();
        bytes[MAGIC.len()..at].copy_from_slice(&sum);
        bytes
    }

    /// The cluster some bytes stand for. What is derived is computed anew, so that it goes on
    /// exactly as the saved one would.
    ///
    /// # Errors
    /// A sentence when the bytes are no cluster of this version.
    pub fn from_bytes(bytes: &[u8], rules: Arc<Rules>) -> Result<Self, String> {
        let (magic, body) = bytes.split_at_checked(MAGIC.len()).unwrap_or((bytes, &[]));
        if !magic.starts_with(&MAGIC[..8]) {
            return Err("not a saved wavetank cluster".to_owned());
        }
        if magic != MAGIC {
            return Err("a cluster saved by another version of wavetank".to_owned());
        }
        let (sum, body) = body.split_at_checked(CHECKSUM_BYTES).unwrap_or((body, &[]));
        if sum != checksum(body).to_le_bytes() {
            return Err("a damaged saved cluster: its checksum is wrong".to_owned());
        }
        let saved: Saved = postcard::from_bytes(body)
            .map_err(|error| format!("a damaged saved cluster: {error}"))?;
        let store = Store::from_saved(saved.store, rules);
        let seen = saved.consumers.iter().find(|consumer| consumer.role == Role::Scheduler);
        let seen = seen.map_or(0, |consumer| consumer.seen);
        let plugins: Result<Vec<UserPlugin>, String> =
            saved.plugins.into_iter().map(UserPlugin::new).collect();
        let config = Arc::new(configuration::reread_with(&saved.configuration, plugins?)?);
        let scheduler = Scheduler::from_saved(saved.scheduler, config, &store, seen)?;
        let mut endpoints = saved.endpoints;
        endpoints.rebuild(&store);
        let mut router = Router::default();
        router.table_mut(Family::V6).addresses = saved.addresses;
        let controllers =
            saved.controllers.into_iter().map(|controller| controller.restore(&store)).collect();
        Ok(Self {
            store,
            latencies: saved.latencies,
            scheduler,
            kubelets: saved.kubelets,
            endpoints,
            routes: ServiceTable::default(),
            dns: Dns::from_saved(saved.dns)?,
            router,
            traffic: saved.traffic,
            controllers,
            consumers: saved.consumers,
            queue: saved.queue,
            work: saved.work,
            delays: saved.delays,
            history: saved.history,
            pools: saved.pools,
            control_plane: saved.control_plane,
            cycle_running: saved.cycle_running,
            retry_at: saved.retry_at,
            flush_at: saved.flush_at,
            stepped: saved.stepped,
            turn: saved.turn,
        })
    }
}

/// A checksum against files cut short and flipped bits, not against forgery: the bytes as words,
/// multiplied and rotated in turn.
fn checksum(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum =
        words.iter().fold(bytes.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(sum, u64::from_le_bytes(last)), 0)
}
