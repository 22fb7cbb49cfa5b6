//! The engine: one clock, one queue of events, and everything that acts in its phase.
//!
//! ```text
//!            ┌────────────── one instant of virtual time ───────────────┐
//!   advance ─► garbage │ controllers │ scheduler │ kubelets │ endpoints  ├─► next event's time
//!            └─────────┴──────▲──────┴───────────┴──────────┴───────────┘
//!              each reads the log from its own cursor and writes through the store;
//!              rounds repeat until nobody has anything left to do
//! ```
//!
//! Read in this order: [`queue`] (events in total order), [`work_queue`] (keys of one
//! controller), [`consumer`] (who sees which writes when), then [`advance`]. A controller
//! written outside the core never runs inside: `advance` stops and hands out its keys.

pub mod advance;
pub mod consumer;
pub mod control_plane;
pub mod controllers;
mod dns;
pub mod endpoint_rows;
pub mod explain;
pub mod garbage;
pub mod headroom;
pub mod kubelets;
pub mod offer;
pub mod places;
pub mod pools;
pub mod queue;
pub mod sending;
pub mod snapshot;
pub mod tables;
pub mod watcher;
pub mod work_queue;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::consumer::{Consumer, Role};
pub use self::controllers::Controller;
use self::queue::EventQueue;
use crate::api::{Registry, Rules};
use crate::base::{Latencies, Stream, Streams, Time};
use crate::net::dns::Dns;
use crate::net::route::{Router, Traffic};
use crate::net::rules::Node;
use crate::net::{EndpointSlices, ServiceTable};
use crate::node::Kubelets;
use crate::sched::{Config, Scheduler};
use crate::store::ranges::Ranges;
use crate::store::{ObjectId, Store};

pub use self::advance::{Stop, Until};
pub use self::watcher::Watcher;

/// A cluster: its objects, its clock and everything that acts in it. Cloning it is a fork.
#[derive(Clone, Debug)]
pub struct World {
    /// The objects.
    pub store: Store,
    /// How long things take.
    pub latencies: Latencies,
    /// The scheduler.
    pub scheduler: Scheduler,
    kubelets: Kubelets,
    endpoints: EndpointSlices,
    /// Services as nodes route to them; made when somebody asks, and kept from then on.
    routes: ServiceTable,
    /// Names, and what resolvers remember.
    dns: Dns,
    /// The same as a table that routes; follows when something is sent.
    router: Router,
    /// What nodes remember of what was sent.
    traffic: Traffic,
    controllers: Vec<Controller>,
    consumers: Vec<Consumer>,
    queue: EventQueue<Event>,
    /// Pending events that are more than timeouts: a cluster with any is not settled.
    work: usize,
    delays: Stream,
    /// How many versions of history watches can go back.
    history: u64,
    pools: pools::Pools,
    control_plane: control_plane::ControlPlane,
    /// A scheduling cycle is under way.
    cycle_running: bool,
    retry_at: Option<Time>,
    flush_at: Option<Time>,
    /// Something happened since the last stop between instants.
    stepped: bool,
    /// Where a round over the consumers that was left goes on.
    turn: advance::Turn,
}

/// Something that will happen at a time; sixteen bytes, for there are many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Nothing: an overtaken timer.
    #[default]
    None,
    /// A consumer sees the writes up to a resourceVersion.
    Visible(u16, u64),
    /// A kubelet looks at a pod.
    Pod(u32, u32),
    /// A node has booted.
    Node(u32, u32),
    /// A controller's key is due.
    Key(u16, ObjectId),
    /// A key is due, but only as a timeout: the cluster may settle before.
    Timeout(u16, ObjectId),
    /// The scheduler has pods to retry.
    Retry,
    /// The scheduler's cycle ends.
    Cycle,
    /// The scheduler flushes pods that waited too long.
    Flush,
    /// The API server looks after the Service that leads to it.
    ControlPlane,
}

impl Event {
    /// Whether a cluster with this event pending is still busy.
    fn is_work(self) -> bool {
        !matches!(self, Self::None | Self::Timeout(..) | Self::Flush)
    }
}

/// How a cluster is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What every random stream derives from.
    pub seed: u64,
    /// The virtual time at the start.
    pub start: Time,
    /// How long things take.
    pub latencies: Latencies,
    /// How the scheduler decides.
    pub scheduler: Arc<Config>,
    /// Where addresses come from.
    pub ranges: Ranges,
}

/// Namespaces every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Versions of history kept for watches.
const HISTORY: u64 = 131_072;

impl World {
    /// A cluster with what every cluster has, its namespaces and the Service of its API server.
    pub fn new(registry: Registry, rules: Arc<Rules>, setup: Setup) -> Self {
        let streams = Streams::new(setup.seed);
        let mut world = Self {
            store: Store::new(registry, rules, setup.seed, setup.start),
            latencies: setup.latencies,
            scheduler: Scheduler::new(setup.scheduler, setup.seed, setup.start),
            kubelets: Kubelets::new(streams.stream("kubelets")),
            endpoints: EndpointSlices::default(),
            routes: ServiceTable::default(),
            dns: Dns::default(),
            router: Router::default(),
            traffic: Traffic::default(),
            controllers: Vec::new(),
            consumers: Role::BUILT_IN.into_iter().map(Consumer::new).collect(),
            queue: EventQueue::new(),
            work: 0,
            delays: streams.stream("delays"),
            history: HISTORY,
            pools: pools::Pools::default(),
            control_plane: control_plane::ControlPlane::default(),
            cycle_running: false,
            retry_at: None,
            flush_at: None,
            stepped: false,
            turn: advance::Turn::default(),
        };
        for name in NAMESPACES {
            world.create_namespace(name);
        }
        world.store.set_ranges(setup.seed, setup.ranges);
        world.start_control_plane();
        world
    }

    /// The virtual time.
    pub fn now(&self) -> Time {
        self.store.now
    }

    /// The Services and their endpoints as nodes route to them, up to date.
    pub fn routes(&mut self) -> &ServiceTable {
        self.routes.follow(&self.store);
        &self.routes
    }

    /// A node as its kube-proxy knows it.
    pub fn node_view(&mut self, id: ObjectId) -> Option<Node> {
        self.routes.node_of(&self.store, id)
    }

    /// What nodes remember of what was sent.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Does without one of those every cluster has: nobody does its work.
    ///
    /// # Panics
    /// When the cluster is no longer new: others may already wait for what it was to do.
    pub fn leave_out(&mut self, role: Role) {
        assert!(self.queue.is_empty(), "only a new cluster can do without {role:?}");
        self.consumers.retain(|consumer| consumer.role != role);
    }

    /// How many versions of history watches can go back.
    pub fn set_history(&mut self, versions: u64) {
        self.history = versions;
    }

    fn create_namespace(&mut self, name: &str) {
        use crate::base::Value;
        let object = Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", "Namespace".into()),
            ("metadata", Value::map([("name", Value::from(name))])),
        ]);
        self.store
            .create(object, &crate::store::create::WriteOptions::default())
            .expect("a new store takes its namespaces");
    }

    /// Arranges for an event to happen.
    fn schedule(&mut self, time: Time, phase: u8, event: Event) {
        self.work += usize::from(event.is_work());
        self.queue.push(time.max(self.store.now), phase, event);
    }
}

#[cfg(test)]
mod tests;
