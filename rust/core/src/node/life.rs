//! The life of a pod on its node, as a pure function of the pod and the time.
//!
//! ```text
//!   bound ─► accepted ─► sandbox ─► init containers ─► containers run ─► ready ─► (duration) ended
//!              │                                                                        ▲
//!              └────────────── deletion: stop, at most the grace period ────────────────┘
//! ```
//!
//! [`accept`] writes the times of the whole start into the pod's columns; they lie in the
//! future and show once their bit is set. [`step`] sets the bits whose time has come.

use super::kubelet::Delays;
use crate::base::{Nanos, Time};
use crate::store::pod::{
    ACCEPTED, INITIALIZED, PLANNED, Phase, PodState, READY, RUNNING, SANDBOX, SCHEDULED,
    UNSCHEDULABLE,
};
use crate::store::shape::Shape;

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The pod afterwards.
    pub pod: PodState,
    /// When the next step is due; `None` when nothing more happens by itself.
    pub wake: Option<Time>,
    /// The containers started in this step.
    pub started: bool,
}

/// The kubelet takes a pod on at `now`: every time of its start is decided here.
pub fn accept(pod: &PodState, shape: &Shape, delays: &Delays, now: Time) -> PodState {
    let mut pod = pod.clone();
    pod.flags = (pod.flags | ACCEPTED | PLANNED) & !UNSCHEDULABLE;
    if !pod.has(SCHEDULED) {
        pod.flags |= SCHEDULED;
        pod.scheduled_at = now;
    }
    pod.accepted_at = now;
    pod.sandbox_at = now.after(delays.sandbox);
    pod.initialized_at = pod.sandbox_at.after(delays.init);
    pod.running_at = pod.initialized_at.after(delays.containers);
    pod.ready_at = pod.running_at.after(shape.ready_delay).after(delays.detection);
    plan_end(&mut pod, shape);
    pod
}

/// No time: nothing ends the containers.
const NEVER: Time = Time(0);

/// A declared duration ends the containers so long after their start.
pub fn plan_end(pod: &mut PodState, shape: &Shape) {
    if let Some(length) = shape.run_duration {
        pod.flags |= PLANNED;
        pod.finished_at = pod.running_at.after(length);
    }
}

/// The containers of a pod that is being deleted end at `stop`, unless they end earlier.
pub fn plan_stop(pod: &mut PodState, stop: Time) {
    if pod.finished_at == NEVER || pod.finished_at > stop {
        pod.finished_at = stop;
    }
}

/// How long a stop takes: what the containers need, at most the grace left.
pub fn stop_time(deletion: Time, needed: Nanos, now: Time) -> Time {
    now.after(needed).min(deletion).max(now)
}

/// What has happened to an accepted pod by `now`, and when to look again.
pub fn step(before: &PodState, now: Time) -> Step {
    let mut pod = before.clone();
    if pod.phase.is_terminal() || !pod.has(PLANNED) {
        return Step { pod, wake: None, started: false };
    }
    for (flag, at) in [
        (SANDBOX, pod.sandbox_at),
        (INITIALIZED, pod.initialized_at),
        (RUNNING, pod.running_at),
        (READY, pod.ready_at),
    ] {
        if at > now {
            break;
        }
        pod.flags |= flag;
    }
    let started = pod.has(RUNNING) && !before.has(RUNNING);
    if pod.has(RUNNING) {
        pod.phase = Phase::Running;
        if pod.finished_at != NEVER && pod.finished_at <= now {
            end(&mut pod);
        }
    }
    let wake = next_time(&pod).filter(|_| !pod.phase.is_terminal());
    Step { pod, wake, started }
}

/// The containers ended by themselves.
fn end(pod: &mut PodState) {
    pod.phase = if pod.exit_code == 0 { Phase::Succeeded } else { Phase::Failed };
    pod.flags &= !READY;
    pod.ready_at = pod.finished_at;
    pod.sandbox_at = pod.finished_at;
}

/// The earliest time in the pod's columns that has not come.
fn next_time(pod: &PodState) -> Option<Time> {
    let start = [
        (SANDBOX, pod.sandbox_at),
        (INITIALIZED, pod.initialized_at),
        (RUNNING, pod.running_at),
        (READY, pod.ready_at),
    ]
    .into_iter()
    .find(|(flag, _)| !pod.has(*flag))
    .map(|(_, at)| at);
    let end = Some(pod.finished_at).filter(|at| *at != NEVER);
    [start, end].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::{NEVER, accept, step};
    use crate::base::{Nanos, Time};
    use crate::node::Delays;
    use crate::store::pod::{Phase, PodState, READY, RUNNING, SANDBOX};
    use crate::store::shape::Shape;

    fn shape(duration: Option<i64>) -> Shape {
        Shape { run_duration: duration.map(Nanos::from_secs), ..Shape::default() }
    }

    fn delays() -> Delays {
        Delays {
            sandbox: Nanos::from_secs(1),
            init: Nanos::ZERO,
            containers: Nanos::from_secs(2),
            detection: Nanos::from_secs(1),
        }
    }

    #[test]
    fn without_latency_a_pod_is_ready_the_moment_it_is_accepted() {
        let pod = accept(&PodState::default(), &shape(None), &Delays::default(), Time(5));
        let after = step(&pod, Time(5));
        assert!(after.pod.has(READY) && after.started);
        assert_eq!((after.pod.phase, after.wake), (Phase::Running, None));
    }

    #[test]
    fn each_wake_brings_the_next_stage_and_a_declared_duration_ends_it() {
        use Phase::{Pending, Running, Succeeded};
        let at = Time::from_unix_secs;
        let mut pod = accept(&PodState::default(), &shape(Some(60)), &delays(), at(100));
        let mut now = at(100);
        let mut seen = Vec::new();
        loop {
            let after = step(&pod, now);
            pod = after.pod;
            seen.push((now.unix_secs() - 100, pod.phase, pod.has(RUNNING), pod.has(READY)));
            let Some(wake) = after.wake else { break };
            assert!(wake > now, "time moves on");
            now = wake;
        }
        assert_eq!(
            seen,
            [
                (0, Pending, false, false),
                (1, Pending, false, false),
                (3, Running, true, false),
                (4, Running, true, true),
                (63, Succeeded, true, false),
            ]
        );
        assert_eq!(pod.ready_at, pod.finished_at);
    }

    #[test]
    fn looking_between_wakes_changes_nothing() {
        let pod = accept(&PodState::default(), &shape(None), &delays(), Time(0));
        let first = step(&pod, Time::from_unix_secs(1));
        let again = step(&first.pod, Time(1_500_000_000));
        assert_eq!((&again.pod, again.wake, again.started), (&first.pod, first.wake, false));
        assert!(first.pod.has(SANDBOX));
        assert_eq!(first.pod.finished_at, NEVER);
    }
}
