//! `status` of a pod, rendered from its columns as a 1.36 kubelet writes it, and read back.
//!
//! Not rendered: the user, volume mounts and allocated resources of a container, and image
//! ids, which the model does not have.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::pod::{
    ACCEPTED, INITIALIZED, PREEMPTED, Phase, PodState, READY, RUNNING, SANDBOX, SCHEDULED,
    UNSCHEDULABLE,
};
use super::pod_address::{Addresses, listed};
use crate::base::random::{fnv1a, mix};
use crate::base::{Interner, Map, Text, Time, Value};

/// What rendering a status needs besides the columns.
pub struct Surroundings<'a> {
    /// The pod's `spec`.
    pub spec: &'a Value,
    /// `status.qosClass`.
    pub qos_class: &'static str,
    /// `metadata.generation`.
    pub generation: i64,
    /// The pod's uid as a number: container ids derive from it.
    pub identity: u64,
    /// Addresses of the pod's node, if known.
    pub host_ips: Addresses,
    /// The pod's own addresses, or its node's if it uses the node's network.
    pub pod_ips: Addresses,
    /// It does.
    pub host_network: bool,
    /// When its deletion was asked for.
    pub deleted_at: Option<Time>,
}

/// The status document of a pod in state `pod`.
pub fn render(pod: &PodState, around: &Surroundings, strings: &Interner) -> Value {
    let mut status = Map::new();
    status.insert("phase", pod.phase.name());
    status.insert("qosClass", around.qos_class);
    let conditions = conditions(pod, around);
    if !conditions.is_empty() {
        status.insert("conditions", conditions);
    }
    if let Some(node) = pod.nominated {
        status.insert("nominatedNodeName", strings.text(node));
    }
    if pod.has(ACCEPTED) {
        render_accepted(pod, around, &mut status);
    }
    status.into()
}

/// What the kubelet adds once it has taken the pod on.
fn render_accepted(pod: &PodState, around: &Surroundings, status: &mut Map) {
    status.insert("startTime", pod.accepted_at.to_string());
    status.insert("observedGeneration", around.generation);
    if let Some(first) = around.host_ips.first() {
        status.insert("hostIP", first.to_string());
        status.insert("hostIPs", listed(&around.host_ips));
    }
    if let Some(first) = around.pod_ips.first()
        && (around.host_network || pod.has(SANDBOX))
    {
        status.insert("podIP", first.to_string());
        status.insert("podIPs", listed(&around.pod_ips));
    }
    let init = around.spec.list_at(&["initContainers"]);
    if !init.is_empty() {
        let statuses: Vec<Value> =
            init.iter().map(|container| init_container_status(pod, around, container)).collect();
        status.insert("initContainerStatuses", statuses);
    }
    let statuses: Vec<Value> = around
        .spec
        .list_at(&["containers"])
        .iter()
        .map(|container| container_status(pod, around, container, !init.is_empty()))
        .collect();
    status.insert("containerStatuses", statuses);
}

fn conditions(pod: &PodState, around: &Surroundings) -> Vec<Value> {
    let mut list = Vec::new();
    let mut add = |kind: &str, status: bool, since: Time, why: Option<(&str, Text)>| {
        list.push(condition(kind, status, since, why, around.generation));
    };
    if pod.has(ACCEPTED) {
        let ended = match pod.phase {
            Phase::Succeeded => Some("PodCompleted"),
            Phase::Failed => Some("PodFailed"),
            _ => None,
        };
        let sandbox = pod.has(SANDBOX) && ended.is_none();
        let since = match ended {
            Some(_) => pod.finished_at,
            None if pod.has(SANDBOX) => pod.sandbox_at,
            None => pod.accepted_at,
        };
        add("PodReadyToStartContainers", sandbox, since, None);
        match (pod.has(INITIALIZED), pod.phase) {
            (true, Phase::Succeeded) => {
                add(
                    "Initialized",
                    true,
                    pod.initialized_at,
                    Some(("PodCompleted", Text::default())),
                );
            }
            (true, _) => add("Initialized", true, pod.initialized_at, None),
            (false, _) => {
                let names = names(around.spec.list_at(&["initContainers"]));
                let text = format!("containers with incomplete status: {names}").into();
                add(
                    "Initialized",
                    false,
                    pod.accepted_at,
                    Some(("ContainersNotInitialized", text)),
                );
            }
        }
        let why = || match ended {
            _ if pod.is_ready() => None,
            Some(reason) => Some((reason, Text::default())),
            None => {
                let names = names(around.spec.list_at(&["containers"]));
                Some((
                    "ContainersNotReady",
                    format!("containers with unready status: {names}").into(),
                ))
            }
        };
        // Before a pod is first ready, `ready_at` is when it will be.
        let since = match ended {
            Some(_) => pod.finished_at,
            None if pod.is_ready() => pod.ready_at,
            None => pod.accepted_at,
        };
        add("Ready", pod.is_ready(), since, why());
        add("ContainersReady", pod.is_ready(), since, why());
    }
    if pod.has(SCHEDULED) {
        add("PodScheduled", true, pod.scheduled_at, None);
    } else if pod.has(UNSCHEDULABLE) {
        let message = pod.message.as_deref().cloned().unwrap_or_default();
        add("PodScheduled", false, pod.scheduled_at, Some(("Unschedulable", message)));
    }
    if pod.has(PREEMPTED) {
        let since = around.deleted_at.unwrap_or(pod.scheduled_at);
        let message = "default-scheduler: preempting to accommodate a higher priority pod".into();
        add("DisruptionTarget", true, since, Some(("PreemptionByScheduler", message)));
    }
    list
}

