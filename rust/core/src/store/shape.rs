//! What the spec of a pod asks, compiled once per body: requests, quality of service, times.
//!
//! The rules are those of the scheduler's request computation (reference: scheduler, section
//! 2.5). Affinity, tolerations and spread are compiled by the scheduler itself.

use smallvec::SmallVec;

use super::object::Body;
use crate::base::{Map, Nanos, Quantity, Text, Value};

/// The annotation that says how long the containers of a pod run before they end with success.
pub const RUN_DURATION: &str = "wavetank.dev/run-duration";

/// Milli-CPU counted for scoring when a container states no request.
pub const DEFAULT_MILLI_CPU: i64 = 100;
/// Bytes of memory counted for scoring when a container states no request.
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// Amounts of resources: CPU in thousandths of a core, everything else in whole units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    /// `cpu`, milli.
    pub cpu_milli: i64,
    /// `memory`, bytes.
    pub memory_bytes: i64,
    /// `ephemeral-storage`, bytes.
    pub ephemeral_bytes: i64,
    /// Every other resource by name, sorted.
    pub scalars: SmallVec<[(Text, i64); 1]>,
}

impl Resources {
    /// The amount of the resource called `name`; `pods` is not kept here and counts 0.
    pub fn get(&self, name: &str) -> i64 {
        match name {
            "cpu" => self.cpu_milli,
            "memory" => self.memory_bytes,
            "ephemeral-storage" => self.ephemeral_bytes,
            _ => self.scalar(name).map_or(0, |at| self.scalars[at].1),
        }
    }

    /// Sets the amount of one resource; `pods` is ignored.
    pub fn set(&mut self, name: &str, amount: i64) {
        match name {
            "cpu" => self.cpu_milli = amount,
            "memory" => self.memory_bytes = amount,
            "ephemeral-storage" => self.ephemeral_bytes = amount,
            "pods" => {}
            _ => match self.scalars.binary_search_by(|(have, _)| have.as_str().cmp(name)) {
                Ok(at) => self.scalars[at].1 = amount,
                Err(at) => self.scalars.insert(at, (name.into(), amount)),
            },
        }
    }

    /// Adds `other`, resource by resource.
    pub fn add(&mut self, other: &Self) {
        self.merge(other, i64::saturating_add);
    }

    /// Raises each resource to at least what `other` has.
    pub fn raise(&mut self, other: &Self) {
        self.merge(other, i64::max);
    }

    /// Every resource with a non-zero amount, the three named ones first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        [
            ("cpu", self.cpu_milli),
            ("memory", self.memory_bytes),
            ("ephemeral-storage", self.ephemeral_bytes),
        ]
        .into_iter()
        .chain(self.scalars.iter().map(|(name, amount)| (name.as_str(), *amount)))
        .filter(|(_, amount)| *amount != 0)
    }

    /// Reads a resource list such as `resources.requests`; amounts that are no quantities were
    /// refused when the object was validated and count 0 here.
    pub fn from_list(list: Option<&Value>) -> Self {
        let mut resources = Self::default();
        for (name, value) in list.and_then(Value::as_map).into_iter().flat_map(Map::iter) {
            if let Ok(quantity) = Quantity::from_value(value) {
                let amount = if name == "cpu" { quantity.milli_value() } else { quantity.value() };
                resources.set(name, amount);
            }
        }
        resources
    }

    fn merge(&mut self, other: &Self, join: impl Fn(i64, i64) -> i64) {
        self.cpu_milli = join(self.cpu_milli, other.cpu_milli);
        self.memory_bytes = join(self.memory_bytes, other.memory_bytes);
        self.ephemeral_bytes = join(self.ephemeral_bytes, other.ephemeral_bytes);
        for (name, amount) in &other.scalars {
            self.set(name, join(self.get(name), *amount));
        }
    }

    fn scalar(&self, name: &str) -> Option<usize> {
        self.scalars.binary_search_by(|(have, _)| have.as_str().cmp(name)).ok()
    }
}

/// `status.qosClass`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QosClass {
    /// CPU and memory limits equal requests in every container.
    Guaranteed,
    /// Something in between.
    Burstable,
    /// No CPU or memory request or limit at all.
    #[default]
    BestEffort,
}

impl QosClass {
    /// The API's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        }
    }
}

/// What a pod's spec asks; equal specs give equal shapes.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// What the pod takes from a node: containers, init containers, sidecars, pod-level
    /// resources and overhead together.
    pub requests: Resources,
    /// Milli-CPU for scoring: missing requests count as [`DEFAULT_MILLI_CPU`].
    pub scored_cpu_milli: i64,
    /// Bytes of memory for scoring: missing requests count as [`DEFAULT_MEMORY`].
    pub scored_memory_bytes: i64,
    /// Sum of the limits stated, computed like the requests.
    pub limits: Resources,
    /// Quality of service.
    pub qos: QosClass,
    /// `spec.priority`.
    pub priority: i32,
    /// `spec.terminationGracePeriodSeconds`.
    pub grace_seconds: i64,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// Number of init containers, sidecars included: they start one at a time.
    pub init_containers: u32,
    /// Number of containers.
    pub containers: u32,
    /// From the start of the containers to their readiness, by what their probes say.
    pub ready_delay: Nanos,
    /// Images in the order they are pulled, init containers first, each once.
    pub images: SmallVec<[Text; 2]>,
    /// How long the containers run before they end with success; `None`: for ever.
    pub run_duration: Option<Nanos>,
}

