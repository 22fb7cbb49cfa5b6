//! What a pod asks of a node, resource by resource, exact until the last step.
//!
//! Amounts are summed as quantities and only then turned into thousandths of a core and whole
//! units, because rounding each container first would count `0.4` bytes twice as two. Four
//! readings of one spec exist side by side in Kubernetes 1.36, and differ:
//!
//! | reading | pod-level requests | a missing cpu or memory counts | sizes from the status |
//! |---|---|---|---|
//! | what Filter and balance compare | yes | nothing | no |
//! | what the pod occupies on its node | yes | nothing | yes |
//! | what a node's score counts for it | yes | 100m, 200Mi, if neither level has it | yes |
//! | what Fit's score counts for it while pending | no | 100m, 200Mi | no |

use smallvec::SmallVec;

use crate::base::quantity::Format;
use crate::base::{Map, Quantity, Text, Value};
use crate::store::shape::{DEFAULT_MEMORY, DEFAULT_MILLI_CPU, Resources};

/// Amounts by resource name, sorted.
#[derive(Clone, Debug, Default)]
struct Amounts(SmallVec<[(Text, Quantity); 4]>);

impl Amounts {
    fn read(list: Option<&Value>) -> Self {
        let pairs = list.and_then(Value::as_map).into_iter().flat_map(Map::iter);
        // What is no quantity was refused when the object was written.
        Self(
            pairs
                .filter_map(|(name, value)| Some((name.into(), Quantity::from_value(value).ok()?)))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<Quantity> {
        self.position(name).ok().map(|at| self.0[at].1)
    }

    fn set(&mut self, name: &str, amount: Quantity) {
        match self.position(name) {
            Ok(at) => self.0[at].1 = amount,
            Err(at) => self.0.insert(at, (name.into(), amount)),
        }
    }

    fn merge(&mut self, other: &Self, join: impl Fn(Quantity, Quantity) -> Quantity) {
        for (name, amount) in &other.0 {
            let joined = self.get(name).map_or(*amount, |have| join(have, *amount));
            self.set(name, joined);
        }
    }

    fn add(&mut self, other: &Self) {
        self.merge(other, |a, b| a + b);
    }

    fn raise(&mut self, other: &Self) {
        self.merge(other, |have, other| if other > have { other } else { have });
    }

    /// The amounts in the units the scheduler counts in, without names it does not schedule by.
    fn to_resources(&self) -> Resources {
        let mut resources = Resources::default();
        for (name, amount) in &self.0 {
            match name.as_str() {
                "cpu" => resources.cpu_milli = amount.milli_value(),
                "memory" | "ephemeral-storage" => resources.set(name, amount.value()),
                _ if is_scalar(name) => resources.set(name, amount.value()),
                _ => {}
            }
        }
        resources
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(have, _)| have.as_str().cmp(name))
    }
}

/// The readings of one pod; see the module header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requests {
    /// What Filter compares, and what the balance of a node is computed with.
    pub asked: Resources,
    /// What the pod occupies once it is on a node.
    pub occupied: Resources,
    /// Milli-CPU a node's score counts for the pod.
    pub scored_cpu_milli: i64,
    /// Bytes of memory a node's score counts for the pod.
    pub scored_memory_bytes: i64,
    /// What Fit's score adds for the pod while it is pending.
    pub pending: Resources,
}

/// Which of the readings to make.
#[derive(Clone, Copy, Default)]
struct Reading<'a> {
    pod_level: bool,
    missing_cpu: bool,
    missing_memory: bool,
    status: Option<&'a Value>,
}

impl Requests {
    /// Reads the `spec` of a pod and, for a pod that was resized in place, its `status`.
    pub fn compile(spec: &Value, status: &Value) -> Self {
        let plain = Reading { pod_level: true, ..Reading::default() };
        let with_defaults =
            Reading { missing_cpu: true, missing_memory: true, ..Reading::default() };
        let asked = total(spec, plain);
        let pending = total(spec, with_defaults).to_resources();
        let pod_level = pod_level_names(spec).next().is_some();
        let status = Some(status).filter(|status| has_sizes(status));
        if !pod_level && status.is_none() {
            // Most pods: two readings are all there are.
            let (scored_cpu_milli, scored_memory_bytes) = (pending.cpu_milli, pending.memory_bytes);
            let asked = asked.to_resources();
            let occupied = asked.clone();
            return Self { asked, occupied, scored_cpu_milli, scored_memory_bytes, pending };
        }
        let on_node = Reading { status, ..plain };
        let occupied = total(spec, on_node);
        let missing = |name| !pod_level || occupied.get(name).is_none();
        let scored = total(
            spec,
            Reading { missing_cpu: missing("cpu"), missing_memory: missing("memory"), ..on_node },
        )
        .to_resources();
        Self {
            asked: asked.to_resources(),
            occupied: occupied.to_resources(),
            scored_cpu_milli: scored.cpu_milli,
            scored_memory_bytes: scored.memory_bytes,
            pending,
        }
    }
}

