//! Stories about pods and nodes, told in the messages of the real scheduler.

use std::sync::Arc;

use wavetank_core::base::Time;
use wavetank_core::sched::{Config, DecisionResult, Profile, TieBreak};
use wavetank_core::store::delete::DeleteOptions;
use wavetank_core::store::pod::{ACCEPTED, Phase};
use wavetank_core::store::update::Part;

use super::world::{World, json};

#[test]
fn a_pod_goes_where_most_is_left() {
    let mut world = World::new();
    world.node("small", "2", "");
    world.node("large", "8", "");
    world.pod("web", "500m", "");
    assert_eq!(world.run(), ["web -> large"]);
}

#[test]
fn the_message_counts_every_reason_and_explains_why_preemption_does_not_help() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.node("b", "500m", "");
    world.node("c", "4", r#""unschedulable":true"#);
    world.node("d", "4", r#""taints":[{"key":"gpu","value":"x","effect":"NoSchedule"}]"#);
    world.pod("old", "600m", r#","nodeName":"a""#);
    world.pod("web", "900m", "");
    assert_eq!(
        world.run(),
        ["web: 0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were \
             unschedulable, 2 Insufficient cpu. no new claims to deallocate, preemption: 0/4 \
             nodes are available: 1 No preemption victims found for incoming pod, 3 Preemption \
             is not helpful for scheduling."]
    );
    let web = world.store.find(world.store.kinds.pod, Some("default"), "web").unwrap();
    let pod = world.store.get(web).unwrap();
    let condition = &pod.list_at(&["status", "conditions"])[0];
    assert_eq!(condition.str_at(&["reason"]), Some("Unschedulable"));
    assert!(condition.str_at(&["message"]).unwrap().starts_with("0/4 nodes are available"));
    let (_, event) = world.store.events.iter().next().unwrap();
    assert!(event.warning);
    assert_eq!(world.store.strings.text(event.reason), "FailedScheduling");
    assert_eq!(world.store.strings.text(event.component), "default-scheduler");
}

#[test]
fn a_binding_is_announced_by_an_event() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.pod("web", "100m", "");
    world.run();
    let (_, event) = world.store.events.iter().next().unwrap();
    assert_eq!(world.store.strings.text(event.reason), "Scheduled");
    let message = world.store.event_message(event);
    assert_eq!(message, "Successfully assigned default/web to a");
}

#[test]
fn without_nodes_a_pod_is_tried_again_in_ever_longer_intervals() {
    let mut world = World::new();
    world.pod("web", "100m", "");
    let start = world.store.now;
    let mut waits = Vec::new();
    for _ in 0..6 {
        assert_eq!(world.run(), ["web: no nodes available to schedule pods"]);
        assert_eq!(world.scheduler.next_retry(world.store.now), None, "it would be no use");
        let next = world.scheduler.next_flush(world.store.now).unwrap();
        waits.push(next.since(world.store.now).0 / 1_000_000_000);
        world.store.now = next;
    }
    // One second, then it counts as over in the second after.
    assert_eq!(waits, [2, 3, 5, 9, 11, 11]);
    world.node("a", "1", "");
    world.observe();
    assert!(world.scheduler.has_ready(world.store.now), "the backoff is just over");
    assert_eq!(world.run(), ["web -> a"]);
    assert!(world.store.now > start);
}

#[test]
fn only_events_that_can_help_wake_a_rejected_pod() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.pod("web", "4", "");
    assert_eq!(world.run().len(), 1);
    world.node("too-small", "2", "");
    world.pod("other", "100m", "");
    assert_eq!(world.run(), ["other -> too-small"], "neither node nor binding concerns web");
    world.node("large", "8", "");
    assert_eq!(world.run(), ["web -> large"]);
}

#[test]
fn a_deleted_pod_makes_room() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.pod("old", "800m", r#","nodeName":"a""#);
    world.pod("web", "500m", "");
    assert_eq!(world.run().len(), 1);
    let old = world.store.find(world.store.kinds.pod, Some("default"), "old").unwrap();
    world.store.finish_pod(old);
    assert_eq!(world.run(), ["web -> a"]);
}