impl Shape {
    /// Compiles what the body of a pod asks.
    pub fn compile(body: &Body) -> Self {
        let empty = Value::Null;
        let spec = body.doc.get("spec").unwrap_or(&empty);
        let containers = spec.list_at(&["containers"]);
        let init = spec.list_at(&["initContainers"]);
        let mut requests = total(containers, init, &|c| list(c, "requests"));
        let mut scored = total(containers, init, &scored_requests);
        let mut limits = total(containers, init, &|c| list(c, "limits"));
        let pod_level = Resources::from_list(spec.at(&["resources", "requests"]));
        override_with(&mut requests, &pod_level, spec.at(&["resources", "requests"]));
        override_with(&mut scored, &pod_level, spec.at(&["resources", "requests"]));
        let pod_limits = Resources::from_list(spec.at(&["resources", "limits"]));
        override_with(&mut limits, &pod_limits, spec.at(&["resources", "limits"]));
        let overhead = Resources::from_list(spec.get("overhead"));
        requests.add(&overhead);
        scored.add(&overhead);
        Self {
            requests,
            scored_cpu_milli: scored.cpu_milli,
            scored_memory_bytes: scored.memory_bytes,
            limits,
            qos: qos(spec, containers, init),
            priority: spec.int_at(&["priority"]).unwrap_or(0) as i32,
            grace_seconds: spec.int_at(&["terminationGracePeriodSeconds"]).unwrap_or(30),
            host_network: spec.get("hostNetwork").and_then(Value::as_bool).unwrap_or(false),
            init_containers: init.len() as u32,
            containers: containers.len() as u32,
            ready_delay: containers.iter().map(ready_delay).max().unwrap_or_default(),
            images: images(init.iter().chain(containers)),
            run_duration: body.annotation(RUN_DURATION).and_then(|text| Nanos::parse(text).ok()),
        }
    }
}

/// The earliest moment a container's probes can have made it ready: the first readiness probe
/// comes after its initial delay, and after the startup probe succeeded at its own.
fn ready_delay(container: &Value) -> Nanos {
    let delay = |probe: &str| match container.get(probe) {
        Some(probe) => probe.int_at(&["initialDelaySeconds"]).unwrap_or(0),
        None => 0,
    };
    Nanos::from_secs(delay("startupProbe").max(delay("readinessProbe")))
}

/// An init container that keeps running beside the others.
fn is_sidecar(container: &Value) -> bool {
    container.str_at(&["restartPolicy"]) == Some("Always")
}

fn list(container: &Value, which: &str) -> Resources {
    Resources::from_list(container.at(&["resources", which]))
}

/// A container's requests for scoring. An explicit zero stays zero.
fn scored_requests(container: &Value) -> Resources {
    let mut requests = list(container, "requests");
    let states = |name| container.at(&["resources", "requests", name]).is_some();
    if !states("cpu") {
        requests.cpu_milli = DEFAULT_MILLI_CPU;
    }
    if !states("memory") {
        requests.memory_bytes = DEFAULT_MEMORY;
    }
    requests
}

/// The most a pod uses at any moment of its start: sidecars stay, plain init containers run
/// one at a time on top of the sidecars started before them.
fn total(containers: &[Value], init: &[Value], of: &dyn Fn(&Value) -> Resources) -> Resources {
    let mut sum = Resources::default();
    for container in containers {
        sum.add(&of(container));
    }
    let mut sidecars = Resources::default();
    let mut peak = Resources::default();
    for container in init {
        let mut usage = of(container);
        if is_sidecar(container) {
            sum.add(&usage);
            sidecars.add(&usage);
            usage = sidecars.clone();
        } else {
            usage.add(&sidecars);
        }
        peak.raise(&usage);
    }
    sum.raise(&peak);
    sum
}

/// Pod-level amounts replace the sums of the resources they may name.
fn override_with(sum: &mut Resources, pod_level: &Resources, stated: Option<&Value>) {
    for name in stated.and_then(Value::as_map).into_iter().flat_map(Map::keys) {
        if matches!(name, "cpu" | "memory") || name.starts_with("hugepages-") {
            sum.set(name, pod_level.get(name));
        }
    }
}

fn qos(spec: &Value, containers: &[Value], init: &[Value]) -> QosClass {
    if let Some(pod_level) = spec.get("resources").filter(|value| !value.is_empty()) {
        return qos_of(std::iter::once(pod_level));
    }
    let none = &Value::Null;
    qos_of(
        containers.iter().chain(init).map(|container| container.get("resources").unwrap_or(none)),
    )
}

fn qos_of<'a>(all: impl Iterator<Item = &'a Value>) -> QosClass {
    let (mut any, mut guaranteed) = (false, true);
    for resources in all {
        let requests = Resources::from_list(resources.get("requests"));
        let limits = Resources::from_list(resources.get("limits"));
        for name in ["cpu", "memory"] {
            let (request, limit) = (requests.get(name), limits.get(name));
            any |= request > 0 || limit > 0;
            guaranteed &= limit > 0 && (request == limit || request == 0);
        }
    }
    match (any, guaranteed) {
        (false, _) => QosClass::BestEffort,
        (true, true) => QosClass::Guaranteed,
        (true, false) => QosClass::Burstable,
    }
}

fn images<'a>(containers: impl Iterator<Item = &'a Value>) -> SmallVec<[Text; 2]> {
    let mut images = SmallVec::<[Text; 2]>::new();
    for image in containers.filter_map(|container| container.str_at(&["image"])) {
        if !images.iter().any(|have| have == image) {
            images.push(image.into());
        }
    }
    images
}