/// One reading of a spec: containers, then pod-level requests in their place, then overhead.
fn total(spec: &Value, reading: Reading) -> Amounts {
    let mut sum = containers(spec, reading);
    if reading.pod_level {
        let pod_level = pod_level(spec, reading);
        for name in pod_level_names(spec) {
            sum.set(name, pod_level.get(name).unwrap_or(Quantity::ZERO));
        }
    }
    sum.add(&Amounts::read(spec.get("overhead")));
    sum
}

/// The most the containers use at any moment of the pod's start. Sidecars stay once started;
/// plain init containers run one at a time on top of the sidecars before them.
fn containers(spec: &Value, reading: Reading) -> Amounts {
    let mut sum = Amounts::default();
    for container in spec.list_at(&["containers"]) {
        sum.add(&container_requests(container, "containerStatuses", reading));
    }
    let (mut sidecars, mut peak) = (Amounts::default(), Amounts::default());
    for container in spec.list_at(&["initContainers"]) {
        if is_sidecar(container) {
            let requests = container_requests(container, "initContainerStatuses", reading);
            sum.add(&requests);
            sidecars.add(&requests);
            peak.raise(&sidecars);
        } else {
            let without_status = Reading { status: None, ..reading };
            let mut usage = container_requests(container, "", without_status);
            usage.add(&sidecars);
            peak.raise(&usage);
        }
    }
    sum.raise(&peak);
    sum
}

/// An init container that keeps running beside the others.
pub(super) fn is_sidecar(container: &Value) -> bool {
    container.str_at(&["restartPolicy"]) == Some("Always")
}

fn container_requests(container: &Value, statuses: &str, reading: Reading) -> Amounts {
    let mut requests = Amounts::read(container.at(&["resources", "requests"]));
    if let Some(status) = reading.status
        && let Some(sizes) = container_sizes(status, statuses, container)
    {
        requests = effective(
            status,
            requests,
            sizes.at(&["resources", "requests"]),
            sizes.get("allocatedResources"),
        );
    }
    if reading.missing_cpu && requests.get("cpu").is_none() {
        requests.set("cpu", Quantity::from_milli(DEFAULT_MILLI_CPU, Format::DecimalSi));
    }
    if reading.missing_memory && requests.get("memory").is_none() {
        requests.set("memory", Quantity::new(DEFAULT_MEMORY, Format::DecimalSi));
    }
    requests
}

/// The status of a container that reports sizes.
fn container_sizes<'a>(status: &'a Value, list: &str, container: &Value) -> Option<&'a Value> {
    let name = container.str_at(&["name"]);
    let found = status.list_at(&[list]).iter().find(|entry| entry.str_at(&["name"]) == name)?;
    found.get("resources").is_some_and(|sizes| !sizes.is_null()).then_some(found)
}

fn pod_level(spec: &Value, reading: Reading) -> Amounts {
    let requests = Amounts::read(spec.at(&["resources", "requests"]));
    match reading.status {
        Some(status) if status.get("resources").is_some_and(|sizes| !sizes.is_null()) => {
            let actuated = status.at(&["resources", "requests"]);
            effective(status, requests, actuated, status.get("allocatedResources"))
        }
        _ => requests,
    }
}

/// During a resize the most of what is asked, allocated and in force counts; what is asked
/// drops out when the node can never grant it.
fn effective(
    status: &Value,
    asked: Amounts,
    actuated: Option<&Value>,
    allocated: Option<&Value>,
) -> Amounts {
    let mut most = if is_resize_infeasible(status) { Amounts::default() } else { asked };
    most.raise(&Amounts::read(actuated));
    most.raise(&Amounts::read(allocated));
    most
}

fn is_resize_infeasible(status: &Value) -> bool {
    let conditions = status.list_at(&["conditions"]).iter();
    let mut pending = conditions.filter(|c| c.str_at(&["type"]) == Some("PodResizePending"));
    pending.next().is_some_and(|c| c.str_at(&["reason"]) == Some("Infeasible"))
}

/// Whether a status reports the sizes of anything, which only a resized pod's need be read for.
fn has_sizes(status: &Value) -> bool {
    let any = |list: &str| status.list_at(&[list]).iter().any(|c| c.get("resources").is_some());
    status.get("resources").is_some() || any("containerStatuses") || any("initContainerStatuses")
}

/// The resources a pod states at pod level, of those that may be stated there.
fn pod_level_names(spec: &Value) -> impl Iterator<Item = &str> {
    let requests = spec.at(&["resources", "requests"]).and_then(Value::as_map);
    let names = requests.into_iter().flat_map(Map::keys);
    names.filter(|name| matches!(*name, "cpu" | "memory") || name.starts_with("hugepages-"))
}

/// Whether pods are scheduled by this resource, beyond cpu, memory and ephemeral storage.
pub fn is_scalar(name: &str) -> bool {
    is_extended(name)
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// Whether it is an extended resource: outside Kubernetes' own namespace, and well formed.
pub fn is_extended(name: &str) -> bool {
    name.contains('/')
        && !name.contains("kubernetes.io/")
        && !name.starts_with("requests.")
        && crate::base::names::label_key(&format!("requests.{name}")).is_empty()
}