/// One condition; empty reasons and messages are left out, as Go's `omitempty` does.
fn condition(
    kind: &str,
    status: bool,
    since: Time,
    why: Option<(&str, Text)>,
    generation: i64,
) -> Value {
    let mut map = Map::new();
    map.insert("type", kind);
    map.insert("status", if status { "True" } else { "False" });
    map.insert("lastProbeTime", Value::Null);
    map.insert("lastTransitionTime", since.to_string());
    map.insert("observedGeneration", generation);
    if let Some((reason, message)) = why {
        map.insert("reason", reason);
        if !message.is_empty() {
            map.insert("message", message);
        }
    }
    map.into()
}

/// `[a b]`, as Go prints a list of strings.
fn names(containers: &[Value]) -> String {
    let names: Vec<&str> =
        containers.iter().filter_map(|container| container.str_at(&["name"])).collect();
    format!("[{}]", names.join(" "))
}

fn container_status(
    pod: &PodState,
    around: &Surroundings,
    container: &Value,
    has_init: bool,
) -> Value {
    let state = if pod.phase.is_terminal() {
        terminated(pod, around, container, pod.running_at, pod.finished_at, pod.exit_code)
    } else if pod.has(RUNNING) {
        running(pod.running_at)
    } else if has_init && !pod.has(INITIALIZED) {
        waiting("PodInitializing")
    } else {
        waiting("ContainerCreating")
    };
    let runs = pod.has(RUNNING) && !pod.phase.is_terminal();
    status_of(pod, around, container, state, runs, pod.is_ready(), pod.has(RUNNING))
}

fn init_container_status(pod: &PodState, around: &Surroundings, container: &Value) -> Value {
    let sidecar = container.str_at(&["restartPolicy"]) == Some("Always");
    let done = pod.has(INITIALIZED);
    let (state, runs) = match (done, sidecar) {
        (false, _) => (waiting("PodInitializing"), false),
        (true, true) if !pod.phase.is_terminal() => (running(pod.initialized_at), true),
        (true, true) => {
            (terminated(pod, around, container, pod.initialized_at, pod.finished_at, 0), false)
        }
        (true, false) => {
            (terminated(pod, around, container, pod.sandbox_at, pod.initialized_at, 0), false)
        }
    };
    let ready = if sidecar { runs } else { done };
    status_of(pod, around, container, state, runs, ready, done)
}

fn status_of(
    pod: &PodState,
    around: &Surroundings,
    container: &Value,
    state: Value,
    started: bool,
    ready: bool,
    has_id: bool,
) -> Value {
    let mut map = Map::new();
    map.insert("name", container.get("name").cloned().unwrap_or_default());
    map.insert("image", container.get("image").cloned().unwrap_or_default());
    map.insert("imageID", "");
    map.insert("lastState", Map::new());
    map.insert("ready", ready);
    map.insert("started", started);
    map.insert("restartCount", i64::from(pod.restarts));
    map.insert("state", state);
    if has_id {
        map.insert("containerID", container_id(around, container));
    }
    map.into()
}

fn waiting(reason: &str) -> Value {
    Value::map([("waiting", Value::map([("reason", Value::from(reason))]))])
}