#[test]
fn a_pod_that_ended_makes_room_and_a_terminating_one_does_not() {
    let mut world = World::new();
    world.node("a", "1", "");
    let old = world.pod("old", "800m", r#","nodeName":"a""#);
    world.pod("web", "500m", "");
    world.store.delete(old, &DeleteOptions::default()).unwrap();
    assert_eq!(world.run().len(), 1, "a terminating pod still takes its room");
    world.store.update_pod(old.slot, |pod| pod.phase = Phase::Failed);
    assert_eq!(world.run(), ["web -> a"]);
}

#[test]
fn an_uncordoned_or_resized_node_wakes_whom_it_can_help() {
    let mut world = World::new();
    let id = world.node("a", "1", r#""unschedulable":true"#);
    world.pod("small", "500m", "");
    world.pod("big", "3", "");
    assert_eq!(world.run().len(), 2);
    let mut node = world.store.get(id).unwrap();
    node.remove(&["spec", "unschedulable"]);
    world.update(&node, Part::Whole);
    let lines = world.run();
    assert_eq!(lines[0], "small -> a");
    assert!(lines[1].starts_with("big: 0/1 nodes are available: 1 Insufficient cpu."));
    let mut node = world.store.get(id).unwrap();
    node.set(&["status", "allocatable", "cpu"], "8");
    world.update(&node, Part::Status);
    assert_eq!(world.run(), ["big -> a"]);
}

#[test]
fn a_pod_nothing_happens_for_is_tried_again_after_five_minutes() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.pod("web", "4", "");
    assert_eq!(world.run().len(), 1);
    assert_eq!(world.scheduler.next_retry(world.store.now), None);
    let flush = world.scheduler.next_flush(world.store.now).unwrap();
    assert_eq!(flush.since(world.store.now).0 / 1_000_000_000, 330, "at the next look at 30 s");
    world.pass(329);
    assert_eq!(world.run(), [""; 0]);
    world.pass(1);
    assert_eq!(world.run().len(), 1);
}

#[test]
fn gated_pods_stay_out_until_their_gates_are_gone() {
    let mut world = World::new();
    world.node("a", "1", "");
    let id = world.pod("web", "100m", r#","schedulingGates":[{"name":"quota"}]"#);
    assert_eq!(world.run(), [""; 0]);
    let mut pod = world.store.get(id).unwrap();
    pod.remove(&["spec", "schedulingGates"]);
    world.update(&pod, Part::Whole);
    assert_eq!(world.run(), ["web -> a"]);
}

#[test]
fn pods_of_other_schedulers_are_none_of_ours() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.pod("web", "100m", r#","schedulerName":"custom""#);
    assert_eq!(world.run(), [""; 0]);
    let mine = Profile { scheduler_name: "custom".into(), ..Profile::default() };
    let profiles = vec![Profile::default(), mine];
    let mut world = World::with(Config { profiles, ..Config::default() });
    world.node("a", "1", "");
    world.pod("web", "100m", r#","schedulerName":"custom""#);
    assert_eq!(world.run(), ["web -> a"]);
    let (_, event) = world.store.events.iter().next().unwrap();
    assert_eq!(world.store.strings.text(event.component), "custom");
}

#[test]
fn priority_comes_first_then_who_waited_longest() {
    let mut world = World::new();
    world.node("a", "8", "");
    for (name, priority) in [("late", 0), ("low", -5), ("high", 10), ("later", 0)] {
        world.pod(name, "100m", &format!(r#","priority":{priority}"#));
    }
    let names: Vec<String> = world.run().iter().map(|line| line.replace(" -> a", "")).collect();
    assert_eq!(names, ["high", "late", "later", "low"]);
}

#[test]
fn a_pod_bound_by_somebody_else_leaves_the_queue() {
    let mut world = World::new();
    world.node("a", "1", "");
    let id = world.pod("web", "800m", "");
    world.observe();
    world.store.bind(id, "a").unwrap();
    world.pod("next", "500m", "");
    let lines = world.run();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("next: 0/1 nodes are available: 1 Insufficient cpu."));
}

#[test]
fn a_pod_deleted_between_two_looks_is_skipped() {
    let mut world = World::new();
    world.node("a", "1", "");
    let id = world.pod("web", "100m", "");
    world.observe();
    world.store.finish_pod(id);
    let decision = world.scheduler.schedule_one(&mut world.store).unwrap();
    assert_eq!(decision.result, DecisionResult::Skipped);
    assert_eq!(world.run(), [""; 0]);
}

#[test]
fn preemption_takes_the_least_important_pods_and_promises_their_room() {
    let mut world = World::new();
    world.node("a", "2", "");
    world.node("b", "2", "");
    for (name, node, priority) in [("a1", "a", 5), ("a2", "a", 1), ("b1", "b", 3), ("b2", "b", 3)] {
        let more = format!(r#","priority":{priority},"nodeName":"{node}""#);
        let id = world.pod(name, "900m", &more);
        world.store.update_pod(id.slot, |pod| {
            pod.flags |= ACCEPTED;
            pod.accepted_at = Time::from_unix_secs(1_000);
        });
    }
    let urgent = world.pod("urgent", "1", r#","priority":100"#);
    world.observe();
    let decision = world.step().unwrap();
    let DecisionResult::Unschedulable { message, victims } = &decision.result else {
        panic!("{decision:?}");
    };
    assert_eq!(message.as_str(), "0/2 nodes are available: 2 Insufficient cpu.");
    let names: Vec<_> = victims.iter().map(|id| world.store.name(*id).unwrap()).collect();
    assert_eq!(names, ["a2"], "node a: its only victim has the lowest priority");
    let victim = world.store.get(victims[0]).unwrap();
    assert!(victim.str_at(&["metadata", "deletionTimestamp"]).is_some());
    let reasons: Vec<_> =
        victim.list_at(&["status", "conditions"]).iter().map(|c| c.str_at(&["reason"])).collect();
    assert!(reasons.contains(&Some("PreemptionByScheduler")), "{reasons:?}");
    let nominated = world.store.get(urgent).unwrap();
    assert_eq!(nominated.str_at(&["status", "nominatedNodeName"]), Some("a"));
    // A pod of lower priority may not take the promised room, not even once it is free.
    world.pod("greedy", "900m", r#","priority":50,"preemptionPolicy":"Never""#);
    world.store.finish_pod(victims[0]);
    let lines = world.run();
    assert!(lines.contains(&"urgent -> a".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("greedy ->")), "{lines:?}");
}

#[test]
fn a_preemptor_waits_for_its_victims_to_leave() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.pod("old", "900m", r#","nodeName":"a""#);
    world.pod("urgent", "900m", r#","priority":100"#);
    assert_eq!(world.run(), ["urgent: 0/1 nodes are available: 1 Insufficient cpu."]);
    world.pass(400);
    let lines = world.run();
    assert_eq!(
        lines,
        ["urgent: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, \
             preemption: not eligible due to a terminating pod on the nominated node."]
    );
}

#[test]
fn ties_are_broken_as_the_mode_says() {
    let place = |tie_break: TieBreak| {
        let mut world = World::with(Config { tie_break, ..Config::default() });
        for name in ["d", "b", "c", "a"] {
            world.node(name, "4", "");
        }
        world.pod("web", "100m", "");
        world.run().remove(0)
    };
    assert_eq!(place(TieBreak::Oracle), "web -> d", "the first node of the list");
    assert_eq!(place(TieBreak::FirstByName), "web -> a");
    let seeded = place(TieBreak::Seeded);
    assert_eq!(seeded, place(TieBreak::Seeded), "the same seed, the same choice");
}

#[test]
fn the_search_stops_when_enough_nodes_were_found_and_goes_on_from_there() {
    let config = Config { percentage_of_nodes_to_score: 50, ..Config::default() };
    let mut world = World::with(config);
    for number in 0..300 {
        world.node(&format!("n{number:03}"), "4", "");
    }
    for number in 0..2 {
        world.pod(&format!("web-{number}"), "100m", "");
    }
    world.observe();
    let mut found = || {
        world.step().unwrap();
        let findings = world.scheduler.findings();
        let first = findings.feasible[0];
        (findings.feasible.len(), world.scheduler.cache().nodes.info(first).name.to_string())
    };
    assert_eq!(found(), (150, "n000".to_owned()));
    assert_eq!(found(), (150, "n150".to_owned()));
}

#[test]
fn a_node_that_comes_back_finds_its_pods_counted() {
    let mut world = World::new();
    let a = world.node("a", "1", "");
    world.node("b", "500m", "");
    world.pod("old", "800m", r#","nodeName":"a""#);
    world.observe();
    world.store.delete(a, &DeleteOptions::default()).unwrap();
    world.observe();
    world.node("a", "1", "");
    world.pod("web", "400m", "");
    assert_eq!(world.run(), ["web -> b"]);
}

#[test]
fn in_place_resizes_count_by_the_most_of_what_is_asked_and_in_force() {
    let mut world = World::new();
    world.node("a", "2", "");
    world.restore(&json(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"shrinking"},
        "spec":{"nodeName":"a","containers":[{"name":"c","image":"i",
        "resources":{"requests":{"cpu":"500m"}}}]},
        "status":{"phase":"Running","containerStatuses":[{"name":"c","image":"i","imageID":"",
        "ready":true,"restartCount":0,"allocatedResources":{"cpu":"500m"},
        "resources":{"requests":{"cpu":"1500m"}}}]}}"#,
    ));
    world.pod("web", "1", "");
    assert_eq!(world.run().len(), 1);
    assert!(Arc::strong_count(world.scheduler.config()) >= 1);
    let node = world.scheduler.cache().nodes.find("a").unwrap();
    assert_eq!(world.scheduler.cache().nodes.row(node).used_cpu_milli, 1500);
}

#[test]
fn pod_level_requests_take_the_place_of_the_sums() {
    let mut world = World::new();
    world.node("a", "2", "");
    world.pod("web", "500m", r#","resources":{"requests":{"cpu":"1500m"}},"nodeName":"a""#);
    world.pod("next", "600m", "");
    let lines = world.run();
    assert!(lines[0].starts_with("next: 0/1 nodes are available: 1 Insufficient cpu."));
}

/// Affinity, or its contrary, to pods of an app on the same node.
fn affinity(side: &str, app: &str) -> String {
    format!(
        r#","affinity":{{"{side}":{{"requiredDuringSchedulingIgnoredDuringExecution":[{{
        "topologyKey":"kubernetes.io/hostname","labelSelector":{{"matchLabels":
        {{"app":"{app}"}}}}}}]}}}}"#
    )
}

#[test]
fn a_pod_waits_for_the_pod_it_wants_to_be_near() {
    let mut world = World::new();
    world.node("a", "4", "");
    world.node("b", "4", "");
    world.pod("web", "100m", &affinity("podAffinity", "db"));
    let lines = world.run();
    assert!(lines[0].contains("2 node(s) didn't match pod affinity rules."), "{}", lines[0]);
    world.pod("cache", "100m", r#","nodeName":"a""#);
    assert_eq!(world.run(), [""; 0], "no other pod will do");
    world.pod("db", "100m", r#","nodeName":"b""#);
    assert_eq!(world.run(), ["web -> b"]);
}

#[test]
fn a_pod_keeps_others_away_until_it_is_gone() {
    let mut world = World::new();
    world.node("a", "4", "");
    let more = format!(r#","nodeName":"a"{}"#, affinity("podAntiAffinity", "web"));
    let hermit = world.pod("hermit", "100m", &more);
    let other = world.pod("other", "100m", r#","nodeName":"a""#);
    world.pod("web", "100m", "");
    let lines = world.run();
    let reason = "1 node(s) didn't satisfy existing pods anti-affinity rules.";
    assert!(lines[0].contains(reason), "{}", lines[0]);
    world.store.finish_pod(other);
    assert_eq!(world.run(), [""; 0], "that one did not mind");
    world.store.finish_pod(hermit);
    assert_eq!(world.run(), ["web -> a"]);
}

#[test]
fn the_first_of_a_group_that_wants_to_be_together_goes_anywhere() {
    let mut world = World::new();
    world.node("a", "1", "");
    world.node("b", "2", "");
    world.pod("web", "600m", &affinity("podAffinity", "web"));
    assert_eq!(world.run(), ["web -> b"]);
}

#[test]
fn a_pod_on_a_node_can_change_its_labels() {
    let mut world = World::new();
    world.node("a", "4", "");
    let id = world.pod("web", "1", "");
    assert_eq!(world.run(), ["web -> a"]);
    let mut changed = world.store.get(id).unwrap();
    changed.set(&["metadata", "labels", "app"], "other");
    world.update(&changed, Part::Whole);
    world.pod("next", "3", "");
    assert_eq!(world.run(), ["next -> a"]);
}
