//! The queue against a model that keeps a list and walks all of it for every question.

use proptest::prelude::*;

use super::{Backoff, Queue, State};
use crate::base::{Nanos, Time};
use crate::sched::plugins::PluginId;
use crate::sched::pod_info::InfoId;
use crate::sched::status::PluginSet;

const SECOND: i64 = 1_000_000_000;

fn times() -> Backoff {
    Backoff {
        initial: Nanos::from_secs(1),
        max: Nanos::from_secs(10),
        max_in_unschedulable: Nanos::from_secs(300),
    }
}

fn rejected_by(plugin: PluginId) -> PluginSet {
    let mut set = PluginSet::default();
    set.insert(plugin);
    set
}

#[derive(Clone, Debug)]
struct ModelPod {
    number: u32,
    priority: i32,
    time: i64,
    entered: u64,
    rejections: u32,
    errors: u32,
    state: State,
}

/// The rules as section 3 of the scheduler reference tells them.
#[derive(Clone, Default)]
struct Model {
    pods: Vec<ModelPod>,
    entered: u64,
}

impl Model {
    /// The whole second in which a pod's backoff ends.
    fn end(pod: &ModelPod) -> Option<i64> {
        let count = if pod.errors > 0 { pod.errors } else { pod.rejections };
        let wait = match count {
            0 => return None,
            1..=4 => 1 << (count - 1),
            _ => 10,
        };
        Some((pod.time + wait * SECOND).div_euclid(SECOND))
    }

    fn backs_off(pod: &ModelPod, now: i64) -> bool {
        Self::end(pod).is_some_and(|end| end >= now.div_euclid(SECOND))
    }

    fn flush(&mut self, now: i64) {
        for pod in &mut self.pods {
            let waits = matches!(pod.state, State::Backoff | State::ErrorBackoff);
            if waits && !Self::backs_off(pod, now) {
                pod.state = State::Active;
            }
        }
    }

    fn pop(&mut self, now: i64) -> Option<u32> {
        self.flush(now);
        let order = |pod: &ModelPod| (-i64::from(pod.priority), pod.time, pod.entered);
        let is_active = |pod: &ModelPod| pod.state == State::Active;
        let any_active = self.pods.iter().any(is_active);
        let first = if any_active {
            self.pods.iter_mut().filter(|pod| is_active(pod)).min_by_key(|pod| order(pod))
        } else {
            let waiting = self.pods.iter_mut().filter(|pod| pod.state == State::Backoff);
            waiting.min_by_key(|pod| (Self::end(pod), order(pod)))
        };
        let pod = first?;
        pod.state = State::InFlight;
        Some(pod.number)
    }

    fn pod(&mut self, number: u32) -> &mut ModelPod {
        self.pods.iter_mut().find(|pod| pod.number == number).unwrap()
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Add(i32),
    Pop,
    Remove(usize),
    Wake(usize),
    Pass(i64),
    LookForLeftovers,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (-2..3i32).prop_map(Op::Add),
        6 => Just(Op::Pop),
        1 => any::<prop::sample::Index>().prop_map(|at| Op::Remove(at.index(1000))),
        4 => any::<prop::sample::Index>().prop_map(|at| Op::Wake(at.index(1000))),
        3 => (0..3 * SECOND).prop_map(Op::Pass),
        1 => (100 * SECOND..400 * SECOND).prop_map(Op::Pass),
        1 => Just(Op::LookForLeftovers),
    ]
}