fn running(since: Time) -> Value {
    Value::map([("running", Value::map([("startedAt", Value::from(since.to_string()))]))])
}

fn terminated(
    pod: &PodState,
    around: &Surroundings,
    container: &Value,
    started: Time,
    finished: Time,
    exit_code: i16,
) -> Value {
    let reason = if exit_code == 0 { "Completed" } else { "Error" };
    let mut map = Map::new();
    if pod.has(RUNNING) || exit_code == 0 {
        map.insert("containerID", container_id(around, container));
    }
    map.insert("exitCode", i64::from(exit_code));
    map.insert("reason", reason);
    map.insert("startedAt", started.to_string());
    map.insert("finishedAt", finished.to_string());
    Value::map([("terminated", Value::from(map))])
}

/// 64 hexadecimal digits that depend on the pod and the container's name only.
fn container_id(around: &Surroundings, container: &Value) -> String {
    let name = container.str_at(&["name"]).unwrap_or_default();
    let mut word = mix(around.identity) ^ fnv1a(name.as_bytes());
    let mut id = String::from("containerd://");
    for _ in 0..4 {
        word = mix(word.wrapping_add(1));
        let _ = write!(id, "{word:016x}");
    }
    id
}

/// The columns a status document says, for the engine to go on from.
pub fn parse(status: &Value, strings: &mut Interner) -> PodState {
    let mut pod = PodState::default();
    if let Some(phase) = status.str_at(&["phase"]).and_then(Phase::parse) {
        pod.phase = phase;
    }
    pod.nominated = status.str_at(&["nominatedNodeName"]).map(|node| strings.intern(node));
    if let Some(Ok(ip)) = status.str_at(&["podIP"]).map(str::parse::<Ipv4Addr>) {
        pod.ip = ip.into();
    }
    if let Some(time) = status.str_at(&["startTime"]).and_then(|text| Time::parse(text).ok()) {
        pod.flags |= ACCEPTED;
        pod.accepted_at = time;
    }
    for condition in status.list_at(&["conditions"]) {
        parse_condition(condition, &mut pod);
    }
    parse_containers(status, &mut pod);
    pod
}

fn parse_condition(condition: &Value, pod: &mut PodState) {
    let holds = condition.str_at(&["status"]) == Some("True");
    let since = condition.str_at(&["lastTransitionTime"]).and_then(|text| Time::parse(text).ok());
    let since = since.unwrap_or_default();
    let set = |pod: &mut PodState, flag: u16| {
        if holds {
            pod.flags |= flag;
        }
    };
    match condition.str_at(&["type"]) {
        Some("PodScheduled") => {
            set(pod, SCHEDULED);
            pod.scheduled_at = since;
            if !holds && condition.str_at(&["reason"]) == Some("Unschedulable") {
                pod.flags |= UNSCHEDULABLE;
                let message = condition.str_at(&["message"]).unwrap_or_default();
                pod.message = Some(std::sync::Arc::new(message.into()));
            }
        }
        Some("PodReadyToStartContainers") => {
            set(pod, SANDBOX);
            pod.sandbox_at = since;
        }
        Some("Initialized") => {
            set(pod, INITIALIZED);
            pod.initialized_at = since;
        }
        Some("Ready") => {
            set(pod, READY);
            pod.ready_at = since;
        }
        Some("DisruptionTarget")
            if condition.str_at(&["reason"]) == Some("PreemptionByScheduler") =>
        {
            set(pod, PREEMPTED);
        }
        _ => {}
    }
}