proptest! {
    #[test]
    fn behaves_as_the_model_also_after_being_saved(
        ops in prop::collection::vec((op(), 0..4u8), 1..250),
        saved_at in 0..250usize,
    ) {
        let start = 7 * SECOND / 2;
        let mut now = start;
        let mut queue = Queue::new(times(), Time(start));
        let mut model = Model::default();
        for (step, (op, chance)) in ops.into_iter().enumerate() {
            if step == saved_at {
                let bytes = postcard::to_stdvec(&queue.to_saved()).unwrap();
                let saved = postcard::from_bytes(&bytes).unwrap();
                queue = Queue::from_saved(saved, times(), |slot| Some(InfoId::new(slot as usize)));
            }
            match op {
                Op::Add(priority) => {
                    let slot = model.entered as u32;
                    let info = InfoId::new(slot as usize);
                    let number = queue.add(slot, info, priority, None, Time(now));
                    model.entered += 1;
                    model.pods.push(ModelPod {
                        number, priority, time: now, entered: model.entered,
                        rejections: 0, errors: 0, state: State::Active,
                    });
                }
                Op::Pop => {
                    let popped = queue.pop(Time(now));
                    prop_assert_eq!(popped, model.pop(now));
                    let Some(number) = popped else { continue };
                    if chance == 0 {
                        queue.remove(number);
                        model.pods.retain(|pod| pod.number != number);
                        continue;
                    }
                    let rejectors = match chance {
                        1 => PluginSet::default(),
                        _ => rejected_by(PluginId(chance)),
                    };
                    queue.fail(number, rejectors, Time(now));
                    model.entered += 1;
                    let entered = model.entered;
                    let pod = model.pod(number);
                    (pod.time, pod.entered) = (now, entered);
                    if rejectors.is_empty() {
                        pod.errors += 1;
                        pod.state = State::ErrorBackoff;
                    } else {
                        pod.errors = 0;
                        pod.rejections += 1;
                        pod.state = State::Unschedulable;
                    }
                }
                Op::Remove(at) if !model.pods.is_empty() => {
                    let at = at % model.pods.len();
                    queue.remove(model.pods.remove(at).number);
                }
                Op::Wake(at) => {
                    let waiting = |pod: &&mut ModelPod| pod.state == State::Unschedulable;
                    let count = model.pods.iter_mut().filter(waiting).count();
                    if count == 0 { continue }
                    let pod = model.pods.iter_mut().filter(waiting).nth(at % count).unwrap();
                    let blamed: Vec<u32> = (2..4)
                        .flat_map(|plugin| {
                            let info = InfoId::new(queue.get(pod.number).slot as usize);
                            queue.waiting.pods(PluginId(plugin), info).collect::<Vec<_>>()
                        })
                        .collect();
                    prop_assert_eq!(blamed, vec![pod.number], "it waits under its rejector");
                    queue.requeue(pod.number, None, Time(now));
                    let backs_off = Model::backs_off(pod, now);
                    pod.state = if backs_off { State::Backoff } else { State::Active };
                }
                Op::Pass(nanos) => now += nanos,
                Op::LookForLeftovers => {
                    let looks = (now - start) / (30 * SECOND);
                    let last_look = start + looks * 30 * SECOND;
                    let mut found = queue.leftovers(Time(now));
                    found.sort_unstable();
                    let mut expected: Vec<u32> = model
                        .pods
                        .iter()
                        .filter(|pod| pod.state == State::Unschedulable)
                        .filter(|pod| last_look - pod.time > 300 * SECOND)
                        .map(|pod| pod.number)
                        .collect();
                    expected.sort_unstable();
                    prop_assert_eq!(&found, &expected);
                    for number in found {
                        queue.requeue(number, None, Time(now));
                        let backs_off = Model::backs_off(model.pod(number), now);
                        let state = if backs_off { State::Backoff } else { State::Active };
                        model.pod(number).state = state;
                    }
                }
                Op::Remove(_) => {}
            }
            check_outlook(&queue, &model, now, start)?;
        }
    }
}

/// What the queue says of its future.
fn check_outlook(queue: &Queue, model: &Model, now: i64, start: i64) -> Result<(), TestCaseError> {
    let mut flushed = model.clone();
    flushed.flush(now);
    let ready = |pod: &ModelPod| matches!(pod.state, State::Active | State::Backoff);
    prop_assert_eq!(queue.has_ready(Time(now)), flushed.pods.iter().any(ready));
    let errors = model.pods.iter().filter(|pod| pod.state == State::ErrorBackoff);
    let retry = errors.filter_map(Model::end).min().map(|end| Time((end + 1) * SECOND));
    prop_assert_eq!(queue.next_retry(), retry);
    let rejected = model.pods.iter().filter(|pod| pod.state == State::Unschedulable);
    let timeout = rejected.map(|pod| pod.time).min().map(|time| {
        let looks = (0..).map(|look| start + look * 30 * SECOND);
        Time(looks.into_iter().find(|look| look - time > 300 * SECOND).unwrap())
    });
    prop_assert_eq!(queue.next_timeout(), timeout);
    Ok(())
}

#[test]
fn a_gated_pod_enters_when_it_is_let() {
    let mut queue = Queue::new(times(), Time(0));
    let gate = Some(PluginId::SCHEDULING_GATES);
    let held = queue.add(0, InfoId::new(0), 100, gate, Time(0));
    let free = queue.add(1, InfoId::new(1), 0, None, Time(1));
    assert_eq!(queue.pop(Time(2)), Some(free));
    assert_eq!(queue.pop(Time(2)), None);
    assert_eq!(queue.next_timeout(), None, "gates are not waited out");
    queue.requeue(held, gate, Time(3));
    assert_eq!(queue.pop(Time(3)), None);
    queue.requeue(held, None, Time(4));
    assert_eq!(queue.pop(Time(4)), Some(held));
}

#[test]
fn entries_that_were_overtaken_do_not_pile_up() {
    let mut queue = Queue::new(times(), Time(0));
    let number = queue.add(0, InfoId::new(0), 0, None, Time(0));
    for turn in 0..20_000 {
        assert_eq!(queue.pop(Time(turn)), Some(number));
        queue.fail(number, rejected_by(PluginId::NODE_RESOURCES_FIT), Time(turn));
        queue.requeue(number, None, Time(turn));
    }
    assert!(queue.leftover.len() < 5_000 && queue.backoff.len() < 5_000);
}