/// Containers share one state in the model: they run since the last one started, and the
/// first failure names the exit code.
fn parse_containers(status: &Value, pod: &mut PodState) {
    let time = |state: &Value, path: &[&str]| {
        state.str_at(path).and_then(|text| Time::parse(text).ok()).unwrap_or_default()
    };
    for container in status.list_at(&["containerStatuses"]) {
        let restarts = container.int_at(&["restartCount"]).unwrap_or(0);
        pod.restarts = pod.restarts.max(u32::try_from(restarts).unwrap_or(0));
        let Some(state) = container.get("state") else { continue };
        if state.get("running").is_some() {
            pod.flags |= RUNNING;
            pod.running_at = pod.running_at.max(time(state, &["running", "startedAt"]));
        } else if let Some(end) = state.get("terminated") {
            pod.flags |= RUNNING;
            pod.running_at = pod.running_at.max(time(end, &["startedAt"]));
            pod.finished_at = pod.finished_at.max(time(end, &["finishedAt"]));
            let code = end.int_at(&["exitCode"]).unwrap_or(0);
            if pod.exit_code == 0 {
                pod.exit_code = i16::try_from(code).unwrap_or(i16::MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Surroundings, parse, render};
    use crate::base::{Interner, Time, Value};
    use crate::store::pod::{
        ACCEPTED, INITIALIZED, Phase, PodState, READY, RUNNING, SANDBOX, SCHEDULED,
    };
    use crate::store::pod_address::NodeBlock;

    fn running_pod() -> PodState {
        let at = Time::from_unix_secs;
        PodState {
            ip: 0x0A00_0005,
            flags: SCHEDULED | ACCEPTED | SANDBOX | INITIALIZED | RUNNING | READY,
            phase: Phase::Running,
            scheduled_at: at(100),
            accepted_at: at(101),
            sandbox_at: at(102),
            initialized_at: at(103),
            running_at: at(104),
            ready_at: at(105),
            ..PodState::default()
        }
    }

    fn shown(pod: &PodState, spec: &str) -> Value {
        let spec = Value::from_json(spec).unwrap();
        let around = Surroundings {
            spec: &spec,
            qos_class: "BestEffort",
            generation: 1,
            identity: 7,
            host_ips: NodeBlock::default().addresses(0xac10_0002),
            pod_ips: if pod.ip == 0 {
                Addresses::new()
            } else {
                NodeBlock::default().addresses(pod.ip)
            },
            host_network: false,
            deleted_at: None,
        };
        render(pod, &around, &Interner::new())
    }

    #[test]
    fn a_running_pod_shows_what_a_kubelet_shows() {
        let status = shown(&running_pod(), r#"{"containers":[{"name":"web","image":"web:1"}]}"#);
        let types: Vec<_> =
            status.list_at(&["conditions"]).iter().map(|c| c.str_at(&["type"]).unwrap()).collect();
        assert_eq!(
            types,
            [
                "PodReadyToStartContainers",
                "Initialized",
                "Ready",
                "ContainersReady",
                "PodScheduled"
            ]
        );
        assert_eq!(status.str_at(&["podIP"]), Some("10.0.0.5"));
        assert_eq!(status.str_at(&["hostIP"]), Some("172.16.0.2"));
        let container = &status.list_at(&["containerStatuses"])[0];
        assert_eq!(
            container.str_at(&["state", "running", "startedAt"]),
            Some("1970-01-01T00:01:44Z")
        );
        assert_eq!(container.str_at(&["containerID"]).unwrap().len(), "containerd://".len() + 64);
    }

    #[test]
    fn a_pod_being_created_says_which_containers_wait() {
        let pod = PodState { flags: SCHEDULED | ACCEPTED, ..running_pod() };
        let pod = PodState { phase: Phase::Pending, ip: 0, ..pod };
        let status = shown(
            &pod,
            r#"{"containers":[{"name":"a"},{"name":"b"}],"initContainers":[{"name":"i"}]}"#,
        );
        let conditions = status.list_at(&["conditions"]);
        assert_eq!(
            conditions[1].str_at(&["message"]),
            Some("containers with incomplete status: [i]")
        );
        assert_eq!(
            conditions[2].str_at(&["message"]),
            Some("containers with unready status: [a b]")
        );
        let state =
            status.list_at(&["containerStatuses"])[0].str_at(&["state", "waiting", "reason"]);
        assert_eq!(state, Some("PodInitializing"));
    }

    #[test]
    fn what_is_rendered_reads_back() {
        let mut failed = running_pod();
        failed.phase = Phase::Failed;
        failed.flags &= !READY;
        failed.exit_code = 3;
        failed.finished_at = Time::from_unix_secs(200);
        let mut strings = Interner::new();
        for pod in [running_pod(), failed, PodState::default()] {
            let status = shown(&pod, r#"{"containers":[{"name":"web"}]}"#);
            let mut expected = pod.clone();
            if pod.phase == Phase::Failed {
                // The sandbox of an ended pod is gone.
                expected.flags &= !SANDBOX;
                expected.sandbox_at = expected.finished_at;
                expected.ready_at = expected.finished_at;
            }
            assert_eq!(parse(&status, &mut strings), expected);
        }
    }
}
